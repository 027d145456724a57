"""The processes of a benchmark: an origin, curlewd, nginx in front of it, and the load."""

import json
import os
import resource
import shutil
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from bench.figures import Failed
from tests.support.certs import make_certs
from tests.support.curlewd import BINARY, Curlewd
from tests.support.procs import Process, connects, free_port, temp_dir
from tests.support.web_servers import WebServer, find_program

HERE = Path(__file__).parent
KB, MB = 1000, 1000 * 1000
PATTERN = b"0123456789abcdef"
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
HOST_COOKIES = 50  # that /cookies of a host sets


def raise_open_files(wanted=65536):
    """As far as we may; the number of open files that we and our children have now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limits in ((wanted, max(hard, wanted)), (hard, hard)):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
            return limits[0]
        except (OSError, ValueError):
            continue
    return soft


class Origin:
    """nginx with files; url(protocol) with "http", "tls", "h2", or "new": see origin.conf."""

    def __init__(self, directory):
        self.directory = directory
        self.questions = 0
        self.ports = {name: free_port() for name in ("http", "tls", "h2", "new")}
        self.ca = make_certs(directory) / "ca.pem"
        for size in (KB, 100 * KB, 10 * MB):
            (directory / f"{size}.txt").write_bytes((PATTERN * (size // len(PATTERN) + 1))[:size])

    def url(self, protocol="http", size=KB, host="127.0.0.1"):
        scheme = "http" if protocol == "http" else "https"
        return f"{scheme}://{host}:{self.ports[protocol]}/{size}.txt"

    def cookies_url(self, number):
        """Of another host for each number."""
        return f"http://127.1.{number // 250}.{number % 250 + 1}:{self.ports['http']}/cookies"

    def connections(self):
        """How many it has accepted, without those that asked this."""
        url = f"http://127.0.0.1:{self.ports['http']}/connections"
        with DIRECT.open(url, timeout=10) as response:
            accepted = int(response.read().split()[7])
        self.questions += 1
        return accepted - self.questions

    def add_file(self, size):
        """One of zeroes, which takes no room; the URL's path is as of any other size."""
        with open(self.directory / f"{size}.txt", "wb") as file:
            file.truncate(size)

    def configuration(self):
        files = raise_open_files()
        values = {"TLS_PORT": self.ports["tls"], "H2_PORT": self.ports["h2"],
                  "NEW_PORT": self.ports["new"], "PORT": self.ports["http"],
                  "OPEN_FILES": files, "CONNECTIONS": files - 100, "DIR": self.directory,
                  "COOKIES": "\n".join(f'add_header Set-Cookie "name{i}=value{i}" always;'
                                       for i in range(HOST_COOKIES))}
        text = (HERE / "origin.conf").read_text()
        text = text[text.index("\nworker_processes"):]  # the comment names the ports, too
        for name, value in values.items():
            text = text.replace(name, str(value))
        return text


@contextmanager
def origin():
    directory = temp_dir("curlew-bench-")
    o = Origin(directory)
    (directory / "origin.conf").write_text(o.configuration())
    argv = [find_program("nginx"), "-c", directory / "origin.conf",
            "-e", directory / "origin.log"]
    process = Process("origin", argv, directory)
    try:
        process.wait_ready(lambda: connects(("127.0.0.1", o.ports["http"])))
        yield o
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


def front_changes(origin_port):
    """What nginx has beyond examples/nginx/nginx.conf, where it is measured.

    As many kept connections to the daemon as there are fetches in flight, as docs/operations.md
    says.
    """
    if origin_port is None:
        return []
    upstream = (f"upstream origin {{\n server 127.0.0.1:{origin_port};\n keepalive 512;\n"
                " keepalive_requests 1000000000;\n }\n")
    return [("        keepalive 64;\n", "        keepalive 512;\n"),
            ("    upstream django {", upstream + "    upstream django {"),
            ("        # Handoff. A view", (HERE / "front.conf").read_text()
             + "        # Handoff. A view")]


class Stage:
    """A daemon with its defaults, but for the loopback, and nginx as in examples/ before it."""

    def __init__(self, binary=None, config=None, origin_=None, env=None):
        self.daemon = start_daemon(binary, config, origin_, env)
        try:
            port = origin_.ports["http"] if origin_ else None
            self.nginx = WebServer("nginx", self.daemon.socket, more=front_changes(port))
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

    @property
    def nginx_pids(self):
        pid = self.nginx.process.pid
        return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))

    def wrk(self, path, **wrk):
        return run_wrk(self.nginx.url + path, **wrk)


def start_daemon(binary=None, config=None, origin_=None, env=None):
    """Each daemon has its own binary, so that two can be compared in one run."""
    config = {"log": {"format": "text"}, **(config or {})}
    if origin_ is not None:  # which has a certificate of its own
        sessions = config.setdefault("sessions", {})
        for name in {"default", *sessions}:
            sessions[name] = {"ca_file": str(origin_.ca), **sessions.get(name, {})}
    return Curlewd(config, binary=Path(binary or BINARY).resolve(), env=env)


def run_wrk(url, seconds, connections, body=None, accept=None, bodies=None, once=None, routes=None):
    """wrk's own account (wrk.lua), as fast as the answers come; Failed where anything went wrong.

    `bodies`: a file with a body a line, sent one after the other; `routes`: how many values of
    Curlew-Route.
    """
    given = {"BENCH_BODY": body, "BENCH_ACCEPT": accept, "BENCH_BODIES": bodies and str(bodies),
             "BENCH_ONCE": once and str(once), "BENCH_ROUTES": routes and str(routes)}
    argv = [find_program("wrk"), "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s",
            "-s", str(HERE / "wrk.lua"), url]
    env = {**os.environ, **{k: v for k, v in given.items() if v is not None}}
    done = subprocess.run(argv, capture_output=True, text=True, env=env)
    if done.returncode != 0:
        raise Failed(f"wrk: {done.stdout}{done.stderr}")
    result = json.loads(done.stdout.splitlines()[-1])
    if result["failed"] > 0 or result["requests"] == 0:
        raise Failed(f"wrk {url}: {result}")
    return result


def run_baseline(program, url, fetches, in_flight, *options, preload=None):
    """One sample of baseline.c: the bare loop, or load that asks for exactly so many."""
    argv = [str(program), "-n", str(fetches), "-c", str(in_flight), *map(str, options), url]
    env = {**os.environ, **({"LD_PRELOAD": str(preload)} if preload else {})}
    done = subprocess.run(argv, capture_output=True, text=True, env=env)
    if done.returncode != 0:
        raise Failed(f"{' '.join(argv)}: {done.stdout}{done.stderr}")
    r = json.loads(done.stdout)
    if preload and "IMPERSONATE" not in r["libcurl"]:
        raise Failed(f"{preload} was not used: {r['libcurl']}")
    return {**r, "cpu_us": (r["user_us"] + r["system_us"]) / fetches,
            "rate": fetches / r["wall_us"] * 1e6, "seconds": r["wall_us"] / 1e6}
