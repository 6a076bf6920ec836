#!/usr/bin/env bash
# A dead letter that expired comes into a stream with the expiration that killed it; into any other queue without.
#
# version    RabbitMQ 4.0.5 and 4.3.6 (client: pika 1.4.4)
# behaviour  A message with an expiration of 200 ms expires in a queue that dead-letters to a fanout
#            exchange, to which a classic queue, a quorum queue and a stream are bound. RabbitMQ takes the
#            expiration off a dead letter, so that it does not expire again, and says in x-death
#            what it was. So it does for the two queues; whoever reads the stream finds the
#            property there as it was published. A reader that publishes what it read to a queue, with
#            its properties, has it expire a second time.
# source     rabbit_dead_letter.erl unsets the time to live by mc:set_ttl, which changes an annotation of
#            the message; mc_amqpl.erl makes AMQP 1.0 of the message by its own properties, in which the
#            expiration still stands; rabbit_stream_queue.erl, stream_message/1, stores that alone.
# seen       2026-12-01, on both:
#            classic: expiration None, original-expiration 200
#            quorum: expiration None, original-expiration 200
#            stream: expiration 200, original-expiration 200
. "$(dirname "$0")/support/setup.sh"

broker 4.3 4.0
python_with pika==1.4.4
"$PYTHON" - <<'PYTHON'
import pika
from finding import confirming, connect, expect, ready, waited_for

channel = confirming(connect())
channel.exchange_declare("dead", "fanout", durable=True)
for kind in ("classic", "quorum", "stream"):
    channel.queue_declare(kind, durable=True, arguments={"x-queue-type": kind})
    channel.queue_bind(kind, "dead")
channel.queue_declare("work", durable=True, arguments={"x-dead-letter-exchange": "dead"})
channel.basic_publish("", "work", b"late", pika.BasicProperties(delivery_mode=2, expiration="200"))
if not waited_for(lambda: ready(channel, "classic") == 1 and ready(channel, "quorum") == 1):
    print("not tried: the message did not die")
    raise SystemExit(2)


def told(properties):
    death = properties.headers["x-death"][0]
    return f"expiration {properties.expiration}, original-expiration {death.get('original-expiration')}"


for kind in ("classic", "quorum"):
    _, properties, _ = channel.basic_get(kind, auto_ack=True)
    expect(kind, told(properties), "expiration None, original-expiration 200")
channel.basic_qos(prefetch_count=1)
for method, properties, _ in channel.consume("stream", arguments={"x-stream-offset": "first"}, inactivity_timeout=10):
    if method is None:
        print("not tried: nothing came into the stream")
        raise SystemExit(2)
    expect("stream", told(properties), "expiration 200, original-expiration 200")
    break
PYTHON
