"""A kept connection that ends as it is used: when the request is sent again, and when not."""

import asyncio
import contextlib
import socket
import struct
import threading
import time

import pytest
from fake_daemon import END, FakeDaemon, read_exactly, read_request, record, response

from django_curlew.daemon import (
    IncompleteResponse,
    Daemon,
    DaemonTimeout,
    ProtocolError,
    NoResponse,
    ResponseTooLarge,
    Unreachable,
)

KINDS = ["sync", "async"]
BEGUN = record(6, b"A: b\r\n\r\nx")


def exchange(kind, d, *, idempotent=False, timeout=5.0, body=b"{}"):
    options = dict(body=body, idempotent=idempotent, timeout=timeout)
    if kind == "sync":
        return d.exchange("POST", "/v1/fetch", **options)
    return asyncio.run(d.aexchange("POST", "/v1/fetch", **options))


def serve(*answers):
    """A script: bytes are sent after the next request, a function is called with the socket."""
    def script(sock):
        for each in answers:
            if callable(each):
                each(sock)
            else:
                read_request(sock)
                sock.sendall(each)
    return script


def close_after_reading(sock):
    read_request(sock)


def close_unread(sock):
    """Close with the request unread: the kernel says so to the other side."""
    sock.recv(8, socket.MSG_WAITALL)


@pytest.mark.parametrize("kind", KINDS)
def test_a_connection_that_was_closed_while_idle_is_not_used(kind):
    closed = threading.Event()

    def close_idle(sock):
        sock.close()
        closed.set()

    with FakeDaemon(serve(response(b"1"), close_idle), serve(response(b"2"))) as fake:
        d = Daemon(fake.url)
        assert exchange(kind, d).body == b"1"
        assert closed.wait(5)
        assert exchange(kind, d, idempotent=False).body == b"2"
        assert fake.accepted == 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_connection_with_unexpected_bytes_is_not_used(kind):
    sent, go_on = threading.Event(), threading.Event()

    def send_unexpected(sock):
        go_on.wait(5)
        sock.sendall(b"hello?")
        sent.set()
        read_end(sock)

    scripts = serve(response(b"1"), send_unexpected), serve(response(b"2"))
    with FakeDaemon(*scripts, tcp=True) as fake:
        d = Daemon(fake.url)
        assert exchange(kind, d).body == b"1"
        go_on.set()
        assert sent.wait(5)
        assert exchange(kind, d).body == b"2"


def read_end(sock):
    sock.settimeout(5)
    with contextlib.suppress(ConnectionError):
        while sock.recv(4096):
            pass


@pytest.mark.parametrize("kind", KINDS)
def test_a_request_that_was_read_is_sent_again_only_if_it_is_idempotent(kind):
    with FakeDaemon(serve(response(b"1"), close_after_reading), serve(response(b"2"))) as fake:
        d = Daemon(fake.url)
        exchange(kind, d)
        assert exchange(kind, d, idempotent=True).body == b"2"
    with FakeDaemon(serve(response(b"1"), close_after_reading)) as fake:
        d = Daemon(fake.url)
        exchange(kind, d)
        with pytest.raises(NoResponse):
            exchange(kind, d, idempotent=False)
        assert fake.accepted == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_request_that_was_not_read_on_a_unix_socket_is_sent_again(kind):
    with FakeDaemon(serve(response(b"1"), close_unread), serve(response(b"2"))) as fake:
        d = Daemon(fake.url)
        exchange(kind, d)
        assert exchange(kind, d, idempotent=False).body == b"2"


@pytest.mark.parametrize("kind", KINDS)
def test_a_reset_over_tcp_is_not_sent_again(kind):
    def reset(sock):
        read_request(sock)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with FakeDaemon(serve(response(b"1"), reset), tcp=True) as fake:
        d = Daemon(fake.url)
        exchange(kind, d)
        with pytest.raises(NoResponse):
            exchange(kind, d, idempotent=False)


@pytest.mark.parametrize("kind", KINDS)
def test_a_request_that_was_not_sent_whole_is_sent_again(kind):
    body = b"x" * (4 << 20)  # more than the kernel keeps for a reader who reads nothing

    def close_early(sock):
        read_exactly(sock, 100_000)

    with FakeDaemon(serve(response(b"1"), close_early), serve(response(b"2"))) as fake:
        d = Daemon(fake.url)
        exchange(kind, d)
        assert exchange(kind, d, body=body, idempotent=False).body == b"2"


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_connection_that_fails_is_an_error_at_once(kind):
    with FakeDaemon(close_after_reading) as fake:
        with pytest.raises(NoResponse):
            exchange(kind, Daemon(fake.url), idempotent=True)


@pytest.mark.parametrize("kind", KINDS)
def test_a_request_is_sent_again_only_once(kind):
    with FakeDaemon(serve(response(b"1"), close_after_reading), close_after_reading) as fake:
        d = Daemon(fake.url)
        exchange(kind, d)
        with pytest.raises(NoResponse):
            exchange(kind, d, idempotent=True)
        assert fake.accepted == 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("first_bytes", [BEGUN, BEGUN[:5]])
def test_a_request_is_not_sent_again_once_its_response_has_begun(kind, first_bytes):
    with FakeDaemon(serve(response(b"1"), first_bytes)) as fake:
        d = Daemon(fake.url)
        exchange(kind, d)
        with pytest.raises(IncompleteResponse):
            exchange(kind, d, idempotent=True)


@pytest.mark.parametrize("kind", KINDS)
def test_the_timeout_holds_on_new_and_kept_connections(kind):
    def silent(sock):
        read_request(sock)
        read_end(sock)

    with FakeDaemon(silent, serve(response(b"1"), silent)) as fake:
        d = Daemon(fake.url)
        began = time.monotonic()
        with pytest.raises(DaemonTimeout):
            exchange(kind, d, timeout=0.2)
        exchange(kind, d)
        with pytest.raises(DaemonTimeout):  # on a kept connection, too, and not repeated
            exchange(kind, d, timeout=0.2, idempotent=True)
        assert 0.35 < time.monotonic() - began < 2
        assert fake.accepted == 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_response_has_a_limit(kind):
    with FakeDaemon(serve(response(b"x" * 1000), response(b"x" * 1001))) as fake:
        d = Daemon(fake.url, max_response_bytes=1000)
        assert len(exchange(kind, d).body) == 1000
        with pytest.raises(ResponseTooLarge, match="1000"):
            exchange(kind, d)


@pytest.mark.parametrize("kind", KINDS)
def test_another_kind_of_server_is_recognised(kind):
    with FakeDaemon(serve(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as fake:
        with pytest.raises(ProtocolError, match="curlewd's socket"):
            exchange(kind, Daemon(fake.url))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("url", ["fcgi+unix:/nowhere/curlew.sock", "fcgi://127.0.0.1:1"])
def test_no_daemon(kind, url):
    with pytest.raises(Unreachable, match="curlewd is not running"):
        exchange(kind, Daemon(url))


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_backlog_is_waited_for_until_the_connect_timeout(kind, tmp_path):
    path = str(tmp_path / "s")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(0)
    clients = []
    try:
        with pytest.raises(BlockingIOError):
            while True:
                client = socket.socket(socket.AF_UNIX)
                clients.append(client)
                client.setblocking(False)
                client.connect(path)
        d = Daemon(f"fcgi+unix:{path}", connect_timeout=0.2)
        began = time.monotonic()
        with pytest.raises(Unreachable, match="backlog"):
            exchange(kind, d)
        assert 0.15 < time.monotonic() - began < 2
        threading.Timer(0.1, lambda: clients.append(listener.accept()[0])).start()
        with pytest.raises(DaemonTimeout):  # there is room now; nobody answers
            exchange(kind, Daemon(d.url, connect_timeout=5), timeout=0.5)
    finally:
        for each in [*clients, listener]:
            each.close()


def test_more_idle_connections_than_the_limit_are_closed():
    from django_curlew.daemon.connection_pool import ConnectionPool

    few, address = ConnectionPool(max_idle=2), Daemon("fcgi+unix:/x").address
    pairs = [socket.socketpair() for _ in range(3)]
    for ours, _ in pairs:
        ours.setblocking(False)
        few.release(address, ours)
    assert few.idle_count(address) == 2 and pairs[2][0].fileno() == -1
    assert few.acquire(address) is pairs[1][0], "the last one in"
    few.close_all()
    assert pairs[0][0].fileno() == -1 and few.acquire(address) is None
    for pair in pairs:
        for each in pair:
            each.close()


# -- declined: curlewd has read the request, and has not processed it ----------------

DRAINING = b'{"type":"x","status":503,"detail":"the daemon is stopping","code":"draining"}'
PROBLEM = b"Content-Type: application/problem+json\r\n"


def refusal(headers, body=DRAINING, status=503):
    return record(6, b"Status: %d X\r\n%b\r\n%b" % (status, headers, body)) + END


OVERLOADED = record(3, struct.pack(">IB3x", 0, 2))
DECLINED = {
    "draining": refusal(PROBLEM),
    "FCGI_OVERLOADED": OVERLOADED,
}
OTHERS = {
    "another code": refusal(PROBLEM, DRAINING.replace(b"draining", b"overloaded")),
    "another status": refusal(PROBLEM, status=502),
    "of an origin": refusal(PROBLEM + b"Curlew-Attempts: 1\r\n"),
    "no problem": refusal(b"Content-Type: text/plain\r\n"),
    "no JSON": refusal(PROBLEM, b"draining"),
}


def read_stream(kind, d):
    """(status, body) of a request whose response is read as a stream."""
    if kind == "sync":
        with d.open("POST", "/v1/stream", body=b"{}") as stream:
            return stream.status, b"".join(stream)

    async def read():
        async with await d.aopen("POST", "/v1/stream", body=b"{}") as stream:
            return stream.status, b"".join([piece async for piece in stream])

    return asyncio.run(read())


@pytest.mark.parametrize("answer", DECLINED.values(), ids=DECLINED)
@pytest.mark.parametrize("kind", KINDS)
def test_a_request_that_was_declined_goes_to_the_next_daemon(kind, answer):
    with FakeDaemon(serve(answer), serve(response(b"2"))) as fake:
        assert exchange(kind, Daemon(fake.url), idempotent=False).body == b"2"
        assert fake.accepted == 2
    with FakeDaemon(serve(answer), serve(response(b"2"))) as fake:
        assert read_stream(kind, Daemon(fake.url)) == (200, b"2")


@pytest.mark.parametrize("kind", KINDS)
def test_the_head_of_a_refusal_may_come_before_its_body(kind):
    def script(sock):
        read_request(sock)
        sock.sendall(record(6, b"Status: 503 X\r\n" + PROBLEM + b"\r\n"))
        time.sleep(0.05)
        sock.sendall(record(6, DRAINING) + END)

    with FakeDaemon(script, serve(response(b"2"))) as fake:
        assert read_stream(kind, Daemon(fake.url)) == (200, b"2")


@pytest.mark.parametrize("answer", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("kind", KINDS)
def test_no_other_refusal_is_sent_again(kind, answer):
    with FakeDaemon(serve(answer)) as fake:
        d = Daemon(fake.url)
        assert exchange(kind, d, idempotent=True).status in (502, 503)
    with FakeDaemon(serve(answer)) as fake:
        assert read_stream(kind, Daemon(fake.url))[0] in (502, 503)


@pytest.mark.parametrize("kind", KINDS)
def test_a_daemon_that_always_declines_is_asked_four_times(kind):
    with FakeDaemon(*[serve(DECLINED["draining"])] * 4) as fake:
        r = exchange(kind, Daemon(fake.url))
        assert (r.status, r.body, fake.accepted) == (503, DRAINING, 4)
    with FakeDaemon(*[serve(OVERLOADED)] * 4) as fake:
        with pytest.raises(IncompleteResponse, match="overloaded"):
            exchange(kind, Daemon(fake.url))
        assert fake.accepted == 4


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_connection_that_closed_unread_is_tried_again(kind):
    """The daemon that accepted it has exited before the request came."""
    with FakeDaemon(close_unread, serve(response(b"2"))) as fake:
        assert exchange(kind, Daemon(fake.url), idempotent=False).body == b"2"
    with FakeDaemon(*[close_unread] * 4) as fake:
        with pytest.raises(NoResponse):
            exchange(kind, Daemon(fake.url))
        assert fake.accepted == 4


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_connection_that_read_the_request_is_not_tried_again(kind):
    with FakeDaemon(close_after_reading) as fake:
        with pytest.raises(NoResponse):
            exchange(kind, Daemon(fake.url), idempotent=True)
        assert fake.accepted == 1
