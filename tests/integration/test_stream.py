"""…/v1/stream passes on status, headers and bytes of the origin, behind every web server."""

import hashlib
import gzip
import json
import shutil
import time
from urllib.parse import urlencode

import pytest

from tests.support import streams
from tests.support.clients import problem
from tests.support.curlewd import Curlewd
from tests.support.procs import free_port, wait_until
from tests.support.scripted_origin import ScriptedOrigin, answer
from tests.support.streams import open_stream, request_stream

CLIENTS = [pytest.param(name, marks=pytest.mark.xdist_group(f"stream-{name}"))
           for name in streams.CLIENTS]
PATTERN = bytes(range(256))


@pytest.fixture(scope="module", params=CLIENTS)
def client(request):
    """A daemon of its own behind each web server and mode."""
    daemon = Curlewd({"limits": {"response_bytes": 1000}})  # of no account for streams
    with streams.connected(request.param, daemon) as client:
        client.name = request.param
        yield client
    daemon.stop()
    shutil.rmtree(daemon.directory, ignore_errors=True)


@pytest.fixture
def url(origin):
    return origin.url


def said(url, *headers, status=200):
    """A page that says these."""
    return url("/say?" + urlencode([("status", status), *(("h", h) for h in headers)]))


# -- the head --------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 203, 400, 401, 403, 404, 410, 418, 429, 500, 503])
def test_the_status_and_the_body_are_the_origins(client, url, status):
    with open_stream(client, url=said(url, "Content-Type:text/x-said", status=status)) as s:
        assert (s.status, s.header("content-type"), s.read_all()) == (status, "text/x-said",
                                                                      b"said\n")


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_a_body_passes(client, url, status):
    with open_stream(client, url=said(url, "ETag:\"v1\"", status=status)) as s:
        assert (s.status, s.header("etag"), s.read_all()) == (status, '"v1"', b"")


def test_a_head_just_below_the_limit_passes(client, url):
    """15 KB: limits.head_bytes is 16 KiB, and each example has room for it."""
    words = [f"X-Long-{i}: {'x' * 1500}" for i in range(10)]
    with ScriptedOrigin(lambda _, c: c.send(answer(fields=words))) as origin, \
            open_stream(client, url=origin.url("/")) as s:
        assert s.status == 200 and s.read_all() == b"ok"
        assert s.header("x-long-9") == "x" * 1500


def test_a_head_over_the_limit_is_a_problem(client, url):
    words = [f"X-Long-{i}: {'x' * 1500}" for i in range(11)]
    with ScriptedOrigin(lambda _, c: c.send(answer(fields=words))) as origin, \
            open_stream(client, url=origin.url("/")) as s:
        assert s.status == 502 and s.header("content-type") == "application/problem+json"
        p = json.loads(s.read_all())
        assert p["code"] == "response_too_large" and "limits.head_bytes" in p["detail"]


def test_304_tells_the_length_apart(client, url):
    with open_stream(client, url=said(url, "ETag:\"v1\"", "Content-Length:1234",
                                      status=304)) as s:
        assert (s.status, s.read_all()) == (304, b"")
        assert s.header("curlew-content-length") == "1234"


def test_end_to_end_headers_pass_as_often_as_they_came(client, url):
    page = said(url, "X-One:1", "Set-Cookie:a=1; Path=/", "Set-Cookie:b=2",
                "Cache-Control:max-age=9", "Vary:Accept", "ETag:\"v1\"", "X-Empty:",
                "Content-Language:de")
    with open_stream(client, url=page) as s:
        assert (s.header("x-one"), s.header("vary"), s.header("etag")) == ("1", "Accept", '"v1"')
        assert s.get_all("set-cookie") == ["a=1; Path=/", "b=2"]
        assert (s.header("cache-control"), s.header("content-language")) == ("max-age=9", "de")


def test_hop_by_hop_headers_are_removed(client, url):
    page = said(url, "Connection:close, X-Named , x-other", "X-Named:1", "X-Other:2", "X-Kept:3",
                "Keep-Alive:timeout=77", "Proxy-Authenticate:Basic", "Proxy-Connection:close",
                "TE:trailers", "Trailer:X-Sum", "Upgrade:h2c")
    with open_stream(client, url=page) as s:
        assert s.header("x-kept") == "3" and s.read_all() == b"said\n"
        names = {n.lower() for n, _ in s.headers}
        assert not names & {"x-named", "x-other", "proxy-authenticate", "proxy-connection", "te",
                            "trailer", "upgrade"}
        assert "timeout=77" not in (s.header("keep-alive") or "")


OBEYED = ["X-Accel-Redirect:/_fetch/healthz", "X-Accel-Limit-Rate:1", "X-Accel-Expires:9",
          "X-Accel-Charset:koi8-r", "X-Accel-Buffering:yes", "X-Sendfile:/etc/hostname",
          "X-Sendfile2:/etc/hostname 0-", "X-LIGHTTPD-send-file:/etc/hostname",
          "X-LIGHTTPD-KBytes-per-second:1", "X-Reproxy-URL:http://127.0.0.1:1/",
          "X-Curlew-Request:@forged", "Status:418 Teapot", "Curlew-Url:http://forged.example/"]


@pytest.mark.parametrize("header", OBEYED, ids=lambda h: h.split(":")[0])
def test_headers_that_a_web_server_obeys_are_removed(client, url, header):
    name, value = header.split(":", 1)
    with open_stream(client, url=said(url, header, "X-Kept:1")) as s:
        assert (s.status, s.header("x-kept"), s.read_all()) == (200, "1", b"said\n")
        assert value not in s.get_all(name.lower())


@pytest.mark.parametrize("status, to", [(201, "/new"), (200, "/odd"), (302, "/next"), (302, "x"),
                                        (307, "http://127.0.0.1:1/away")])
def test_a_redirect_is_passed_to_the_client(client, url, status, to):
    """CGI has it that a web server follows a local one by itself: RFC 3875 section 6.2.2."""
    with open_stream(client, url=said(url, f"Location:{to}", status=status),
                     follow_redirects=False) as s:
        assert (s.status, s.header("location"), s.read_all()) == (status, to, b"said\n")


def test_headers_describe_the_fetch(client, url):
    open_stream(client, url=url("/hello")).read_all()
    with open_stream(client, url=url("/redirect/2")) as s:
        values = {n.lower(): v for n, v in s.headers if n.lower().startswith("curlew-")}
        assert s.read_all() == b"hello\n"
    assert values.pop("curlew-connection").startswith("reused; 127.0.0.1:")
    assert 0 < float(values.pop("curlew-first-byte")) < 5
    assert values == {"curlew-url": url("/hello"), "curlew-http-version": "1.1",
                      "curlew-redirects": "2", "curlew-attempts": "1",
                      "curlew-session": "default"}


# -- the body --------------------------------------------------------------


@pytest.mark.parametrize("page", ["/bytes/3000000", "/bytes/3000000?chunked", "/bytes/70000",
                                  "/bytes/1", "/bytes/0"])
def test_a_body_comes_through_whole(client, url, page):
    size = int(page.removeprefix("/bytes/").removesuffix("?chunked"))
    whole = (PATTERN * (size // 256 + 1))[:size]
    with open_stream(client, url=url(page)) as s:
        if "chunked" not in page and client.name != "apache":  # who has lengths of his own only
            assert s.header("content-length") == str(size)
        assert hashlib.sha256(s.read_all()).digest() == hashlib.sha256(whole).digest()


def test_a_body_that_ends_with_the_connection_is_complete(client, url):
    with open_stream(client, url=url("/until-close")) as s:
        assert s.read_all() == b"up to the end\n"


def test_trailers_are_left_out(client, url):
    with open_stream(client, url=url("/trailers")) as s:
        assert s.read_all() == b"with a trailer\n" and s.header("x-sum") is None


def test_a_get_with_the_keys_in_the_query(client, url):
    query = urlencode({"url": url("/ranges"), "tag": "t"})
    with request_stream(client, "GET", f"{streams.ROUTE}?{query}") as s:
        assert (s.status, s.read_all()) == (200, b"0123456789" * 100)


def test_a_head_request_gets_the_head_alone(client, url):
    with open_stream(client, url=url("/bytes/1000"), method="HEAD") as s:
        assert (s.status, s.read_all()) == (200, b"")
        assert s.header("content-type") == "application/octet-stream"
        assert s.header("curlew-content-length") == "1000"


@pytest.mark.parametrize("asked_for, status, got, content_range", [
    ("bytes=10-19", 206, b"0123456789", "bytes 10-19/1000"),
    ("bytes=998-", 206, b"89", "bytes 998-999/1000"),
    ("bytes=1000-", 416, b"", "bytes */1000")])
def test_ranges_are_passed_on(client, url, asked_for, status, got, content_range):
    with open_stream(client, url=url("/ranges"), headers={"Range": asked_for}) as s:
        assert (s.status, s.read_all(), s.header("content-range")) == (status, got, content_range)


def test_a_conditional_request_may_get_304(client, url):
    with open_stream(client, url=url("/ranges"), headers={"If-None-Match": '"v1"'}) as s:
        assert (s.status, s.header("etag"), s.read_all()) == (304, '"v1"', b"")


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "deflate"])
def test_a_compressed_body_passes_as_it_is(client, url, coding):
    with open_stream(client, url=url(f"/{coding}")) as s:
        assert s.header("content-encoding") == coding
        body = s.read_all()
    assert body != f"this was {coding}\n".encode()
    assert coding != "gzip" or gzip.decompress(body) == b"this was gzip\n"


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "deflate"])
def test_a_compressed_body_is_decoded_where_asked(client, url, coding):
    with open_stream(client, url=url(f"/{coding}"), decompress=True) as s:
        assert s.header("content-encoding") is None
        assert s.read_all() == f"this was {coding}\n".encode()


def test_decompress_leaves_a_plain_body_alone(client, url):
    with open_stream(client, url=url("/bytes/1000"), decompress=True) as s:
        assert s.read_all() == (PATTERN * 4)[:1000]


def test_digest_authentication_works(client, url):
    with open_stream(client, url=url("/auth/digest"), auth={"digest": ["user", "secret"]}) as s:
        assert (s.status, json.loads(s.read_all())) == (200, {"user": "user"})
        assert s.header("www-authenticate") is None
    with open_stream(client, url=url("/auth/digest"), auth={"digest": ["user", "wrong"]}) as s:
        assert (s.status, s.read_all()) == (401, b"no\n")


def test_an_interim_response_is_not_the_head(client, url):
    with open_stream(client, url=url("/early-hints")) as s:
        assert (s.status, s.header("link"), s.read_all()) == (200, None, b"ok\n")


def test_only_what_the_request_says_is_sent(client, url):
    with open_stream(client, url=url("/echo"), method="PUT", json={"a": "ü"},
                     headers={"X-A": "1"}) as s:
        echo = json.loads(s.read_all())
    assert echo["method"] == "PUT" and ["X-A", "1"] in echo["headers"]
    assert not [n for n, _ in echo["headers"] if n.lower() == "accept-encoding"]


def test_max_body_bytes_allows_exactly_its_size(client, url):
    with open_stream(client, url=url("/bytes/100000"), max_body_bytes=100000) as s:
        assert len(s.read_all()) == 100000


# -- failures before the head ----------------------------------------------

BEFORE = [
    ({"url": "{http}/hang-up"}, 502, "recv_failed"),
    ({"url": "{http}/garbage"}, 502, "protocol_error"),
    ({"url": "{http}/reset"}, 502, None),
    ({"url": "{http}/silent", "timeout": 0.3}, 504, "timeout"),
    ({"url": "{http}/half-head", "timeout": {"idle": 0.3}}, 504, "idle_timeout"),
    ({"url": "{http}/endless-headers"}, 502, "protocol_error"),
    ({"url": "{http}/redirect/3", "max_redirects": 2}, 502, "too_many_redirects"),
    ({"url": "http://127.0.0.1:{closed}/"}, 502, "connect_failed"),
    ({"url": "http://nothing.invalid/"}, 502, "dns_failed"),
    ({"url": "http://10.1.2.3/"}, 403, "blocked"),
    ({"url": "{http}/redirect-to?url=http://10.1.2.3/"}, 403, "blocked"),
    ({"url": "nonsense"}, 400, "bad_url"),
    ({"url": "{http}/hello", "forward_headers": ["range"]}, 400, "bad_request"),
    ({"url": "{http}/hello", "surprise": 1}, 400, "bad_request"),
    ({"url": "{http}/hello", "session": "nobody"}, 404, "unknown_session"),
]


@pytest.mark.parametrize("asked_for, status, code", BEFORE,
                         ids=[f"{r['url']}-{c}" for r, _, c in BEFORE])
def test_a_failure_before_the_head_is_a_problem(client, url, asked_for, status, code):
    where = asked_for["url"].replace("{http}", url("")).replace("{closed}", str(free_port()))
    response = client.ask("POST", streams.ROUTE,
                          body=json.dumps({**asked_for, "url": where}).encode())
    problem(response, status, code or response.json()["code"])


def test_other_methods_are_refused(client):
    problem(client.ask("PUT", streams.ROUTE), 405, "method_not_allowed")
    problem(client.ask("POST", streams.ROUTE), 400, "bad_request")


# -- time, straight on the socket ------------------------------------------


def test_the_default_timeout_ends_with_the_head(daemon, origin):
    """Thirty seconds are for the head; a body takes as long as it takes."""
    start = time.monotonic()
    with open_stream(daemon.client, url=origin.url("/drip?n=33&every=1"), timeout=40) as s:
        assert s.read_all() == b"x" * 33
    assert time.monotonic() - start > 31


def test_max_recv_speed_limits_the_rate(daemon, origin):
    start = time.monotonic()
    with open_stream(daemon.client, url=origin.url("/bytes/60000"), max_recv_speed=40000) as s:
        assert len(s.read_all()) == 60000
    assert 0.5 < time.monotonic() - start < 5


def test_a_stream_is_logged_when_it_ends(curlewd, origin):
    daemon = curlewd()
    with open_stream(daemon.client, url=origin.url("/bytes/100000"), tag="film") as s:
        s.read_all()
    line = wait_until("a line", lambda: daemon.log_entries("fetch"))[0]
    assert (line["status"], line["bytes"], line["tag"]) == (200, 100000, "film")
