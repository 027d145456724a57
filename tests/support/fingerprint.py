"""An HTTPS origin that records what a client looks like: its ClientHello and its HTTP/2 frames.

    with FingerprintOrigin(certs) as origin:
        client.fetch(origin.url("/"), verify=False, impersonate="chrome")
        seen = origin.seen[-1]      # .ja3, .ja4, .akamai, .headers, .hello.offers_ticket

JA3 is Salesforce's text of a ClientHello. JA4 is FoxIO's fingerprint of it, without the order of
the extensions, which browsers change at random. The other is Akamai's of HTTP/2: settings, window
update, priorities and the order of the pseudo headers.
"""

import contextlib
import hashlib
import socket
import ssl
import struct
import threading
from dataclasses import dataclass, field

import h2.config
import h2.connection
import h2.events
from hpack import Decoder

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SNI, GROUPS, FORMATS, SIGNATURES, ALPN, PADDING = 0, 10, 11, 13, 16, 21
TICKET, PSK, VERSIONS = 35, 41, 43
DATA, HEADERS, PRIORITY, SETTINGS, WINDOW_UPDATE, CONTINUATION = 0, 1, 2, 4, 8, 9
END_HEADERS, PADDED, HAS_PRIORITY = 0x4, 0x8, 0x20


@dataclass
class Seen:
    """One connection, and the first request on it."""

    hello: "ClientHello"
    resumed: bool = False
    protocol: str = ""
    akamai: str = ""
    headers: list = field(default_factory=list)  # (name, value) in order, with pseudo headers

    @property
    def ja3(self):
        return self.hello.ja3()

    @property
    def ja4(self):
        return self.hello.ja4()


def is_grease(n):
    """RFC 8701"""
    return n & 0x0F0F == 0x0A0A and n >> 8 == n & 0xFF


class ClientHello:
    """Parsed from the bytes of the TLS records that a connection begins with."""

    def __init__(self, body):
        at = 34  # version, random
        self.version = struct.unpack_from(">H", body)[0]
        at += 1 + body[at]
        n = struct.unpack_from(">H", body, at)[0]
        self.ciphers = list(struct.unpack_from(f">{n // 2}H", body, at + 2))
        at += 2 + n
        at += 1 + body[at]
        end = at + 2 + struct.unpack_from(">H", body, at)[0]
        at += 2
        self.extensions = []
        while at < end:
            kind, n = struct.unpack_from(">HH", body, at)
            self.extensions.append((kind, body[at + 4:at + 4 + n]))
            at += 4 + n

    def extension(self, kind):
        return next((data for k, data in self.extensions if k == kind), None)

    def _numbers(self, kind, skip=2):
        data = self.extension(kind) or b""
        return [n for (n,) in struct.iter_unpack(">H", data[skip:])]

    @property
    def offers_ticket(self):
        """Does it try to resume a session?"""
        return self.extension(PSK) is not None or bool(self.extension(TICKET))

    @property
    def layout(self):
        """(cipher suites, extensions), in their order; without what a resumption changes."""
        return ([n for n in self.ciphers if not is_grease(n)],
                [k for k, _ in self.extensions if not is_grease(k) and k not in (PSK, PADDING)])

    @property
    def groups(self):
        return [n for n in self._numbers(GROUPS) if not is_grease(n)]

    @property
    def kinds(self):
        """Of the extensions, but for padding and what resumes a session."""
        return [k for k, _ in self.extensions if not is_grease(k) and k not in (PSK, PADDING)]

    @property
    def has_grease(self):
        return any(is_grease(n) for n in self.ciphers)

    def ja3(self):
        ciphers = [n for n in self.ciphers if not is_grease(n)]
        formats = list((self.extension(FORMATS) or b"\0")[1:])
        fields = [[self.version], ciphers, self.kinds, self.groups, formats]
        return ",".join("-".join(map(str, field)) for field in fields)

    def ja4(self, transport="t"):
        """t: over TCP, q: over QUIC."""
        versions = [n for n in self._numbers(VERSIONS, 1) if not is_grease(n)] or [self.version]
        names = {0x0304: "13", 0x0303: "12", 0x0302: "11", 0x0301: "10"}
        ciphers = sorted(f"{n:04x}" for n in self.ciphers if not is_grease(n))
        # A session that is resumed adds PSK, and is no other browser for that.
        kinds = self.kinds
        alpn = self.extension(ALPN)
        first = alpn[3:3 + alpn[2]].decode() if alpn else "00"
        hashed = sorted(f"{k:04x}" for k in kinds if k not in (SNI, ALPN))
        signatures = ",".join(f"{n:04x}" for n in self._numbers(SIGNATURES))
        return "_".join([
            f"{transport}{names[max(versions)]}{'d' if self.extension(SNI) else 'i'}"
            f"{len(ciphers):02d}{len(kinds):02d}{first[0]}{first[-1]}",
            hashlib.sha256(",".join(ciphers).encode()).hexdigest()[:12],
            hashlib.sha256(f"{','.join(hashed)}_{signatures}".encode()).hexdigest()[:12],
        ])


def read_hello(data):
    """The ClientHello at the beginning of `data`; None if it is not whole yet."""
    message, at = b"", 0
    while len(data) >= at + 5:
        n = struct.unpack_from(">H", data, at + 3)[0]
        if len(data) < at + 5 + n:
            return None
        message += data[at + 5:at + 5 + n]
        at += 5 + n
        if len(message) >= 4 and len(message) >= 4 + int.from_bytes(message[1:4], "big"):
            return ClientHello(message[4:])
    return None


class Http2Recorder:
    """Collects the client's bytes until its first request is whole."""

    def __init__(self):
        self.data = b""
        self.settings, self.priorities = [], []
        self.window = 0
        self.block, self.headers, self.pseudo = b"", [], ""

    def feed(self, data):
        self.data += data
        if self.data.startswith(PREFACE):
            self.data = self.data[len(PREFACE):]
        while len(self.data) >= 9 and not self.headers:
            n = int.from_bytes(self.data[:3], "big")
            if len(self.data) < 9 + n:
                return
            kind, flags = self.data[3], self.data[4]
            stream = int.from_bytes(self.data[5:9], "big") & 0x7FFFFFFF
            self._on_frame(kind, flags, stream, self.data[9:9 + n])
            self.data = self.data[9 + n:]

    def _on_frame(self, kind, flags, stream, body):
        if kind == SETTINGS and not flags & 1:
            self.settings += [f"{i}:{v}" for i, v in struct.iter_unpack(">HI", body)]
        elif kind == WINDOW_UPDATE and stream == 0:
            self.window = int.from_bytes(body, "big")
        elif kind == PRIORITY:
            self.priorities.append(self._priority(stream, body))
        elif kind in (HEADERS, CONTINUATION):
            if kind == HEADERS and flags & PADDED:
                body = body[1:len(body) - body[0]]
            if kind == HEADERS and flags & HAS_PRIORITY:
                self.priorities.append(self._priority(0, body[:5]))
                body = body[5:]
            self.block += body
            if flags & END_HEADERS:
                self.headers = decoded(Decoder().decode(self.block, raw=True))

    @staticmethod
    def _priority(stream, body):
        depends = int.from_bytes(body[:4], "big")
        return f"{stream}:{depends >> 31}:{depends & 0x7FFFFFFF}:{body[4] + 1}"

    def akamai(self):
        pseudo = ",".join(n[1] for n, _ in self.headers if n.startswith(":"))
        return "|".join([";".join(self.settings), str(self.window),
                         ",".join(self.priorities) or "0", pseudo])


class FingerprintOrigin:
    """Serves 200 to every request, over HTTP/2 where the client offers it. `once`: a connection
    ends after one. `protocols`: what the origin has. `answer` is a function of the connection's
    Seen and of a request's header fields; it returns (status, fields, body)."""

    def __init__(self, certs, fields=(), body=b"ok", once=False, protocols=("h2", "http/1.1"),
                 answer=None):
        self.answer = answer or (lambda _seen, _headers: (200, list(fields), body))
        self.once = once
        self.seen = []
        self.errors = []
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certs / "server.pem", certs / "server.key")
        self.context.set_alpn_protocols(list(protocols))
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        self._lock = threading.Lock()
        self._open = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        with self._lock:
            for sock in self._open:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
        assert not self.errors, self.errors

    def url(self, path="/", host="localhost"):
        return f"https://{host}:{self.port}{path}"

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        with self._lock:
            self._open.add(sock)
        try:
            Connection(self, sock).run()
        except (OSError, ssl.SSLError, EOFError):
            pass
        except Exception as err:
            self.errors.append(err)
        finally:
            with self._lock:
                self._open.discard(sock)
            sock.close()


class Connection:
    def __init__(self, origin, sock):
        self.origin, self.sock = origin, sock
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = origin.context.wrap_bio(self.incoming, self.outgoing, server_side=True)

    def run(self):
        first = b""
        while (hello := read_hello(first)) is None:
            first += self._recv()
        self.incoming.write(first)
        self._call(self.tls.do_handshake)
        seen = Seen(hello, self.tls.session_reused, self.tls.selected_alpn_protocol() or "http/1.1")
        serve = self._serve_http2 if seen.protocol == "h2" else self._serve_http1
        serve(seen)

    def _recv(self):
        data = self.sock.recv(65536)
        if not data:
            raise EOFError
        return data

    def _call(self, function, *args):
        """A call of the TLS object, with the bytes that it wants."""
        while True:
            try:
                result = function(*args)
            except ssl.SSLWantReadError:
                self._flush()
                self.incoming.write(self._recv())
            else:
                self._flush()
                return result

    def _flush(self):
        if self.outgoing.pending:
            self.sock.sendall(self.outgoing.read())

    def _serve_http2(self, seen):
        recorder = Http2Recorder()
        state = h2.connection.H2Connection(h2.config.H2Configuration(
            client_side=False, validate_inbound_headers=False))
        state.initiate_connection()
        requests, done = {}, False  # by stream; header fields
        self._call(self.tls.write, state.data_to_send())
        while True:
            data = self._call(self.tls.read, 65536)
            if not data:
                return
            recorder.feed(data)
            for event in state.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    if not seen.headers:
                        seen.headers, seen.akamai = recorder.headers, recorder.akamai()
                        self.origin.seen.append(seen)
                    requests[event.stream_id] = decoded(event.headers)
                elif isinstance(event, h2.events.DataReceived):
                    state.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, h2.events.StreamReset):
                    requests.pop(event.stream_id, None)
                elif isinstance(event, h2.events.StreamEnded):
                    self._respond(state, event.stream_id, requests.pop(event.stream_id), seen)
                    done = self.origin.once
            if done:
                state.close_connection()
            self._call(self.tls.write, state.data_to_send())
            if done:
                return

    def _respond(self, state, stream, headers, seen):
        status, fields, body = self.origin.answer(seen, headers)
        state.send_headers(stream, [(":status", str(status)), ("content-length", str(len(body))),
                                    *fields])
        body = b"" if dict(headers)[":method"] == "HEAD" else body
        state.send_data(stream, body, end_stream=True)

    def _serve_http1(self, seen):
        self.data = b""
        while True:
            request, *lines = self._read_until(b"\r\n\r\n").decode("latin-1").split("\r\n")[:-2]
            headers = [(line.partition(":")[0], line.partition(":")[2].strip()) for line in lines]
            if not seen.headers:
                seen.headers = headers
                self.origin.seen.append(seen)
            self._skip_body({name.lower(): value for name, value in headers})
            status, fields, body = self.origin.answer(seen, headers)
            lines = "".join(f"{n}: {v}\r\n" for n, v in fields)
            head = f"HTTP/1.1 {status} OK\r\nContent-Length: {len(body)}\r\n{lines}\r\n"
            body = b"" if request.startswith("HEAD ") else body
            self._call(self.tls.write, head.encode() + body)
            if self.origin.once:
                return

    def _read_until(self, end):
        """What comes up to `end` and with it."""
        while end not in self.data:
            self._read_more()
        found, _, self.data = self.data.partition(end)
        return found + end

    def _read_more(self):
        piece = self._call(self.tls.read, 65536)
        if not piece:
            raise EOFError
        self.data += piece

    def _skip_body(self, headers):
        if headers.get("transfer-encoding") == "chunked":
            while (size := int(self._read_until(b"\r\n"), 16)) > 0:
                self._skip(size + 2)
            self._skip(2)
        self._skip(int(headers.get("content-length", 0)))

    def _skip(self, size):
        while len(self.data) < size:
            self._read_more()
        self.data = self.data[size:]


def decoded(headers):
    return [(n.decode() if isinstance(n, bytes) else n, v.decode() if isinstance(v, bytes) else v)
            for n, v in headers]
