"""What a fault is: what an origin does, and what its caller must see then.

    @fault("the body ends in its middle", "incomplete_body", after_head=True)
    def half_a_body(request, connection):
        connection.send(HEAD + b"Content-Length: 100\\r\\n\\r\\nhalf")
        connection.close()

The decorated function is the script of a ScriptedOrigin (PLAIN, the default, or TLS), of an
Http2Origin (HTTP2), or gets a connection on which nothing was read (RAW, and RAW_TLS, whose URL is
https). A fault without a code has the right answer, GOOD, in spite of it.
"""

import socket
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from tests.support.scripted_origin import Http2Origin, ScriptedConnection, ScriptedOrigin, answer

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
GOOD = b"the right answer " * 100
FAULTS = []


@dataclass
class Fault:
    name: str
    outcomes: tuple  # what a caller may see: codes of docs/api.md, or GOOD
    act: Callable
    origin: Callable[..., AbstractContextManager]  # origin(act, certs): with url() and port
    after_head: bool  # a stream has passed the head on, and breaks
    within: float  # seconds until the caller knows, on a machine that is not busy
    memory: int  # bytes that all callers of test_origins.py together may cost at their peak
    memory_with_gnutls: int  # the same, where libcurl has GnuTLS
    via: str | None  # the origin is a proxy of this scheme; what is asked for is never reached
    keys: dict  # of the request object

    def request(self, origin):
        if self.via is None:
            return {"url": origin.url("/fault"), **self.keys}
        proxy = f"{self.via}://127.0.0.1:{origin.port}"
        return {"url": "https://127.0.0.1:9/fault", "proxy": proxy, **self.keys}

    def good_request(self, origin):
        """For /good of the same origin; None where it has no such page."""
        if self.origin not in (PLAIN, TLS, HTTP2) or self.via is not None:
            return None
        version = {"http_version": "2-prior-knowledge"} if self.origin is HTTP2 else {}
        return {"url": origin.url("/good"), **version}


# -- origins ---------------------------------------------------------------------------------------


def _good_beside(act):
    def script(request, connection):
        if request.target == "/good":
            connection.send(answer(GOOD))
        else:
            act(request, connection)

    return script


def PLAIN(act, certs):
    return ScriptedOrigin(_good_beside(act))


def TLS(act, certs):
    return ScriptedOrigin(_good_beside(act), certs)


def HTTP2(act, certs):
    """By prior knowledge, without TLS."""
    def script(request, connection, stream):
        if request.target == "/good":
            connection.respond(stream, body=GOOD)
        else:
            act(request, connection, stream)

    return Http2Origin(script)


class RAW(ScriptedOrigin):
    """act(connection) runs when a connection was accepted."""

    scheme = "http"

    def __init__(self, act, certs):
        super().__init__(act)

    def url(self, path="/", host=None):
        return f"{self.scheme}://{host or self.host}:{self.port}{path}"

    def _talk(self, sock, number):
        self.script(ScriptedConnection(sock, number))


class RAW_TLS(RAW):
    scheme = "https"


class Port:
    """A TCP port without a program behind it; act(port) makes of it what it is to be."""

    def __init__(self, act, certs):
        self.sock = socket.socket()
        self.sock.bind(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        self.more = []
        act(self)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for sock in (self.sock, *self.more):
            sock.close()

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"


# -- the table -------------------------------------------------------------------------------------


def fault(name, *codes, origin=PLAIN, after_head=False, within=3.0, memory=16 << 20,
          memory_with_gnutls=None, via=None, **keys):
    def add(act):
        outcomes = codes or (GOOD,)
        FAULTS.append(Fault(name, outcomes, act, origin, after_head, within, memory,
                            memory_with_gnutls or memory, via, keys))
        return act

    return add
