#!/usr/bin/env bash
# What the tools of librabbitmq (Debian's amqp-tools) are told by a broker. RABBITMQ_URL names it.
set -u
amqp() { # TOOL WORDS…
    echo "\$ amqp-$*"
    "amqp-$1" --url "${url:-$RABBITMQ_URL}" "${@:2}" 2>&1
    echo "[exit $?]"
}

amqp declare-queue --durable --queue work
printf 'one\ntwo\n' | amqp publish --line-buffered --routing-key work --content-type text/plain --persistent
amqp publish --routing-key work --body 'a body of its own' --header n:1 --reply-to here
amqp publish --routing-key missing --body lost
amqp get --queue work
amqp consume --queue work --count 2 --prefetch-count 1 cat
amqp get --queue work
amqp publish --exchange missing --routing-key work --body lost
amqp get --queue missing
amqp declare-queue --queue amq.mine
head --bytes 300000 /dev/zero | tr '\0' x | amqp publish --routing-key work
amqp get --queue work | wc --bytes
amqp delete-queue --queue work
amqp delete-queue --queue work
url=${RABBITMQ_URL%/*}/missing amqp publish --routing-key work --body lost
url=${RABBITMQ_URL/guest:guest/guest:wrong} amqp publish --routing-key work --body lost
