#!/usr/bin/env bash
# A policy that makes a full queue refuse publishes first drops what it holds.
#
# version    RabbitMQ 3.10.8, 4.0.5 and 4.3.6, classic queue (client: pika 1.4.4)
# behaviour  A queue holds six messages. One policy gives it max-length 2 together
#            with overflow reject-publish, under which nothing that is stored is
#            ever dropped: four messages go. The same two settings by two updates
#            of the policy, overflow first, keep all six, and so do both at once on
#            a quorum queue.
# source     rabbit_amqqueue_process.erl puts the keys of a policy into effect one
#            after the other in a fixed order, max-length before overflow, and each
#            length limit trims at once by the overflow of that moment: drop-head.
# seen       on RabbitMQ 4.3.6, 2026-11-29, three times of three:
#            at-once: of six messages are left: 2
#            in-two-steps: of six messages are left: 6
#            quorum: of six messages are left: 6
. "$(dirname "$0")/support/setup.sh"

broker 4.3 4.0 3.10
python_with pika==1.4.4
"$PYTHON" - <<'PYTHON'
import time

from finding import VHOST, confirming, connect, expect, management, ready

REFUSING = {"overflow": "reject-publish"}
BOTH = {"max-length": 2, "overflow": "reject-publish"}

connection = connect()
channel = confirming(connection)
for queue, type_, policies, left in (
    ("at-once", "classic", [BOTH], 2),
    ("in-two-steps", "classic", [REFUSING, BOTH], 6),
    ("quorum", "quorum", [BOTH], 6),
):
    channel.queue_declare(queue, durable=True, arguments={"x-queue-type": type_})
    for number in range(6):
        channel.basic_publish("", queue, str(number))
    for definition in policies:
        body = {"pattern": f"^{queue}$", "definition": definition, "apply-to": "queues"}
        management("PUT", f"/policies/{VHOST}/{queue}", body)
        time.sleep(1)
    expect(f"{queue}: of six messages are left", ready(channel, queue), left)
connection.close()
PYTHON
