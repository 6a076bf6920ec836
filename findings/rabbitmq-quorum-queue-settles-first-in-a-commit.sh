#!/usr/bin/env bash
# A commit publishes, then settles; a quorum queue that gets one of each from it settles first.
#
# version    RabbitMQ 3.10.8, 4.0.5 and 4.3.6 (client: pika 1.4.4)
# behaviour  A queue holds at most one message and dead-letters what it drops and what is rejected. A
#            client takes its message, another message comes, and the client publishes a third one and
#            rejects the first, in one transaction. The commit carries out publishes, then settlements, so
#            that a classic queue drops the second message, and then the first one is dead-lettered. In a
#            quorum queue the rejected one dies first. What counts on the order of a transaction, a
#            dead-letter queue that tells cause and effect by its order, say, sees it turned round.
# source     rabbit_channel.erl, tx.commit: deliver_to_queues for each message, then the acks. But
#            rabbit_fifo_client.erl, enqueue/5, sends a message with the priority `low` of
#            ra:pipeline_command/4, and settle/3 and discard/3 with `normal`, which the
#            leader takes first.
# seen       2026-12-01, on all three:
#            classic: pushed maxlen, rejected rejected
#            quorum: rejected rejected, pushed maxlen
. "$(dirname "$0")/support/setup.sh"

broker 4.3 4.0 3.10
python_with pika==1.4.4
"$PYTHON" - <<'PYTHON'
import pika
from finding import confirming, connect, expect, ready, waited_for

connection = connect()
channel = confirming(connection)
seen = {}
for kind in ("classic", "quorum"):
    channel.queue_declare(f"dead-{kind}", durable=True)
    limits = {"x-queue-type": kind, "x-max-length": 1, "x-dead-letter-exchange": "",
              "x-dead-letter-routing-key": f"dead-{kind}"}
    channel.queue_declare(kind, durable=True, arguments=limits)
    channel.basic_publish("", kind, b"rejected")
    commits = connection.channel()
    commits.tx_select()
    taken = None
    for _ in range(100):
        taken, _, _ = commits.basic_get(kind)
        if taken:
            break
        connection.sleep(0.1)
    if not taken:
        print("not tried: the message does not come")
        raise SystemExit(2)
    channel.basic_publish("", kind, b"pushed")
    if not waited_for(lambda: ready(channel, kind) == 1):
        print("not tried: the second message is not there")
        raise SystemExit(2)
    commits.basic_publish("", kind, b"new")
    commits.basic_reject(taken.delivery_tag, requeue=False)
    commits.tx_commit()
    if not waited_for(lambda: ready(channel, f"dead-{kind}") == 2):
        print("not tried: two messages do not die")
        raise SystemExit(2)
    told = []
    for _ in range(2):
        _, properties, body = channel.basic_get(f"dead-{kind}", auto_ack=True)
        told.append(f"{body.decode()} {properties.headers['x-death'][0]['reason']}")
    seen[kind] = ", ".join(told)
expect("classic", seen["classic"], "pushed maxlen, rejected rejected")
expect("quorum", seen["quorum"], "rejected rejected, pushed maxlen")
PYTHON
