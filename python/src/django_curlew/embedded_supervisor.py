"""Runs a curlewd until nobody uses it any more.

    python -I -S embedded_supervisor.py LOCK SOCKET LINGER PROGRAM CONFIGURATION

It returns once curlewd listens on SOCKET, with status 0; a child of it stays, whose child curlewd
is. Each process that uses this curlewd holds a shared lock of the file LOCK, which the kernel gives
back however that process ends. If nobody has held one for LINGER seconds, it takes the lock for
itself, terminates curlewd and exits. embedded.py starts it; it imports nothing of the package.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from typing import Any

START_SECONDS = 10.0  # for curlewd to listen
STOP_SECONDS = 10.0  # for it to end, before it is killed
POLL_SECONDS = 0.25
PR_SET_PDEATHSIG = 1
READY = b"ready"

libc = ctypes.CDLL(None)


def main(lock_path: str, socket_path: str, linger: str, program: str, configuration: str) -> int:
    """The exit status of the process that was started."""
    read_end, write_end = os.pipe()
    if os.fork():
        os.close(write_end)
        return 0 if os.read(read_end, len(READY)) == READY else 1  # b"": the child has ended
    os.close(read_end)
    os.setsid()  # Ctrl-C in the terminal is not for it
    signal.signal(signal.SIGTERM, _exit)
    supervisor = os.getpid()
    curlewd = subprocess.Popen(
        [program, "--config", configuration],
        stdin=subprocess.DEVNULL,
        preexec_fn=lambda: _end_with(supervisor),
    )
    try:
        if not _wait_ready(curlewd, socket_path):
            return 1
        os.write(write_end, READY)
        os.close(write_end)
        _wait_unused(curlewd, lock_path, float(linger))
    finally:
        _stop(curlewd, socket_path)
    return 0


def _exit(*_: Any) -> None:
    sys.exit(0)


def _end_with(parent: int) -> None:
    """In curlewd's process: the kernel terminates it if the supervisor is killed."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def _wait_ready(curlewd: subprocess.Popen[bytes], socket_path: str) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while not accepts_connections(socket_path):
        if curlewd.poll() is not None:
            print(f"curlewd exited with status {curlewd.returncode}", file=sys.stderr)
            return False
        if time.monotonic() > deadline:
            print(f"curlewd was not ready after {START_SECONDS:.0f} s", file=sys.stderr)
            return False
        time.sleep(0.01)
    return True


def accepts_connections(path: str) -> bool:
    """Does anybody listen on this socket?"""
    with socket.socket(socket.AF_UNIX) as s:
        try:
            s.connect(path)
        except OSError:
            return False
    return True


def _wait_unused(curlewd: subprocess.Popen[bytes], lock_path: str, linger: float) -> None:
    """Returns with the lock held, so that nobody begins to use it; or if curlewd has ended."""
    lock = os.open(lock_path, os.O_RDWR | os.O_CREAT, 0o600)  # stays open to the end
    unused_since = None
    while curlewd.poll() is None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            unused_since = None
        else:
            now = time.monotonic()
            unused_since = now if unused_since is None else unused_since
            if now - unused_since >= linger:
                return
            fcntl.flock(lock, fcntl.LOCK_UN)
        time.sleep(POLL_SECONDS)


def _stop(curlewd: subprocess.Popen[bytes], socket_path: str) -> None:
    curlewd.terminate()
    try:
        curlewd.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        curlewd.kill()
        curlewd.wait()
    if os.path.exists(socket_path) and not accepts_connections(socket_path):
        os.unlink(socket_path)  # else the next one listens there already


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
