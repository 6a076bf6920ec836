#!/usr/bin/env bash
# RabbitMQ 4.3 does not import its own export of a virtual host with an internal
# exchange.
#
# version    RabbitMQ 4.3.6 (client: pika 1.4.4)
# behaviour  An internal exchange feeds a queue. The export of the virtual host
#            names the binding between the two and leaves the exchange out.
#            Importing it into an empty virtual host is refused (400,
#            resources_missing), with the queue already made and the binding not.
#            The exports of 3.10.8 and 4.0.5 hold the exchange.
# source     rabbit_definitions.erl lists exchanges without the internal ones, for
#            those are not meant to be used by clients, and bindings without
#            looking at their ends.
# seen       on RabbitMQ 4.3.6, 2026-11-29, three times of three:
#            exported exchanges: ['entry']
#            exported bindings: ['copies -> audit', 'entry -> copies']
#            import into an empty virtual host: (400, True)
#            queues there: ['audit']
#            exchanges there: ['entry']
#            bindings there: []
. "$(dirname "$0")/support/setup.sh"

broker 4.3
python_with pika==1.4.4
"$PYTHON" - <<'PYTHON'
from finding import VHOST, connect, expect, management

connection = connect()
channel = connection.channel()
channel.queue_declare("audit", durable=True)
channel.exchange_declare("entry", "topic", durable=True)
channel.exchange_declare("copies", "fanout", durable=True, internal=True)
channel.exchange_bind("copies", "entry", "#")
channel.queue_bind("audit", "copies")
connection.close()


def names(path):
    listed = management("GET", path)[1]
    return [thing["name"] for thing in listed if thing["name"] and not thing["name"].startswith("amq.")]


exported = management("GET", f"/definitions/{VHOST}")[1]
ends = sorted(f"{binding['source']} -> {binding['destination']}" for binding in exported["bindings"])
expect("exported exchanges", [exchange["name"] for exchange in exported["exchanges"]], ["entry"])
expect("exported bindings", ends, ["copies -> audit", "entry -> copies"])

empty = f"{VHOST}-empty"
management("PUT", f"/vhosts/{empty}", {})
try:
    status, reason = management("POST", f"/definitions/{empty}", exported)
    expect("import into an empty virtual host", (status, "resources_missing" in reason), (400, True))
    expect("queues there", names(f"/queues/{empty}"), ["audit"])
    expect("exchanges there", names(f"/exchanges/{empty}"), ["entry"])
    bindings = [binding for binding in management("GET", f"/bindings/{empty}")[1] if binding["source"]]
    expect("bindings there", bindings, [])
finally:
    management("DELETE", f"/vhosts/{empty}")
PYTHON
