#!/usr/bin/env bash
# The same letter takes a hundred times the bytes of a quorum queue, once a client has put it back.
#
# version    RabbitMQ 4.3.6 (client: pika 1.4.4)
# behaviour  A body of one byte dies in a queue and comes to a quorum queue with
#            max-length-bytes 100: it counts three bytes, and stays, with x-death
#            and its companions for everybody to see. A client takes it, and
#            publishes what it got (body, headers) to the first queue again. It
#            dies there as before, and now the quorum queue drops it: it counts
#            323 bytes. With a limit of 1000 the management API
#            tells both counts.
# source     Since 4.3 rabbit_fifo.erl measures a message by mc:size, properties
#            included (mc_amqpl.erl: the property section as it was published).
#            Deaths that the broker records are annotations beside it, which are
#            not measured; those that a client sends along are headers like any
#            other, which stay in the section.
# seen       on RabbitMQ 4.3.6, 2026-12-01, three times of three:
#            limit 100: ready after the death: 1
#            limit 100: ready after it was put back and died again: 0
#            limit 1000: ready after the death: 1
#            limit 1000: ready after it was put back and died again: 1
#            limit 1000: bytes as the broker made it, and as the client put it back: (3, 323)
. "$(dirname "$0")/support/setup.sh"

broker 4.3
python_with pika==1.4.4
"$PYTHON" - <<'PYTHON'
from finding import VHOST, confirming, connect, expect, management, ready, waited_for

connection = connect()
channel = confirming(connection)


def stored_bytes(queue):
    return management("GET", f"/queues/{VHOST}/{queue}")[1].get("message_bytes")


def bytes_once_counted(queue):
    """Returns the bytes that the management API comes to tell, some seconds after the message came."""
    waited_for(lambda: stored_bytes(queue), 20)
    return stored_bytes(queue)


for limit in (100, 1000):
    work, letters = f"work-{limit}", f"letters-{limit}"
    channel.queue_declare(letters, durable=True, arguments={"x-queue-type": "quorum", "x-max-length-bytes": limit})
    dead = {"x-max-length": 0, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": letters}
    channel.queue_declare(work, durable=True, arguments=dead)
    channel.basic_publish("", work, "1")
    expect(f"limit {limit}: ready after the death", waited_for(lambda: ready(channel, letters) == 1) and 1, 1)
    once = bytes_once_counted(letters) if limit == 1000 else None
    _, properties, body = channel.basic_get(letters, auto_ack=True)
    waited_for(lambda: not stored_bytes(letters), 20)
    channel.basic_publish("", work, body, properties)
    stays = waited_for(lambda: ready(channel, letters) == 1, 5)
    expect(f"limit {limit}: ready after it was put back and died again", int(stays), int(limit == 1000))
    if once is not None:
        told = f"limit {limit}: bytes as the broker made it, and as the client put it back"
        expect(told, (once, bytes_once_counted(letters)), (3, 323))
connection.close()
PYTHON
