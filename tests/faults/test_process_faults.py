"""The daemon's process is stopped for a while, debugged, or showered with signals."""

import contextlib
import ctypes
import os
import signal
import time
from pathlib import Path

import pytest

from tests.support.concurrency import BackgroundCalls
from tests.support.metrics import read_metrics
from tests.support.procs import wait_until
from tests.support.streams import open_stream

STOP = 2.5  # seconds
IGNORED = [signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH, signal.SIGPIPE, signal.SIGCHLD,
           signal.SIGURG, signal.SIGCONT]
PTRACE_ATTACH, PTRACE_DETACH, WALL = 16, 17, 0x40000000

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


@contextlib.contextmanager
def stopped(pid):
    os.kill(pid, signal.SIGSTOP)
    wait_until("it has stopped",
               lambda: Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] == "T")
    yield
    os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def debugged(pid):
    """As gdb does: each of its threads is traced, and stopped."""
    threads = [int(t.name) for t in Path(f"/proc/{pid}/task").iterdir()]
    for thread in threads:
        if _libc.ptrace(PTRACE_ATTACH, thread, None, None) != 0:
            raise OSError(ctypes.get_errno(), "ptrace")
        os.waitpid(thread, WALL)
    yield
    for thread in threads:
        _libc.ptrace(PTRACE_DETACH, thread, None, None)


@pytest.mark.parametrize("how", [stopped, debugged])
def test_nothing_is_lost_while_it_stands_still(curlewd, origin, how):
    """What comes in time meanwhile counts as in time; what does not times out once."""
    daemon = curlewd({"sessions": {"default": {}, "late": {}}})
    drip = origin.url("/drip?n=15&every=0.3")  # each byte within the idle timeout
    with BackgroundCalls() as b, open_stream(daemon.client, url=drip + "&stream",
                                             timeout={"idle": 1}) as stream:
        whole = [b.start(daemon.client.fetch, drip + f"&{i}", timeout={"idle": 1})
                 for i in range(8)]
        whole += [b.start(daemon.client.fetch, origin.url("/delay/1")) for _ in range(4)]
        late = [b.start(daemon.client.post, {"url": origin.url(f"/silent?{i}"), "timeout": 1,
                                             "session": "late"}) for i in range(4)]
        for i in range(4):
            origin.wait_for("arrived", f"/silent?{i}")
        with how(daemon.pid):
            meanwhile = b.start(daemon.client.fetch, origin.url("/hello"))
            time.sleep(STOP)
            assert not meanwhile.done()
        assert meanwhile.result(20)["status"] == 200
        assert [f.result(20)["status"] for f in whole] == [200] * 12
        assert len(stream.read_all()) == 15
        assert [f.result(20).json()["code"] for f in late] == ["timeout"] * 4
    metrics = read_metrics(daemon)
    assert metrics['curlew_fetches_total{session="late",outcome="timeout"}'] == 4
    assert metrics["curlew_in_flight"] == metrics["curlew_parked"] == 0
    lines = wait_until("the log", lambda: (found := daemon.log_entries("fetch")) and
                       len(found) == 18 and found)
    assert sum(line.get("code") == "timeout" for line in lines) == 4


def test_a_caller_that_left_while_it_stood_still_is_cancelled(curlewd, origin):
    daemon = curlewd()
    stream = open_stream(daemon.client, url=origin.url("/drip?n=1000&every=0.05&leaver"))
    with stopped(daemon.pid):
        stream.close()
    origin.wait_for("left", "/drip?n=1000&every=0.05&leaver")
    wait_until("it is cancelled", lambda: read_metrics(daemon)["curlew_in_flight"] == 0)


def test_a_storm_of_signals_disturbs_no_fetch(curlewd, origin):
    daemon = curlewd()
    with BackgroundCalls(8) as b:
        for i in range(100):
            b.start(daemon.client.fetch, origin.url(f"/delay/0.02?{i}"), timeout={"idle": 10})
        while not all(f.done() for f in b.futures):
            for number in IGNORED:
                os.kill(daemon.pid, number)
            os.kill(daemon.pid, signal.SIGSTOP)
            os.kill(daemon.pid, signal.SIGCONT)
            time.sleep(0.002)
        assert [e["status"] for e in b.results()] == [200] * 100
    daemon.stop()


def test_signals_during_a_drain_do_not_end_it(curlewd, origin):
    daemon = curlewd()
    with BackgroundCalls() as b:
        call = b.start(daemon.client.fetch, origin.url("/delay/1"))
        origin.wait_for("arrived", "/delay/1")
        daemon.process.send(signal.SIGTERM)
        wait_until("it drains", lambda: "draining" in daemon.process.err)
        for number in [*IGNORED, signal.SIGHUP]:
            daemon.process.send(number)
        assert call.result(20)["status"] == 200
    daemon.wait_exit()
