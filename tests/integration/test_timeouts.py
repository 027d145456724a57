"""Timeouts: each fails at its time, with the name of the limit."""

import contextlib
import re
import socket
import threading
import time

import pytest

from tests.support.scripted_origin import Http2Origin, ScriptedOrigin, answer

pytestmark = pytest.mark.libcurl


def refused_after(client, request, code, least, most):
    start = time.monotonic()
    p = client.refused(request, 504, code)
    took = time.monotonic() - start
    assert least <= took <= most + 2, f"{code} after {took:.3f} s"
    return p


@pytest.mark.parametrize("path", ["/silent", "/half-head", "/stall", "/drip?n=1000&every=0.02"])
def test_the_total_timeout_ends_a_fetch(client, origin, path):
    p = refused_after(client, {"url": origin.url(path), "timeout": 0.3}, "timeout", 0.29, 0.4)
    assert "0.3" in p["detail"]


def test_the_total_timeout_has_a_long_form(client, origin):
    refused_after(client, {"url": origin.url("/silent"), "timeout": {"total": 0.2}}, "timeout",
                  0.19,
                  0.3)


@pytest.mark.parametrize("path", ["/silent", "/half-head", "/stall", "/stall?n=5"])
def test_the_idle_timeout_ends_a_silent_fetch(client, origin, path):
    p = refused_after(client, {"url": origin.url(path), "timeout": {"idle": 0.25}}, "idle_timeout",
                      0.24, 0.4)
    assert "0.25" in p["detail"]


def test_a_slow_connection_is_not_idle(client, certs):
    """Only the connect timeout runs during the handshake; the idle one begins with the request."""
    def slow_context(context):
        wrap = context.wrap_socket

        def wrap_later(sock, **options):
            time.sleep(0.8)
            return wrap(sock, **options)
        context.wrap_socket = wrap_later

    def script(request, connection):
        if request.target == "/silent":
            connection.hold(5)
        connection.send(answer(b"in time"))

    with ScriptedOrigin(script, certs=certs) as origin:
        slow_context(origin.tls)
        timeout = {"idle": 0.4, "connect": 5}
        e = client.fetch(origin.url("/"), timeout=timeout, verify=False)
        assert e["body"] == "in time"
        p = refused_after(client, {"url": origin.url("/silent"), "timeout": timeout,
                                   "verify": False, "headers": {"Connection": "close"}},
                          "idle_timeout", 0.38, 1.6)
        assert "0.4" in p["detail"]
        timeout = {"idle": 5, "connect": 0.3}
        refused_after(client, {"url": origin.url("/", host="localhost"), "timeout": timeout,
                               "verify": False}, "connect_timeout", 0.29, 0.6)


BODIES = {
    "text": {"body": "a" * 50_000},
    "multipart": {"multipart": [{"name": "file", "value": "a" * 50_000, "filename": "a"}]},
    "empty": {"body": ""},
    "large": {"body": "a" * 900_000},
}


@pytest.mark.parametrize("opened", [ScriptedOrigin, Http2Origin])
@pytest.mark.parametrize("body", BODIES)
def test_the_idle_timeout_fires_once_where_a_body_was_sent(client, opened, body):
    def silent(request, connection, stream=None):
        if stream is None:
            connection.hold()

    request = {"method": "POST", "timeout": {"idle": 1, "total": 10}, **BODIES[body]}
    with opened(silent) as origin:
        if opened is Http2Origin:
            request |= {"http_version": "2-prior-knowledge"}
        start = time.monotonic()
        client.refused({**request, "url": origin.url("/silent")}, 504, "idle_timeout")
        assert 1.0 <= time.monotonic() - start <= 1.7


@contextlib.contextmanager
def slow_reader(every, n):
    """The URL of an origin that reads n bytes of a request each `every` seconds, then answers."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)

    def serve():
        with contextlib.suppress(OSError):
            sock, _ = listener.accept()
            with sock:
                head, _, body = sock.recv(65536).partition(b"\r\n\r\n")
                left = int(re.search(rb"Content-Length: (\d+)", head)[1]) - len(body)
                while left > 0 and (data := sock.recv(min(n, left))):
                    left -= len(data)
                    time.sleep(every)
                sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nread")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with listener:
        yield "http://127.0.0.1:%d/" % listener.getsockname()[1]
    thread.join(10)


def test_an_upload_that_goes_on_is_not_idle(client):
    with slow_reader(0.1, 30_000) as url:
        e = client.fetch(url, method="POST", body="a" * 1_000_000,
                         timeout={"idle": 1, "total": 30})
    assert e["body"] == "read"
    assert e["timing"]["total"] > 2


def test_an_upload_that_stands_still_is_idle(client):
    with slow_reader(5, 1000) as url:
        start = time.monotonic()
        client.refused({"method": "POST", "url": url, "body": "a" * 1_000_000,
                        "timeout": {"idle": 1, "total": 10}}, 504, "idle_timeout")
        assert 1.0 <= time.monotonic() - start <= 1.7


def test_bytes_that_keep_coming_are_not_idle(client, origin):
    e = client.fetch(origin.url("/drip?n=8&every=0.1"), timeout={"idle": 0.5})
    assert e["body_bytes"] == 8 and e["timing"]["total"] > 0.6


def test_the_connect_timeout_ends_a_connection_attempt(client, origin):
    refused_after(client, {"url": origin.url(port="never"), "timeout": {"connect": 0.2}},
                  "connect_timeout", 0.19, 0.4)


def test_the_shorter_of_connect_and_total_is_the_one(client, origin):
    url = origin.url(port="never")
    refused_after(client, {"url": url, "timeout": {"connect": 5, "total": 0.2}}, "timeout", 0.19,
                  0.4)
    refused_after(client, {"url": url, "timeout": {"connect": 0.2, "total": 5}}, "connect_timeout",
                  0.19, 0.4)


def test_a_slow_fetch_within_its_timeout_completes(client, origin):
    assert client.fetch(origin.url("/delay/0.4"), timeout=5)["body"] == "late\n"


def test_one_millisecond_is_a_valid_timeout(client, origin):
    client.refused({"url": origin.url("/silent"), "timeout": 0.001}, 504, "timeout")


def test_a_timeout_closes_the_connection_to_the_origin(client, origin):
    client.refused({"url": origin.url("/silent?gone"), "timeout": 0.1}, 504, "timeout")
    origin.wait_for("left", "/silent?gone", 3)
