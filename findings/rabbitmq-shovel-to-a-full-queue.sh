#!/usr/bin/env bash
# A shovel into a full queue uses up the messages of a quorum queue on 4.0, and counts each refusal as a transfer on 4.3.
#
# version    RabbitMQ 4.0.5 and 4.3.6 with their plugin rabbitmq_shovel (client: pika 1.4.4)
# behaviour  Five messages in a quorum queue, a shovel in its default mode (on-confirm) that
#            moves them to a queue with max-length 1 and overflow reject-publish. The target
#            takes the first and refuses the rest, and the shovel returns and takes them again
#            at once, without a pause. On 4.0.5 each return counts towards the delivery limit
#            that quorum queues have without being asked, so within a second the other four
#            are dead letters; a queue without a dead-letter exchange drops them. On 4.3.6 a
#            return does not count: nothing is lost, the shovel goes round hundreds to thousands
#            of times a second, and its status counts every refusal among the messages "forwarded".
# source     rabbit_amqp091_shovel.erl answers a basic.nack of the target by a basic.nack of the
#            delivery with requeue, and counts both answers of the target alike;
#            rabbit_fifo.erl counts what is returned (4.0: as a delivery, 4.3: as acquired only).
# seen       2026-11-30, each time of three:
#            on RabbitMQ 4.3.6: in the target: ['m1']; dead: [];
#              left in the source: ['m2', 'm3', 'm4', 'm5'];
#              forwarded, by the status of the shovel: [965] (others: [2303], [4351])
#            on RabbitMQ 4.0.5: in the target: ['m1'];
#              dead by: ['delivery_limit', 'delivery_limit', 'delivery_limit', 'delivery_limit'];
#              left in the source: []
# shellcheck disable=SC2034 # read by support/setup.sh
PLUGINS=rabbitmq_shovel,rabbitmq_shovel_management
. "$(dirname "$0")/support/setup.sh"

broker 4.3 4.0
python_with pika==1.4.4
"$PYTHON" - <<'PYTHON'
import os
import time

from finding import VHOST, confirming, connect, expect, management, ready, take_all, waited_for

connection = connect()
channel = confirming(connection)
channel.queue_declare("dead", durable=True)
letters = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"}
channel.queue_declare("source", durable=True, arguments={"x-queue-type": "quorum", **letters})
channel.queue_declare("target", durable=True, arguments={"x-max-length": 1, "x-overflow": "reject-publish"})
for number in range(1, 6):
    channel.basic_publish("", "source", f"m{number}")

# "amqp://" is the broker itself.
inside = f"amqp:///{VHOST}"
shovel = {
    "src-protocol": "amqp091", "src-uri": inside, "src-queue": "source",
    "dest-protocol": "amqp091", "dest-uri": inside, "dest-queue": "target",
}
status, answer = management("PUT", f"/parameters/shovel/{VHOST}/to-target", {"value": shovel})
if status not in (201, 204):
    print(f"not tried: the broker takes no shovel ({status} {answer})")
    raise SystemExit(2)
if not waited_for(lambda: ready(channel, "target") == 1):
    print("not tried: the shovel moved nothing")
    raise SystemExit(2)
time.sleep(3)
forwarded = [told.get("forwarded") for told in management("GET", f"/shovels/{VHOST}")[1]]
management("DELETE", f"/parameters/shovel/{VHOST}/to-target")
waited_for(lambda: ready(channel, "source") + ready(channel, "dead") == 4)

dead = take_all(channel, "dead")
left = take_all(channel, "source")
expect("in the target", [text for text, _ in take_all(channel, "target")], ["m1"])
if os.environ["VERSION"].startswith("4.0."):
    reasons = [properties.headers["x-death"][0]["reason"] for _, properties in dead]
    expect("dead by", reasons, ["delivery_limit"] * 4)
    expect("left in the source", [text for text, _ in left], [])
else:
    expect("dead", [text for text, _ in dead], [])
    expect("left in the source", sorted(text for text, _ in left), ["m2", "m3", "m4", "m5"])
    print(f"forwarded, by the status of the shovel: {forwarded}")
    expect("more than 100 are said to be forwarded", forwarded[0] > 100, True)
connection.close()
PYTHON
