"""One Django for all these tests: no database, the app installed, nothing configured."""

import django
import pytest
from django.conf import settings
from django.test.utils import override_settings

if not settings.configured:
    settings.configure(
        SECRET_KEY="for tests",
        ALLOWED_HOSTS=["*"],
        INSTALLED_APPS=["django_curlew"],
        ROOT_URLCONF="in_django_urls",
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
