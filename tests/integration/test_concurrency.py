"""A thousand concurrent fetches of two seconds each."""

import asyncio
import json
import re
import time
from pathlib import Path

import pytest

from tests.support import fcgi
from tests.support.concurrency import HealthProbe, fcgi_request, http_post
from tests.support.curlewd import SANITIZED

COUNT = 1000
WHOLE_TIME = 10.0  # 3 on a quiet machine; see bench/
HEALTH_TIME = 1.0  # 0.02 on a quiet machine


def body_of(origin):
    return json.dumps({"url": origin.url("/delay/2")}).encode()


def peak_kib(daemon):
    return int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{daemon.pid}/status").read_text())[1])


async def thousand(ask):
    return await asyncio.gather(*(ask() for _ in range(COUNT)))


@pytest.mark.quiet
def test_all_complete_and_healthz_responds_meanwhile(curlewd, origin, record_property):
    daemon = curlewd({"log": {"access": False}})
    body = body_of(origin)
    request = fcgi.request(fcgi.cgi_params("POST", "/_fetch/v1/fetch", body=body), body)
    with HealthProbe(daemon.socket) as watch:
        start = time.monotonic()
        responses = asyncio.run(thousand(lambda: fcgi_request(daemon.socket, request)))
        took = time.monotonic() - start
    health = watch.slowest()
    for name, value in (("seconds", took), ("healthz", health), ("peak_kib", peak_kib(daemon))):
        record_property(name, value)
    assert all(a.status == 200 and a.json()["body"] == "late\n" for a in responses)
    assert origin.stats()["max_in_flight"] == COUNT
    assert took < WHOLE_TIME, f"{took:.2f} s"
    assert health < HEALTH_TIME, f"{health:.3f} s"
    assert SANITIZED or peak_kib(daemon) < 100 * 1024


@pytest.mark.quiet
def test_all_complete_behind_nginx(curlewd, origin, nginx):
    daemon = curlewd({"log": {"access": False}})
    web_server = nginx(daemon)
    start = time.monotonic()
    responses = asyncio.run(thousand(
        lambda: http_post(web_server.port, "/_fetch/v1/fetch", body_of(origin))))
    assert [status for status, _ in responses].count(200) == COUNT
    assert time.monotonic() - start < WHOLE_TIME
    assert web_server.error_log() == ""
