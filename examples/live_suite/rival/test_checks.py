"""The checks of ../checks, written by hand: what a team would write today with pytest and pika.

`pytest test_checks.py` plays one after another; `pytest -n 30 test_checks.py` (pytest-xdist) thirty at once.
The broker is that of RABBITMQ_URL.
"""

import os
import threading
import time
import uuid

import pika
import pytest

TYPES = ["classic", "quorum"]
LIMIT_S = 15


class Broker:
    """A connection, a confirming channel, and queues with names of their own that are deleted afterwards."""

    def __init__(self):
        self.connection = pika.BlockingConnection(pika.URLParameters(os.environ["RABBITMQ_URL"]))
        self.channel = self.connection.channel()
        self.channel.confirm_delivery()
        self.run = uuid.uuid4().hex[:8]
        self.queues = []

    def name(self, name):
        return f"{self.run}.{name}"

    def queue(self, name, kind, **arguments):
        arguments = {key.replace("_", "-"): value for key, value in arguments.items()}
        self.channel.queue_declare(self.name(name), durable=True, arguments={"x-queue-type": kind, **arguments})
        self.queues.append(name)

    def publish(self, queue, message_id, expiration=None):
        properties = pika.BasicProperties(delivery_mode=2, message_id=message_id, expiration=expiration)
        self.channel.basic_publish("", self.name(queue), b"x", properties)

    def ready(self, queue):
        return self.channel.queue_declare(self.name(queue), passive=True).method.message_count

    def wait_for(self, queue, count):
        end = time.monotonic() + LIMIT_S
        while self.ready(queue) != count:
            assert time.monotonic() < end, f"{queue}: {self.ready(queue)} messages, not {count}"
            self.connection.sleep(0.05)

    def take(self, queue, count):
        messages = []
        while len(messages) < count:
            method, properties, _ = self.channel.basic_get(self.name(queue), auto_ack=True)
            if method is None:
                time.sleep(0.02)
                continue
            messages.append(properties)
        return messages

    def close(self):
        for name in self.queues:
            self.channel.queue_delete(self.name(name))
        self.connection.close()


@pytest.fixture
def broker():
    broker = Broker()
    yield broker
    broker.close()


def deaths(broker, properties):
    found = {}
    for death in properties.headers["x-death"]:
        found[death["queue"].removeprefix(broker.run + "."), death["reason"]] = death["count"]
    return found


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("ttl_ms", [2000, 4000, 6000, 8000, 10000])
def test_ttl(broker, kind, ttl_ms):
    dead = {"x_dead_letter_exchange": "", "x_dead_letter_routing_key": broker.name("dead")}
    broker.queue("wait", kind, x_message_ttl=ttl_ms, **dead)
    broker.queue("dead", kind)
    for n in range(1, 11):
        broker.publish("wait", f"order.{n}")
    broker.wait_for("wait", 10)
    broker.wait_for("dead", 10)
    assert broker.ready("wait") == 0
    messages = broker.take("dead", 10)
    assert {message.message_id for message in messages} == {f"order.{n}" for n in range(1, 11)}
    assert all(deaths(broker, message) == {("wait", "expired"): 1} for message in messages)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("own_ms", [1000, 3000, 5000, 7000, 9000])
def test_own(broker, kind, own_ms):
    dead = {"x_dead_letter_exchange": "", "x_dead_letter_routing_key": broker.name("dead")}
    broker.queue("wait", kind, x_message_ttl=30000, **dead)
    broker.queue("dead", kind)
    broker.publish("wait", "early", expiration=str(own_ms))
    broker.publish("wait", "late")
    broker.wait_for("dead", 1)
    assert [message.message_id for message in broker.take("wait", 1)] == ["late"]
    (early,) = broker.take("dead", 1)
    assert early.message_id == "early"
    assert deaths(broker, early) == {("wait", "expired"): 1}


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("delay_ms", [1000, 2000, 3000, 4000, 5000])
def test_retry(broker, kind, delay_ms):
    back = {"x_dead_letter_exchange": "", "x_dead_letter_routing_key": broker.name("work")}
    away = {"x_dead_letter_exchange": "", "x_dead_letter_routing_key": broker.name("wait")}
    broker.queue("work", kind, **away)
    broker.queue("wait", kind, x_message_ttl=delay_ms, **back)
    broker.queue("parked", kind)
    moments = []

    def work():
        connection = pika.BlockingConnection(pika.URLParameters(os.environ["RABBITMQ_URL"]))
        channel = connection.channel()
        channel.basic_qos(prefetch_count=1)
        for method, properties, body in channel.consume(broker.name("work"), inactivity_timeout=LIMIT_S):
            assert method is not None, "nothing came"
            moments.append(time.monotonic())
            rejected = deaths(broker, properties).get(("work", "rejected"), 0) if properties.headers else 0
            if rejected >= 2:
                channel.confirm_delivery()
                channel.basic_publish("", broker.name("parked"), body, properties)
                channel.basic_ack(method.delivery_tag)
                break
            channel.basic_reject(method.delivery_tag, requeue=False)
        connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    broker.publish("work", "poison")
    broker.wait_for("parked", 1)
    worker.join()
    gaps = [later - earlier for earlier, later in zip(moments, moments[1:])]
    assert len(gaps) == 2 and all(abs(gap - delay_ms / 1000) <= 1 for gap in gaps), gaps
    assert broker.ready("work") == 0
    (poison,) = broker.take("parked", 1)
    assert deaths(broker, poison) == {("wait", "expired"): 2, ("work", "rejected"): 2}
