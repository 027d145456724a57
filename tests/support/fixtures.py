"""What every test that starts a daemon may ask for; a conftest.py imports what its tests need.

origin    the origin, its counts at zero          daemon    a curlewd shared by a worker's tests
curlewd   start one with a configuration          nginx     start nginx before a daemon
proxy     start a forward proxy                   spawn     start any other program
"""

import shutil
import sys

import pytest

from tests.support.certs import make_certs
from tests.support.curlewd import BINARY, ROOT, Curlewd
from tests.support.origin.client import OriginProcess
from tests.support.procs import Process, raise_open_files, stop_all, temp_dir
from tests.support.web_servers import UNAVAILABLE, WebServer


def pytest_sessionstart(session):
    if not (session.config.getoption("compose", default=None) or BINARY.exists()):
        pytest.exit(f"{BINARY} is not there: run make first, or say where it is in CURLEWD", 2)
    raise_open_files()


def pytest_report_header(config):
    return [f"not tested behind {name}: this Debian does not have it" for name in UNAVAILABLE]


def pytest_unconfigure(config):
    stop_all()  # a worker of pytest-xdist ends without Python's atexit


@pytest.fixture(scope="session")
def directory():
    path = temp_dir()
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def certs(directory):
    path = directory / "certs"
    path.mkdir()
    return make_certs(path)


@pytest.fixture(scope="session")
def one_origin(request, directory):
    """The worker's origin, whatever it has counted."""
    if request.config.getoption("compose", default=None):
        yield request.getfixturevalue("compose").origin
        return
    origin = OriginProcess(directory, request.getfixturevalue("certs"))
    yield origin
    origin.stop()
    assert origin.process.err == "", origin.process.err


@pytest.fixture
def origin(one_origin):
    one_origin.reset()
    return one_origin


@pytest.fixture(scope="session")
def one_daemon(certs):
    daemon = Curlewd({
        "limits": {"request_bytes": 1 << 20},
        "sessions": {
            "default": {"ca_file": str(certs / "ca.pem")},
            "jar": {"cookie_jar": "shared"},
            "other-jar": {"cookie_jar": "shared"},
        }})
    yield daemon
    daemon.stop()
    shutil.rmtree(daemon.directory, ignore_errors=True)


@pytest.fixture
def daemon(one_daemon):
    """Shared by the tests of a worker, which must all leave it running."""
    yield one_daemon
    assert one_daemon.process.running(), one_daemon.process.err[-4000:]


@pytest.fixture
def client(daemon):
    return daemon.client


@pytest.fixture
def curlewd():
    """curlewd(config, args, env) → a running daemon, stopped and checked at the end."""
    started = []

    def start(*args, **kwargs):
        started.append(Curlewd(*args, **kwargs))
        return started[-1]

    yield start
    for daemon in started:
        if daemon.process.running():
            daemon.stop()
        daemon.check_clean()
    for daemon in started:
        shutil.rmtree(daemon.directory, ignore_errors=True)


@pytest.fixture
def nginx():
    """nginx(daemon, django_port) → a WebServer, by examples/nginx; `name` for another one."""
    started = []

    def start(daemon, django_port=None, name="nginx", more=()):
        started.append(WebServer(name, daemon.socket, django_port, more))
        return started[-1]

    yield start
    for web_server in started:
        web_server.stop()


@pytest.fixture
def spawn(directory):
    """spawn(name, argv, env=, cwd=, ready=) → a Process; ready is a condition to wait for."""
    started = []

    def start(name, argv, ready=None, **kwargs):
        started.append(Process(f"{name}-{len(started)}", argv, temp_dir(), **kwargs))
        return started[-1].wait_ready(ready) if ready else started[-1]

    yield start
    for process in started:
        process.stop()
        shutil.rmtree(process.out_path.parent, ignore_errors=True)


@pytest.fixture
def proxy(spawn):
    """proxy(user=, password=) → (port, process); what it was asked stands in process.out."""
    def start(**options):
        argv = [sys.executable, "-m", "tests.support.proxy"]
        argv += [word for name, value in options.items() for word in (f"--{name}", value)]
        process = spawn("proxy", argv, cwd=ROOT)
        process.wait_ready(lambda: process.out.endswith("\n"))
        return int(process.out), process

    return start
