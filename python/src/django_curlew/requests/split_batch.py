"""A batch for several curlewds behind a balancer: one batch for each key of Curlew-Route.

A part that fails is an exception for each of its requests that has no result yet; the others go on.
At most MAX_AT_ONCE parts are sent at once, and together they do at most `max_parallel` fetches.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
import weakref
from collections import deque
from typing import (
    TYPE_CHECKING,
    Any,
    AsyncIterator,
    Deque,
    Dict,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Tuple,
)

from .. import daemon, route
from .batch import AsyncCompleted, Batch, completed
from .exceptions import RequestException

if TYPE_CHECKING:
    from .base_session import BaseSession

MAX_AT_ONCE = 32  # parts; for a Session, each has a thread
MAX_WAITING = 64  # results that the caller has not taken yet

Result = Tuple[int, Any]  # (index, response or exception)


class Part(NamedTuple):
    """The requests of one key."""

    indices: List[int]  # in the whole batch
    batch: Batch[Any]

    def result(self, result: Result) -> Result:
        """With the index in the whole batch."""
        return self.indices[result[0]], result[1]

    def failed(self, err: BaseException) -> Iterator[Result]:
        """The results that the error leaves missing."""
        return ((self.indices[index], err) for index in self.batch.missing)


def split(session: "BaseSession[Any]", todo: Batch[Any]) -> List[Part]:
    """The parts of a batch. If all its requests have one key there is none: it is sent as it is,
    with that key."""
    groups: Dict[Optional[str], List[int]] = {}
    for index, request in enumerate(todo.requests):
        groups.setdefault(session.route_key(request.keys), []).append(index)
    if len(groups) < 2:
        todo.route = route.headers(next(iter(groups), None))
        return []
    share = max(1, todo.max_parallel // _at_once(len(groups), todo.max_parallel))
    parts = [Part(indices, todo.part(indices, share)) for indices in groups.values()]
    for part, key in zip(parts, groups):
        part.batch.route = route.headers(key)
    return parts


def _at_once(parts: int, max_parallel: int) -> int:
    return min(parts, max_parallel, MAX_AT_ONCE)


# -- for threads ----------------------------------------------------------------------------------


def completed_parts(
    curlewd: daemon.Daemon, parts: List[Part], max_parallel: int
) -> Iterator[Result]:
    """as_completed() of a Session. Leaving the loop cancels the parts."""
    inbox = _Inbox(curlewd, parts)
    try:
        inbox.start(_at_once(len(parts), max_parallel))
        yield from inbox.results()
    finally:
        inbox.close()
        for part in parts:
            part.batch.abandon()


class _Inbox:
    """The results of the threads that send parts, and what they need to be stopped."""

    def __init__(self, curlewd: daemon.Daemon, parts: List[Part]) -> None:
        self._daemon = curlewd
        self._parts = deque(parts)
        self._results: Deque[Result] = deque()
        self._changed = threading.Condition()
        self._streams: List[daemon.Stream] = []
        self._running = 0
        self._closed = False
        self._error: Optional[BaseException] = None

    def start(self, threads: int) -> None:
        for _ in range(threads):
            run = contextvars.copy_context().run
            thread = threading.Thread(target=run, args=(self._run,), name="curlew", daemon=True)
            with self._changed:
                self._running += 1
            thread.start()

    def results(self) -> Iterator[Result]:
        """In the order in which they come; they wait while the caller takes none."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._results or not self._running or self._error)
                if self._error is not None:
                    raise self._error
                if not self._results:
                    return
                result = self._results.popleft()
                self._changed.notify_all()
            yield result

    def close(self) -> None:
        """Cancel what is not complete."""
        with self._changed:
            self._closed = True
            self._parts.clear()
            self._changed.notify_all()
            streams = list(self._streams)
        for stream in streams:
            stream.abort()

    def _run(self) -> None:
        try:
            while (part := self._next_part()) is not None:
                self._send(part)
        except _Closed:
            pass
        except BaseException as err:
            self._error = err
        with self._changed:
            self._running -= 1
            self._changed.notify_all()

    def _next_part(self) -> Optional[Part]:
        with contextlib.suppress(IndexError):
            return self._parts.popleft()
        return None

    def _send(self, part: Part) -> None:
        results = completed(self._daemon, part.batch, self._on_open)
        with contextlib.closing(results):  # type: ignore[type-var]
            try:
                for result in results:
                    self._put(part.result(result))
            except RequestException as err:
                for result in part.failed(err):
                    self._put(result)

    def _on_open(self, stream: daemon.Stream) -> None:
        with self._changed:
            if self._closed:
                raise _Closed
            self._streams.append(stream)

    def _put(self, result: Result) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or len(self._results) < MAX_WAITING)
            if self._closed:
                raise _Closed
            self._results.append(result)
            self._changed.notify_all()


class _Closed(Exception):
    """The caller has left the loop."""


# -- for coroutines -------------------------------------------------------------------------------


class AsyncCompletedParts:
    """as_completed() of an AsyncSession. Not an async generator: see AsyncCompleted. Its tasks do
    not know it, so that one that is dropped is collected, which cancels them."""

    def __init__(self, curlewd: daemon.Daemon, parts: List[Part], max_parallel: int) -> None:
        self._daemon = curlewd
        self._all_parts = parts
        self._parts = deque(parts)
        self._at_once = _at_once(len(parts), max_parallel)
        self._results: Optional["asyncio.Queue[Any]"] = None  # before the beginning
        self._running = 0
        self._tasks: List["asyncio.Task[None]"] = []

    def __aiter__(self) -> AsyncIterator[Result]:
        return self

    async def __anext__(self) -> Result:
        if self._results is None:
            self._results = self._start()
        try:
            while self._running:
                result = await self._results.get()
                if isinstance(result, tuple):
                    return result
                self._running -= 1
                if result is not None:
                    raise result
        except BaseException:
            await self.aclose()
            raise
        raise StopAsyncIteration

    def _start(self) -> "asyncio.Queue[Any]":
        results: "asyncio.Queue[Any]" = asyncio.Queue(MAX_WAITING)
        self._running = self._at_once
        for _ in range(self._at_once):
            run = _send_parts(self._daemon, self._parts, results)
            self._tasks.append(asyncio.ensure_future(run))
        weakref.finalize(self, _cancel, asyncio.get_running_loop(), self._tasks)
        return results

    async def aclose(self) -> None:
        """End the iteration, and cancel the fetches that are not complete."""
        self._running = 0
        for task in self._tasks:
            task.cancel()
        for part in self._all_parts:
            part.batch.abandon()


async def _send_parts(
    curlewd: daemon.Daemon, parts: Deque[Part], results: "asyncio.Queue[Any]"
) -> None:
    """Send one part after the other. The last thing in `results` is an error or None."""
    error: Optional[BaseException] = None
    try:
        while parts:
            await _send_part(curlewd, parts.popleft(), results)
    except Exception as err:
        error = err
    await results.put(error)


async def _send_part(curlewd: daemon.Daemon, part: Part, results: "asyncio.Queue[Any]") -> None:
    stream = AsyncCompleted(curlewd, part.batch)
    try:
        async for result in stream:
            await results.put(part.result(result))
    except RequestException as err:
        for result in part.failed(err):
            await results.put(result)
    finally:
        await stream.aclose()


def _cancel(loop: asyncio.AbstractEventLoop, tasks: List["asyncio.Task[None]"]) -> None:
    """From whichever thread collects."""
    for task in tasks:
        if not task.done():
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(task.cancel)
