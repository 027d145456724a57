"""Cutting pieces into lines, the way `requests` and curl_cffi do: without the line breaks, and a
break that is cut in two by a piece's end counts once it is whole."""

from __future__ import annotations

from typing import AsyncIterator, Iterator, List, Optional


class LineCutter:
    """Feed pieces, get the lines that are whole; rest() is what the end leaves."""

    def __init__(self, delimiter: Optional[bytes] = None) -> None:
        self._delimiter = delimiter
        self._pending = b""

    def feed(self, piece: bytes) -> List[bytes]:
        data = self._pending + piece
        if self._delimiter:
            *lines, self._pending = data.split(self._delimiter)
            return lines
        lines = data.splitlines(keepends=True)
        # A final \r may be half of \r\n.
        last = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
        self._pending = last
        return [line.rstrip(b"\r\n") for line in lines]

    def rest(self) -> List[bytes]:
        pending, self._pending = self._pending, b""
        return pending.splitlines() if not self._delimiter else [pending] if pending else []

    def cut(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            yield from self.feed(piece)
        yield from self.rest()


class ALineCutter(LineCutter):
    """The same for a coroutine."""

    async def cut(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:  # type: ignore
        async for piece in pieces:
            for line in self.feed(piece):
                yield line
        for line in self.rest():
            yield line
