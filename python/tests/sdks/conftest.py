"""The tests' daemon as the one that SDKs use, by the settings as in a project."""

import pytest

from django_curlew import daemon


@pytest.fixture
def curlew(one_daemon):
    """daemon.current() is the tests' daemon."""
    with daemon.using(daemon.Daemon(f"fcgi+unix:{one_daemon.socket}")) as d:
        yield d
