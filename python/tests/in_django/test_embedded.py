"""`manage.py runserver` with a curlewd of its own."""

import os
import signal
import sys
import urllib.request
from pathlib import Path

import pytest

from django_curlew import embedded
from tests.support import clients
from tests.support.curlewd import BINARY
from tests.support.procs import connects, free_port, temp_dir, wait_until

MANAGE = """
import os, sys
from django.conf import settings
from django.core.management import execute_from_command_line
from django.http import HttpResponse
from django.urls import path
from django_curlew import conf

settings.configure(DEBUG=%(debug)r, SECRET_KEY="x", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__,
                   INSTALLED_APPS=["django_curlew"], CURLEW=%(curlew)r, USE_TZ=True)
urlpatterns = [path("", lambda request: HttpResponse(conf.configured_url() or "none")),
               path("pid", lambda request: HttpResponse(os.getpid()))]

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
"""
OPEN = {"egress": {"allow": ["127.0.0.0/8"]}}


class Site:
    def __init__(self, spawn, curlew=None, debug=True, options=(), path=f"{BINARY.parent}:"):
        self.port = free_port()
        self.directory = temp_dir()
        self.manage = Path(self.directory) / "manage.py"
        self.manage.write_text(MANAGE % {"debug": debug, "curlew": curlew or {}})
        source = Path(embedded.__file__).parents[1]
        argv = [sys.executable, "-W", "error::ResourceWarning", self.manage, "runserver",
                f"127.0.0.1:{self.port}", "--skip-checks", *options]
        env = {"PYTHONPATH": str(source), "PATH": path + os.environ["PATH"], "CURLEW_URL": None,
               "DJANGO_SETTINGS_MODULE": None, "PYTHONUNBUFFERED": "1"}
        self.process = spawn("runserver", argv, env=env, cwd=self.directory)
        self.process.wait_ready(lambda: connects(("127.0.0.1", self.port)))

    def ask(self, path="/"):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return answer.read().decode()

    def has_restarted(self, before):
        """Is it another child that answers? The file may change before it is watched."""
        os.utime(self.manage)
        try:
            return self.ask("/pid") != before
        except OSError:  # it is between two of them
            return False

    def curlewds(self):
        """Its processes, all that run."""
        return [int(p.name) for p in Path("/proc").glob("[0-9]*") if is_ours(p, self)]


def is_ours(process, site):
    """A curlewd whose configuration is in a directory that the site's output names."""
    try:
        words = (process / "cmdline").read_bytes().decode().split("\0")
    except OSError:
        return False
    ours = len(words) > 2 and words[0].endswith("/curlewd")
    return ours and f"{os.path.dirname(words[2])}/" in site.process.out


def socket_of(url):
    assert url.startswith("fcgi+unix:/")
    return Path(url.partition(":")[2])


def gone(site, socket):
    wait_until("curlewd to be gone", lambda: not site.curlewds())
    return not socket.exists()


@pytest.mark.parametrize("options", [(), ("--noreload",)], ids=["reloader", "noreload"])
def test_it_starts_and_stops_with_runserver(spawn, origin, options):
    site = Site(spawn, {"EMBEDDED": OPEN}, options=options)
    socket = socket_of(site.ask())
    assert len(site.curlewds()) == 1
    assert clients.FastCgiClient(socket).fetch(origin.url("/hello"))["body"] == "hello\n"
    site.process.send(signal.SIGINT)
    site.process.wait()
    assert gone(site, socket) and not socket.parent.exists()


def test_the_reloaders_children_share_it(spawn):
    site = Site(spawn)
    url, child, (pid,) = site.ask(), site.ask("/pid"), site.curlewds()
    wait_until("another child", lambda: site.has_restarted(child), 30, every=1)
    assert (site.ask(), site.curlewds()) == (url, [pid])


@pytest.mark.parametrize("options", [(), ("--noreload",)], ids=["reloader", "noreload"])
def test_a_runserver_that_is_killed_leaves_none_behind(spawn, options):
    site = Site(spawn, options=options)
    site.ask()
    assert site.curlewds()
    site.process.send(signal.SIGKILL)
    site.process.popen.wait(10)
    wait_until("curlewd to be gone", lambda: not site.curlewds())


@pytest.mark.parametrize("more", [{"debug": False}, {"curlew": {"EMBEDDED": False}},
                                  {"curlew": {"URL": "fcgi://127.0.0.1:1"}}])
def test_none_is_started_if_it_is_off_or_a_url_is_set(spawn, more):
    site = Site(spawn, **more)
    assert site.ask() == more.get("curlew", {}).get("URL", "none")
    assert "curlewd" not in site.process.out + site.process.err


def test_without_the_program_the_site_runs_and_says_so(spawn):
    site = Site(spawn, {"CURLEWD": "no-such-curlewd"})
    assert site.ask() == "none"
    assert "no-such-curlewd was not found" in site.process.err


def test_a_configuration_that_curlewd_refuses(spawn):
    site = Site(spawn, {"EMBEDDED": {"surprise": 1}})
    assert site.ask() == "none"
    assert "surprise" in site.process.err and "curlewd exited with status" in site.process.err


def test_other_commands_do_not_start_one():
    for argv in (["manage.py", "migrate"], ["manage.py"], ["manage.py", "runserver", "--help"]):
        assert not embedded.should_start(argv)


def test_stop_may_be_called_twice():
    daemon = embedded.EmbeddedDaemon(str(BINARY))
    socket = socket_of(daemon.url)
    assert connects(socket)
    daemon.stop()
    daemon.stop()
    assert not socket.parent.exists()
