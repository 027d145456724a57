"""An origin that misbehaves raises the same class through Curlew as it does in httpx alone."""

import socket
import struct
import time

import pytest

from tests.faults.origins.fault import RAW
from tests.support.procs import free_port
from tests.support.scripted_origin import ScriptedOrigin

OK = b"HTTP/1.1 200 OK\r\n"
TIMEOUT = {"timeout": 5}
SHORT = {"timeout": 0.3}
MISBEHAVIOUR = {}  # name → (what the origin does, options of the request)


def misbehaviour(name, **options):
    def add(act):
        MISBEHAVIOUR[name] = act, {**TIMEOUT, **options}
        return act

    return add


def says(name, data, **options):
    @misbehaviour(name, **options)
    def act(request, connection):
        connection.send(data)
        connection.close()


says("two lengths that differ", OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!")
says("a length that is no number", OK + b"Content-Length: five\r\n\r\nhello")
says("a negative length", OK + b"Content-Length: -5\r\n\r\nhello")
says("a body cut short", OK + b"Content-Length: 100\r\n\r\nhalf")
says("chunks cut short", OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel")
says("chunks without an end", OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
says("a chunk's size that is no number", OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n")
says("no response", b"")
says("half a head", OK + b"Content-Le")
says("no HTTP at all", b"220 mail.example ESMTP\r\n\r\n")
says("a status that is no number", b"HTTP/1.1 abc Well\r\n\r\n")
says("a header without a colon", OK + b"Content-Length\r\n\r\n")
says("a header name that is no token", OK + b"Bad Name: 1\r\nContent-Length: 0\r\n\r\n")
says("a coding that can't be undone",
     OK + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello")


@misbehaviour("a reset before the response")
def reset_early(request, connection):
    connection.reset()


@misbehaviour("a reset in the body")
def reset_late(request, connection):
    connection.send(OK + b"Content-Length: 100\r\n\r\nhalf")
    connection.reset()


@misbehaviour("silence", **SHORT)
def silence(request, connection):
    connection.hold()


@misbehaviour("silence in the head", **SHORT)
def silence_in_the_head(request, connection):
    connection.send(OK + b"Content-Le")
    connection.hold()


@misbehaviour("silence in the body", **SHORT)
def silence_in_the_body(request, connection):
    connection.send(OK + b"Content-Length: 100\r\n\r\nhalf")
    connection.hold()


@misbehaviour("silence in the chunks", **SHORT)
def silence_in_the_chunks(request, connection):
    connection.send(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
    connection.hold()


# What differs, and why: (ours, httpx's).
DIFFERENT = {
    # libcurl passes such a header on, as browsers do.
    "a header name that is no token": (200, "RemoteProtocolError"),
    # The proxy is to blame, which httpx says of a status only.
    "a proxy that closes": ("ProxyError", "RemoteProtocolError"),
    "a proxy that speaks no HTTP": ("ProxyError", "RemoteProtocolError"),
    # The daemon counts the proxy's CONNECT to the connect timeout, httpx to the read timeout.
    "a proxy that is silent": ("ConnectTimeout", "ReadTimeout"),
}


def expected(variant, name, alone):
    """(ours, httpx's) for a case; both httpx's, unless it is known to differ."""
    return tuple(
        getattr(variant.package, outcome) if isinstance(outcome, str) else outcome
        for outcome in DIFFERENT.get(name, (alone, alone))
    )


def outcome(client, method, url, **options):
    """The class that is raised, or the status."""
    try:
        return client.request(method, url, **options).status_code
    except Exception as error:
        return type(error)


@pytest.mark.parametrize("name", MISBEHAVIOUR)
def test_a_misbehaving_origin(variant, name):
    act, options = MISBEHAVIOUR[name]
    with ScriptedOrigin(act) as origin:
        alone = outcome(variant.alone(), "GET", origin.url("/"), **options)
        ours = outcome(variant.client(), "GET", origin.url("/"), **options)
    assert (ours, alone) == expected(variant, name, alone)


URLS = ["", "/x", "127.0.0.1:80/x", "ftp://a.example/", "http://", "http:///x",
        "mailto:a@b.example", "http://nowhere.invalid/", "http://127.0.0.1:0/"]


@pytest.mark.parametrize("url", URLS)
def test_a_url_that_cannot_be_used(variant, url):
    alone = outcome(variant.alone(), "GET", url, **TIMEOUT)
    assert (outcome(variant.client(), "GET", url, **TIMEOUT), alone) == (alone, alone)


def test_nobody_listens(variant):
    url = f"http://127.0.0.1:{free_port()}/"
    assert outcome(variant.client(), "GET", url) is variant.package.ConnectError
    assert outcome(variant.alone(), "GET", url) is variant.package.ConnectError


def test_a_websocket_is_refused_by_name(variant):
    with pytest.raises(variant.package.UnsupportedProtocol, match="WebSocket"):
        variant.client().get("ws://127.0.0.1:9/")


@pytest.mark.parametrize("how", ["an untrusted certificate", "no TLS"])
def test_tls(variant, origin, how):
    url = origin.url("/hello", port="https")
    if how == "no TLS":
        url = origin.url("/hello").replace("http:", "https:")
    assert outcome(variant.alone(), "GET", url) is variant.package.ConnectError
    assert outcome(variant.client(session="jar"), "GET", url) is variant.package.ConnectError


# -- proxies --------------------------------------------------------------------------------------


def refuses(data):
    def act(request, connection):
        connection.send(data)
        connection.close()

    return act


PROXIES = {
    "a proxy that wants a password": refuses(
        b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    ),
    "a proxy that refuses": refuses(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"),
    "a proxy that fails": refuses(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nbad"),
    "a proxy that closes": refuses(b""),
    "a proxy that speaks no HTTP": refuses(b"220 mail.example ESMTP\r\n\r\n"),
    "a proxy that is silent": silence,
}


@pytest.mark.parametrize("name", PROXIES)
def test_a_misbehaving_proxy(variant, name):
    with ScriptedOrigin(PROXIES[name]) as origin:
        options = SHORT if "silent" in name else TIMEOUT
        proxy = f"http://127.0.0.1:{origin.port}"
        url = "https://127.0.0.1:9/"
        alone = outcome(variant.alone(proxy=proxy), "GET", url, **options)
        ours = outcome(variant.client(proxy=proxy), "GET", url, **options)
    assert (ours, alone) == expected(variant, name, alone)


def test_no_proxy_listens(variant):
    proxy, url = f"http://127.0.0.1:{free_port()}", "https://127.0.0.1:9/"
    alone = outcome(variant.alone(proxy=proxy), "GET", url, **TIMEOUT)
    assert (outcome(variant.client(proxy=proxy), "GET", url, **TIMEOUT), alone) == (alone, alone)


# -- timeouts -------------------------------------------------------------------------------------


@pytest.fixture
def unreachable():
    """The URL of a port that takes no connection: the queue of its listener is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        waiting = []
        for _ in range(4):
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", port))
            waiting.append(sock)
        yield f"http://127.0.0.1:{port}/"
        for sock in waiting:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()


def test_a_write_timeout(variant):
    """The origin does not read."""

    def pieces():
        for _ in range(2000):
            yield bytes(1 << 16)

    async def async_pieces():
        for piece in pieces():
            yield piece

    source = async_pieces if variant.is_async else pieces
    with RAW(lambda connection: time.sleep(8), None) as origin:
        for client in (variant.alone(), variant.client()):
            got = outcome(client, "PUT", origin.url("/"), content=source(), timeout=0.5)
            assert got is variant.package.WriteTimeout


@pytest.mark.parametrize("limits", [{"connect": 0.3}, {"connect": 0.3, "read": 0.2},
                                    {"connect": 0.5, "read": 0.1}])
def test_a_connect_timeout(variant, unreachable, limits):
    options = {"timeout": variant.package.Timeout(None, **limits)}
    expected = variant.package.ConnectTimeout
    assert outcome(variant.alone(), "GET", unreachable, **options) is expected
    assert outcome(variant.client(), "GET", unreachable, **options) is expected
