"""Where the settings come from, with and without Django."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import requests as plain_requests
from django.test import RequestFactory
from django.test.utils import override_settings

from django_curlew import AsyncSession, HandOff, Session, conf, daemon
from django_curlew.adapters.httpx import AsyncCurlewTransport, CurlewTransport
from django_curlew.adapters.requests import CurlewAdapter
from django_curlew.requests import exceptions

SOURCE = Path(conf.__file__).parents[1]
URL = "fcgi+unix:/run/a.sock"


def test_the_setting_wins_over_the_environment(curlew, monkeypatch):
    monkeypatch.setenv("CURLEW_URL", "http://127.0.0.1:1/env")
    assert conf.daemon_url() == "http://127.0.0.1:1/env"
    curlew(URL=URL)
    assert conf.daemon_url() == URL


def test_a_change_of_settings_counts_at_once_and_ends_with_its_block(curlew):
    curlew(URL=URL)
    with override_settings(CURLEW={"URL": "fcgi://127.0.0.1:9"}):
        assert conf.daemon_url() == "fcgi://127.0.0.1:9"
    assert conf.daemon_url() == URL


def test_the_url_is_not_set(monkeypatch):
    with pytest.raises(conf.NotConfigured, match="CURLEW_URL"):
        conf.daemon_url()
    assert conf.configured_url() is None


def test_without_a_url_each_client_raises_its_own_connection_error():
    """So `except` clauses that are written for it catch it."""
    with plain_requests.Session() as session:
        session.mount("http://", CurlewAdapter())
        with pytest.raises(plain_requests.ConnectionError, match="CURLEW_URL"):
            session.get("http://a.example/")
    with httpx.Client(transport=CurlewTransport()) as client:
        with pytest.raises(httpx.ConnectError, match="CURLEW_URL"):
            client.get("http://a.example/")

    async def main():
        async with httpx.AsyncClient(transport=AsyncCurlewTransport()) as client:
            with pytest.raises(httpx.ConnectError, match="CURLEW_URL"):
                await client.get("http://a.example/")
        with pytest.raises(exceptions.RequestException, match="CURLEW_URL") as caught:
            await AsyncSession().get("http://a.example/")
        assert isinstance(caught.value, (conf.NotConfigured, RuntimeError))

    asyncio.run(main())


@pytest.mark.parametrize("url", ["fcgi://no-port", "https://a.example/_fetch"])
@pytest.mark.parametrize("is_set", [True, False])
def test_so_it_does_with_an_address_that_is_not_valid(curlew, monkeypatch, is_set, url):
    if is_set:
        curlew(URL=url)
    else:
        monkeypatch.setenv("CURLEW_URL", url)
    name = r'CURLEW\["URL"\]' if is_set else "CURLEW_URL"
    http = "http://a.example/"
    for ask in (Session().get, lambda url: list(Session().as_completed([url])),
                lambda url: HandOff(RequestFactory().get("/"), url)):
        with pytest.raises(conf.NotConfigured, match=f"{name}: invalid URL of curlewd"):
            ask(http)
    with plain_requests.Session() as session:
        session.mount("http://", CurlewAdapter())
        with pytest.raises(plain_requests.ConnectionError, match=name):
            session.get(http)


def test_the_error_has_what_every_exception_of_a_request_has():
    with pytest.raises(exceptions.ConnectionError) as caught:
        Session().get("http://a.example/")
    err = caught.value
    assert type(err) is conf.NotConfigured and isinstance(err, daemon.DaemonError)
    assert (err.code, err.reason) == (0, "unreachable") and err.response.status_code == 0
    assert "CURLEW_URL" in str(err) and err.__cause__ is not err


def test_the_bridge_may_have_an_address_of_its_own(curlew):
    curlew(URL="http://127.0.0.1:8080/_fetch", BRIDGE_URL=URL)
    assert conf.bridge_url() == URL
    curlew(URL="fcgi://127.0.0.1:9")
    assert conf.bridge_url() == "fcgi://127.0.0.1:9"


def test_what_is_not_set_has_its_default(curlew):
    curlew(HANDOFF="/elsewhere/")
    assert (conf.get("HANDOFF"), conf.get("RECORD")) == ("/elsewhere/", False)


def run(code, **env):
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCE), **env}
    return subprocess.run([sys.executable, "-W", "error", "-c", code], env=env,
                          capture_output=True, text=True, timeout=30)


ASK = "from django_curlew import conf; print(conf.daemon_url())"


def test_outside_django_the_environment_counts():
    for first in ("", "import sys; sys.modules['django'] = None\n"):  # not configured, not there
        done = run(first + ASK, CURLEW_URL=URL)
        assert (done.stdout, done.stderr) == (URL + "\n", "")


def test_settings_that_can_not_be_read_are_an_error():
    done = run(ASK, CURLEW_URL=URL, DJANGO_SETTINGS_MODULE="no_such_settings")
    assert done.returncode == 1 and "no_such_settings" in done.stderr
