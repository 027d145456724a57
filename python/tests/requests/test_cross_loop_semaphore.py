"""CrossLoopSemaphore over threads: no slot is lost, and none is given twice."""

import asyncio
import sys
import threading

import pytest

from django_curlew.cross_loop_semaphore import CrossLoopSemaphore

THREADS, TASKS, ROUNDS, SLOTS = 4, 8, 100, 3


@pytest.fixture(autouse=True)
def threads_that_change_often():
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def test_many_loops_in_many_threads():
    semaphore, held, most = CrossLoopSemaphore(SLOTS), [], []

    async def work():
        for _ in range(ROUNDS):
            if not semaphore.try_acquire():
                await semaphore.wait()
            held.append(1)
            most.append(len(held))
            await asyncio.sleep(0)
            held.pop()
            semaphore.release()

    async def main():
        await asyncio.gather(*[work() for _ in range(TASKS)])

    failed = []

    def run():
        try:
            asyncio.run(asyncio.wait_for(main(), 60))
        except BaseException as err:
            failed.append(err)

    threads = [threading.Thread(target=run) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed and max(most) <= SLOTS
    assert [semaphore.try_acquire() for _ in range(SLOTS + 1)] == [True] * SLOTS + [False]


def test_a_release_between_trying_and_waiting_is_seen():
    semaphore = CrossLoopSemaphore(1)

    async def main():
        assert semaphore.try_acquire() and not semaphore.try_acquire()
        threading.Thread(target=semaphore.release).start()
        await asyncio.sleep(0.1)  # it is free now, and nobody waited
        await asyncio.wait_for(semaphore.wait(), 5)
        assert not semaphore.try_acquire()

    asyncio.run(main())


def test_an_object_that_is_destroyed_may_release_it_within_any_statement():
    class Holder:
        def __del__(self):
            semaphore.release()

    semaphore = CrossLoopSemaphore(1)
    assert semaphore.try_acquire()
    holder = Holder()
    with semaphore._lock:
        del holder
    assert semaphore.try_acquire()
