#!/usr/bin/env bash
# On RabbitMQ 4.3 a second PUT of a virtual host makes its queues classic again.
#
# version    RabbitMQ 4.3.6 (client: pika 1.4.4)
# behaviour  A virtual host whose default queue type is quorum is put once more by
#            something that only wants it to be there, or to have a description,
#            with no word on the type. The answer is 204, and the type is classic
#            from then on: a queue declared before is refused (406) to the client
#            that declared it, a new one is made classic. 4.0.5 keeps the type.
# source     rabbit_mgmt_wm_vhost.erl hands on "undefined" for a key that the body
#            lacks; rabbit_vhost.erl makes whole new metadata of what it got, in
#            which vhost.erl fills an undefined type with the default, and merges
#            them over the stored ones.
# seen       on RabbitMQ 4.3.6, 2026-11-29, three times of three:
#            PUT with the type: 204
#            default type: quorum
#            type of a queue declared now: quorum
#            PUT with a description: 204
#            default type: classic
#            type of a queue declared now: classic
#            the first queue declared once more: 406
. "$(dirname "$0")/support/setup.sh"

broker 4.3
python_with pika==1.4.4
"$PYTHON" - <<'PYTHON'
import pika
from finding import VHOST, connect, expect, management


def default_type():
    return management("GET", f"/vhosts/{VHOST}")[1]["default_queue_type"]


def type_of(queue):
    return management("GET", f"/queues/{VHOST}/{queue}")[1]["type"]


connection = connect()
expect("PUT with the type", management("PUT", f"/vhosts/{VHOST}", {"default_queue_type": "quorum"})[0], 204)
expect("default type", default_type(), "quorum")
connection.channel().queue_declare("before", durable=True)
expect("type of a queue declared now", type_of("before"), "quorum")

expect("PUT with a description", management("PUT", f"/vhosts/{VHOST}", {"description": "shop"})[0], 204)
expect("default type", default_type(), "classic")
connection.channel().queue_declare("after", durable=True)
expect("type of a queue declared now", type_of("after"), "classic")
try:
    connection.channel().queue_declare("before", durable=True)
    code = 0
except pika.exceptions.ChannelClosedByBroker as closed:
    code = closed.reply_code
expect("the first queue declared once more", code, 406)
connection.close()
PYTHON
