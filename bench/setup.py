"""The processes of a benchmark: an origin, curlewd, nginx in front of it, and wrk."""

import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from tests.support.curlewd import BINARY, Curlewd
from tests.support.procs import Process, connects, free_port, temp_dir
from tests.support.web_servers import WebServer, find_program

HERE = Path(__file__).parent
BODY_BYTES = 1024
MOUNT = "/_fetch"
ROUTE = "/v1/fetch"


class Failed(Exception):
    """The benchmark did not run as it must; its figures would mean nothing."""


@contextmanager
def origin(size=BODY_BYTES):
    """The URL of a file of 1 KiB; larger ones hold zeroes."""
    directory, port = temp_dir("curlew-bench-"), free_port()
    with open(directory / "file.txt", "wb") as file:
        file.write(b"0123456789abcdef" * (BODY_BYTES // 16))
        file.truncate(size)
    conf = (HERE / "origin.conf").read_text().replace("DIR", str(directory))
    (directory / "origin.conf").write_text(conf.replace("PORT", str(port)))
    argv = [find_program("nginx"), "-c", directory / "origin.conf",
            "-e", directory / "origin.log"]
    process = Process("origin", argv, directory)
    try:
        process.wait_ready(lambda: connects(("127.0.0.1", port)))
        yield f"http://127.0.0.1:{port}/file.txt"
    finally:
        process.stop()
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def delayed_origin(seconds):
    """A URL that is answered after so long."""
    directory = temp_dir("curlew-bench-")
    process = Process("delayed_origin", [sys.executable, HERE / "delayed_origin.py", seconds],
                      directory)
    try:
        process.wait_ready(lambda: process.out.endswith("\n"))
        yield f"http://127.0.0.1:{int(process.out)}/late"
    finally:
        process.stop()
        shutil.rmtree(directory, ignore_errors=True)


class Stage:
    """A daemon with its defaults, but for the loopback, and nginx as in examples/ before it."""

    def __init__(self, binary=None, config=None):
        self.daemon = start_daemon(binary, config)
        try:
            self.nginx = WebServer("nginx", self.daemon.socket)
        except BaseException:
            self.daemon.process.stop()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.nginx.stop()
        self.daemon.process.stop()
        shutil.rmtree(self.daemon.directory, ignore_errors=True)

    @property
    def pid(self):
        return self.daemon.pid

    def check(self, url):
        """One fetch of our page really comes back whole."""
        envelope = self.nginx.fetch(url)
        if envelope["status"] != 200 or envelope["body_bytes"] != BODY_BYTES:
            raise Failed(f"not our page: {envelope}")

    def get(self, url, **wrk):
        return run_wrk(f"{self.nginx.url}{MOUNT}{ROUTE}?url={quote(url, safe='')}", **wrk)

    def post(self, url, **wrk):
        return self.ask(ROUTE, json.dumps({"url": url}), **wrk)

    def ask(self, route, body, **wrk):
        return run_wrk(self.nginx.url + MOUNT + route, body=body, **wrk)


def start_daemon(binary=None, config=None):
    """Each daemon has its own binary, so that two can be compared in one run."""
    return Curlewd({"log": {"format": "text"}, **(config or {})},
                   binary=Path(binary or BINARY).resolve())


def run_wrk(url, seconds, connections, body=None, once=None):
    """wrk's own account (wrk.lua); Failed where anything went wrong."""
    env = {**os.environ, "BENCH_BODY": body, "BENCH_ONCE": once and str(once)}
    argv = [find_program("wrk"), "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s",
            "-s", str(HERE / "wrk.lua"), url]
    done = subprocess.run(argv, capture_output=True, text=True,
                          env={k: v for k, v in env.items() if v is not None})
    if done.returncode != 0:
        raise Failed(f"wrk: {done.stdout}{done.stderr}")
    result = json.loads(done.stdout.splitlines()[-1])
    if result["failed"] > 0 or result["requests"] == 0:
        raise Failed(f"wrk {url}: {result}")
    return result
