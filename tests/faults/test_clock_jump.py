"""The real-time clock is set back or forward: nothing that waits, counts or logs minds.

Dates stay dates: a log line has the new time, and a cookie ends at its date by the clock as it is.
"""

import email.utils
import mmap
import shutil
import struct
import subprocess
import threading
import time

import pytest

from tests.support.concurrency import BackgroundCalls
from tests.support.curlewd import ROOT
from tests.support.metrics import read_metric
from tests.support.procs import wait_until
from tests.support.scripted_origin import ScriptedOrigin, answer

HOUR = 3600
DAY = 24 * HOUR


@pytest.fixture(scope="session")
def clock_jump(directory):
    library = directory / "clock_jump.so"
    subprocess.run([shutil.which("cc"), "-shared", "-fPIC", "-o", library,
                    ROOT / "tests/faults/clock_jump.c"], check=True)
    return library


class Clock:
    """The daemon's real-time clock: so many seconds ahead of the machine's."""

    def __init__(self, path, ahead):
        path.write_bytes(bytes(8))
        self.path = path
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 8)
        self.set(ahead)

    def set(self, ahead):
        self.map[:] = struct.pack("=q", ahead)

    def env(self, library):
        return {"LD_PRELOAD": str(library), "CLOCK_OFFSET_FILE": str(self.path),
                "ASAN_OPTIONS": "verify_asan_link_order=0"}


@pytest.fixture
def clock(tmp_path):
    return Clock(tmp_path / "ahead", HOUR)


@pytest.fixture
def daemon(curlewd, clock_jump, clock, certs):
    return curlewd({"sessions": {"default": {"ca_file": str(certs / "ca.pem")},
                                 "jar": {"cookie_jar": "shared"}}}, env=clock.env(clock_jump))


def uptime(daemon):
    return daemon.client.ask("GET", "/v1/status").json()["uptime_seconds"]


def tags(daemon):
    return [line["tag"] for line in daemon.log_entries("fetch")]


@pytest.mark.parametrize("jump", [-HOUR, HOUR])
def test_log_lines_are_written_at_once_while_the_clock_jumps(daemon, clock, origin, jump):
    wanted = []
    for i, ahead in enumerate([HOUR, HOUR + jump, HOUR]):
        clock.set(ahead)
        daemon.client.fetch(origin.url("/hello"), tag=str(i))
        wanted.append(str(i))
        wait_until("the line", lambda: tags(daemon) == wanted, 5)


def test_the_time_of_a_line_is_the_new_one(daemon, clock, origin):
    clock.set(-DAY)
    daemon.client.fetch(origin.url("/hello"))
    line = wait_until("a line", lambda: daemon.log_entries("fetch"))[0]
    yesterday = time.gmtime(time.time() - DAY)
    assert line["time"].startswith(time.strftime("%Y-%m-%d", yesterday))


@pytest.mark.parametrize("ahead", [0, -DAY, 30 * 365 * DAY])
def test_the_uptime_does_not_jump(daemon, clock, ahead):
    before = uptime(daemon)
    clock.set(ahead)
    assert 0 <= before <= uptime(daemon) < 60


@pytest.mark.parametrize("ahead", [0, 2 * HOUR])
def test_timeouts_take_as_long_as_ever(daemon, clock, origin, ahead):
    """Total, idle, connect, in the queue, and the wait before a retry."""
    keys = [{"url": origin.url("/silent?a"), "timeout": 1},
            {"url": origin.url("/stall?n=10"), "timeout": {"idle": 1}},
            {"url": origin.url("/hello", port="never"), "timeout": {"connect": 1}},
            {"url": origin.flaky(key=f"jump{ahead}", fail=1), "timeout": 8,
             "retries": {"max": 1, "backoff": 0.5}}]
    with BackgroundCalls() as b:
        start = time.monotonic()
        for request in keys:
            b.start(daemon.client.post, request)
        wait_until("all are under way", lambda: read_metric(daemon, "curlew_parked") == 4
                   or any(call.done() for call in b.futures))
        clock.set(ahead)
        codes = [r.json().get("code") for r in b.results(20)]
        took = time.monotonic() - start
    assert codes == ["timeout", "idle_timeout", "connect_timeout", None]
    assert 0.9 < took < 8


def test_a_cookie_ends_at_its_date_by_the_clock_as_it_is(daemon, clock, origin):
    expires = email.utils.formatdate(time.time() + 2 * HOUR, usegmt=True)
    cookies = [f"Set-Cookie: {c}" for c in (f"date=1; Expires={expires}", "age=1; Max-Age=3600",
                                            "session=1")]
    def script(request, connection):
        connection.send(answer(fields=cookies if request.target == "/set" else ()))

    with ScriptedOrigin(script) as o:
        def cookies_sent():
            daemon.client.fetch(o.url("/get"), session="jar")
            line = o.requests[-1].header("cookie") or ""
            return sorted(c.split("=")[0] for c in line.split("; ") if c)

        daemon.client.fetch(o.url("/set"), session="jar")  # an hour ahead
        assert cookies_sent() == ["age", "date", "session"]
        clock.set(0)
        assert cookies_sent() == ["age", "date", "session"]
        clock.set(3 * HOUR)
        assert cookies_sent() == ["session"]


def test_a_retry_after_date_is_measured_by_the_origins_own_clock(daemon, clock):
    """The origin's clock is right; the daemon's is off, first ahead and then behind."""
    def script(request, connection):
        times.append(time.monotonic())
        if len(times) % 2 == 0:
            connection.send(answer())
            return
        connection.send(answer(status="503 Busy", fields=[
            "Date: " + email.utils.formatdate(time.time(), usegmt=True),
            "Retry-After: " + email.utils.formatdate(time.time() + 2, usegmt=True)]))

    with ScriptedOrigin(script) as o:
        for ahead in (HOUR, -HOUR):
            times = []
            clock.set(ahead)
            envelope = daemon.client.fetch(o.url("/"), retries={"max": 1, "backoff": 0})
            assert envelope["status"] == 200 and envelope["attempts"] == 2
            assert 1 < times[1] - times[0] < 6


def test_tls_goes_on(daemon, clock, origin):
    """New connections, resumed sessions and kept connections, within the certificates' day."""
    for ahead in (0, 2 * HOUR, HOUR, 0):
        clock.set(ahead)
        for port in ("https", "h2"):
            assert daemon.client.fetch(origin.url("/hello", port=port))["status"] == 200
            assert daemon.client.fetch(origin.url("/close", port=port))["status"] == 200


def test_a_certificate_from_the_future_is_a_tls_failure_as_anywhere(daemon, clock, origin):
    clock.set(-30 * DAY)
    daemon.client.refused({"url": origin.url("/hello", port="https")}, 502, "tls_failed")
    clock.set(0)
    assert daemon.client.fetch(origin.url("/hello", port="https"))["status"] == 200


def test_a_storm_of_jumps_loses_nothing(daemon, clock, origin):
    stop = threading.Event()

    def jump():
        while not stop.is_set():
            for ahead in (0, HOUR, -HOUR, 100 * DAY, -100 * DAY, 2**40, -2**40):
                clock.set(ahead)

    thread = threading.Thread(target=jump)
    thread.start()
    try:
        with BackgroundCalls(8) as b:
            for i in range(200):
                b.start(daemon.client.fetch, origin.url("/hello"), session="jar", tag=str(i))
            assert {e["status"] for e in b.results()} == {200}
    finally:
        stop.set()
        thread.join()
    wait_until("every line", lambda: len(tags(daemon)) == 200)
    assert daemon.process.running() and read_metric(daemon, "curlew_in_flight") == 0
