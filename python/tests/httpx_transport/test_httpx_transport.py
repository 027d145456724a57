"""httpx and httpx2 through Curlew, beside themselves alone where the two should agree."""

import asyncio
import gc
import subprocess
import sys
import threading
import time

import pytest

from django_curlew import context, daemon
from tests.support.origin.client import now
from tests.support.scripted_origin import ScriptedOrigin


def both(variant, origin, method, path, **options):
    """The response through Curlew, and the package's own."""
    url = origin.url(path)
    return variant.client().request(method, url, **options), variant.alone().request(
        method, url, **options
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
def test_the_origin_sees_what_httpx_would_have_sent(variant, origin, method, options):
    if isinstance(options.get("content"), list) and variant.is_async:
        options = {"content": b"ab", "headers": {"Content-Type": "x/y"}}
    if "files" in options:
        options = {**options, "headers": {"Content-Type": "multipart/form-data; boundary=b"}}
    ours, alone = both(variant, origin, method, "/echo", **options)
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
def test_the_response_is_as_httpx_would_have_it(variant, origin, path):
    ours, alone = both(variant, origin, "GET", path)
    assert (ours.status_code, ours.content, ours.text, ours.reason_phrase, ours.http_version) == (
        alone.status_code,
        alone.content,
        alone.text,
        alone.reason_phrase,
        alone.http_version,
    )
    kept = [[(n, v) for n, v in r.headers.raw if n.lower() != b"date"] for r in (ours, alone)]
    assert kept[0] == kept[1]


ODD_HEAD = (
    b"HTTP/1.1 404 N\xc3\xb6t h\xe9re\r\nx-lower: 1\r\nX-UPPER: 2\r\nX-Bytes: \xd6\xd0\r\n"
    b"X-Utf8: \xc3\xa9\r\nX-Twice: a\r\nX-Twice: b\r\nX-Empty:\r\nContent-Length: 2\r\n\r\nok"
)


def test_the_head_of_a_response_byte_for_byte(variant):
    with ScriptedOrigin(lambda request, connection: connection.send(ODD_HEAD)) as origin:
        ours = variant.client().get(origin.url("/"))
        alone = variant.alone().get(origin.url("/"))
    assert ours.headers.raw == alone.headers.raw
    assert (b"X-Bytes", b"\xd6\xd0") in ours.headers.raw
    assert (b"x-lower", b"1") in ours.headers.raw and (b"X-UPPER", b"2") in ours.headers.raw
    assert ours.extensions["reason_phrase"] == alone.extensions["reason_phrase"]
    assert ours.extensions["http_version"] == alone.extensions["http_version"] == b"HTTP/1.1"


HEADERS = [
    (b"x-lower", b"1"),
    (b"X-UPPER", b"2"),
    (b"X-Bytes", b"\xd6\xd0"),
    (b"X-Utf8", b"\xc3\xa9"),
    (b"X-Twice", b"a"),
    (b"X-Twice", b"b"),
    (b"user-agent", b"me"),
    (b"X-Empty", b""),
]
TARGETS = [
    "/",
    "/?",
    "/a?b=c&d",
    "/a//b",
    "/%7Euser/%41",
    "/a;b=1,2",
    "/ü?ö=ä",
    "/a b",
    "/a?q='()*!",
    "/a?x=[1]&y={2}|3",
    "/a#fragment",
    "/a/../b",
    "/?a=%zz",
    '/a"b<c>',
]


def seen(variant, client, path, **options):
    """What an origin gets: (target, header fields)."""

    def ok(request, connection):
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with ScriptedOrigin(ok) as origin:
        client.get(origin.url(path), **options)
        request = origin.requests[0]
    fields = [(n, v) for n, v in request.fields if n.lower() not in (b"connection", b"host")]
    return request.target, fields


def test_the_headers_of_a_request_byte_for_byte(variant):
    _, ours = seen(variant, variant.client(), "/", headers=HEADERS)
    _, alone = seen(variant, variant.alone(), "/", headers=HEADERS)
    assert ours == alone
    assert set(HEADERS) <= set(ours)


@pytest.mark.parametrize("path", TARGETS)
def test_the_target_of_a_request_byte_for_byte(variant, path):
    ours, _ = seen(variant, variant.client(), path)
    alone, _ = seen(variant, variant.alone(), path)
    assert ours == alone


def test_user_and_password_of_the_url_are_httpxs_own(variant, origin):
    page = origin.url("/echo").replace("://", "://user:pass@")
    ours, alone = variant.client().get(page).json(), variant.alone().get(page).json()
    authorizations = [[v for n, v in e["headers"] if n == "Authorization"] for e in (ours, alone)]
    assert authorizations[0] == authorizations[1] == ["Basic dXNlcjpwYXNz"]


@pytest.mark.parametrize("path", ["/bytes/300000", "/bytes/300000?chunked", "/gzip"])
def test_head_has_the_length(variant, origin, path):
    ours, alone = both(variant, origin, "HEAD", path)
    assert ours.content == alone.content == b""
    assert ours.headers.get("content-length") == alone.headers.get("content-length")


def test_not_modified_has_the_length(variant):
    head = b"HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n"
    with ScriptedOrigin(lambda request, connection: connection.send(head)) as origin:
        response = variant.client().get(origin.url("/"))
    assert (response.status_code, response.headers["content-length"]) == (304, "77")


def test_redirects_and_cookies_are_httpxs_own(variant, origin):
    client = variant.client()
    response = client.get(origin.url("/cookies/set?a=1"), follow_redirects=True)
    assert response.json() == {"a": "1"}
    assert [r.status_code for r in response.history] == [302]
    assert client.get(origin.url("/redirect/1")).status_code == 302


def test_the_extensions(variant, origin):
    response = variant.client().get(origin.url("/hello"))
    stream, envelope = response.extensions["network_stream"], response.extensions["curlew"]
    assert envelope["url"] == origin.url("/hello")
    assert response.extensions["reason_phrase"] == b"OK"
    host, port = stream.get_extra_info("server_addr")
    assert f"http://{host}:{port}/hello" == origin.url("/hello")
    assert stream.get_extra_info("client_addr")[0] == "127.0.0.1"
    assert stream.get_extra_info("ssl_object") is None


@pytest.mark.parametrize("name", ["sni_hostname", "target"])
def test_an_extension_that_cannot_cross_is_refused(variant, origin, name):
    with pytest.raises(variant.package.LocalProtocolError, match=name):
        variant.client().get(origin.url("/hello"), extensions={name: "a.example"})


def test_the_trace_context_is_sent(variant, origin):
    with context.propagate(request_id="job-7"):
        echo = variant.client().get(origin.url("/echo")).json()
    assert ["X-Request-ID", "job-7"] in echo["headers"]


def test_more_failures(variant):
    package = variant.package
    with pytest.raises(package.ConnectError, match="blocked"):
        variant.client().get("http://10.1.2.3/")
    with pytest.raises(package.LocalProtocolError, match="unknown_session"):
        variant.client(session="none").get("http://127.0.0.1:9/")


def test_a_daemon_that_is_down(variant, tmp_path):
    variant.daemon = daemon.Daemon(f"fcgi+unix:{tmp_path}/none.sock")
    with pytest.raises(variant.package.ConnectError):
        variant.client().get("http://a.example/")


def test_an_origins_own_problem_is_a_response(variant, origin):
    page = origin.url("/say?status=502&h=Content-Type:application/problem%2Bjson")
    assert variant.client().get(page).status_code == 502


# -- streams --------------------------------------------------------------------------------------


@pytest.fixture
def sync_variant(variant):
    if variant.is_async:
        pytest.skip("the test is for blocking clients")
    return variant


@pytest.fixture
def async_variant(variant):
    if not variant.is_async:
        pytest.skip("the test is for async clients")
    return variant


def test_a_stream_comes_piece_by_piece_and_may_be_left(sync_variant, origin):
    target = "/pour?httpx"
    with sync_variant.client() as client:
        with client.stream("GET", origin.url("/ticks?n=3&every=0.2")) as response:
            late = [time.monotonic() - float(line[6:]) for line in response.iter_lines() if line]
        assert len(late) == 3 and max(late) < 0.15
        with client.stream("GET", origin.url(target)) as response:
            next(response.iter_raw())
            left = now()
    assert origin.wait_for("left", target) - left < 0.5


def test_a_response_that_is_only_dropped_is_closed(sync_variant, origin):
    """By reference count. A response of httpx' own client refers to itself (httpx2's does not):
    then its transport's."""
    target = f"/pour?{sync_variant.package.__name__}-dropped"
    request = sync_variant.package.Request("GET", origin.url(target))
    gc.disable()
    try:
        if sync_variant.package.__name__ == "httpx2":
            response = sync_variant.client().send(request, stream=True)
        else:
            response = sync_variant.transport(sync_variant.daemon).handle_request(request)
        next(iter(response.iter_raw()))
        left = now()
        del response
        assert origin.wait_for("left", target) - left < 0.5
    finally:
        gc.enable()


def test_one_client_in_many_threads(sync_variant, origin):
    client = sync_variant.client()
    failures = []

    def work(number):
        try:
            for i in range(20):
                echo = client.get(origin.url(f"/echo?{number}-{i}")).json()
                assert echo["target"].endswith(f"?{number}-{i}"), echo
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_an_async_stream_comes_piece_by_piece_and_may_be_left(async_variant, origin):
    target = "/pour?async"

    async def main():
        transport = async_variant.transport(async_variant.daemon)
        async with async_variant.package.AsyncClient(transport=transport) as client:
            async with client.stream("GET", origin.url("/ticks?n=3&every=0.2")) as response:
                late = [
                    time.monotonic() - float(line[6:])
                    async for line in response.aiter_lines()
                    if line
                ]
            assert len(late) == 3 and max(late) < 0.15
            async with client.stream("GET", origin.url(target)) as response:
                async for _ in response.aiter_raw():
                    break
            return now()

    left = asyncio.run(main())
    assert origin.wait_for("left", target) - left < 0.5


def test_a_cancelled_task_cancels_its_fetch(async_variant, origin):
    target = "/delay/28"

    async def main():
        transport = async_variant.transport(async_variant.daemon)
        async with async_variant.package.AsyncClient(transport=transport) as client:
            task = asyncio.create_task(client.get(origin.url(target), timeout=None))
            await asyncio.to_thread(origin.wait_for, "arrived", target)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return now()

    left = asyncio.run(main(), debug=True)
    assert origin.wait_for("left", target) - left < 0.5


def test_one_client_for_many_loops(async_variant, origin):
    client = async_variant.client()
    assert [client.get(origin.url("/hello")).text for _ in range(5)] == ["hello\n"] * 5


def test_many_at_once(async_variant, origin):
    async def main():
        transport = async_variant.transport(async_variant.daemon)
        async with async_variant.package.AsyncClient(transport=transport) as client:
            got = await asyncio.gather(*(client.get(origin.url("/delay/0.3")) for _ in range(50)))
        return {r.text for r in got}

    assert asyncio.run(main()) == {"late\n"}
    assert origin.stats()["max_in_flight"] > 10


def test_trio_is_refused_by_name(async_variant):
    trio = pytest.importorskip("trio")
    client = async_variant.package.AsyncClient(
        transport=async_variant.transport(async_variant.daemon)
    )
    with pytest.raises(RuntimeError, match="trio"):
        trio.run(client.get, "http://127.0.0.1:9/")


def test_the_module_of_httpx2_does_not_import_httpx():
    code = "import django_curlew.adapters.httpx2, sys; sys.exit('httpx' in sys.modules)"
    pytest.importorskip("httpx2")
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})
