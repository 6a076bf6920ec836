"""What aio-pika is told by a broker: the same lines on a served one and on a live one. RABBITMQ_URL names it."""

import asyncio
import logging
import os

import aio_pika
from aio_pika import DeliveryMode, ExchangeType, Message
from aio_pika.exceptions import AMQPException, DeliveryError

URL = os.environ["RABBITMQ_URL"]
logging.disable(logging.CRITICAL)


def say(*words):
    print(*words, flush=True)


async def refused(act):
    try:
        await act
        say("not refused")
    except (AMQPException, ConnectionError, RuntimeError) as error:
        say(type(error).__name__, *(text for text in error.args if " object at 0x" not in str(text)))


async def main():
    connection = await aio_pika.connect(URL)
    channel = await connection.channel(on_return_raises=True)

    say("== publish, confirm, return")
    arguments = {"x-max-length": 2, "x-overflow": "reject-publish", "x-queue-type": "quorum"}
    work = await channel.declare_queue("work", durable=True, arguments=arguments)
    headers = {"n": 1, "text": "ä", "nested": {"list": [1, True, None]}}
    message = Message(b"{}", headers=headers, content_type="application/json", delivery_mode=DeliveryMode.PERSISTENT)
    say(type(await channel.default_exchange.publish(message, routing_key="work")).__name__)
    try:
        await channel.default_exchange.publish(Message(b"lost"), routing_key="missing")
    except DeliveryError as error:
        say(type(error).__name__, error.frame.name)

    say("== consume, settle, redeliver")
    await channel.set_qos(prefetch_count=1)
    async with work.iterator() as messages:
        async for message in messages:
            # Later versions add headers of their own to what comes again.
            shown = {name: message.headers[name] for name in headers}
            say(message.redelivered, message.body, message.content_type, shown)
            if not message.redelivered:
                await message.nack(requeue=True)
            else:
                await message.ack()
                break
    say("left", await work.get(fail=False))

    say("== a topic exchange, a rpc over reply-to")
    topic = await channel.declare_exchange("topic", ExchangeType.TOPIC, durable=True)
    await work.bind(topic, "a.#")
    await topic.publish(Message(b"by topic", correlation_id="c1", reply_to="here"), routing_key="a.b.c")
    got = await work.get()
    say(got.routing_key, got.body, got.correlation_id, got.reply_to)
    await got.reject()
    await work.unbind(topic, "a.#")

    say("== a transaction of settlements: process")
    await channel.default_exchange.publish(Message(b"bad"), routing_key="work")
    try:
        async with (await work.get()).process(requeue=False):
            raise ValueError("bad")
    except ValueError as error:
        say("raised", error)

    say("== a channel that is closed")
    await refused((await connection.channel()).declare_queue("work", durable=True))
    await refused((await connection.channel()).declare_queue("none", passive=True))
    await refused((await connection.channel()).declare_exchange("topic", "fanout", durable=True))

    say("== what is left")
    say((await channel.declare_queue("work", passive=True)).declaration_result.message_count)
    # With if-unused, which is the default, RabbitMQ refuses to delete a quorum queue, and closes the connection.
    await work.delete(if_unused=False, if_empty=False)
    await topic.delete()
    await connection.close()

    say("== who may not in")
    await refused(aio_pika.connect(URL.replace("guest:guest", "guest:wrong")))
    await refused(aio_pika.connect(URL[: URL.rindex("/")] + "/missing"))

    say("== a robust connection")
    robust = await aio_pika.connect_robust(URL)
    channel = await robust.channel()
    queue = await channel.declare_queue("robust", durable=True)
    heard = asyncio.get_running_loop().create_future()
    await queue.consume(lambda message: heard.set_result(message.body), no_ack=True)
    await channel.default_exchange.publish(Message(b"heard"), routing_key="robust")
    say(await asyncio.wait_for(heard, 10))
    await queue.delete(if_unused=False)
    await robust.close()
    say("closed")


asyncio.run(main())
