"""What pika is told by a broker: the same lines on a served one and on a live one. RABBITMQ_URL names it."""

import os

import pika
from pika.exceptions import ChannelClosedByBroker, ConnectionClosedByBroker, NackError, UnroutableError

PARAMETERS = pika.URLParameters(os.environ["RABBITMQ_URL"])


def say(*words):
    print(*words, flush=True)


connection = pika.BlockingConnection(PARAMETERS)
channel = connection.channel()

say("== publish, confirm, return")
channel.confirm_delivery()
channel.queue_declare("work", durable=True, arguments={"x-max-length": 2, "x-overflow": "reject-publish"})
persistent = pika.BasicProperties(
    delivery_mode=2, content_type="application/json", headers={"n": 1, "text": "ä", "nested": {"list": [1, True, None]}}
)
channel.basic_publish("", "work", b"{}", persistent, mandatory=True)
try:
    channel.basic_publish("", "missing", b"lost", mandatory=True)
except UnroutableError as error:
    returned = error.messages[0]
    say("returned", returned.method.reply_code, returned.method.reply_text, returned.body)
channel.basic_publish("", "work", b"second")
try:
    channel.basic_publish("", "work", b"third")
except NackError:
    say("nacked: the queue is full")

say("== consume, settle, redeliver")
channel.basic_qos(prefetch_count=1)
for method, properties, body in channel.consume("work", inactivity_timeout=2):
    headers = dict(sorted((properties.headers or {}).items()))
    say(method.delivery_tag, method.redelivered, body, properties.content_type, headers)
    if method.delivery_tag == 1:
        channel.basic_nack(method.delivery_tag, requeue=True)
    else:
        channel.basic_ack(method.delivery_tag)
    if method.delivery_tag == 3:
        break
say("requeued", channel.cancel())
method, properties, body = channel.basic_get("work")
say("left", method)

say("== exchanges, bindings, dead letters")
channel.exchange_declare("topic", "topic", durable=True)
channel.queue_declare("dead", durable=True)
channel.queue_declare(
    "short",
    durable=True,
    arguments={"x-message-ttl": 50, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"},
)
channel.queue_bind("short", "topic", "a.*")
channel.basic_publish("topic", "a.b", b"late", mandatory=True)
for _ in range(100):
    method, properties, body = channel.basic_get("dead", auto_ack=True)
    if method:
        death = properties.headers["x-death"][0]
        say("died", death["reason"], death["count"], death["queue"], death["routing-keys"], body)
        break
    connection.sleep(0.05)

say("== a channel that is closed")
other = connection.channel()
try:
    other.queue_declare("work", durable=True)
except ChannelClosedByBroker as error:
    say(error.reply_code, error.reply_text)
other = connection.channel()
try:
    other.queue_declare("none", passive=True)
except ChannelClosedByBroker as error:
    say(error.reply_code, error.reply_text)

say("== a consumer that the broker cancels")
other = connection.channel()
other.queue_declare("gone", durable=True)
cancelled = []
other.add_on_cancel_callback(lambda frame: cancelled.append(frame.method))
other.basic_consume("gone", lambda *_: None, consumer_tag="c")
channel.queue_delete("gone")
for _ in range(50):
    connection.process_data_events(time_limit=0.1)
    if cancelled:
        break
say("cancelled", [method.consumer_tag for method in cancelled])

for queue in ("work", "dead", "short"):
    channel.queue_delete(queue)
channel.exchange_delete("topic")

say("== a connection that is closed")
third = pika.BlockingConnection(PARAMETERS)
try:
    third.channel().basic_publish("", "x", b"now", mandatory=False)
    third.channel().basic_qos(prefetch_size=10, prefetch_count=1)
except ConnectionClosedByBroker as error:
    say(error.reply_code, error.reply_text)
connection.close()
say("closed")
