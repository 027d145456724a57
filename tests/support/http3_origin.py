"""An HTTP/3 origin made of aioquic, on a thread of its own, that records what its clients are like.

    with Http3Origin(certs) as origin:
        client.fetch(origin.url("/hello"), http_version="3-only")
        assert len(origin.connections) == 1 and origin.requests[0].method == "GET"

What it answers depends on the path: see Http3Origin.ANSWERS. Nothing listens on the TCP port of the
same number, unless the test does so.
"""

import asyncio
import contextlib
import socket
import struct
import threading
from dataclasses import dataclass, field

from aioquic.asyncio import QuicConnectionProtocol
from aioquic.asyncio.server import QuicServer
from aioquic.buffer import Buffer
from aioquic.h3.connection import H3_ALPN, ErrorCode, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated

from .fingerprint import ClientHello

TRANSPORT_PARAMETERS = 57
SOURCE_ID, GREASE_FROM, GREASE_STEP = 0x0F, 27, 31  # RFC 9000 18.1, 18.2


@dataclass
class Http3Request:
    method: str
    path: str
    headers: list  # (name, value) in order, with pseudo headers
    connection: "Http3Peer"
    body: bytes = b""
    stream: int = 0

    def header(self, name):
        return next((v for n, v in self.headers if n == name), None)


@dataclass
class Http3Peer:
    """One QUIC connection, from its ClientHello on."""

    hello: ClientHello
    resumed: bool = False
    h3: H3Connection = None
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def ja4(self):
        return self.hello.ja4(transport="q")

    @property
    def settings(self):
        """Of HTTP/3, in the order in which they came."""
        given = self.h3.received_settings or {}
        return [(n, v) for n, v in given.items() if n < 0x21 or (n - 0x21) % 0x1F]

    @property
    def parameters(self):
        """The transport parameters, by number; the random ones, and random values, left out."""
        buf = Buffer(data=self.hello.extension(TRANSPORT_PARAMETERS))
        found = {}
        while not buf.eof():
            number, size = buf.pull_uint_var(), buf.pull_uint_var()
            value = buf.pull_bytes(size)
            if number % GREASE_STEP != GREASE_FROM:
                found[number] = b"" if number == SOURCE_ID else without_grease(number, value)
        return found


def without_grease(number, value):
    """A reserved version among those of version_information is random, too (RFC 9368)."""
    if number != 0x11:
        return value
    versions = [n for n, in struct.iter_unpack(">I", value)]
    return tuple("reserved" if n & 0x0F0F0F0F == 0x0A0A0A0A else n for n in versions)


class Protocol(QuicConnectionProtocol):
    """aioquic's side of one connection."""

    def __init__(self, origin, quic, stream_handler=None):
        super().__init__(quic, stream_handler)
        self.origin = origin
        self.peer, self.h3 = None, None
        self.open = {}
        begin = quic._initialize

        def initialize(peer_cid):
            begin(peer_cid)
            self._watch_hello(quic.tls)

        quic._initialize = initialize

    def _watch_hello(self, tls):
        """aioquic tells nobody of the ClientHello's bytes: read them on their way in."""
        handle, seen = tls.handle_message, bytearray()

        def watched(data, output):
            if self.peer is None:
                seen.extend(data)
                if len(seen) >= 4 and len(seen) >= 4 + int.from_bytes(seen[1:4], "big"):
                    self.peer = Http3Peer(ClientHello(bytes(seen[4:])))
                    self.origin.connections.append(self.peer)
            handle(data, output)

        tls.handle_message = watched

    def quic_event_received(self, event):
        if isinstance(event, ConnectionTerminated) and self.peer is not None:
            self.peer.ended.set()
        if self.h3 is None:
            self.h3 = self.peer.h3 = H3Connection(self._quic)
        self.peer.resumed = self._quic.tls.session_resumed
        for e in self.h3.handle_event(event):
            if isinstance(e, HeadersReceived):
                headers = [(n.decode(), v.decode()) for n, v in e.headers]
                fields = dict(headers)
                self.open[e.stream_id] = Http3Request(fields[":method"], fields[":path"], headers,
                                                      self.peer, stream=e.stream_id)
            elif isinstance(e, DataReceived):
                self.open[e.stream_id].body += e.data
            if e.stream_ended and e.stream_id in self.open:
                request = self.open.pop(e.stream_id)
                self.origin.requests.append(request)
                self._loop.create_task(self.origin.answer(self, request))

    def respond(self, request, body=b"", status=200, fields=(), end=True):
        self.h3.send_headers(request.stream, [(b":status", str(status).encode()), *fields],
                             end_stream=end and not body)
        if body:
            self.h3.send_data(request.stream, body, end_stream=end)
        self.transmit()

    def send(self, request, data, end=False):
        self.h3.send_data(request.stream, data, end_stream=end)
        self.transmit()


async def hello(protocol, request):
    body = b"hello by HTTP/3\n"
    protocol.respond(request, body, fields=[(b"content-length", str(len(body)).encode())])


async def echo(protocol, request):
    protocol.respond(request, request.body)


async def large(protocol, request):
    protocol.respond(request, b"x" * 3_000_000)


async def slow(protocol, request):
    await asyncio.sleep(0.2)
    await hello(protocol, request)


async def silent(protocol, request):
    """Nothing, ever."""


async def stalls(protocol, request):
    protocol.respond(request, b"begun", end=False)


async def counts(protocol, request):
    """Ten pieces, each when it is time."""
    protocol.respond(request, end=False)
    for i in range(10):
        protocol.send(request, b"%d\n" % i)
        await asyncio.sleep(0.02)
    protocol.send(request, b"", end=True)


async def cut(protocol, request):
    """Half a body, then the stream is reset."""
    protocol.respond(request, b"half", fields=[(b"content-length", b"8")], end=False)
    await asyncio.sleep(0.05)
    protocol._quic.reset_stream(request.stream, ErrorCode.H3_INTERNAL_ERROR)
    protocol.transmit()


async def hang_up(protocol, request):
    """The connection ends instead of an answer."""
    protocol.close(ErrorCode.H3_INTERNAL_ERROR)


async def rejects(protocol, request):
    """RFC 9114 4.1.1: not processed."""
    protocol._quic.reset_stream(request.stream, ErrorCode.H3_REQUEST_REJECTED)
    protocol._quic.stop_stream(request.stream, ErrorCode.H3_REQUEST_REJECTED)
    protocol.transmit()


class Http3Origin:
    ANSWERS = {"/hello": hello, "/echo": echo, "/large": large, "/slow": slow, "/silent": silent,
               "/stalls": stalls, "/counts": counts, "/cut": cut, "/hang-up": hang_up,
               "/rejects": rejects}

    def __init__(self, certs, host="127.0.0.1", port=0, tickets=True, idle_seconds=30.0):
        self.connections, self.requests = [], []
        self.config = QuicConfiguration(is_client=False, alpn_protocols=H3_ALPN,
                                        idle_timeout=idle_seconds)
        self.config.load_cert_chain(certs / "server.pem", certs / "server.key")
        self.tickets = {} if tickets else None
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((host, port))
        self.port = self.sock.getsockname()[1]
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        self._call(self._listen())

    def _run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def _call(self, awaitable):
        return asyncio.run_coroutine_threadsafe(awaitable, self.loop).result(10)

    async def _listen(self):
        resume = {} if self.tickets is None else {
            "session_ticket_handler": lambda t: self.tickets.__setitem__(t.ticket, t),
            "session_ticket_fetcher": self.tickets.get}
        self.transport, self.server = await self.loop.create_datagram_endpoint(
            lambda: QuicServer(configuration=self.config, **resume,
                               create_protocol=lambda q, **k: Protocol(self, q, **k)),
            sock=self.sock)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.vanish()

    def url(self, path="/hello", host="localhost"):
        return f"https://{host}:{self.port}{path}"

    async def answer(self, protocol, request):
        await self.ANSWERS[request.path.partition("?")[0]](protocol, request)

    def ping(self):
        """A packet on every connection, though nobody asks."""
        self.loop.call_soon_threadsafe(
            lambda: [asyncio.ensure_future(p.ping()) for p in set(self.server._protocols.values())])

    def go_away(self):
        """Every connection is closed, in words; the port still listens."""
        self.loop.call_soon_threadsafe(
            lambda: [p.close() for p in set(self.server._protocols.values())])

    def vanish(self):
        """The machine is gone: not a packet more comes from it, and its port is closed."""
        if not self.thread.is_alive():
            return
        self.loop.call_soon_threadsafe(self.transport.abort)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        with contextlib.suppress(OSError):
            self.sock.close()

    @property
    def resumed(self):
        return [c.resumed for c in self.connections]
