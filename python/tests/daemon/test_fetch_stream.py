"""Streams in frames: the envelope at their beginning, blocking and async."""

import asyncio
import json
import shutil

import pytest

from django_curlew.daemon import (
    Daemon,
    DaemonTimeout,
    FetchFailed,
    IncompleteResponse,
    ProtocolError,
    fetch_stream,
)
from tests.support.curlewd import Curlewd
from tests.support.procs import free_port
from tests.support.scripted_origin import ScriptedOrigin, answer
from tests.support.web_servers import WebServer


@pytest.fixture(scope="module")
def urls():
    d = Curlewd()
    nginx = WebServer("nginx", d.socket)
    yield {"fcgi": f"fcgi+unix:{d.socket}", "http": f"{nginx.url}/_fetch"}
    nginx.stop()
    d.stop()
    d.check_clean()
    shutil.rmtree(d.directory, ignore_errors=True)


@pytest.fixture(params=["fcgi", "http"])
def remote(request, urls):
    return Daemon(urls[request.param])


def read_sync(d, **keys):
    envelope, stream = d.open_fetch(body=json.dumps(keys).encode(), timeout=10)
    with stream:
        return envelope, b"".join(stream)


def read_async(d, **keys):
    async def read():
        envelope, stream = await d.aopen_fetch(body=json.dumps(keys).encode(), timeout=10)
        async with stream:
            return envelope, b"".join([piece async for piece in stream])

    return asyncio.run(read())


@pytest.fixture(params=[read_sync, read_async])
def read(request):
    return request.param


def test_the_envelope_comes_before_the_body(remote, read):
    with ScriptedOrigin(lambda _, c: c.send(answer(b"a\nb", "404 Gone Away", ["X-A: 1"]))) as o:
        envelope, body = read(remote, url=o.url("/"))
    assert (envelope["status"], envelope["reason"], body) == (404, "Gone Away", b"a\nb")
    assert ["X-A", "1"] in envelope["headers"]


def test_an_empty_body_is_empty(remote, read):
    with ScriptedOrigin(lambda _, c: c.send(answer(b""))) as o:
        assert read(remote, url=o.url("/"))[1] == b""


def test_a_large_head_needs_several_pieces(remote, read):
    fields = [f"X-{i}: {'x' * 4000}" for i in range(50)]
    with ScriptedOrigin(lambda _, c: c.send(answer(b"end", fields=fields))) as o:
        envelope, body = read(remote, url=o.url("/"))
    assert (len(envelope["headers"]), body) == (51, b"end")


def test_a_problem_is_raised(remote, read):
    with pytest.raises(FetchFailed) as raised:
        read(remote, url=f"http://127.0.0.1:{free_port()}/")
    assert raised.value.status == 502
    assert json.loads(raised.value.body)["code"] == "connect_failed"
    assert raised.value.header("content-type") == "application/problem+json"


class FakeStream:
    """Pieces as they are given; the end after them."""

    status, headers = 200, []

    def __init__(self, *pieces):
        self.pieces = list(pieces)
        self.closed = False

    def header(self, _):
        return fetch_stream.FRAMES

    def read(self, timeout):
        if not self.pieces:
            return b""
        piece = self.pieces.pop(0)
        if isinstance(piece, Exception):
            raise piece
        return piece

    def unread(self, data):
        self.pieces.insert(0, data)

    def close(self):
        self.closed = True


class FakeAsyncStream(FakeStream):
    async def read(self, timeout):
        return super().read(timeout)


def read_fake_sync(*pieces):
    stream = FakeStream(*pieces)
    return stream, lambda: fetch_stream.read_envelope(stream, 1)


def read_fake_async(*pieces):
    stream = FakeAsyncStream(*pieces)
    return stream, lambda: asyncio.run(fetch_stream.aread_envelope(stream, 1))


@pytest.fixture(params=[read_fake_sync, read_fake_async])
def fake(request):
    return request.param


def test_a_line_may_be_cut_anywhere(fake):
    stream, read = fake(b'{"a"', b": 1", b"}\nbo", b"dy")
    assert read() == {"a": 1} and stream.pieces == [b"bo", b"dy"]


@pytest.mark.parametrize("pieces, error", [
    ([b'{"a": 1}'], IncompleteResponse),
    ([], IncompleteResponse),
    ([b"no JSON\n"], ProtocolError),
    ([b"[]\n"], ProtocolError),
    ([b'{"a"', DaemonTimeout("late")], DaemonTimeout),
])
def test_a_line_that_is_none_closes_the_stream(fake, pieces, error):
    stream, read = fake(*pieces)
    with pytest.raises(error):
        read()
    assert stream.closed


def test_a_line_has_a_limit(fake, monkeypatch):
    monkeypatch.setattr(fetch_stream, "MAX_LINE_BYTES", 8)
    assert fake(b'{"a": 1}\n')[1]() == {"a": 1}
    with pytest.raises(ProtocolError, match="more than 8 bytes"):
        fake(b'{"a": 11}\n')[1]()
