#!/usr/bin/env bash
# In a priority queue an expired message may be delivered seconds after its end.
#
# version    RabbitMQ 3.10.8, 4.0.5 and 4.3.6, classic queue with x-max-priority
#            (client: pika 1.4.4)
# behaviour  A message with an expiration of 200 ms and a high priority goes into a
#            queue in which one of low priority, without expiration, waits. It is
#            at the head at once, and no timer is started for it: after three
#            seconds it is still counted, and then delivered. Alone in the queue,
#            or in a queue without priorities, it is gone in time. Not the known
#            rule that only the head expires: this one is the head.
# source     rabbit_amqqueue_process.erl looks for expired messages after a publish
#            only when something was dropped or the queue now holds one message,
#            since behind others a new one cannot be the head; with priorities it
#            can.
# seen       on RabbitMQ 4.3.6, 2026-11-29, three times of three:
#            alone: taken after three seconds: []
#            beside a lower one: taken after three seconds: ['high', 'low']
. "$(dirname "$0")/support/setup.sh"

broker 4.3 4.0 3.10
python_with pika==1.4.4
"$PYTHON" - <<'PYTHON'
import time

import pika
from finding import confirming, connect, expect, take_all

connection = connect()
channel = confirming(connection)
for queue, waiting, taken in (("alone", [], []), ("beside a lower one", ["low"], ["high", "low"])):
    channel.queue_declare(queue, durable=True, arguments={"x-max-priority": 5})
    for text in waiting:
        channel.basic_publish("", queue, text, pika.BasicProperties(priority=1))
    channel.basic_publish("", queue, "high", pika.BasicProperties(priority=5, expiration="200"))
    time.sleep(3)
    expect(f"{queue}: taken after three seconds", [text for text, _ in take_all(channel, queue)], taken)
connection.close()
PYTHON
