"""HTTP/1.1, the client's side (RFC 9112), without I/O: to the daemon behind a web server.

The same two parts as fastcgi.py: HTTP1Encoder for requests, HTTP1Parser for one response. A body
ends by Content-Length, with the last chunk, or, if the server sends neither, with the connection;
in this last case nobody can tell whether it is complete.

It is not h11, because h11 costs more time than all the rest of an exchange (docs/dependencies.md);
a test compares the two.
"""

from __future__ import annotations

from typing import Any, List, Mapping, Optional, Sequence, Tuple

from .errors import ProtocolError
from .response_parser import ResponseParser
from .upload import BodyFraming, Upload

Pairs = Sequence[Tuple[str, str]]

MAX_LINE_BYTES = 8192  # a chunk's size with its extensions, or one trailer
UNTIL_CLOSE, LENGTH, CHUNK_SIZE, CHUNK, CHUNK_END, TRAILER = range(6)


class HTTP1Encoder:
    """Encodes requests to a daemon that a web server mounts at `mount`."""

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
            raise ValueError("params need FastCGI: use an fcgi: address")
        framing = ""
        if body or method not in ("GET", "HEAD", "DELETE"):
            framing = f"Content-Length: {len(body)}"
        return self._head(method, route, (*headers, *trace), framing) + body

    def encode_upload(
        self,
        method: str,
        route: str,
        headers: Tuple[Tuple[str, str], ...],
        upload: Upload,
        trace: Pairs = (),
        params: Optional[Mapping[str, str]] = None,
    ) -> Tuple[bytes, BodyFraming]:
        """The beginning of a request, up to the upload's head, and how its pieces are sent."""
        if params is not None:
            raise ValueError("params need FastCGI: use an fcgi: address")
        pairs, size = (*headers, *trace), upload.content_length
        if size is not None:
            head = self._head(method, route, pairs, f"Content-Length: {size}")
            return head + upload.head, BodyFraming(frame=bytes, end=b"")
        head = self._head(method, route, pairs, "Transfer-Encoding: chunked")
        first = encode_chunk(upload.head) if upload.head else b""
        return head + first, BodyFraming(frame=encode_chunk, end=b"0\r\n\r\n")

    def _head(self, method: str, route: str, pairs: Pairs, framing: str) -> bytes:
        lines = [f"{method} {self.mount}{route} HTTP/1.1", f"Host: {self.host}"]
        if self.token:
            lines.append(f"Authorization: Bearer {self.token}")
        lines += [f"{name}: {value}" for name, value in pairs]
        if framing:
            lines.append(framing)
        head = "\r\n".join(lines)
        if "\n" in head.replace("\r\n", "") or head.count("\r") != len(lines) - 1:
            raise ValueError("a header for curlewd contains a line break")
        return head.encode("utf-8", "surrogateescape") + b"\r\n\r\n"

    def response_parser(self, method: str) -> "HTTP1Parser":
        """A parser for the response to one request."""
        return HTTP1Parser(method)


class HTTP1Parser(ResponseParser):
    """Parses the final response to one request; informational ones (1xx) before it are dropped.

    `method` is the request's: the response to HEAD has no body.
    """

    is_by_http = True
    def __init__(self, method: str = "POST") -> None:
        self._method = method
        self._state = UNTIL_CLOSE
        self._remaining = 0  # bytes until the body, or the chunk, ends
        self._partial_line = b""
        self._keep_alive = False

    def feed(self, data: bytes) -> None:
        self.started = True
        while not self.status and data:
            data = self._parse_head(data)
        while data and self.status and not self.finished:
            data = self._parse_body(data)
        if data and self.finished:
            self.reusable = False  # the response is complete; the extra bytes belong to nothing

    def feed_eof(self) -> None:
        if self.status and self._state == UNTIL_CLOSE:
            self.finished = True
        else:
            super().feed_eof()

    def _parse_head(self, data: bytes) -> bytes:
        found = self._split_head(data)
        if not found:
            return b""
        first, _, lines = found[0].partition(b"\n")
        version, status = _parse_status_line(first.rstrip(b"\r"))
        if status == 101:
            raise ProtocolError("the web server switched protocols, which was not requested")
        if status >= 200:
            self.head = lines
            self._set_framing(version, status)
            self.status = status
        return found[1]

    def _set_framing(self, version: bytes, status: int) -> None:
        """How the body ends (RFC 9112 6.3), and whether the connection is kept (9.3)."""
        options = self._list_items(b"connection")
        self._keep_alive = "close" not in options and (
            version == b"HTTP/1.1" or "keep-alive" in options
        )
        codings = self._list_items(b"transfer-encoding")
        lengths = set(self._header_values(b"content-length"))
        if self._method == "HEAD" or status in (204, 304):
            self._finish()
        elif codings == ["chunked"]:
            self._state = CHUNK_SIZE
        elif codings:
            raise ProtocolError(f"unsupported Transfer-Encoding: {', '.join(codings)[:80]}")
        elif lengths:
            self._state, self._remaining = LENGTH, _parse_content_length(lengths)
            if not self._remaining:
                self._finish()

    def _header_values(self, name: bytes) -> Sequence[str]:
        return [v.decode("latin-1") for n, v in self.headers if n.lower() == name]

    def _list_items(self, name: bytes) -> List[str]:
        """The items of a header that is a list (RFC 9110 5.6.1), in lower case."""
        values = self._header_values(name)
        return [item.strip() for value in values for item in value.lower().split(",")]

    def _finish(self) -> None:
        self.finished, self.reusable = True, self._keep_alive and not self.is_cut

    def _parse_body(self, data: bytes) -> bytes:
        if self._state == UNTIL_CLOSE:
            self.append_body(data)
            return b""
        if self._state in (LENGTH, CHUNK):
            piece, rest = data[: self._remaining], data[self._remaining :]
            self.append_body(piece)
            self._remaining -= len(piece)
            if not self._remaining and self._state == LENGTH:
                self._finish()
            elif not self._remaining:
                self._state = CHUNK_END
            return rest
        return self._parse_line(data)

    def _parse_line(self, data: bytes) -> bytes:
        """A line of the chunked coding (RFC 9112 7.1)."""
        line, newline, rest = data.partition(b"\n")
        self._partial_line += line
        if len(self._partial_line) > MAX_LINE_BYTES:
            raise ProtocolError(f"a line of the chunked body has more than {MAX_LINE_BYTES} bytes")
        if newline:
            line, self._partial_line = self._partial_line, b""
            self._on_chunk_line(line[:-1] if line.endswith(b"\r") else line)
        return rest

    def _on_chunk_line(self, line: bytes) -> None:
        if self._state == CHUNK_SIZE:
            self._remaining = _parse_chunk_size(line)
            self._state = CHUNK if self._remaining else TRAILER
        elif self._state == CHUNK_END:
            if line:
                raise ProtocolError(f"no line break after a chunk: {line[:80]!r}")
            self._state = CHUNK_SIZE
        elif not line:
            self._finish()


def encode_chunk(piece: Any) -> bytes:
    """A piece of the request's body as a chunk (RFC 9112 7.1)."""
    return b"%x\r\n%b\r\n" % (len(piece), piece)


def _parse_status_line(line: bytes) -> Tuple[bytes, int]:
    version, _, rest = line.partition(b" ")
    is_status = rest[:3].isdigit() and rest[:1] != b"0"
    if version not in (b"HTTP/1.1", b"HTTP/1.0") or not is_status:
        raise ProtocolError(
            f"not an HTTP response: {line[:80]!r}; check that this is the web server's address"
        )
    return version, int(rest[:3])


def _parse_content_length(values: "set[str]") -> int:
    value = values.pop()
    if values or not (value.isascii() and value.isdigit()) or len(value) > 18:
        raise ProtocolError(f"invalid Content-Length: {value[:80]}")
    return int(value)


def _parse_chunk_size(line: bytes) -> int:
    size = line.partition(b";")[0].strip()
    if not size or len(size) > 15 or size.strip(b"0123456789abcdefABCDEF"):
        raise ProtocolError(f"invalid chunk size: {line[:80]!r}")
    return int(size, 16)
