#!/usr/bin/env bash
# Beside other publishers, kombu's messages go last through quorum queues of 4.3.
#
# version    kombu 5.7.0 (Celery's transport), pika 1.4.4; RabbitMQ 4.3.6
# behaviour  Neither publisher asks for a priority. kombu writes priority 0 all
#            the same, pika writes none. A quorum queue of 4.3 has strict
#            priorities and takes a missing one for 4, so what kombu published
#            first waits until nothing of pika's is left. On 3.10.8 and 4.0.5
#            the order is that of the publishes; on classic queues missing is 0.
# source     kombu, messaging.py: Producer.publish has priority=0 as its default
#            and hands it to every message. RabbitMQ, rabbit_fifo.erl and
#            rabbit_fifo_pq.erl: the default level follows AMQP 1.0.
# seen       on RabbitMQ 4.3.6, 2026-11-29, three times of three:
#            classic: priorities: [('komb', 0), ('pika', None)]
#            classic: order: ['kombu 1', 'kombu 2', 'pika 1', 'pika 2']
#            quorum: priorities: [('komb', 0), ('pika', None)]
#            quorum: order: ['pika 1', 'pika 2', 'kombu 1', 'kombu 2']
. "$(dirname "$0")/support/setup.sh"

broker 4.3
python_with kombu==5.7.0 amqp==5.4.2 pika==1.4.4
"$PYTHON" - <<'PYTHON'
import os

import kombu
from finding import confirming, connect, expect, ready, take_all, waited_for

connection = connect()
channel = confirming(connection)
for queue, arguments in (("classic", {}), ("quorum", {"x-queue-type": "quorum"})):
    channel.queue_declare(queue, durable=True, arguments=arguments)
    with kombu.Connection(os.environ["AMQP_URL"]) as celery:
        for number in (1, 2):
            celery.Producer().publish(f"kombu {number}", exchange="", routing_key=queue)
    waited_for(lambda: ready(channel, queue) == 2)
    for number in (1, 2):
        channel.basic_publish("", queue, f"pika {number}")
    taken = take_all(channel, queue)
    expect(f"{queue}: priorities", sorted({(text[:4], properties.priority) for text, properties in taken}, key=str),
           [("komb", 0), ("pika", None)])
    order = ["kombu 1", "kombu 2", "pika 1", "pika 2"]
    expect(f"{queue}: order", [text for text, _ in taken], order if queue == "classic" else order[2:] + order[:2])
connection.close()
PYTHON
