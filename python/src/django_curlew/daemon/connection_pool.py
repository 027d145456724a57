"""Kept connections to the daemon: one pool for the whole process.

A kept connection is a plain socket, with the timeout of its last user. No event loop, thread or
greenlet owns it while it is idle, so any of them may use it next: another thread, WSGI's next event
loop, a task after `asyncio.run` has ended. Nothing has to be closed, and no loop can take a
connection with it.

- Last in, first out, at most MAX_IDLE for an address; further ones are closed.
- An event loop that makes many requests has a Shelf of its own here, whose connections it goes on
  watching (loop_connections.py). Once it is closed or collected, they are anybody's.
- A forked child never uses its parent's connections: the pool remembers its process id.
- A TCP connection is checked before it is used again. One that has ended, or on which unexpected
  bytes were received, is closed. A UNIX socket needs no check: sending on one that has ended fails
  at once, and then the request is sent on another (resend.py).
- Through a web server, a connection that was idle for longer than HTTP_IDLE_SECONDS is closed.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import socket
import time
import weakref
from typing import Dict, List, Optional, Protocol, Tuple

from .address import Address

MAX_IDLE = 64  # idle connections for one address
HTTP_IDLE_SECONDS = 15.0  # below the usual keep-alive timeouts; nginx: 75. Apache's 5 is announced

Idle = Tuple[socket.socket, float]  # since when, time.monotonic()


class Watched(Protocol):
    """A connection that an event loop watches while it is idle."""

    sock: socket.socket


Shelf = Dict[str, List[Watched]]  # by the address's URL
Loop = asyncio.AbstractEventLoop


class ConnectionPool:
    """The idle connections, by address. Every method may be called from any thread."""

    def __init__(self, max_idle: int = MAX_IDLE) -> None:
        self._max_idle = max_idle
        self._pid = os.getpid()
        self._idle: Dict[str, List[Idle]] = {}
        self._shelves: Dict["weakref.ref[Loop]", Shelf] = {}

    def acquire(self, address: Address) -> Optional[socket.socket]:
        """A kept connection that is still usable, or None. The caller owns it until release()."""
        if self._pid != os.getpid():
            self.close_all()
        idle = self._idle.get(address.url)
        if not idle and self._shelves:
            self.adopt()
            idle = self._idle.get(address.url)
        while idle:
            try:
                sock, since = idle.pop()
            except IndexError:  # another thread was faster
                break
            if address.path and address.protocol == "fcgi":
                return sock
            too_old = address.protocol == "http" and time.monotonic() - since > HTTP_IDLE_SECONDS
            if not too_old and is_usable(sock):
                return sock
            sock.close()
        return None

    def release(self, address: Address, sock: socket.socket) -> None:
        """Keep a connection whose last response is complete. It must be non-blocking; from now on
        the pool owns it."""
        idle = self._idle.get(address.url)
        if idle is None:
            idle = self._idle.setdefault(address.url, [])
        if len(idle) < self._max_idle:
            idle.append((sock, time.monotonic()))
        else:
            sock.close()

    def new_shelf(self, loop: Loop) -> Shelf:
        """For idle connections that `loop` watches. What is on it refers to no loop."""
        self.adopt()
        shelf: Shelf = {}
        self._shelves[weakref.ref(loop, self._on_collected)] = shelf
        return shelf

    def adopt(self) -> None:
        """Take over the connections of event loops that are closed."""
        for ref in list(self._shelves):
            loop = ref()
            if loop is None or loop.is_closed():
                self._on_collected(ref)

    def _on_collected(self, ref: "weakref.ref[Loop]") -> None:
        for url, left in self._shelves.pop(ref, {}).items():
            idle = self._idle.setdefault(url, [])
            while left:
                sock = left.pop().sock
                if len(idle) < self._max_idle:
                    idle.append((sock, time.monotonic()))
                else:
                    sock.close()

    def idle_count(self, address: Address) -> int:
        """Of those that anybody may use, and those of event loops."""
        shelves = list(self._shelves.values())
        watched = sum([len(shelf.get(address.url, ())) for shelf in shelves])
        return watched + len(self._idle.get(address.url, ()))

    def drop_inherited(self) -> None:
        """In a forked child: close_all()."""
        if self._pid != os.getpid():
            self.close_all()

    def close_all(self) -> None:
        """Close this process's handles of all idle connections. In a forked child that leaves the
        parent's untouched: nothing is sent, and only closing the last handle ends a connection. The
        shelves stay, as their loops may be used on."""
        idle, self._idle, self._pid = self._idle, {}, os.getpid()
        for each in idle.values():
            while each:
                each.pop()[0].close()
        for ref, shelf in list(self._shelves.items()):
            for watched in shelf.values():
                while watched:
                    _close_watched(ref(), watched.pop().sock)


pool = ConnectionPool()
atexit.register(pool.close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=pool.close_all)


def _close_watched(loop: Optional[Loop], sock: socket.socket) -> None:
    """Close it first: a forked child shares the parent's epoll instance, from which the loop would
    remove an open one. A loop that is not told would take the next file of that number for it."""
    fd = sock.fileno()
    sock.close()
    if loop is not None and not loop.is_closed() and not loop.is_running():
        loop.remove_reader(fd)


def is_usable(sock: socket.socket) -> bool:
    """Is the connection open, and were no unexpected bytes received?"""
    try:
        sock.settimeout(0)
        sock.recv(1, socket.MSG_PEEK)
    except (BlockingIOError, InterruptedError):
        return True
    except OSError:
        return False
    return False


def release_or_close(address: Address, sock: socket.socket, reusable: bool) -> None:
    """The response on `sock` is complete: keep it if it may carry another request."""
    if reusable:
        pool.release(address, sock)
    else:
        sock.close()
