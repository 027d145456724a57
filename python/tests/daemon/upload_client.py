"""Sending uploads by either client, to scripts for a FakeDaemon."""

import asyncio
import os
import threading

from fake_daemon import read_records, read_upload, record, response

from django_curlew.daemon import FRAMES

OBJECT = {"url": "https://example.org/", "method": "PUT"}
KINDS = ["sync", "async"]
PROBLEM = b'{"code": "%b", "detail": "x"}'


def exchange(kind, d, upload, *, timeout=5.0, idempotent=False, route="/v1/fetch"):
    options = dict(body=upload, timeout=timeout, idempotent=idempotent,
                   headers=(("Content-Type", "application/json"), ("Accept", FRAMES)))
    if kind == "sync":
        return d.exchange("POST", route, **options)
    return asyncio.run(d.aexchange("POST", route, **options))


def stream(kind, d, upload, timeout=5.0):
    """(status, body) of a stream."""
    if kind == "sync":
        with d.open("POST", "/v1/stream", body=upload, timeout=timeout) as s:
            return s.status, b"".join(s)

    async def read():
        async with await d.aopen("POST", "/v1/stream", body=upload, timeout=timeout) as s:
            return s.status, b"".join([p async for p in s])
    return asyncio.run(read())


async def apieces(pieces):
    for piece in pieces:
        await asyncio.sleep(0)
        yield piece


def problem(status, code):
    body = b"Content-Type: application/problem+json\r\n\r\n" + PROBLEM % code
    return record(6, b"Status: %d X\r\n" % status + body) + record(3, bytes(8))


class Recorder:
    """A script that keeps what it reads, and responds."""

    def __init__(self, answer=None):
        self.answer = answer or response()

    def __call__(self, sock):
        self.params, self.body, self.sizes = read_upload(sock)
        sock.sendall(self.answer)


class Cut:
    """A script that expects the client to leave in the middle of its request."""

    def __init__(self):
        self.body = b""
        self.is_whole = True
        self.is_done = threading.Event()

    def __call__(self, sock):
        try:
            for kind, content in read_records(sock):
                self.body += content if kind == 5 else b""
        except (AssertionError, ConnectionError):
            self.is_whole = False
        self.is_done.set()

    def was_cut(self):
        """Waits until the request has ended; only while the daemon still runs."""
        assert self.is_done.wait(5)
        return not self.is_whole


def read_line(sock):
    for kind, content in read_records(sock):
        if kind == 5 and b"\n" in content:
            return


def pipe_of(data):
    reader, writer = os.pipe()

    def fill():
        with open(writer, "wb") as file:
            file.write(data)

    threading.Thread(target=fill, daemon=True).start()
    return open(reader, "rb")
