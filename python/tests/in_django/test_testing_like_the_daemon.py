"""The same script of origins' responses, by the stub and by a real daemon: equal results."""

import asyncio
import gzip
import re
import socket
import threading
import time
import zlib
from pathlib import Path

import httpx
import pytest
import requests as plain_requests

from django_curlew import AsyncSession, Session
from django_curlew.adapters.httpx import CurlewTransport
from django_curlew.adapters.requests import CurlewAdapter
from django_curlew.requests import exceptions
from django_curlew.testing import override_curlew
from django_curlew.testing.fake import STATUS_OF_CODE

ROOT = Path(__file__).parents[3]


class Origin:
    """Answers each path by (status, headers, body), as it is given."""

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
        status, headers, content = self.responses[path.partition("?")[0]]
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


def test_the_codes_of_failures_are_those_of_the_document():
    text = (ROOT / "docs" / "api.md").read_text()
    table = text[text.index("## Failures"):text.index("### Why a stream ends")]
    rows = re.findall(r"^\| (\d{3}) \| ([^|]+) \|", table, re.M)
    documented = {code: int(status) for status, codes in rows
                  for code in re.findall(r"`(\w+)`", codes)}
    documented.pop("cancelled")  # no caller sees it
    assert STATUS_OF_CODE == documented
