"""FastCGI 1.0, the web server's side, without I/O.

    encoder = FastCGIEncoder(mount, token)
    data = encoder.encode("POST", "/v1/fetch", (("Accept", FRAMES),), body, trace)
    parser = FastCGIParser()
    parser.feed(received)          # → parser.status, .headers, .take_body(), .finished

A connection carries one request at a time, with id 1, and is kept (FCGI_KEEP_CONN). curlewd sends
a CGI head (RFC 3875) and the body in STDOUT records, then END_REQUEST. A response is complete only
with that record. With a record of version 0 curlewd reports that it aborted the response; a
STDERR record before it says why.
"""

from __future__ import annotations

import re
import struct
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from .errors import DaemonError, DaemonTimeout, IncompleteResponse, ProtocolError
from .response_parser import ResponseParser

Pairs = Sequence[Tuple[str, str]]

BEGIN_REQUEST, END_REQUEST, PARAMS, STDIN, STDOUT, STDERR = 1, 3, 4, 5, 6, 7
REQUEST_ID = 1
MAX_RECORD_BYTES = 65535  # of content
MAX_CACHED_PREFIXES = 64  # encoded beginnings of requests; a client uses a handful
MAX_STDERR_BYTES = 4096  # kept for an error message

TIMEOUTS = ("timeout", "idle_timeout")
REPORT = re.compile(r"curlew: ([a-z_]+) (.*)", re.DOTALL)

_RECORD = struct.Struct(">BBHHBx")  # version, type, request id, content length, padding length
_END = struct.Struct(">IB3x")  # application status, protocol status
# The role is responder (1), the flag FCGI_KEEP_CONN (1).
_BEGIN = _RECORD.pack(1, BEGIN_REQUEST, REQUEST_ID, 8, 0) + struct.pack(">HB5x", 1, 1)
_NO_PARAMS = _RECORD.pack(1, PARAMS, REQUEST_ID, 0, 0)
_NO_STDIN = _RECORD.pack(1, STDIN, REQUEST_ID, 0, 0)
_PROTOCOL_STATUS = {
    1: "one request at a time on a connection (FCGI_CANT_MPX_CONN)",
    2: "overloaded (FCGI_OVERLOADED)",
    3: "unknown role (FCGI_UNKNOWN_ROLE)",
}


def encode_param(name: str, value: str) -> bytes:
    """A name-value pair (FastCGI 3.4)."""
    n, v = name.encode("latin-1"), value.encode("utf-8", "surrogateescape")
    return _length(len(n)) + _length(len(v)) + n + v


def _length(n: int) -> bytes:
    return bytes((n,)) if n < 128 else struct.pack(">I", n | 0x80000000)


def encode_records(record_type: int, content: bytes) -> bytes:
    """`content` in as many records as it needs, without the empty record that ends a stream."""
    if len(content) <= MAX_RECORD_BYTES:
        head = _RECORD.pack(1, record_type, REQUEST_ID, len(content), 0)
        return head + content if content else b""
    parts: List[bytes] = []
    for at in range(0, len(content), MAX_RECORD_BYTES):
        piece = content[at : at + MAX_RECORD_BYTES]
        parts += (_RECORD.pack(1, record_type, REQUEST_ID, len(piece), 0), piece)
    return b"".join(parts)


def cgi_variable(header: str) -> str:
    """The name of the parameter that carries a header (RFC 3875 4.1.18)."""
    name = header.upper().replace("-", "_")
    return name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else "HTTP_" + name


class FastCGIEncoder:
    """Encodes requests. What is the same from one request to the next is encoded once."""

    def __init__(self, mount: str = "", token: Optional[str] = None) -> None:
        self.mount = mount
        self._base_params: Dict[str, str] = {
            "GATEWAY_INTERFACE": "CGI/1.1",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "SERVER_SOFTWARE": "django-curlew",
            "CURLEW_CLIENT": "django-curlew",  # curlewd then says why it aborts a response
        }
        if token:
            self._base_params["HTTP_AUTHORIZATION"] = f"Bearer {token}"
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
        """A whole request. `trace`: headers that differ from request to request. `params`: if
        given, these are all the parameters, and the other arguments (except `body`) make none."""
        if params is not None:
            encoded = b"".join([encode_param(n, v) for n, v in params.items()])
            begin = _BEGIN + encode_records(PARAMS, encoded)
            return begin + _NO_PARAMS + encode_records(STDIN, body) + _NO_STDIN
        prefix = self._prefixes.get((method, route, headers)) or self._prefix(
            method, route, headers
        )
        size = b"%d" % len(body)
        more = b"\x0e%cCONTENT_LENGTH%b" % (len(size), size)
        if trace:
            more += b"".join([encode_param(cgi_variable(n), v) for n, v in trace])
        more = encode_records(PARAMS, more)
        if not body:
            return b"".join((prefix, more, _NO_PARAMS, _NO_STDIN))
        return b"".join((prefix, more, _NO_PARAMS, encode_records(STDIN, body), _NO_STDIN))

    def _prefix(self, method: str, route: str, headers: Tuple[Tuple[str, str], ...]) -> bytes:
        path, _, query = route.partition("?")
        params = {
            **self._base_params,
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": self.mount + path,
            "QUERY_STRING": query,
            **{cgi_variable(name): value for name, value in headers},
        }
        encoded = b"".join([encode_param(n, v) for n, v in params.items()])
        prefix = _BEGIN + encode_records(PARAMS, encoded)
        if not query and len(self._prefixes) < MAX_CACHED_PREFIXES:
            self._prefixes[method, route, headers] = prefix
        return prefix

    def response_parser(self, method: str) -> "FastCGIParser":
        """A parser for the response to one request."""
        return FastCGIParser()


class FastCGIParser(ResponseParser):
    """Parses the STDOUT stream of one request, up to its END_REQUEST."""

    __slots__ = ("_partial_record", "_stderr")

    def __init__(self) -> None:
        super().__init__()
        self._partial_record = b""
        self._stderr = b""

    def feed(self, data: bytes) -> None:
        self.started = True
        if self._partial_record:
            data = self._partial_record + data
        at, end = 0, len(data)
        while end - at >= 8 and not self.finished:
            version, record_type, request, length, padding = _RECORD.unpack_from(data, at)
            if version != 1:
                self._reject_version(version)
            stop = at + 8 + length
            if stop + padding > end:
                break
            self._on_record(record_type, request, data[at + 8 : stop])
            at = stop + padding
        self._partial_record = data[at:] if at else data
        if self.finished and self._partial_record:
            self.reusable = False  # the response is complete; the extra bytes belong to nothing

    def _reject_version(self, version: int) -> None:
        if version == 0 and self.started and self.status:
            raise aborted(self._stderr)
        raise ProtocolError(
            f"received a FastCGI record of version {version}; check that this is curlewd's socket"
        )

    def _on_record(self, record_type: int, request: int, content: bytes) -> None:
        if request != REQUEST_ID:
            raise ProtocolError(
                f"received a record of type {record_type} for request {request}, which is unknown"
            )
        if record_type == STDOUT:
            self._on_stdout(content)
        elif record_type == STDERR:
            self._stderr = (self._stderr + content)[:MAX_STDERR_BYTES]
        elif record_type == END_REQUEST:
            self._on_end_request(content)
        else:
            raise ProtocolError(
                f"received a record of type {record_type}, which only a web server may send"
            )

    def _on_stdout(self, content: bytes) -> None:
        if self.status:
            self.append_body(content)
            return
        found = self._split_head(content)
        if found:
            self.status, self.head = parse_cgi_head(found[0])
            self.append_body(found[1])

    def _on_end_request(self, content: bytes) -> None:
        if len(content) != _END.size:
            raise ProtocolError(f"received an END_REQUEST record of {len(content)} bytes")
        _, protocol_status = _END.unpack(content)
        if protocol_status:
            reason = _PROTOCOL_STATUS.get(protocol_status, f"protocol status {protocol_status}")
            raise IncompleteResponse(f"the FastCGI server rejected the request: {reason}")
        if not self.status:
            stderr = self._stderr.decode("utf-8", "replace").strip()
            message = "the response has no head"
            raise IncompleteResponse(f"{message}; stderr: {stderr}" if stderr else message)
        self.finished = self.reusable = True


def aborted(stderr: bytes) -> DaemonError:
    """The error for a response that curlewd aborted, having said why: `curlew: CODE detail`."""
    reported = REPORT.match(stderr.decode("utf-8", "replace"))
    if not reported:
        return IncompleteResponse(
            "curlewd aborted the response: the fetch failed after its head was sent"
        )
    code, detail = reported.groups()
    error_class = DaemonTimeout if code in TIMEOUTS else IncompleteResponse
    return error_class(f"curlewd aborted the response: {code}: {detail.strip()}", code)


def parse_cgi_head(head: bytes) -> Tuple[int, bytes]:
    """(status, the other lines) of a CGI response's head: 200 unless it has a Status line."""
    if head[:7].lower() == b"status:":  # curlewd sends it first, as nearly every program does
        line, _, rest = head.partition(b"\n")
        return _parse_status(line), rest
    lines = head.split(b"\n")
    found = [line for line in lines if line[:7].lower() == b"status:"]
    rest = b"\n".join([line for line in lines if line not in found])
    return _parse_status(found[0]) if found else 200, rest


def _parse_status(line: bytes) -> int:
    digits = line[7:].strip()[:3]
    if not digits.isdigit() or not 100 <= int(digits) <= 999:
        raise ProtocolError(f"not a status line: {line[:80]!r}")
    return int(digits)
