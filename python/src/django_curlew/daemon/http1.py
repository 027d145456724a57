"""HTTP/1.1, the client's side (RFC 9112), without I/O: to the daemon behind a web server.

The same two parts as fastcgi.py: an Encoder of requests, and a Reply to feed with bytes. Bodies
end by Content-Length, by the last chunk, or, where a server gives neither, with the connection;
only of the last sort can nobody say whether they are whole.
"""

from __future__ import annotations

from typing import Mapping, Optional, Sequence, Tuple

from .answer import Answer
from .errors import ProtocolError

Pairs = Sequence[Tuple[str, str]]

LONGEST_LINE = 8192  # a chunk's size with its extensions, or one trailer
UNTIL_CLOSE, LENGTH, CHUNK_SIZE, CHUNK, CHUNK_END, TRAILER = range(6)


class Encoder:
    """Requests as bytes; the head's constant part is made once for each sort of request."""

    def __init__(self, host: str, mount: str = "", token: Optional[str] = None) -> None:
        self.host = host
        self.mount = mount
        self.token = token

    def encode(
        self,
        method: str,
        route: str,
        headers: Tuple[Tuple[str, str], ...] = (),
        body: bytes = b"",
        trace: Pairs = (),
        params: Optional[Mapping[str, str]] = None,
    ) -> bytes:
        if params is not None:
            raise ValueError("FastCGI parameters can't be sent by HTTP: use an fcgi: address")
        lines = [f"{method} {self.mount}{route} HTTP/1.1", f"Host: {self.host}"]
        if self.token:
            lines.append(f"Authorization: Bearer {self.token}")
        lines += [f"{name}: {value}" for name, value in (*headers, *trace)]
        if body or method not in ("GET", "HEAD", "DELETE"):
            lines.append(f"Content-Length: {len(body)}")
        head = "\r\n".join(lines)
        if "\n" in head.replace("\r\n", "") or head.count("\r") != len(lines) - 1:
            raise ValueError("a header for curlewd has a line break in it")
        return head.encode("utf-8", "surrogateescape") + b"\r\n\r\n" + body

    def answer(self, method: str) -> "Reply":
        return Reply(method)


class Reply(Answer):
    """The final response to one request; informational ones (1xx) before it are dropped."""

    __slots__ = ("_method", "_state", "_left", "_line", "_keeps")

    def __init__(self, method: str = "POST") -> None:
        super().__init__()
        self._method = method
        self._state = UNTIL_CLOSE
        self._left = 0  # bytes until the body, or the chunk, ends
        self._line = b""  # a line that is not whole yet
        self._keeps = False

    def feed(self, data: bytes) -> None:
        self.started = True
        while not self.status and data:
            data = self._take_head(data)
        while data and self.status and not self.finished:
            data = self._take_body(data)
        if data and self.finished:
            self.reusable = False  # the answer is whole; what the connection holds, nobody knows

    def ended(self) -> None:
        if self.status and self._state == UNTIL_CLOSE:
            self.finished = True
        else:
            super().ended()

    def _take_head(self, data: bytes) -> bytes:
        found = self._find_head(data)
        if not found:
            return b""
        first, _, lines = found[0].partition(b"\n")
        version, status = _status_line(first.rstrip(b"\r"))
        if status == 101:
            raise ProtocolError("the web server switched protocols, unasked for")
        if status >= 200:
            self.head = lines
            self._frame(version, status)
            self.status = status
        return found[1]

    def _frame(self, version: bytes, status: int) -> None:
        """How the body ends (RFC 9112 6.3), and whether the connection is kept (9.3)."""
        said = ",".join(self._values(b"connection")).lower().replace(" ", "").split(",")
        self._keeps = "close" not in said and (version == b"HTTP/1.1" or "keep-alive" in said)
        codings = ",".join(self._values(b"transfer-encoding")).lower().replace(" ", "")
        lengths = set(self._values(b"content-length"))
        if self._method == "HEAD" or status in (204, 304):
            self._finish()
        elif codings == "chunked":
            self._state = CHUNK_SIZE
        elif codings:
            raise ProtocolError(f"a Transfer-Encoding nobody asked for: {codings[:80]}")
        elif lengths:
            self._state, self._left = LENGTH, _content_length(lengths)
            if not self._left:
                self._finish()

    def _values(self, name: bytes) -> Sequence[str]:
        return [v.decode("latin-1") for n, v in self.headers if n.lower() == name]

    def _finish(self) -> None:
        self.finished, self.reusable = True, self._keeps

    def _take_body(self, data: bytes) -> bytes:
        if self._state == UNTIL_CLOSE:
            self._keep(data)
            return b""
        if self._state in (LENGTH, CHUNK):
            piece, rest = data[: self._left], data[self._left :]
            self._keep(piece)
            self._left -= len(piece)
            if not self._left and self._state == LENGTH:
                self._finish()
            elif not self._left:
                self._state = CHUNK_END
            return rest
        return self._take_line(data)

    def _take_line(self, data: bytes) -> bytes:
        """A line of the chunked coding (RFC 9112 7.1)."""
        line, newline, rest = data.partition(b"\n")
        self._line += line
        if len(self._line) > LONGEST_LINE:
            raise ProtocolError(f"a line of more than {LONGEST_LINE} bytes in a chunked answer")
        if newline:
            line, self._line = self._line.rstrip(b"\r"), b""
            self._line_of_chunk(line)
        return rest

    def _line_of_chunk(self, line: bytes) -> None:
        if self._state == CHUNK_SIZE:
            self._left = _chunk_size(line)
            self._state = CHUNK if self._left else TRAILER
        elif self._state == CHUNK_END:
            if line:
                raise ProtocolError(f"no line break behind a chunk: {line[:80]!r}")
            self._state = CHUNK_SIZE
        elif not line:
            self._finish()


def _status_line(line: bytes) -> Tuple[bytes, int]:
    version, _, rest = line.partition(b" ")
    if version not in (b"HTTP/1.1", b"HTTP/1.0") or not rest[:3].isdigit():
        raise ProtocolError(f"no HTTP response: {line[:80]!r}; is this the web server's address?")
    return version, int(rest[:3])


def _content_length(values: "set[str]") -> int:
    value = values.pop()
    if values or not (value.isascii() and value.isdigit()) or len(value) > 18:
        raise ProtocolError(f"not one Content-Length: {value[:80]}")
    return int(value)


def _chunk_size(line: bytes) -> int:
    size = line.partition(b";")[0].strip()
    if not size or len(size) > 15 or size.strip(b"0123456789abcdefABCDEF"):
        raise ProtocolError(f"not a chunk's size: {line[:80]!r}")
    return int(size, 16)
