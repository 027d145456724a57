"""The bridge as a server speaks to it: asgiref's communicator, and no server."""

import asyncio
import json

from asgiref.testing import ApplicationCommunicator

LOCAL = [(b"host", b"localhost:8000")]


async def application(scope, receive, send):
    """Says what it was given."""
    said = json.dumps([scope["type"], scope.get("path")]).encode()
    await answer(send, [(b"x-own", b"1")], said)


async def answer(send, headers, body=b"", status=200):
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def hands_off(request, *headers, body=b"the view's own"):
    """An application whose every response is a hand-off."""
    told = request if isinstance(request, str) else json.dumps(request)

    async def view(scope, receive, send):
        await answer(send, [(b"X-Curlew-Request", told.encode()), *headers], body)

    return view


def scope_of(path="/", method="GET", headers=LOCAL, query=b"", **more):
    return {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
            "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": query,
            "root_path": "", "headers": list(headers), "client": ("127.0.0.1", 5), "server": None,
            "extensions": {}, **more}


class Answer:
    def __init__(self, start, body):
        self.status, self.headers, self.body = start["status"], start["headers"], body

    def all(self, name):
        return [v.decode() for n, v in self.headers if n == name.encode()]

    def json(self):
        return json.loads(self.body)


async def read_answer(communicator):
    start = await communicator.receive_output(10)
    assert start["type"] == "http.response.start", start
    body = b""
    while True:
        message = await communicator.receive_output(10)
        assert message["type"] == "http.response.body"
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return Answer(start, body)


async def ask_on_loop(application, body=b"", **more):
    communicator = ApplicationCommunicator(application, scope_of(**more))
    await communicator.send_input({"type": "http.request", "body": body})
    try:
        return await read_answer(communicator)
    finally:
        await communicator.wait(5)


def raised_by(application, **more):
    """What a server would have to deal with, and what it was told before."""
    told, incoming = [], [{"type": "http.request", "body": b""}]

    async def receive():
        return incoming.pop() if incoming else await asyncio.sleep(60)

    async def send(message):
        told.append(message)

    why = None
    try:
        asyncio.run(application(scope_of(**more), receive, send))
    except Exception as raised:  # noqa: BLE001
        why = raised
    return why, told


def ask(application, body=b"", **more):
    return asyncio.run(ask_on_loop(application, body, **more), debug=True)
