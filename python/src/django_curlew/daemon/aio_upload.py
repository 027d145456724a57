"""Sending an Upload from a coroutine, while its response may already be received.

The source is read, and sent, by a task of its own: so curlewd's response is noticed while the
source is being waited for, and ends the waiting by cancelling that task.
"""

from __future__ import annotations

import asyncio
import socket
import time
from typing import Any, Callable, Optional

from . import sockets
from .errors import DaemonTimeout
from .models import EncodedRequest
from .response_parser import ResponseParser
from .upload import stops_upload

Condition = Callable[[ResponseParser], bool]


class UploadExchange:
    """Sends a request with its upload, and feeds the parser until a condition holds."""

    def __init__(
        self,
        sock: socket.socket,
        request: EncodedRequest,
        parser: ResponseParser,
        until: Condition,
    ) -> None:
        assert request.upload is not None and request.framing is not None
        self._sock = sock
        self._data = request.data
        self._upload = request.upload
        self._framing = request.framing
        self._parser = parser
        self._until = until
        self._is_sending = True
        self._was_stopped = False
        self._start = time.monotonic()
        self._timer: Optional[asyncio.TimerHandle] = None

    async def run(self, timeout: Optional[float]) -> None:
        """Send, and receive until the condition holds. The socket is closed if this fails. Raises
        DaemonTimeout after `timeout` seconds, those that the source takes not counted."""
        self._loop = loop = asyncio.get_running_loop()
        self._done = loop.create_future()
        self._timeout = timeout
        fd = self._sock.fileno()
        loop.add_reader(fd, self._on_readable)
        sockets.waited_for.add(self._sock)
        if timeout is not None:
            self._timer = loop.call_later(timeout, self._on_timeout)
        self._sending = loop.create_task(self._send_all())
        self._sending.add_done_callback(self._on_sent)
        try:
            await self._done
            await self._stop(fd)
        except GeneratorExit:  # the task outlived its loop, or is being collected: no more awaiting
            if not loop.is_closed():
                self._sending.cancel()
                loop.remove_reader(fd)
            self._sock.close()
            raise
        except BaseException:
            try:
                await self._stop(fd)
            finally:
                self._sock.close()
            raise
        finally:
            sockets.waited_for.discard(self._sock)

    async def _stop(self, fd: int) -> None:
        """Nothing here uses the socket any more."""
        if self._timer is not None:
            self._timer.cancel()
        self._loop.remove_reader(fd)
        if not self._sending.done():
            self._stop_sending()
            await asyncio.wait([self._sending])

    def _stop_sending(self) -> None:
        self._was_stopped = True
        self._sending.cancel()

    async def _send_all(self) -> None:
        await self._send(self._data)
        self._parser.request_sent = True
        frame, pieces = self._framing.frame, self._upload.apieces()
        try:
            async for piece in pieces:
                await self._send(frame(piece))
                await asyncio.sleep(0)  # if both sides are fast, nothing else lets other tasks run
        except GeneratorExit:  # this task is being collected with its loop: no more awaiting
            raise
        except BaseException:
            await pieces.aclose()
            raise
        await self._send(self._framing.end)

    async def _send(self, data: Any) -> None:
        unsent = memoryview(data)
        while unsent:
            try:
                unsent = unsent[self._sock.send(unsent) :]
            except (BlockingIOError, InterruptedError):
                await self._writable()

    async def _writable(self) -> None:
        writable, fd = self._loop.create_future(), self._sock.fileno()
        self._loop.add_writer(fd, _set_done, writable)
        try:
            await writable
        finally:
            if not self._loop.is_closed():
                self._loop.remove_writer(fd)

    def _on_sent(self, task: "asyncio.Task[None]") -> None:
        self._is_sending = False
        err = None if task.cancelled() else task.exception()
        if task.cancelled() or err is not None:
            self._parser.cut_request()
        if task.cancelled() and not self._was_stopped:
            self._done.cancel()  # the source was cancelled, by its own doing
            return
        is_closed = isinstance(err, (BrokenPipeError, ConnectionResetError))
        if is_closed and self._upload.error is not err:
            err = None  # a response may have been received before: read it, or the end
        self._resolve(err)

    def _on_readable(self) -> None:
        try:
            data = self._sock.recv(sockets.RECV_BYTES)
            if data:
                self._parser.feed(data)
            else:
                self._parser.feed_eof()
            is_met = self._until(self._parser)
        except (BlockingIOError, InterruptedError):
            return
        except Exception as err:
            self._resolve(err)
            return
        if stops_upload(self._parser) and not self._sending.done():
            self._stop_sending()
        if is_met and (self._was_stopped or not self._is_sending):
            self._loop.remove_reader(self._sock.fileno())  # what follows is not for this call
        self._resolve(None)

    def _on_timeout(self) -> None:
        counted = time.monotonic() - self._start - self._upload.source_seconds
        left = (self._timeout or 0.0) - counted
        if left > 0.001:
            self._timer = self._loop.call_later(left, self._on_timeout)
        else:
            self._resolve(DaemonTimeout("curlewd did not respond within the timeout"))

    def _resolve(self, err: Optional[BaseException]) -> None:
        """The condition may hold now, or an error has come."""
        if self._done.done():
            return
        if err is not None:
            self._done.set_exception(err)
        elif not self._is_sending:
            try:
                is_met = self._until(self._parser)
            except Exception as caught:
                self._done.set_exception(caught)
                return
            if is_met:
                self._done.set_result(None)


def _set_done(done: "asyncio.Future[None]") -> None:
    if not done.done():
        done.set_result(None)
