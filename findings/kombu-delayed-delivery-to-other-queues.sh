#!/usr/bin/env bash
# Turning on kombu's delayed delivery sends messages to queues that have no binding for them, even messages without a delay.
#
# version    kombu 5.7.0 (Celery's transport, "native delayed delivery"); RabbitMQ 3.10.8, 4.0.5 and 4.3.6
# behaviour  Two queues of one topic exchange: one bound by "created", one by
#            "order.created". What is published with "order.created" reaches the
#            second alone. Once both are bound for delayed delivery, as a worker
#            of Celery does at its start, each such message reaches both, be it
#            published with a delay or straight to the exchange as before.
# source     kombu, transport/native_delayed_delivery.py: binds each queue to its
#            own exchange, too, by "#." before its key, to take the bits of a
#            delay off; "#" stands for any words, not for those bits alone.
# seen       on RabbitMQ 3.10.8, 4.0.5 and 4.3.6, 2026-11-30, three times of three:
#            before: {'created': [], 'order.created': ['at once']}
#            bindings added: {'created': ['#.created'], 'order.created': ['#.order.created']}
#            after: {'created': ['at once', 'delayed'], 'order.created': ['at once', 'delayed']}
. "$(dirname "$0")/support/setup.sh"

broker 4.3 4.0 3.10
python_with kombu==5.7.0 amqp==5.4.2 pika==1.4.4
"$PYTHON" - <<'PYTHON'
import os

import kombu
from finding import confirming, connect, expect, management, ready, take_all, waited_for
from kombu.transport import native_delayed_delivery as delayed

connection = connect()
channel = confirming(connection)
exchange = kombu.Exchange("events", type="topic")
queues = [kombu.Queue(key, exchange, routing_key=key) for key in ("created", "order.created")]
KEY = "order.created"


def held():
    return {queue.name: [text for text, _ in take_all(channel, queue.name)] for queue in queues}


with kombu.Connection(os.environ["AMQP_URL"]) as celery:
    for queue in queues:
        queue(celery).declare()
    producer = celery.Producer()
    producer.publish("at once", exchange="events", routing_key=KEY)
    waited_for(lambda: ready(channel, KEY) == 1)
    expect("before", held(), {"created": [], KEY: ["at once"]})

    delayed.declare_native_delayed_delivery_exchanges_and_queues(celery, "quorum")
    bound = {}
    for queue in queues:
        delayed.bind_queue_to_native_delayed_delivery_exchange(celery, queue)
        path = f"/bindings/{os.environ['VHOST']}/e/events/q/{queue.name}"
        _, bindings = management("GET", path)
        bound[queue.name] = [one["routing_key"] for one in bindings if one["routing_key"] != queue.name]
    expect("bindings added", bound, {"created": ["#.created"], KEY: ["#.order.created"]})
    producer.publish("at once", exchange="events", routing_key=KEY)
    producer.publish("delayed", exchange=delayed.level_name(27), routing_key=delayed.calculate_routing_key(1, KEY))
    waited_for(lambda: ready(channel, KEY) == 2 and ready(channel, "created") == 2)
    expect("after", held(), {"created": ["at once", "delayed"], KEY: ["at once", "delayed"]})
connection.close()
PYTHON
