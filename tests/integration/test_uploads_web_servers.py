"""Uploads through each web server: every byte arrives, and an early answer is heard."""

import contextlib
import http.client
import json
import socket

import pytest

from tests.support.clients import FRAMES
from tests.support.procs import wait_until
from tests.support.upload_origin import UploadOrigin
from tests.support.uploads import line_of, pieces, sha256
from tests.support.web_servers import WEB_SERVERS

KIB, MIB = 1 << 10, 1 << 20
BUFFER = 32 * KIB  # of HAProxy; it passes chunks to a FastCGI server only if all fit there


class SlowUpload:
    """One POST that is sent piece by piece."""

    def __init__(self, web_server, length, chunked):
        self.chunked = chunked
        self.sock = socket.create_connection(("127.0.0.1", web_server.port), timeout=10)
        framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {length}"
        self.sock.sendall(f"POST /_fetch/v1/fetch HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n"
                          f"Content-Type: {FRAMES}\r\nConnection: close\r\n\r\n".encode())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, data):
        self.sock.sendall(b"%x\r\n%b\r\n" % (len(data), data) if self.chunked else data)

    def end(self):
        if self.chunked:
            self.sock.sendall(b"0\r\n\r\n")

    def status_line(self):
        with self.sock.makefile("rb") as response:
            return response.readline()


@pytest.fixture(params=WEB_SERVERS)
def web_server(request, daemon, nginx):
    return nginx(daemon, name=request.param)


def post(web_server, request, size, chunked, path="/v1/fetch"):
    """(status, body): with a Content-Length, or in chunks."""
    line = line_of(request)
    headers = {"Content-Type": FRAMES}
    if not chunked:
        headers["Content-Length"] = str(len(line) + size)

    def body():
        yield line
        yield from pieces(size)

    c = http.client.HTTPConnection("127.0.0.1", web_server.port, timeout=30)
    try:
        c.request("POST", f"/_fetch{path}", body(), headers, encode_chunked=chunked)
        r = c.getresponse()
        return r.status, r.read()
    finally:
        c.close()


def refused_by_haproxy(web_server, request, size):
    """It may close while chunks are still being sent."""
    with contextlib.suppress(ConnectionError):
        status, body = post(web_server, request, size, chunked=True)
        assert status == 400 and b"invalid request" in body


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("size", [0, 1, 300 * KIB, 5 * MIB])
def test_every_byte_arrives(web_server, size, chunked):
    with UploadOrigin() as origin:
        for follows in (True, size):
            request = {"url": origin.url("/"), "body_follows": follows}
            if web_server.name == "haproxy" and chunked and size > BUFFER:
                refused_by_haproxy(web_server, request, size)
                continue
            status, body = post(web_server, request, size, chunked)
            assert status == 200, body
            facts = json.loads(json.loads(body)["body"])
            assert facts == {"size": size, "sha256": sha256(size)}


@pytest.mark.parametrize("path", ["/v1/fetch", "/v1/stream"])
@pytest.mark.parametrize("size", [10, 5 * MIB])
def test_an_early_answer_is_heard(web_server, size, path):
    def script(seen, answer):
        answer(413, b"enough")

    with UploadOrigin(script) as origin:
        request = {"url": origin.url("/"), "body_follows": True}
        for _ in range(3):
            status, body = post(web_server, request, size, chunked=False, path=path)
            if path == "/v1/fetch":
                assert (status, json.loads(body)["body"]) == (200, "enough"), body
            else:
                assert (status, body) == (413, b"enough")
        assert web_server.fetch(origin.url("/"))["status"] == 413


def test_a_refusal_is_heard(web_server):
    for size in (10, 5 * MIB):
        status, body = post(web_server, {"url": "http://127.0.0.1/", "no": 1, "body_follows": 1},
                            size, chunked=False)
        assert (status, json.loads(body)["code"]) == (400, "bad_request")


@pytest.mark.parametrize("name,chunked", [("nginx", False), ("nginx", True), ("haproxy", False)])
def test_bytes_pass_as_they_come(daemon, nginx, name, chunked):
    """Nothing is written to a file first, and a client that leaves is noticed."""
    web_server = nginx(daemon, name=name)
    size = 100_000  # HAProxy waits until its buffer is full
    with UploadOrigin() as origin:
        line = line_of({"url": origin.url("/"), "body_follows": True})
        for leaves in (False, True):
            with SlowUpload(web_server, len(line) + 2 * size, chunked) as slow:
                slow.send(line)
                slow.send(b"x" * size)
                wait_until("the origin to have them",
                           lambda: origin.uploads and origin.uploads[-1].size == size)
                if not leaves:
                    slow.send(b"x" * size)
                    slow.end()
                    assert slow.status_line().startswith(b"HTTP/1.1 200")
                    assert origin.uploads.pop().is_whole
        wait_until("it to be noticed", lambda: origin.uploads[-1].is_over)
        assert not origin.uploads[-1].is_whole
