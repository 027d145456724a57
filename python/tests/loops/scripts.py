"""Programs that a test runs in a process of their own: python scripts.py NAME URL-OF-A-PAGE.

Each uses one session that lives in the module, prints "ok" at the end, and is run with every
warning an error and asyncio in debug mode; whatever stands on stderr fails the test.
"""

import asyncio
import gc
import multiprocessing
import os
import sys
import threading
import warnings

if sys.argv[1].startswith("gevent"):
    from gevent import monkey

    monkey.patch_all()

from django_curlew import AsyncSession, Session
from django_curlew.daemon import sockets

session, blocking = AsyncSession(), Session()


async def fetch(url):
    response = await session.get(url)
    assert response.text == "hello\n", response.text
    return response


async def some(url):
    await fetch(url)
    await asyncio.gather(*[fetch(url) for _ in range(10)])
    assert len(await session.gather([url] * 5)) == 5
    async with session.stream("GET", url) as stream:
        assert await stream.atext() == "hello\n"


def loop_after_loop(url):
    """As WSGI does under Django: a loop for each request, closed behind it."""
    for _ in range(20):
        asyncio.run(some(url))


def threads(url):
    """Each with a loop of its own, and with the blocking session."""
    failed = []

    def work():
        try:
            for _ in range(5):
                asyncio.run(some(url))
                assert blocking.get(url).ok
        except BaseException as err:
            failed.append(err)

    workers = [threading.Thread(target=work) for _ in range(8)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    assert not failed, failed


def forks(url):
    """As gunicorn's preload: used in the parent, then in its children, then in the parent."""
    from django_curlew import daemon
    from django_curlew.daemon.connection_pool import pool

    address = daemon.current().address
    for _ in range(3):
        blocking.get(url)
        asyncio.run(some(url))
        assert pool.idle_count(address) > 0
        child = os.fork()
        if child == 0:
            status = 1
            try:
                assert pool.idle_count(address) == 0, "a parent's connection"
                blocking.get(url)
                asyncio.run(some(url))
                status = 0
            finally:
                os._exit(status)
        blocking.get(url)
        assert os.waitpid(child, 0)[1] == 0
        asyncio.run(some(url))


def fork_in_flight(url):
    """A child that is made while fetches run leaves them alone."""
    async def main():
        running = [asyncio.ensure_future(fetch(url)) for _ in range(5)]
        await asyncio.sleep(0)
        child = os.fork()
        if child == 0:
            gc.collect()
            os._exit(0)
        await asyncio.gather(*running)
        os.waitpid(child, 0)
        await fetch(url)

    asyncio.run(main())


def forked_loops(url):
    """A loop that has connections of its own is used on in a child, in a grandchild, and in the
    parent."""
    import uvloop

    for new_loop in (asyncio.new_event_loop, uvloop.new_event_loop):
        loop = new_loop()
        use_loop_in_children(loop, url, 2)
        loop.close()


def use_loop_in_children(loop, url, generations):
    loop.run_until_complete(some(url))
    child = os.fork() if generations else None
    if child == 0:
        status = 1
        try:
            use_loop_in_children(loop, url, generations - 1)
            status = 0
        finally:
            os._exit(status)
    if child is not None:
        assert os.waitpid(child, 0)[1] == 0
    loop.run_until_complete(asyncio.wait_for(some(url), 20))


def spawned(url):
    """As Celery's prefork pool and multiprocessing do."""
    context = multiprocessing.get_context("fork")
    blocking.get(url)
    with context.Pool(3) as pool:
        assert pool.map(status_of, [url] * 9) == [200] * 9
        pool.close()
        pool.join()


def status_of(url):
    return blocking.get(url).status_code


def uvloop(url):
    import uvloop

    for _ in range(5):
        loop = uvloop.new_event_loop()
        loop.run_until_complete(some(url))
        loop.close()
        asyncio.run(some(url))


def gevent(url):
    import time

    import gevent

    start = time.monotonic()
    slow_url = url.replace("/hello", "/delay/0.3")
    jobs = [gevent.spawn(blocking.get, slow_url) for _ in range(20)]
    jobs += [gevent.spawn(blocking.gather, [url] * 5) for _ in range(5)]
    gevent.joinall(jobs, raise_error=True)
    assert time.monotonic() - start < 3, "they waited for each other"
    for _ in range(3):
        assert blocking.get(url).ok


def left_lying(url):
    """Nothing is closed: responses, streams, sessions, loops that end with tasks in them."""
    streams = [blocking.request("GET", url, stream=True) for _ in range(3)]
    next(streams[0].iter_content())
    del streams[1]

    async def main():
        await session.request("GET", url, stream=True)
        asyncio.ensure_future(session.get(url.replace("/hello", "/silent")))
        await asyncio.sleep(0.1)

    asyncio.run(main())
    gc.collect()
    global kept
    kept = streams


def abandoned_loop(url):
    """A loop that is closed under a waiting task; the task is collected later."""
    loop = asyncio.new_event_loop()

    async def main():
        task = asyncio.ensure_future(session.get(url.replace("/hello", "/silent")))
        await asyncio.sleep(0.1)
        return task

    task = loop.run_until_complete(main())
    task._log_destroy_pending = False  # asyncio's own remark about the test's own deed
    loop.close()
    del task
    gc.collect()
    asyncio.run(some(url))


def abandoned_upload(url):
    """The same in mid-upload: the source, and the task that sends it, are collected, too; also with
    a loop that nobody has closed."""
    async def source():
        while True:
            yield b"x" * 9000
            await asyncio.sleep(0.02)

    async def main():
        asyncio.ensure_future(session.post(url.replace("/hello", "/upload"), content=source()))
        await asyncio.sleep(0.1)
        for task in asyncio.all_tasks():
            task._log_destroy_pending = False

    for is_closed in (True, True, False, False):
        loop = asyncio.new_event_loop()
        loop.run_until_complete(main())
        if is_closed:
            loop.close()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="unclosed event loop")
            del loop
            gc.collect()
    assert not sockets.waited_for and session._semaphore._free == session.max_clients
    asyncio.run(some(url))


def limit_across_loops(url):
    """max_clients counts over threads and loops, and lets everybody through in the end."""
    few = AsyncSession(max_clients=2)
    slow_url = url.replace("/hello", "/delay/0.02")

    async def main():
        await asyncio.gather(*[few.get(slow_url) for _ in range(6)])

    workers = [threading.Thread(target=lambda: asyncio.run(main())) for _ in range(4)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    assert few._semaphore._free == 2 and not few._semaphore._waiters


if __name__ == "__main__":
    globals()[sys.argv[1]](sys.argv[2])
    print("ok")
