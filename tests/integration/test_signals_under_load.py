"""Signals while fetches go on: SIGHUP and SIGTERM lose none, SIGKILL sends none twice."""

import signal
import time

from tests.support.load import CountingOrigin, Load
from tests.support.procs import connects, wait_until

RELOADS = 100


def logged(daemon, words):
    return daemon.process.err.count(words)


def test_a_hundred_reloads_lose_no_fetch(curlewd):
    daemon = curlewd({"log": {"access": False}})
    with CountingOrigin() as origin, Load(lambda: daemon.client.post, origin) as load:
        for i in range(RELOADS):
            daemon.reload({**daemon.config, "limits": {"queue": 1000 + i}})
            wait_until("the reload", lambda: logged(daemon, "was reloaded") > i)  # noqa: B023
        load.more(10)
    load.check()
    assert load.done > RELOADS


def test_sigterm_answers_all_that_was_accepted(curlewd, nginx):
    """Behind nginx each fetch has its response, or a 502 as nobody listens any more."""
    daemon = curlewd({"log": {"access": False}})
    web_server = nginx(daemon)
    with CountingOrigin(delay=0.2) as origin:
        with Load(lambda: web_server.post, origin, threads=32) as load:
            load.more(64)
            daemon.process.send(signal.SIGTERM)
            wait_until("no new connections", lambda: not connects(daemon.socket))
            daemon.wait_exit()
        answered = load.done - len(load.failed)
        assert {response.status for _, _, response in load.failed} <= {502}
        assert len(origin.requests) == answered
        assert origin.sent_twice() == []
        refused = [t for _, t, _ in load.failed]
        assert not set(refused) & {r.target for r in origin.requests}


def test_a_crash_behind_two_entries_sends_no_post_twice(curlewd, nginx):
    first, second = curlewd({"log": {"access": False}}), curlewd({"log": {"access": False}})
    entry = f"server unix:{first.socket}"
    more = [(entry, f"{entry} max_fails=0;\n        server unix:{second.socket} max_fails=0")]
    web_server = nginx(first, more=more)
    with CountingOrigin(delay=0.1) as origin:
        with Load(lambda: web_server.post, origin, threads=16) as load:
            load.more(64)
            first.process.send(signal.SIGKILL)
            first.process.wait()
            load.more(64)
        time.sleep(0.2)
        assert load.failed, "nothing was in flight at the crash"
        assert {response.status for _, _, response in load.failed} == {502}
        assert len(load.failed) <= 16
        assert origin.sent_twice() == []
