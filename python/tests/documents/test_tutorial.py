"""docs/tutorial.md: its project, under the server that it starts."""

import re
import sys

import pytest

from tests.first_hour.readme import commands
from tests.support.curlewd import ROOT
from tests.support.procs import connects, free_port
from tests.support.clients import HttpClient

RUNSERVER = ["manage.py", "runserver", "--noreload", "{port}"]


@pytest.fixture
def project(documented):
    return documented("docs/tutorial.md")


@pytest.fixture
def site(project, spawn):
    port = free_port()
    words = [word.format(port=port) for word in RUNSERVER]
    spawn("runserver", [sys.executable, *words], env=project.env, cwd=project.folder,
          ready=lambda: connects(("127.0.0.1", port)))
    return HttpClient(port, prefix="")


def test_it_begins_with_commands_of_readme():
    """Which are typed in a bare Debian, to the same first fetch."""
    text = (ROOT / "docs/tutorial.md").read_text()
    installing, fetching = re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S)[:2]
    typed = commands()["pip"]
    assert typed.startswith(installing) and typed.endswith(fetching)


def test_the_command_prints_the_page(project):
    assert project.manage("curlew", "fetch", "https://example.org/") == "<h1>Example</h1>\n"
    assert "no issues" in project.manage("check", "--tag", "curlew")


def test_the_views_show_what_the_text_promises(site):
    first = site.ask("GET", "/sync/").json()
    assert first == {"url": "https://example.org/", "status": 200, "bytes": 17,
                     "connection_reused": False}
    pages = site.ask("GET", "/async/").json()
    assert [p["url"] for p in pages] == ["https://example.org/a", "https://example.org/b"]
    assert site.ask("GET", "/sync/").json()["connection_reused"] is True


INTO_THE_NETWORK = ["http://169.254.169.254/latest/meta-data/", "http://0xa9fea9fe/",
                    "https://moved.example/"]


def test_a_url_into_the_network_is_blocked_and_a_public_one_is_not(site):
    for url in INTO_THE_NETWORK:
        response = site.ask("GET", "/preview/", "url=" + url)
        assert response.status == 400 and response.json()["error"] == "blocked", url
    assert site.ask("GET", "/preview/", "url=https://example.org/").json()["status"] == 200


def test_its_settings_make_a_daemon_as_strict_as_in_production(project):
    said = project.manage("shell", "-c", "from django.conf import settings; print(settings.CURLEW)")
    assert "{'EMBEDDED': {'egress': {'allow': []}}}" in said
