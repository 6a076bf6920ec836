"""A week of waiting, tested in a moment."""

import threading

import pika


def test_an_order_that_nobody_takes_is_late_after_a_week(broker):
    connection = pika.BlockingConnection(pika.URLParameters(broker.url))
    channel = connection.channel()
    channel.queue_declare("orders.late", durable=True)
    arguments = {"x-message-ttl": 604_800_000, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "orders.late"}
    channel.queue_declare("orders", durable=True, arguments=arguments)
    channel.confirm_delivery()
    channel.basic_publish("", "orders", b"one", mandatory=True)

    broker.advance("6d 23h")
    assert channel.queue_declare("orders", passive=True).method.message_count == 1
    broker.advance("1h")
    method, properties, body = channel.basic_get("orders.late", auto_ack=True)
    assert (body, properties.headers["x-death"][0]["reason"]) == (b"one", "expired")
    connection.close()


def test_time_waits_for_a_worker_that_tries_again_each_hour(broker):
    setup = pika.BlockingConnection(pika.URLParameters(broker.url))
    channel = setup.channel()
    channel.confirm_delivery()
    channel.queue_declare("work", durable=True)
    arguments = {"x-message-ttl": 3_600_000, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "work"}
    channel.queue_declare("work.retry", durable=True, arguments=arguments)
    tries = []

    def work():
        connection = pika.BlockingConnection(pika.URLParameters(broker.url))
        channel = connection.channel()

        def on_message(channel, method, properties, body):
            tries.append(method.delivery_tag)
            channel.basic_publish("", "work.retry", body)
            channel.basic_ack(method.delivery_tag)

        channel.basic_consume("work", on_message)
        subscribed.set()
        while not over.is_set():
            connection.process_data_events(time_limit=0.02)
        connection.close()

    subscribed, over = threading.Event(), threading.Event()
    worker = threading.Thread(target=work)
    worker.start()
    subscribed.wait(10)
    channel.basic_publish("", "work", b"job")
    broker.advance("1d")
    over.set()
    worker.join()
    assert len(tries) in (24, 25), "one at once, and one each hour"
    setup.close()
