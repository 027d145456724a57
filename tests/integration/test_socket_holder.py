"""docker/socket_holder.c, which does in docker/compose.yml what systemd does elsewhere: no fetch
fails while one curlewd ends and the next one starts."""

import os
import shutil
import signal
import socket
import time

import pytest

from tests.support.clients import FastCgiClient
from tests.support.concurrency import BackgroundCalls
from tests.support.curlewd import BINARY, Curlewd
from tests.support.procs import Process, temp_dir, wait_until
from tests.support.restart_load import RestartLoad

HOLDER = BINARY.parent / "socket-holder"
RESTARTS = 5
pytestmark = pytest.mark.skipif(not HOLDER.exists(), reason="no build folder around the daemon")


class Held:
    """A holder, and the curlewd that has its socket."""

    def __init__(self):
        self.directory = temp_dir()
        self.door = self.directory / "door"
        self.path = self.socket = self.directory / "curlew.sock"
        self.client = FastCgiClient(self.path)
        self.holder = self.daemon = None

    def hold(self):
        argv = [HOLDER, "hold", self.door, self.path, "660", str(os.getgid())]
        self.holder = Process("holder", argv, self.directory)
        wait_until("the holder", lambda: "it holds" in self.holder.out)

    def serve(self, ready=True):
        self.daemon = Curlewd(ready=False, wrapper=[HOLDER, "run", self.door])
        if ready:
            wait_until("curlewd", lambda: "is ready" in self.daemon.process.err)

    def replace(self):
        """As Docker does: SIGTERM, the end, and another."""
        self.daemon.stop()
        shutil.rmtree(self.daemon.directory, ignore_errors=True)
        self.serve(ready=False)

    def stop(self):
        for process in (self.daemon and self.daemon.process, self.holder):
            if process and process.running():
                process.stop(signal.SIGKILL)
        shutil.rmtree(self.directory, ignore_errors=True)


@pytest.fixture
def held():
    one = Held()
    yield one
    one.stop()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("way", ["socket", "nginx"])
def test_no_fetch_fails_and_none_is_sent_twice(held, nginx, way):
    held.hold()
    held.serve()
    os.chmod(held.path, 0o666)  # nginx may run as another user here
    url = (f"fcgi+unix:{held.path}" if way == "socket" else
           f"{nginx(held).url}/_fetch")
    with RestartLoad(url) as load:
        for _ in range(RESTARTS):
            load.more(40)
            held.replace()
        load.more(40)
    load.check()


def test_the_socket_has_its_mode_and_only_the_holders_user_may_take_it(held):
    held.hold()
    assert (held.path.stat().st_mode & 0o777, held.path.stat().st_gid) == (0o660, os.getgid())
    assert held.door.stat().st_mode & 0o777 == 0o600
    held.holder.stop()
    assert not held.path.exists() and not held.door.exists()


def test_sockets_that_a_killed_holder_left_are_replaced(held, origin):
    held.hold()
    held.holder.stop(signal.SIGKILL)
    assert held.path.exists()
    held.hold()
    held.serve()
    assert held.client.fetch(origin.url("/hello"))["status"] == 200


def test_curlewd_waits_for_a_holder_that_starts_later(held, origin):
    held.serve(ready=False)
    time.sleep(0.2)
    assert held.daemon.process.running() and "is ready" not in held.daemon.process.err
    held.hold()
    assert held.client.fetch(origin.url("/hello"))["status"] == 200


def test_requests_wait_in_the_socket_after_a_crash_of_curlewd(held, origin):
    held.hold()
    held.serve()
    held.daemon.process.stop(signal.SIGKILL)
    with BackgroundCalls() as b:
        b.start(held.client.fetch, origin.url("/hello"))
        held.serve()
        assert b.results()[0]["status"] == 200


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_the_end_of_the_holder_ends_curlewd_which_serves_what_it_has(held, origin, how):
    held.hold()
    held.serve()
    with BackgroundCalls() as b:
        b.start(held.client.fetch, origin.url("/delay/1"))
        origin.wait_for("arrived", "/delay/1")
        held.holder.stop(how)
        held.daemon.wait_exit()
        assert b.results()[0]["body"] == "late\n"


def test_both_ends_together_cut_nothing(held, origin):
    """As when Docker, or the machine, stops: the end of the holder is no second SIGTERM."""
    held.hold()
    held.serve()
    with BackgroundCalls() as b:
        b.start(held.client.fetch, origin.url("/delay/1"))
        origin.wait_for("arrived", "/delay/1")
        held.daemon.process.send(signal.SIGTERM)
        held.holder.stop()
        held.daemon.wait_exit()
        assert b.results()[0]["body"] == "late\n"


def test_another_holders_sockets_stay(held):
    held.hold()
    first, door = held.holder, held.door.stat().st_ino
    held.hold()
    wait_until("its door", lambda: held.door.exists() and held.door.stat().st_ino != door)
    first.stop()
    assert held.path.exists() and held.door.exists()


def test_what_waits_for_a_holder_ends_by_sigterm_as_process_1_too(held):
    held.serve(ready=False)
    time.sleep(0.2)
    held.daemon.process.send(signal.SIGTERM)
    assert held.daemon.process.wait(5) == 128 + signal.SIGTERM


def test_the_end_of_curlewd_leaves_no_process_behind(held):
    held.hold()
    held.serve()

    def children():
        pid = held.holder.pid
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return file.read().split()

    assert len(children()) == 1
    held.daemon.stop()
    wait_until("the end of what attended to it", lambda: children() == [])


def test_a_path_that_is_too_long_is_refused(held):
    process = Process("holder", [HOLDER, "hold", held.door, "/" + 200 * "x", "660", "0"],
                      held.directory)
    assert process.wait(5) == 1 and "too long" in process.err
    with socket.socket(socket.AF_UNIX) as s, pytest.raises(FileNotFoundError):
        s.connect(str(held.door))
