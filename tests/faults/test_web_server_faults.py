"""The web server is killed, stopped or reloaded while requests are in flight.

Its clients see an error from it, never a short response that looks whole. The daemon cancels what
nobody waits for, and the web server that comes back finds it as before.
"""

import contextlib
import http.client
import json
import signal
from urllib.parse import quote

import pytest

from tests.support.concurrency import BackgroundCalls
from tests.support.metrics import read_metrics
from tests.support.procs import wait_until
from tests.support.web_servers import RELOAD_SIGNALS, WEB_SERVERS

LARGE = 12_000_000
SERVERS = [name for name in WEB_SERVERS if name != "nginx-no-keep-alive"]


def call(port, route, request):
    """(status, body) of a response that came whole; None where the web server failed."""
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        c.request("POST", f"/_fetch{route}", json.dumps(request),
                  {"Content-Type": "application/json"})
        response = c.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        c.close()


def started(origin, port, b):
    """One of each kind, in flight at the origin; the paths there."""
    paths = ["/silent?fetch", "/drip?n=100000&every=0.05&stream", "/silent?batch",
             f"/pour?n={LARGE}&rate=100000"]
    urls = [origin.url(path) for path in paths]
    b.start(call, port, "/v1/fetch", {"url": urls[0]})
    b.start(call, port, "/v1/stream", {"url": urls[1]})
    b.start(call, port, "/v1/batch", {"requests": [{"url": origin.url("/hello")},
                                                   {"url": urls[2]}]})
    b.start(call, port, "/v1/fetch", {"url": urls[3]})
    for path in paths:
        origin.wait_for("arrived", path)
    return paths


def is_alone(daemon):
    """Nothing in flight, and no connection but that of this question."""
    now = read_metrics(daemon)
    return now if (now["curlew_in_flight"] == now["curlew_queued"] == now["curlew_parked"] == 0
                   and now["curlew_buffered_bytes"] == 0
                   and now["curlew_gateway_connections"] == 1) else None


@pytest.mark.parametrize("how", ["killed", "stopped"])
@pytest.mark.parametrize("name", SERVERS)
def test_a_web_server_ends_with_requests_in_flight(curlewd, origin, nginx, name, how):
    daemon = curlewd()
    web_server = nginx(daemon, name=name)
    assert web_server.fetch(origin.url("/hello"))["status"] == 200
    with BackgroundCalls() as b:
        paths = started(origin, web_server.port, b)
        if how == "killed":
            web_server.kill()
        else:  # not graceful; SIGINT is that for Caddy and Apache
            web_server.process.stop(signal.SIGTERM, timeout=1)
        for path in paths:
            origin.wait_for("left", path)
        results = b.results()
    for status in [r[0] for r in results if r]:
        assert status in (499, 502, 503, 504), results  # the web server's words, while it ends
    metrics = wait_until("the daemon is alone", lambda: is_alone(daemon))
    assert metrics["curlew_connections"] <= 2  # idle ones, of what had ended before
    assert metrics["curlew_cancelled_total"] == 4
    web_server.start()
    assert web_server.fetch(origin.url("/hello"))["status"] == 200


@pytest.mark.parametrize("name", [n for n in SERVERS if n in RELOAD_SIGNALS])
def test_a_reload_breaks_no_response(curlewd, origin, nginx, name):
    daemon = curlewd()
    web_server = nginx(daemon, name=name)
    target = f"/_fetch/v1/stream?url={quote(origin.url('/drip?n=40&every=0.05'))}"
    with BackgroundCalls() as b:
        slow = [b.start(web_server.fetch, origin.url(f"/delay/1.5?{i}")) for i in range(4)]
        stream = http.client.HTTPConnection("127.0.0.1", web_server.port, timeout=20)
        with contextlib.closing(stream):
            stream.request("GET", target)
            for i in range(4):
                origin.wait_for("arrived", f"/delay/1.5?{i}")
            response = stream.getresponse()
            web_server.reload()
            for _ in range(5):
                assert web_server.fetch(origin.url("/hello"))["status"] == 200
            assert len(response.read()) == 40
        assert [f.result(20)["body"] for f in slow] == ["late\n"] * 4
    assert read_metrics(daemon)["curlew_cancelled_total"] == 0
    assert web_server.fetch(origin.url("/hello"))["status"] == 200
    wait_until("nothing is in flight", lambda: read_metrics(daemon)["curlew_parked"] == 0)


def test_many_restarts_of_nginx_leave_nothing_behind(curlewd, origin, nginx):
    daemon = curlewd()
    web_server = nginx(daemon)
    for _ in range(5):
        with BackgroundCalls() as b:
            started(origin, web_server.port, b)
            web_server.kill()
            assert all(r is None for r in b.results())
        wait_until("the daemon is alone", lambda: is_alone(daemon))
        origin.reset()
        web_server.start()
    assert web_server.fetch(origin.url("/hello"))["status"] == 200
