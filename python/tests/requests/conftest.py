"""Sessions find the worker's daemon by CURLEW_URL, as programs outside Django do."""

import pytest

from django_curlew import conf


@pytest.fixture(autouse=True)
def url_of_the_daemon(daemon, monkeypatch):
    monkeypatch.setenv("CURLEW_URL", f"fcgi+unix:{daemon.socket}")
    conf.reload()
