#!/usr/bin/env bash
# aio-pika blames the wrong publish when two under way have one message_id.
#
# version    aio-pika 10.2.1 on aiormq 7.2.4 (RabbitMQ 3.10.8, 4.0.5 and 4.3.6
#            alike)
# behaviour  An event is published under two keys at once, with its id as
#            message_id both times. One key is bound, the other is not. The
#            publish that reached a queue raises PublishError; the one that
#            reached none returns a plain ack, though it was mandatory.
# source     aiormq, channel.py: a basic.return is looked up in a dictionary from
#            message_id to delivery tag, in which the later publish has taken
#            the place of the earlier one.
# seen       on RabbitMQ 4.3.6, 2026-11-29, three times of three:
#            two ids: the publish that nothing is bound to: raised PublishError
#            two ids: the publish that reached its queue: told ack
#            one id: the publish that nothing is bound to: told ack
#            one id: the publish that reached its queue: raised PublishError
#            messages in the queue: 2
. "$(dirname "$0")/support/setup.sh"

broker 4.3 4.0 3.10
python_with aio-pika==10.2.1 aiormq==7.2.4 pamqp==4.0.1
"$PYTHON" - <<'PYTHON'
import asyncio
import os

import aio_pika
from finding import expect


async def publish(exchange, key, identity):
    message = aio_pika.Message(b"event", message_id=identity)
    try:
        return f"told {type(await exchange.publish(message, key, mandatory=True)).__name__.lower()}"
    except aio_pika.exceptions.PublishError:
        return "raised PublishError"


async def main():
    connection = await aio_pika.connect(os.environ["AMQP_URL"])
    channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
    queue = await channel.declare_queue("here")
    exchange = channel.default_exchange
    nowhere, here = await asyncio.gather(publish(exchange, "nowhere", "a"), publish(exchange, "here", "b"))
    expect("two ids: the publish that nothing is bound to", nowhere, "raised PublishError")
    expect("two ids: the publish that reached its queue", here, "told ack")
    nowhere, here = await asyncio.gather(publish(exchange, "nowhere", "a"), publish(exchange, "here", "a"))
    expect("one id: the publish that nothing is bound to", nowhere, "told ack")
    expect("one id: the publish that reached its queue", here, "raised PublishError")
    declared = await channel.declare_queue("here", passive=True)
    expect("messages in the queue", declared.declaration_result.message_count, 2)
    await connection.close()


asyncio.run(main())
PYTHON
