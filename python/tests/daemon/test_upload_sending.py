"""Bodies that are sent piece by piece, to a daemon that a test plays."""

import asyncio
import io
import json
import os
import socket
import threading
import time

import pytest
from fake_daemon import FakeDaemon, read_request, record
from upload_client import (
    KINDS,
    OBJECT,
    Cut,
    Recorder,
    apieces,
    exchange,
    pipe_of,
    problem,
    read_line,
    stream,
)

from django_curlew.daemon import (
    FRAMES,
    Daemon,
    DaemonTimeout,
    NoResponse,
    Upload,
    UploadError,
    file_length,
)
from django_curlew.daemon.body_source import PIECE_BYTES
from django_curlew.daemon.connection_pool import pool
from django_curlew.daemon.upload import MAX_EARLY_BYTES

DATA = os.urandom(3 * PIECE_BYTES + 5)
SOURCES = {
    "bytes": lambda: [DATA], "list": lambda: [DATA[:7], b"", DATA[7:]],
    "views": lambda: [memoryview(DATA)[:9], bytearray(DATA[9:])],
    "generator": lambda: (DATA[at:at + 1000] for at in range(0, len(DATA), 1000)),
    "file": lambda: io.BytesIO(DATA), "pipe": lambda: pipe_of(DATA),
    "async": lambda: apieces([DATA[:500], b"", DATA[500:]]),
}


@pytest.mark.parametrize("length", [None, len(DATA)])
@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_source_arrives_whole_after_its_object(kind, name, length):
    if (kind, name) == ("sync", "async"):
        pytest.skip("a coroutine's")
    script = Recorder()
    with FakeDaemon(script) as fake:
        upload = Upload(SOURCES[name](), request_object=OBJECT, length=length)
        assert exchange(kind, Daemon(fake.url), upload).body == b"ok"
    line, _, body = script.body.partition(b"\n")
    assert json.loads(line) == {**OBJECT, "body_follows": length or True}
    assert body == DATA and max(script.sizes) <= PIECE_BYTES
    assert script.params["CONTENT_TYPE"] == FRAMES and script.params["HTTP_ACCEPT"] == FRAMES
    size = None if length is None else str(len(line) + 1 + length)
    assert script.params.get("CONTENT_LENGTH") == size


def test_a_blocking_client_takes_no_async_iterable():
    script = Cut()
    with FakeDaemon(script) as fake:
        with pytest.raises(TypeError, match="coroutine"):
            exchange("sync", Daemon(fake.url), Upload(apieces([b"a"]), request_object=OBJECT))
        assert script.was_cut()


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_sent_from_where_it_stands_and_no_further_than_announced(kind):
    file = io.BytesIO(b"0123456789")
    file.seek(4)
    assert file_length(file) == 6 and file.tell() == 4
    script = Recorder()
    with FakeDaemon(script) as fake:
        exchange(kind, Daemon(fake.url), Upload(file, head=b"<", length=5))
    assert script.body == b"<45678"


def test_the_length_of_what_has_none():
    reader, writer = os.pipe()
    with open(reader, "rb") as pipe:
        assert file_length(pipe) is None
    os.close(writer)
    assert file_length(io.StringIO("abc")) is None
    assert file_length([b"abc"]) is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pieces, words", [
    ([b"abc", b"d"], "1 bytes fewer than the 5"), ([], "5 bytes fewer"),
    ([b"abc", b"def"], "more than the 5"), ([b"abcde", b"", b"f"], "more than the 5"),
])
def test_a_source_of_another_length_is_not_sent_to_its_end(kind, pieces, words):
    script = Cut()
    with FakeDaemon(script) as fake:
        upload = Upload(pieces, request_object=OBJECT, length=5)
        with pytest.raises(UploadError, match=words) as caught:
            exchange(kind, Daemon(fake.url), upload)
        assert script.was_cut() and len(script.body.partition(b"\n")[2]) < 5
    assert caught.value.code == "bad_request"


class Mine(Exception):
    pass


@pytest.mark.parametrize("error", [Mine(), OSError(5, "disk"), NoResponse("another's"),
                                   BrokenPipeError(32, "another's"), KeyError("x")], ids=repr)
@pytest.mark.parametrize("kind, make", [("sync", "sync"), ("async", "sync"), ("async", "async")])
def test_an_exception_of_the_source_aborts_and_is_raised_as_it_is(kind, make, error):
    def source():
        yield b"abc"
        raise error

    async def asource():
        yield b"abc"
        raise error

    script = Cut()
    with FakeDaemon(script) as fake:
        upload = Upload(source() if make == "sync" else asource(), request_object=OBJECT)
        with pytest.raises(type(error)) as caught:
            exchange(kind, Daemon(fake.url), upload, idempotent=True)
        assert script.was_cut() and script.body.endswith(b"\nabc")
    assert caught.value is error and upload.error is error


@pytest.mark.parametrize("kind", KINDS)
def test_a_source_must_yield_bytes(kind):
    script = Cut()
    with FakeDaemon(script) as fake:
        with pytest.raises(TypeError, match="not of str"):
            exchange(kind, Daemon(fake.url), Upload(["abc"], request_object=OBJECT))
        assert script.was_cut()


@pytest.mark.parametrize("kind", KINDS)
def test_a_response_before_the_end_ends_the_sending(kind):
    """The source has no end, and nobody reads it; the next request has another connection."""
    def refuse(sock):
        read_line(sock)
        sock.sendall(problem(413, b"request_too_large"))
        gone.wait(5)

    gone, pulled = threading.Event(), []

    def endless():
        while True:
            pulled.append(1)
            yield bytes(PIECE_BYTES)

    with FakeDaemon(refuse, Recorder()) as fake:
        d = Daemon(fake.url)
        answer = exchange(kind, d, Upload(endless(), request_object=OBJECT))
        assert pool.idle_count(d.address) == 0
        gone.set()
        assert answer.status == 413 and len(pulled) < 100
        assert exchange(kind, d, Upload([b"x"], request_object=OBJECT)).status == 200
        assert fake.accepted == 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_response_and_then_a_closed_connection(kind):
    """The kernel reports the closing to send() before the response was read."""
    def refuse(sock):
        read_line(sock)
        sock.sendall(problem(401, b"unauthorized"))
        sock.shutdown(socket.SHUT_RDWR)
        closed.set()

    def source():
        yield b"a"
        closed.wait(5)
        while True:
            yield bytes(PIECE_BYTES)

    closed = threading.Event()
    with FakeDaemon(refuse) as fake:
        assert exchange(kind, Daemon(fake.url), Upload(source(), head=b"{}\n")).status == 401


def test_a_response_ends_the_wait_for_the_source():
    """A coroutine needs not wait until the source has its next piece."""
    def refuse(sock):
        read_line(sock)
        sock.sendall(problem(504, b"timeout"))
        sock.recv(1)

    cancelled = []

    async def source():
        yield b"a"
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append(1)
            raise

    start = time.monotonic()
    with FakeDaemon(refuse) as fake:
        answer = exchange("async", Daemon(fake.url), Upload(source(), request_object=OBJECT))
    assert answer.status == 504 and cancelled and time.monotonic() - start < 5


def test_a_source_that_is_cancelled_cancels_the_request():
    async def source():
        yield b"a"
        raise asyncio.CancelledError

    async def run(d):
        with pytest.raises(asyncio.CancelledError):
            await d.aexchange("POST", "/v1/fetch", body=Upload(source(), head=b"{}\n"))

    script, start = Cut(), time.monotonic()
    with FakeDaemon(script) as fake:
        asyncio.run(asyncio.wait_for(run(Daemon(fake.url)), 5))
        assert time.monotonic() - start < 4, "it has not waited for a response"
        assert script.was_cut()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("is_whole", [False, True])
def test_an_origin_that_responds_early_still_gets_the_rest(kind, is_whole):
    """A stream's head of 200 does not end the sending; the end of its body does."""
    script = Recorder(b"" if is_whole else record(6, b"body") + record(3, bytes(8)))

    def early(sock):
        sock.sendall(record(6, b"Status: 200 OK\r\n\r\n"))
        if is_whole:
            sock.sendall(record(6, b"body") + record(3, bytes(8)))
        sent.set()
        if not is_whole:
            script(sock)

    sent, pulled = threading.Event(), []

    def source():
        sent.wait(5)
        for _ in range(50):
            time.sleep(0.002)
            pulled.append(1)
            yield bytes(9999)

    with FakeDaemon(early) as fake:
        assert stream(kind, Daemon(fake.url), Upload(source(), head=b"{}\n")) == (200, b"body")
    if is_whole:
        assert len(pulled) < 40
    else:
        assert len(script.body) == 3 + 50 * 9999


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("over", [False, True])
def test_a_response_may_be_so_large_before_the_request_is_read(kind, over):
    """At the limit the sending goes on, above it the sending ends."""
    size = MAX_EARLY_BYTES + over

    def pour(sock):
        sock.sendall(record(6, b"Status: 200 OK\r\n\r\n"))
        for at in range(0, size, 32768):
            sock.sendall(record(6, bytes(min(32768, size - at))))
        poured.set()
        if over:
            sock.sendall(record(3, bytes(8)))
        else:
            read_request(sock)
            sock.sendall(record(3, bytes(8)))

    poured = threading.Event()

    def source():
        while not poured.is_set():
            yield b"x"
        while over:
            yield b"x"

    with FakeDaemon(pour) as fake:
        status, body = stream(kind, Daemon(fake.url), Upload(source(), head=b"{}\n"), timeout=20)
    assert status == 200 and len(body) == size


def test_cancelling_closes_the_connection_and_the_source():
    script, state = Cut(), []

    def hold(sock):
        read_line(sock)
        arrived.set()
        script(sock)

    async def source():
        try:
            while True:
                yield b"x"
                await asyncio.sleep(0.01)
        finally:
            state.append("closed")

    async def run(d):
        upload = Upload(source(), request_object=OBJECT)
        task = asyncio.ensure_future(d.aexchange("POST", "/v1/fetch", body=upload))
        await asyncio.get_running_loop().run_in_executor(None, arrived.wait, 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    arrived = threading.Event()
    with FakeDaemon(hold) as fake:
        asyncio.run(run(Daemon(fake.url)), debug=True)
        assert script.was_cut() and state == ["closed"]


# -- time and memory ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind, make", [("sync", "sync"), ("async", "sync"), ("async", "async")])
def test_a_slow_source_takes_nothing_from_the_timeout(kind, make):
    def source():
        for _ in range(8):
            time.sleep(0.1)
            yield b"x"

    async def asource():
        for _ in range(8):
            await asyncio.sleep(0.1)
            yield b"x"

    script = Recorder()
    with FakeDaemon(script) as fake:
        upload = Upload(source() if make == "sync" else asource(), head=b"{}\n")
        assert exchange(kind, Daemon(fake.url), upload, timeout=0.5).status == 200
    assert script.body == b"{}\nxxxxxxxx"


@pytest.mark.parametrize("kind", KINDS)
def test_a_daemon_that_does_not_read_is_a_timeout_and_nothing_is_read_ahead(kind):
    pulled, done = [], threading.Event()

    def endless():
        while True:
            pulled.append(1)
            yield bytes(PIECE_BYTES)

    start = time.monotonic()
    with FakeDaemon(lambda sock: done.wait(9)) as fake:
        with pytest.raises(DaemonTimeout):
            exchange(kind, Daemon(fake.url), Upload(endless(), head=b"{}\n"), timeout=0.3)
        done.set()
    assert 0.25 < time.monotonic() - start < 4
    assert len(pulled) * PIECE_BYTES < 4 << 20, "back-pressure"


@pytest.mark.parametrize("kind", KINDS)
def test_a_daemon_that_does_not_respond_is_a_timeout(kind):
    done = threading.Event()

    def silent(sock):
        read_request(sock)
        done.wait(9)

    with FakeDaemon(silent) as fake:
        with pytest.raises(DaemonTimeout):
            exchange(kind, Daemon(fake.url), Upload([b"x"], head=b"{}\n"), timeout=0.3)
        done.set()


# -- HTTP -----------------------------------------------------------------------------------------


class HTTPRecorder:
    """Reads a request with its chunks as they come, and responds."""

    def __call__(self, sock):
        file = sock.makefile("rb")
        self.lines, self.chunks = [], []
        while (line := file.readline().strip()):
            self.lines.append(line.decode())
        headers = {n.lower(): v for n, v in (line.split(": ", 1) for line in self.lines[1:])}
        self.headers = headers
        if "content-length" in headers:
            self.chunks.append(file.read(int(headers["content-length"])))
        else:
            while (size := int(file.readline(), 16)):
                self.chunks.append(file.read(size))
                assert file.readline() == b"\r\n"
            assert file.readline() == b"\r\n"
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


@pytest.mark.parametrize("length", [None, len(DATA)])
@pytest.mark.parametrize("kind", KINDS)
def test_over_http_a_body_has_a_length_or_chunks(kind, length):
    script = HTTPRecorder()
    with FakeDaemon(script, tcp=True, protocol="http") as fake:
        upload = Upload(iter([DATA[:9], DATA[9:]]), request_object=OBJECT, length=length)
        assert exchange(kind, Daemon(fake.url + "/_fetch"), upload).body == b"ok"
    line, _, body = b"".join(script.chunks).partition(b"\n")
    assert json.loads(line)["body_follows"] == (length or True) and body == DATA
    assert script.headers["content-type"] == FRAMES
    if length is None:
        assert script.headers["transfer-encoding"] == "chunked"
        assert "content-length" not in script.headers
        assert max(map(len, script.chunks)) <= PIECE_BYTES
    else:
        assert script.headers["content-length"] == str(len(line) + 1 + length)
        assert "transfer-encoding" not in script.headers


@pytest.mark.parametrize("kind", KINDS)
def test_over_http_an_early_response_ends_the_sending(kind):
    def refuse(sock):
        sock.recv(4096)
        sock.sendall(b"HTTP/1.1 413 X\r\nContent-Length: 3\r\n\r\nbig")
        done.wait(5)

    done = threading.Event()

    def endless():
        while True:
            yield bytes(PIECE_BYTES)

    with FakeDaemon(refuse, HTTPRecorder(), tcp=True, protocol="http") as fake:
        d = Daemon(fake.url)
        answer = exchange(kind, d, Upload(endless(), request_object=OBJECT))
        done.set()
        assert (answer.status, answer.body) == (413, b"big")
        assert exchange(kind, d, Upload([b"x"], request_object=OBJECT)).status == 200
        assert fake.accepted == 2
