"""Making sockets: what the blocking and the async client share."""

from __future__ import annotations

import socket
import time
from typing import Optional, Set

from . import socket_advice
from .address import Address
from .errors import Unreachable

RECV_BYTES = 65536  # read from a socket at once
BACKLOG_RETRY_SECONDS = 0.01  # between tries on a UNIX socket whose backlog is full

# If a waiting task is collected with its loop, its coroutine closes the socket. These are kept from
# being collected with it, maybe before it, which would be a ResourceWarning.
waited_for: Set[socket.socket] = set()


def create_socket(family: int) -> socket.socket:
    """A stream socket, with TCP_NODELAY if it is TCP. The caller connects and owns it."""
    sock = socket.socket(family, socket.SOCK_STREAM)
    if family != socket.AF_UNIX:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def try_connect_unix(path: str) -> Optional[socket.socket]:
    """A connected, non-blocking socket, or None if the backlog is full. For a UNIX socket that is
    EAGAIN, and no event reports when to try again: wait BACKLOG_RETRY_SECONDS."""
    sock = create_socket(socket.AF_UNIX)
    try:
        sock.setblocking(False)
        sock.connect(path)
        return sock
    except BlockingIOError:
        sock.close()
        return None
    except BaseException:
        sock.close()
        raise


def check_backlog_deadline(deadline: float) -> None:
    """Raise TimeoutError once time.monotonic() has reached `deadline`."""
    if time.monotonic() >= deadline:
        raise TimeoutError("its backlog stays full; curlewd accepts no connections")


def unreachable(address: Address, err: BaseException) -> Unreachable:
    """The error to raise if `err` prevented a connection: it says why, and what to do."""
    reason = _advice(address, err) or getattr(err, "strerror", None) or str(err)
    return Unreachable(f"curlewd at {address.url}: {reason or 'could not connect in time'}")


def _advice(address: Address, err: BaseException) -> str:
    listener = "curlewd" if address.protocol == "fcgi" else "the web server"
    if address.is_unix:
        return socket_advice.explain(address.path, err, listener)
    if isinstance(err, ConnectionRefusedError):
        where = f"{address.host}:{address.port}"
        return f"connection refused: {listener} is not running at {where}"
    return ""
