"""All that Django does with curlewd, without a pause, while it is restarted.

    with RestartLoad(url_of_curlewd) as load:
        load.more(100)      # at least so many further fetches
    load.check()            # all were right, and the origin has got each exactly once

As a program it does the same until its standard input ends, with an origin of somebody else's, and
says what became of it: python -m tests.support.restart_load URL_OF_CURLEWD URL_OF_THE_ORIGIN
"""

import asyncio
import collections
import contextlib
import itertools
import json
import sys
import threading
import time

from django_curlew import AsyncSession, Session

from .load import CountingOrigin
from .procs import wait_until

PATIENCE = 30  # seconds
TOGETHER = 4  # fetches of a gather, which is a batch for curlewd


class FarOrigin(contextlib.nullcontext):
    """A CountingOrigin in another process, or on another machine."""

    def __init__(self, base):
        super().__init__()
        self.base = base

    def url(self, target):
        return self.base + target


class RestartLoad:
    """Each kind of fetch has a thread of its own."""

    def __init__(self, url, origin_delay=0.01, origin=None):
        self.origin = origin or CountingOrigin(origin_delay)
        self.sync, self.aio = (make(daemon=url, timeout=PATIENCE)
                               for make in (Session, AsyncSession))
        self.done, self.failed = collections.Counter(), []
        self._stop, self._ids = threading.Event(), itertools.count()
        kinds = (self._get, self._post, self._stream, self._gather)
        self._threads = [threading.Thread(target=self._run_sync, args=(kind,)) for kind in kinds]
        self._threads.append(threading.Thread(target=lambda: asyncio.run(self._run_async())))

    def __enter__(self):
        self.origin.__enter__()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error):
        self._stop.set()
        for thread in self._threads:
            thread.join(PATIENCE)
        self.origin.__exit__(*error)

    # -- one thread for each kind ----------------------------------------------

    def _target(self, kind):
        return f"/{kind}/{next(self._ids)}"

    def _get(self):
        target = self._target("get")
        assert self.sync.get(self.origin.url(target)).text == target

    def _post(self):
        target = self._target("post")
        assert self.sync.post(self.origin.url(target), data=b"x").text == target

    def _stream(self):
        target = self._target("stream")
        response = self.sync.post(self.origin.url(target), data=b"x", stream=True)
        assert b"".join(response.iter_content()) == target.encode()

    def _gather(self):
        targets = [self._target("gather") for _ in range(TOGETHER)]
        responses = self.sync.gather([self.origin.url(t) for t in targets])
        assert [r.text for r in responses] == targets

    def _run_sync(self, call):
        while not self._stop.is_set():
            self._note(call.__name__, self._outcome(call))

    @staticmethod
    def _outcome(call):
        try:
            call()
        except Exception as error:
            return error
        return None

    def _note(self, kind, error):
        self.done[kind] += 1
        if error is not None:
            self.failed.append((time.strftime("%H:%M:%S"), kind, error))

    # -- and one event loop ------------------------------------------------------

    async def _aget(self):
        target = self._target("aget")
        assert (await self.aio.get(self.origin.url(target))).text == target

    async def _apost(self):
        target = self._target("apost")
        assert (await self.aio.post(self.origin.url(target), data=b"x")).text == target

    async def _astream(self):
        target = self._target("astream")
        response = await self.aio.post(self.origin.url(target), data=b"x", stream=True)
        assert await response.acontent() == target.encode()

    async def _agather(self):
        targets = [self._target("agather") for _ in range(TOGETHER)]
        responses = await self.aio.gather([self.origin.url(t) for t in targets])
        assert [r.text for r in responses] == targets

    async def _repeat(self, call):
        while not self._stop.is_set():
            error = None
            try:
                await call()
            except Exception as err:
                error = err
            self._note(call.__name__, error)

    async def _run_async(self):
        kinds = (self._aget, self._apost, self._astream, self._agather)
        await asyncio.gather(*(self._repeat(kind) for kind in kinds))

    # -- what became of them -----------------------------------------------------

    def more(self, count):
        wanted = sum(self.done.values()) + count
        wait_until(f"{count} more fetches", lambda: sum(self.done.values()) >= wanted, PATIENCE)

    def outcome(self):
        """For who has the origin: how many of each kind, which failed, how many there were."""
        assert not any(thread.is_alive() for thread in self._threads)
        return {"done": self.done, "failed": [[at, kind, repr(error)] for at, kind, error in
                                              self.failed], "targets": next(self._ids)}

    def check(self):
        assert not any(thread.is_alive() for thread in self._threads)
        assert self.failed == [] and len(self.done) == 8, (self.failed[:5], self.done)
        assert self.origin.sent_twice() == []
        assert len(self.origin.requests) == next(self._ids)


def main(url, origin):
    with RestartLoad(url, origin=FarOrigin(origin)) as load:
        sys.stdin.read()
    print(json.dumps(load.outcome()))


if __name__ == "__main__":
    main(*sys.argv[1:])
