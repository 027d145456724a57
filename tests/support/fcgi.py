"""A small FastCGI client: whole requests for most tests, single records for malformed ones.

    with Connection(address) as c:
        c.send(request(params, b"body"))
        response = c.read_response()
"""

import select
import socket
import struct

from .response import parse_cgi_response

BEGIN, ABORT, END, PARAMS, STDIN, STDOUT, STDERR, DATA, GET_VALUES, GET_VALUES_RESULT, UNKNOWN = (
    range(1, 12))
RESPONDER, AUTHORIZER, FILTER = 1, 2, 3
KEEP_CONN = 1
REQUEST_COMPLETE, CANT_MPX_CONN, OVERLOADED, UNKNOWN_ROLE = range(4)
MAX_CONTENT = 65535


class IncompleteResponse(Exception):
    """The connection ended before the response did, or what came on it is not FastCGI."""


def record(kind, request_id=1, content=b"", version=1, padding=None, length=None):
    """One record; `length` replaces the true length of the content."""
    pad = -len(content) % 8 if padding is None else padding
    size = len(content) if length is None else length
    return struct.pack(">BBHHBx", version, kind, request_id, size, pad) + content + bytes(pad)


def stream(kind, request_id, data, chunk=MAX_CONTENT):
    """Data in records, closed by an empty one."""
    parts = [record(kind, request_id, data[i:i + chunk]) for i in range(0, len(data), chunk)]
    return b"".join(parts) + record(kind, request_id)


def _length(n):
    return bytes([n]) if n < 128 else struct.pack(">I", n | 1 << 31)


def pair(name, value):
    name, value = (x if isinstance(x, bytes) else str(x).encode() for x in (name, value))
    return _length(len(name)) + _length(len(value)) + name + value


def pairs(params):
    return b"".join(pair(n, v) for n, v in params.items())


def begin(request_id=1, keep=False, role=RESPONDER):
    return record(BEGIN, request_id, struct.pack(">HB5x", role, KEEP_CONN if keep else 0))


def cgi_params(method="GET", path="/", query="", body=b"", headers=()):
    """The parameters that a web server sends for an HTTP request."""
    params = {"REQUEST_METHOD": method, "SCRIPT_NAME": path, "QUERY_STRING": query,
              "CONTENT_LENGTH": str(len(body)) if body else "", "SERVER_PROTOCOL": "HTTP/1.1",
              "REQUEST_URI": path + ("?" + query if query else ""), "SERVER_NAME": "test",
              "REMOTE_ADDR": "127.0.0.1"}
    for name, value in headers:
        key = name.upper().replace("-", "_")
        params[key if key == "CONTENT_TYPE" else "HTTP_" + key] = value
    return params


def request(params, body=b"", request_id=1, keep=False):
    """A whole request, in the order a web server sends it."""
    return (begin(request_id, keep) + stream(PARAMS, request_id, pairs(params))
            + stream(STDIN, request_id, body))


class Connection:
    def __init__(self, address, timeout=15.0):
        tcp = isinstance(address, tuple)
        self.sock = socket.socket(socket.AF_INET if tcp else socket.AF_UNIX)
        self.sock.settimeout(timeout)
        self.sock.connect(address if tcp else str(address))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def send(self, data):
        self.sock.sendall(data)

    def _read(self, n):
        data = bytearray()
        while len(data) < n:
            piece = self.sock.recv(n - len(data))
            if not piece:
                raise IncompleteResponse(f"the connection ended {len(data)} bytes into {n}")
            data += piece
        return bytes(data)

    def read_record(self):
        """(kind, request id, content)"""
        version, kind, request_id, length, pad = struct.unpack(">BBHHBx", self._read(8))
        if version != 1:
            raise IncompleteResponse(f"a record of version {version}")
        return kind, request_id, self._read(length + pad)[:length]

    def read_request_records(self, request_id=1):
        """Up to END_REQUEST: (stdout, stderr, application status, protocol status)."""
        streams = {STDOUT: bytearray(), STDERR: bytearray()}
        while True:
            kind, got_id, content = self.read_record()
            if got_id != request_id:
                raise IncompleteResponse(f"a record for request {got_id}, not {request_id}")
            if kind == END:
                status, protocol = struct.unpack(">IB3x", content)
                return bytes(streams[STDOUT]), bytes(streams[STDERR]), status, protocol
            streams[kind] += content

    def read_response(self, request_id=1):
        out, err, status, protocol = self.read_request_records(request_id)
        if protocol != REQUEST_COMPLETE:
            raise IncompleteResponse(f"protocol status {protocol}")
        assert err == b"", f"STDERR was used: {err!r}"
        assert status == 0, f"application status {status}"
        return parse_cgi_response(out)

    def is_closed(self):
        """Has the other side closed an idle connection?"""
        return bool(select.select([self.sock], [], [], 0)[0])

    def closes_within(self, timeout=5.0):
        """Does the other side close? What it still sends is read and dropped."""
        self.sock.settimeout(timeout)
        try:
            while self.sock.recv(65536):
                pass
        except TimeoutError:
            return False
        except ConnectionError:
            pass
        return True


def ask(address, method, path, query="", body=b"", headers=(), timeout=15.0):
    """One request on a connection of its own."""
    params = cgi_params(method, path, query, body, headers)
    with Connection(address, timeout) as c:
        c.send(request(params, body))
        return c.read_response()
