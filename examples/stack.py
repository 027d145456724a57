"""The whole stack on free ports of this machine; `make run` keeps it up until Ctrl-C.

    origin ◀── curlewd ◀───────────── Django (uvicorn, ASGI)    over its FastCGI socket
                  ▲────── nginx ◀──── Django (gunicorn, WSGI)   by HTTP, through the mount
"""

import json
import os
import shutil
import signal
import sys
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from tests.support.certs import make_certs  # noqa: E402
from tests.support.curlewd import BINARY, Curlewd  # noqa: E402
from tests.support.procs import Process, free_port, temp_dir  # noqa: E402
from tests.support.web_servers import PACKAGE, WebServer  # noqa: E402

UVICORN = ["uvicorn", "--log-level", "warning", "--port", "{port}", "project.asgi:application"]
GUNICORN = [
    *["gunicorn", "--log-level", "warning", "--bind", "127.0.0.1:{port}"],
    *["--workers", "2", "--worker-class", "gthread", "--threads", "4", "project.wsgi:application"],
]


# Reaches this machine even where http_proxy is set.
WITHOUT_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def is_up(url):
    try:
        WITHOUT_PROXY.open(url, timeout=10).close()
    except OSError:
        return False
    return True


class DemoError(Exception):
    """A process does not run; the message includes its log."""


class Stack:
    """All five, started in order and stopped in reverse: `with Stack() as stack:`."""

    def __init__(self):
        self.directory = temp_dir("curlew-demo-")
        self.running = []  # whatever has .stop()
        self.processes = []

    def __enter__(self):
        try:
            self.start()
        except (AssertionError, OSError, RuntimeError) as error:
            self.stop()
            raise DemoError(str(error)) from error
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        if not BINARY.exists():
            raise DemoError(f"{BINARY} is not there: run make first")
        self.origin_ports = self.start_origin()
        self.origin = f"https://localhost:{self.origin_ports['https']}"
        self.curlewd = Curlewd(
            {
                "log": {"format": "text"},
                "sessions": {"default": {"ca_file": f"{self.directory}/trusted.pem"}},
            },
            directory=self.directory,
        )
        self.keep(self.curlewd, self.curlewd.process)
        uvicorn_port, gunicorn_port = free_port(), free_port()
        self.nginx = WebServer("nginx", self.curlewd.socket, uvicorn_port)
        self.keep(self.nginx, self.nginx.process)
        socket, mount = f"fcgi+unix:{self.curlewd.socket}", f"{self.nginx.url}/_fetch"
        self.uvicorn = self.start_django(UVICORN, uvicorn_port, socket)
        self.gunicorn = self.start_django(GUNICORN, gunicorn_port, mount)

    def start_origin(self):
        make_certs(self.directory)
        argv = [sys.executable, HERE / "origin.py", self.directory]
        origin = self.keep(Process("origin", argv, self.directory))
        origin.wait_ready(lambda: origin.out.endswith("\n"))
        return json.loads(origin.out)

    def start_django(self, server, port, curlew_url):
        """Its URL, once it answers."""
        argv = [sys.executable, "-m", *(word.format(port=port) for word in server)]
        env = {"ORIGIN": self.origin, "ORIGIN_CA": f"{self.directory}/ca.pem",
               "CURLEW_URL": curlew_url, "PYTHONPATH": str(PACKAGE)}
        process = self.keep(
            Process(server[0], argv, self.directory, env=env, cwd=HERE / "django")
        )
        url = f"http://127.0.0.1:{port}"
        process.wait_ready(lambda: is_up(url))
        return url

    def keep(self, what, process=None):
        self.running.append(what)
        self.processes.append(process or what)
        return what

    def check(self):
        """Raise DemoError where a process has ended."""
        for process in self.processes:
            if not process.running():
                code = process.popen.returncode
                raise DemoError(f"{process.name} has ended with {code}\n{self.log_of(process)}")

    def log_of(self, process, lines=20):
        text = self.nginx.error_log() if process.name == "nginx" else process.out + process.err
        return "\n".join(f"  {process.name}: {line}" for line in text.splitlines()[-lines:])

    def logs(self):
        return "\n".join(filter(None, (self.log_of(p) for p in self.processes[1:])))

    def origin_stats(self):
        url = f"http://127.0.0.1:{self.origin_ports['http']}/_stats"
        with WITHOUT_PROXY.open(url, timeout=10) as response:
            return json.load(response)

    def stop(self):
        try:
            while self.running:
                self.running.pop().stop()
        except AssertionError as error:  # curlewd did not exit with 0
            raise DemoError(str(error)) from error
        finally:
            shutil.rmtree(self.directory, ignore_errors=True)


COMMANDS = """\
All is up.  Try, in another terminal:

  # the views of examples/django/project/views.py, under ASGI and under WSGI
  curl {uvicorn}/async/about.html
  curl {gunicorn}/sync/news.json
  curl '{uvicorn}/together/?page=slow.html&page=slow.html&page=slow.html'
  # or {nginx}/ in a browser

  # Curlew itself, as the views ask it
  curl '{nginx}/_fetch/v1/fetch?url={origin}/'
  curl {nginx}/_fetch/v1/fetch -d '{{"url": "{origin}/news.json", "timeout": 5}}'
  curl {nginx}/_fetch/v1/status
  curl {nginx}/_fetch/metrics

  # what it says meanwhile
  tail -f {log}

Ctrl-C ends it."""


def leave(*_):
    raise KeyboardInterrupt


def leave_when_told():
    """SIGTERM, and a terminal that closes, do what Ctrl-C does."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup
            signal.signal(number, leave)


def run():
    parent = os.getppid()
    with Stack() as stack:
        urls = {name: getattr(stack, name) for name in ("uvicorn", "gunicorn", "origin")}
        log = stack.curlewd.process.err_path
        print(COMMANDS.format(**urls, nginx=stack.nginx.url, log=log), flush=True)
        while os.getppid() == parent:  # make was killed: nobody else would stop us
            time.sleep(0.5)
            stack.check()


def main():
    leave_when_told()
    try:
        run()
    except KeyboardInterrupt:
        pass
    except DemoError as error:
        print(f"run: {error}", file=sys.stderr)
        return 1
    print("\nStopped.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
