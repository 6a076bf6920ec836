#!/usr/bin/env bash
# On RabbitMQ 4.3 a dead letter reaches the next quorum queue over its limit.
#
# version    RabbitMQ 4.3.6 (client: pika 1.4.4)
# behaviour  Two quorum queues with the default delivery limit of 20; the second
#            takes the dead letters of the first. A poisonous message dies after
#            21 deliveries and arrives with x-delivery-count 21. Whoever looks at
#            it there and puts it back, by reject, by nack, by the end of the
#            channel or by the management API's "get" with ack_requeue_true, loses
#            it. On 4.0.5 it arrives without a count, and stays.
# source     rabbit_fifo.erl writes its failure count onto the message that dies;
#            the queue that takes it starts to count there, and compares with its
#            own limit whenever a message comes back, also in the ways that add
#            nothing to the count.
# seen       on RabbitMQ 4.3.6, 2026-11-29, three times of three:
#            deliveries until it died: 21
#            dead letters: True
#            count on arrival: 21
#            left after it was put back by reject: 0
#            left after it was put back by nack: 0
#            left after it was put back by closing the channel: 0
#            left after it was put back by the management api: 0
. "$(dirname "$0")/support/setup.sh"

broker 4.3
python_with pika==1.4.4
"$PYTHON" - <<'PYTHON'
import time

from finding import VHOST, confirming, connect, expect, management, ready, waited_for

connection = connect()
channel = confirming(connection)


def dead_letter(number):
    """Returns the dead-letter queue in which a message waits that was delivered 21 times elsewhere."""
    work, dead = f"work-{number}", f"dead-{number}"
    letters = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": dead}
    channel.queue_declare(dead, durable=True, arguments={"x-queue-type": "quorum"})
    channel.queue_declare(work, durable=True, arguments={"x-queue-type": "quorum", **letters})
    channel.basic_publish("", work, "poison")
    deliveries = 0
    while deliveries < 30 and waited_for(lambda: ready(channel, work) == 1, seconds=2):
        method, _, _ = channel.basic_get(work)
        deliveries += 1
        channel.basic_reject(method.delivery_tag, requeue=True)
    expect("deliveries until it died", deliveries, 21)
    expect("dead letters", waited_for(lambda: ready(channel, dead) == 1), True)
    return dead


def look(queue):
    looking = connection.channel()
    method, properties, _ = looking.basic_get(queue)
    expect("count on arrival", properties.headers["x-delivery-count"], 21)
    return looking, method.delivery_tag


def by_reject(queue):
    looking, tag = look(queue)
    looking.basic_reject(tag, requeue=True)


def by_nack(queue):
    looking, tag = look(queue)
    looking.basic_nack(tag, requeue=True)


def by_closing_the_channel(queue):
    looking, _ = look(queue)
    looking.close()


def by_the_management_api(queue):
    body = {"count": 1, "ackmode": "ack_requeue_true", "encoding": "auto"}
    got = management("POST", f"/queues/{VHOST}/{queue}/get", body)[1]
    expect("count on arrival", got[0]["properties"]["headers"]["x-delivery-count"], 21)


for number, put_back in enumerate((by_reject, by_nack, by_closing_the_channel, by_the_management_api)):
    queue = dead_letter(number)
    put_back(queue)
    time.sleep(1)
    expect(f"left after it was put back {put_back.__name__.replace('_', ' ')}", ready(channel, queue), 0)
connection.close()
PYTHON
