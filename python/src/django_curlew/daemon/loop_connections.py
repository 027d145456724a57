"""An event loop's connections to the daemon, and the requests in flight on them.

To register a socket with an event loop and to remove it again costs about as much as the rest of an
exchange. So a loop that has made WATCH_AFTER requests goes on watching its connections while they
are idle, and uses them again by itself. Before that, as under WSGI with a loop for each request, a
connection returns to the pool, and no loop knows it. The pool also gets those of a loop that is
closed or collected (connection_pool.py).

One timer serves all requests of a loop: most end long before their timeout.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from typing import Any, Callable, Optional, Set

from . import sockets
from .address import Address
from .connection_pool import MAX_IDLE, Shelf, is_usable, pool
from .errors import DaemonTimeout
from .response_parser import ResponseParser

Loop = asyncio.AbstractEventLoop
Condition = Callable[[ResponseParser], bool]

WATCH_AFTER = 8  # requests of a loop
ATTRIBUTE = "_django_curlew_connections"  # of the loop: so they live as long as the loop
NEVER = float("inf")


class LoopConnections:
    """The connections of one event loop. Only its thread uses them. `serves_one`: the loop can't
    keep this object, so each request has one of its own."""

    serves_one = False

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self._count = 0  # of requests, up to WATCH_AFTER
        self._shelf: Optional[Shelf] = None  # idle ones, by the address's URL
        self._waiting: Set[Connection] = set()  # those with a deadline
        self._timer: Optional[asyncio.TimerHandle] = None
        self._timer_at = NEVER  # time.monotonic()

    def acquire(self, address: Address) -> Optional["Connection"]:
        """A kept connection that is still usable, or None."""
        pool.drop_inherited()
        idle: Any = self._shelf.get(address.url) if self._shelf is not None else None
        while idle:
            connection: Connection = idle.pop()
            connection.connections = self
            if address.path or is_usable(connection.sock):
                return connection
            connection.close()
        sock = pool.acquire(address)
        return None if sock is None else Connection(self, sock)

    def release(self, address: Address, connection: "Connection") -> None:
        """Keep a connection whose response is complete."""
        if self._count < WATCH_AFTER:
            self._count += 1
        elif connection.is_watched and address.protocol == "fcgi":
            idle = self._idle(address)
            if len(idle) < MAX_IDLE:
                connection.connections = None  # nothing on the shelf refers to the loop
                idle.append(connection)
                return
        pool.release(address, connection.detach())

    def _idle(self, address: Address) -> Any:
        if self._shelf is None:
            self._shelf = pool.new_shelf(self.loop)
        return self._shelf.setdefault(address.url, [])

    def forget(self, connection: "Connection") -> None:
        """An idle connection has ended."""
        for idle in (self._shelf or {}).values():
            with contextlib.suppress(ValueError):
                idle.remove(connection)

    def add_deadline(self, connection: "Connection") -> None:
        self._waiting.add(connection)
        if connection.deadline < self._timer_at:
            self._start_timer(connection.deadline)

    def remove_deadline(self, connection: "Connection") -> None:
        self._waiting.discard(connection)
        if self.serves_one and self._timer is not None:
            self._timer.cancel()

    def _start_timer(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = at
        self._timer = self.loop.call_later(max(0.0, at - time.monotonic()), self._on_timer)

    def _on_timer(self) -> None:
        self._timer, self._timer_at, now = None, NEVER, time.monotonic()
        for connection in list(self._waiting):
            if connection.deadline <= now:
                self._waiting.discard(connection)
                connection.on_timeout()
        if self._waiting:
            self._start_timer(min(connection.deadline for connection in self._waiting))


def current() -> LoopConnections:
    """Those of the running loop."""
    loop = asyncio.get_running_loop()
    found: Optional[LoopConnections] = getattr(loop, ATTRIBUTE, None)
    if found is None:
        found = LoopConnections(loop)
        try:
            setattr(loop, ATTRIBUTE, found)
        except AttributeError:  # a loop with __slots__: it watches none
            found.serves_one = True
    return found


class Connection:
    """A connection that carries one request at a time, by the loop's callbacks.

    `is_watched`: the loop watches it for bytes to read. `connections`: its loop's; None while it is
    idle.
    """

    __slots__ = (
        "sock",
        "deadline",
        "is_watched",
        "connections",
        "_fd",
        "_parser",
        "_until",
        "_unsent",
        "_done",
        "_is_broken",
    )

    def __init__(self, connections: LoopConnections, sock: socket.socket) -> None:
        self.sock = sock
        self.deadline = NEVER
        self.is_watched = False
        self.connections: Optional[LoopConnections] = connections
        self._fd = sock.fileno()
        self._parser: Any = None
        self._until: Any = None
        self._unsent: Any = b""
        self._done: Optional["asyncio.Future[None]"] = None  # while a request is in flight
        self._is_broken = False
        if sock.gettimeout() != 0:
            sock.settimeout(0)

    async def exchange(
        self, data: bytes, parser: ResponseParser, until: Condition, deadline: Optional[float]
    ) -> None:
        """Send `data`, and receive until the condition holds. The connection is closed if this
        fails. Raises DaemonTimeout at `deadline` (time.monotonic())."""
        connections: Any = self.connections
        self._parser, self._until, self._unsent = parser, until, data
        try:
            self._send()
            self._done = done = connections.loop.create_future()
            self._watch(connections.loop)
            sockets.waited_for.add(self.sock)
            if deadline is not None:
                self.deadline = deadline
                connections.add_deadline(self)
            await done
            if self._unsent:  # the response came before the end of the request
                parser.cut_request()
                connections.loop.remove_writer(self._fd)
        except BaseException:
            self.close()
            raise
        finally:
            self._done = self._parser = self._until = None
            sockets.waited_for.discard(self.sock)
            connections.remove_deadline(self)

    def release_or_close(self, address: Address, reusable: bool) -> None:
        """The response is complete: keep it if it may carry another request."""
        if reusable and not self._is_broken and self.connections is not None:
            self.connections.release(address, self)
        else:
            self.close()

    def detach(self) -> socket.socket:
        """The socket, which no loop knows any more."""
        if self.is_watched and self.connections is not None:
            self.is_watched = False
            self.connections.loop.remove_reader(self._fd)
        return self.sock

    def close(self) -> None:
        loop = self.connections.loop if self.connections is not None else None
        if loop is not None and not loop.is_closed():  # else the task has outlived its loop
            if self.is_watched:
                loop.remove_reader(self._fd)
            if self._unsent:
                loop.remove_writer(self._fd)
        self.is_watched = False
        self.sock.close()

    def on_timeout(self) -> None:
        self._resolve(DaemonTimeout("curlewd did not respond within the timeout"))

    def _watch(self, loop: Loop) -> None:
        if not self.is_watched:
            loop.add_reader(self._fd, self._on_readable)
            self.is_watched = True
        if self._unsent:
            loop.add_writer(self._fd, self._on_writable)

    def _send(self) -> None:
        try:
            n = self.sock.send(self._unsent)
        except (BlockingIOError, InterruptedError):
            return
        if n == len(self._unsent):
            self._unsent = b""
            self._parser.request_sent = True
        else:
            self._unsent = memoryview(self._unsent)[n:]

    def _on_readable(self) -> None:
        done, parser = self._done, self._parser
        if done is None or done.done():
            self._on_unexpected()
            return
        try:
            data = self.sock.recv(sockets.RECV_BYTES)
            if data:
                parser.feed(data)
            else:
                parser.feed_eof()
            if self._until(parser):
                done.set_result(None)
        except (BlockingIOError, InterruptedError):
            pass
        except Exception as err:
            done.set_exception(err)

    def _on_unexpected(self) -> None:
        """It has ended, or curlewd sends what nobody has asked for."""
        if is_usable(self.sock):  # nothing to read, after all
            return
        self._is_broken = True
        if self.connections is not None:  # its last request is being finished
            self.detach()
            return
        self.connections = current()
        self.connections.forget(self)
        self.close()

    def _on_writable(self) -> None:
        try:
            self._send()
        except Exception as err:
            self._resolve(err)
        if not self._unsent and self.connections is not None:
            self.connections.loop.remove_writer(self._fd)

    def _resolve(self, err: BaseException) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_exception(err)
