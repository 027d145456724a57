"""Nothing of one transfer reaches the next: odd answers × doors × what others fetch afterwards.

Each odd answer is given on a fresh and on a used connection; then another session and another
origin are asked, on the same handles and connections, and must see nothing of it.
"""

import json
import threading
import time

import pytest

from tests.support.scripted_origin import ScriptedOrigin, answer
from tests.support.streams import IncompleteResponse, open_stream

pytestmark = pytest.mark.libcurl

OK = b"HTTP/1.1 200 OK\r\n"
FOREIGN = answer("foreign", fields=["Set-Cookie: foreign=1; Path=/"])
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"

# name: (bytes, what is done to the connection afterwards: None keeps it)
ODD = {
    "leading blank in the first field": (OK + b" x: y\r\nContent-Length: 2\r\n\r\nok", None),
    "leading tab in the first field": (OK + b"\tx: y\r\nContent-Length: 2\r\n\r\nok", None),
    "folded field": (OK + b"X: a\r\n b\r\n\tc\r\nContent-Length: 2\r\n\r\nok", None),
    "a field without colon": (OK + b"oddity\r\nContent-Length: 2\r\n\r\nok", None),
    "a field without name": (OK + b": odd\r\nContent-Length: 2\r\n\r\nok", None),
    "a blank in a name": (OK + b"X Y: odd\r\nContent-Length: 2\r\n\r\nok", None),
    "a bare CR": (OK + b"X: a\rb\r\nContent-Length: 2\r\n\r\nok", None),
    "a bare LF": (b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", None),
    "control characters": (OK + b"X: \x01\x02\x7f\r\nContent-Length: 2\r\n\r\nok", None),
    "NUL": (OK + b"X: a\0b\r\nContent-Length: 2\r\n\r\nok", None),
    "bytes that are no UTF-8": (OK + b"X: caf\xe9 \xff\xfe\r\nContent-Length: 2\r\n\r\nok", None),
    "fifty cookies": (OK + b"".join(b"Set-Cookie: c%d=%d; Path=/\r\n" % (i, i) for i in range(50))
                      + b"Content-Length: 2\r\n\r\nok", None),
    "two hundred cookies": (OK + b"".join(b"Set-Cookie: c%d=%s; Path=/\r\n" % (i, b"v" * 100)
                                          for i in range(200))
                            + b"Content-Length: 2\r\n\r\nok", None),
    "a cookie of 8 KB": (OK + b"Set-Cookie: big=" + b"v" * 8000
                         + b"\r\nContent-Length: 2\r\n\r\nok", None),
    "a cookie with a NUL": (OK + b"Set-Cookie: a=\0b\r\nContent-Length: 2\r\n\r\nok", None),
    "an empty cookie": (OK + b"Set-Cookie: \r\nSet-Cookie: =\r\nContent-Length: 2\r\n\r\nok", None),
    "a cookie for another host": (OK + b"Set-Cookie: a=1; Domain=example.com\r\n"
                                  b"Content-Length: 2\r\n\r\nok", None),
    "Strict-Transport-Security": (OK + b"Strict-Transport-Security: max-age=9999\r\n"
                                  b"Content-Length: 2\r\n\r\nok", None),
    "Alt-Svc": (OK + b"Alt-Svc: h2=\"127.0.0.1:1\"\r\nContent-Length: 2\r\n\r\nok", None),
    "Connection: close, and kept": (OK + b"Connection: close\r\nContent-Length: 2\r\n\r\nok", None),
    "Keep-Alive: timeout=0": (OK + b"Keep-Alive: timeout=0\r\nContent-Length: 2\r\n\r\nok", None),
    "two lengths": (OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nok", None),
    "a length and chunks": (OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
                            b"5\r\nhello\r\n0\r\n\r\n", None),
    "more than the length": (OK + b"Content-Length: 2\r\n\r\nok" + FOREIGN, None),
    "more behind the last chunk": (CHUNKED + b"2\r\nok\r\n0\r\n\r\n" + FOREIGN, None),
    "more behind a 204": (b"HTTP/1.1 204 No Content\r\n\r\n" + FOREIGN, None),
    "more behind a 304": (b"HTTP/1.1 304 Not Modified\r\n\r\n" + FOREIGN, None),
    "a body with a 204": (b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello", None),
    "a body with a 304": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello", None),
    "trailers": (CHUNKED + b"2\r\nok\r\n0\r\nSet-Cookie: t=1; Path=/\r\nX: y\r\n\r\n", None),
    "a status line as trailer": (CHUNKED + b"2\r\nok\r\n0\r\nHTTP/1.1 200 x\r\n\r\n", None),
    "chunk extensions": (CHUNKED + b"2;a=b;c=\"d\"\r\nok\r\n0;x\r\n\r\n", None),
    "a broken chunk": (CHUNKED + b"zz\r\nok\r\n", None),
    "an early end of chunks": (CHUNKED + b"5\r\nhe", "close"),
    "an early end of the body": (OK + b"Content-Length: 10\r\n\r\nhe", "close"),
    "an early end of the head": (OK + b"X: y", "close"),
    "a reset in the body": (OK + b"Content-Length: 10\r\n\r\nhe", "reset"),
    "a reset in the head": (OK + b"X", "reset"),
    "nothing, and the end": (b"", "close"),
    "nothing, and a reset": (b"", "reset"),
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "close"),
    "HTTP/0.9": (b"hello\n", "close"),
    "HTTP/1.0": (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", None),
    "HTTP/1.0 to its end": (b"HTTP/1.0 200 OK\r\n\r\nok", "close"),
    "HTTP/3.0": (b"HTTP/3.0 200 OK\r\nContent-Length: 2\r\n\r\nok", None),
    "a lower-case version": (b"http/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", None),
    "status 000": (b"HTTP/1.1 000 x\r\nContent-Length: 2\r\n\r\nok", None),
    "status 999": (b"HTTP/1.1 999 x\r\nContent-Length: 2\r\n\r\nok", None),
    "status 099": (b"HTTP/1.1 099 x\r\nContent-Length: 2\r\n\r\nok", None),
    "no reason": (b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", None),
    "a 100 before": (b"HTTP/1.1 100 Continue\r\n\r\n" + answer(), None),
    "a 103 before": (b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\nSet-Cookie: e=1\r\n\r\n"
                     + answer(), None),
    "a 101": (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n" + FOREIGN, None),
    "gzip that is none": (OK + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello", None),
    "an unknown coding": (OK + b"Content-Encoding: odd\r\nContent-Length: 5\r\n\r\nhello", None),
    "an unknown transfer coding": (OK + b"Transfer-Encoding: odd\r\n\r\nhello", "close"),
    "a redirect to nowhere": (b"HTTP/1.1 302 x\r\nLocation: http://\r\nContent-Length: 2\r\n\r\nok",
                              None),
    "a redirect to a file": (b"HTTP/1.1 302 x\r\nLocation: file:///etc/passwd\r\n"
                             b"Content-Length: 2\r\n\r\nok", None),
    "a redirect with cookies": (b"HTTP/1.1 302 x\r\nLocation: /plain\r\nSet-Cookie: r=1; Path=/\r\n"
                                b"Content-Length: 2\r\n\r\nok", None),
    "WWW-Authenticate": (b"HTTP/1.1 401 x\r\nWWW-Authenticate: Negotiate, NTLM, Basic\r\n"
                         b"Content-Length: 2\r\n\r\nok", None),
    "Proxy-Authenticate": (b"HTTP/1.1 407 x\r\nProxy-Authenticate: Basic realm=x\r\n"
                           b"Content-Length: 2\r\n\r\nok", None),
    "an answer nobody asked for, later": (answer(), "408"),
}
TIMEOUT = {"total": 3}


@pytest.fixture
def quiet_daemon(curlewd):
    """One thread, so that handles and connections are shared as much as they can be."""
    return curlewd({"threads": 1, "sessions": {
        "jar": {"cookie_jar": "shared"}, "other": {"cookie_jar": "shared"}, "plain": {}}})


def by_fetch(client, url, **keys):
    client.post({"url": url, "timeout": TIMEOUT, **keys})


def by_stream(client, url, **keys):
    try:
        with open_stream(client, url=url, timeout=TIMEOUT, **keys) as s:
            s.read_all()
    except (IncompleteResponse, AssertionError):
        pass


def by_batch(client, url, **keys):
    body = json.dumps({"requests": [{"url": url, "timeout": TIMEOUT, **keys}] * 2}).encode()
    client.ask("POST", "/v1/batch", body=body)


DOORS = {"fetch": by_fetch, "stream": by_stream, "batch": by_batch}


def script_of(odd, after):
    def script(request, connection):
        if request.target == "/odd":
            connection.send(odd)
            if after == "close":
                connection.close()
            elif after == "reset":
                connection.reset()
            elif after == "408":
                connection.send_later(0.05, b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n"
                                      b"Content-Length: 7\r\n\r\ntimeout", close=True)
        else:
            seen = request.header("cookie") or ""
            connection.send(answer(f"{request.target} {seen}".strip()))
    return script


def assert_nothing_left_over(client, origin, other):
    """What others fetch now is theirs alone."""
    for session in ("plain", "other"):
        for i in range(3):
            e = client.fetch(origin.url(f"/user/{i}"), session=session, cookies={"sid": "mine"})
            assert (e["status"], e["body"]) == (200, f"/user/{i} sid=mine"), e
            assert e["cookies"] == [] and e["history"] == [], e
            e = client.fetch(other.url(f"/user/{i}"), session=session, cookies={"sid": "mine"})
            assert (e["status"], e["body"]) == (200, f"/user/{i} sid=mine"), e
    with open_stream(client, url=origin.url("/user/s"), session="plain") as s:
        assert (s.status, s.read_all()) == (200, b"/user/s")


@pytest.mark.parametrize("name", ODD)
def test_nothing_of_an_odd_answer_reaches_another_fetch(quiet_daemon, name):
    client = quiet_daemon.client
    odd, after = ODD[name]
    with ScriptedOrigin(script_of(odd, after)) as origin, \
            ScriptedOrigin(script_of(odd, after)) as other:
        for door in DOORS.values():
            for url in (origin.url("/odd"), origin.url("/odd", "localhost")):
                client.fetch(origin.url("/warm"), session="jar")  # on a used connection
                door(client, url, session="jar")
                if after == "408":  # what comes after the next request was written, nothing tells
                    time.sleep(0.3)
                assert_nothing_left_over(client, origin, other)
    assert quiet_daemon.process.running()


LEFT_OVER = {
    "204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "304": b"HTTP/1.1 304 Not Modified\r\n\r\n",
    "200 with more": OK + b"Content-Length: 2\r\n\r\nok",
    "200 chunked": CHUNKED + b"2\r\nok\r\n0\r\n\r\n",
    "200 to HEAD": OK + b"Content-Length: 2\r\n\r\n",
}


@pytest.mark.parametrize("name", LEFT_OVER)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_bytes_on_an_idle_connection_retire_it(quiet_daemon, name, method):
    def script(request, connection):
        if request.target == "/first":
            connection.send(LEFT_OVER[name])
            connection.send_later(0.05, answer("foreign"))
        else:
            connection.send(answer(request.target))

    client = quiet_daemon.client
    with ScriptedOrigin(script) as origin:
        client.fetch(origin.url("/first"), method="HEAD" if name.endswith("HEAD") else "GET")
        time.sleep(0.5)
        for i in range(1, 5):
            e = client.fetch(origin.url(f"/user/{i}"), method=method)
            assert e["body"] == f"/user/{i}", e
        assert origin.connections == 2


@pytest.mark.parametrize("end", ["bytes", "eof"])
def test_a_connection_that_ends_while_idle_is_closed_within_two_seconds(quiet_daemon, end):
    def script(request, connection):
        connection.send(answer())
        if end == "bytes":
            connection.send_later(0.5, b"x")
        else:
            connection.send_later(0.5, b"", close=True)

    def connections():
        text = quiet_daemon.client.ask("GET", "/v1/status").json()
        return text["engine"]["connections"]

    with ScriptedOrigin(script) as origin:
        quiet_daemon.client.fetch(origin.url("/"))
        assert connections() == 1
        deadline = time.monotonic() + 2.7
        while connections() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert connections() == 0


def test_bursts_over_few_idle_connections_lose_nothing(curlewd):
    """Connections that the daemon retires itself are never written to: 1,600 of 1,600."""
    daemon = curlewd({"sessions": {"default": {"idle_connections": 2}}})
    with ScriptedOrigin(lambda r, c: c.send(answer(r.target))) as origin:
        failed = []

        def one(i):
            response = daemon.client.post({"url": origin.url(f"/{i}")})
            if response.status != 200 or response.json()["body"] != f"/{i}":
                failed.append(response)

        for burst in range(200):
            threads = [threading.Thread(target=one, args=(burst * 8 + i,)) for i in range(8)]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
        assert failed == []
