"""A stream that fails after its head looks broken to its reader, behind every web server.

A short body that passes for a whole one is the one failure that a reader could not notice.
"""

import http.client
import json
import shutil
import signal
import subprocess

import pytest

from tests.support import streams
from tests.support.clients import problem
from tests.support.curlewd import Curlewd
from tests.support.procs import free_port, wait_until
from tests.support.streams import IncompleteResponse, open_stream

CLIENTS = [pytest.param(name, marks=pytest.mark.xdist_group(f"broken-{name}"))
           for name in streams.CLIENTS]
KNOWN_LENGTH = {"length": True, "chunked": False}


@pytest.fixture(scope="module", params=CLIENTS)
def client(request):
    daemon = Curlewd()
    with streams.connected(request.param, daemon) as client:
        client.name = request.param
        client.daemon = daemon
        yield client
    daemon.stop()
    shutil.rmtree(daemon.directory, ignore_errors=True)


@pytest.fixture
def broken(client, origin, request):
    """broken(page, …): the stream of this page breaks; what of its body had come."""
    def check(page, known_length=False, **keys):
        if not known_length and streams.hides_truncation(client.name):
            request.applymarker(pytest.mark.xfail(
                raises=Whole, strict=False,  # not where the daemon knows before it has begun
                reason=f"{client.name} calls every body of unknown length whole"))
        return body_of_broken(client, url=origin.url(page), **keys)

    return check


class Whole(AssertionError):
    pass


def body_of_broken(client, **keys):
    got = b""
    try:
        with open_stream(client, **keys) as s:
            if s.status >= 500:  # a web server that had not sent the head yet may say so itself
                return got
            while piece := s.read():
                got += piece
    except IncompleteResponse:
        return got
    raise Whole(f"{len(got)} bytes passed for a whole body")


@pytest.mark.parametrize("n", [0, 10, 200000])
@pytest.mark.parametrize("framing", KNOWN_LENGTH)
@pytest.mark.parametrize("how", ["close", "reset", "stall"])
def test_a_break_of_the_origin_breaks_the_stream(broken, how, framing, n):
    got = broken(f"/cut?how={how}&framing={framing}&n={n}", KNOWN_LENGTH[framing],
                 timeout={"idle": 0.3})
    assert got == b"x" * len(got) and len(got) <= n + 8  # and perhaps what stood for the break


@pytest.mark.parametrize("page, known", [("/chunked-short", False), ("/chunked-broken", False),
                                         ("/close-early", True), ("/reset?after=10", True)])
def test_a_break_right_after_the_head_breaks_the_stream(broken, page, known):
    """Head, body and end may reach the daemon, and then the web server, all in one piece."""
    for _ in range(10):
        broken(page, known)


@pytest.mark.parametrize("page", ["/bytes/100001", "/bytes/100001?chunked"])
def test_a_body_over_max_body_bytes_breaks_the_stream(broken, page):
    assert len(broken(page, "chunked" not in page, max_body_bytes=100000)) <= 100008


def test_an_endless_body_over_max_body_bytes_breaks_the_stream(broken):
    broken("/endless", max_body_bytes=5000000)


def test_a_timeout_breaks_the_stream(broken):
    broken("/drip?n=100&every=0.1", True, timeout=0.5)
    broken("/ticks?n=100&every=0.1", timeout=0.5)


def test_a_body_that_cannot_be_decoded_breaks_the_stream(broken):
    broken("/bad-gzip", decompress=True)


def test_the_next_stream_is_complete(client, origin):
    """A broken one leaves nothing behind that the next on a kept connection could stumble on."""
    for _ in range(5):
        body_of_broken(client, url=origin.url("/close-early"))
        with open_stream(client, url=origin.url("/bytes/100000")) as s:
            assert len(s.read_all()) == 100000


# -- what curl says, by HTTP/1.1 and HTTP/2 ----------------------------------


@pytest.mark.parametrize("name", streams.MODES)
@pytest.mark.parametrize("page, known", [("/cut?n=10", True), ("/cut?framing=chunked", False)])
def test_curl_knows_that_it_is_broken(curlewd, origin, name, page, known):
    if not known and streams.hides_truncation(name):
        pytest.xfail(f"{name} calls every body of unknown length whole")
    with streams.connected(name, curlewd()) as client:
        code, body = streams.curl(client, {"url": origin.url(page)})
        assert code in streams.CURL_INCOMPLETE, (code, body)


@pytest.mark.parametrize("name", streams.NGINX_MODES)
def test_an_http2_client_sees_the_break(curlewd, origin, nginx, name):
    port = free_port()
    _, changes = streams.MODES[name]
    names = "server_name localhost 127.0.0.1 [::1];"
    listen = (names, f"listen 127.0.0.1:{port} http2;\n{names}")
    nginx(curlewd(), more=[*changes, listen])
    for page in ("/cut?n=10", "/cut?framing=chunked", "/cut?framing=chunked&n=200000"):
        argv = ["curl", "-sS", "--max-time", "20", "--http2-prior-knowledge", "-o", "/dev/null",
                "--data-binary", json.dumps({"url": origin.url(page)}),
                f"http://127.0.0.1:{port}/_fetch{streams.ROUTE}"]
        done = subprocess.run(argv, capture_output=True, timeout=30)
        assert done.returncode in streams.CURL_INCOMPLETE, (page, done)


# -- the daemon itself leaves ------------------------------------------------


@pytest.mark.parametrize("name", ["socket", *streams.NGINX_MODES, "apache", "lighttpd", "haproxy"])
def test_a_stream_cut_off_by_the_end_of_the_drain_is_broken(curlewd, origin, name):
    daemon = curlewd({"drain_seconds": 1})
    with streams.connected(name, daemon) as client:
        with open_stream(client, url=origin.url("/ticks?n=1000&every=0.02")) as s:
            s.read_at_least(100)
            daemon.process.send(signal.SIGTERM)
            with pytest.raises(IncompleteResponse):
                s.read_all()
    daemon.wait_exit()


@pytest.mark.parametrize("name", ["socket", *streams.NGINX_MODES])
def test_a_drain_lets_a_stream_finish(curlewd, origin, name):
    daemon = curlewd()
    with streams.connected(name, daemon) as client:
        with open_stream(client, url=origin.url("/drip?n=20&every=0.05")) as s:
            first = s.read_at_least(1)
            daemon.process.send(signal.SIGTERM)
            assert first + s.read_all() == b"x" * 20
    daemon.wait_exit()


# -- and what else goes wrong -----------------------------------------------


def test_a_failure_is_logged_and_counted_under_its_code(curlewd, origin):
    daemon = curlewd()
    body_of_broken(daemon.client, url=origin.url("/close-early"))
    line = wait_until("a line", lambda: daemon.log_entries("fetch"))[0]
    assert (line["code"], line["bytes"]) == ("incomplete_body", 10)
    metrics = daemon.client.get("/metrics").body.decode()
    assert 'outcome="incomplete_body"} 1' in metrics


def test_an_upload_over_request_bytes_is_refused_before_it_is_read(curlewd, nginx):
    daemon = curlewd({"limits": {"request_bytes": 100000}})
    body = b'{"url": "http://127.0.0.1/", "body": "' + b"x" * 100000
    problem(daemon.client.ask("POST", streams.ROUTE, body=body), 413, "request_too_large")
    c = http.client.HTTPConnection("127.0.0.1", nginx(daemon).port, timeout=10)
    c.request("POST", f"/_fetch{streams.ROUTE}", body)
    response = c.getresponse()
    assert (response.status, json.loads(response.read())["code"]) == (413, "request_too_large")
