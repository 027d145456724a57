"""Splitting a body into lines, as `requests` and curl_cffi do: without the line breaks. A line
break that is split by the end of a piece counts once both parts were received."""

from __future__ import annotations

from typing import AsyncIterator, Iterator, List, Optional


class LineDecoder:
    """decode() returns the complete lines of a piece, flush() the rest at the end."""

    def __init__(self, delimiter: Optional[bytes] = None) -> None:
        self._delimiter = delimiter
        self._pending = b""

    def decode(self, piece: bytes) -> List[bytes]:
        data = self._pending + piece
        if self._delimiter:
            *lines, self._pending = data.split(self._delimiter)
            return lines
        lines = data.splitlines(keepends=True)
        # A final \r may be half of \r\n.
        last = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
        self._pending = last
        return [line.rstrip(b"\r\n") for line in lines]

    def flush(self) -> List[bytes]:
        pending, self._pending = self._pending, b""
        return pending.splitlines() if not self._delimiter else [pending] if pending else []

    def iter_lines(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            yield from self.decode(piece)
        yield from self.flush()

    async def aiter_lines(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for piece in pieces:
            for line in self.decode(piece):
                yield line
        for line in self.flush():
            yield line
