"""An origin that writes exactly the bytes a test says, on one thread a connection.

    def script(request, connection):
        connection.send(b"HTTP/1.1 204 No Content\\r\\n\\r\\n")
        connection.send_later(0.05, b"HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nother")

    with ScriptedOrigin(script) as origin:
        client.fetch(origin.url("/"))
        assert [r.target for r in origin.requests] == ["/"]

The script runs once for each request that has come whole; connection.close(), reset() and hold()
end it.  Http2Origin does the same for HTTP/2: its script gets a Http2Connection.
"""

import contextlib
import socket
import ssl
import struct
import threading
import time
from dataclasses import dataclass, field

import h2.config
import h2.connection
import h2.events

HOLD_SECONDS = 30
RST = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 s: close() sends a reset


@dataclass
class SeenRequest:
    """One request as it came: header fields are (name, value) in order, as bytes."""

    method: str
    target: str
    fields: list
    body: bytes
    connection: int  # which connection, from 1
    at: float = field(default_factory=time.monotonic)

    def header(self, name):
        """The first value of a field as text by ISO-8859-1; None where it is absent."""
        return next((v.decode("latin-1") for n, v in self.fields
                     if n.lower() == name.lower().encode()), None)

    def headers(self, name):
        return [v.decode("latin-1") for n, v in self.fields if n.lower() == name.lower().encode()]


class Ended(Exception):
    """The peer has closed the connection, or the script has."""


class ScriptedConnection:
    def __init__(self, sock, number):
        self.sock = sock
        self.number = number
        self.buffer = b""

    # -- for scripts -------------------------------------------------------------------------

    def send(self, data, pause=None):
        """Write; with `pause`, byte by byte with so many seconds between."""
        if isinstance(data, str):
            data = data.encode("latin-1")
        try:
            if pause is None:
                self.sock.sendall(data)
            else:
                for i in range(len(data)):
                    self.sock.sendall(data[i:i + 1])
                    time.sleep(pause)
        except OSError as error:
            raise Ended from error

    def send_later(self, seconds, data, close=False):
        """Write when the connection is idle, while the next request is already awaited."""
        def write():
            time.sleep(seconds)
            with contextlib.suppress(OSError, Ended):
                self.send(data)
                if close:
                    self.sock.shutdown(socket.SHUT_WR)
        threading.Thread(target=write, daemon=True).start()

    def close(self):
        """End the connection with a FIN, and, under TLS, without close_notify."""
        raw_close(self.sock)
        raise Ended

    def close_tls(self):
        """End a TLS connection with close_notify."""
        with contextlib.suppress(OSError, ValueError):
            self.sock.unwrap()
        self.close()

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST)
        raw_close(self.sock)
        raise Ended

    def hold(self, seconds=HOLD_SECONDS):
        """Stay silent until the peer leaves."""
        self.sock.settimeout(seconds)
        with contextlib.suppress(OSError):
            while self.sock.recv(65536):
                pass
        raise Ended

    # -- reading -----------------------------------------------------------------------------

    def _more(self):
        try:
            data = self.sock.recv(65536)
        except OSError as error:
            raise Ended from error
        if not data:
            raise Ended
        self.buffer += data

    def _until(self, mark):
        while mark not in self.buffer:
            self._more()
        found, self.buffer = self.buffer.split(mark, 1)
        return found

    def read(self, n):
        """So many bytes, for a script that reads something else than HTTP/1.1."""
        while len(self.buffer) < n:
            self._more()
        found, self.buffer = self.buffer[:n], self.buffer[n:]
        return found

    def _chunked(self):
        body = b""
        while size := int(self._until(b"\r\n").split(b";")[0], 16):
            body += self.read(size)
            self.read(2)
        while self._until(b"\r\n"):
            pass
        return body

    def read_request(self):
        lines = self._until(b"\r\n\r\n").split(b"\r\n")
        method, target, _ = lines[0].decode("latin-1").split(" ", 2)
        fields = [(n, v.strip()) for n, v in (line.split(b":", 1) for line in lines[1:])]
        by_name = {n.lower(): v for n, v in fields}
        if by_name.get(b"expect", b"").lower() == b"100-continue":
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if b"chunked" in by_name.get(b"transfer-encoding", b""):
            body = self._chunked()
        else:
            body = self.read(int(by_name.get(b"content-length", 0)))
        return SeenRequest(method, target, fields, body, self.number)


def raw_close(sock):
    """close() of the descriptor itself: an SSLSocket's own close() is the same, without unwrap."""
    with contextlib.suppress(OSError):
        sock.close()


class ScriptedOrigin:
    """Listens on 127.0.0.1 and runs `script(request, connection)` for every request."""

    def __init__(self, script, certs=None, host="127.0.0.1", alpn=("http/1.1",),
                 port=0):
        self.script = script
        self.host = host
        self.requests = []
        self.connections = 0
        self.errors = []
        self._lock = threading.Lock()
        self._open = set()
        self.tls = None
        if certs is not None:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(certs / "server.pem", certs / "server.key")
            self.tls.set_alpn_protocols(list(alpn))
        self.listener = socket.create_server((host, port), backlog=512)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def url(self, path="/", host=None):
        return f"{'https' if self.tls else 'http'}://{host or self.host}:{self.port}{path}"

    def refuse(self):
        """No new connection from now on."""
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)  # close() alone leaves a waiting accept() be
        self.listener.close()

    def stop(self):
        """Close everything; a script that raised fails the test here."""
        self.refuse()
        with self._lock:
            for sock in self._open:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
        assert not self.errors, self.errors

    def open_connections(self):
        with self._lock:
            return len(self._open)

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, raw):
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock = raw
        with self._lock:
            self.connections += 1
            number = self.connections
        try:
            if self.tls:
                sock = self.tls.wrap_socket(raw, server_side=True, suppress_ragged_eofs=True)
            with self._lock:
                self._open.add(sock)
            self._talk(sock, number)
        except (Ended, OSError):
            pass
        except Exception as error:  # a bug in the script: told by stop()
            self.errors.append(error)
        finally:
            with self._lock:
                self._open.discard(sock)
            raw_close(sock)

    def _talk(self, sock, number):
        connection = ScriptedConnection(sock, number)
        while True:
            request = connection.read_request()
            with self._lock:
                self.requests.append(request)
            self.script(request, connection)


class Http2Connection:
    """One HTTP/2 connection; `h2` is its state, for what the short methods have no word for."""

    def __init__(self, sock, number):
        self.sock = sock
        self.number = number
        config = h2.config.H2Configuration(
            client_side=False, header_encoding=None, validate_outbound_headers=False,
            normalize_outbound_headers=False)
        self.h2 = h2.connection.H2Connection(config)
        self.partial = {}  # stream → [SeenRequest, body so far]

    def flush(self):
        self.write(self.h2.data_to_send())

    def write(self, data):
        """Raw frames, as hyperframe serializes them."""
        try:
            self.sock.sendall(data)
        except OSError as error:
            raise Ended from error

    def respond(self, stream, status=200, fields=(), body=b"ok", end=True):
        """A head with these (name, value) fields, then the body; `end` also ends the stream."""
        self.h2.send_headers(stream, [(":status", str(status)), *fields], end_stream=False)
        self.h2.send_data(stream, body, end_stream=end)
        self.flush()

    def reset_stream(self, stream, code):
        self.h2.reset_stream(stream, code)
        self.flush()

    def goaway(self, last_stream, code=0):
        self.h2.close_connection(code, last_stream_id=last_stream)
        self.flush()

    def close(self):
        raw_close(self.sock)
        raise Ended

    def hold(self, seconds=HOLD_SECONDS):
        ScriptedConnection.hold(self, seconds)

    def serve(self, on_request):
        self.h2.initiate_connection()
        self.flush()
        while True:
            try:
                data = self.sock.recv(65536)
            except OSError as error:
                raise Ended from error
            if not data:
                raise Ended
            for event in self.h2.receive_data(data):
                self._on_event(event, on_request)
            self.flush()

    def _on_event(self, event, on_request):
        if isinstance(event, h2.events.RequestReceived):
            pseudo = {n: v.decode("latin-1") for n, v in event.headers if n.startswith(b":")}
            fields = [(n, v) for n, v in event.headers if not n.startswith(b":")]
            seen = SeenRequest(pseudo[b":method"], pseudo[b":path"], fields, b"", self.number)
            self.partial[event.stream_id] = seen
        elif isinstance(event, h2.events.DataReceived):
            self.partial[event.stream_id].body += event.data
            self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            on_request(self.partial.pop(event.stream_id), event.stream_id)


class Http2Origin(ScriptedOrigin):
    """Runs `script(request, connection, stream)`; TLS with ALPN h2, or prior knowledge without."""

    def __init__(self, script, certs=None, host="127.0.0.1", port=0):
        super().__init__(script, certs, host, alpn=("h2",), port=port)

    def _connection(self, sock, number):
        return Http2Connection(sock, number)

    def _talk(self, sock, number):
        connection = self._connection(sock, number)

        def on_request(request, stream):
            with self._lock:
                self.requests.append(request)
            self.script(request, connection, stream)

        connection.serve(on_request)


def answer(body=b"ok", status="200 OK", fields=()):
    """A whole, well-formed HTTP/1.1 answer."""
    body = body.encode() if isinstance(body, str) else body
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n"
    head += "".join(f"{line}\r\n" for line in fields)
    return head.encode("latin-1") + b"\r\n" + body
