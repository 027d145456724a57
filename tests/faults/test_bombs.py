"""Compression bombs: what a stopped reader, or a slow fetch, costs while the origin sends zeros.

A stream holds less than 256 KiB beside its decoder's window, and curlew_buffered_bytes knows of it.
HTTP/1.1, which is what `http_version: auto` means for a stream.
"""

import itertools
import time
import zlib
from contextlib import ExitStack

import brotli
import pytest
import zstandard

from tests.support.clients import problem
from tests.support.curlewd import SANITIZED
from tests.support.metrics import read_metric
from tests.support.procs import wait_until
from tests.support.scripted_origin import ScriptedOrigin, answer
from tests.support.streams import IncompleteResponse, open_stream

pytestmark = pytest.mark.libcurl

STREAMS = 20
PER_STREAM = 256 << 10
FIXED = 2 << 20  # once, whatever the number of streams
ZEROS = bytes(1 << 20)


def without_end(code):
    """After the second piece of zeros all are alike."""
    yield from (code(ZEROS), code(ZEROS))
    yield from itertools.repeat(code(ZEROS))


def zlib_bomb(bits):
    c = zlib.compressobj(9, zlib.DEFLATED, bits)
    return without_end(lambda zeros: c.compress(zeros) + c.flush(zlib.Z_FULL_FLUSH))


def brotli_bomb():
    c = brotli.Compressor(quality=1, lgwin=24)
    return without_end(lambda zeros: c.process(zeros) + c.flush())


def zstd_bomb():
    parameters = zstandard.ZstdCompressionParameters(window_log=23)
    c = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    return without_end(
        lambda zeros: c.compress(zeros) + c.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK))


def in_gzip(inner):
    """Coded once more; a gzip of a gzip of zeros is a thousandth of it."""
    c = zlib.compressobj(9, zlib.DEFLATED, 31)
    for piece in inner:
        yield c.compress(piece) + c.flush(zlib.Z_SYNC_FLUSH)


# coding → (a bomb, the most bytes of its windows)
BOMBS = {
    "gzip": (lambda: zlib_bomb(31), 0),
    "deflate": (lambda: zlib_bomb(15), 0),
    "br": (brotli_bomb, 17 << 20),
    "zstd": (zstd_bomb, 9 << 20),
    "gzip, gzip": (lambda: in_gzip(zlib_bomb(31)), 0),
    "zstd, gzip": (lambda: in_gzip(zstd_bomb()), 9 << 20),
    "br, gzip, gzip, gzip": (lambda: in_gzip(in_gzip(in_gzip(brotli_bomb()))), 17 << 20),
}


def send_bomb(request, connection):
    """GET /CODING: zeros until the connection ends."""
    coding = request.target[1:].replace("%20", " ")
    if coding == "good":
        connection.send(answer("good"))
        return
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Encoding: %b\r\nConnection: close\r\n\r\n"
                    % coding.encode())
    for piece in BOMBS[coding][0]():
        connection.send(piece)


@pytest.fixture(scope="module")
def bombs():
    with ScriptedOrigin(send_bomb) as origin:
        yield lambda coding: origin.url("/" + coding.replace(" ", "%20"))


def warm(daemon, bombs):
    for _ in range(3):
        assert daemon.client.fetch(bombs("good"))["body"] == "good"
    return daemon.rss_kib() << 10


def held(daemon):
    return int(read_metric(daemon, "curlew_buffered_bytes"))


@pytest.mark.quiet
@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
@pytest.mark.parametrize("read", [0, 1 << 20], ids=["at the start", "in the middle"])
def test_readers_that_stop_hold_little(curlewd, bombs, coding, read):
    daemon = curlewd()
    before = warm(daemon, bombs)
    limit = STREAMS * (PER_STREAM + BOMBS[coding][1]) + FIXED
    with ExitStack() as stack:
        streams = [stack.enter_context(open_stream(daemon.client, url=bombs(coding),
                                                   decompress=True)) for _ in range(STREAMS)]
        for s in streams:
            s.read_at_least(read)
        time.sleep(0.5)
        grown = (daemon.rss_kib() << 10) - before
        assert grown < limit, f"{grown / STREAMS:.0f} bytes a stream"
        # Also on the account: all but the framed response and what belongs to libcurl.
        assert grown - STREAMS * (128 << 10) - FIXED < held(daemon) < limit
    wait_until("nothing held", lambda: held(daemon) == 0)


@pytest.mark.parametrize("coding", BOMBS)
def test_a_fetch_ends_at_the_size_limit(curlewd, bombs, coding):
    daemon = curlewd()
    before = warm(daemon, bombs)
    limit = 1 << 20
    for _ in range(3):
        p = problem(daemon.client.post({"url": bombs(coding), "max_body_bytes": limit}),
                    502, "response_too_large")
        assert str(limit) in p["detail"]
    if not SANITIZED:
        grown = (daemon.peak_kib() << 10) - before
        assert grown < 4 * limit + BOMBS[coding][1] + FIXED, grown
    wait_until("nothing held", lambda: held(daemon) == 0)
    assert daemon.client.fetch(bombs("good"))["body"] == "good"


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "gzip, gzip"])
def test_a_slow_fetch_holds_what_it_has_received(curlewd, bombs, coding):
    daemon = curlewd()
    before = warm(daemon, bombs)
    problem(daemon.client.post({"url": bombs(coding), "max_recv_speed": 500_000, "timeout": 2}),
            504, "timeout")
    if not SANITIZED:
        grown = (daemon.peak_kib() << 10) - before
        assert grown < (4 << 20) + BOMBS[coding][1] + FIXED, grown
    wait_until("nothing held", lambda: held(daemon) == 0)


def test_windows_count_toward_buffered_bytes(curlewd, bombs):
    """Past the limit a stream that needs more breaks, and a fetch without a window goes on."""
    daemon = curlewd({"limits": {"buffered_bytes": 40 << 20}})
    with ExitStack() as stack:
        streams = [stack.enter_context(open_stream(daemon.client, url=bombs("br"),
                                                   decompress=True)) for _ in range(4)]
        broken = 0
        for s in streams:
            try:
                s.read_at_least(18 << 20)
            except IncompleteResponse:
                broken += 1
        assert broken == 2
        assert daemon.client.fetch(bombs("good"))["body"] == "good"
    wait_until("nothing held", lambda: held(daemon) == 0)
    outcome = 'curlew_fetches_total{session="default",outcome="overloaded"}'
    assert read_metric(daemon, outcome) == 2


def test_a_slow_reader_of_a_well_compressed_body_gets_all_of_it(curlewd):
    """While it pauses, the decoder goes on from a copy of what libcurl will give again."""
    lines = b"".join(b"line %d of a text that is easy to compress\n" % i for i in range(200_000))
    body = zlib.compressobj(9, zlib.DEFLATED, 31)
    coded = body.compress(lines) + body.flush()

    def script(request, connection):
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
                        % len(coded) + coded)

    daemon = curlewd()
    with ScriptedOrigin(script) as origin, \
            open_stream(daemon.client, url=origin.url(), decompress=True) as s:
        got = bytearray()
        while piece := s.read():
            got += piece
            if len(got) < 2 << 20:
                time.sleep(0.002)
        assert bytes(got) == lines
