"""The five ways to a real daemon, blocking and on an event loop: the same answers and ends."""

import asyncio
import json
import shutil
import socket
import time

import pytest

from django_curlew import daemon as ways
from django_curlew.daemon import Broken, Daemon, DaemonError, NoAnswer, Unreachable
from django_curlew.daemon.sockets import pool, unreachable
from tests.support.curlewd import Curlewd
from tests.support.procs import free_port
from tests.support.web_servers import WebServer

WAYS = ["fcgi+unix", "fcgi", "http", "http+unix", "http-no-keep-alive"]

TOKEN = "a-token-of-16-characters-and-more"


@pytest.fixture(scope="module")
def all_ways(certs):
    """Name to URL, all of one daemon; http+unix is nginx on a socket of its own."""
    port = free_port()
    d = Curlewd(also_listen=[f"127.0.0.1:{port}"])
    front = d.directory / "nginx.sock"
    more = [("listen 127.0.0.1:", f"listen unix:{front}; listen 127.0.0.1:"),
            ("allow 127.0.0.1;", "allow 127.0.0.1; allow unix:;")]
    mounts = [WebServer("nginx", d.socket, more=more), WebServer("nginx-no-keep-alive", d.socket)]
    yield {
        "fcgi+unix": f"fcgi+unix:{d.socket}", "fcgi": f"fcgi://127.0.0.1:{port}",
        "http": f"{mounts[0].url}/_fetch", "http+unix": f"http+unix:{front}:/_fetch",
        "http-no-keep-alive": f"{mounts[1].url}/_fetch",
    }
    for each in mounts:
        each.stop()
    d.stop()
    d.check_clean()
    shutil.rmtree(d.directory, ignore_errors=True)


@pytest.fixture(params=WAYS)
def way(request, all_ways):
    return Daemon(all_ways[request.param])


def asked(url, **keys):
    return json.dumps({"url": url, **keys}).encode()


class Sync:
    exchange = staticmethod(Daemon.exchange)

    @staticmethod
    def stream(d, body):
        with d.open("POST", "/v1/stream", body=body, timeout=10) as s:
            return s.status, b"".join(s)


class Async:
    @staticmethod
    def exchange(d, *args, **kwargs):
        return asyncio.run(d.aexchange(*args, **kwargs))

    @staticmethod
    def stream(d, body):
        async def read():
            async with await d.aopen("POST", "/v1/stream", body=body, timeout=10) as s:
                return s.status, b"".join([p async for p in s])
        return asyncio.run(read())


@pytest.fixture(params=[Sync, Async])
def asks(request):
    return request.param


def test_a_fetch(way, asks, origin):
    for _ in range(3):
        body = asked(origin.url("/hello"))
        reply = asks.exchange(way, "POST", "/v1/fetch", body=body, timeout=10)
        assert reply.status == 200 and json.loads(reply.body)["body"] == "hello\n"
        assert reply.header("Content-Type") == "application/json"
    assert pool.count(way.address) == 1, "one connection, kept"


def test_a_get_with_a_query(way, asks, origin):
    reply = asks.exchange(way, "GET", f"/v1/fetch?url={origin.url('/hello')}&tag=x", timeout=10)
    assert json.loads(reply.body)["tag"] == "x"


def test_a_large_body_both_ways(way, asks, origin):
    body = asked(origin.url("/echo"), body="x" * 700_000, method="PUT")
    reply = asks.exchange(way, "POST", "/v1/fetch", body=body, timeout=20)
    assert reply.status == 200 and len(reply.body) > 900_000


def test_frames(way, asks, origin):
    headers = (("Accept", ways.FRAMES),)
    body = asked(origin.url("/bytes/70000"))
    reply = asks.exchange(way, "POST", "/v1/fetch", headers=headers, body=body, timeout=10)
    line, _, rest = reply.body.partition(b"\n")
    assert json.loads(line)["body_bytes"] == 70000 == len(rest) - 1


def test_a_stream_and_then_its_connection_again(way, asks, origin):
    for _ in range(2):
        status, data = asks.stream(way, asked(origin.url("/bytes/300000?chunked=1")))
        assert status == 200 and len(data) == 300_000
    assert pool.count(way.address) == 1


def test_a_stream_that_breaks_is_broken(way, asks, origin):
    with pytest.raises(DaemonError) as caught:
        asks.stream(way, asked(origin.url("/cut?framing=chunked&n=100000")))
    assert isinstance(caught.value, (Broken, NoAnswer))


def test_an_error_of_the_daemons_is_an_answer(way, asks):
    reply = asks.exchange(way, "POST", "/v1/fetch", body=b"{", timeout=10)
    assert reply.status == 400 and json.loads(reply.body)["code"] == "bad_request"


def test_trace_context_goes_along(way, asks, origin):
    trace = (("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),)
    body = asked(origin.url("/echo"))
    reply = asks.exchange(way, "POST", "/v1/fetch", body=body, trace=trace, timeout=10)
    sent = dict(json.loads(json.loads(reply.body)["body"])["headers"])
    assert {k.lower(): v for k, v in sent.items()}["traceparent"] == trace[0][1]


def test_cancelling_reaches_the_origin_within_100_ms(way, origin):
    """Of three times once: where the loopback drops a FIN, TCP says it again after 200 ms."""
    assert min(cancelled_after(way, origin, n) for n in range(3)) < 0.1


def cancelled_after(way, origin, n):
    """Seconds from cancelling a task until the origin sees its connection go."""
    target = f"/stall?{way.address.protocol}{way.address.port}-{n}"

    async def start_and_cancel():
        body = asked(origin.url(target))
        task = asyncio.ensure_future(way.aexchange("POST", "/v1/fetch", body=body, timeout=30))
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, origin.wait_for, "arrived", target)
        task.cancel()
        cancelled = time.monotonic()
        with pytest.raises(asyncio.CancelledError):
            await task
        return cancelled

    cancelled = asyncio.run(start_and_cancel())
    return origin.wait_for("left", target) - cancelled


def test_closing_a_stream_reaches_the_origin(way, origin):
    target = f"/pour?n=100000000&{way.address.protocol}{way.address.port}"
    stream = way.open("POST", "/v1/stream", body=asked(origin.url(target)), timeout=10)
    assert stream.read(5)
    stream.close()
    origin.wait_for("left", target)
    with pytest.raises(Broken, match="closed"):
        while stream.read():
            pass


def test_a_stream_that_is_dropped_is_closed_without_a_warning(way, origin):
    target = f"/pour?n=100000001&{way.address.protocol}{way.address.port}"
    stream = way.open("POST", "/v1/stream", body=asked(origin.url(target)), timeout=10)
    del stream
    origin.wait_for("left", target)


def test_params_stand_in_place_of_a_request(all_ways, origin):
    params = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "/any",
              "CURLEW_REQUEST": json.dumps({"url": origin.url("/hello")})}
    with Daemon(all_ways["fcgi+unix"]).open("GET", "/x", params=params, timeout=10) as stream:
        assert stream.status == 200 and b"".join(stream) == b"hello\n"


def test_the_daemon_down_then_up_again(certs, asks, tmp_path):
    """A restart: the kept connection has ended, nobody listens, and then somebody does."""
    first = Curlewd(directory=tmp_path)
    d = Daemon(f"fcgi+unix:{first.socket}")
    assert asks.exchange(d, "GET", "/healthz", timeout=5).status == 200
    first.stop()
    with pytest.raises(Unreachable, match="is curlewd running"):
        asks.exchange(d, "GET", "/healthz", timeout=5)
    second = Curlewd(directory=tmp_path)
    try:
        assert asks.exchange(d, "GET", "/healthz", timeout=5).status == 200
    finally:
        second.stop()


def test_a_socket_that_is_not_for_us(all_ways):
    """Root may connect to any socket, so the kernel's refusal is made up here."""
    why = unreachable(Daemon(all_ways["fcgi+unix"]).address, PermissionError(13, "denied"))
    assert "socket_mode" in str(why)


def test_a_token_is_sent(curlewd, asks, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text(f"{TOKEN} default\n")
    tokens.chmod(0o600)
    url = f"fcgi+unix:{curlewd({'auth': {'tokens_file': str(tokens)}}).socket}"
    assert asks.exchange(Daemon(url), "GET", "/v1/status", timeout=5).status == 401
    assert asks.exchange(Daemon(url, token=TOKEN), "GET", "/v1/status", timeout=5).status == 200


def test_names_are_resolved(all_ways, asks):
    port = Daemon(all_ways["fcgi"]).address.port
    d = Daemon(f"fcgi://localhost:{port}")
    assert asks.exchange(d, "GET", "/healthz", timeout=5).status == 200
    with pytest.raises(Unreachable):
        asks.exchange(Daemon("fcgi://nowhere.invalid:1"), "GET", "/healthz", timeout=5)


def test_a_connection_that_is_never_made_is_given_up(asks):
    """A listener whose backlog is full drops SYNs, so that connecting hangs."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        fill = [socket.socket() for _ in range(4)]
        for each in fill:
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", port))
        began = time.monotonic()
        with pytest.raises(DaemonError):
            asks.exchange(Daemon(f"fcgi://127.0.0.1:{port}", connect=0.3), "GET", "/x", timeout=1)
        assert time.monotonic() - began < 3
        for each in fill:
            each.close()
