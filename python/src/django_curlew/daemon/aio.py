"""Requests to the daemon from a coroutine, on any event loop with add_reader (asyncio, uvloop).

It uses no transports and no asyncio streams, because these belong to a loop. The loop knows a
socket only while a coroutine waits for it, or as one that loop_connections.py can take from it. So
a kept connection outlives its loop. Cancelling a task closes the socket, which cancels the fetch in
the daemon.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import time
from typing import Any, Callable, List, Optional, Tuple

from . import loop_connections, resend, sockets
from .address import Address
from .aio_upload import UploadExchange
from .base_stream import RECEIVE_ERRORS, BaseStream
from .errors import DaemonTimeout, IncompleteResponse
from .loop_connections import Connection
from .models import EncodedRequest, Response
from .response_parser import ResponseParser, has_body_data, has_head

Condition = Callable[[ResponseParser], bool]


async def exchange(request: EncodedRequest) -> Response:
    """Send, and read the whole response."""
    connection, parser = await _send(request, request.is_finished)
    connection.release_or_close(request.address, parser.reusable)
    return Response(parser)


async def open_stream(request: EncodedRequest) -> "AsyncStream":
    """Send, and read the head of the response."""
    connection, parser = await _send(request, resend.until_decided(has_head))
    return AsyncStream(request, connection.detach(), parser)


class AsyncStream(BaseStream):
    """A response whose body is read piece by piece, for coroutines: `async with`, `async for`,
    `await read()`. What is not read yet stays in the daemon.

    close() needs no event loop. The stream may be read on another loop than it was opened on, but
    only by one task at a time. One that is only dropped is closed when it is collected.
    """

    async def read(self, timeout: Optional[float] = None) -> bytes:
        """The next piece, b"" at the end. Raises IncompleteResponse if the rest will not come,
        DaemonTimeout if nothing was received within `timeout` seconds (None: no limit); after
        either, or when cancelled, the stream is closed."""
        parser = self._parser
        if not has_body_data(parser):
            await self._receive_more(timeout)
        if parser.finished and self._sock is not None:
            self._release()
        return parser.take_body()

    async def _receive_more(self, timeout: Optional[float]) -> None:
        if self._sock is None:
            raise IncompleteResponse("the stream was closed before its end")
        receiver = Receiver(self._sock, self._parser, has_body_data)
        try:
            if receiver.receive():
                await asyncio.sleep(0)  # a fast stream must not keep the loop from other tasks
            else:
                await receiver.wait(timeout)
            self._received_at = time.monotonic()
        except RECEIVE_ERRORS as err:
            self.close()
            raise self._to_error(err) from None
        except BaseException:
            self.close()
            raise

    def __aiter__(self) -> "AsyncStream":
        return self

    async def __anext__(self) -> bytes:
        piece = await self.read()
        if not piece:
            raise StopAsyncIteration
        return piece

    async def aclose(self) -> None:
        """The same as close()."""
        self.close()

    async def __aenter__(self) -> "AsyncStream":
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()


class Receiver:
    """Feeds the parser of a stream until a condition holds, in the loop's callbacks."""

    __slots__ = ("_sock", "_parser", "_until", "_done")

    def __init__(self, sock: socket.socket, parser: ResponseParser, until: Condition) -> None:
        self._sock = sock
        self._parser = parser
        self._until = until
        self._done: Any = None

    def receive(self) -> bool:
        """Read what the socket has; does the condition hold now?"""
        try:
            data = self._sock.recv(sockets.RECV_BYTES)
        except (BlockingIOError, InterruptedError):
            return False
        if data:
            self._parser.feed(data)
        else:
            self._parser.feed_eof()
        return self._until(self._parser)

    async def wait(self, timeout: Optional[float]) -> None:
        """Wait until the condition holds. The loop knows the socket only during this call."""
        loop = asyncio.get_running_loop()
        self._done = loop.create_future()
        fd = self._sock.fileno()
        timer = None if timeout is None else loop.call_later(timeout, self._on_timeout)
        loop.add_reader(fd, self._on_readable)
        sockets.waited_for.add(self._sock)
        try:
            await self._done
        finally:
            self._done = None
            sockets.waited_for.discard(self._sock)
            if timer is not None:
                timer.cancel()
            if not loop.is_closed():  # else the task outlived its loop, and is being collected
                loop.remove_reader(fd)

    def _on_readable(self) -> None:
        try:
            if self.receive():
                self._resolve(None)
        except Exception as err:
            self._resolve(err)

    def _on_timeout(self) -> None:
        self._resolve(DaemonTimeout("curlewd did not respond within the timeout"))

    def _resolve(self, err: Optional[BaseException]) -> None:
        done = self._done
        if done is None or done.done():
            return
        if err is None:
            done.set_result(None)
        else:
            done.set_exception(err)


async def _send(request: EncodedRequest, until: Condition) -> Tuple[Connection, ResponseParser]:
    """Send, and receive until the condition holds: on a kept connection, else on a new one."""
    start = time.monotonic()
    deadline = None if request.timeout is None else start + request.timeout
    connections = loop_connections.current()
    connection = connections.acquire(request.address)
    attempts = resend.Attempts(request, kept=connection is not None)
    while True:
        if connection is None:
            timeout = _remaining(request, start) or request.connect_timeout
            sock = await connect(request.address, min(request.connect_timeout, timeout))
            connection = Connection(connections, sock)
        parser = attempts.begin()
        try:
            if request.upload is None:
                await connection.exchange(request.data, parser, until, deadline)
            else:
                sender = UploadExchange(connection.detach(), request, parser, until)
                await sender.run(_remaining(request, start))
        except resend.CONNECTION_ERRORS as err:
            attempts.on_error(err, parser)
        else:
            if parser.declined:
                connection.close()
            if attempts.is_over(parser):
                return connection, parser
            connection.close()
        connection = None


def _remaining(request: EncodedRequest, start: float) -> Optional[float]:
    """Seconds of the request's timeout that remain; 0 or less once it has passed."""
    return None if request.timeout is None else request.timeout - (time.monotonic() - start)


async def connect(address: Address, timeout: float) -> socket.socket:
    """A new connection. Raises Unreachable if there is none within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    try:
        if address.is_unix:
            return await _connect_unix(address.path, deadline)
        return await _connect_tcp(address, deadline)
    except OSError as err:
        raise sockets.unreachable(address, err) from err


async def _connect_unix(path: str, deadline: float) -> socket.socket:
    while True:
        sock = sockets.try_connect_unix(path)
        if sock is not None:
            return sock
        sockets.check_backlog_deadline(deadline)
        await asyncio.sleep(sockets.BACKLOG_RETRY_SECONDS)


async def _connect_tcp(address: Address, deadline: float) -> socket.socket:
    """A connection to the first of the host's addresses that accepts one."""
    failed: Optional[OSError] = None
    for family, sockaddr in await _resolve(address, deadline):
        sock = sockets.create_socket(family)
        try:
            sock.setblocking(False)
            number = sock.connect_ex(sockaddr)
            if number == errno.EINPROGRESS:
                await _wait_writable(sock, deadline)
                number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if number == 0:
                return sock
            failed = OSError(number, os.strerror(number))
            sock.close()
        except BaseException:
            sock.close()
            raise
    raise failed or OSError("the host name has no address")


async def _resolve(address: Address, deadline: float) -> List[Tuple[int, Any]]:
    """(family, sockaddr) of each address: at once if it is numeric, else by a thread of the
    loop's."""
    host, port, kind = address.host, address.port, socket.SOCK_STREAM
    try:
        found = socket.getaddrinfo(host, port, type=kind, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        loop = asyncio.get_running_loop()
        lookup: Any = loop.getaddrinfo(host, port, type=kind)
        try:
            found = await asyncio.wait_for(lookup, max(0.0, deadline - time.monotonic()))
        except asyncio.TimeoutError:
            raise TimeoutError("the host name could not be resolved in time") from None
    return [(each[0], each[4]) for each in found]


async def _wait_writable(sock: socket.socket, deadline: float) -> None:
    loop, fd = asyncio.get_running_loop(), sock.fileno()
    done = loop.create_future()
    timer = loop.call_later(deadline - time.monotonic(), _set_timeout, done)
    loop.add_writer(fd, _set_done, done)
    try:
        await done
    finally:
        timer.cancel()
        if not loop.is_closed():
            loop.remove_writer(fd)


def _set_done(done: "asyncio.Future[None]") -> None:
    if not done.done():
        done.set_result(None)


def _set_timeout(done: "asyncio.Future[None]") -> None:
    if not done.done():
        done.set_exception(TimeoutError("could not connect in time"))
