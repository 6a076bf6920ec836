#!/usr/bin/env bash
# tx.commit succeeds for messages that a full quorum queue refuses.
#
# version    RabbitMQ 3.10.8, 4.0.5 and 4.3.6 (client: pika 1.4.4)
# behaviour  A queue with max-length 1 and overflow reject-publish, a transaction
#            of one message each time. A full classic queue fails the commit
#            (406, "partial tx completion"). A full quorum queue lets every
#            commit succeed, while only two messages are stored: the one that
#            fits and the one over the limit that quorum queues accept. With
#            publisher confirms the same publishes are nacked.
# source     rabbit_channel.erl: a rejection marks the transaction as failed, and
#            the commit sets it to "committing" after it has handed the messages
#            out. A classic queue rejects later than that. For a full quorum queue
#            rabbit_fifo_client.erl, in the channel's own process, rejects while
#            they are handed out, and that mark is overwritten.
# seen       on RabbitMQ 4.3.6, 2026-11-29, three times of three:
#            classic by tx: ['commit-ok', '406 PRECONDITION_FAILED - partial tx
#              completion']
#            quorum by confirms: ['ack', 'ack', 'nack', 'nack']
#            quorum by tx: ['commit-ok', 'commit-ok', 'commit-ok', 'commit-ok']
#            messages stored by four commits: 2
. "$(dirname "$0")/support/setup.sh"

broker 4.3 4.0 3.10
python_with pika==1.4.4
"$PYTHON" - <<'PYTHON'
import time

import pika
from finding import confirming, connect, expect, ready

connection = connect()
full = {"x-max-length": 1, "x-overflow": "reject-publish"}


def commits(queue):
    channel = connection.channel()
    channel.tx_select()
    answers = []
    for number in range(4):
        channel.basic_publish("", queue, str(number))
        try:
            channel.tx_commit()
            answers.append("commit-ok")
        except pika.exceptions.ChannelClosedByBroker as closed:
            answers.append(f"{closed.reply_code} {closed.reply_text}")
            return answers
        # The queue has told the channel that it is full.
        time.sleep(0.3)
    return answers


def confirms(queue):
    answers = []
    for number in range(4):
        try:
            confirmed.basic_publish("", queue, str(number))
            answers.append("ack")
        except pika.exceptions.NackError:
            answers.append("nack")
        time.sleep(0.3)
    return answers


confirmed = confirming(connection)
for queue in ("quorum by tx", "quorum by confirms"):
    confirmed.queue_declare(queue, durable=True, arguments={**full, "x-queue-type": "quorum"})
confirmed.queue_declare("classic by tx", durable=True, arguments=full)
expect("classic by tx", commits("classic by tx"), ["commit-ok", "406 PRECONDITION_FAILED - partial tx completion"])
expect("quorum by confirms", confirms("quorum by confirms"), ["ack", "ack", "nack", "nack"])
expect("quorum by tx", commits("quorum by tx"), ["commit-ok"] * 4)
expect("messages stored by four commits", ready(confirmed, "quorum by tx"), 2)
connection.close()
PYTHON
