"""An idle daemon sleeps: at most one wake-up a second, and little memory."""

import os
import re
import time
from pathlib import Path

import pytest

from tests.support.concurrency import BackgroundCalls
from tests.support.curlewd import SANITIZED
from tests.support.procs import wait_until

SECONDS = 3

pytestmark = pytest.mark.skipif("TSAN_OPTIONS" in os.environ,
                                reason="ThreadSanitizer has a thread that wakes up by itself")


def wake_ups(daemon):
    """How often its threads have gone to sleep, all together."""
    return sum(int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", task.read_text(), re.M)[1])
               for task in Path(f"/proc/{daemon.pid}/task").glob("*/status"))


def settled(daemon):
    """What was asked before is over for all of its threads."""
    before = wake_ups(daemon)
    time.sleep(0.2)
    return wake_ups(daemon) == before


def wake_ups_while_idle(daemon):
    wait_until("its threads to settle", lambda: settled(daemon))
    before = wake_ups(daemon)
    time.sleep(SECONDS)  # the thing to be measured is time that passes
    return wake_ups(daemon) - before


@pytest.mark.quiet
@pytest.mark.parametrize("threads", [1, 2])
def test_a_new_daemon_sleeps(curlewd, threads):
    daemon = curlewd({"threads": threads})
    assert daemon.client.ask("GET", "/healthz").status == 200
    assert wake_ups_while_idle(daemon) <= SECONDS + 1
    assert SANITIZED or daemon.rss_kib() < 15 * 1024


@pytest.mark.quiet
def test_a_daemon_with_kept_connections_on_both_sides_sleeps(curlewd, origin, nginx):
    daemon = curlewd()
    web_server = nginx(daemon)
    with BackgroundCalls(20) as b:
        for _ in range(100):
            b.start(web_server.fetch, origin.url("/delay/0.01"))
        b.results()
    assert origin.stats()["open"] > 0
    assert wake_ups_while_idle(daemon) <= SECONDS + 1
    assert SANITIZED or daemon.rss_kib() < 15 * 1024
