"""Django under each server, and curl as the browser."""

import http.client
import json
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote, urlencode

from tests.support.procs import connects, free_port
from tests.support.web_servers import find_program

HERE = Path(__file__).parent
SOURCE = HERE.parents[1] / "src"

ASGI = {
    "uvicorn": ["uvicorn", "--http", "h11", "--loop", "asyncio", "--lifespan", "on",
                "--log-level", "error", "--port", "{port}", "project:asgi"],
    "uvicorn-fast": ["uvicorn", "--http", "httptools", "--loop", "uvloop", "--lifespan", "on",
                     "--log-level", "error", "--port", "{port}", "project:asgi"],
    "hypercorn": ["hypercorn", "--log-level", "error", "--bind", "127.0.0.1:{port}",
                  "project:asgi"],
    "hypercorn-h2": ["hypercorn", "--log-level", "error", "--bind", "127.0.0.1:{port}",
                     "project:asgi"],
    "daphne": ["daphne", "-v", "0", "-b", "127.0.0.1", "-p", "{port}", "project:asgi"],
}
GUNICORN = ["gunicorn", "--log-level", "warning", "--bind", "127.0.0.1:{port}", "--workers", "2",
            "--preload", "project:wsgi", "--worker-class"]
WSGI = {
    "gunicorn-sync": [*GUNICORN, "sync"],
    "gunicorn-gthread": [*GUNICORN, "gthread", "--threads", "4"],
    "gunicorn-gevent": [*GUNICORN, "gevent"],
    "uwsgi": ["uwsgi", "--http-socket", "127.0.0.1:{port}", "--master", "--processes", "2",
              "--threads", "4", "--disable-logging", "--need-app", "--die-on-term",
              "--module", "project:wsgi"],
}
BROKEN = (18, 52, 56, 92)  # curl's exit codes: partial file, no reply, reset, HTTP/2 reset
REFUSED = 22  # with --fail, a status from 400 on
HTTP2 = ["--http2-prior-knowledge"]


def command(name, port):
    words = [word.format(port=port) for word in {**ASGI, **WSGI}[name]]
    if words[0] == "uwsgi":  # a program, not a module; warnings come by the environment
        return [*uwsgi(), "--virtualenv", sys.prefix, *words[1:]]
    return [sys.executable, "-m", *words]


def uwsgi():
    """uWSGI has a Python within, which must be ours: Debian's, or else pip has built one here."""
    if sys.base_prefix == "/usr":
        return [find_program("uwsgi-core"), "--plugin", "python3"]
    return [Path(sys.executable).parent / "uwsgi"]


class Server:
    """One of them, running the project of this directory."""

    def __init__(self, name, spawn, curlew_url, warm, **env):
        """`warm` is a URL that the project fetches as it is loaded."""
        self.name = name
        self.seen_errors = 0  # characters of its standard error that a test has expected
        self.port = free_port()
        env = {"PYTHONPATH": f"{SOURCE}:{HERE}", "PYTHONWARNINGS": "error",
               "PYTHONASYNCIODEBUG": "1", "PYTHONUNBUFFERED": "1", "DJANGO_SETTINGS_MODULE": None,
               "CURLEW_URL": curlew_url, "WARM": warm, **env}
        self.process = spawn(name, command(name, self.port), env=env, cwd=HERE)
        self.process.wait_ready(lambda: connects(("127.0.0.1", self.port)), 30)

    def get(self, path, *options):
        """A browser under way."""
        http2 = HTTP2 if self.name.endswith("-h2") else []
        return Browser([*http2, *options, f"http://127.0.0.1:{self.port}{path}"])

    def body(self, path, *options):
        """What it gets that stays to the end."""
        with self.get(path, *options) as browser:
            return browser.whole()


class Browser:
    """curl: what is not read stays in the pipe, and so makes it stop."""

    def __init__(self, words):
        self.popen = subprocess.Popen(["curl", "-sSN", "-m", "30", *words],
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.leave()

    def read(self, size):
        return self.popen.stdout.read(size)

    def read1(self):
        return self.popen.stdout.read1(65536)

    def whole(self):
        """(exit code, body)"""
        body = self.popen.stdout.read()
        return self.popen.wait(30), body

    def leave(self):
        """When."""
        if self.popen.poll() is None:
            self.popen.kill()
        left = time.monotonic()
        self.popen.wait(10)
        self.popen.stdout.close()
        self.popen.stderr.close()
        return left


def handoff_path(request, view="handoff"):
    """The path of a view whose response is a handoff of this request object."""
    return f"/{view}?object={quote(json.dumps(request))}"


def ask(server, view, *urls):
    """What a view of the project says, for these URLs."""
    c = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        c.request("GET", f"/{view}?" + urlencode([("url", url) for url in urls]))
        answer = c.getresponse()
        body = answer.read()
        assert answer.status == 200, body
        return json.loads(body)
    finally:
        c.close()
