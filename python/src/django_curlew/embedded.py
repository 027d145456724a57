"""A curlewd of `runserver`'s own, for development.

Where DEBUG is on and nobody said where curlewd is, `manage.py runserver` starts one on a socket in
a directory of its own, and stops it when it ends. The autoreloader's first process starts it and
tells its children through the environment, so that one serves them all, however often they
restart. `CURLEW = {"EMBEDDED": …}` turns it off (False) or configures it (curlewd.json's object;
to fetch from this machine, say `{"egress": {"allow": ["127.0.0.0/8", "::1"]}}`); "CURLEWD" names
the program.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from typing import Any, Dict, Optional, Sequence

from . import conf

PATIENCE = 10  # seconds for it to start, and again to stop
OURS = "listen"  # what a configuration can't say: runserver chooses it

# Runs the program in this process's place, to be ended by the kernel when the parent is no more:
# a runserver that is killed must leave nothing behind.
TIED = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[2], sys.argv[2:])
"""


class Failed(RuntimeError):
    """It did not start; in words for whoever runs the server."""


class Embedded:
    """One running curlewd: `url` says where; stop() ends it and removes its directory."""

    def __init__(self, program: str, configuration: Optional[Dict[str, Any]] = None) -> None:
        found = shutil.which(program)
        if not found:
            raise Failed(f"there is no {program}: install Curlew, or set CURLEW's CURLEWD or URL")
        self.directory = tempfile.mkdtemp(prefix="curlew-", dir=_short_directory())
        self.socket = os.path.join(self.directory, "curlew.sock")
        self.url = f"fcgi+unix:{self.socket}"
        self.process: Optional[subprocess.Popen[bytes]] = None
        try:
            self._start(found, dict(configuration or {}))
        except BaseException:
            self.stop()
            raise

    def _start(self, program: str, configuration: Dict[str, Any]) -> None:
        log = {"level": "warning", "format": "text", **configuration.pop("log", {})}
        told = {**configuration, OURS: [f"unix:{self.socket}"], "log": log}
        path = os.path.join(self.directory, "curlewd.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(told, file)
        argv = [sys.executable, "-I", "-S", "-c", TIED, str(os.getpid()), program, "--config", path]
        env = {k: v for k, v in os.environ.items() if not k.startswith("CURLEW_")}
        # A session of its own: Ctrl-C in the terminal is for runserver, which then stops it.
        self.process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, env=env, start_new_session=True
        )
        self._wait_ready(self.process)

    def _wait_ready(self, process: subprocess.Popen[bytes]) -> None:
        until = time.monotonic() + PATIENCE
        while not _connects(self.socket):
            if process.poll() is not None:
                raise Failed(f"curlewd ended with {process.returncode}; it says why above")
            if time.monotonic() > until:
                raise Failed(f"curlewd was not ready after {PATIENCE} s")
            time.sleep(0.01)

    def stop(self) -> None:
        """Twice is once."""
        process, self.process = self.process, None
        if process:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


def _short_directory() -> Optional[str]:
    """A socket's path has room for 107 bytes only."""
    return None if len(tempfile.gettempdir()) < 60 else "/tmp"


def _connects(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as s:
        try:
            s.connect(path)
        except OSError:
            return False
    return True


def wanted(argv: Sequence[str]) -> bool:
    """Is this runserver, for development, and is no daemon named?"""
    from django.conf import settings

    return (
        list(argv[1:2]) == ["runserver"]
        and not {"-h", "--help"} & set(argv)
        and bool(settings.DEBUG)
        and conf.get("EMBEDDED") is not False
        and conf.configured_url() is None
    )


def start_if_wanted(argv: Sequence[str]) -> Optional[Embedded]:
    """Called once the apps are ready, in the autoreloader's first process and in its children."""
    if not wanted(argv):
        return None
    configuration = conf.get("EMBEDDED")
    try:
        daemon = Embedded(conf.get("CURLEWD"), configuration if configuration is not True else {})
    except (Failed, OSError) as why:
        print(f"django-curlew: no curlewd of its own: {why}", file=sys.stderr)
        return None
    os.environ[conf.ENVIRONMENT] = daemon.url
    owner = os.getpid()
    atexit.register(lambda: daemon.stop() if os.getpid() == owner else None)
    print(f"django-curlew: curlewd {daemon.process and daemon.process.pid} at {daemon.url}")
    return daemon
