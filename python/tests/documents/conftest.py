"""internet: what the documents' URLs lead to.  documented(page): its project, and a daemon."""

import json
import sys

import pytest

from tests.support.clients import HttpClient
from tests.support.curlewd import ROOT
from tests.support.procs import Process, temp_dir

from documented_project import Project, daemon_config


@pytest.fixture(scope="session")
def internet(certs):
    argv = [sys.executable, "-m", "tests.support.internet", certs]
    process = Process("internet", argv, temp_dir(), cwd=ROOT)
    process.wait_ready(lambda: process.out.endswith("\n"))
    yield json.loads(process.out)
    process.stop()
    assert process.err == "", process.err


@pytest.fixture
def seen(internet):
    """seen(host): the requests that this name has got since the test began."""
    site = HttpClient(internet["http"], prefix="")

    def all_of(host):
        return [r for r in site.ask("GET", "/_stats").json()["seen"] if r["host"] == host]

    before = {}

    def since(host):
        return all_of(host)[before.get(host, 0):]

    for request in site.ask("GET", "/_stats").json()["seen"]:
        before[request["host"]] = before.get(request["host"], 0) + 1
    return since


@pytest.fixture
def documented(curlewd, internet, certs, tmp_path):
    """documented(page) → its Project, with a daemon that has the page's configuration."""
    def make(page):
        daemon = curlewd(daemon_config(page, internet, certs))
        return Project(page, tmp_path, f"fcgi+unix:{daemon.socket}")

    return make
