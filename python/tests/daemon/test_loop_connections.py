"""Connections that a busy event loop goes on watching while they are idle, and gives back."""

import asyncio
import contextlib
import gc
import threading
import time
import warnings

import pytest
from fake_daemon import FakeDaemon, read_request, response

from django_curlew.daemon import Daemon, DaemonTimeout
from django_curlew.daemon.connection_pool import pool
from django_curlew.daemon.loop_connections import ATTRIBUTE, WATCH_AFTER, current

BUSY = WATCH_AFTER + 1  # requests, after which a loop watches its connection


def answer(count):
    """A script: so many requests are answered; then the connection stays open until the client
    leaves."""
    def script(sock):
        for _ in range(count):
            read_request(sock)
            sock.sendall(response())
        assert sock.recv(1) == b""
    return script


async def fetch(d, count=1, timeout=5.0):
    for _ in range(count):
        assert (await d.aexchange("POST", "/v1/fetch", body=b"{}", timeout=timeout)).body == b"ok"


def is_watched(d):
    """Has the running loop a connection of its own?"""
    shelf = current()._shelf
    return bool(shelf and shelf[d.address.url])


def close_idle(d):
    while sock := pool.acquire(d.address):
        sock.close()


async def until(condition):
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come to that")


@pytest.fixture(params=["asyncio", "uvloop"])
def new_loop(request):
    return pytest.importorskip(request.param).new_event_loop


def test_a_busy_loop_watches_its_connection_and_uses_it_again(new_loop):
    with FakeDaemon(answer(BUSY + 5)) as fake:
        d, loop = Daemon(fake.url), new_loop()
        loop.run_until_complete(fetch(d, WATCH_AFTER))
        assert current_is(loop, lambda: not is_watched(d))
        loop.run_until_complete(fetch(d))
        assert current_is(loop, lambda: is_watched(d)) and pool.idle_count(d.address) == 1
        loop.run_until_complete(fetch(d, 5))
        assert fake.accepted == 1
        loop.close()
        close_idle(d)


def current_is(loop, condition):
    async def ask():
        return condition()
    return loop.run_until_complete(ask())


def test_a_thread_uses_the_connection_of_a_loop_that_was_closed(new_loop):
    with FakeDaemon(answer(BUSY + 2)) as fake:
        d, loop = Daemon(fake.url), new_loop()
        loop.run_until_complete(fetch(d, BUSY))
        assert pool.acquire(d.address) is None, "it is the loop's"
        loop.close()
        for _ in range(2):
            assert d.exchange("POST", "/v1/fetch", body=b"{}", timeout=5).body == b"ok"
        assert fake.accepted == 1
        close_idle(d)


def test_the_connection_of_a_loop_that_was_collected_is_not_lost():
    """asyncio's: uvloop itself keeps a loop that watches anything and was not closed."""
    with FakeDaemon(answer(BUSY + 1)) as fake:
        d, loop = Daemon(fake.url), asyncio.new_event_loop()
        loop.run_until_complete(fetch(d, BUSY))
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="unclosed event loop")
            del loop
            gc.collect()
        asyncio.run(fetch(d))
        assert fake.accepted == 1
        close_idle(d)


def test_a_watched_connection_that_ends_is_dropped_at_once(new_loop):
    ended = threading.Event()

    def answer_and_close(sock):
        for _ in range(BUSY):
            read_request(sock)
            sock.sendall(response())
        assert ended.wait(10)

    async def main(d):
        await fetch(d, BUSY)
        assert is_watched(d)
        ended.set()
        await until(lambda: not is_watched(d))
        assert pool.idle_count(d.address) == 0
        await fetch(d)

    with FakeDaemon(answer_and_close, answer(1)) as fake:
        d, loop = Daemon(fake.url), new_loop()
        loop.run_until_complete(main(d))
        loop.close()
        close_idle(d)


def test_bytes_that_nobody_asked_for_are_no_response(new_loop):
    asked = threading.Event()

    def answer_too_much(sock):
        for _ in range(BUSY):
            read_request(sock)
            sock.sendall(response())
        assert asked.wait(10)
        sock.sendall(response(b"wrong"))
        with contextlib.suppress(ConnectionResetError):  # the client has left them unread
            assert sock.recv(1) == b""

    async def main(d):
        await fetch(d, BUSY)
        asked.set()
        await until(lambda: not is_watched(d))
        await fetch(d)

    with FakeDaemon(answer_too_much, answer(1)) as fake:
        d, loop = Daemon(fake.url), new_loop()
        loop.run_until_complete(main(d))
        loop.close()
        close_idle(d)


def test_each_request_has_its_own_timeout_though_one_timer_serves_all(new_loop):
    left = threading.Event()

    def silent(sock):
        read_request(sock)
        assert left.wait(10)

    async def main(d):
        late = asyncio.ensure_future(fetch(d, timeout=30))
        await until(lambda: fake.accepted == 1)
        for timeout in (0.2, 0.1, 0.1):
            with pytest.raises(DaemonTimeout):
                await fetch(d, timeout=timeout)
        assert not late.done() and len(current()._waiting) == 1
        late.cancel()
        with pytest.raises(asyncio.CancelledError):
            await late
        assert not current()._waiting
        left.set()

    # One thread runs the scripts, one after the other: the later connections are never accepted.
    with FakeDaemon(silent) as fake:
        loop = new_loop()
        loop.run_until_complete(main(Daemon(fake.url)))
        loop.close()


def test_a_watched_connection_carries_a_stream_and_comes_back(new_loop):
    async def main(d):
        await fetch(d, BUSY)
        async with await d.aopen("POST", "/v1/stream", body=b"{}", timeout=5) as stream:
            assert not is_watched(d)
            assert b"".join([piece async for piece in stream]) == b"ok"
        await fetch(d)

    with FakeDaemon(answer(BUSY + 2)) as fake:
        d, loop = Daemon(fake.url), new_loop()
        loop.run_until_complete(main(d))
        assert fake.accepted == 1
        loop.close()
        close_idle(d)


def test_a_connection_that_answers_before_it_has_the_whole_request_is_not_used_again(new_loop):
    async def main(d):
        large = bytes(8 << 20)  # more than the kernel takes
        for _ in range(2):
            response = await d.aexchange("POST", "/v1/fetch", body=large, timeout=5)
            assert response.body == b"ok"

    def answer_at_once(sock):
        sock.recv(8)
        sock.sendall(response())
        left.wait(10)

    left = threading.Event()
    with FakeDaemon(answer_at_once, answer_at_once) as fake:
        loop = new_loop()
        task = loop.create_task(main(Daemon(fake.url)))
        loop.call_later(0.2, left.set)  # one thread runs the scripts, one after the other
        loop.run_until_complete(task)
        assert fake.accepted == 2
        loop.close()


def test_short_timeouts_between_long_ones_leave_no_timers():
    """A timer that is no longer the earliest is given up: else each would go on for ever."""
    timers = []

    class Loop(asyncio.SelectorEventLoop):
        def call_later(self, delay, callback, *args, **more):
            timer = super().call_later(delay, callback, *args, **more)
            if getattr(callback, "__self__", None) is current():
                timers.append(timer)
            return timer

    class Waiting:
        def __init__(self, seconds):
            self.deadline, self.is_over = time.monotonic() + seconds, asyncio.Event()

        def on_timeout(self):
            self.is_over.set()

    async def main():
        connections = current()
        connections.add_deadline(Waiting(30))
        for _ in range(10):
            short = Waiting(0.01)
            connections.add_deadline(short)
            await short.is_over.wait()
        pending = [t for t in timers if not t.cancelled() and t.when() > loop.time()]
        assert len(timers) > 10 and len(pending) == 1

    loop = Loop()
    loop.run_until_complete(main())
    loop.close()


def test_a_loop_that_takes_no_attributes_keeps_neither_connections_nor_timers():
    timers = []

    class Loop(asyncio.SelectorEventLoop):
        def __setattr__(self, name, value):
            if name == ATTRIBUTE:
                raise AttributeError(name)
            super().__setattr__(name, value)

        def call_later(self, *args, **more):
            timers.append(super().call_later(*args, **more))
            return timers[-1]

    with FakeDaemon(answer(BUSY + 5)) as fake:
        d, loop = Daemon(fake.url), Loop()
        loop.run_until_complete(fetch(d, BUSY + 5))
        assert fake.accepted == 1 and all(timer.cancelled() for timer in timers)
        loop.close()
        close_idle(d)
