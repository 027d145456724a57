"""The body of a streamed response."""

from __future__ import annotations

from typing import Any, Callable, Iterator, Optional

from .. import daemon
from ..cross_loop_semaphore import CrossLoopSemaphore
from . import problem


class Slot:
    """A stream's place among the fetches in flight of its session, until release() is called, or
    it is dropped."""

    __slots__ = ("_semaphore",)

    def __init__(self, semaphore: CrossLoopSemaphore) -> None:
        self._semaphore: Optional[CrossLoopSemaphore] = semaphore

    def release(self) -> None:
        semaphore, self._semaphore = self._semaphore, None
        if semaphore is not None:
            semaphore.release()

    __del__ = release


class StreamBody:
    """The pieces of a daemon's stream. Its errors are raised as curl_cffi's exceptions, with the
    response that is given for them.

    `idle_timeout`: seconds without a byte before Timeout is raised; None: no limit. The daemon's
    own is shorter. It refers to no response, and no loop of references leads to it: one that is
    only dropped is closed at once, also without the garbage collector.
    """

    def __init__(self, stream: Any, idle_timeout: Optional[float]) -> None:
        self._stream = stream
        self._idle_timeout = idle_timeout
        self._slot: Optional[Slot] = None
        self._on_end: Optional[Callable[[Optional[BaseException]], None]] = None
        self.has_failed = False  # nothing more can be read, and the exception was raised

    def on_end(self, call: Callable[[Optional[BaseException]], None]) -> None:
        """Call this once at the end, with what went wrong; None if it was read or closed."""
        self._on_end = call

    def hold(self, slot: Slot) -> None:
        """Release this at the end of the stream."""
        self._slot = slot

    def iter_bytes(self, response: Any) -> Iterator[bytes]:
        if not hasattr(self._stream, "__iter__"):
            raise TypeError("a response of AsyncSession: use aiter_content()")
        while True:
            try:
                piece = self._stream.read(self._idle_timeout)
            except daemon.DaemonError as err:
                raise self._error(err, response) from None
            except BaseException as err:  # gevent.Timeout: the stream is closed
                self._end(err)
                raise
            if not piece:
                self._end()
                return
            yield piece

    def aiter_bytes(self, response: Any) -> "AsyncPieces":
        return AsyncPieces(self, response)

    async def aread(self, response: Any) -> bytes:
        """The next piece, b"" at the end."""
        if not hasattr(self._stream, "__aiter__"):
            raise TypeError("a response of Session: use iter_content()")
        try:
            piece: bytes = await self._stream.read(self._idle_timeout)
        except daemon.DaemonError as err:
            raise self._error(err, response) from None
        except BaseException as err:  # cancelled: the stream is closed
            self._end(err)
            raise
        if not piece:
            self._end()
        return piece

    def close(self) -> None:
        """Close the stream; before its end this cancels the fetch."""
        self._stream.close()
        self._end()

    def _error(self, err: daemon.DaemonError, response: Any) -> Any:
        self.has_failed = True
        translated = problem.from_daemon_error(err, response, streaming=True)
        self._end(translated)
        return translated

    def _end(self, err: Optional[BaseException] = None) -> None:
        call, self._on_end = self._on_end, None
        if call is not None:
            call(err)
        if self._slot is not None:
            self._slot.release()
            self._slot = None


class AsyncPieces:
    """The pieces of a stream, for `async for`. Not an async generator: one that is dropped stays
    alive until its event loop has closed it, and with it the stream."""

    def __init__(self, body: StreamBody, response: Any) -> None:
        self._body: Optional[StreamBody] = body
        self._response = response

    def __aiter__(self) -> "AsyncPieces":
        return self

    async def __anext__(self) -> bytes:
        piece = await self._body.aread(self._response) if self._body is not None else b""
        if not piece:
            raise StopAsyncIteration
        return piece

    async def aclose(self) -> None:
        """End the iteration; the stream stays open."""
        self._body = self._response = None
