"""A curlewd that `runserver` starts and stops, for development.

If DEBUG is on and CURLEW["URL"] is not set, `manage.py runserver` starts a curlewd on a socket in a
new directory, and stops it when it ends. The autoreloader's first process starts it and passes its
URL to its children in the environment, so that all of them use the same. CURLEW["EMBEDDED"] turns
this off (False) or is the configuration (the object of curlewd.json; to allow fetches from this
machine, `{"egress": {"allow": ["127.0.0.0/8", "::1"]}}`); CURLEW["CURLEWD"] is the program.
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

TIMEOUT = 10  # seconds for it to start, and again to stop
LISTEN_KEY = "listen"  # chosen here, so a configuration's is replaced

# Executes the program such that the kernel terminates it when this process ends: a runserver that
# is killed must not leave a curlewd behind.
LAUNCHER = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[2], sys.argv[2:])
"""


class StartError(RuntimeError):
    """curlewd could not be started."""


class EmbeddedDaemon:
    """A running curlewd, at `url`. The caller ends it by stop(), which removes its directory, too.
    Raises StartError if it does not start."""

    def __init__(self, program: str, configuration: Optional[Dict[str, Any]] = None) -> None:
        path = shutil.which(program)
        if not path:
            raise StartError(
                f'{program} was not found: install Curlew, or set CURLEW["CURLEWD"] or'
                ' CURLEW["URL"]'
            )
        self.directory = tempfile.mkdtemp(prefix="curlew-", dir=_short_directory())
        self.socket = os.path.join(self.directory, "curlew.sock")
        self.url = f"fcgi+unix:{self.socket}"
        self.process: Optional[subprocess.Popen[bytes]] = None
        try:
            self._start(path, dict(configuration or {}))
        except BaseException:
            self.stop()
            raise

    def _start(self, program: str, configuration: Dict[str, Any]) -> None:
        log = {"level": "warning", "format": "text", **configuration.pop("log", {})}
        document = {**configuration, LISTEN_KEY: [f"unix:{self.socket}"], "log": log}
        path = os.path.join(self.directory, "curlewd.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(document, file)
        launch = [sys.executable, "-I", "-S", "-c", LAUNCHER, str(os.getpid())]
        argv = [*launch, program, "--config", path]
        env = {k: v for k, v in os.environ.items() if not k.startswith("CURLEW_")}
        # In a new session, because Ctrl-C in the terminal is for runserver, which then stops it.
        self.process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, env=env, start_new_session=True
        )
        self._wait_ready(self.process)

    def _wait_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + TIMEOUT
        while not _accepts_connections(self.socket):
            if process.poll() is not None:
                raise StartError(
                    f"curlewd exited with status {process.returncode}; its own message is above"
                )
            if time.monotonic() > deadline:
                raise StartError(f"curlewd was not ready after {TIMEOUT} s")
            time.sleep(0.01)

    def stop(self) -> None:
        """Terminate it. Calling this again has no effect."""
        process, self.process = self.process, None
        if process:
            process.terminate()
            try:
                process.wait(TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


def _short_directory() -> Optional[str]:
    """The path of a socket may have at most 107 bytes."""
    return None if len(tempfile.gettempdir()) < 60 else "/tmp"


def _accepts_connections(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as s:
        try:
            s.connect(path)
        except OSError:
            return False
    return True


def should_start(argv: Sequence[str]) -> bool:
    """Is this runserver, with DEBUG, and is no URL set?"""
    from django.conf import settings

    return (
        list(argv[1:2]) == ["runserver"]
        and not {"-h", "--help"} & set(argv)
        and bool(settings.DEBUG)
        and conf.get("EMBEDDED") is not False
        and conf.configured_url() is None
    )


def start_if_needed(argv: Sequence[str]) -> Optional[EmbeddedDaemon]:
    """Start it if should_start(), and stop it when this process ends. Called once the apps are
    ready, in the autoreloader's first process and in its children."""
    if not should_start(argv):
        return None
    embedded = conf.get("EMBEDDED")
    try:
        daemon = EmbeddedDaemon(conf.get("CURLEWD"), embedded if embedded is not True else {})
    except (StartError, OSError) as err:
        print(f"django-curlew: could not start a curlewd: {err}", file=sys.stderr)
        return None
    os.environ[conf.ENV_VAR] = daemon.url
    owner = os.getpid()
    atexit.register(lambda: daemon.stop() if os.getpid() == owner else None)
    print(f"django-curlew: started curlewd {daemon.process and daemon.process.pid} at {daemon.url}")
    return daemon
