"""The bodies of requests to the bridge's mount: sent on as they arrive."""

import asyncio
import json
import sys
import threading
import time
from pathlib import Path

import pytest
from asgi_harness import LOCAL_HEADERS, call, scope_of
from asgiref.testing import ApplicationCommunicator

from django_curlew.asgi import CurlewBridge
from django_curlew.bridge.request_body import BEGINNING_BYTES
from django_curlew.daemon import FRAMES

sys.path.append(str(Path(__file__).parents[1] / "daemon"))
from fake_daemon import FakeDaemon, read_records, record  # noqa: E402
from upload_client import Cut, Recorder, problem, read_line  # noqa: E402

FRAMED = (b"content-type", FRAMES.encode())
LINE = b'{"url": "https://example.org/", "body_follows": true}\n'


class Client:
    """A client of the ASGI application, that sends what it is told to."""

    def __init__(self, url, *headers):
        application = CurlewBridge(None, mount="/_fetch", open=True, url=url)
        scope = scope_of(path="/_fetch/v1/fetch", method="POST",
                         headers=[*LOCAL_HEADERS, *headers])
        self.waiting = ApplicationCommunicator(application, scope)

    async def send(self, body, more=True):
        await self.waiting.send_input({"type": "http.request", "body": body, "more_body": more})

    async def response(self):
        """(status, body)"""
        start = await self.waiting.receive_output(10)
        body = b""
        while True:
            message = await self.waiting.receive_output(10)
            body += message.get("body", b"")
            if not message.get("more_body"):
                await self.waiting.wait(5)
                return start["status"], body


def exchange(url, pieces, *headers):
    async def run():
        client = Client(url, *headers)
        for piece in pieces:
            await client.send(piece)
        await client.send(b"", more=False)
        return await client.response()
    return asyncio.run(run(), debug=True)


PIECES = [LINE, b"abc", b"", b"d" * 70000]


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize("kind", [FRAMED, (b"content-type", b"text/plain")])
@pytest.mark.parametrize("more", [[], [b"e" * BEGINNING_BYTES]])
def test_a_body_in_pieces_arrives_whole(announced, kind, more):
    body = b"".join(PIECES + more)
    length = [(b"content-length", b"%d" % len(body))] if announced else []
    script = Recorder()
    with FakeDaemon(script) as fake:
        assert exchange(fake.url, PIECES + more, kind, *length) == (200, b"ok")
    assert script.body == body and script.params["CONTENT_TYPE"] == kind[1].decode()
    is_short = kind is not FRAMED and not more
    size = str(len(body)) if announced or is_short else None
    assert script.params.get("CONTENT_LENGTH") == size


def test_a_request_of_one_piece_is_what_it_was():
    script = Recorder()
    with FakeDaemon(script) as fake:
        async def run():
            client = Client(fake.url, FRAMED)
            await client.send(b"{}", more=False)
            return await client.response()
        assert asyncio.run(run()) == (200, b"ok")
    assert (script.body, script.params["CONTENT_LENGTH"]) == (b"{}", "2")


def test_an_upload_starts_before_it_is_complete():
    """The daemon has the request object while the client still holds its body."""
    seen = threading.Event()

    def script(sock):
        read_line(sock)
        seen.set()
        for kind, content in read_records(sock):
            if kind == 5 and content == b"later":
                break
        sock.sendall(record(6, b"Status: 200 X\r\n\r\nok") + record(3, bytes(8)))

    async def run(url):
        client = Client(url, FRAMED)
        await client.send(LINE)
        assert await asyncio.get_running_loop().run_in_executor(None, seen.wait, 5)
        await client.send(b"later", more=False)
        return await client.response()

    with FakeDaemon(script) as fake:
        assert asyncio.run(run(fake.url)) == (200, b"ok")


def test_a_client_that_disconnects_in_mid_body_cuts_the_request():
    async def run(url):
        client = Client(url, FRAMED)
        await client.send(LINE)
        await client.send(b"abc")
        await client.waiting.send_input({"type": "http.disconnect"})
        await client.waiting.wait(5)
        assert await client.waiting.receive_nothing()

    script = Cut()
    with FakeDaemon(script) as fake:
        asyncio.run(run(fake.url))
        assert script.was_cut()


def test_a_client_that_disconnects_after_its_body_cancels_the_fetch():
    arrived, left = threading.Event(), threading.Event()

    def script(sock):
        Recorder(b" ").__call__(sock)
        arrived.set()
        assert sock.recv(1) == b""
        left.set()

    async def run(url):
        client = Client(url, FRAMED)
        await client.send(LINE)
        await client.send(b"abc", more=False)
        await asyncio.get_running_loop().run_in_executor(None, arrived.wait, 5)
        await client.waiting.send_input({"type": "http.disconnect"})
        start = time.monotonic()
        await client.waiting.wait(5)
        assert time.monotonic() - start < 4, "it has not waited for the daemon"

    with FakeDaemon(script) as fake:
        asyncio.run(run(fake.url))
        assert left.wait(5)


def test_a_response_before_the_end_of_the_body():
    """It is passed on, and what the client still sends is dropped."""
    def refuse(sock):
        read_line(sock)
        sock.sendall(problem(413, b"request_too_large"))

    async def run(url):
        client = Client(url, FRAMED)
        await client.send(LINE)
        status, body = await client.response()
        return status, json.loads(body)["code"]

    with FakeDaemon(refuse) as fake:
        assert asyncio.run(run(fake.url)) == (413, "request_too_large")


def test_a_body_of_another_length_than_announced():
    script = Cut()
    with FakeDaemon(script) as fake:
        status, body = exchange(fake.url, [LINE, b"abc"], FRAMED, (b"content-length", b"999"))
        assert (status, json.loads(body)["code"]) == (400, "bad_request")
        assert script.was_cut()


def test_the_body_is_taken_only_as_fast_as_the_daemon_reads():
    """Of a body without an end no more is taken than sockets hold."""
    go_on, taken = threading.Event(), []

    async def receive():
        taken.append(1)
        await asyncio.sleep(0)
        return {"type": "http.request", "body": LINE if len(taken) == 1 else bytes(65536),
                "more_body": True}

    async def run(url):
        scope = scope_of(path="/_fetch/v1/fetch", method="POST", headers=[*LOCAL_HEADERS, FRAMED])
        application = CurlewBridge(None, mount="/_fetch", open=True, url=url)
        task = asyncio.ensure_future(application(scope, receive, None))
        await asyncio.sleep(0.5)
        before = len(taken)
        await asyncio.sleep(0.2)
        assert before == len(taken) < 64
        task.cancel()
        await asyncio.wait([task])

    with FakeDaemon(lambda sock: go_on.wait(9)) as fake:
        asyncio.run(run(fake.url))
        go_on.set()


@pytest.mark.parametrize("announced", [True, False])
def test_the_daemon_reads_a_request_object_of_many_pieces(curlewd, curlew, origin, announced):
    curlew(URL=f"fcgi+unix:{curlewd().socket}")
    text = json.dumps({"url": origin.url("/upload"), "body": "x" * 900000}).encode()
    length = [(b"content-length", b"%d" % len(text))] if announced else []
    pieces = [text[at:at + 60000] for at in range(0, len(text), 60000)]
    status, body = exchange(None, pieces, (b"content-type", b"application/json"), *length)
    assert status == 200 and json.loads(json.loads(body)["body"])["bytes"] == 900000


def test_a_get_has_no_body(curlewd, curlew):
    curlew(URL=f"fcgi+unix:{curlewd().socket}")
    wrapped = CurlewBridge(None, mount="/_fetch", open=True)
    assert call(wrapped, path="/_fetch/healthz").json() == {"status": "ok"}
