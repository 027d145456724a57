"""Asking the daemon from a coroutine, on any event loop that has add_reader (asyncio, uvloop).

No transports and no streams: these belong to a loop. A socket is the loop's only while a coroutine
waits for it; before it is kept, the loop has forgotten it. Cancelling closes the socket, which
cancels the fetch in the daemon.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import time
from typing import Any, Callable, List, Optional, Tuple

from . import replay, sockets
from .address import Address
from .response_parser import ResponseParser, has_head, has_body_data
from .call import PIECE, Call, Reply
from .opened import Opened
from .errors import IncompleteResponse, DaemonTimeout

Loop = asyncio.AbstractEventLoop
Until = Callable[[ResponseParser], bool]


async def exchange(call: Call) -> Reply:
    """Ask and gather the whole answer."""
    sock, parser = await _ask(call, call.until_whole)
    sockets.finished(call.address, sock, parser.reusable)
    return Reply(parser)


async def open_stream(call: Call) -> "AsyncStream":
    """Ask and read as far as the answer's head."""
    return AsyncStream(call.address, *await _ask(call, has_head))


class AsyncStream(Opened):
    """sync.Stream for coroutines: `async with`, `async for`, `await read()`. close() needs no loop.

    A stream may be read on another loop than it was opened on, if by one task at a time.
    """

    async def read(self, timeout: Optional[float] = None) -> bytes:
        """The next piece, b"" at the end. IncompleteResponse where the rest will not come, DaemonTimeout where nothing
        has come within `timeout` seconds; after either, or when cancelled, the stream is closed."""
        parser = self._parser
        if not has_body_data(parser):
            await self._read_on(timeout)
        if parser.finished and self._sock is not None:
            self._release()
        return parser.take_body()

    async def _read_on(self, timeout: Optional[float]) -> None:
        if self._sock is None:
            raise IncompleteResponse("the stream was closed before its end")
        talk = Talk(self._sock, self._parser, has_body_data)
        try:
            if not talk.receive():
                await talk.wait(timeout)
        except replay.FAILURES as why:
            self.close()
            raise replay.name(self._address, why, self._parser) from None
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
        self.close()

    async def __aenter__(self) -> "AsyncStream":
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()


class Talk:
    """One stretch of a conversation: sends what is to be sent and feeds what comes to the answer,
    in the loop's callbacks, until enough of it is there."""

    __slots__ = ("_sock", "_parser", "_until", "_unsent", "_loop", "_done")

    def __init__(self, sock: socket.socket, parser: ResponseParser, until: Until) -> None:
        self._sock = sock
        self._parser = parser
        self._until = until
        self._unsent: Any = b""
        self._loop: Optional[Loop] = None  # while it waits
        self._done: Any = None

    async def ask(self, data: bytes, timeout: Optional[float]) -> None:
        """Send, and wait for the answer; the socket is closed where that fails."""
        try:
            self._unsent = data
            self._send()
            await self.wait(timeout)
        except BaseException:
            self._sock.close()
            raise

    def receive(self) -> bool:
        """Take what there is; is it enough?"""
        try:
            data = self._sock.recv(PIECE)
        except (BlockingIOError, InterruptedError):
            return False
        if data:
            self._parser.feed(data)
        else:
            self._parser.feed_eof()
        return self._until(self._parser)

    async def wait(self, timeout: Optional[float]) -> None:
        """Until enough has come. The loop knows the socket no longer than this takes."""
        self._loop = loop = asyncio.get_running_loop()
        self._done = loop.create_future()
        fd, writing = self._sock.fileno(), bool(self._unsent)
        timer = None if timeout is None else loop.call_later(timeout, self._late)
        loop.add_reader(fd, self._readable)
        try:
            if writing:
                loop.add_writer(fd, self._writable)
            await self._done
        finally:
            self._done = None
            if timer is not None:
                timer.cancel()
            if not loop.is_closed():  # else the task outlived its loop, and is being collected
                loop.remove_reader(fd)
                if writing:
                    loop.remove_writer(fd)

    def _send(self) -> None:
        try:
            n = self._sock.send(self._unsent)
        except (BlockingIOError, InterruptedError):
            return
        if n == len(self._unsent):
            self._unsent = b""
            self._parser.request_sent = True
        else:
            self._unsent = memoryview(self._unsent)[n:]

    def _readable(self) -> None:
        try:
            if self.receive():
                self._settle(None)
        except Exception as why:
            self._settle(why)

    def _writable(self) -> None:
        try:
            self._send()
        except Exception as why:
            self._settle(why)
        if not self._unsent and self._loop is not None:
            self._loop.remove_writer(self._sock.fileno())

    def _late(self) -> None:
        self._settle(DaemonTimeout("curlewd did not answer in time"))

    def _settle(self, why: Optional[BaseException]) -> None:
        done = self._done
        if done is None or done.done():
            return
        if why is None:
            done.set_result(None)
        else:
            done.set_exception(why)


async def _ask(call: Call, until: Until) -> Tuple[socket.socket, ResponseParser]:
    """Send, and receive as far as is wanted: on a kept connection, else on a new one."""
    began = time.monotonic()
    sock = sockets.pool.take(call.address)
    if sock is not None:
        parser = call.new_parser()
        try:
            await Talk(sock, parser, until).ask(call.data, call.timeout)
            return sock, parser
        except replay.FAILURES as why:
            replay.check(call, why, parser)
    sock = await connect(call.address, min(call.connect, _left(call, began) or call.connect))
    parser = call.new_parser()
    try:
        await Talk(sock, parser, until).ask(call.data, _left(call, began))
    except replay.FAILURES as why:
        raise replay.name(call.address, why, parser) from None
    return sock, parser


def _left(call: Call, began: float) -> Optional[float]:
    return None if call.timeout is None else call.timeout - (time.monotonic() - began)


async def connect(address: Address, timeout: float) -> socket.socket:
    """A new connection; Unreachable where there is none to be had within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    try:
        if address.is_unix:
            return await _connect_unix(address.path, deadline)
        return await _connect_tcp(address, deadline)
    except OSError as why:
        raise sockets.unreachable(address, why) from why


async def _connect_unix(path: str, deadline: float) -> socket.socket:
    while True:
        sock = sockets.try_unix(path)
        if sock is not None:
            return sock
        sockets.check_backlog(deadline)
        await asyncio.sleep(sockets.RETRY_SECONDS)


async def _connect_tcp(address: Address, deadline: float) -> socket.socket:
    """The first of the host's addresses that takes us."""
    failed: Optional[OSError] = None
    for family, where in await _resolve(address, deadline):
        sock = sockets.make(family)
        try:
            sock.setblocking(False)
            number = sock.connect_ex(where)
            if number == errno.EINPROGRESS:
                await _writable(sock, deadline)
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
    """Numeric addresses at once; names in a thread of the loop's."""
    host, port, kind = address.host, address.port, socket.SOCK_STREAM
    try:
        found = socket.getaddrinfo(host, port, type=kind, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        loop = asyncio.get_running_loop()
        asked: Any = loop.getaddrinfo(host, port, type=kind)
        try:
            found = await asyncio.wait_for(asked, max(0.0, deadline - time.monotonic()))
        except asyncio.TimeoutError:
            raise TimeoutError("its name could not be resolved in time") from None
    return [(each[0], each[4]) for each in found]


async def _writable(sock: socket.socket, deadline: float) -> None:
    loop, fd = asyncio.get_running_loop(), sock.fileno()
    done = loop.create_future()
    timer = loop.call_later(deadline - time.monotonic(), _give_up, done)
    loop.add_writer(fd, _succeed, done)
    try:
        await done
    finally:
        timer.cancel()
        if not loop.is_closed():
            loop.remove_writer(fd)


def _succeed(done: "asyncio.Future[None]") -> None:
    if not done.done():
        done.set_result(None)


def _give_up(done: "asyncio.Future[None]") -> None:
    if not done.done():
        done.set_exception(TimeoutError("no connection in time"))
