"""One Django for all these tests: no database, the app installed, nothing configured."""

import sys
from pathlib import Path

import django
import pytest
from django.conf import settings
from django.test.utils import override_settings

sys.path.append(str(Path(__file__).parent))  # asgi_harness, no_urls

if not settings.configured:
    settings.configure(
        SECRET_KEY="for tests",
        ALLOWED_HOSTS=["*"],
        INSTALLED_APPS=["django_curlew"],
        ROOT_URLCONF="no_urls",
        USE_TZ=True,
    )
    django.setup()


@pytest.fixture(autouse=True)
def no_url_of_the_callers(monkeypatch):
    monkeypatch.delenv("CURLEW_URL", raising=False)


@pytest.fixture
def curlew():
    """curlew(URL=…, …): these settings, for the rest of the test."""
    active = []

    def use(**values):
        override = override_settings(CURLEW=values)
        override.enable()
        active.append(override)

    yield use
    while active:
        active.pop().disable()


@pytest.fixture
def bridge(daemon, curlew):
    """bridge(application, …) → it, before the tests' daemon."""
    curlew(URL=f"fcgi+unix:{daemon.socket}")
    from django_curlew.asgi import CurlewBridge

    return CurlewBridge
