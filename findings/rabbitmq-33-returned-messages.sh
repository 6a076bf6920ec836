#!/usr/bin/env bash
# RabbitMQ 3.10 keeps the order of 32 returned messages, and loses that of 33.
#
# version    RabbitMQ 3.10.8, quorum queue with a delivery limit (client: pika
#            1.4.4)
# behaviour  A consumer holds n messages and returns all by one basic.nack with
#            multiple and requeue. Up to 32 come back in their order; from 33 on
#            in none that one could foretell. 4.0.5 and 4.3.6 keep it always.
# source     rabbit_fifo.erl keeps what a consumer holds in an Erlang map and
#            folds over it when it returns. Erlang walks a map of up to 32 keys
#            in the order of its keys, a larger one by their hashes. A limit
#            matters because such messages go to the front, one by one.
# seen       on RabbitMQ 3.10.8, 2026-11-29, three times of three:
#            32 held: 32
#            0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28
#              29 30 31
#            32 back: 32
#            32 in order: True
#            33 held: 33
#            16 18 5 19 27 10 24 4 21 22 17 3 8 1 7 2 14 15 20 13 0 6 28 25 32 9 11 31 26
#              30 29 23 12
#            33 back: 33
#            33 in order: False
. "$(dirname "$0")/support/setup.sh"

broker 3.10
python_with pika==1.4.4
"$PYTHON" - <<'PYTHON'
from finding import confirming, connect, expect, ready, take_all, waited_for

connection = connect()
publisher = confirming(connection)
for count, ordered in ((32, True), (33, False)):
    queue = f"q{count}"
    publisher.queue_declare(queue, durable=True, arguments={"x-queue-type": "quorum", "x-delivery-limit": 10})
    for number in range(count):
        publisher.basic_publish("", queue, str(number))
    channel = connection.channel()
    held = []
    tag = channel.basic_consume(queue, lambda _channel, method, _properties, _body: held.append(method.delivery_tag))
    for _ in range(100):
        if len(held) == count:
            break
        connection.process_data_events(0.1)
    expect(f"{count} held", len(held), count)
    # Cancelled first, so that what comes back stays in the queue.
    channel.basic_cancel(tag)
    channel.basic_nack(held[-1], multiple=True, requeue=True)
    waited_for(lambda: ready(publisher, queue) == count)
    back = [int(text) for text, _ in take_all(publisher, queue)]
    print(" ".join(map(str, back)))
    expect(f"{count} back", len(set(back)), count)
    expect(f"{count} in order", back == sorted(back), ordered)
connection.close()
PYTHON
