"""What ASGI leaves to each server: how to wait for a slow client, and how to break a response off.

ASGI has no word for a response that failed after its head. An application that raises is enough
under uvicorn and under hypercorn's HTTP/1.1, whose clients then see a transfer that broke. Under
hypercorn's HTTP/2 the stream would hang, and daphne would neither close nor wait for a slow
client; both are asked in their own words here. Where `send` is another's (a middleware around the
bridge, an unknown server), raising is all there is.
"""

from __future__ import annotations

import asyncio
import functools
from typing import Any

from .scope import Message, Send


class BrokenOff(Exception):
    """The fetch broke after its head was sent; raised into the server, which closes."""


class Outlet:
    """Where one response goes."""

    def __init__(self, send: Send) -> None:
        self.send = send

    async def write(self, message: Message) -> None:
        """Send it, and come back once there is room for more."""
        await self.send(message)

    async def break_off(self) -> None:
        """Let the client see that the response is not whole; the caller raises next."""

    def release(self) -> None:
        """The last message follows, or nothing more."""


class HypercornH2(Outlet):
    """Resets the stream: to raise would leave it open for ever."""

    async def break_off(self) -> None:
        stream = self.send.__self__  # type: ignore[attr-defined]
        protocol = stream.send.__self__
        protocol.connection.reset_stream(stream.stream_id, error_code=2)  # INTERNAL_ERROR
        await protocol._flush()


class Daphne(Outlet):
    """Waits for Twisted's word before it writes on, and closes the connection to break off."""

    def __init__(self, send: Send) -> None:
        super().__init__(send)
        self.request = send.args[0]  # type: ignore[attr-defined]
        self.room = asyncio.Event()
        self.room.set()
        self.registered = self.request.channel is not None
        if self.registered:
            self.request.registerProducer(self, True)

    async def write(self, message: Message) -> None:
        await self.send(message)
        await self.room.wait()

    async def break_off(self) -> None:
        self.release()
        if self.request.channel is not None:
            self.request.channel.transport.abortConnection()
            while self.request.channel is not None:  # or daphne would add an error page
                await asyncio.sleep(0.01)

    def release(self) -> None:
        if self.registered:
            self.registered = False
            if self.request.channel is not None:
                self.request.unregisterProducer()
        self.room.set()

    # What Twisted calls.

    def pauseProducing(self) -> None:
        self.room.clear()

    def resumeProducing(self) -> None:
        self.room.set()

    def stopProducing(self) -> None:
        self.room.set()


def outlet(send: Send) -> Outlet:
    """The right one for the server that gave us `send`."""
    if isinstance(send, functools.partial) and send.args and _is(send.args[0], "daphne"):
        return Daphne(send)
    stream = getattr(send, "__self__", None)
    protocol = getattr(getattr(stream, "send", None), "__self__", None)
    if _is(stream, "hypercorn") and hasattr(protocol, "stream_buffers"):
        return HypercornH2(send)
    return Outlet(send)


def _is(thing: Any, package: str) -> bool:
    return type(thing).__module__.partition(".")[0] == package
