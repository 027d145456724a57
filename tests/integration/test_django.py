"""Django behind nginx, under ASGI and under WSGI: views share one session and its connections.

Django and its server run with warnings as errors, and must not print any.
"""

import concurrent.futures
import http.client
import json
import socket
import sys
import time

import django as django_package
import pytest

from tests.support.origin.client import now
from tests.support.procs import connects, free_port
from tests.support.web_servers import EXAMPLES, PACKAGE

UVICORN = ["uvicorn", "--log-level", "warning", "--port", "{port}", "project.asgi:application"]
GUNICORN = ["gunicorn", "--log-level", "warning", "--bind", "127.0.0.1:{port}",
            "project.wsgi:application", "--workers", "2", "--worker-class"]

# Each server: its command; how long the origin keeps one of twenty pages, and how many of the
# twenty must then be in flight together, or the test would prove little.
SERVERS = {
    "uvicorn": (UVICORN, 0.5, 10),
    "gunicorn-gthread": ([*GUNICORN, "gthread", "--threads", "4"], 0.4, 4),
    "gunicorn-sync": ([*GUNICORN, "sync"], 0.05, 1),
}


class Django:
    """The example project under one server, fetching from the origin through nginx."""

    def __init__(self, name, spawn, web_server, origin):
        command, self.delay, self.least = SERVERS[name]
        self.port = free_port()
        argv = [word.format(port=self.port) for word in command]
        self.process = spawn(
            name, [sys.executable, "-W", "error", "-m", *argv], cwd=EXAMPLES / "django",
            env={"ORIGIN": origin.url(""), "CURLEW_URL": f"{web_server.url}/_fetch",
                 "PYTHONPATH": str(PACKAGE)})
        self.process.wait_ready(lambda: connects(("127.0.0.1", self.port)))

    def get(self, path):
        """Status and the parsed body."""
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            c.request("GET", path)
            response = c.getresponse()
            return response.status, json.loads(response.read())
        finally:
            c.close()

    def fetched(self, path):
        status, facts = self.get(path)
        assert status == 200, facts
        return facts

    def get_all(self, path, count):
        """`count` requests at once."""
        with concurrent.futures.ThreadPoolExecutor(count) as pool:
            return list(pool.map(self.get, [path] * count))


@pytest.fixture
def django(curlewd, nginx, spawn, origin):
    """django(name) → the example project; at the end neither it nor nginx has complained.

    The daemon is the test's own: another test's connections to the origin may be warm already.
    """
    web_server = nginx(curlewd())
    started = []

    def start(name="uvicorn"):
        started.append(Django(name, spawn, web_server, origin))
        return started[-1]

    yield start
    for one in started:
        assert one.process.running()
        assert one.process.err == "", one.process.err
    assert web_server.error_log() == ""


@pytest.mark.parametrize("view", ["sync", "async"])
@pytest.mark.parametrize("server", SERVERS)
def test_five_requests_in_turn_and_twenty_at_once_succeed(django, origin, server, view):
    site = django(server)

    facts = [site.fetched(f"/{view}/hello") for _ in range(5)]
    assert [t["body"] for t in facts] == ["hello\n"] * 5
    assert [t["connection_reused"] for t in facts[1:]] == [True] * 4

    for _ in range(2):  # the second round needs no new connections
        responses = site.get_all(f"/{view}/delay/{site.delay}", 20)
        assert [status for status, _ in responses] == [200] * 20, responses
        assert [facts["body"] for _, facts in responses] == ["late\n"] * 20

    seen = origin.stats()
    assert seen["requests"] == 45
    assert seen["max_in_flight"] >= site.least
    assert seen["connections"] <= seen["max_in_flight"]


@pytest.mark.parametrize("server", SERVERS)
def test_several_pages_in_turn_share_one_connection(django, origin, server):
    pages = "&".join(f"page=echo/{i}" for i in range(5))
    facts = django(server).fetched(f"/one-by-one/?{pages}")

    assert [json.loads(t["body"])["path"] for t in facts] == [f"/echo/{i}" for i in range(5)]
    assert origin.stats()["connections"] == 1


@pytest.mark.parametrize("server", SERVERS)
def test_a_view_fetches_its_pages_concurrently(django, server):
    start = time.monotonic()
    facts = django(server).fetched("/together/?" + "&".join(["page=delay/1"] * 10))

    assert [t["status"] for t in facts] == [200] * 10
    assert time.monotonic() - start < 8  # ten in turn take ten


def test_the_origins_status_and_query_pass_through(django):
    site = django()
    assert site.fetched("/sync/status/418")["status"] == 418
    assert json.loads(site.fetched("/async/echo?a=1&b=%20")["body"])["target"] == "/echo?a=1&b=%20"


@pytest.mark.skipif(django_package.VERSION < (5, 0), reason="Django 4 does not tell the view")
def test_a_browser_that_disconnects_cancels_its_fetch(django, origin):
    site = django()
    target = "/delay/30"
    browser = socket.create_connection(("127.0.0.1", site.port))
    browser.sendall(f"GET /async{target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    origin.wait_for("arrived", target)

    left = now()
    browser.close()
    assert origin.wait_for("left", target) - left < 1
