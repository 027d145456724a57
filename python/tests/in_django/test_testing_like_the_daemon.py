"""The same script of origins' responses, by the stub and by a real daemon: equal results."""

import asyncio
import gzip
import json
import re
import socket
import threading
import time
import zlib
from pathlib import Path

import httpx
import pytest
import requests as plain_requests
from django.test import RequestFactory

from django_curlew import AsyncSession, HandOff, Session
from django_curlew import daemon as daemon_client
from django_curlew.adapters.httpx import CurlewTransport
from django_curlew.adapters.requests import CurlewAdapter
from django_curlew.handoff_store import HandoffStoreError
from django_curlew.requests import exceptions
from django_curlew.testing import check_request, override_curlew
from django_curlew.testing.fake import STATUS_OF_CODE

ROOT = Path(__file__).parents[3]


class Origin:
    """Answers each path by (status, headers, body), as it is given, or by a list of such."""

    def __init__(self):
        self.responses = {}
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        self._listener.close()

    def _serve(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self._answer(connection)

    def _answer(self, connection):
        received = b""
        while b"\r\n\r\n" not in received:
            data = connection.recv(65536)
            if not data:
                return
            received += data
        head, _, body = received.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        while length and len(body) < int(length.group(1)):
            body += connection.recv(65536)
        method, path = head.decode().split()[:2]
        found = self.responses[path.partition("?")[0]]
        if isinstance(found, list):  # to be used in turn
            found = found.pop(0) if len(found) > 1 else found[0]
        if isinstance(found, str):  # an error: the connection ends without a response
            return
        status, headers, content = found
        lines = [f"HTTP/1.1 {status} {REASONS.get(status, '')}", *(f"{n}: {v}" for n, v in headers)]
        if status not in (204, 304):
            lines.append(f"Content-Length: {len(content)}")
        sent = "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1")
        connection.sendall(sent + (b"" if method == "HEAD" or status in (204, 304) else content))


REASONS = {200: "OK", 201: "Created", 204: "No Content", 301: "Moved Permanently", 302: "Found",
           303: "See Other", 304: "Not Modified", 307: "Temporary Redirect", 404: "Not Found",
           308: "Permanent Redirect", 503: "Service Unavailable"}

TEXT = "h\u00e9"
# name → {path: (status, headers, body)}; the fetch is of /
SCRIPTS = {
    "plain": {"/": (200, [("Content-Type", "text/plain; charset=utf-8")], TEXT.encode())},
    "another charset": {"/": (200, [("Content-Type", "text/html; charset=ISO-8859-1")],
                              TEXT.encode("latin-1"))},
    "no charset": {"/": (200, [("Content-Type", "application/json")], b'{"a": 1}')},
    "not found": {"/": (404, [("X-A", "1"), ("X-A", "2")], b"no")},
    "unavailable": {"/": (503, [("Retry-After", "7")], b"")},
    "no content": {"/": (204, [("X-A", "1")], b"")},
    "one cookie": {"/": (200, [("Set-Cookie", "a=1; Path=/")], b"")},
    "cookies": {"/": (200, [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2; HttpOnly; Max-Age=99999"),
                            ("Set-Cookie", "c=3; Path=/x; SameSite=Lax"), ("Set-Cookie", "a=4")],
                      b"")},
    "cookies that are refused": {"/": (200, [
        ("Set-Cookie", "s=1; Secure"), ("Set-Cookie", "d=1; Domain=other.test"),
        ("Set-Cookie", "__Host-x=1; Path=/"), ("Set-Cookie", "__Secure-x=1"),
        ("Set-Cookie", "; Path=/"), ("Set-Cookie", "ok=1; Expires=Wed, 01 Jan 2098 00:00:00 GMT"),
    ], b"")},
    "a deleted cookie": {"/": (302, [("Set-Cookie", "a=1"), ("Location", "/b")], b""),
                         "/b": (200, [("Set-Cookie", "a=; Max-Age=0"),
                                      ("Set-Cookie", "b=; Expires=Thu, 01 Jan 1970 00:00:00 GMT")],
                                b"")},
    "redirects": {"/": (301, [("Location", "b?x=1#f"), ("Set-Cookie", "a=1")], b"moved"),
                  "/b": (302, [("Location", "/c"), ("Set-Cookie", "b=1; Path=/")], b""),
                  "/c": (200, [("Set-Cookie", "c=1; Domain=127.0.0.1")], b"there")},
    **{f"a {status}": {"/": (status, [("Location", "/b")], b""), "/b": (200, [], b"there")}
       for status in (301, 302, 303, 307, 308)},
    "no location": {"/": (302, [], b"stay")},
    "not modified": {"/": (304, [("ETag", '"1"')], b"")},
    "a circle": {"/": (302, [("Location", "/"), ("Set-Cookie", "a=1")], b"")},
    "gzip": {"/": (200, [("Content-Encoding", "gzip")], gzip.compress(b"a" * 999))},
    "gzip twice": {"/": (200, [("Content-Encoding", "gzip, x-gzip")],
                         gzip.compress(gzip.compress(b"a")))},
    "two members": {"/": (200, [("Content-Encoding", "gzip")],
                          gzip.compress(b"a") + gzip.compress(b"b"))},
    "deflate": {"/": (200, [("Content-Encoding", "deflate")], zlib.compress(b"a"))},
    "raw deflate": {"/": (200, [("Content-Encoding", "deflate")], zlib.compress(b"a")[2:-4])},
    "unknown coding": {"/": (200, [("Content-Encoding", "rot13, gzip")], gzip.compress(b"a"))},
    "identity": {"/": (200, [("Content-Encoding", "identity")], b"a")},
    "cut gzip": {"/": (200, [("Content-Encoding", "gzip")], gzip.compress(b"a" * 999)[:-4])},
    "more than gzip": {"/": (200, [("Content-Encoding", "gzip")],
                             gzip.compress(b"a") + b"\0\0" + gzip.compress(b"b") + b"rest")},
    "more than deflate": {"/": (200, [("Content-Encoding", "deflate")],
                                zlib.compress(b"a") + zlib.compress(b"b"))},
    "charsets as codings": {"/": (200, [("Content-Encoding", "utf-8, gzip, ISO-8859-1, none")],
                                  gzip.compress(b"a"))},
    "another scheme": {"/": (302, [("Location", "mailto:a@b.test")], b"")},
    "a location with blanks": {"/": (302, [("Location", "/a b?c d")], b""),
                               "/a%20b": (200, [], b"there")},
    "no URL": {"/": (302, [("Location", "http://a.test:port/")], b"")},
    "not gzip": {"/": (200, [("Content-Encoding", "gzip")], b"plain")},
}
VOLATILE = {"content-length", "connection"}


def pairs_of(headers):
    return [(n, v) for n, v in headers.multi_items() if n.lower() not in VOLATILE]


def cookies_of(session):
    return sorted((c.name, c.value, c.domain, c.path, c.secure, c.discard, seconds_left(c),
                   c.has_nonstandard_attr("HttpOnly")) for c in session.cookies.jar)


def seconds_left(cookie):
    return cookie.expires and round(cookie.expires - time.time(), -2)


def facts_of(response, content):
    return {"status": response.status_code, "reason": response.reason, "url": response.url,
            "headers": pairs_of(response.headers), "content": content,
            "encoding": response.encoding, "version": response.http_version,
            "redirects": (response.redirect_count, response.redirect_url),
            "history": [(r.status_code, r.url, pairs_of(r.headers)) for r in response.history],
            "cookies": sorted(response.cookies.items()), "elapsed": type(response.elapsed),
            "method": response.request.method if response.request else None}


def outcome(fetch):
    """(what came of it, the session's cookies)"""
    session = Session()
    session.cookies.set("mine", "1")
    try:
        found = fetch(session)
    except exceptions.RequestException as err:
        found = (type(err), err.code, err.reason)
    return found, cookies_of(session)


def fetched(session, url, method="GET", **kwargs):
    response = session.request(method, url, **kwargs)
    return facts_of(response, response.content)


def streamed(session, url):
    with session.stream("GET", url) as response:
        return facts_of(response, b"".join(response.iter_content()))


def gathered(session, url):
    one, two = session.gather([url, url], return_exceptions=True)
    return [(type(r), r.reason) if isinstance(r, Exception) else facts_of(r, r.content)
            for r in (one, two)]


def fetched_async(session, url):
    async def main():
        inner = AsyncSession()
        response = await inner.get(url)
        return facts_of(response, response.content), cookies_of(inner)

    return asyncio.run(main())


def by_httpx(session, url):
    with httpx.Client(transport=CurlewTransport(), follow_redirects=True) as client:
        try:
            response = client.get(url)
        except (httpx.HTTPError, httpx.InvalidURL) as err:
            return type(err)
        return (response.status_code, response.content, sorted(client.cookies.items()),
                [r.status_code for r in response.history], response.reason_phrase)


def by_requests(session, url):
    with plain_requests.Session() as client:
        client.mount("http://", CurlewAdapter())
        try:
            response = client.get(url)
        except (plain_requests.RequestException, ValueError) as err:
            return type(err)
        return (response.status_code, response.content, sorted(client.cookies.items()),
                [r.status_code for r in response.history], response.reason)


WAYS = {
    "fetch": fetched, "stream": streamed, "gather": gathered, "async": fetched_async,
    "httpx": by_httpx, "requests": by_requests,
    "HEAD": lambda session, url: fetched(session, url, "HEAD"),
    "POST": lambda session, url: fetched(session, url, "POST", data=b"x"),
    "no redirects": lambda session, url: fetched(session, url, allow_redirects=False),
    "two redirects": lambda session, url: fetched(session, url, max_redirects=2),
    "a limit": lambda session, url: fetched(session, url, max_body_bytes=3),
    "not decoded": lambda session, url: fetched(session, url, accept_encoding=None),
}


@pytest.fixture
def origin_of_script():
    origin = Origin()
    yield origin
    origin.close()


@pytest.mark.filterwarnings("ignore:`secure` changed to True")  # as curl_cffi's response.cookies
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("script", SCRIPTS)
def test_the_stub_responds_as_a_daemon_does(daemon, curlew, origin_of_script, script, way):
    origin = origin_of_script
    origin.responses = SCRIPTS[script]
    curlew(URL=f"fcgi+unix:{daemon.socket}")
    real = outcome(lambda session: WAYS[way](session, f"{origin.url}/"))
    with override_curlew() as stub:
        for path, (status, headers, content) in SCRIPTS[script].items():
            stub.on(re.compile(f"^{origin.url}{path}([?].*)?$"), status=status, headers=headers,
                    content=content)
        stubbed = outcome(lambda session: WAYS[way](session, f"{origin.url}/"))
    assert stubbed == real


# -- retries --------------------------------------------------------------------------------------

SOON = {"max": 2, "backoff": 0, "max_backoff": 2}
BUSY, FINE = (503, [("Set-Cookie", "a=1")], b"busy"), (200, [("Set-Cookie", "b=2")], b"fine")
LATER = (503, [("Retry-After", "3")], b"later")
LATER_BY_DATE = (503, [("Date", "Thu, 01 Jan 2026 00:00:00 GMT"),
                       ("Retry-After", "Thu, 01 Jan 2026 01:00:00 GMT")], b"later")
NOW = (503, [("Retry-After", "soon"), ("Retry-After", "0")], b"")
CUT = (200, [("Content-Encoding", "gzip")], gzip.compress(b"a" * 999)[:-4])
NO_GZIP = (503, [("Content-Encoding", "gzip")], b"plain")
# name → (more keys of the request object, {path: responses in turn})
RETRIED = {
    "a status": ({"retries": SOON}, {"/": [BUSY, BUSY, FINE]}),
    "too many": ({"retries": SOON}, {"/": [BUSY, BUSY, BUSY, FINE]}),
    "none": ({}, {"/": [BUSY, FINE]}),
    "a count": ({"retries": 1}, {"/": [BUSY, FINE]}),
    "zero": ({"retries": 0}, {"/": [BUSY, FINE]}),
    "another status": ({"retries": SOON}, {"/": [(500, [], b""), FINE]}),
    "429": ({"retries": SOON}, {"/": [(429, [], b""), FINE]}),
    "own statuses": ({"retries": {**SOON, "statuses": [404]}}, {"/": [(404, [], b""), BUSY]}),
    "no statuses": ({"retries": {**SOON, "statuses": []}}, {"/": [BUSY, FINE]}),
    "POST": ({"retries": SOON, "method": "POST"}, {"/": [BUSY, FINE]}),
    "a body": ({"retries": SOON, "body": "x"}, {"/": [BUSY, FINE]}),
    "PUT": ({"retries": SOON, "method": "PUT"}, {"/": [BUSY, FINE]}),
    "own methods": ({"retries": {**SOON, "methods": ["POST"]}, "body": "x"}, {"/": [BUSY, FINE]}),
    "methods without it": ({"retries": {**SOON, "methods": ["POST"]}}, {"/": [BUSY, FINE]}),
    "a redirect": ({"retries": SOON}, {"/": [(302, [("Location", "/b")], b"")],
                                       "/b": [BUSY, FINE]}),
    "two hops": ({"retries": SOON}, {"/": [BUSY, (302, [("Location", "/b")], b"")],
                                     "/b": [BUSY, BUSY, FINE]}),
    "a lost connection": ({"retries": SOON}, {"/": ["recv_failed", FINE]}),
    "lost for ever": ({"retries": SOON}, {"/": ["recv_failed"]}),
    "lost, and not retried": ({"retries": {**SOON, "on": ["connect", "status"]}},
                              {"/": ["recv_failed", FINE]}),
    "only kinds": ({"retries": {**SOON, "on": ["read"]}}, {"/": [BUSY, FINE]}),
    "later": ({"retries": SOON}, {"/": [LATER, FINE]}),
    "later, unheeded": ({"retries": {**SOON, "respect_retry_after": False}}, {"/": [LATER, FINE]}),
    "later by date": ({"retries": SOON}, {"/": [LATER_BY_DATE, FINE]}),
    "later than the timeout": ({"retries": {**SOON, "max_backoff": 9}, "timeout": 1},
                               {"/": [LATER, FINE]}),
    "now": ({"retries": SOON}, {"/": [NOW, FINE]}),
    "a cut body": ({"retries": SOON}, {"/": [CUT, FINE]}),
    "a bad body": ({"retries": SOON}, {"/": [(200, NO_GZIP[1], b"plain"), FINE]}),
    "a bad body with a status": ({"retries": SOON}, {"/": [NO_GZIP, FINE]}),
    "a large body": ({"retries": SOON, "max_body_bytes": 2}, {"/": [BUSY, (200, [], b"")]}),
}


def envelope_of(url, keys):
    """What of a result retries decide."""
    response = daemon_client.current().exchange(
        "POST", "/v1/fetch", body=json.dumps({"url": url, **keys}).encode())
    found = json.loads(response.body)
    cookies = [(cookie["name"], cookie["value"]) for cookie in found.get("cookies", ())]
    return (found["status"], found.get("code"), found.get("attempts"), found.get("body"),
            len(found.get("history", ())), cookies)


@pytest.mark.parametrize("name", RETRIED)
def test_the_stub_retries_as_a_daemon_does(daemon, curlew, origin_of_script, name):
    origin, (keys, script) = origin_of_script, RETRIED[name]
    origin.responses = {path: [*responses] for path, responses in script.items()}
    curlew(URL=f"fcgi+unix:{daemon.socket}")
    real = envelope_of(f"{origin.url}/", keys)
    with override_curlew() as stub:
        for path, responses in script.items():
            stub.on(f"{origin.url}{path}", responses=[
                {"error": each} if isinstance(each, str) else
                dict(zip(("status", "headers", "content"), each)) for each in responses])
        stubbed = envelope_of(f"{origin.url}/", keys)
    assert stubbed == real


@pytest.mark.parametrize("code", sorted(STATUS_OF_CODE))
def test_failures_that_the_stub_retries(code):
    """As the table of docs/resilience.md has them."""
    text = (ROOT / "docs" / "resilience.md").read_text()
    kinds = "".join(re.findall(r"^\| `(?:connect|read)`: .*", text, re.M))
    with override_curlew() as stub:
        stub.on("*", responses=[{"error": code}, {"text": "fine"}])
        found = envelope_of("https://a.test/", {"retries": 1})
    assert (found[0] == 200) is (f"`{code}`" in kinds)
    assert found[0] != 200 or found[2] == 2


# -- requests that a daemon refuses ---------------------------------------------------------------

GOOD = "http://127.0.0.1:1/"
BAD_URLS = [
    "/a", "ftp://127.0.0.1/", "http:///a", "http://?a", "http://", "https://:1/",
    "http://127.0.0.1:0/", "http://127.0.0.1:65536/", "http://127.0.0.1:a/", "http://a b/",
    "http://u%00r@a.test/", "http://a<b/", "http://a,b/", "http://a(b/",
    "http://[::1/",
    "http://[::g]/", "http://u@/", "http://a.test:1:2/", "http://" + "a" * 65536,
]
GOOD_URLS = [GOOD, GOOD + "ä?b=c d", "http://u:p@127.0.0.1:1/", "http://[::1]:1/",
             "HTTP://127.0.0.1:1", "http://127.0.0.1:1?a", "127.0.0.1:1/a",
             "http://a|b.invalid/", "http://a_b.invalid/", "http://a~b.invalid/", "http://ä.invalid/",
             "http://a.invalid\\@b.invalid/", "http://a%41.invalid/"]
# Parameters of Session.request(), of which none reaches an origin.
BAD_PARAMETERS = [
    {"method": "GE T"}, {"method": "CONNECT"}, {"method": ""}, {"method": "HEAD", "data": b"x"},
    {"headers": {"X-A": "1\r\nX-B: 2"}}, {"headers": {"X A": "1"}}, {"headers": {"": "1"}},
    {"headers": {"X-A": "a\0b"}}, {"headers": {"X-A": "x" * (256 << 10)}},
    {"headers": {f"X-{i}": "x" * (200 << 10) for i in range(3)}},
    {"headers": {"X-A": b"\xff\n"}}, {"headers": {"X-\u00e4": "1"}},
    {"cookies": {"a": "b;c"}}, {"cookies": {"a;": "b"}}, {"cookies": {"a": "b\n"}},
    {"cookies": {"": ""}}, {"cookies": {"a=b": "c"}},
    {"auth": ("u", None)}, {"auth": ("u:v", "p")}, {"auth": ("u", "p\n")}, {"auth": (1, "p")},
    {"proxy": "ftp://127.0.0.1:1"}, {"proxy": "http://"}, {"proxy": "http://:1"},
    {"proxy": "http://127.0.0.1:0"},
    {"proxy": "http://127.0.0.1:1", "proxy_auth": ("u", None)},
    {"timeout": -1}, {"timeout": (-1, 5)},
    {"max_redirects": 1.5}, {"max_body_bytes": -1}, {"max_body_bytes": (1 << 53) + 1},
    {"max_body_bytes": "5"}, {"max_recv_speed": 0.5}, {"max_recv_speed": -1},
    {"tag": 5}, {"tag": "x" * 5000}, {"tag": "a\0b"}, {"tag": "\udcff"},
    {"coalesce": 1}, {"coalesce": "yes"},
    {"method": "POST", "files": {"a": ("a\nb", b"x")}},
    {"method": "POST", "files": {"a": ("b", b"x", "text/\nplain")}},
    {"retry": True},
]
GOOD_PARAMETERS = [
    {"method": "POST", "data": {"a": "b"}}, {"method": "PROPFIND"},
    {"headers": {"X-A": "\t1", "X-B": b"\xff"}}, {"cookies": {"a": "b c", "d": ""}},
    {"auth": ("", "")}, {"auth": ("u", "p:q")}, {"proxy": "socks5://127.0.0.1:1"},
    {"timeout": 0.0001}, {"timeout": None}, {"timeout": (1, 2)}, {"max_redirects": 0},
    {"max_body_bytes": 0}, {"tag": ""}, {"tag": "x" * 4096}, {"coalesce": True},
    {"method": "POST", "files": {"a": ("b", b"x", "text/plain")}}, {"retry": 1},
    {"impersonate": "chrome"}, {"http_version": "v2"}, {"verify": False},
]


def refusal(fetch):
    """The exception and the daemon's detail; None if the request was sent."""
    try:
        fetch()
    except exceptions.RequestException as err:
        refused = err.problem["code"] in ("bad_request", "bad_url")
        return (type(err), err.code, str(err)) if refused else None
    except (ValueError, TypeError) as err:  # by the client itself
        return type(err), str(err)
    return None


def in_own_words(found):
    """Without those of libcurl, or of the parser of JSON."""
    if found is None:
        return None
    return (*found[:-1], re.sub(r"^(.*url|proxy): .*|^(JSON|line 1).*", r"\1", found[-1]))


def refusal_by_both(curlew, daemon, fetch):
    curlew(URL=f"fcgi+unix:{daemon.socket}")
    real = refusal(fetch)
    with override_curlew() as stub:
        stub.on("*", text="")
        stubbed = refusal(fetch)
    return real, stubbed


@pytest.mark.parametrize("parameters", [{"auth": ("u", None)}, {"forward_headers": ["host"]},
                                        {"forward_headers": ["a b"]}, {"tag": 5}, {}],
                         ids=lambda value: repr(value)[:50])
def test_the_stub_stores_no_handoff_that_a_daemon_does_not(daemon, curlew, parameters):
    def hand_off():
        try:
            HandOff(RequestFactory().get("/"), GOOD, **parameters)
        except HandoffStoreError as err:
            return str(err)

    curlew(URL=f"fcgi+unix:{daemon.socket}")
    real = hand_off()
    with override_curlew():
        assert hand_off() == real
    assert bool(real) is bool(parameters)


@pytest.mark.parametrize("way", ["fetch", "stream", "gather"])
@pytest.mark.parametrize("parameters, is_refused",
                         [*((each, True) for each in BAD_PARAMETERS),
                          *((each, False) for each in GOOD_PARAMETERS)],
                         ids=lambda value: repr(value)[:50])
def test_the_stub_refuses_what_a_daemon_refuses(daemon, curlew, parameters, is_refused, way):
    method = parameters.get("method", "GET")
    kwargs = {name: value for name, value in parameters.items() if name != "method"}

    def fetch():
        if way == "gather":
            Session().gather([(method, GOOD, kwargs)])
        elif way == "stream":
            with Session().stream(method, GOOD, **kwargs) as response:
                response.content  # noqa: B018
        else:
            Session().request(method, GOOD, **kwargs)

    real, stubbed = refusal_by_both(curlew, daemon, fetch)
    assert bool(real) is is_refused
    assert in_own_words(stubbed) == in_own_words(real)


@pytest.mark.parametrize("parameters", [{"tag": 5}, {"auth": ("u", None)}, {"tag": "\udcff"}],
                         ids=lambda value: repr(value)[:50])
def test_what_a_batch_with_a_refused_request_gives(daemon, curlew, parameters):
    """The other requests are made, unless what they have in common is refused."""
    def gathered():
        try:
            found = Session().gather([("GET", GOOD, parameters), ("GET", GOOD, {"tag": "a"})],
                                     return_exceptions=True)
        except exceptions.RequestException as err:
            return type(err), err.problem["code"]
        return [isinstance(each, exceptions.BadRequest) for each in found]

    curlew(URL=f"fcgi+unix:{daemon.socket}")
    real = gathered()
    with override_curlew() as stub:
        stub.on("*", text="")
        assert gathered() == real


@pytest.mark.parametrize("url", BAD_URLS + GOOD_URLS, ids=lambda url: url[:30])
def test_the_stub_refuses_urls_that_a_daemon_refuses(daemon, curlew, url):
    real, stubbed = refusal_by_both(curlew, daemon, lambda: Session().get(url))
    assert bool(real) is (url in BAD_URLS)
    assert in_own_words(stubbed) == in_own_words(real)


def test_the_stub_knows_the_keys_of_the_document():
    schema = json.loads((ROOT / "docs" / "openapi.json").read_text())["components"]["schemas"]
    keys = schema["Request"]["properties"]
    assert set(check_request.CHECKS) == set(keys)
    for checks, key in ((check_request.TIMEOUT, keys["timeout"]["anyOf"][0]),
                        (check_request.RETRIES, keys["retries"]["anyOf"][0]),
                        (check_request.AUTH, keys["auth"])):
        assert set(checks) == set(key["properties"])


def test_the_codes_of_failures_are_those_of_the_document():
    text = (ROOT / "docs" / "api.md").read_text()
    table = text[text.index("## Failures"):text.index("### Why a stream ends")]
    rows = re.findall(r"^\| (\d{3}) \| ([^|]+) \|", table, re.M)
    documented = {code: int(status) for status, codes in rows
                  for code in re.findall(r"`(\w+)`", codes)}
    documented.pop("cancelled")  # no caller sees it
    assert STATUS_OF_CODE == documented
