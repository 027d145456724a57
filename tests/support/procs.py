"""Processes that tests start: each in a group of its own, all of them gone at the end.

A process dies with us even where we are killed (PR_SET_PDEATHSIG), at the latest when Python
exits (atexit), and normally in stop(), which also ends whatever its group still holds.
"""

import atexit
import ctypes
import os
import random
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1
OPEN_FILES = 20000  # a thousand connections, or ten times as many, and both ends of each
PORTS = range(10000, 32000)  # below Linux' ephemeral ports, which clients take at random

_libc = ctypes.CDLL(None)
_running = set()
_directories = set()
_reserved = []  # abstract sockets: one for each port given out, held while this process lives


def wait_until(what, condition, timeout=30.0, every=0.005):
    """Wait until condition() is true and give back what it said; AssertionError past timeout."""
    end = time.monotonic() + timeout
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f"waited {timeout:g} s in vain: {what}")
        time.sleep(every)


def raise_open_files(wanted=OPEN_FILES):
    """For this process and its children, as far as the hard limit allows. Shells give 1024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))


def _reserve(port):
    """Keep other test workers away from the port for as long as we live."""
    mark = socket.socket(socket.AF_UNIX)
    try:
        mark.bind(f"\0curlew-test-port-{port}")
    except OSError:
        mark.close()
        return False
    _reserved.append(mark)
    return True


def free_port():
    """A TCP port on loopback that nobody listens on and no other test will be given."""
    for _ in range(1000):
        port = random.choice(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("0.0.0.0", port))
            except OSError:
                continue
        if _reserve(port):
            return port
    raise RuntimeError("no free port")


def temp_dir(prefix="curlew-test-"):
    """A short path (AF_UNIX takes 107 bytes) that a server's unprivileged worker can also enter.

    It is removed when Python exits, if not before.
    """
    path = Path(tempfile.mkdtemp(prefix=prefix, dir="/tmp"))
    path.chmod(0o777)
    _directories.add(path)
    return path


def connects(address):
    """Does somebody listen on a path or a (host, port)?"""
    family = socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX
    with socket.socket(family) as s:
        s.settimeout(1)
        try:
            s.connect(address if isinstance(address, tuple) else str(address))
        except OSError:
            return False
    return True


def _environment(changes):
    """Ours, with `changes`; None takes a variable away."""
    both = {**os.environ, **(changes or {})}
    return {name: value for name, value in both.items() if value is not None}


def _in_child():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's background job ignores it


class Process:
    """One running program; its standard output and error go to files in `directory`.

    `stderr` is a descriptor that takes the place of the second file, which stays empty.
    """

    def __init__(self, name, argv, directory, env=None, cwd=None, pass_fds=(), stderr=None):
        self.name = name
        self.argv = [str(a) for a in argv]
        self.out_path = Path(directory) / f"{name}.out"
        self.err_path = Path(directory) / f"{name}.err"
        with open(self.out_path, "ab") as out, open(self.err_path, "ab") as err:
            self.popen = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=out,
                stderr=err if stderr is None else stderr, cwd=cwd,
                env=_environment(env), start_new_session=True,
                preexec_fn=_in_child, pass_fds=pass_fds)
        self.pid = self.popen.pid
        _running.add(self)

    def __repr__(self):
        return f"<{self.name} {self.pid}>"

    @property
    def out(self):
        return self.out_path.read_text(errors="replace")

    @property
    def err(self):
        return self.err_path.read_text(errors="replace")

    def running(self):
        return self.popen.poll() is None

    def send(self, number):
        self.popen.send_signal(number)

    def wait_ready(self, condition, timeout=15.0):
        """Until condition() is true; a process that dies meanwhile is reported with its words."""
        def ready_or_dead():
            return condition() or not self.running()

        try:
            wait_until(f"{self.name} to be ready", ready_or_dead, timeout)
        except AssertionError as late:
            raise AssertionError(f"{late}\n{self.out}{self.err}") from None
        if not self.running():
            raise AssertionError(
                f"{self.name} ended with {self.popen.returncode}:\n{self.out}{self.err}")
        return self

    def wait(self, timeout=10.0):
        """Its exit code, once it has ended by itself."""
        code = self.popen.wait(timeout)
        _running.discard(self)
        return code

    def stop(self, number=signal.SIGTERM, timeout=10.0, group=False):
        """Ask (with `group`, all of its processes), then kill; leaves nothing of the group.

        Its exit code.
        """
        if self.running() and group:
            self._signal_group(number)
        elif self.running():
            self.send(number)
        try:
            self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            self._signal_group(signal.SIGKILL)
            self.popen.wait(timeout)
        self._signal_group(signal.SIGKILL)
        _running.discard(self)
        return self.popen.returncode

    def _signal_group(self, number):
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            pass


@atexit.register
def stop_all():
    for process in list(_running):
        process.stop(timeout=2.0)
    for path in _directories:
        shutil.rmtree(path, ignore_errors=True)
