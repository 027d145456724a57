"""A kept connection that ends as it is used: when the request goes out again, and when not."""

import asyncio
import contextlib
import socket
import struct
import threading
import time

import pytest
from fake import Fake, answer, read_exactly, read_request, record

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


def exchange(kind, d, *, idempotent=False, timeout=5.0, body=b"{}"):
    how = dict(body=body, idempotent=idempotent, timeout=timeout)
    if kind == "sync":
        return d.exchange("POST", "/v1/fetch", **how)
    return asyncio.run(d.aexchange("POST", "/v1/fetch", **how))


def serve(*answers):
    """Answer so many requests on one connection, then run what else is given."""
    def script(sock):
        for each in answers:
            if callable(each):
                each(sock)
            else:
                read_request(sock)
                sock.sendall(each)
    return script


def quit_after_reading(sock):
    read_request(sock)


def reset_unread(sock):
    """Close with the request unread: the kernel says so to the other side."""
    sock.recv(8, socket.MSG_WAITALL)


@pytest.mark.parametrize("kind", KINDS)
def test_a_connection_that_was_closed_while_idle_is_not_used(kind):
    gone = threading.Event()

    def leave(sock):
        sock.close()
        gone.set()

    with Fake(serve(answer(b"1"), leave), serve(answer(b"2"))) as fake:
        d = Daemon(fake.url)
        assert exchange(kind, d).body == b"1"
        assert gone.wait(5)
        assert exchange(kind, d, idempotent=False).body == b"2"
        assert fake.taken == 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_connection_with_bytes_unasked_for_is_not_used(kind):
    said, go_on = threading.Event(), threading.Event()

    def chat(sock):
        go_on.wait(5)
        sock.sendall(b"hello?")
        said.set()
        read_end(sock)

    with Fake(serve(answer(b"1"), chat), serve(answer(b"2")), tcp=True) as fake:
        d = Daemon(fake.url)
        assert exchange(kind, d).body == b"1"
        go_on.set()
        assert said.wait(5)
        assert exchange(kind, d).body == b"2"


def read_end(sock):
    sock.settimeout(5)
    with contextlib.suppress(ConnectionError):
        while sock.recv(4096):
            pass


@pytest.mark.parametrize("kind", KINDS)
def test_a_request_that_was_read_whole_is_repeated_only_where_that_does_no_harm(kind):
    with Fake(serve(answer(b"1"), quit_after_reading), serve(answer(b"2"))) as fake:
        d = Daemon(fake.url)
        exchange(kind, d)
        assert exchange(kind, d, idempotent=True).body == b"2"
    with Fake(serve(answer(b"1"), quit_after_reading)) as fake:
        d = Daemon(fake.url)
        exchange(kind, d)
        with pytest.raises(NoResponse):
            exchange(kind, d, idempotent=False)
        assert fake.taken == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_request_that_was_left_unread_on_a_unix_socket_is_always_repeated(kind):
    with Fake(serve(answer(b"1"), reset_unread), serve(answer(b"2"))) as fake:
        d = Daemon(fake.url)
        exchange(kind, d)
        assert exchange(kind, d, idempotent=False).body == b"2"


@pytest.mark.parametrize("kind", KINDS)
def test_over_tcp_a_reset_proves_nothing(kind):
    def reset(sock):
        read_request(sock)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with Fake(serve(answer(b"1"), reset), tcp=True) as fake:
        d = Daemon(fake.url)
        exchange(kind, d)
        with pytest.raises(NoResponse):
            exchange(kind, d, idempotent=False)


@pytest.mark.parametrize("kind", KINDS)
def test_a_large_request_that_could_not_be_sent_whole_is_repeated(kind):
    body = b"x" * (4 << 20)  # more than the kernel keeps for a reader who reads nothing

    def quit_early(sock):
        read_exactly(sock, 100_000)

    with Fake(serve(answer(b"1"), quit_early), serve(answer(b"2"))) as fake:
        d = Daemon(fake.url)
        exchange(kind, d)
        assert exchange(kind, d, body=body, idempotent=False).body == b"2"


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_connection_that_fails_is_an_error_at_once(kind):
    with Fake(quit_after_reading) as fake:
        with pytest.raises(NoResponse):
            exchange(kind, Daemon(fake.url), idempotent=True)


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_repeated_once_and_no_more(kind):
    with Fake(serve(answer(b"1"), quit_after_reading), quit_after_reading) as fake:
        d = Daemon(fake.url)
        exchange(kind, d)
        with pytest.raises(NoResponse):
            exchange(kind, d, idempotent=True)
        assert fake.taken == 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("said", [record(6, b"A: b\r\n\r\nx"), record(6, b"A: b\r\n\r\nx")[:5]])
def test_an_answer_that_has_begun_is_never_asked_for_again(kind, said):
    with Fake(serve(answer(b"1"), said)) as fake:
        d = Daemon(fake.url)
        exchange(kind, d)
        with pytest.raises(IncompleteResponse):
            exchange(kind, d, idempotent=True)


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_is_waited_for_longer_than_asked(kind):
    def silent(sock):
        read_request(sock)
        read_end(sock)

    with Fake(silent, serve(answer(b"1"), silent)) as fake:
        d = Daemon(fake.url)
        began = time.monotonic()
        with pytest.raises(DaemonTimeout):
            exchange(kind, d, timeout=0.2)
        exchange(kind, d)
        with pytest.raises(DaemonTimeout):  # on a kept connection, too, and not repeated
            exchange(kind, d, timeout=0.2, idempotent=True)
        assert 0.35 < time.monotonic() - began < 2
        assert fake.taken == 2


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_has_a_limit(kind):
    with Fake(serve(answer(b"x" * 1000), answer(b"x" * 1001))) as fake:
        d = Daemon(fake.url, max_reply=1000)
        assert len(exchange(kind, d).body) == 1000
        with pytest.raises(ResponseTooLarge, match="1000"):
            exchange(kind, d)


@pytest.mark.parametrize("kind", KINDS)
def test_another_sort_of_server_is_recognised(kind):
    with Fake(serve(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as fake:
        with pytest.raises(ProtocolError, match="curlewd's socket"):
            exchange(kind, Daemon(fake.url))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("url", ["fcgi+unix:/nowhere/curlew.sock", "fcgi://127.0.0.1:1"])
def test_no_daemon(kind, url):
    with pytest.raises(Unreachable, match="is curlewd running"):
        exchange(kind, Daemon(url))


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_backlog_is_waited_for_so_long_and_no_longer(kind, tmp_path):
    path = str(tmp_path / "s")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(0)
    others = []
    try:
        with pytest.raises(BlockingIOError):
            while True:
                other = socket.socket(socket.AF_UNIX)
                others.append(other)
                other.setblocking(False)
                other.connect(path)
        d = Daemon(f"fcgi+unix:{path}", connect=0.2)
        began = time.monotonic()
        with pytest.raises(Unreachable, match="backlog"):
            exchange(kind, d)
        assert 0.15 < time.monotonic() - began < 2
        threading.Timer(0.1, lambda: others.append(listener.accept()[0])).start()
        with pytest.raises(DaemonTimeout):  # there is room now; nobody answers
            exchange(kind, Daemon(d.url, connect=5), timeout=0.5)
    finally:
        for each in [*others, listener]:
            each.close()


def test_more_idle_connections_than_the_limit_are_closed():
    from django_curlew.daemon.sockets import Pool

    few, address = Pool(kept=2), Daemon("fcgi+unix:/x").address
    pairs = [socket.socketpair() for _ in range(3)]
    for ours, _ in pairs:
        ours.setblocking(False)
        few.give(address, ours)
    assert few.count(address) == 2 and pairs[2][0].fileno() == -1
    assert few.take(address) is pairs[1][0], "the last one in"
    few.forget()
    assert pairs[0][0].fileno() == -1 and few.take(address) is None
    for pair in pairs:
        for each in pair:
            each.close()
