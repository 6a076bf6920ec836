#!/usr/bin/env bash
# The firehose says that a message was routed to a queue that does not exist, and tells of publishes that never happened.
#
# version    RabbitMQ 3.10.8, 4.0.5 and 4.3.6 (client: pika 1.4.4)
# behaviour  In a traced virtual host a mandatory publish to the default exchange
#            with a key that is no queue comes back as unroutable (312), and the
#            trace of it says routed_queues ['nowhere']. By another exchange the
#            same is told as []. A publish in a transaction is traced when it is
#            sent: rolled back, it was never published, and the trace tells it
#            with the queue that it was routed to.
# source     rabbit_channel.erl calls rabbit_trace:tap_in with the names that the
#            exchange routed to, before it looks which queues are there, and
#            before a transaction keeps the message for its commit;
#            rabbit_exchange.erl takes the routing key for the name of the queue
#            where the exchange is the default one.
# seen       on RabbitMQ 3.10.8, 4.0.5 and 4.3.6, 2026-12-01, three times of three:
#            default exchange: returned 312, traced to ['nowhere']
#            amq.direct: returned 312, traced to []
#            rolled back: 0 in the queue, traced to ['work']
. "$(dirname "$0")/support/setup.sh"

broker 4.3 4.0 3.10
python_with pika==1.4.4
"$PYTHON" - <<'PYTHON'
import pika
from finding import VHOST, confirming, connect, expect, management, ready, waited_for

status, _ = management("PUT", f"/vhosts/{VHOST}", {"tracing": True})
expect("tracing on", status in (201, 204), True)
connection = connect()
reader = connection.channel()
reader.queue_declare("traces", durable=True)
reader.queue_bind("traces", "amq.rabbitmq.trace", "publish.#")
reader.queue_declare("work", durable=True)
channel = confirming(connection)


def traced():
    """Returns to which queues the next trace says that its message was routed."""
    waited_for(lambda: ready(reader, "traces") > 0)
    _, properties, _ = reader.basic_get("traces", auto_ack=True)
    return properties.headers["routed_queues"]


def returned(exchange):
    try:
        channel.basic_publish(exchange, "nowhere", "1", mandatory=True)
        return "routed"
    except pika.exceptions.UnroutableError as error:
        return f"returned {error.messages[0].method.reply_code}"


expect("default exchange", f"{returned('')}, traced to {traced()}", "returned 312, traced to ['nowhere']")
expect("amq.direct", f"{returned('amq.direct')}, traced to {traced()}", "returned 312, traced to []")
unit = connection.channel()
unit.tx_select()
unit.basic_publish("", "work", "2")
unit.tx_rollback()
expect("rolled back", f"{ready(reader, 'work')} in the queue, traced to {traced()}", "0 in the queue, traced to ['work']")
connection.close()
PYTHON
