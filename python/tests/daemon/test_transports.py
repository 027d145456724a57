"""A real daemon by each transport, blocking and on an event loop: the same responses and ends."""

import asyncio
import json
import shutil
import socket
import time

import pytest

from django_curlew.daemon import (
    FRAMES,
    Daemon,
    DaemonError,
    DaemonTimeout,
    IncompleteResponse,
    NoResponse,
    Unreachable,
    Upload,
)
from django_curlew.daemon.connection_pool import pool
from tests.support.curlewd import Curlewd
from tests.support.procs import free_port
from tests.support.upload_origin import UploadOrigin
from tests.support.web_servers import WebServer

TRANSPORTS = ["fcgi+unix", "fcgi", "http", "http+unix", "http-no-keep-alive"]

TOKEN = "a-token-of-16-characters-and-more"


@pytest.fixture(scope="module")
def all_urls(certs):
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


@pytest.fixture(params=TRANSPORTS)
def remote(request, all_urls):
    return Daemon(all_urls[request.param])


def fetch_object(url, **keys):
    return json.dumps({"url": url, **keys}).encode()


class Sync:
    exchange = staticmethod(Daemon.exchange)

    @staticmethod
    def stream(d, body, **options):
        with d.open("POST", "/v1/stream", body=body, timeout=10, **options) as s:
            return s.status, b"".join(s)


class Async:
    @staticmethod
    def exchange(d, *args, **kwargs):
        return asyncio.run(d.aexchange(*args, **kwargs))

    @staticmethod
    def stream(d, body, **options):
        request = {"body": body, "timeout": 10, **options}

        async def read():
            async with await d.aopen("POST", "/v1/stream", **request) as s:
                return s.status, b"".join([p async for p in s])
        return asyncio.run(read())


@pytest.fixture(params=[Sync, Async])
def client(request):
    return request.param


def test_a_fetch(remote, client, origin):
    for _ in range(3):
        body = fetch_object(origin.url("/hello"))
        response = client.exchange(remote, "POST", "/v1/fetch", body=body, timeout=10)
        assert response.status == 200 and json.loads(response.body)["body"] == "hello\n"
        assert response.header("Content-Type") == "application/json"
    assert pool.idle_count(remote.address) == 1, "one connection, kept"


def test_a_get_with_a_query(remote, client, origin):
    route = f"/v1/fetch?url={origin.url('/hello')}&tag=x"
    response = client.exchange(remote, "GET", route, timeout=10)
    assert json.loads(response.body)["tag"] == "x"


def test_a_large_body_both_ways(remote, client, origin):
    body = fetch_object(origin.url("/echo"), body="x" * 700_000, method="PUT")
    response = client.exchange(remote, "POST", "/v1/fetch", body=body, timeout=20)
    assert response.status == 200 and len(response.body) > 900_000


@pytest.mark.parametrize("known", [True, False])
def test_an_upload(remote, client, origin, known):
    size = 1_000_000
    for _ in range(2):
        upload = Upload(iter([bytes(size // 4)] * 4), length=size if known else None,
                        request_object={"url": origin.url("/upload"), "method": "PUT"})
        response = client.exchange(remote, "POST", "/v1/fetch", body=upload, timeout=20)
        assert json.loads(json.loads(response.body)["body"])["bytes"] == size
    assert pool.idle_count(remote.address) == 1, "one connection, kept"


def test_an_upload_whose_source_fails_is_no_request(remote, client):
    def source():
        yield bytes(500_000)
        raise LookupError("mine")

    with UploadOrigin() as uploads:
        upload = Upload(source(), request_object={"url": uploads.url(), "method": "PUT"})
        with pytest.raises(LookupError, match="mine"):
            client.exchange(remote, "POST", "/v1/fetch", body=upload, timeout=20)
        time.sleep(0.3)
        assert not [seen for seen in uploads.uploads if seen.is_whole]


def test_frames(remote, client, origin):
    headers = (("Accept", FRAMES),)
    body = fetch_object(origin.url("/bytes/70000"))
    response = client.exchange(remote, "POST", "/v1/fetch", headers=headers, body=body, timeout=10)
    line, _, rest = response.body.partition(b"\n")
    assert json.loads(line)["body_bytes"] == 70000 == len(rest) - 1


def test_a_stream_and_then_its_connection_again(remote, client, origin):
    for _ in range(2):
        status, data = client.stream(remote, fetch_object(origin.url("/bytes/300000?chunked=1")))
        assert status == 200 and len(data) == 300_000
    assert pool.idle_count(remote.address) == 1


def test_a_stream_that_breaks_is_broken(remote, client, origin):
    with pytest.raises(DaemonError) as caught:
        client.stream(remote, fetch_object(origin.url("/cut?framing=chunked&n=100000")))
    assert isinstance(caught.value, (IncompleteResponse, NoResponse))


def test_a_stream_that_stalls_is_a_timeout(remote, client, origin):
    body = fetch_object(origin.url("/stall?n=10"), timeout={"idle": 1})
    start = time.monotonic()
    with pytest.raises(DaemonTimeout) as caught:
        client.stream(remote, body, idle_timeout=1)
    assert 0.9 <= time.monotonic() - start < 2.5
    assert caught.value.code == "idle_timeout"


def test_a_stream_that_breaks_before_its_idle_timeout_is_no_timeout(remote, client, origin):
    body = fetch_object(origin.url("/cut?n=10"), timeout={"idle": 2})
    with pytest.raises(IncompleteResponse) as caught:
        client.stream(remote, body, idle_timeout=2)
    if remote.address.protocol == "fcgi":
        assert caught.value.code == "incomplete_body"


def test_an_error_of_the_daemons_is_a_response(remote, client):
    response = client.exchange(remote, "POST", "/v1/fetch", body=b"{", timeout=10)
    assert response.status == 400 and json.loads(response.body)["code"] == "bad_request"


def test_trace_context_is_sent(remote, client, origin):
    trace = (("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),)
    body = fetch_object(origin.url("/echo"))
    response = client.exchange(remote, "POST", "/v1/fetch", body=body, trace=trace, timeout=10)
    sent = dict(json.loads(json.loads(response.body)["body"])["headers"])
    assert {k.lower(): v for k, v in sent.items()}["traceparent"] == trace[0][1]


def test_cancelling_reaches_the_origin_within_100_ms(remote, origin):
    """Of three times once: where the loopback drops a FIN, TCP says it again after 200 ms."""
    assert min(cancelled_after(remote, origin, n) for n in range(3)) < 0.1


def cancelled_after(remote, origin, n):
    """Seconds from cancelling a task until the origin sees its connection go."""
    target = f"/stall?{remote.address.protocol}{remote.address.port}-{n}"

    async def start_and_cancel():
        body = fetch_object(origin.url(target))
        task = asyncio.ensure_future(remote.aexchange("POST", "/v1/fetch", body=body, timeout=30))
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, origin.wait_for, "arrived", target)
        task.cancel()
        cancelled = time.monotonic()
        with pytest.raises(asyncio.CancelledError):
            await task
        return cancelled

    cancelled = asyncio.run(start_and_cancel())
    return origin.wait_for("left", target) - cancelled


def test_closing_a_stream_reaches_the_origin(remote, origin):
    target = f"/pour?n=100000000&{remote.address.protocol}{remote.address.port}"
    stream = remote.open("POST", "/v1/stream", body=fetch_object(origin.url(target)), timeout=10)
    assert stream.read(5)
    stream.close()
    origin.wait_for("left", target)
    with pytest.raises(IncompleteResponse, match="closed"):
        while stream.read():
            pass


def test_a_stream_that_is_dropped_is_closed_without_a_warning(remote, origin):
    target = f"/pour?n=100000001&{remote.address.protocol}{remote.address.port}"
    stream = remote.open("POST", "/v1/stream", body=fetch_object(origin.url(target)), timeout=10)
    del stream
    origin.wait_for("left", target)


def test_params_replace_the_request(all_urls, origin):
    params = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "/any",
              "CURLEW_REQUEST": json.dumps({"url": origin.url("/hello")})}
    with Daemon(all_urls["fcgi+unix"]).open("GET", "/x", params=params, timeout=10) as stream:
        assert stream.status == 200 and b"".join(stream) == b"hello\n"


def test_the_daemon_down_then_up_again(certs, client, tmp_path):
    """A restart: the kept connection has ended, nobody listens, and then somebody does."""
    first = Curlewd(directory=tmp_path)
    d = Daemon(f"fcgi+unix:{first.socket}")
    assert client.exchange(d, "GET", "/healthz", timeout=5).status == 200
    first.stop()
    with pytest.raises(Unreachable, match="curlewd is not running"):
        client.exchange(d, "GET", "/healthz", timeout=5)
    second = Curlewd(directory=tmp_path)
    try:
        assert client.exchange(d, "GET", "/healthz", timeout=5).status == 200
    finally:
        second.stop()


def test_a_token_is_sent(curlewd, client, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text(f"{TOKEN} default\n")
    tokens.chmod(0o600)
    url = f"fcgi+unix:{curlewd({'auth': {'tokens_file': str(tokens)}}).socket}"
    assert client.exchange(Daemon(url), "GET", "/v1/status", timeout=5).status == 401
    assert client.exchange(Daemon(url, token=TOKEN), "GET", "/v1/status", timeout=5).status == 200


def test_names_are_resolved(all_urls, client):
    port = Daemon(all_urls["fcgi"]).address.port
    d = Daemon(f"fcgi://localhost:{port}")
    assert client.exchange(d, "GET", "/healthz", timeout=5).status == 200
    with pytest.raises(Unreachable):
        client.exchange(Daemon("fcgi://nowhere.invalid:1"), "GET", "/healthz", timeout=5)


def test_connecting_has_a_timeout(client):
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
            d = Daemon(f"fcgi://127.0.0.1:{port}", connect_timeout=0.3)
            client.exchange(d, "GET", "/x", timeout=1)
        assert time.monotonic() - began < 3
        for each in fill:
            each.close()
