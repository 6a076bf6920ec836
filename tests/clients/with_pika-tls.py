"""What pika is told over TLS, with a password and with a client's certificate: the same on a served broker and on a live one.
RABBITMQ_TLS_URL names it, CERTIFICATES the folder of its authority and of a client's certificate."""

import logging
import os
import ssl

import pika
from pika.credentials import ExternalCredentials

FOLDER = os.environ["CERTIFICATES"]
URL = os.environ["RABBITMQ_TLS_URL"]
logging.disable(logging.CRITICAL)


def say(*words):
    print(*words, flush=True)


def connect(certificate=None, external=False, authority="ca"):
    context = ssl.create_default_context(cafile=f"{FOLDER}/{authority}.pem")
    if certificate:
        context.load_cert_chain(f"{FOLDER}/{certificate}.pem", f"{FOLDER}/{certificate}.key")
    parameters = pika.URLParameters(URL)
    parameters.ssl_options = pika.SSLOptions(context, parameters.host)
    parameters.connection_attempts = 1
    if external:
        parameters.credentials = ExternalCredentials()
    return pika.BlockingConnection(parameters)


def innermost(error):
    while getattr(error, "args", None) and isinstance(error.args[0], BaseException):
        error = error.args[0]
    return error


def refused(**how):
    try:
        connect(**how).close()
        say("not refused")
    except Exception as error:
        error = innermost(error)
        # How an alert reaches the client depends on which side writes first.
        by_tls = isinstance(error, OSError) or "SSL" in str(error)
        say("TLS ends it" if by_tls else f"{type(error).__name__} {error}")


def work(connection):
    channel = connection.channel()
    channel.confirm_delivery()
    channel.queue_declare("work", durable=True)
    body = bytes(range(256)) * 2_000
    for _ in range(20):
        channel.basic_publish("", "work", body, mandatory=True)
    got = 0
    for method, _, back in channel.consume("work", inactivity_timeout=10):
        got += back == body
        channel.basic_ack(method.delivery_tag)
        if got == 20:
            break
    channel.cancel()
    say(got, "messages of", len(body), "bytes, left", channel.queue_delete("work").method.message_count)


say("== by password")
connection = connect()
work(connection)
connection.close()
say("== by certificate")
connection = connect("client", external=True)
work(connection)
connection.close()
say("== no certificate")
refused(external=True)
say("== of another authority")
refused(certificate="other-client", external=True)
say("== an authority that the client does not know")
refused(certificate="client", authority="other-client")
say("== a password that is wrong")
URL = URL.replace("guest:guest", "guest:wrong")
refused()
