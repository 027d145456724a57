"""Splitting a body into lines, as `requests` and curl_cffi do: without the line breaks. A line
break that is split by the end of a piece counts once both parts were received.

Each byte is looked at once and copied twice at most, however long a line is: the pieces of a line
are joined when its end has come.
"""

from __future__ import annotations

from collections import deque
from typing import AsyncIterator, Deque, Iterator, List, Optional


class LineDecoder:
    """decode() returns the complete lines of a piece, flush() the rest at the end."""

    def __init__(self, delimiter: Optional[bytes] = None) -> None:
        self._delimiter = delimiter
        self._held: List[bytes] = []  # of a line without an end
        self._tail = b""  # after _held: what may be the beginning of a line's end

    def decode(self, piece: bytes) -> List[bytes]:
        data = self._tail + piece
        if self._delimiter:
            lines = data.split(self._delimiter)
            last = lines.pop()
            cut = len(last) - len(self._delimiter) + 1
        else:
            # A final \r may be half of \r\n.
            cut = len(data) - 1 if data.endswith(b"\r") else len(data)
            lines = data[:cut].splitlines(keepends=True)
            last = lines.pop() if lines and not lines[-1].endswith((b"\n", b"\r")) else b""
            last, cut = last + data[cut:], len(last)
            lines = [line.rstrip(b"\r\n") for line in lines]
        if lines and self._held:
            self._held.append(lines[0])
            lines[0] = b"".join(self._held)
            self._held = []
        cut = max(cut, 0)
        if cut:
            self._held.append(last[:cut])
        self._tail = last[cut:]
        return lines

    def flush(self) -> List[bytes]:
        pending = b"".join((*self._held, self._tail))
        self._held, self._tail = [], b""
        return pending.splitlines() if not self._delimiter else [pending] if pending else []

    def iter_lines(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            yield from self.decode(piece)
        yield from self.flush()

    def aiter_lines(self, pieces: AsyncIterator[bytes]) -> "AsyncLines":
        return AsyncLines(self, pieces)


class AsyncLines:
    """The lines of an async iterator's pieces. Not an async generator: one that is dropped stays
    alive until its event loop has closed it, and with it the stream."""

    def __init__(self, decoder: LineDecoder, pieces: AsyncIterator[bytes]) -> None:
        self._decoder = decoder
        self._pieces: Optional[AsyncIterator[bytes]] = pieces  # None at their end
        self._lines: Deque[bytes] = deque()

    def __aiter__(self) -> "AsyncLines":
        return self

    async def __anext__(self) -> bytes:
        while not self._lines:
            if self._pieces is None:
                raise StopAsyncIteration
            try:
                self._lines.extend(self._decoder.decode(await self._pieces.__anext__()))
            except StopAsyncIteration:
                self._pieces = None
                self._lines.extend(self._decoder.flush())
        return self._lines.popleft()

    async def aclose(self) -> None:
        """End the iteration; the stream stays open."""
        self._pieces = None
        self._lines.clear()
