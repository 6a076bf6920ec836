"""What the findings in Python share: the management API, a few words on messages, and the comparison with what was seen."""

import base64
import json
import os
import time
import urllib.error
import urllib.request

VHOST = os.environ["VHOST"]


def management(method, path, body=None):
    """Returns the status and the decoded answer."""
    request = urllib.request.Request(
        f"{os.environ['MANAGEMENT_URL']}/api{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "content-type": "application/json",
            "authorization": "Basic " + base64.b64encode(os.environ["LOGIN"].encode()).decode(),
        },
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=20) as answer:
            text = answer.read()
            return answer.status, json.loads(text) if text else None
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def expect(what, seen, known):
    """Prints what was seen; ends with CHANGED when it is not what is known."""
    print(f"{what}: {seen}", flush=True)
    if seen != known:
        raise SystemExit(f"CHANGED: {what}: {seen}, was {known}")


def connect():
    """Returns a pika connection."""
    import pika

    return pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URL"]))


def confirming(connection):
    """Returns a channel on which each publish waits for its confirm."""
    channel = connection.channel()
    channel.confirm_delivery()
    return channel


def ready(channel, queue):
    """Returns how many messages of a queue are ready."""
    return channel.queue_declare(queue, passive=True).method.message_count


def waited_for(condition, seconds=10):
    """Returns whether a condition came to hold in that time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.05)
    return False


def take_all(channel, queue):
    """Takes all messages that are ready, and returns them as (text, properties)."""
    taken = []
    while True:
        method, properties, body = channel.basic_get(queue, auto_ack=True)
        if method is None:
            return taken
        taken.append((body.decode(), properties))
