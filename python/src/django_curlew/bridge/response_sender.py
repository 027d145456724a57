"""Sending a response: what ASGI leaves to each server, back-pressure and aborting.

ASGI has no message for a response that failed after its head. An application that raises is enough
for uvicorn and for hypercorn's HTTP/1.1: the client sees an incomplete response. With hypercorn's
HTTP/2 the stream would stay open, and daphne would neither close the connection nor wait for a slow
client; for these two, the server's own objects are used. If `send` belongs to something else (a
middleware around the bridge, another server), raising is all that can be done.
"""

from __future__ import annotations

import asyncio
import functools
from typing import Any

from .scope import Message, Send


class ResponseAborted(Exception):
    """The fetch failed after its head was sent. It is raised to the server, which closes the
    connection."""


class ResponseSender:
    """Sends the messages of one response to any server.

    max_status: the highest status that the server can send. An origin may send any up to 999.
    """

    max_status = 999

    def __init__(self, send: Send) -> None:
        self.asgi_send = send

    async def send(self, message: Message) -> None:
        """Send a message, and return once the client has room for more."""
        await self.asgi_send(message)

    async def abort(self) -> None:
        """Make the client see that the response is incomplete. The caller raises next."""

    def finish(self) -> None:
        """Only the last message follows, or none."""


class UvicornSender(ResponseSender):
    """uvicorn raises KeyError for a higher status, and closes the connection without a response."""

    max_status = 599


class HypercornH2Sender(ResponseSender):
    """Aborts by a reset of the stream: if the application raised, it would stay open for ever."""

    async def abort(self) -> None:
        stream = self.asgi_send.__self__  # type: ignore[attr-defined]
        protocol = stream.send.__self__
        protocol.connection.reset_stream(stream.stream_id, error_code=2)  # INTERNAL_ERROR
        await protocol._flush()


class DaphneSender(ResponseSender):
    """A producer for Twisted, which pauses it while the client is slow. Aborts by closing the
    connection."""

    def __init__(self, send: Send) -> None:
        super().__init__(send)
        self.request = send.args[0]  # type: ignore[attr-defined]
        self.has_room = asyncio.Event()
        self.has_room.set()
        self.registered = self.request.channel is not None
        if self.registered:
            self.request.registerProducer(self, True)

    async def send(self, message: Message) -> None:
        await self.asgi_send(message)
        await self.has_room.wait()

    async def abort(self) -> None:
        self.finish()
        if self.request.channel is not None:
            self.request.channel.transport.abortConnection()
            while self.request.channel is not None:  # or daphne would add an error page
                await asyncio.sleep(0.01)

    def finish(self) -> None:
        if self.registered:
            self.registered = False
            if self.request.channel is not None:
                self.request.unregisterProducer()
        self.has_room.set()

    # Called by Twisted.

    def pauseProducing(self) -> None:
        self.has_room.clear()

    def resumeProducing(self) -> None:
        self.has_room.set()

    def stopProducing(self) -> None:
        self.has_room.set()


def sender_for(send: Send) -> ResponseSender:
    """The sender for the server that `send` belongs to."""
    if isinstance(send, functools.partial) and send.args and _is_from(send.args[0], "daphne"):
        return DaphneSender(send)
    stream = getattr(send, "__self__", None)
    if _is_from(stream, "uvicorn"):
        return UvicornSender(send)
    protocol = getattr(getattr(stream, "send", None), "__self__", None)
    if _is_from(stream, "hypercorn") and hasattr(protocol, "stream_buffers"):
        return HypercornH2Sender(send)
    return ResponseSender(send)


def _is_from(thing: Any, package: str) -> bool:
    return type(thing).__module__.partition(".")[0] == package
