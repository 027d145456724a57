"""Module-global sessions in Django under every server, over the socket and through nginx.

Each server runs with warnings as errors and asyncio's debug mode, and must have nothing to say.
"""

import concurrent.futures
import http.client
import re
import sys
import time
from pathlib import Path
from urllib.parse import urlencode

import pytest

sys.path.append(str(Path(__file__).parent))
from servers import ASGI, HTTP2, WSGI, Server, ask  # noqa: E402

SERVERS = [name for name in (*ASGI, *WSGI) if not name.endswith("-h2")]
ONE_AT_A_TIME = {"gunicorn-sync"}  # for each worker


def views(server):
    """asyncio knows one running loop a thread, and gevent's greenlets share theirs: there Django
    serves no two async views at once."""
    return ["get"] if server.name == "gunicorn-gevent" else ["get", "get-async"]


@pytest.fixture(params=SERVERS)
def server(request, curlewd, one_origin, spawn):
    """Over the FastCGI socket, before a daemon of its own."""
    daemon = curlewd()
    url = f"fcgi+unix:{daemon.socket}"
    started = Server(request.param, spawn, url, one_origin.url("/hello"))
    started.daemon = daemon
    yield started
    assert started.process.running()
    assert errors_of(started) == [], started.process.err


TROUBLE = re.compile(r"[Ww]arning:|Error|[Ee]xception|Traceback|never (awaited|retrieved)")


def errors_of(server):
    """The lines of its standard error; of uWSGI, which logs its start, only errors and warnings."""
    usual = ("lifespan.startup", "Executing <Task")  # the latter: this machine was busy
    lines = [line for line in server.process.err.splitlines() if not line.startswith(usual)]
    return [line for line in lines if server.name != "uwsgi" or TROUBLE.search(line)]


def ask_many(server, view, url, count):
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda _: ask(server, view, url), range(count)))


def test_in_turn_and_at_once(server, origin):
    for view in ("get", "get-async"):
        for _ in range(5):
            assert ask(server, view, origin.url("/hello"))["text"] == ["hello\n"]
    for view in views(server):
        results = ask_many(server, view, origin.url("/delay/0.2"), 20)
        assert [each["text"] for each in results] == [["late\n"]] * 20
    seen = origin.stats()
    assert seen["max_in_flight"] >= (2 if server.name in ONE_AT_A_TIME else 4)


def test_twenty_pages_by_one_call(server, origin):
    pages = [origin.url(f"/delay/0.5?{i}") for i in range(20)]
    for view in ("gather", "gather-async"):
        start = time.monotonic()
        assert ask(server, view, *pages)["text"] == ["late\n"] * 20
        assert time.monotonic() - start < 5  # one after the other they take ten


def test_a_stream(server, origin):
    c = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    c.request("GET", "/stream-async?" + urlencode({"url": origin.url("/bytes/3000000")}))
    assert c.getresponse().read() == b"3000000"
    c.close()


def test_a_daemon_that_is_restarted_meanwhile(server, origin, curlewd):
    for view in ("get", "get-async"):
        assert ask(server, view, origin.url("/hello"))["status"] == [200]
    server.daemon.stop()
    server.daemon = curlewd(directory=server.daemon.directory)
    for view in ["get", "get-async"] * 3:
        assert ask(server, view, origin.url("/hello"))["status"] == [200]


@pytest.mark.parametrize("name", SERVERS)
def test_through_nginx(name, curlewd, nginx, origin, spawn):
    url = f"{nginx(curlewd()).url}/_fetch"
    server = Server(name, spawn, url, origin.url("/hello"))
    for view in views(server):
        results = ask_many(server, view, origin.url("/delay/0.1"), 8)
        assert [each["text"] for each in results] == [["late\n"]] * 8
        assert len(ask(server, "gather", *[origin.url("/hello")] * 5)["text"]) == 5
    assert errors_of(server) == [], server.process.err


@pytest.mark.parametrize("name", [name for name in WSGI if name != "uwsgi"])
def test_children_share_no_connection_of_their_parents(name, curlewd, origin, spawn):
    server = Server(name, spawn, f"fcgi+unix:{curlewd().socket}", origin.url("/hello"))
    results = ask_many(server, "get", origin.url("/delay/0.3"), 16)
    assert server.process.pid not in {each["pid"] for each in results}
    assert errors_of(server) == []


def test_views_work_under_http2(curlewd, origin, spawn):
    server = Server("hypercorn-h2", spawn, f"fcgi+unix:{curlewd().socket}", origin.url("/hello"))
    assert HTTP2 and server.body("/get-async?" + urlencode({"url": origin.url("/hello")}))[0] == 0
