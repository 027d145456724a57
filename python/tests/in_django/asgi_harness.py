"""Calls an ASGI application as a server does, by asgiref's communicator."""

import asyncio
import json

from asgiref.testing import ApplicationCommunicator

LOCAL_HEADERS = [(b"host", b"localhost:8000")]


async def application(scope, receive, send):
    """Responds with the scope's type and path."""
    body = json.dumps([scope["type"], scope.get("path")]).encode()
    await respond(send, [(b"x-own", b"1")], body)


async def respond(send, headers, body=b"", status=200):
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def handoff_view(request_object, *headers, body=b"the view's own"):
    """An application whose responses are handoffs."""
    value = request_object if isinstance(request_object, str) else json.dumps(request_object)

    async def view(scope, receive, send):
        await respond(send, [(b"X-Curlew-Request", value.encode()), *headers], body)

    return view


def scope_of(path="/", method="GET", headers=LOCAL_HEADERS, query=b"", **more):
    return {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
            "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": query,
            "root_path": "", "headers": list(headers), "client": ("127.0.0.1", 5), "server": None,
            "extensions": {}, **more}


class Response:
    def __init__(self, start, body):
        self.status, self.headers, self.body = start["status"], start["headers"], body

    def all(self, name):
        return [v.decode() for n, v in self.headers if n == name.encode()]

    def json(self):
        return json.loads(self.body)


async def read_response(communicator):
    start = await communicator.receive_output(10)
    assert start["type"] == "http.response.start", start
    body = b""
    while True:
        message = await communicator.receive_output(10)
        assert message["type"] == "http.response.body"
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return Response(start, body)


async def acall(application, body=b"", **more):
    communicator = ApplicationCommunicator(application, scope_of(**more))
    await communicator.send_input({"type": "http.request", "body": body})
    try:
        return await read_response(communicator)
    finally:
        await communicator.wait(5)


def run_to_exception(application, **more):
    """(the exception that it raised or None, the messages that it sent)"""
    sent, incoming = [], [{"type": "http.request", "body": b""}]

    async def receive():
        return incoming.pop() if incoming else await asyncio.sleep(60)

    async def send(message):
        sent.append(message)

    err = None
    try:
        asyncio.run(application(scope_of(**more), receive, send))
    except Exception as caught:  # noqa: BLE001
        err = caught
    return err, sent


def call(application, body=b"", **more):
    return asyncio.run(acall(application, body, **more), debug=True)
