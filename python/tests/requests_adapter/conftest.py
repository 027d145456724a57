"""A session before the tests' daemon, beside requests alone."""

import pytest
import requests

from django_curlew import daemon
from django_curlew.adapters.requests import CurlewAdapter


@pytest.fixture
def session(one_daemon, monkeypatch):
    """session(arguments of the adapter…) → a session before the tests' daemon."""
    monkeypatch.setenv("NO_PROXY", "*")

    def make(**arguments):
        session = requests.Session()
        adapter = CurlewAdapter(daemon.Daemon(f"fcgi+unix:{one_daemon.socket}"), **arguments)
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        return session

    return make
