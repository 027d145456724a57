"""What every integration test may ask for: the fixtures of tests/support/fixtures.py, and

conformance_client   of a daemon behind each web server, and on its own sockets
"""
# ruff: noqa: F811
# The fixtures have the names of their functions.

import contextlib
import shutil

import pytest

from tests.support.clients import FastCgiClient
from tests.support.curlewd import Curlewd
from tests.support.fixtures import (  # noqa: F401
    certs, client, curlewd, daemon, directory, nginx, one_daemon, one_origin, origin, proxy,
    pytest_report_header, pytest_sessionstart, pytest_unconfigure, spawn,
)
from tests.support.procs import free_port
from tests.support.web_servers import WEB_SERVERS, WebServer

STRAIGHT = ["unix", "tcp", "kept"]


def pytest_generate_tests(metafunc):
    """The conformance tests run with every client; with --compose, only through that stack."""
    if "conformance_client" not in metafunc.fixturenames:
        return
    in_docker = metafunc.config.getoption("compose", default=None)
    names = ["compose"] if in_docker else [*STRAIGHT, *WEB_SERVERS]
    clients = [pytest.param(n, marks=pytest.mark.xdist_group(f"conformance-{n}")) for n in names]
    metafunc.parametrize("conformance_client", clients, indirect=True, scope="session")


@contextlib.contextmanager
def own_daemon(name, certs):
    """A Client of a daemon of its own: behind that web server, or on its own sockets."""
    port = free_port()
    daemon = Curlewd({"limits": {"request_bytes": 1 << 20},
                      "sessions": {"default": {"ca_file": str(certs / "ca.pem")},
                                   "jar": {"cookie_jar": "shared"}}},
                     also_listen=[f"127.0.0.1:{port}"])
    if name in STRAIGHT:
        address = ("127.0.0.1", port) if name == "tcp" else daemon.socket
        client = FastCgiClient(address, keep=name == "kept")
    else:
        client = WebServer(name, daemon.socket)
    yield client
    client.close()
    if isinstance(client, WebServer):
        client.stop()
    daemon.stop()
    shutil.rmtree(daemon.directory, ignore_errors=True)


@pytest.fixture(scope="session")
def conformance_client(request):
    """A Client of a daemon that only the conformance tests use."""
    if request.param == "compose":
        yield request.getfixturevalue("compose").client
        return
    with own_daemon(request.param, request.getfixturevalue("certs")) as client:
        yield client
