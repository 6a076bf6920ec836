#!/usr/bin/env bash
# Two clients declare one durable queue at once, alike: one may be told that the queue's node is down.
#
# version    RabbitMQ 4.0.5 and 3.10.8
# behaviour  A queue that two connections declare at the same moment with the same
#            properties is made once, but one of them may be refused: 404, "home
#            node ... of durable queue ... is down or inaccessible". The only node is
#            up; the same declare succeeds a moment later. It met one declare in
#            some hundreds to thousands. On 4.3.6 it was not seen in 8,000.
# source     RabbitMQ, rabbit_amqqueue.erl, with and not_found_or_absent_dirty: a
#            queue that a first look does not find is looked for again to tell why;
#            if it came in between, it is taken for one whose node is away.
# seen       on RabbitMQ 4.0.5 and 3.10.8, 2026-11-30, three times of three:
#            a declare was refused: True
#            with: 404 home node is down or inaccessible
#            and succeeded when asked again: True
. "$(dirname "$0")/support/setup.sh"

broker 4.0 3.10
python_with pika==1.4.4
"$PYTHON" - <<'PYTHON'
import threading

import pika
from finding import connect, expect

ROUNDS = 20_000

together = threading.Barrier(2, timeout=30)
refusals, again, found = [], [], threading.Event()


def declares_each(first):
    connection = connect()
    channel = connection.channel()
    for number in range(ROUNDS):
        # Both leave after the same round: between the two waits nobody sets the sign.
        together.wait()
        ends = found.is_set()
        if first and number > 0:
            channel.queue_delete(f"q{number - 1}")
        together.wait()
        if ends:
            break
        try:
            channel.queue_declare(f"q{number}", durable=True)
        except pika.exceptions.ChannelClosedByBroker as closed:
            refusals.append((closed.reply_code, closed.reply_text))
            again.append(connection.channel().queue_declare(f"q{number}", durable=True).method.queue == f"q{number}")
            channel = connection.channel()
            found.set()
    connection.close()


clients = [threading.Thread(target=declares_each, args=(first,)) for first in (True, False)]
for client in clients:
    client.start()
for client in clients:
    client.join()

expect("a declare was refused", bool(refusals), True)
code, text = refusals[0]
ends_alike = "home node '" in text and text.endswith("is down or inaccessible")
expect("with", f"{code} home node is down or inaccessible" if ends_alike else f"{code} {text}", "404 home node is down or inaccessible")
expect("and succeeded when asked again", all(again), True)
PYTHON
