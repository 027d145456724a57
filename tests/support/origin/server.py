"""The origin's listeners and connections, counted in Stats."""

import asyncio
import collections
import itertools
import socket
import ssl
import time

from tests.support.procs import free_port

from . import http1, http2

LIMIT = 1 << 20  # a request head larger than this is cut off
EVENTS_KEPT = 10000


class Stats:
    """What the origin saw. `in_flight` counts requests, `open` connections."""

    def __init__(self):
        self.open = self.in_flight = 0
        self.reset()

    def reset(self):
        self.connections = self.requests = self.max_in_flight = 0
        self.max_open = self.open
        self.paths = collections.Counter()
        self.tries = collections.Counter()  # of a /flaky, by key
        self.sent = {}  # target of a /pour → bytes that have left
        self.events = collections.deque(maxlen=EVENTS_KEPT)

    def connection_opened(self, connection):
        self.connections += 1
        self.open += 1
        self.max_open = max(self.max_open, self.open)
        connection.counted = True

    def forget(self, connection):
        """Don't count a connection that only reads the statistics."""
        if connection.counted:
            connection.counted = False
            self.connections -= 1
            self.open -= 1

    def connection_closed(self, connection):
        if connection.counted:
            self.open -= 1
            self.record_event("closed", connection)

    def request_begun(self, request):
        self.requests += 1
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        self.paths[request.path] += 1
        self.record_event("arrived", request.connection, request.target)

    def request_ended(self, request):
        self.in_flight -= 1

    def record_event(self, event, connection, target=None):
        self.events.append({"event": event, "at": time.monotonic(), "connection": connection.number,
                            "target": target})

    def as_dict(self):
        names = ("connections", "open", "max_open", "requests", "in_flight", "max_in_flight")
        return {**{n: getattr(self, n) for n in names}, "paths": dict(self.paths)}


class Connection(asyncio.StreamReaderProtocol):
    """One connection. A peer that closes it cancels the pages that serve its requests."""

    def __init__(self, origin, prior_knowledge=False):
        self.reader = asyncio.StreamReader(limit=LIMIT)
        super().__init__(self.reader, self._connected)
        self.origin = origin
        self.prior_knowledge = prior_knowledge
        self.counted = False
        self.running = {}  # task → request
        self.number = next(origin.connection_numbers)

    def connection_made(self, transport):
        super().connection_made(transport)
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.origin.stats.connection_opened(self)

    async def _connected(self, reader, writer):
        self.writer = writer
        tls = writer.get_extra_info("ssl_object")
        second = self.prior_knowledge or (tls and tls.selected_alpn_protocol() == "h2")
        try:
            await (http2 if second else http1).serve(self)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError,
                asyncio.CancelledError, ssl.SSLError):
            pass  # whatever it was, the connection is over
        finally:
            writer.close()

    async def handle(self, request, send):
        """Run the page and send() its response, both while the request counts as in flight.

        The response, or None where the page wrote on the connection itself.
        """
        if request.path.startswith("/_"):
            self.origin.stats.forget(self)
            return await self._page(request, send)
        self.origin.stats.request_begun(request)
        self.running[asyncio.current_task()] = request
        try:
            return await self._page(request, send)
        finally:
            self.running.pop(asyncio.current_task(), None)
            self.origin.stats.request_ended(request)

    async def _page(self, request, send):
        response = await self.origin.page(request)
        if response is not None:
            await send(request, response)
        return response

    def limit_send_buffer(self, size):
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size)

    def eof_received(self):
        self._cancel_running()
        return super().eof_received()

    def connection_lost(self, error):
        self._cancel_running()
        self.origin.stats.connection_closed(self)
        super().connection_lost(error)

    def _cancel_running(self):
        for task, request in list(self.running.items()):
            self.origin.stats.record_event("left", self, request.target)
            task.cancel()
        self.running.clear()

    def as_dict(self):
        tls = self.writer.get_extra_info("ssl_object")
        cert = tls.getpeercert() if tls else None
        subject = dict(pair[0] for pair in cert["subject"]) if cert else {}
        local, peer = (self.writer.get_extra_info(n) for n in ("sockname", "peername"))
        return {"connection": self.number, "tls": bool(tls),
                "client_cert": subject.get("commonName"),
                "local_ip": local[0], "local_port": local[1], "peer_port": peer[1]}


class Origin:
    def __init__(self, pages):
        self.stats = Stats()
        self.connection_numbers = itertools.count(1)
        self.page = lambda request: pages.dispatch(self, request)
        self.servers = []

    async def listen(self, hosts, port=0, tls=None, prior_knowledge=False):
        """One port on every host; the port."""
        loop = asyncio.get_running_loop()
        port = port or free_port()  # the kernel's choice for one host may be taken on the next
        for host in hosts:
            try:
                server = await loop.create_server(
                    lambda: Connection(self, prior_knowledge), host, port, ssl=tls, backlog=4096)
            except OSError:
                if host == "::1":  # a machine without IPv6
                    continue
                raise
            self.servers.append(server)
        return port


def tls_context(certs, alpn=("http/1.1",), cert="server", client_ca=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certs / f"{cert}.pem", certs / f"{cert}.key")
    context.set_alpn_protocols(list(alpn))
    if client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certs / f"{client_ca}.pem")
    return context


def never_accepting(host):
    """A port whose accept queue is full: the next connect() gets no answer."""
    listener = socket.socket()
    listener.bind((host, 0))
    listener.listen(0)
    held = [listener]
    for _ in range(4):
        s = socket.socket()
        s.setblocking(False)
        s.connect_ex(listener.getsockname())
        held.append(s)
    return listener.getsockname()[1], held
