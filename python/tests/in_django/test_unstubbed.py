"""A test suite in which every fetch needs a stub: by the setting, and by pytest's plugin."""

import asyncio
import os
import subprocess
import sys
import types
from pathlib import Path

import httpx
import pytest
import requests as plain_requests
from django.test import RequestFactory

from django_curlew import AsyncSession, HandOff, Session, conf, requests
from django_curlew.adapters.httpx import AsyncCurlewTransport, CurlewTransport
from django_curlew.adapters.requests import CurlewAdapter
from django_curlew.daemon import unstubbed
from django_curlew.testing import Unstubbed, override_curlew

SOURCE = Path(conf.__file__).parents[1]
URL = "https://api.example/price/1"


def by_httpx():
    with httpx.Client(transport=CurlewTransport()) as client:
        client.get(URL)


def by_requests():
    with plain_requests.Session() as session:
        session.mount("https://", CurlewAdapter())
        session.get(URL)


async def by_async_httpx():
    async with httpx.AsyncClient(transport=AsyncCurlewTransport()) as client:
        await client.get(URL)


WAYS = {
    "get": lambda: requests.get(URL),
    "post": lambda: requests.post(URL, json=[1]),
    "stream": lambda: requests.get(URL, stream=True),
    "gather": lambda: Session().gather([URL]),
    "as_completed": lambda: list(Session().as_completed([URL])),
    "async": lambda: asyncio.run(AsyncSession().get(URL)),
    "async stream": lambda: asyncio.run(AsyncSession().get(URL, stream=True)),
    "a daemon of its own": lambda: Session(daemon="fcgi://127.0.0.1:1").get(URL),
    "httpx": by_httpx,
    "async httpx": lambda: asyncio.run(by_async_httpx()),
    "requests": by_requests,
    "handoff": lambda: HandOff(RequestFactory().get("/"), URL),
    "prepared handoff": lambda: asyncio.run(HandOff.prepared(RequestFactory().get("/"), URL)),
}


@pytest.mark.parametrize("url", [None, "fcgi+unix:/nowhere"])
@pytest.mark.parametrize("way", WAYS)
def test_every_fetch_without_a_stub_says_what_to_do(curlew, way, url):
    curlew(FORBID_UNSTUBBED=True, URL=url)
    with pytest.raises(Unstubbed, match="override_curlew.*curlew.on") as caught:
        WAYS[way]()
    assert "api.example/price/1" in str(caught.value)
    assert len(unstubbed.take_refusals()) == 1


def test_a_stub_is_enough(curlew):
    curlew(FORBID_UNSTUBBED=True)
    with override_curlew() as stub:
        stub.on(URL, text="yes")
        assert requests.get(URL).text == "yes"
        HandOff(RequestFactory().get("/"), URL)
    assert unstubbed.take_refusals() == []


def test_a_tape_may_be_recorded(curlew, daemon, origin, tmp_path):
    curlew(FORBID_UNSTUBBED=True, URL=f"fcgi+unix:{daemon.socket}")
    with override_curlew(tape=str(tmp_path / "tape.json")):
        assert requests.get(origin.url("/hello")).text == "hello\n"


def test_without_the_setting_it_is_sent(curlew, daemon, origin):
    curlew(URL=f"fcgi+unix:{daemon.socket}")
    assert requests.get(origin.url("/hello")).ok


def test_that_nothing_is_forbidden_is_remembered(curlew, daemon, origin, monkeypatch):
    url = f"fcgi+unix:{daemon.socket}"
    curlew(URL=url)
    requests.get(origin.url("/hello"))
    asked = []
    monkeypatch.setattr(unstubbed, "check", lambda *args: asked.append(args))
    requests.get(origin.url("/hello"))
    assert asked == []
    monkeypatch.undo()
    with unstubbed.forbid(True), pytest.raises(Unstubbed):
        requests.get(origin.url("/hello"))
    requests.get(origin.url("/hello"))
    with unstubbed.exempt():
        curlew(URL=url, FORBID_UNSTUBBED=True)
        assert requests.get(origin.url("/hello")).ok
    with pytest.raises(Unstubbed):
        requests.get(origin.url("/hello"))
    unstubbed.take_refusals()


def test_django_that_another_thread_is_importing_forbids_nothing(monkeypatch):
    """Then its module is there, and `settings` is not in it yet."""
    monkeypatch.setitem(sys.modules, "django.conf", types.ModuleType("django.conf"))
    assert not unstubbed.is_forbidden()


def test_what_is_remembered_has_a_limit():
    with unstubbed.forbid(True):
        for _ in range(unstubbed.MAX_REFUSALS + 1):
            with pytest.raises(Unstubbed):
                requests.get(URL)
    assert len(unstubbed.take_refusals()) == unstubbed.MAX_REFUSALS


# -- pytest's plugin ------------------------------------------------------------------------------

SUITE = """
import pytest
from django_curlew import requests

def fetch():
    return requests.get("https://api.example/price/1")

def test_unstubbed():
    fetch()

def test_swallowed():
    try:
        fetch()
    except BaseException:
        pass

def test_stubbed(curlew_stub):
    curlew_stub.on("https://api.example/*", text="yes")
    assert fetch().text == "yes"

@pytest.mark.curlew_allow_unstubbed
def test_allowed():
    with pytest.raises(requests.exceptions.RequestException, match="CURLEW_URL"):
        fetch()

@pytest.mark.curlew_forbid_unstubbed
def test_marked():
    fetch()
"""


def run_suite(tmp_path, *options):
    (tmp_path / "test_suite.py").write_text(SUITE)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    argv = [sys.executable, "-m", "pytest", "-p", "django_curlew.testing.pytest_plugin", "-rA",
            "--strict-markers", "-p", "no:cacheprovider", *options]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=60,
                          env={"PYTHONPATH": str(SOURCE), "PATH": os.environ["PATH"]})
    outcomes = {}
    for line in done.stdout.splitlines():
        words = line.split()
        if words[:1] and words[0] in ("PASSED", "FAILED", "ERROR") and "::test_" in line:
            outcomes.setdefault(words[1].partition("::test_")[2], set()).add(words[0])
    return outcomes, done.stdout


def test_a_whole_suite_is_forbidden_by_the_ini_file(tmp_path):
    outcomes, output = run_suite(tmp_path, "-o", "curlew_forbid_unstubbed=true")
    failed = {name for name, found in outcomes.items() if found & {"FAILED", "ERROR"}}
    assert failed == {"unstubbed", "swallowed", "marked"}
    assert outcomes["stubbed"] == outcomes["allowed"] == {"PASSED"}
    assert "without a stub, the code under test fetches GET https://api.example/price/1" in output


def test_without_the_ini_file_only_marked_tests_are(tmp_path):
    outcomes, output = run_suite(tmp_path)
    assert outcomes["swallowed"] == outcomes["stubbed"] == outcomes["allowed"] == {"PASSED"}
    assert "FAILED" in outcomes["marked"] and "Unstubbed" in output
    assert "NotConfigured" in output  # of the first test, which is not forbidden
