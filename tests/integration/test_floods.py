"""Many thousand requests at a time: what is accepted is answered, in bounded memory."""

import asyncio
import collections
import json
import resource
import threading
import time

import pytest

from tests.support import fcgi
from tests.support.concurrency import BackgroundCalls, HealthProbe, fcgi_request, timed
from tests.support.metrics import read_metrics
from tests.support.procs import wait_until

pytestmark = [pytest.mark.quiet, pytest.mark.xdist_group("floods"), pytest.mark.timeout(150)]

HEALTH_TIME = 2.0
MIB = 1024  # KiB
STREAMS = 100  # that the origin allows on an HTTP/2 connection
# A connection needs a descriptor here, too.
PARKED = min(9000, (resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 1000) // 2)
OVER_HTTP2 = 20_000
REFUSED = 50_000


@pytest.fixture(autouse=True)
def many_files():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def fetch_request(url, keep=False, **keys):
    body = json.dumps({"url": url, **keys}).encode()
    params = fcgi.cgi_params("POST", "/_fetch/v1/fetch", body=body)
    return fcgi.request(params, body, keep=keep)


def is_quiet(daemon):
    """Nothing is left of the flood but idle connections."""
    def gauges():
        m = read_metrics(daemon)
        return all(m[f"curlew_{name}"] == 0 for name in
                   ("in_flight", "queued", "buffered_bytes", "parked", "request_body_bytes"))

    wait_until("all gauges to be 0", gauges)


# -- parked --------------------------------------------------------------------------


async def all_at_once(path, requests):
    tasks = []
    for i, request in enumerate(requests):
        tasks.append(asyncio.create_task(fcgi_request(path, request)))
        if i % 200 == 199:  # or the listening socket's backlog overflows
            await asyncio.sleep(0.01)
    return await asyncio.gather(*tasks)


def test_thousands_parked_on_one_engine_thread_are_all_answered(curlewd, origin):
    """A third is in flight, the others wait in the queue, and each holds a connection."""
    held = PARKED // 3
    daemon = curlewd({"threads": 1, "log": {"access": False},
                      "limits": {"in_flight": held, "queue": PARKED},
                      "sessions": {"default": {"max_in_flight": held, "max_per_origin": held,
                                               "timeout": {"connect": 100, "idle": 100,
                                                           "total": 100}}}})
    requests = [fetch_request(origin.url("/delay/8"))] * held
    requests += [fetch_request(origin.url("/hello"))] * (PARKED - held)
    most = []
    stop = threading.Event()

    def watch():
        while not stop.wait(0.2):
            most.append(read_metrics(daemon)["curlew_parked"])

    watcher = threading.Thread(target=watch)
    with HealthProbe(daemon.socket) as health:
        watcher.start()
        responses = asyncio.run(all_at_once(daemon.socket, requests))
        stop.set()
        watcher.join()
    assert collections.Counter(r.status for r in responses) == {200: PARKED}, [
        r for r in responses if r.status != 200][:1]
    bodies = [r.json()["body"] for r in responses]
    assert bodies == ["late\n"] * held + ["hello\n"] * (PARKED - held)
    assert max(most) > 0.6 * PARKED  # all of them on a quiet machine
    assert health.slowest() < HEALTH_TIME
    assert daemon.peak_kib() < 300 * MIB
    is_quiet(daemon)


# -- over one HTTP/2 origin ---------------------------------------------------------------


def batch(client, url, n):
    requests = [{"url": url, "timeout": 100}] * n
    body = json.dumps({"requests": requests, "max_parallel": n}).encode()
    response = client.ask("POST", "/v1/batch", body=body, timeout=120)
    return [json.loads(line) for line in response.body.splitlines()]


def test_many_fetches_to_a_cold_http2_origin_share_few_connections(curlewd, certs, origin):
    daemon = curlewd({"log": {"access": False}, "limits": {"queue": OVER_HTTP2},
                      "sessions": {"default": {"ca_file": str(certs / "ca.pem")}}})
    with HealthProbe(daemon.socket) as health, BackgroundCalls() as b:
        for _ in range(OVER_HTTP2 // 1000):
            b.start(batch, daemon.client, origin.url("/hello", port="h2"), 1000)
        lines = [line for lines in b.results(120) for line in lines]
    assert [line for line in lines if line.get("body") != "hello\n"] == []
    stats = origin.stats()
    assert len(lines) == stats["paths"]["/hello"] == OVER_HTTP2
    in_flight = daemon.client.get("/v1/status").json()["sessions"]["default"]["max_per_origin"]
    assert stats["connections"] <= in_flight / STREAMS + 1
    assert health.slowest() < HEALTH_TIME
    assert daemon.peak_kib() < 200 * MIB
    is_quiet(daemon)


# -- refused at the limits -------------------------------------------------------------------


def is_refused(c):
    """Read one response; is it a problem document that names the queue's limit?"""
    response = c.read_response()
    return response.status == 503 and b"limits.queue" in response.body


def ask_again_and_again(path, request, times):
    """The number of refusals."""
    with fcgi.Connection(path) as c:
        refused = 0
        for _ in range(times):
            c.send(request)
            refused += is_refused(c)
        return refused


def test_tens_of_thousands_are_refused_while_good_ones_pass(curlewd, origin):
    daemon = curlewd({"log": {"access": False}, "limits": {"in_flight": 64, "queue": 8},
                      "sessions": {"noisy": {"max_in_flight": 4}}})
    threads = 4
    with BackgroundCalls() as b:
        held = [fcgi.Connection(daemon.socket) for _ in range(12)]
        for c in held:
            c.send(fetch_request(origin.url("/silent"), session="noisy"))
        wait_until("the queue is full", lambda: read_metrics(daemon)["curlew_queued"] == 8)
        before = daemon.rss_kib()
        request = fetch_request(origin.url("/silent"), keep=True, session="noisy")
        for _ in range(threads):
            b.start(ask_again_and_again, daemon.socket, request, REFUSED // threads)
        slowest = 0
        while not all(f.done() for f in b.futures):
            e, took = timed(daemon.client.fetch, origin.url("/hello"))
            assert e["body"] == "hello\n"
            slowest = max(slowest, took)
            time.sleep(0.05)
        assert sum(b.results()) == REFUSED
        assert slowest < 1, f"{slowest:.3f} s"
        assert daemon.rss_kib() - before < 20 * MIB
    for c in held:
        c.close()
    is_quiet(daemon)
