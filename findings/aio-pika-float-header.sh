#!/usr/bin/env bash
# A time of day that aio-pika writes into a header arrives up to a minute off.
#
# version    aio-pika 10.2.1 on pamqp 4.0.1 (RabbitMQ 3.10.8, 4.0.5 and 4.3.6
#            alike)
# behaviour  headers={"sent_at": time.time()} is accepted, and every consumer
#            reads another time: today's seconds since 1970 come in steps of 128.
#            So does a headers binding, which then matches nothing that another
#            library publishes with the same number.
# source     pamqp, encode.py: a Python float, which has 64 bits, becomes the
#            field type "f" of 32 bits, though the module can also write "d".
# seen       on RabbitMQ 4.3.6, 2026-11-29, three times of three:
#            published: 1790000060.5
#            read by kombu: 1790000000.0
#            routed to aio-pika's binding for that time: [1790000000.0]
. "$(dirname "$0")/support/setup.sh"

broker 4.3 4.0 3.10
python_with aio-pika==10.2.1 aiormq==7.2.4 pamqp==4.0.1 kombu==5.7.0 amqp==5.4.2
"$PYTHON" - <<'PYTHON'
import asyncio
import os

import aio_pika
import kombu
from finding import expect

SENT_AT = 1_790_000_060.5


async def aio_pika_publishes_and_binds():
    connection = await aio_pika.connect(os.environ["AMQP_URL"])
    channel = await connection.channel()
    await channel.declare_queue("read")
    await channel.default_exchange.publish(aio_pika.Message(b"", headers={"sent_at": SENT_AT}), "read")
    exchange = await channel.declare_exchange("by-time", "headers")
    bound = await channel.declare_queue("bound")
    await bound.bind(exchange, arguments={"x-match": "all", "sent_at": SENT_AT})
    await connection.close()


asyncio.run(aio_pika_publishes_and_binds())
with kombu.Connection(os.environ["AMQP_URL"]) as connection:
    channel = connection.default_channel
    expect("published", SENT_AT, 1_790_000_060.5)
    expect("read by kombu", channel.basic_get("read", no_ack=True).headers["sent_at"], 1_790_000_000.0)
    connection.Producer().publish(b"", exchange="by-time", headers={"sent_at": SENT_AT})
    connection.Producer().publish(b"", exchange="by-time", headers={"sent_at": 1_790_000_000.0})
    got = [message.headers["sent_at"] for message in iter(lambda: channel.basic_get("bound", no_ack=True), None)]
    expect("routed to aio-pika's binding for that time", got, [1_790_000_000.0])
PYTHON
