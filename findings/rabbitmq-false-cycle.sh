#!/usr/bin/env bash
# RabbitMQ 3.10 drops a message on its second lap of a retry ladder of two rungs.
#
# version    RabbitMQ 3.10.8 (client: pika 1.4.4)
# behaviour  A worker rejects, the message waits in one queue, then in another, and
#            comes back by their TTLs. Since every lap holds a rejection, no lap is
#            a cycle, and 4.0.5 and 4.3.6 go round for ever. 3.10.8 does it once;
#            on the second lap the message vanishes between the two waiting
#            queues, with no dead letter and only a warning in the log.
# source     rabbit_dead_letter.erl looks for a rejection in the part of x-death
#            that is newer than the last visit to the target. Where it updates an
#            entry it leaves the older ones in reversed order, so the rejection is
#            not found where it should be.
# seen       on RabbitMQ 3.10.8, 2026-11-29, three times of three:
#            delivery 1, x-death: []
#            delivery 2, x-death: ['second-wait expired', 'work rejected', 'first-wait
#              expired']
#            deliveries: 2
#            messages left: [0, 0, 0]
. "$(dirname "$0")/support/setup.sh"

broker 3.10
python_with pika==1.4.4
"$PYTHON" - <<'PYTHON'
import time

from finding import confirming, connect, expect, ready, waited_for

connection = connect()
channel = confirming(connection)


def declare(queue, target, **arguments):
    letters = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": target}
    channel.queue_declare(queue, durable=True, arguments={**letters, **arguments})


declare("work", "first-wait")
declare("first-wait", "second-wait", **{"x-message-ttl": 300})
declare("second-wait", "work", **{"x-message-ttl": 300})
channel.basic_publish("", "work", "job")

deaths = []
while len(deaths) < 6 and waited_for(lambda: ready(channel, "work") == 1, seconds=5):
    method, properties, _ = channel.basic_get("work")
    headers = properties.headers or {}
    deaths.append([f"{death['queue']} {death['reason']}" for death in headers.get("x-death", [])])
    channel.basic_reject(method.delivery_tag, requeue=False)
for number, history in enumerate(deaths, 1):
    print(f"delivery {number}, x-death: {history}")
time.sleep(1)
expect("deliveries", len(deaths), 2)
expect("messages left", [ready(channel, queue) for queue in ("work", "first-wait", "second-wait")], [0, 0, 0])
connection.close()
PYTHON
