"""Load with faults for a long time: python -m tests.soak SECONDS (make soak).

First one daemon under mixed load, with reloads: every response is right, memory and open files stay
flat, and all gauges return to 0.  Then daemon after daemon, restarted under load by a socket that
outlives them: no fetch fails, none is sent twice.
"""

import shutil
import statistics
import sys
import time
from pathlib import Path

from tests.support.certs import make_certs
from tests.support.clients import FastCgiClient
from tests.support.curlewd import Curlewd
from tests.support.metrics import read_metrics
from tests.support.origin.client import OriginProcess
from tests.support.procs import stop_all, temp_dir, wait_until
from tests.support.restart_load import RestartLoad
from tests.support.supervisor import Supervisor
from tests.support.web_servers import WebServer

from .mixed_load import KeptClient, MixedLoad

STEADY = 0.6  # of the time; restarts take the rest
RELOAD_EVERY = 2  # seconds
RESTART_EVERY = 2.4  # seconds: a hundred in ten minutes
GROWTH_KIB = 8 * 1024
GAUGES = ("in_flight", "queued", "buffered_bytes", "parked", "request_body_bytes",
          "retries_waiting", "connections")
CONFIG = {"log": {"access": False}, "sessions": {"default": {"idle_seconds": 1}}}


class Samples:
    """Memory and open files over time."""

    def __init__(self, daemon):
        self.daemon, self.rss, self.files = daemon, [], []

    def take(self):
        self.rss.append(self.daemon.rss_kib())
        self.files.append(count_files(self.daemon))

    def check(self):
        """Flat from the end of the first third, which warms up, to the last one."""
        third = len(self.rss) // 3
        middle = statistics.median(self.rss[third:2 * third])
        last = statistics.median(self.rss[2 * third:])
        say(f"memory: {middle / 1024:.1f} MiB in the middle, {last / 1024:.1f} MiB at the end; "
            f"open files: {max(self.files)} at most")
        assert last - middle < GROWTH_KIB, f"memory grows: {self.rss}"


def say(text):
    print(text, flush=True)


def count_files(daemon):
    return len(list(Path(f"/proc/{daemon.pid}/fd").iterdir()))


def check_log(daemon):
    daemon.check_clean()
    errors = [e for e in daemon.log_entries() if e["level"] == "error"]
    assert errors == [], errors[:10]


def check_quiet(daemon, files_before):
    """All is given back."""
    def gauges():
        m = read_metrics(daemon)
        return {name: m[f"curlew_{name}"] for name in GAUGES if m[f"curlew_{name}"] != 0}

    wait_until("all gauges to be 0", lambda: not gauges(), 20)
    wait_until(f"{files_before} open files", lambda: count_files(daemon) <= files_before, 20)
    assert read_metrics(daemon)["curlew_gateway_connections"] == 1  # this request's


def wait_reloaded(daemon, times):
    wait_until("the reload", lambda: daemon.process.err.count("was reloaded") >= times, 20)


def soak_one_daemon(seconds, origin):
    daemon = Curlewd(CONFIG)
    nginx = WebServer("nginx", daemon.socket)
    ways = [FastCgiClient(daemon.socket), KeptClient(daemon.socket), nginx]
    samples, reloads = Samples(daemon), 0
    for client in ways[::2]:
        client.fetch(origin.url("/hello"))
    time.sleep(3)  # the connection to the origin is closed again
    files_before = count_files(daemon)
    until = time.monotonic() + seconds
    with MixedLoad(ways, daemon.socket, origin) as load:
        while time.monotonic() < until:
            daemon.reload({**daemon.config, "limits": {"queue": 2000 + reloads}})
            reloads += 1
            wait_reloaded(daemon, reloads)
            for _ in range(RELOAD_EVERY * 5):
                samples.take()
                time.sleep(0.2)
    say(f"{sum(load.done.values())} requests, {reloads} reloads: {dict(load.done)}")
    kinds = sorted(set(load.failed))
    assert kinds == [], f"{len(load.failed)} failed: {kinds[:20]}"
    nginx.stop()
    ways[1].close()
    check_quiet(daemon, files_before)
    samples.check()
    check_log(daemon)
    daemon.stop()
    shutil.rmtree(daemon.directory, ignore_errors=True)


def soak_restarts(seconds):
    """Each daemon has as little memory and as few files at its end as the first ones."""
    supervisor = Supervisor(config=CONFIG)
    nginx = WebServer("nginx", supervisor.path)
    samples, restarts = Samples(supervisor.daemon), 0
    until = time.monotonic() + seconds
    with RestartLoad(f"fcgi+unix:{supervisor.path}") as direct, \
            RestartLoad(f"{nginx.url}/_fetch") as by_nginx:
        while time.monotonic() < until:
            next_at = time.monotonic() + RESTART_EVERY
            check_log(supervisor.daemon)
            samples.daemon = supervisor.daemon
            samples.take()
            supervisor.restart(60)
            restarts += 1
            time.sleep(max(0, next_at - time.monotonic()))
    say(f"{sum(direct.done.values())} fetches on kept connections, "
        f"{sum(by_nginx.done.values())} through nginx, {restarts} restarts")
    direct.check()
    by_nginx.check()
    samples.check()
    nginx.stop()
    supervisor.stop()


def main(seconds):
    directory = temp_dir()
    origin = OriginProcess(directory, make_certs(directory))
    started = time.monotonic()
    try:
        soak_one_daemon(seconds * STEADY, origin)
        soak_restarts(seconds * (1 - STEADY))
    finally:
        stop_all()
    say(f"nothing was lost in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main(float(sys.argv[1]))
