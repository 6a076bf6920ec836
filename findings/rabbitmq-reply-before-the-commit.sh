#!/usr/bin/env bash
# Before 4.3 a direct reply leaves within an open transaction, and is not taken back by a rollback.
#
# version    RabbitMQ 3.10.8 and 4.0.5 beside 4.3.6 (client: pika 1.4.4)
# behaviour  A server answers a request by direct reply-to within a transaction, beside a publish to a
#            queue, and rolls back. The publish is gone, as it should be. On 3.10.8 and 4.0.5 the
#            caller has the reply, before the transaction ends and although it never
#            commits; on 4.3.6 a rolled-back reply does not come.
# source     rabbit_channel.erl: a publish to amq.rabbitmq.reply-to.KEY went straight to the
#            caller's channel, past the list of what waits for the commit; 4.3 made reply-to a kind of
#            queue, which the commit hands out with the others.
# seen       2026-11-30, replies before the end of the transaction, and after it:
#            on RabbitMQ 3.10.8 and 4.0.5: rolled back (1, 1), committed (1, 1)
#            on RabbitMQ 4.3.6: rolled back (0, 0), committed (0, 1)
. "$(dirname "$0")/support/setup.sh"

broker 4.0 3.10 4.3
python_with pika==1.4.4
"$PYTHON" - <<'PYTHON'
import os

import pika
from finding import connect, expect, ready

caller, server = connect(), connect()
asking, replies = caller.channel(), []
asking.queue_declare("requests", durable=True)
asking.queue_declare("log", durable=True)
asking.basic_consume("amq.rabbitmq.reply-to", lambda *delivery: replies.append(delivery[3]), auto_ack=True)


def answered(end):
    """Lets the server answer one request in a transaction; returns the replies before its end and after it."""
    replies.clear()
    asking.basic_publish("", "requests", "?", pika.BasicProperties(reply_to="amq.rabbitmq.reply-to"))
    caller.process_data_events(0.5)
    channel = server.channel()
    _, request, _ = channel.basic_get("requests", auto_ack=True)
    channel.tx_select()
    channel.basic_publish("", "log", "answered")
    channel.basic_publish("", request.reply_to, "!")
    server.process_data_events(0.2)
    caller.process_data_events(2)
    before = len(replies)
    end(channel)
    caller.process_data_events(2)
    return before, len(replies)


rolled_back = answered(lambda channel: channel.tx_rollback())
expect("rolled back: messages in the log", ready(asking, "log"), 0)
is_old = not os.environ["VERSION"].startswith("4.3.")
expect("rolled back: replies before the end, and after it", rolled_back, (1, 1) if is_old else (0, 0))
committed = answered(lambda channel: channel.tx_commit())
expect("committed: messages in the log", ready(asking, "log"), 1)
expect("committed: replies before the end, and after it", committed, (1, 1) if is_old else (0, 1))
caller.close()
server.close()
PYTHON
