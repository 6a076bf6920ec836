#!/usr/bin/env bash
# A headers exchange never matches a timestamp, since RabbitMQ 3.13.
#
# version    RabbitMQ 4.0.5 and 4.3.6 (client: pika 1.4.4)
# behaviour  A queue is bound to a headers exchange by a timestamp. A message with
#            the very same timestamp in that header is unroutable, by "all" and by
#            "any"; the binding is accepted and listed as any other. Texts and
#            numbers match. 3.10.8 routes it.
# source     mc_amqpl.erl turns the headers of a message into AMQP 1.0 terms to
#            route by, timestamps from seconds into milliseconds.
#            rabbit_exchange_type_headers.erl compares them with the binding's
#            arguments as they were sent, in seconds.
# seen       on RabbitMQ 4.3.6, 2026-11-29, three times of three:
#            a text that equals the binding's, x-match all: routed
#            a text that equals the binding's, x-match any: routed
#            a number that equals the binding's, x-match all: routed
#            a number that equals the binding's, x-match any: routed
#            a timestamp that equals the binding's, x-match all: unroutable
#            a timestamp that equals the binding's, x-match any: unroutable
. "$(dirname "$0")/support/setup.sh"

broker 4.3 4.0
python_with pika==1.4.4
"$PYTHON" - <<'PYTHON'
from datetime import datetime

import pika
from finding import confirming, connect, expect

connection = connect()
channel = confirming(connection)
channel.exchange_declare("by-header", "headers", durable=True)
for name, value, answer in (
    ("text", "2027-01-01", "routed"),
    ("number", 1798761600, "routed"),
    ("timestamp", datetime(2027, 1, 1), "unroutable"),
):
    for match in ("all", "any"):
        queue = channel.queue_declare("", exclusive=True).method.queue
        arguments = {"x-match": match, name: value}
        channel.queue_bind(queue, "by-header", arguments=arguments)
        try:
            channel.basic_publish("by-header", "", b"", pika.BasicProperties(headers={name: value}), mandatory=True)
            seen = "routed"
        except pika.exceptions.UnroutableError:
            seen = "unroutable"
        channel.queue_unbind(queue, "by-header", arguments=arguments)
        expect(f"a {name} that equals the binding's, x-match {match}", seen, answer)
connection.close()
PYTHON
