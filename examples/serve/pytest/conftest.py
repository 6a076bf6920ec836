"""A RabbitMQ for each test, simulated by `rmqplay serve`: there in milliseconds, and a week passes at a word.

    def test_late_orders(broker):
        channel = pika.BlockingConnection(pika.URLParameters(broker.url)).channel()
        ...
        broker.advance("7d")

RMQPLAY names the program, RMQPLAY_BROKER the version (sim:3.13). The fixture `serve` starts one with topologies:
`serve("topologies/orders.yaml")`.
"""

import json
import os
import pathlib
import signal
import subprocess
import time
import urllib.request

import pytest

RMQPLAY = os.environ.get("RMQPLAY", "rmqplay")


class Broker:
    """A served broker; `url` is for any AMQP client."""

    def __init__(self, folder: pathlib.Path, *topologies: str):
        ready = folder / "ready.json"
        version = os.environ.get("RMQPLAY_BROKER", "sim")
        self._process = subprocess.Popen(
            [RMQPLAY, "serve", *topologies, "--broker", version, "--listen", "127.0.0.1:0", "--clock", "manual"]
            + ["--settle", "5ms", "--ready-file", str(ready), "--quiet"]
        )
        end = time.monotonic() + 10
        while not ready.exists():
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("rmqplay serve does not come up")
            time.sleep(0.002)
        told = json.loads(ready.read_text())
        self.control = told["control"]
        self.url = told["amqp"][0].replace("amqp://", "amqp://guest:guest@") + "/%2F"

    def advance(self, by: str) -> dict:
        """Lets time pass; returns when all that happens until then is done, and fails when a client keeps a delivery."""
        job = self._ask("/clock/advance", {"by": by})
        while job["state"] == "running":
            time.sleep(0.005)
            job = self._ask(f"/clock/jobs/{job['job']}")
        assert job["state"] == "done", f"the clock is stuck: {job['owed']}"
        return job

    def close(self):
        self._process.send_signal(signal.SIGINT)
        self._process.wait(timeout=10)

    def _ask(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(urllib.request.Request(self.control + path, data), timeout=10) as answer:
            return json.load(answer)


@pytest.fixture
def serve(tmp_path):
    """Starts brokers with the topologies that it is called with; all end with the test."""
    served = []

    def start(*topologies):
        folder = tmp_path / str(len(served))
        folder.mkdir()
        served.append(Broker(folder, *topologies))
        return served[-1]

    yield start
    for broker in served:
        broker.close()


@pytest.fixture
def broker(serve):
    """A broker that holds nothing."""
    return serve()
