#!/usr/bin/env bash
# aio-pika's plain delete() of a queue costs the whole connection where the queue is a quorum queue.
#
# version    aio-pika 10.2.1 on aiormq 7.2.4 (RabbitMQ 3.10.8, 4.0.5 and 4.3.6 alike)
# behaviour  queue.delete() without an argument deletes an empty classic queue that nobody
#            consumes. The same call for a quorum queue, empty and unused too, is answered by
#            540 NOT_IMPLEMENTED, which ends the connection with every channel on it; the queue
#            stays. delete(if_unused=False, if_empty=False) deletes it. A team that moves its
#            queues to quorum, or to a virtual host with that default type, meets it in its
#            tests' cleanup.
# source     aio_pika, queue.py: if_unused and if_empty of delete() are true unless said
#            otherwise (AMQP's own default is false). rabbit_quorum_queue.erl refuses a
#            delete with either of the two.
# seen       on RabbitMQ 3.10.8, 4.0.5 and 4.3.6, 2026-11-30, once each:
#            (told, the connection goes on, the queue is there)
#            classic: ('deleted', True, False)
#            quorum: ('NOT_IMPLEMENTED', False, True)
#            quorum, both conditions off: ('deleted', True, False)
. "$(dirname "$0")/support/setup.sh"

broker 4.3 4.0 3.10
python_with aio-pika==10.2.1 aiormq==7.2.4 pamqp==4.0.1
"$PYTHON" - <<'PYTHON'
import asyncio
import os

import aio_pika
from finding import expect, management


async def delete(kind, **conditions):
    """Returns what became of the queue, and whether another channel of the connection goes on."""
    connection = await aio_pika.connect(os.environ["AMQP_URL"])
    channel, beside = await connection.channel(), await connection.channel()
    queue = await channel.declare_queue(f"q-{kind}", durable=True, arguments={"x-queue-type": kind})
    try:
        await queue.delete(**conditions)
        told = "deleted"
    except Exception as refused:
        told = str(refused).split(" ")[0]
    try:
        await beside.declare_queue(f"q-{kind}", passive=True)
        goes_on, there = True, True
    except aio_pika.exceptions.ChannelNotFoundEntity:
        goes_on, there = True, False
    except Exception:
        goes_on = False
        there = management("GET", f"/queues/{os.environ['VHOST']}/q-{kind}?disable_stats=true&enable_queue_totals=true")[0] == 200
    if not connection.is_closed:
        await connection.close()
    return told, goes_on, there


async def main():
    for label, kind, conditions, known in (
        ("classic", "classic", {}, ("deleted", True, False)),
        ("quorum", "quorum", {}, ("NOT_IMPLEMENTED", False, True)),
        ("quorum, both conditions off", "quorum", {"if_unused": False, "if_empty": False}, ("deleted", True, False)),
    ):
        told, goes_on, there = await delete(kind, **conditions)
        expect(f"{label}: told, the connection goes on, the queue is there", (told, goes_on, there), known)


asyncio.run(main())
PYTHON
