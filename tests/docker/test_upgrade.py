"""`docker compose up -d` with a new image under load: no fetch fails, and none is sent twice.

CURLEW_UPGRADES=20 tries it more often: make docker-upgrades.
"""

import contextlib
import json
import os
import subprocess

import pytest

from tests.support.compose import run
from tests.support.load import CountingOrigin
from tests.support.procs import wait_until

UPGRADES = int(os.environ.get("CURLEW_UPGRADES", "2"))
WAYS = {"socket": "fcgi+unix:/run/curlew/curlew.sock", "nginx": "http://nginx:9080/_fetch"}


def new_image(number):
    """Another image of the same daemon."""
    name = "curlew-next"
    text = f"FROM curlew\nLABEL upgrade={number}-{os.getpid()}\n"
    subprocess.run(["docker", "build", "-q", "-t", name, "-"], input=text, text=True, check=True,
                   capture_output=True, timeout=60)
    return name


def upgrade(compose, number):
    before = compose.inspect("curlewd")
    compose.upgrade(new_image(number))
    after = compose.inspect("curlewd")
    assert before["Id"] != after["Id"] and before["Image"] != after["Image"]


class LoadInContainer:
    """tests.support.restart_load beside Django, with an origin on this machine."""

    def __init__(self, compose, daemon, host):
        self.origin = CountingOrigin(host=host)
        self.process = subprocess.Popen(
            ["docker", "exec", "-i", "-e", "PYTHONPATH=/app/python/src:/app",
             compose.containers["asgi"], "python3", "-m", "tests.support.restart_load", daemon,
             self.origin.url("", host="counting")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def more(self, count):
        wanted = len(self.origin.requests) + count
        wait_until(f"{count} more fetches", lambda: len(self.origin.requests) >= wanted, 30)

    def check(self):
        said = json.loads(self.process.communicate(timeout=60)[0])
        assert said["failed"] == [] and len(said["done"]) == 8, said
        assert self.origin.sent_twice() == []
        assert len(self.origin.requests) == said["targets"]

    def stop(self):
        self.process.kill()
        self.process.wait(10)
        self.origin.stop()


@pytest.mark.timeout(180 + 20 * UPGRADES)
def test_no_fetch_fails_and_none_is_sent_twice(compose):
    gateway = run("docker", "network", "inspect", "bridge", "-f",
                  "{{(index .IPAM.Config 0).Gateway}}").stdout.strip()
    with contextlib.ExitStack() as stack:
        loads = [LoadInContainer(compose, url, gateway) for url in WAYS.values()]
        for load in loads:
            stack.callback(load.stop)
        for number in range(UPGRADES):
            for load in loads:
                load.more(40)
            upgrade(compose, number)
        for load in loads:
            load.more(40)
        for load in loads:
            load.check()
