"""The head of a stream in frames (docs/streams.md): a line of JSON, before the body."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Protocol

from ..json_codec import loads
from .errors import IncompleteResponse, ProtocolError

FRAMES = "application/vnd.curlew.frames"
HEADERS = (("Accept", FRAMES), ("Content-Type", "application/json"))
ROUTE = "/v1/stream"
MAX_LINE_BYTES = 64 << 20  # curlewd's own limits are lower: 256 KiB of headers for each hop


class FetchFailed(Exception):
    """The response is not the origin's, but an error of curlewd's or of a web server's before it:
    `status`, `headers` (pairs of bytes), `body`, `is_by_http`, and header(name)."""

    def __init__(self, stream: Any, body: bytes) -> None:
        super().__init__(f"HTTP {stream.status} in place of a stream")
        self.status: int = stream.status
        self.headers = stream.headers
        self.header = stream.header
        self.is_by_http: bool = stream.is_by_http
        self.body = body


class Line:
    """Collects the first line of a body. The rest stays for the reader of the stream."""

    def __init__(self, stream: "AnyStream") -> None:
        self._stream = stream
        self._pieces: List[bytes] = []
        self._size = 0

    def feed(self, piece: bytes) -> bool:
        """Is the line complete with this piece? Raises IncompleteResponse if it is the end."""
        if not piece:
            raise IncompleteResponse("the stream ended before its head")
        line, newline, rest = piece.partition(b"\n")
        self._pieces.append(line)
        self._size += len(line)
        if self._size > MAX_LINE_BYTES:
            raise ProtocolError(f"the head of the stream has more than {MAX_LINE_BYTES} bytes")
        if newline:
            self._stream.unread(rest)
        return bool(newline)

    def parse(self) -> Dict[str, Any]:
        """The envelope."""
        try:
            envelope = loads(b"".join(self._pieces))
        except ValueError:
            envelope = None
        if not isinstance(envelope, dict):
            raise ProtocolError("the head of the stream is not a JSON object")
        return envelope


class AnyStream(Protocol):
    """The part of both kinds of stream that is used here."""

    def header(self, name: str) -> Optional[str]: ...

    def unread(self, data: bytes) -> None: ...


def is_fetch(stream: AnyStream) -> bool:
    """Is this the origin's response, in frames?"""
    return stream.header("content-type") == FRAMES


def read_envelope(stream: Any, timeout: Optional[float]) -> Dict[str, Any]:
    """The envelope at the stream's beginning. Raises FetchFailed if there is none, DaemonError if
    it can't be read; the stream is closed then. `timeout`: seconds for each piece of it; None: no
    limit."""
    try:
        if not is_fetch(stream):
            raise FetchFailed(stream, b"".join(stream))
        line = Line(stream)
        while not line.feed(stream.read(timeout)):
            pass
        return line.parse()
    except BaseException:
        stream.close()
        raise


async def aread_envelope(stream: Any, timeout: Optional[float]) -> Dict[str, Any]:
    """The same for an AsyncStream."""
    try:
        if not is_fetch(stream):
            raise FetchFailed(stream, b"".join([piece async for piece in stream]))
        line = Line(stream)
        while not line.feed(await stream.read(timeout)):
            pass
        return line.parse()
    except BaseException:
        stream.close()
        raise
