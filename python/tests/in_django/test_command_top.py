"""manage.py curlew top: one page for a pipe, a live screen for a terminal."""

import fcntl
import io
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time

import pytest
from django.core.management import CommandError, call_command

from django_curlew import status_text
from tests.support.concurrency import BackgroundCalls
from tests.support.curlewd import Curlewd
from tests.support.procs import wait_until

SCRIPT = """
import sys, django
from django.conf import settings
settings.configure(INSTALLED_APPS=["django_curlew"], CURLEW={"URL": sys.argv.pop(1)})
django.setup()
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", "curlew", *sys.argv[1:]])
"""
SOURCE = os.path.dirname(os.path.dirname(status_text.__file__))


def run(*args):
    out = io.StringIO()
    call_command("curlew", "top", *args, stdout=out)
    return out.getvalue()


class Terminal:
    """A process in a pseudo-terminal of its own; `seen` is all that it has written."""

    def __init__(self, url, *args, columns=100, lines=30):
        self.fd, slave = pty.openpty()
        self.resize(columns, lines)
        env = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
        self.process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, url, "top", *args], stdin=slave, stdout=slave,
            stderr=slave, env={**env, "PYTHONPATH": SOURCE, "TERM": "xterm"},
            start_new_session=True)
        os.close(slave)
        self.seen = ""

    def resize(self, columns, lines):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def read(self):
        while select.select([self.fd], [], [], 0.05)[0]:
            try:
                self.seen += os.read(self.fd, 65536).decode()
            except OSError:  # the process has closed it
                break
        return self.seen

    def wait(self, words):
        wait_until(f"{words!r} on the screen", lambda: words in self.read(), 20)

    def last_screen(self):
        return self.read().rsplit("\x1b[H", 1)[-1].replace("\x1b[K", "").split("\x1b[J")[0]

    def press(self, keys):
        os.write(self.fd, keys.encode())

    def end(self):
        code = self.process.wait(10)
        self.read()
        os.close(self.fd)
        return code


@pytest.fixture
def terminal():
    opened = []

    def start(*args, **kwargs):
        opened.append(Terminal(*args, **kwargs))
        return opened[-1]

    yield start
    for each in opened:
        if each.process.poll() is None:
            each.process.kill()
            each.end()


def test_a_pipe_gets_one_page_without_control_characters(curlewd, curlew, origin):
    daemon = curlewd()
    curlew(URL=f"fcgi+unix:{daemon.socket}")
    with BackgroundCalls() as calls:
        calls.start(lambda: [daemon.client.fetch(origin.url("/delay/0.05")) for _ in range(12)])
        output = run("--every", "0.5")
        calls.results()
    assert output.count("curlewd ") == 1 and "\x1b" not in output
    assert origin.url("") in output and "p50" in output
    rate = float(output.split("fetches")[1].split()[0])
    assert rate > 1, output


def test_failures_and_open_breakers_are_shown(curlewd, curlew, origin):
    daemon = curlewd({"sessions": {"default": {"breaker": {"failures": 1, "open_seconds": 60}}}})
    curlew(URL=f"fcgi+unix:{daemon.socket}")
    for _ in range(2):
        daemon.client.post({"url": origin.url("/hang-up")})
    output = run("--every", "0.1", "--count", "2")
    assert output.count("curlewd ") == 2
    assert "(breaker open)" in output and "1 origin_unavailable" in output


def test_a_terminal_shows_a_screen_until_q(curlewd, terminal, origin):
    daemon = curlewd()
    daemon.client.fetch(origin.url("/hello"))
    top = terminal(f"fcgi+unix:{daemon.socket}", "--every", "0.2")
    top.wait("busiest origins")
    top.press("q")
    assert top.end() == 0
    assert top.seen.startswith("\x1b[?1049h") and top.seen.rstrip().endswith("\x1b[?1049l")


def test_it_follows_the_size_of_the_window(curlewd, terminal, origin):
    daemon = curlewd()
    daemon.client.fetch(origin.url("/hello"))
    top = terminal(f"fcgi+unix:{daemon.socket}", "--every", "0.2", columns=120, lines=40)
    top.wait("busiest origins")
    top.resize(40, 8)

    def fits():
        lines = top.last_screen().split("\r\n")
        return len(lines) <= 8 and max(map(len, lines)) <= 40

    wait_until("a smaller screen", fits, 10)
    top.press("q")
    assert top.end() == 0


def test_it_waits_for_a_daemon_that_is_restarted(terminal, curlewd, origin):
    daemon = curlewd()
    for _ in range(5):
        daemon.client.fetch(origin.url("/hello"))
    top = terminal(f"fcgi+unix:{daemon.socket}", "--every", "0.2")
    top.wait("busiest origins")
    daemon.stop()
    top.wait("no answer: ")
    again = Curlewd(directory=daemon.directory)
    try:
        before = len(top.read())
        wait_until("the new one", lambda: "busiest" in top.read()[before:], 20)
        assert "-" not in top.last_screen().split("fetches")[1].split("/s")[0]
        top.press("q")
        assert top.end() == 0
    finally:
        again.stop()


def test_percentiles_are_those_of_the_daemon():
    """The same figures by the same rule: linear within the bucket."""
    buckets = [[0.01, 0], [0.025, 90], [0.1, 90], [0.25, 100], [None, 100]]
    assert status_text.quantile(buckets, None, 0.45) == pytest.approx(0.0175)
    assert status_text.quantile(buckets, None, 0.95) == pytest.approx(0.175)
    assert status_text.quantile(buckets, buckets, 0.5) is None
    assert status_text.quantile([[60.0, 0], [None, 3]], None, 0.5) == 60


def test_a_name_cannot_command_the_terminal():
    assert status_text.printable("a\x1b[2Jb\n") == "a?[2Jb?"


def test_without_a_daemon_it_says_so_and_ends(curlew):
    curlew(URL="fcgi+unix:/nowhere.sock")
    started = time.monotonic()
    with pytest.raises(CommandError, match="curlewd is not running"):
        run()
    assert time.monotonic() - started < 10
