"""A Celery application on a broker: tasks with countdown and retries, with quorum queues as the default type.
RABBITMQ_URL names it; the lines are the same on a served broker and on a live one."""

import os
import subprocess
import sys
import tempfile
import time

import celery
from celery.exceptions import Reject
from celery.signals import worker_ready

app = celery.Celery("shop", broker=os.environ["RABBITMQ_URL"], backend="rpc://")
app.conf.update(
    task_default_queue="tasks",
    task_default_queue_type="quorum",
    task_default_exchange_type="topic",
    worker_detect_quorum_queues=True,
    broker_transport_options={"confirm_publish": True},
    task_acks_late=True,
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=False,
    result_expires=60,
)
LOG = os.environ.get("CLIENT_LOG", "")


def note(*words):
    with open(LOG, "a", encoding="utf-8") as log:
        print(*words, file=log)


@app.task
def add(x, y):
    return x + y


@app.task(bind=True, max_retries=3)
def flaky(self, name):
    note("flaky", name, "try", self.request.retries)
    if self.request.retries < 2:
        raise self.retry(countdown=1)
    return f"{name} at last"


@app.task(bind=True, max_retries=1)
def hopeless(self):
    note("hopeless try", self.request.retries)
    raise self.retry(exc=ValueError("never"), countdown=0)


@app.task(bind=True)
def rejected(self):
    note("rejected")
    raise Reject("no", requeue=False)


@worker_ready.connect
def ready(**_):
    note("ready")


def say(*words):
    print(*words, flush=True)


def wait_for(line, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if line in open(LOG, encoding="utf-8").read().splitlines():
            return
        time.sleep(0.05)
    raise SystemExit(f"no line `{line}` within {seconds} s")


def main():
    global LOG
    LOG = tempfile.NamedTemporaryFile(suffix=".log", delete=False).name
    # Its own protocol between workers (gossip) tells of the machine only.
    command = [sys.executable, "-m", "celery", "--app", "with_celery", "worker", "--pool", "threads", "--concurrency", "2"]
    command += ["--without-gossip", "--without-mingle", "--loglevel", "CRITICAL"]
    here = os.path.dirname(os.path.abspath(__file__))
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    worker = subprocess.Popen(command, cwd=here, env=os.environ | {"CLIENT_LOG": LOG}, **silent)
    try:
        wait_for("ready")
        say("== tasks")
        say([task.get(timeout=60) for task in [add.delay(n, n) for n in range(5)]])
        say("== countdown")
        began = time.monotonic()
        say(add.apply_async((20, 22), countdown=2).get(timeout=60))
        say("in time", 1.5 < time.monotonic() - began < 20)
        say("== retries")
        say(flaky.delay("work").get(timeout=60))
        try:
            hopeless.delay().get(timeout=60)
        except ValueError as error:
            say("failed", error)
        rejected.delay()
        wait_for("rejected")
        say("== a chain")
        say(celery.chain(add.s(1, 2), add.s(10)).apply_async().get(timeout=60))
        say("== what the worker noted")
        print(open(LOG, encoding="utf-8").read(), end="")
        say("== queues")
        with app.connection() as connection:
            channel = connection.channel()
            say(channel.queue_declare("tasks", passive=True).message_count, "left in tasks")
            delayed = 0
            for level in range(28):
                try:
                    channel.queue_declare(f"celery_delayed_{level}", passive=True)
                    delayed += 1
                except Exception:
                    channel = connection.channel()
            say(delayed, "queues of delayed delivery")
    finally:
        worker.terminate()
        worker.wait(timeout=60)
        os.remove(LOG)


if __name__ == "__main__":
    # Tasks belong to the module by its name, not to `__main__`.
    import with_celery

    with_celery.main()
