"""…/v1/stream in frames: the origin's head is the first line of the body, an envelope."""

import json
import shutil

import pytest

from tests.support import streams
from tests.support.clients import FRAMES
from tests.support.curlewd import Curlewd
from tests.support.procs import free_port
from tests.support.scripted_origin import ScriptedOrigin, answer
from tests.support.streams import IncompleteResponse, request_stream

CLIENTS = [pytest.param(name, marks=pytest.mark.xdist_group(f"stream-frames-{name}"))
           for name in streams.CLIENTS]


@pytest.fixture(scope="module", params=CLIENTS)
def client(request):
    daemon = Curlewd({"limits": {"head_bytes": 1024}})  # of no account in frames
    with streams.connected(request.param, daemon) as client:
        client.name = request.param
        yield client
    daemon.stop()
    shutil.rmtree(daemon.directory, ignore_errors=True)


def open_frames(client, **request):
    stream = request_stream(client, "POST", streams.ROUTE, json.dumps(request).encode(),
                            [("Content-Type", "application/json"), ("Accept", FRAMES)])
    assert (stream.status, stream.header("content-type")) == (200, FRAMES)
    return stream


def read_line(stream):
    """(the envelope, the bytes that came with its end)"""
    data = b""
    while b"\n" not in data:
        piece = stream.read()
        assert piece, data
        data += piece
    line, _, rest = data.partition(b"\n")
    return json.loads(line), rest


def open_and_read(client, **request):
    with open_frames(client, **request) as stream:
        envelope, rest = read_line(stream)
        return envelope, rest + stream.read_all()


def test_the_head_is_the_origins(client):
    fields = ["X-Mixed-CASE: 1", "X-Bytes: caf\xe9", "X-Accel-Redirect: /x",
              "X-Long: " + "x" * 5000]
    with ScriptedOrigin(lambda _, c: c.send(answer(b"whole", "404 Nothing Here", fields))) as o:
        envelope, body = open_and_read(client, url=o.url("/"))
    assert (envelope["status"], envelope["reason"], body) == (404, "Nothing Here", b"whole")
    names = [name for name, _ in envelope["headers"]]
    assert names[1:] == ["X-Mixed-CASE", "X-Bytes", "X-Accel-Redirect", "X-Long"]
    assert envelope["headers_base64"] == [[2, "Y2Fm6Q=="]]
    assert "total" not in envelope["timing"] and "bytes_sent" not in envelope["request"]


def test_redirects_leave_their_cookies_and_history(client):
    def script(request, connection):
        if request.target == "/":
            connection.send(answer(b"", "302 Found", ["Location: /end", "Set-Cookie: a=1"]))
        else:
            connection.send(answer(b"end", fields=["Set-Cookie: b=2"]))

    with ScriptedOrigin(script) as origin:
        envelope, body = open_and_read(client, url=origin.url("/"))
    assert [(c["name"], c["value"]) for c in envelope["cookies"]] == [("a", "1"), ("b", "2")]
    assert [h["status"] for h in envelope["history"]] == [302]
    assert (envelope["url"], body) == (origin.url("/end"), b"end")


def test_the_length_of_a_head_response_is_told(client):
    with ScriptedOrigin(lambda _, c: c.send(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n")) as o:
        envelope, body = open_and_read(client, url=o.url("/"), method="HEAD")
    assert envelope["headers"] == [["Content-Length", "99"]] and body == b""


def test_decoding_leaves_what_remains(client, origin):
    envelope, body = open_and_read(client, url=origin.url("/gzip"), decompress=True)
    assert "content_encoding" not in envelope and body == b"this was gzip\n"


def test_the_line_comes_before_the_body(client):
    """The origin's body begins a second after its head."""
    def script(_, connection):
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n")
        connection.send_later(1.0, b"end")

    with ScriptedOrigin(script) as origin, open_frames(client, url=origin.url("/")) as stream:
        envelope, rest = read_line(stream)
        assert (envelope["status"], rest) == (200, b"")
        assert stream.read_all() == b"end"


def test_a_failure_before_the_head_is_a_problem(client):
    url = f"http://127.0.0.1:{free_port()}/"
    stream = request_stream(client, "POST", streams.ROUTE, json.dumps({"url": url}).encode(),
                            [("Content-Type", "application/json"), ("Accept", FRAMES)])
    with stream:
        assert stream.status == 502
        assert json.loads(stream.read_all())["code"] == "connect_failed"


def test_a_body_that_is_cut_breaks_the_stream(client):
    def script(_, connection):
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal")
        connection.send_later(0.3, b"", close=True)

    if streams.hides_truncation(client.name):
        pytest.skip("it hides that")
    with ScriptedOrigin(script) as origin, open_frames(client, url=origin.url("/")) as stream:
        envelope, _ = read_line(stream)
        assert envelope["status"] == 200
        with pytest.raises(IncompleteResponse):
            stream.read_all()
