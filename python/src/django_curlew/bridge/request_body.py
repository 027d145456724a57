"""The body of a request to the mount: it is sent on to the daemon as it arrives."""

from __future__ import annotations

import asyncio
from typing import Any, AsyncIterator, Dict, Optional, Union

from ..daemon import FRAMES, Upload
from .scope import Receive, Scope

BEGINNING_BYTES = 256 << 10  # collected first: what is no longer can be sent to the daemon again


class ClientDisconnected(Exception):
    """The client closed the connection before it had sent the whole request."""


class RequestBody:
    """Reads a request's body. Nobody else may call `receive` before stop() or the body's end."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._scope = scope
        self._receive = receive
        self._has_more = True
        self._is_over = asyncio.Event()  # nobody reads the body any more

    async def to_send(self, params: Dict[str, str]) -> Union[bytes, Upload]:
        """What to send to the daemon: the body, or, if it has more than BEGINNING_BYTES or is an
        upload of its own, something that reads it piece by piece. `params`: CONTENT_LENGTH is set,
        if the length is known. Raises ClientDisconnected."""
        beginning, announced = bytearray(), self._announced_length()
        wanted = 0 if self._is_upload() else BEGINNING_BYTES
        while self._has_more and len(beginning) <= wanted:
            beginning += await self._next_piece()
        params.pop("CONTENT_LENGTH", None)
        if not self._has_more:
            params["CONTENT_LENGTH"] = str(len(beginning))
            self.stop()
            return bytes(beginning)
        if announced is not None:
            params["CONTENT_LENGTH"] = str(announced)
            announced -= len(beginning)
        return Upload(self._pieces(), head=bytes(beginning), length=announced)

    def stop(self) -> None:
        """Nothing more of the body is needed."""
        self._is_over.set()

    async def wait_disconnect(self) -> None:
        """Wait until the client disconnects. What it still sends of the body is dropped."""
        await self._is_over.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _next_piece(self) -> Any:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnected
        self._has_more = message.get("more_body", False)
        return message.get("body", b"")

    async def _pieces(self) -> AsyncIterator[Any]:
        while self._has_more and not self._is_over.is_set():
            yield await self._next_piece()
        self.stop()

    def _headers(self, name: bytes) -> "list[bytes]":
        return [value for each, value in self._scope["headers"] if each.lower() == name]

    def _announced_length(self) -> Optional[int]:
        lengths = self._headers(b"content-length")
        return int(lengths[0]) if len(lengths) == 1 and lengths[0].isdigit() else None

    def _is_upload(self) -> bool:
        """Does its body follow a request object? Then the daemon does not wait for all of it."""
        types = self._headers(b"content-type")
        return types[:1] == [FRAMES.encode()]
