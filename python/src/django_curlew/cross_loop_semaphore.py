"""CrossLoopSemaphore: asyncio.Semaphore belongs to one event loop, this one to none."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from typing import Any, Deque


class CrossLoopSemaphore:
    """Limits how many run at once, in order of arrival, over any number of event loops and
    threads. Use: `if not semaphore.try_acquire(): await semaphore.wait()`, then release(), which
    any thread may call, also while an object is destroyed."""

    def __init__(self, value: int) -> None:
        self._free = value
        self._waiters: "Deque[asyncio.Future[None]]" = deque()
        # Reentrant: an object that is destroyed may release within any statement here.
        self._lock = threading.RLock()

    def try_acquire(self) -> bool:
        """Acquire it if it is free. False: call wait()."""
        with self._lock:
            if self._free <= 0:
                return False
            self._free -= 1
            return True

    async def wait(self) -> None:
        """Wait until it is acquired."""
        waiter = asyncio.get_running_loop().create_future()
        with self._lock:
            if self.try_acquire():  # another thread has released it meanwhile
                return
            self._waiters.append(waiter)
        try:
            await waiter
        except BaseException:
            if waiter.done() and not waiter.cancelled():  # acquired at the moment of cancelling
                self.release()
            raise

    def release(self) -> None:
        """Release it: the longest waiting task acquires it, if there is one."""
        with self._lock:
            if self._waiters:
                self._wake_next()
            else:
                self._free += 1

    def _wake_next(self) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            loop = waiter.get_loop()
            if loop.is_closed():  # and its task with it
                continue
            if loop is _running_loop():
                if not waiter.done():
                    waiter.set_result(None)
                    return
            else:
                with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
                    loop.call_soon_threadsafe(self._wake, waiter)
                    return
        self._free += 1

    def _wake(self, waiter: "asyncio.Future[None]") -> None:
        if waiter.done():
            self.release()
        else:
            waiter.set_result(None)


def _running_loop() -> Any:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
