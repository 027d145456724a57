"""Asking the daemon from a thread or a greenlet.

Nothing but methods of socket objects with time-outs: what gevent and eventlet patch, works.
"""

from __future__ import annotations

import socket
import time
from typing import Callable, Optional, Tuple

from . import replay, sockets
from .address import Address
from .response_parser import ResponseParser, has_head, has_body_data
from .call import PIECE, Call, Reply
from .opened import Opened
from .errors import IncompleteResponse, DaemonTimeout

Until = Callable[[ResponseParser], bool]


def exchange(call: Call) -> Reply:
    """Ask and gather the whole answer."""
    sock, parser = _ask(call, call.until_whole)
    sockets.finished(call.address, sock, parser.reusable)
    return Reply(parser)


def open_stream(call: Call) -> "Stream":
    """Ask and read as far as the answer's head."""
    return Stream(call.address, *_ask(call, has_head))


class Stream(Opened):
    """An answer whose body is read piece by piece: what is not asked for stays in the daemon.

    Use it in `with`, or close() it: closing before the end cancels the fetch. One that is only
    dropped is closed when it is collected, without a warning. Not for two threads at once.
    """

    def read(self, timeout: Optional[float] = None) -> bytes:
        """The next piece, b"" at the end. IncompleteResponse where the rest will not come, DaemonTimeout where nothing
        has come within `timeout` seconds; after either, the stream is closed."""
        parser = self._parser
        if not has_body_data(parser):
            self._read_on(_deadline(timeout))
        if parser.finished and self._sock is not None:
            self._release()
        return parser.take_body()

    def _read_on(self, deadline: Optional[float]) -> None:
        if self._sock is None:
            raise IncompleteResponse("the stream was closed before its end")
        try:
            _receive(self._sock, self._parser, has_body_data, deadline)
        except replay.FAILURES as why:
            self.close()
            raise replay.name(self._address, why, self._parser) from None
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


def _deadline(timeout: Optional[float]) -> Optional[float]:
    return None if timeout is None else time.monotonic() + timeout


def _left(deadline: Optional[float]) -> Optional[float]:
    if deadline is None:
        return None
    left = deadline - time.monotonic()
    if left <= 0:
        raise DaemonTimeout("curlewd did not answer in time")
    return left


def _ask(call: Call, until: Until) -> Tuple[socket.socket, ResponseParser]:
    """Send, and receive as far as is wanted: on a kept connection, else on a new one."""
    deadline = _deadline(call.timeout)
    sock = sockets.pool.take(call.address)
    if sock is not None:
        parser = call.new_parser()
        try:
            _converse(sock, call, parser, until, deadline)
            return sock, parser
        except replay.FAILURES as why:
            replay.check(call, why, parser)
    sock = connect(call.address, min(call.connect, _left(deadline) or call.connect))
    parser = call.new_parser()
    try:
        _converse(sock, call, parser, until, deadline)
    except replay.FAILURES as why:
        raise replay.name(call.address, why, parser) from None
    return sock, parser


def _converse(
    sock: socket.socket, call: Call, parser: ResponseParser, until: Until, deadline: Optional[float]
) -> None:
    try:
        sock.settimeout(_left(deadline))
        sock.sendall(call.data)
        parser.request_sent = True
        _receive(sock, parser, until, deadline)
    except BaseException:
        sock.close()
        raise


def _receive(
    sock: socket.socket, parser: ResponseParser, until: Until, deadline: Optional[float]
) -> None:
    while not until(parser):
        sock.settimeout(_left(deadline))
        data = sock.recv(PIECE)
        if data:
            parser.feed(data)
        else:
            parser.feed_eof()


def connect(address: Address, timeout: float) -> socket.socket:
    """A new connection; Unreachable where there is none to be had within `timeout` seconds."""
    try:
        if address.is_unix:
            return _connect_unix(address.path, time.monotonic() + timeout)
        sock = socket.create_connection((address.host, address.port), timeout)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock
    except OSError as why:
        raise sockets.unreachable(address, why) from why


def _connect_unix(path: str, deadline: float) -> socket.socket:
    while True:
        sock = sockets.try_unix(path)
        if sock is not None:
            return sock
        sockets.check_backlog(deadline)
        time.sleep(sockets.RETRY_SECONDS)
