"""Starts a curlewd (CURLEWD, or build/curlewd) with the test's own configuration."""

import json
import os
import re
import signal
from pathlib import Path

from . import clients
from .procs import Process, connects, temp_dir, wait_until

ROOT = Path(__file__).parents[2]
BINARY = Path(os.environ.get("CURLEWD", ROOT / "build" / "curlewd"))
SANITIZER = re.compile(r"ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:"
                       r"|SUMMARY: \w+Sanitizer")
LOOPBACK = {"allow": ["127.0.0.0/8", "::1"]}
SANITIZED = any(name in os.environ for name in ("ASAN_OPTIONS", "TSAN_OPTIONS"))


def merge_config(base, over):
    """`base` with the values of `over`; objects in both are merged."""
    both = dict(base)
    for key, value in over.items():
        inner = isinstance(value, dict) and isinstance(base.get(key), dict)
        both[key] = merge_config(base[key], value) if inner else value
    return both


class Curlewd:
    """A daemon on a unix socket, with loopback allowed and a JSON log; `config` is merged in.

    `wrapper` is a command that runs it in its place (exec), `stderr` a descriptor for its log;
    `pass_fds` are descriptors that it inherits.
    """

    def __init__(self, config=None, args=(), env=None, directory=None, also_listen=(), ready=True,
                 binary=BINARY, wrapper=(), stderr=None, pass_fds=()):
        self.directory = Path(directory or temp_dir())
        self.socket = self.directory / "curlew.sock"
        base = {"listen": [*also_listen, f"unix:{self.socket}"], "socket_mode": "0666",
                "egress": LOOPBACK, "log": {"format": "json"}}
        self.config = merge_config(base, config or {})
        self.config_path = self.directory / "curlewd.json"
        self.write_config(self.config)
        argv = [*wrapper, binary, "--config", self.config_path, *args]
        self.process = Process("curlewd", argv, self.directory, env=clean_env(env), stderr=stderr,
                               pass_fds=pass_fds)
        self.client = clients.FastCgiClient(self.socket)
        if ready:
            self.wait_ready()

    def wait_ready(self):
        self.process.wait_ready(lambda: connects(self.socket))  # made last, after also_listen

    @property
    def pid(self):
        return self.process.pid

    def write_config(self, config):
        self.config_path.write_text(config if isinstance(config, str) else json.dumps(config))

    def reload(self, config):
        """Write the file and send SIGHUP; the caller waits until the reload shows."""
        self.write_config(config)
        self.process.send(signal.SIGHUP)

    def log_entries(self, event=None):
        """The JSON log, decoded; only the entries of one event where `event` is given."""
        found = []
        for line in self.process.err.split("\n"):
            if line.startswith("{") and line.endswith("}"):
                entry = json.loads(line)
                if event in (None, entry.get("event")):
                    found.append(entry)
        return found

    def rss_kib(self):
        return int(self._status_field("VmRSS"))

    def peak_kib(self):
        """Peak resident memory."""
        return int(self._status_field("VmHWM"))

    def _status_field(self, name):
        text = Path(f"/proc/{self.pid}/status").read_text()
        return re.search(rf"^{name}:\s+(\d+)", text, re.M)[1]

    def stop(self, timeout=15.0):
        """SIGTERM; the exit code must be 0, and no sanitizer may have reported anything."""
        code = self.process.stop(timeout=timeout)
        self.check_clean()
        assert code == 0, f"curlewd exited with {code}:\n{self.process.err[-4000:]}"

    def wait_exit(self, timeout=15.0):
        """Like stop(), after a SIGTERM was sent: a second one would end the drain at once."""
        code = self.process.wait(timeout)
        self.check_clean()
        assert code == 0, f"curlewd exited with {code}:\n{self.process.err[-4000:]}"

    def check_clean(self):
        err = self.process.err
        assert not SANITIZER.search(err), err[-8000:]


def wait_logged(daemon, words):
    return wait_until(f'"{words}" in the log', lambda: words in daemon.process.err)


def clean_env(env=None):
    """The caller's CURLEW_ settings and proxies do not leak into a test; another libcurl does.

    CURLEWD_LIBCURL names the one that the daemon is to use.
    """
    dropped = {name: None for name in os.environ
               if name.lower().endswith("_proxy") or name.startswith("CURLEW_")}
    return {**dropped, "CURLEW_LIBCURL": os.environ.get("CURLEWD_LIBCURL"), **(env or {})}
