"""One session in a module, whatever runs it: loops, threads, forks, uvloop, gevent; no warning."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from django_curlew import AsyncSession

ROOT = Path(__file__).parents[3]
SCRIPTS = ["loop_after_loop", "threads", "forks", "fork_in_flight", "forked_loops", "spawned",
           "uvloop", "gevent", "left_lying", "abandoned_loop", "abandoned_upload",
           "limit_across_loops"]


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_session_of_the_module(name, daemon, origin):
    # gevent's and fork()'s own warnings are not about this package.
    quiet = ["-W", "ignore::DeprecationWarning"] if name in (
        "gevent", "forks", "spawned", "fork_in_flight", "forked_loops") else []
    env = {**os.environ, "PYTHONPATH": str(ROOT / "python" / "src"), "PYTHONASYNCIODEBUG": "1",
           "CURLEW_URL": f"fcgi+unix:{daemon.socket}"}
    script = Path(__file__).parent / "scripts.py"
    argv = [sys.executable, "-W", "error", *quiet, str(script), name, origin.url("/hello")]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=50)
    # asyncio remarks on whatever took 100 ms: on a busy machine, that is anything.
    stderr = [line for line in done.stderr.splitlines() if not line.startswith("Executing <")]
    assert (done.returncode, done.stdout, stderr) == (0, "ok\n", []), done


def test_cancelling_while_waiting_for_the_semaphore(daemon, origin):
    """A task that is cancelled releases the semaphore, or never acquires it."""
    session = AsyncSession(max_clients=1, daemon=f"fcgi+unix:{daemon.socket}")

    async def main():
        first = asyncio.ensure_future(session.get(origin.url("/delay/0.3")))
        await asyncio.sleep(0.05)
        waiting = [asyncio.ensure_future(session.get(origin.url("/hello"))) for _ in range(3)]
        await asyncio.sleep(0.05)
        waiting[0].cancel()
        waiting[1].cancel()
        assert (await first).ok and (await waiting[2]).ok
        assert [w.cancelled() for w in waiting] == [True, True, False]

    asyncio.run(main())
    assert session._semaphore._free == 1


def test_cancelling_at_the_moment_of_acquiring(daemon, origin):
    session = AsyncSession(max_clients=1, daemon=f"fcgi+unix:{daemon.socket}")

    async def main():
        assert session._semaphore.try_acquire()
        waiting = asyncio.ensure_future(session.get(origin.url("/hello")))
        await asyncio.sleep(0)
        session._semaphore.release()  # wakes it …
        waiting.cancel()  # … before it runs
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert (await session.get(origin.url("/hello"))).ok

    asyncio.run(main())
    assert session._semaphore._free == 1
