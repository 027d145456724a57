"""FastCGI 1.0, the web server's side, without I/O.

    encoder = Encoder(mount, token)
    data = encoder.encode("POST", "/v1/fetch", (("Accept", FRAMES),), body, trace)
    answer = Reply()
    answer.feed(received)          # → answer.status, .headers, .take(), .finished

One request at a time on a connection, id 1, which is kept (FCGI_KEEP_CONN). curlewd answers a CGI
head (RFC 3875) and the body in STDOUT records, then END_REQUEST. Nothing but that record makes an
answer whole, and a record of version 0 is curlewd's word for "this broke off".
"""

from __future__ import annotations

import struct
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from .answer import Answer
from .errors import IncompleteResponse, ProtocolError

Pairs = Sequence[Tuple[str, str]]

BEGIN_REQUEST, END_REQUEST, PARAMS, STDIN, STDOUT, STDERR = 1, 3, 4, 5, 6, 7
ID = 1
LARGEST_RECORD = 65535
KEPT_PREFIXES = 64  # encoded beginnings of requests; a client uses a handful
STDERR_KEPT = 4096

_RECORD = struct.Struct(">BBHHBx")  # version, type, request id, content length, padding length
_END = struct.Struct(">IB3x")  # application status, protocol status
_BEGIN = _RECORD.pack(1, BEGIN_REQUEST, ID, 8, 0) + struct.pack(">HB5x", 1, 1)  # responder, keep
_NO_PARAMS = _RECORD.pack(1, PARAMS, ID, 0, 0)
_NO_STDIN = _RECORD.pack(1, STDIN, ID, 0, 0)
_REFUSALS = {1: "it takes one request a connection", 2: "it is overloaded", 3: "unknown role"}


def pair(name: str, value: str) -> bytes:
    """A parameter as FastCGI 3.4 writes it."""
    n, v = name.encode("latin-1"), value.encode("utf-8", "surrogateescape")
    return _length(len(n)) + _length(len(v)) + n + v


def _length(n: int) -> bytes:
    return bytes((n,)) if n < 128 else struct.pack(">I", n | 0x80000000)


def records(kind: int, content: bytes) -> bytes:
    """`content` in as many records as it takes; without the empty one that ends a stream."""
    if len(content) <= LARGEST_RECORD:
        return _RECORD.pack(1, kind, ID, len(content), 0) + content if content else b""
    parts: List[bytes] = []
    for at in range(0, len(content), LARGEST_RECORD):
        piece = content[at : at + LARGEST_RECORD]
        parts += (_RECORD.pack(1, kind, ID, len(piece), 0), piece)
    return b"".join(parts)


def variable(header: str) -> str:
    """The parameter that carries a header (RFC 3875 4.1.18)."""
    name = header.upper().replace("-", "_")
    return name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else "HTTP_" + name


class Encoder:
    """Requests as bytes. What is the same from one to the next is encoded once."""

    def __init__(self, mount: str = "", token: Optional[str] = None) -> None:
        self.mount = mount
        self._fixed: Dict[str, str] = {
            "GATEWAY_INTERFACE": "CGI/1.1",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "SERVER_SOFTWARE": "django-curlew",
        }
        if token:
            self._fixed["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        self._prefixes: Dict[Tuple[str, str, Pairs], bytes] = {}

    def encode(
        self,
        method: str,
        route: str,
        headers: Tuple[Tuple[str, str], ...] = (),
        body: bytes = b"",
        trace: Pairs = (),
        params: Optional[Mapping[str, str]] = None,
    ) -> bytes:
        """A whole request. `trace` are headers that change with each request; `params` stand in
        place of all parameters that the other arguments make, where they are given."""
        if params is not None:
            begin = _BEGIN + records(PARAMS, b"".join([pair(n, v) for n, v in params.items()]))
            return begin + _NO_PARAMS + records(STDIN, body) + _NO_STDIN
        prefix = self._prefixes.get((method, route, headers)) or self._prefix(
            method, route, headers
        )
        size = b"%d" % len(body)
        more = b"\x0e%cCONTENT_LENGTH%b" % (len(size), size)
        if trace:
            more += b"".join([pair(variable(name), value) for name, value in trace])
        more = records(PARAMS, more)
        if not body:
            return b"".join((prefix, more, _NO_PARAMS, _NO_STDIN))
        return b"".join((prefix, more, _NO_PARAMS, records(STDIN, body), _NO_STDIN))

    def _prefix(self, method: str, route: str, headers: Tuple[Tuple[str, str], ...]) -> bytes:
        path, _, query = route.partition("?")
        params = {
            **self._fixed,
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": self.mount + path,
            "QUERY_STRING": query,
            **{variable(name): value for name, value in headers},
        }
        prefix = _BEGIN + records(PARAMS, b"".join([pair(n, v) for n, v in params.items()]))
        if not query and len(self._prefixes) < KEPT_PREFIXES:
            self._prefixes[method, route, headers] = prefix
        return prefix

    def answer(self, method: str) -> "Reply":
        return Reply()


class Reply(Answer):
    """A request's STDOUT up to its END_REQUEST."""

    __slots__ = ("_rest", "_stderr")

    def __init__(self) -> None:
        super().__init__()
        self._rest = b""  # of a record that is not whole yet
        self._stderr = b""

    def feed(self, data: bytes) -> None:
        self.started = True
        if self._rest:
            data = self._rest + data
        at, end = 0, len(data)
        while end - at >= 8 and not self.finished:
            version, kind, request, length, padding = _RECORD.unpack_from(data, at)
            if version != 1:
                self._not_version_1(version)
            stop = at + 8 + length
            if stop + padding > end:
                break
            self._record(kind, request, data[at + 8 : stop])
            at = stop + padding
        self._rest = data[at:] if at else data
        if self.finished and self._rest:
            self.reusable = False  # the answer is whole; what the connection holds, nobody knows

    def _not_version_1(self, version: int) -> None:
        if version == 0 and self.started and self.status:
            raise IncompleteResponse("curlewd broke the answer off: the fetch failed after its head")
        raise ProtocolError(f"a FastCGI record of version {version}; is this curlewd's socket?")

    def _record(self, kind: int, request: int, content: bytes) -> None:
        if request != ID:
            raise ProtocolError(f"a record of type {kind} for request {request}, unasked for")
        if kind == STDOUT:
            self._stdout(content)
        elif kind == STDERR:
            self._stderr = (self._stderr + content)[:STDERR_KEPT]
        elif kind == END_REQUEST:
            self._end(content)
        else:
            raise ProtocolError(f"a record of type {kind}, which is not for a web server")

    def _stdout(self, content: bytes) -> None:
        if self.status:
            self._keep(content)
            return
        found = self._find_head(content)
        if found:
            self.status, self.head = cgi_head(found[0])
            self._keep(found[1])

    def _end(self, content: bytes) -> None:
        if len(content) != _END.size:
            raise ProtocolError(f"an END_REQUEST record of {len(content)} bytes")
        _, protocol_status = _END.unpack(content)
        if protocol_status:
            why = _REFUSALS.get(protocol_status, f"protocol status {protocol_status}")
            raise IncompleteResponse(f"the FastCGI server refused the request: {why}")
        if not self.status:
            said = self._stderr.decode("utf-8", "replace").strip()
            raise IncompleteResponse("an answer without a head" + (f"; it said: {said}" if said else ""))
        self.finished = self.reusable = True


def cgi_head(head: bytes) -> Tuple[int, bytes]:
    """(status, the other lines) of a CGI response's head: 200 unless it has a Status line."""
    if head[:7].lower() == b"status:":  # where curlewd, and nearly everybody, has it
        line, _, rest = head.partition(b"\n")
        return _status(line), rest
    lines = head.split(b"\n")
    found = [line for line in lines if line[:7].lower() == b"status:"]
    rest = b"\n".join([line for line in lines if line not in found])
    return _status(found[0]) if found else 200, rest


def _status(line: bytes) -> int:
    said = line[7:].strip()[:3]
    if not said.isdigit() or not 100 <= int(said) <= 999:
        raise ProtocolError(f"not a status: {line[:80]!r}")
    return int(said)
