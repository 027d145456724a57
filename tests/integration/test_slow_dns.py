"""A DNS server that does not answer delays the fetch that needs it, and no other."""

import json
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.support import fcgi
from tests.support.concurrency import BackgroundCalls
from tests.support.curlewd import ROOT
from tests.support.procs import wait_until

LOOKUP = 5  # seconds that a name takes, in tests/faults/slow_resolver.c
AT_ONCE = 1


@pytest.fixture(scope="session")
def slow_resolver(directory):
    library = directory / "slow_resolver.so"
    subprocess.run([shutil.which("cc"), "-shared", "-fPIC", "-o", library,
                    ROOT / "tests/faults/slow_resolver.c", "-ldl"], check=True)
    return library


@pytest.fixture
def daemon(curlewd, slow_resolver):
    return curlewd(env={"LD_PRELOAD": str(slow_resolver),
                        "ASAN_OPTIONS": "verify_asan_link_order=0"})


def timed(call, *args, **keys):
    start = time.monotonic()
    return call(*args, **keys), time.monotonic() - start


def in_flight(daemon):
    return daemon.client.ask("GET", "/v1/status").json()["engine"]["in_flight"]


def test_the_connect_timeout_covers_the_look_up(daemon, origin):
    with BackgroundCalls() as b:
        b.start(daemon.client.refused, {"url": "http://one.slow.test/", "timeout": {"connect": 1}},
                504, "connect_timeout")
        wait_until("it is looked up", lambda: in_flight(daemon) == 1)
        _, took = timed(daemon.client.fetch, origin.url("/hello"))
        assert took < AT_ONCE
        _, took = timed(b.results)
    assert took < LOOKUP - 1


def test_a_cancelled_look_up_delays_no_other_fetch(daemon, origin):
    body = json.dumps({"url": "http://two.slow.test/"}).encode()
    c = fcgi.Connection(daemon.socket)
    c.send(fcgi.request(fcgi.cgi_params("POST", "/_fetch/v1/fetch", body=body), body))
    wait_until("it is looked up", lambda: in_flight(daemon) == 1)
    c.close()
    _, took = timed(daemon.client.fetch, origin.url("/hello"))
    assert took < AT_ONCE
    wait_until("it is gone", lambda: in_flight(daemon) == 0, AT_ONCE)


def test_a_drain_does_not_wait_for_an_abandoned_look_up(daemon):
    daemon.client.refused({"url": "http://three.slow.test/", "timeout": 0.2}, 504, "timeout")
    _, took = timed(daemon.stop)
    assert took < AT_ONCE + 1


def test_abandoned_look_ups_are_limited(daemon, origin):
    given_up = {"url": "http://x.slow.test/", "timeout": 0.05}
    with BackgroundCalls(32) as b:
        for _ in range(160):
            b.start(daemon.client.post, given_up)
        codes = [response.json()["code"] for response in b.results()]
    assert set(codes) == {"timeout", "overloaded"}
    assert codes.count("timeout") < 64 + 32 + 1  # those under way at once come on top
    threads = len(list(Path(f"/proc/{daemon.pid}/task").iterdir()))
    assert threads < 64 + 32 + 8
    assert daemon.client.fetch(origin.url("/hello"))["ok"]  # an address needs no look-up
