#!/usr/bin/env bash
# Whoever asks for a classic queue on a node that died waits for a minute on 4.3, each time, and is told of a timeout.
#
# version    RabbitMQ 4.3.6, three nodes as one cluster (client: pika 1.4.4)
# behaviour  A durable classic queue stands on a node that is killed. The other nodes list the node
#            as down within a second, and the queue's state as "down". Yet a passive declare of it over AMQP
#            is not refused at once with the words that the broker has for this ("home node ... is down
#            or inaccessible"): the channel hears nothing for more than a minute, and then
#            404 "failed to perform operation on queue ... due to timeout". The next one waits as
#            long. A client with a shorter timeout for answers never learns why.
# source     rabbit_amqqueue.erl, with/4: a queue that is not found is looked up once more, and then said
#            to be on a node that is down. With Mnesia the record of such a queue is gone from the
#            table in memory; with Khepri, the only store from 4.3 on, it is found, with a process
#            that does not answer, so the operation is tried 2,000 times, 30 ms apart.
# seen       2026-11-30, twice:
#            listed as down within 5 s: True
#            state of the queue 10 s later: running
#            refused: 404, due to timeout
#            waited for more than 55 s: True
. "$(dirname "$0")/support/setup.sh"

cluster
python_with pika==1.4.4
"$PYTHON" - <<'PYTHON'
import os
import shlex
import subprocess
import time

import pika
from finding import VHOST, confirming, connect, expect, management, waited_for

NODE = shlex.split(os.environ["RMQPLAY_NODE"])

channel = confirming(connect())
# With two more on the node that is spoken to, the balanced one goes to another.
for name in ("here", "here-too"):
    channel.queue_declare(name, durable=True)
channel.queue_declare("there", durable=True, arguments={"x-queue-leader-locator": "balanced"})
channel.basic_publish("", "there", b"kept", pika.BasicProperties(delivery_mode=2))
node = management("GET", f"/queues/{VHOST}/there")[1]["node"]
if node == management("GET", "/overview")[1]["node"]:
    print("not tried: the queue stands on the node that is spoken to")
    raise SystemExit(2)


def is_down():
    return any(one["name"] == node and not one["running"] for one in management("GET", "/nodes")[1])


subprocess.run([*NODE, "stop", node], check=True)
try:
    expect("listed as down within 5 s", waited_for(is_down, 5), True)
    listed = lambda: management("GET", f"/queues/{VHOST}/there")[1].get("state")
    waited_for(lambda: listed() != "running", 10)
    print("state of the queue 10 s later:", listed())
    began = time.monotonic()
    try:
        connect().channel().queue_declare("there", passive=True)
        answer = "the queue is there"
    except pika.exceptions.ChannelClosedByBroker as closed:
        answer = f"{closed.reply_code}, {closed.reply_text[-14:]}"
    expect("refused", answer, "404, due to timeout")
    expect("waited for more than 55 s", time.monotonic() - began > 55, True)
finally:
    subprocess.run([*NODE, "start", node], check=True)
PYTHON
