"""A curlewd for development, which all processes of a project share."""

import fcntl
import os
import shutil
import signal
import stat
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from django.test.utils import override_settings

from django_curlew import conf, embedded, embedded_supervisor, find_curlewd
from tests.support.curlewd import BINARY
from tests.support.procs import connects, free_port, temp_dir, wait_until

SOURCE = Path(embedded.__file__).parents[1]
SETTINGS = """
from pathlib import Path
BASE_DIR = Path(__file__).parent
DEBUG = %(debug)r
SECRET_KEY = "x"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "urls"
INSTALLED_APPS = ["django_curlew"]
CURLEW = %(curlew)r
USE_TZ = True
"""
URLS = """
import os
from django.http import HttpResponse
from django.urls import path
from django_curlew import conf, requests

def url(request):
    try:
        return HttpResponse(conf.daemon_url())
    except conf.NotConfigured as err:
        return HttpResponse(f"none: {err}")

def fetch(request):
    return HttpResponse(requests.get(request.GET["url"]).content)

urlpatterns = [path("", url), path("pid", lambda request: HttpResponse(os.getpid())),
               path("fetch", fetch)]
"""
MANAGE = """
import os, sys
from django.core.management import execute_from_command_line
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
execute_from_command_line(sys.argv)
"""
ASGI = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
from django.core.asgi import get_asgi_application
from django_curlew.asgi import CurlewBridge
application = CurlewBridge(get_asgi_application())
"""


class Project:
    """A Django project in a directory, with a runtime directory of its own."""

    def __init__(self, spawn, curlew=None, debug=True):
        self.spawn = spawn
        self.directory = Path(temp_dir())
        self.runtime = self.directory / "run"
        self.runtime.mkdir(mode=0o700)
        self.write_settings(curlew or {}, debug)
        for name, text in (("urls", URLS), ("manage", MANAGE), ("asgi", ASGI)):
            (self.directory / f"{name}.py").write_text(text)
        self.port = free_port()

    def write_settings(self, curlew, debug=True):
        text = SETTINGS % {"debug": debug, "curlew": curlew}
        (self.directory / "settings.py").write_text(text)

    def env(self, path):
        """Without .pyc files: two settings of one second and one size would be taken for one."""
        return {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(SOURCE),
                "PATH": path + os.environ["PATH"], "XDG_RUNTIME_DIR": str(self.runtime),
                "PYTHONUNBUFFERED": "1"}

    def runserver(self, options=(), path=f"{BINARY.parent}:"):
        argv = [sys.executable, "-W", "error::ResourceWarning", "manage.py", "runserver",
                f"127.0.0.1:{self.port}", "--skip-checks", *options]
        return self.serve("runserver", argv, path)

    def serve(self, name, argv, path=f"{BINARY.parent}:"):
        env = {"CURLEW_URL": None, "DJANGO_SETTINGS_MODULE": None, **self.env(path)}
        process = self.spawn(name, argv, env=env, cwd=self.directory)
        process.wait_ready(lambda: connects(("127.0.0.1", self.port)))
        return process

    def manage(self, *args, path=f"{BINARY.parent}:", wait=True):
        """manage.py in another terminal."""
        process = subprocess.Popen([sys.executable, "manage.py", *args], cwd=self.directory,
                                   env=self.env(path), stdout=subprocess.PIPE, text=True,
                                   stderr=subprocess.PIPE)
        if not wait:
            return process
        out, err = process.communicate(timeout=30)
        return process.returncode, out, err

    def shell(self, code, **kwargs):
        return self.manage("shell", "-v", "0", "-c", code, **kwargs)

    def ask(self, path="/"):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return answer.read().decode()

    def has_restarted(self, before):
        """Is it another child that answers? The file may change before it is watched."""
        os.utime(self.directory / "settings.py")
        try:
            return self.ask("/pid") != before
        except OSError:  # it is between two of them
            return False

    def processes(self, name="/curlewd"):
        """All that run with a configuration, or a socket, in our runtime directory."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                words = (process / "cmdline").read_bytes().decode().split("\0")
            except OSError:
                continue
            ours = any(word.startswith(f"{self.runtime}/") for word in words)
            if ours and any(word.endswith(name) for word in words):
                found.append(int(process.name))
        return found

    def curlewds(self):
        """Without the supervisors, whose words have the program, too."""
        return sorted(set(self.processes()) - set(self.processes("embedded_supervisor.py")))


@pytest.fixture
def project(spawn):
    """project(CURLEW, debug=…); at the end all that it has started is gone."""
    made = []

    def make(*args, **kwargs):
        made.append(Project(spawn, *args, **kwargs))
        return made[-1]

    yield make
    for each in made:
        for pid in each.processes("embedded_supervisor.py"):
            os.kill(pid, signal.SIGTERM)
        wait_until("curlewd to be gone", lambda each=each: not each.processes(), 30)


def socket_of(url):
    assert url.startswith("fcgi+unix:/")
    return Path(url.partition(":")[2])


WAIT = "import time; from django_curlew import conf; print(conf.daemon_url(), flush=True)"


@pytest.mark.parametrize("options", [(), ("--noreload",)], ids=["reloader", "noreload"])
def test_it_starts_and_stops_with_runserver(project, origin, options):
    site = project()
    process = site.runserver(options)
    socket = socket_of(site.ask())
    assert len(site.curlewds()) == 1 and socket.parent.parent == site.runtime / "curlew"
    assert site.ask(f"/fetch?url={origin.url('/hello')}") == "hello\n"
    process.send(signal.SIGINT)
    process.wait()
    wait_until("curlewd to be gone", lambda: not site.processes(), 20)
    assert not socket.exists()
    assert process.err.count("may fetch from loopback and private addresses") == 1


def test_the_reloaders_children_share_it(project):
    site = project()
    site.runserver()
    url, child, (pid,) = site.ask(), site.ask("/pid"), site.curlewds()
    wait_until("another child", lambda: site.has_restarted(child), 30, every=1)
    assert (site.ask(), site.curlewds()) == (url, [pid])


def test_a_runserver_that_is_killed_leaves_none_behind(project):
    site = project()
    process = site.runserver(["--noreload"])
    assert site.curlewds()
    process.send(signal.SIGKILL)
    process.popen.wait(10)
    wait_until("curlewd to be gone", lambda: not site.processes(), 20)


def test_another_terminal_uses_it_and_does_not_end_it(project):
    site = project()
    site.runserver()
    url, before = site.ask(), site.curlewds()
    code, out, err = site.shell(WAIT)
    assert (code, out.strip(), err) == (0, url, "")
    code, out, err = site.manage("curlew", "status")
    assert f"at {url}: ok" in out and err == ""
    assert site.curlewds() == before and len(before) == 1


def test_uvicorn_with_the_bridge_uses_it(project, origin):
    site = project()
    argv = [sys.executable, "-m", "uvicorn", "--reload", "--port", str(site.port),
            "--log-level", "warning", "asgi:application"]
    site.serve("uvicorn", argv)
    url = site.ask()
    code, out, _ = site.shell(WAIT)
    assert (code, out.strip()) == (0, url) and len(site.curlewds()) == 1
    child, before = site.ask("/pid"), site.curlewds()
    wait_until("another child", lambda: site.has_restarted(child), 30, every=1)
    assert (site.ask(), site.curlewds()) == (url, before)
    assert site.ask(f"/fetch?url={origin.url('/hello')}") == "hello\n"


def test_a_command_starts_one_which_outlives_it_for_a_moment_only(project):
    site = project()
    code, out, err = site.shell(WAIT)
    assert code == 0 and "started a curlewd for development at" in err
    assert out.startswith("fcgi+unix:/") and len(site.curlewds()) == 1
    wait_until("curlewd to be gone", lambda: not site.processes(), 20)


def test_many_that_start_at_once_share_one(project):
    site = project()
    shells = [site.shell(WAIT + "; time.sleep(1)", wait=False) for _ in range(6)]
    told = [shell.communicate(timeout=60) for shell in shells]
    assert len({out for out, _ in told}) == 1 and told[0][0].startswith("fcgi+unix:/")
    assert sum("started a curlewd" in err for _, err in told) == 1
    assert len(site.curlewds()) == 1


@pytest.mark.parametrize("how", ["alone", "with its supervisor"])
def test_one_that_was_killed_is_started_again(project, how):
    site = project()
    code = ("from django_curlew import conf, embedded_supervisor; url = conf.daemon_url();"
            " listens = embedded_supervisor.accepts_connections;"
            " print(listens(url[10:]), flush=True); input();"
            " conf.daemon_url(); print(listens(url[10:]))")
    shell = subprocess.Popen([sys.executable, "manage.py", "shell", "-v", "0", "-c", code],
                             cwd=site.directory, env=site.env(f"{BINARY.parent}:"), text=True,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert shell.stdout.readline() == "True\n"
    before, = site.curlewds()
    if how != "alone":  # its socket is left
        for pid in site.processes("embedded_supervisor.py"):
            os.kill(pid, signal.SIGKILL)
    os.kill(before, signal.SIGKILL)
    wait_until("its supervisor to be gone", lambda: not site.processes())
    for socket in site.runtime.rglob("curlew.sock"):  # closed a moment later
        wait_until("it to be closed", lambda: not connects(socket))  # noqa: B023
    assert shell.communicate("\n", timeout=30)[0] == "True\n"
    after, = site.curlewds()
    assert after != before


def test_a_changed_configuration_gets_another(project):
    site = project({"EMBEDDED": {"limits": {"in_flight": 7}}})
    first = site.shell(WAIT)[1]
    site.write_settings({"EMBEDDED": {"limits": {"in_flight": 8}}})
    assert site.shell(WAIT)[1] != first


@pytest.mark.parametrize("more", [{"debug": False}, {"curlew": {"EMBEDDED": False}},
                                  {"curlew": {"URL": "fcgi://127.0.0.1:1"}}])
def test_none_is_started_if_it_is_off_or_a_url_is_set(project, more):
    site = project(**more)
    process = site.runserver()
    answer = site.ask()
    assert answer == more.get("curlew", {}).get("URL") or answer.startswith("none: CURLEW")
    assert not site.processes() and "curlewd" not in process.out + process.err


def test_without_the_program_the_site_runs_and_says_so(project):
    site = project({"CURLEWD": "no-such-curlewd"})
    process = site.runserver()
    assert site.ask().startswith('none: CURLEW["URL"] is not set, and no curlewd could be started')
    assert "no-such-curlewd was found neither on PATH nor in /usr/sbin" in process.err


def test_a_configuration_that_curlewd_refuses(project):
    site = project({"EMBEDDED": {"surprise": 1}})
    code, _, err = site.shell(WAIT)
    assert code == 1 and "surprise" in err and "curlewd exited with status" in err
    assert 'with the configuration of CURLEW["EMBEDDED"]' in err
    assert "/CURLEW_EMBEDDED.json: unknown key" in err  # not a file that anybody has written
    assert not site.processes()


def test_a_log_that_is_no_object_is_refused_by_curlewd(project):
    code, _, err = project({"EMBEDDED": {"log": "debug"}}).shell(WAIT)
    assert code == 1 and "curlewd did not start" in err and "log: expected an object" in err


def test_a_directory_that_was_removed_is_made_again():
    """As by a service that tidies /tmp; and then it is known who uses the new one."""
    runtime = Path(temp_dir())
    shared = embedded.ProjectDaemon(str(runtime / "curlew" / "x"), str(BINARY), {})
    try:
        assert shared.use()
        shutil.rmtree(runtime / "curlew")
        assert shared.use() and not shared.use()
        with open(runtime / "curlew" / "x" / "users.lock", "rb") as lock:
            with pytest.raises(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        shared.leave()
        shutil.rmtree(runtime)


def test_wrong_settings_do_not_keep_the_commands_from_starting(project):
    site = project()
    site.write_settings("fcgi+unix:/x")
    code, _, err = site.manage("check")
    assert code == 1 and "curlew.E001" in err and "Traceback" not in err


def test_checks_and_tests_do_not_start_one(project):
    site = project()
    for args in (["check"], ["check", "--tag", "curlew"], ["check", "--deploy"],
                 ["runserver", "--help"], ["test"]):
        site.manage(*args)
        assert not site.processes(), args


# -- its directory ------------------------------------------------------------------------------


def test_nobody_elses_directory_is_used(tmp_path):
    for make in (lambda path: path.mkdir(mode=0o755), lambda path: path.touch(),
                 lambda path: path.symlink_to(tmp_path), lambda path: path.mkdir(mode=0o710)):
        path = tmp_path / str(len(list(tmp_path.iterdir()))) / "curlew"
        path.parent.mkdir(mode=0o700)
        make(path)
        with pytest.raises(embedded.StartError, match="only this user"):
            embedded.make_private_directory(str(path))


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a directory away")
def test_a_directory_of_another_user_is_refused(tmp_path):
    path = tmp_path / "theirs"
    path.mkdir(mode=0o700)
    os.chown(path, 65534, 65534)
    with pytest.raises(embedded.StartError, match="theirs is not a directory that only this user"):
        embedded.make_private_directory(str(path / "project"))


def test_the_directory_is_made_for_this_user_alone(tmp_path):
    path = tmp_path / "curlew" / "project"
    embedded.make_private_directory(str(path))
    assert [stat.S_IMODE(p.stat().st_mode) for p in (path, path.parent)] == [0o700, 0o700]


def test_each_project_settings_module_and_configuration_has_its_own(monkeypatch):
    runtime = str(temp_dir())
    monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
    names = [embedded.project_directory(*args) for args in (
        ("/a", "s", "curlewd", True), ("/b", "s", "curlewd", True), ("/a", "t", "curlewd", True),
        ("/a", "s", "/x/curlewd", True), ("/a", "s", "curlewd", {"threads": 1}))]
    assert len(set(names)) == 5 and all(name.startswith(f"{runtime}/curlew/") for name in names)
    assert embedded.project_directory("/a", "s", "curlewd", True) == names[0]


@pytest.mark.parametrize("runtime", ["", "/no/such/directory", "{tmp}/" + "x" * 60, "/usr"])
def test_without_a_runtime_directory_it_is_in_that_for_temporary_files(
        monkeypatch, tmp_path, runtime):
    long = Path(runtime.format(tmp=tmp_path))
    if "x" in runtime:
        long.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", runtime.format(tmp=tmp_path))
    if runtime == "/usr":
        monkeypatch.setattr(os, "geteuid", lambda: 4242)
    found = embedded.project_directory("/a", "s", "curlewd", True)
    assert f"/curlew-{os.geteuid()}/" in found and len(f"{found}/curlew.sock") <= 107


def test_outside_of_debug_there_is_none():
    assert embedded.development_url() is None
    with override_settings(DEBUG=True):
        assert embedded.is_development()
        with override_settings(CURLEW={"EMBEDDED": False}):
            assert not embedded.is_development()
            with pytest.raises(conf.NotConfigured):
                conf.daemon_url()


def test_the_supervisor_needs_nothing_of_the_package():
    done = subprocess.run([sys.executable, "-I", "-S", embedded_supervisor.__file__, "/x/lock",
                           "/x/sock", "1", "/bin/false", "/x/conf"], capture_output=True, text=True)
    assert done.returncode == 1 and "curlewd exited with status 1" in done.stderr


# -- the program --------------------------------------------------------------------------------


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """A PATH and folders without the program."""
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.setattr(find_curlewd, "FOLDERS", (str(tmp_path / "sbin"),))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "venv" / "python"))
    return tmp_path


def put(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def test_it_is_found_beyond_path(nowhere):
    with pytest.raises(find_curlewd.NotFound, match="Debian package curlew"):
        find_curlewd.find()
    in_sbin = put(nowhere / "sbin" / "curlewd")
    assert find_curlewd.find() == in_sbin
    in_venv = put(nowhere / "venv" / "curlewd")
    assert find_curlewd.find() == in_venv
    on_path = put(nowhere / "empty" / "curlewd")
    assert find_curlewd.find() == on_path


def test_the_folders_are_those_that_packages_and_make_install_use():
    assert {"/usr/sbin", "/usr/local/sbin", "/usr/bin"} <= set(find_curlewd.FOLDERS)


def test_the_python_packages_own_is_found(nowhere, monkeypatch):
    put(nowhere / "sbin" / "curlewd")
    packaged = put(nowhere / "package" / "curlewd")
    (nowhere / "curlewd.py").write_text(f"def path():\n    return {packaged!r}\n")
    monkeypatch.syspath_prepend(str(nowhere))
    assert find_curlewd.find() == packaged
    sys.modules.pop("curlewd")


def test_the_python_packages_own_gets_its_variables(nowhere, monkeypatch):
    packaged = put(nowhere / "package" / "curlewd")
    (nowhere / "curlewd.py").write_text(f"def path():\n    return {packaged!r}\n\n"
                                        "def environment():\n    return {'SSL_CERT_FILE': '/c'}\n")
    monkeypatch.syspath_prepend(str(nowhere))
    assert find_curlewd.environment(packaged) == {"SSL_CERT_FILE": "/c"}
    assert find_curlewd.environment("/usr/sbin/curlewd") == dict(os.environ)
    sys.modules.pop("curlewd")


@pytest.mark.parametrize("text", ["", "path = 7\n", "raise SystemError\n"])
def test_another_module_of_that_name_is_not(nowhere, monkeypatch, text):
    (nowhere / "curlewd.py").write_text(text)
    monkeypatch.syspath_prepend(str(nowhere))
    with pytest.raises(find_curlewd.NotFound):
        find_curlewd.find()
    sys.modules.pop("curlewd", None)


def test_a_path_is_taken_as_it_is(nowhere):
    path = put(nowhere / "elsewhere" / "my-curlewd")
    assert find_curlewd.find(path) == path
    os.chmod(path, 0o644)
    with pytest.raises(find_curlewd.NotFound, match="correct CURLEW"):
        find_curlewd.find(path)
