"""Standard error cannot be written: the daemon serves on, ends in time, and counts what is lost."""

import contextlib
import fcntl
import os
import pty
import signal
import subprocess
import termios
import time

import pytest

from tests.support.concurrency import BackgroundCalls
from tests.support.curlewd import BINARY
from tests.support.metrics import read_metric
from tests.support.procs import wait_until

DROPPED = "curlew_log_lines_dropped_total"
TAG = "x" * 750
STOP = 2  # seconds that the log may take at the end
SLACK = 8  # seconds, for a machine that is busy with other tests


def small_pipe():
    """(reading end, writing end) of a pipe that holds one page."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    return reader, writer


def fill(writer):
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, bytes(4096))
    os.set_blocking(writer, True)


@pytest.fixture
def with_stderr(curlewd):
    """with_stderr(fd) → a daemon that logs there; the descriptor is closed here."""
    def start(fd, **kwargs):
        try:
            return curlewd(stderr=fd, **kwargs)
        finally:
            os.close(fd)

    return start


def refusals_until_dropped(daemon, least=1):
    """Send requests that are refused, and logged, until the log has lost `least` lines."""
    request = {"url": "ftp://refused.test/", "tag": TAG}

    def dropped():
        with BackgroundCalls(4) as b:
            for _ in range(200):
                b.start(daemon.client.post, request)
            b.results()
        return read_metric(daemon, DROPPED) >= least

    wait_until("lines are dropped", dropped, 40)


def ends_in_time(daemon):
    start = time.monotonic()
    daemon.process.send(signal.SIGTERM)
    daemon.wait_exit()
    assert time.monotonic() - start < STOP + SLACK


def test_a_pipe_that_nobody_reads(with_stderr, origin):
    reader, writer = small_pipe()
    daemon = with_stderr(writer)
    refusals_until_dropped(daemon)
    assert daemon.client.fetch(origin.url("/hello"))["status"] == 200
    assert daemon.client.ask("GET", "/v1/status").json()["log"]["lines_dropped"] >= 1
    ends_in_time(daemon)
    os.close(reader)


def test_a_pipe_that_is_full_at_the_start(with_stderr, origin):
    reader, writer = small_pipe()
    fill(writer)
    daemon = with_stderr(writer)
    assert daemon.client.fetch(origin.url("/hello"))["status"] == 200
    ends_in_time(daemon)
    os.close(reader)


def test_a_bad_configuration_ends_it_also_where_nobody_reads(with_stderr, tmp_path):
    reader, writer = small_pipe()
    fill(writer)
    try:
        done = subprocess.run([BINARY, "--config", tmp_path / "none"], stderr=writer, timeout=15)
        assert done.returncode == 1
    finally:
        os.close(reader)
        os.close(writer)


def test_a_slow_reader_gets_whole_lines_and_is_told_once_what_was_lost(with_stderr, origin):
    reader, writer = small_pipe()
    daemon = with_stderr(writer)
    refusals_until_dropped(daemon, 50)
    lost = read_metric(daemon, DROPPED)
    text = b""
    while b"lines were dropped" not in text:
        text += os.read(reader, 65536)
    daemon.client.fetch(origin.url("/hello"), tag="last")
    while b'"last"' not in text:
        text += os.read(reader, 65536)
    lines = text.decode().split("\n")
    assert all(line.startswith("{") and line.endswith("}") for line in lines[:-1])
    told = [line for line in lines if "lines were dropped" in line]
    assert len(told) == 1 and f"{lost:g} log lines were dropped" in told[0], told
    assert "standard error is too slow" in told[0]
    assert read_metric(daemon, DROPPED) == lost
    daemon.process.send(signal.SIGTERM)
    while os.read(reader, 65536):
        pass
    daemon.wait_exit()
    os.close(reader)


def test_a_reader_that_has_gone(with_stderr, origin):
    reader, writer = small_pipe()
    daemon = with_stderr(writer)
    os.close(reader)
    for _ in range(5):
        assert daemon.client.fetch(origin.url("/hello"))["status"] == 200
    wait_until("the lines are counted", lambda: read_metric(daemon, DROPPED) >= 5)
    ends_in_time(daemon)


def test_a_full_disk(with_stderr, origin):
    daemon = with_stderr(os.open("/dev/full", os.O_WRONLY))
    for _ in range(5):
        assert daemon.client.fetch(origin.url("/hello"))["status"] == 200
    wait_until("the lines are counted", lambda: read_metric(daemon, DROPPED) >= 5)
    ends_in_time(daemon)


def test_a_pipe_that_somebody_made_non_blocking_loses_no_line(with_stderr, origin):
    """As a shell or a container's runtime may: the flag belongs to the pipe, not to us."""
    reader, writer = small_pipe()
    daemon = with_stderr(writer)
    os.set_blocking(os.open(f"/proc/{daemon.pid}/fd/2", os.O_WRONLY), False)
    count = 100
    for i in range(count):
        daemon.client.fetch(origin.url("/hello"), tag=f"{i:03}")
    text = b""
    while text.count(b'"tag"') < count:
        text += os.read(reader, 65536)
    assert read_metric(daemon, DROPPED) == 0
    ends_in_time(daemon)
    os.close(reader)


def test_a_stopped_terminal(with_stderr, origin):
    """Ctrl-S."""
    master, slave = pty.openpty()
    termios.tcflow(slave, termios.TCOOFF)
    daemon = with_stderr(os.dup(slave))
    refusals_until_dropped(daemon)
    assert daemon.client.fetch(origin.url("/hello"))["status"] == 200
    ends_in_time(daemon)
    os.close(slave)
    os.close(master)


@pytest.mark.parametrize("closed", [[0], [1], [2], [0, 1, 2]], ids=str)
def test_a_closed_standard_stream_becomes_dev_null(curlewd, origin, closed):
    """Otherwise a socket would become descriptor 2, and the log go to an origin or a caller."""
    script = " ".join(["exec", *(f"{fd}>&-" for fd in closed), '"$0" "$@"'])
    daemon = curlewd(wrapper=["bash", "-c", script])
    assert daemon.client.fetch(origin.url("/hello"))["status"] == 200
    for fd in closed:
        assert os.readlink(f"/proc/{daemon.pid}/fd/{fd}") == "/dev/null"
    ends_in_time(daemon)
