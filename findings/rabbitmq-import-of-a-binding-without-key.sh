#!/usr/bin/env bash
# RabbitMQ imports a binding without a routing key as one that no key matches.
#
# version    RabbitMQ 3.10.8, 4.0.5 and 4.3.6 (client: pika 1.4.4)
# behaviour  Definitions with a binding that lacks routing_key are imported with
#            204. The binding is listed with the key "undefined", but a direct
#            exchange routes neither that key nor the empty one by it. The export
#            of 3.10.8 and 4.3.6 holds the text "undefined"; importing that adds a
#            second binding, which does route by this key.
# source     rabbit_definitions.erl stores the Erlang atom undefined where the key
#            is missing; a message's key is a text, and never equal. The listing
#            and the export turn the atom into a text (4.0.5 leaves it out of the
#            export).
# seen       on RabbitMQ 4.3.6, 2026-11-29, three times of three:
#            import: 204
#            keys as listed: ['undefined']
#            publish with the empty key: unroutable
#            publish with the key 'undefined': unroutable
#            key as exported: ['undefined']
#            import of the export: 204
#            keys as listed: ['undefined', 'undefined']
#            publish with the key 'undefined': routed
. "$(dirname "$0")/support/setup.sh"

broker 4.3 3.10
python_with pika==1.4.4
"$PYTHON" - <<'PYTHON'
import pika
from finding import VHOST, confirming, connect, expect, management

definitions = {
    "queues": [{"name": "orders", "durable": True, "auto_delete": False, "arguments": {}}],
    "exchanges": [{"name": "shop", "type": "direct", "durable": True, "auto_delete": False, "arguments": {}}],
    "bindings": [{"source": "shop", "destination": "orders", "destination_type": "queue", "arguments": {}}],
}
connection = connect()
channel = confirming(connection)


def answer(key):
    try:
        channel.basic_publish("shop", key, b"", mandatory=True)
        return "routed"
    except pika.exceptions.UnroutableError:
        return "unroutable"


def listed_keys():
    listed = management("GET", f"/exchanges/{VHOST}/shop/bindings/source")[1]
    return [binding["routing_key"] for binding in listed]


expect("import", management("POST", f"/definitions/{VHOST}", definitions)[0], 204)
expect("keys as listed", listed_keys(), ["undefined"])
expect("publish with the empty key", answer(""), "unroutable")
expect("publish with the key 'undefined'", answer("undefined"), "unroutable")

exported = management("GET", f"/definitions/{VHOST}")[1]
expect("key as exported", [binding.get("routing_key") for binding in exported["bindings"]], ["undefined"])
expect("import of the export", management("POST", f"/definitions/{VHOST}", exported)[0], 204)
expect("keys as listed", listed_keys(), ["undefined", "undefined"])
expect("publish with the key 'undefined'", answer("undefined"), "routed")
connection.close()
PYTHON
