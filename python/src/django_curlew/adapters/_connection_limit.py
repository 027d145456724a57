"""How many responses of one transport may be open at once: `max_connections` of httpx's Limits."""

from __future__ import annotations

import asyncio
import queue
from typing import Optional

from ..cross_loop_semaphore import CrossLoopSemaphore


class ConnectionLimit:
    """For threads. release() may be called anywhere, also by a garbage collection in the middle of
    acquire(): so it is a queue of tokens, and not a semaphore with a lock."""

    def __init__(self, maximum: int) -> None:
        self._tokens: "queue.SimpleQueue[None]" = queue.SimpleQueue()
        for _ in range(maximum):
            self._tokens.put(None)

    def acquire(self, timeout: Optional[float]) -> bool:
        """False: none was released within `timeout` seconds; None waits for ever."""
        try:
            self._tokens.get(timeout=timeout)
        except queue.Empty:
            return False
        return True

    def release(self) -> None:
        self._tokens.put(None)


class AsyncConnectionLimit:
    """For coroutines, on any number of event loops."""

    def __init__(self, maximum: int) -> None:
        self._semaphore = CrossLoopSemaphore(maximum)

    async def acquire(self, timeout: Optional[float]) -> bool:
        """False: none was released within `timeout` seconds; None waits for ever."""
        if self._semaphore.try_acquire():
            return True
        try:
            await asyncio.wait_for(self._semaphore.wait(), timeout)
        except asyncio.TimeoutError:
            return False
        return True

    def release(self) -> None:
        self._semaphore.release()
