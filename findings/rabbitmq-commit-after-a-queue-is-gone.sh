#!/usr/bin/env bash
# On 4.3 a commit costs the connection, and its other messages, where one queue was deleted meanwhile.
#
# version    RabbitMQ 4.0.5 and 4.3.6 beside 3.10.8 (client: pika 1.4.4)
# behaviour  A fanout with two classic queues; a message is published to it within a transaction,
#            and before the commit somebody else deletes one of the two queues. On 3.10.8 the
#            commit succeeds and the other queue has the message. 4.0.5 closes the channel (406),
#            and the other queue has the message all the same. 4.3.6 closes the whole connection
#            (506 RESOURCE_ERROR), and the other queue gets nothing.
# source     rabbit_channel.erl routes at the publish and hands out at the commit. 4.x keeps what it
#            looked up then, and counts a classic queue that is gone as one that did not take the
#            message; 4.3 ends with an error of the whole where a queue could not be reached.
# seen       2026-11-30, told by the commit, the connection goes on, messages in the queue that stays:
#            on RabbitMQ 3.10.8: commit-ok, True, 1
#            on RabbitMQ 4.0.5: 406, True, 1
#            on RabbitMQ 4.3.6: 506, False, 0
. "$(dirname "$0")/support/setup.sh"

broker 4.3 4.0 3.10
python_with pika==1.4.4
"$PYTHON" - <<'PYTHON'
import os

import pika
from finding import connect, expect, ready, waited_for

KNOWN = {
    "3.10": ("commit-ok", True, 1),
    "4.0": ("406", True, 1),
    "4.3": ("506", False, 0),
}

owner, publisher = connect(), connect()
beside = owner.channel()
beside.exchange_declare("news", "fanout", durable=True)
for queue in ("stays", "goes"):
    beside.queue_declare(queue, durable=True)
    beside.queue_bind(queue, "news")

channel = publisher.channel()
channel.tx_select()
channel.basic_publish("news", "", "m")
beside.queue_delete("goes")
try:
    channel.tx_commit()
    told = "commit-ok"
except pika.exceptions.ChannelClosedByBroker as closed:
    told = str(closed.reply_code)
except pika.exceptions.ConnectionClosedByBroker as closed:
    told = str(closed.reply_code)
known = KNOWN[".".join(os.environ["VERSION"].split(".")[:2])]
waited_for(lambda: ready(beside, "stays") == known[2], seconds=2)
expect("the commit is told", told, known[0])
expect("the publisher's connection goes on", publisher.is_open, known[1])
expect("messages in the queue that stays", ready(beside, "stays"), known[2])
owner.close()
PYTHON
