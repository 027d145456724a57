"""httpx through Curlew, beside httpx alone where the two should agree."""

import asyncio
import json
import time

import httpx
import pytest

from django_curlew import context, daemon
from django_curlew.adapters.httpx import AsyncCurlewTransport, CurlewTransport
from tests.support.origin.client import now
from tests.support.procs import free_port


class AsyncClient:
    """The async client with a sync face: each call runs on an event loop of its own."""

    def __init__(self, **options):
        self.client = httpx.AsyncClient(**options)

    def __getattr__(self, name):
        return lambda *args, **kw: asyncio.run(getattr(self.client, name)(*args, **kw))


@pytest.fixture(params=["sync", "async"])
def client(request, one_daemon):
    """client(keys…) → an httpx client before the tests' daemon."""
    d = daemon.Daemon(f"fcgi+unix:{one_daemon.socket}")

    def make(**keys):
        if request.param == "sync":
            return httpx.Client(transport=CurlewTransport(d, **keys))
        return AsyncClient(transport=AsyncCurlewTransport(d, **keys))

    return make


def both(client, origin, method, path, **options):
    """The response through Curlew, and httpx' own."""
    with httpx.Client() as alone:
        return (
            client().request(method, origin.url(path), **options),
            alone.request(method, origin.url(path), **options),
        )


SENT = [
    ("GET", {}),
    ("HEAD", {}),
    ("DELETE", {}),
    ("POST", {}),
    ("POST", {"content": b"\x00\xff" * 99}),
    ("PUT", {"content": "grüße"}),
    ("POST", {"json": {"a": ["ü", None]}}),
    ("POST", {"data": {"a": "1"}}),
    ("GET", {"params": {"q": "a b"}}),
    ("POST", {"files": {"f": ("n.txt", b"x", "text/plain")}}),
    ("PATCH", {"content": b""}),
    ("GET", {"headers": {"X-A": "1", "Accept": "a/b"}}),
    ("GET", {"headers": [("X-A", "1"), ("X-A", "2")]}),
    ("GET", {"headers": {"Host": "other.example"}}),
    ("GET", {"headers": {"Cookie": "a=b"}}),
    ("GET", {"auth": ("u", "p")}),
    ("POST", {"content": [b"a", b"b"]}),
]


@pytest.mark.parametrize("method, options", SENT, ids=repr)
def test_the_origin_sees_what_httpx_would_have_sent(client, origin, method, options, request):
    if isinstance(options.get("content"), list) and "async" in request.node.callspec.id:
        options = {"content": b"ab", "headers": {"Content-Type": "x/y"}}
    if "files" in options:
        options = {**options, "headers": {"Content-Type": "multipart/form-data; boundary=b"}}
    ours, alone = both(client, origin, method, "/echo", **options)
    assert ours.status_code == alone.status_code
    if method == "HEAD":
        return
    ours, alone = ours.json(), alone.json()
    for echo in (ours, alone):  # of the hop, and of how a body of unknown length is framed
        echo["headers"] = sorted(
            [n.lower(), v]
            for n, v in echo["headers"]
            if n.lower() not in ("connection", "content-length", "transfer-encoding")
        )
        del echo["peer_port"], echo["connection"]
    assert ours == alone


RECEIVED = [
    "/hello",
    "/odd-headers",
    "/gzip",
    "/br",
    "/zstd",
    "/status/404",
    "/status/500",
    "/binary",
    "/bytes/300000",
    "/bytes/300000?chunked",
    "/charset/shift_jis",
    "/headers/100",
    "/raw?hex=",
]


@pytest.mark.parametrize("path", RECEIVED)
def test_the_response_is_as_httpx_would_have_it(client, origin, path):
    ours, alone = both(client, origin, "GET", path)
    assert (ours.status_code, ours.content, ours.text) == (
        alone.status_code,
        alone.content,
        alone.text,
    )
    hop = ("connection", "date", "transfer-encoding", "keep-alive")
    kept = [[(n, v) for n, v in r.headers.multi_items() if n not in hop] for r in (ours, alone)]
    assert kept[0] == kept[1]


def test_redirects_and_cookies_are_httpxs_own(client, origin):
    with_redirects = client()
    response = with_redirects.get(origin.url("/cookies/set?a=1"), follow_redirects=True)
    assert response.json() == {"a": "1"}
    assert [r.status_code for r in response.history] == [302]
    assert with_redirects.get(origin.url("/redirect/1")).status_code == 302


def test_the_facts(client, origin):
    facts = client().get(origin.url("/hello")).extensions
    assert facts["http_version"] == b"HTTP/1.1"
    assert facts["curlew"]["url"] == origin.url("/hello")


def test_keys_for_every_request(client, origin):
    assert client(session="jar").get(origin.url("/hello")).extensions["curlew"]["session"] == "jar"
    with pytest.raises(httpx.LocalProtocolError, match="surprise"):
        client(surprise=1).get(origin.url("/hello"))


def test_the_trace_context_is_sent(client, origin):
    with context.propagate(request_id="job-7"):
        seen = client().get(origin.url("/echo")).json()
    assert ["X-Request-ID", "job-7"] in seen["headers"]


@pytest.mark.parametrize(
    "path, options, raised",
    [
        ("/delay/9", {"timeout": 0.1}, httpx.ReadTimeout),
        ("/hang-up", {}, httpx.NetworkError),
        ("/cut?n=10", {}, httpx.RemoteProtocolError),
        ("/cut?n=10&framing=chunked&how=reset", {}, httpx.RemoteProtocolError),
        ("/cut?how=stall", {"timeout": httpx.Timeout(5, read=0.2)}, httpx.ReadTimeout),
    ],
)
def test_failures_have_httpxs_names(client, origin, path, options, raised):
    with pytest.raises(raised):
        client().get(origin.url(path), **options)


def test_more_failures(client, origin):
    with pytest.raises(httpx.ConnectError, match="connect_failed"):
        client().get(f"http://127.0.0.1:{free_port()}/")
    with pytest.raises(httpx.ConnectError, match="blocked"):
        client().get("http://10.1.2.3/")
    with pytest.raises(httpx.ConnectError, match="tls_failed"):
        client(session="jar").get(origin.url("/hello", port="https"))


def test_a_certificate_need_not_be_checked(client, origin):
    got = client(session="jar", verify=False).get(origin.url("/hello", port="https"))
    assert got.text == "hello\n"


def test_a_daemon_that_is_down(tmp_path):
    transport = CurlewTransport(daemon.Daemon(f"fcgi+unix:{tmp_path}/none.sock"))
    with httpx.Client(transport=transport) as client, pytest.raises(httpx.ConnectError):
        client.get("http://a.example/")


def test_an_origins_own_problem_is_a_response(client, origin):
    page = origin.url("/say?status=502&h=Content-Type:application/problem%2Bjson")
    assert client().get(page).status_code == 502


def test_a_stream_comes_piece_by_piece_and_may_be_left(one_daemon, origin):
    target = "/pour?httpx"
    with httpx.Client(
        transport=CurlewTransport(daemon.Daemon(f"fcgi+unix:{one_daemon.socket}"))
    ) as client:
        with client.stream("GET", origin.url("/ticks?n=3&every=0.2")) as response:
            late = [time.monotonic() - float(line[6:]) for line in response.iter_lines() if line]
        assert len(late) == 3 and max(late) < 0.15
        with client.stream("GET", origin.url(target)) as response:
            next(response.iter_raw())
            left = now()
    assert origin.wait_for("left", target) - left < 0.5


def test_a_cancelled_task_cancels_its_fetch(one_daemon, origin):
    target = "/delay/28"

    async def main():
        transport = AsyncCurlewTransport(daemon.Daemon(f"fcgi+unix:{one_daemon.socket}"))
        async with httpx.AsyncClient(transport=transport) as client:
            task = asyncio.create_task(client.get(origin.url(target), timeout=None))
            await asyncio.to_thread(origin.wait_for, "arrived", target)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return now()

    left = asyncio.run(main(), debug=True)
    assert origin.wait_for("left", target) - left < 0.5


def test_one_client_for_many_loops(one_daemon, origin):
    client = AsyncClient(
        transport=AsyncCurlewTransport(daemon.Daemon(f"fcgi+unix:{one_daemon.socket}"))
    )
    assert [client.get(origin.url("/hello")).text for _ in range(5)] == ["hello\n"] * 5


def test_a_pool_of_one_is_not_needed(one_daemon, origin):
    async def main():
        transport = AsyncCurlewTransport(daemon.Daemon(f"fcgi+unix:{one_daemon.socket}"))
        async with httpx.AsyncClient(transport=transport) as client:
            got = await asyncio.gather(*(client.get(origin.url("/delay/0.3")) for _ in range(50)))
        return {r.text for r in got}

    assert asyncio.run(main()) == {"late\n"}
    assert json.dumps(origin.stats()["max_in_flight"]) and origin.stats()["max_in_flight"] > 10
