"""Kept connections to the daemon: one pool for the whole process.

A kept connection is a plain, non-blocking socket. No event loop, thread or greenlet owns it while
it is idle, so whoever comes next may use it: another thread, WSGI's next event loop, a task after
`asyncio.run` has ended. Nothing has to be closed, and no loop can take a connection with it.

- Last in, first out, at most KEPT for an address; what is more is closed.
- A forked child never touches its parent's connections: the pool knows its process.
- A TCP connection is looked at before it is used again. One that has ended, or on which something
  unasked for has come, is closed. On a UNIX socket nobody need look: sending to one that has ended
  fails at once, and then the request goes out on another (replay.py).
- Through a web server, one idle for longer than web servers usually wait is closed.
"""

from __future__ import annotations

import atexit
import os
import socket
import time
from typing import Dict, List, Optional, Tuple

from .address import Address
from .errors import Unreachable

RETRY_SECONDS = 0.01  # between tries on a UNIX socket whose backlog is full
KEPT = 64  # idle connections for one address
HTTP_IDLE_SECONDS = 15.0  # less than any usual web server waits: nginx 75, Apache 5 but it says so

Idle = Tuple[socket.socket, float]  # when it was put back, time.monotonic()


class Pool:
    """The idle connections, by address. Every method may be called from any thread."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._pid = os.getpid()
        self._idle: Dict[str, List[Idle]] = {}

    def take(self, address: Address) -> Optional[socket.socket]:
        """A kept connection that is still good, or None. It is the caller's until give()."""
        if self._pid != os.getpid():
            self.forget()
        idle = self._idle.get(address.url)
        while idle:
            try:
                sock, since = idle.pop()
            except IndexError:  # another thread was faster
                break
            if address.path and address.protocol == "fcgi":
                return sock
            too_old = address.protocol == "http" and time.monotonic() - since > HTTP_IDLE_SECONDS
            if not too_old and is_quiet(sock):
                return sock
            sock.close()
        return None

    def give(self, address: Address, sock: socket.socket) -> None:
        """Keep a connection on which an answer has just ended; it must be non-blocking."""
        if self._pid != os.getpid():
            self.forget()
        idle = self._idle.setdefault(address.url, [])
        if len(idle) < self._kept:
            idle.append((sock, time.monotonic()))
        else:
            sock.close()

    def count(self, address: Address) -> int:
        return len(self._idle.get(address.url, ()))

    def forget(self) -> None:
        """Close this process's handles of all idle connections. In a forked child that leaves the
        parent's untouched: nothing is sent, and only the last handle ends a connection."""
        idle, self._idle, self._pid = self._idle, {}, os.getpid()
        for each in idle.values():
            while each:
                each.pop()[0].close()


pool = Pool()
atexit.register(pool.forget)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=pool.forget)


def is_quiet(sock: socket.socket) -> bool:
    """Is the other side still there, and has it said nothing? `sock` must be non-blocking."""
    try:
        sock.recv(1, socket.MSG_PEEK)
    except (BlockingIOError, InterruptedError):
        return True
    except OSError:
        return False
    return False


def finished(address: Address, sock: socket.socket, reusable: bool) -> None:
    """An answer has come whole on `sock`: keep it if it may carry another."""
    if reusable:
        sock.settimeout(0)
        pool.give(address, sock)
    else:
        sock.close()


def make(family: int) -> socket.socket:
    """A socket as we want them; the caller connects it."""
    sock = socket.socket(family, socket.SOCK_STREAM)
    if family != socket.AF_UNIX:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def try_unix(path: str) -> Optional[socket.socket]:
    """Connect at once, or None where the backlog is full: that is EAGAIN on a UNIX socket, and
    nothing will tell when to try again."""
    sock = make(socket.AF_UNIX)
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


def check_backlog(deadline: float) -> None:
    if time.monotonic() >= deadline:
        raise TimeoutError("its backlog stays full; is curlewd stuck?")


def unreachable(address: Address, why: BaseException) -> Unreachable:
    """What to raise when a connection could not be made, in words for whoever runs the site."""
    reasons: Dict[type, str] = {
        FileNotFoundError: "there is no such socket; is curlewd running?",
        ConnectionRefusedError: "nobody listens there; is curlewd running?",
        PermissionError: "this user may not connect; see socket_mode and socket_group",
    }
    said = reasons.get(type(why)) or getattr(why, "strerror", None) or str(why)
    return Unreachable(f"curlewd at {address.url}: {said or 'no connection in time'}")
