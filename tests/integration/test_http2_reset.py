"""HTTP/2 origins that reset a stream: the next fetches go on, on that connection or another."""

import concurrent.futures
import time

import pytest

from tests.support.scripted_origin import Http2Origin

pytestmark = [pytest.mark.libcurl, pytest.mark.tls]

INTERNAL_ERROR, CANCEL = 2, 8


def resets(*numbers, head=False, code=INTERNAL_ERROR):
    """A script that resets the requests of these numbers, from 1, after their head or before."""
    count = 0

    def script(request, connection, stream):
        nonlocal count
        count += 1
        if count not in numbers:
            connection.respond(stream, body=b"%d" % count)
            return
        if head:
            connection.h2.send_headers(stream, [(":status", "200")])
        connection.reset_stream(stream, code)

    return script


@pytest.fixture(params=["tls", "prior knowledge"])
def http2(request, curlewd, certs):
    """http2(script) → the origin, and a function that fetches from it."""
    daemon = curlewd({"sessions": {"default": {"ca_file": str(certs / "ca.pem")}}})
    tls = request.param == "tls"
    keys = {"timeout": 10} if tls else {"timeout": 10, "http_version": "2-prior-knowledge"}

    def start(script):
        origin = Http2Origin(script, certs if tls else None)
        return origin, lambda: daemon.client.post({"url": origin.url("/"), **keys})

    return start


@pytest.mark.parametrize("numbers", [(1,), (1, 2, 3), (2,), (2, 4)], ids=str)
@pytest.mark.parametrize("keys", [{}, {"code": CANCEL}, {"head": True}], ids=str)
def test_the_fetches_after_a_reset_stream_do_not_wait(http2, numbers, keys):
    origin, fetch = http2(resets(*numbers, **keys))
    with origin:
        for _ in range(6):
            start = time.monotonic()
            response = fetch()
            assert response.status in (200, 502), response
            assert time.monotonic() - start < 5  # 0.01 on a quiet machine
        assert response.json()["body"] == "6"
        assert len(origin.requests) == 6


def test_a_reset_stream_leaves_the_others_of_its_connection_alone(http2):
    """The second of them is reset while the first is still on its way."""
    waiting = []

    def script(request, connection, stream):
        waiting.append(stream)
        if len(waiting) == 1:
            connection.respond(stream, body=b"warm")
        elif len(waiting) == 3:
            connection.reset_stream(stream, CANCEL)
            connection.respond(waiting[1], body=b"kept")

    origin, fetch = http2(script)
    with origin, concurrent.futures.ThreadPoolExecutor(2) as pool:
        assert fetch().json()["body"] == "warm"
        results = sorted(response.status for response in pool.map(lambda _: fetch(), range(2)))
        assert results == [200, 502] and origin.connections == 1
