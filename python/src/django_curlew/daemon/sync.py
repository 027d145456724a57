"""Blocking requests to the daemon, for threads and greenlets.

It uses nothing but methods of socket objects with timeouts, which gevent and eventlet patch.
"""

from __future__ import annotations

import socket
import time
from typing import Callable, Optional, Tuple

from . import connection_pool, resend, sockets
from .address import Address
from .base_stream import RECEIVE_ERRORS, BaseStream
from .deadlines import deadline_after, remaining
from .errors import IncompleteResponse
from .models import EncodedRequest, Response
from .response_parser import ResponseParser, has_body_data, has_head
from .sync_upload import send_upload

Condition = Callable[[ResponseParser], bool]

TOLERANCE = 0.005  # seconds that a timeout may be off


def exchange(request: EncodedRequest) -> Response:
    """Send, and read the whole response."""
    sock, parser = _send(request, request.is_finished)
    if parser.reusable:
        connection_pool.pool.release(request.address, sock)
    else:
        sock.close()
    return Response(parser)


def open_stream(request: EncodedRequest) -> "Stream":
    """Send, and read the head of the response."""
    sock, parser = _send(request, resend.until_decided(has_head))
    return Stream(request, sock, parser)


class Stream(BaseStream):
    """A response whose body is read piece by piece; what is not read yet stays in the daemon.

    Use it in `with`, or close() it: closing before the end cancels the fetch. One that is only
    dropped is closed when it is collected, without a warning. Only one thread may use it at a time.
    """

    def read(self, timeout: Optional[float] = None) -> bytes:
        """The next piece, b"" at the end. Raises IncompleteResponse if the rest will not come,
        DaemonTimeout if nothing was received within `timeout` seconds (None: no limit); after
        either, the stream is closed."""
        parser = self._parser
        if not has_body_data(parser):
            self._receive_more(deadline_after(timeout))
        if parser.finished and self._sock is not None:
            self._release()
        return parser.take_body()

    def _receive_more(self, deadline: Optional[float]) -> None:
        if self._sock is None:
            raise IncompleteResponse("the stream was closed before its end")
        try:
            _receive(self._sock, self._parser, has_body_data, deadline)
            self._received_at = time.monotonic()
        except RECEIVE_ERRORS as err:
            self.close()
            raise self._to_error(err) from None
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> "Stream":
        return self

    def __next__(self) -> bytes:
        piece = self.read()
        if not piece:
            raise StopIteration
        return piece

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _send(request: EncodedRequest, until: Condition) -> Tuple[socket.socket, ResponseParser]:
    """Send, and receive until the condition holds: on a kept connection, else on a new one."""
    deadline = deadline_after(request.timeout)
    sock = connection_pool.pool.acquire(request.address)
    attempts = resend.Attempts(request, kept=sock is not None)
    while True:
        if sock is None:
            timeout = min(request.connect_timeout, remaining(deadline) or request.connect_timeout)
            sock = connect(request.address, timeout)
        parser = attempts.begin()
        try:
            _send_and_receive(sock, request, parser, until, deadline)
        except resend.CONNECTION_ERRORS as err:
            attempts.on_error(err, parser)
        else:
            if parser.declined:
                sock.close()
            if attempts.is_over(parser):
                return sock, parser
            sock.close()
        sock = None


def _send_and_receive(
    sock: socket.socket,
    request: EncodedRequest,
    parser: ResponseParser,
    until: Condition,
    deadline: Optional[float],
) -> None:
    """The socket is closed if this fails."""
    try:
        if request.upload is None:
            _set_timeout(sock, deadline)
            sock.sendall(request.data)
            parser.request_sent = True
        else:
            deadline = send_upload(sock, request, parser, deadline)
            if until(parser):
                return
        _receive(sock, parser, until, deadline)
    except BaseException:
        sock.close()
        raise


def _receive(
    sock: socket.socket, parser: ResponseParser, until: Condition, deadline: Optional[float]
) -> None:
    while True:
        _set_timeout(sock, deadline)
        data = sock.recv(sockets.RECV_BYTES)
        if data:
            parser.feed(data)
        else:
            parser.feed_eof()
        if until(parser):
            return


def _set_timeout(sock: socket.socket, deadline: Optional[float]) -> None:
    """Each call of settimeout() is a system call, so a timeout that is about right stays."""
    found = sock.gettimeout()
    if deadline and found and -TOLERANCE < found + time.monotonic() - deadline < TOLERANCE:
        return
    sock.settimeout(remaining(deadline))


def connect(address: Address, timeout: float) -> socket.socket:
    """A new connection. Raises Unreachable if there is none within `timeout` seconds."""
    try:
        if address.is_unix:
            return _connect_unix(address.path, time.monotonic() + timeout)
        sock = socket.create_connection((address.host, address.port), timeout)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock
    except OSError as err:
        raise sockets.unreachable(address, err) from err


def _connect_unix(path: str, deadline: float) -> socket.socket:
    while True:
        sock = sockets.try_connect_unix(path)
        if sock is not None:
            return sock
        sockets.check_backlog_deadline(deadline)
        time.sleep(sockets.BACKLOG_RETRY_SECONDS)
