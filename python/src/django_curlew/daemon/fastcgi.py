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
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from .errors import DaemonError, DaemonTimeout, IncompleteResponse, ProtocolError
from .response_parser import ResponseParser, find_head_end
from .upload import BodyFraming, Upload

Pairs = Sequence[Tuple[str, str]]

BEGIN_REQUEST, END_REQUEST, PARAMS, STDIN, STDOUT, STDERR = 1, 3, 4, 5, 6, 7
REQUEST_ID = 1
OVERLOADED = 2  # protocol status: the request was not processed
MAX_RECORD_BYTES = 65535  # of content
MAX_CACHED_PREFIXES = 64  # encoded beginnings of requests; a client uses a handful
MAX_CACHED_LENGTHS = 1024  # of bodies; a client's differ by little but the URL's length
MAX_STDERR_BYTES = 4096  # kept for an error message

TIMEOUTS = ("timeout", "idle_timeout")
REPORT = re.compile(r"curlew: ([a-z_]+) (.*)", re.DOTALL)

_RECORD = struct.Struct(">BBHHBx")  # version, type, request id, content length, padding length
_END = struct.Struct(">IB3x")  # application status, protocol status
# The role is responder (1), the flag FCGI_KEEP_CONN (1).
_BEGIN = _RECORD.pack(1, BEGIN_REQUEST, REQUEST_ID, 8, 0) + struct.pack(">HB5x", 1, 1)
_NO_PARAMS = _RECORD.pack(1, PARAMS, REQUEST_ID, 0, 0)
_NO_STDIN = _RECORD.pack(1, STDIN, REQUEST_ID, 0, 0)
# What curlewd ends a response with: the end of STDOUT, and END_REQUEST without an error.
_FINAL_RECORDS = (
    _RECORD.pack(1, STDOUT, REQUEST_ID, 0, 0)
    + _RECORD.pack(1, END_REQUEST, REQUEST_ID, _END.size, 0)
    + _END.pack(0, 0)
)
_FIRST_STDOUT = _RECORD.pack(1, STDOUT, REQUEST_ID, 0, 0)[:4]
_STATUS_200 = b"Status: 200 OK\r\n"
_PROTOCOL_STATUS = {
    1: "one request at a time on a connection (FCGI_CANT_MPX_CONN)",
    OVERLOADED: "overloaded (FCGI_OVERLOADED)",
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


def encode_stdin(piece: Any) -> bytes:
    """A piece of the request's body, of at most MAX_RECORD_BYTES, as a record."""
    return b"".join((_RECORD.pack(1, STDIN, REQUEST_ID, len(piece), 0), piece))


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
        self._before_body: Dict[int, bytes] = {}

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
        size = len(body)
        before = self._before_body.get(size) or self._encode_length(size)
        if trace:
            encoded = b"".join([encode_param(cgi_variable(n), v) for n, v in trace])
            prefix += encode_records(PARAMS, encoded)
        if size > MAX_RECORD_BYTES:
            body = encode_records(STDIN, body)
        return b"".join((prefix, before, body, _NO_STDIN))

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
        if params is None:
            begin, size = self._prefix(method, route, headers), upload.content_length
            params = {cgi_variable(name): value for name, value in trace}
            if size is not None:
                params["CONTENT_LENGTH"] = str(size)
        else:
            begin = _BEGIN
        encoded = b"".join([encode_param(n, v) for n, v in params.items()])
        records = encode_records(PARAMS, encoded) + _NO_PARAMS + encode_records(STDIN, upload.head)
        return begin + records, BodyFraming(frame=encode_stdin, end=_NO_STDIN)

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

    def _encode_length(self, size: int) -> bytes:
        """What stands between a request's other parameters and a body of `size` bytes: the last
        parameter, the end of the parameters, and the body's record, if it is one."""
        digits = b"%d" % size
        before = encode_records(PARAMS, b"\x0e%cCONTENT_LENGTH%b" % (len(digits), digits))
        before += _NO_PARAMS
        if 0 < size <= MAX_RECORD_BYTES:
            before += _RECORD.pack(1, STDIN, REQUEST_ID, size, 0)
        if len(self._before_body) < MAX_CACHED_LENGTHS:
            self._before_body[size] = before
        return before

    def response_parser(self, method: str) -> "FastCGIParser":
        """A parser for the response to one request."""
        return FastCGIParser()


class _KnownHead(NamedTuple):
    """A head as it was received, with the empty line, and what parse_cgi_head() made of it."""

    raw: bytes
    status: int
    head: bytes


# The last one that was parsed: curlewd sends the same head with all envelopes.
_known_head = _KnownHead(b"\n\n", 200, b"")


def _remember_head(known: _KnownHead) -> None:
    global _known_head
    _known_head = known


class FastCGIParser(ResponseParser):
    """Parses the STDOUT stream of one request, up to its END_REQUEST."""

    _partial_record = b""
    _stderr = b""

    def feed(self, data: bytes) -> None:
        if not self.started:
            self.started = True
            if data.endswith(_FINAL_RECORDS) and self._feed_whole(data):
                return
        if self._partial_record:
            data = self._partial_record + data
        at, end = self._feed_body(data) if self.status else 0, len(data)
        while end - at >= 8 and not self.finished:
            version, record_type, request, length, padding = _RECORD.unpack_from(data, at)
            if version != 1:
                self._reject_version(version)
            stop = at + 8 + length
            if stop + padding > end:
                break
            self._on_record(record_type, request, data[at + 8 : stop])
            at = stop + padding
            if record_type == STDOUT and self.status:
                at += self._feed_body(data, at)
        self._partial_record = data[at:] if at else data
        if self.finished and self._partial_record:
            self.reusable = False  # the response is complete; the extra bytes belong to nothing

    def _feed_whole(self, data: bytes) -> bool:
        """Parse a response that is one STDOUT record and its end, as most are. False: it is not;
        then nothing was parsed."""
        if not data.startswith(_FIRST_STDOUT):
            return False
        stop = 8 + (data[4] << 8 | data[5])
        if stop + data[6] + len(_FINAL_RECORDS) != len(data):
            return False
        known = _known_head
        body_start = 8 + len(known.raw)
        if data.startswith(known.raw, 8) and body_start <= stop:
            self.status, self.head = known.status, known.head
        else:
            found = find_head_end(data, 8, stop)
            if found is None:
                return False
            end, body_start = found.span()
            if data[end - 1] == 13:  # CR
                end -= 1
            self.status, self.head = parse_cgi_head(data[8:end])
            _remember_head(_KnownHead(data[8:body_start], self.status, self.head))
        if body_start < stop:
            self._pieces, self.buffered_bytes = [data[body_start:stop]], stop - body_start
        self.finished, self.reusable = True, not self.is_cut
        return True

    def _feed_body(self, data: bytes, start: int = 0) -> int:
        """Parse the STDOUT records that `data` has from `start` on: a body is nothing else, up to
        its end. How many bytes they have."""
        at, end, pieces = start, len(data), []
        while data.startswith(_FIRST_STDOUT, at) and at + 8 <= end:
            stop = at + 8 + (data[at + 4] << 8 | data[at + 5])
            following = stop + data[at + 6]
            if following > end:
                break
            pieces.append(data[at + 8 : stop])
            at = following
        if pieces:
            self.append_body(b"".join(pieces))
        return at - start

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
        if protocol_status == OVERLOADED and not self.status:
            self.declined = self.finished = True
            return
        if protocol_status:
            reason = _PROTOCOL_STATUS.get(protocol_status, f"protocol status {protocol_status}")
            raise IncompleteResponse(f"the FastCGI server rejected the request: {reason}")
        if not self.status:
            stderr = self._stderr.decode("utf-8", "replace").strip()
            message = "the response has no head"
            raise IncompleteResponse(f"{message}; stderr: {stderr}" if stderr else message)
        self.finished, self.reusable = True, not self.is_cut


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
    if head.startswith(_STATUS_200):
        return 200, head[len(_STATUS_200) :]
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
