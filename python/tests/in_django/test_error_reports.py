"""What Django reports of a view whose fetch failed: no secret of the request's, where it promises
that."""

import logging

import pytest
from django.core import mail
from django.test import Client
from django.test.utils import override_settings
from django.urls import path
from django.utils.log import AdminEmailHandler
from django.views.decorators.debug import sensitive_variables

from django_curlew import AsyncSession, HandOff, Session

HIDDEN = "".join(["S3C", "RET"])  # not in a line of this file, which reports show
TOKEN = "".join(["T0K", "EN"]) * 4
URL = "http://127.0.0.1:1/"


def secrets():
    return {"auth": ("site", HIDDEN), "headers": {"Authorization": "Bearer " + HIDDEN},
            "cookies": {"sid": HIDDEN}, "data": {"password": HIDDEN},
            "proxy": f"http://u:{HIDDEN}@127.0.0.1:9"}


def fetch(request):
    Session().post(URL, **secrets())


def of_url(request):
    Session().get(f"http://u:{HIDDEN}@127.0.0.1:1/?token={HIDDEN}")


def gather(request):
    Session(auth=("a", HIDDEN)).gather([("POST", URL, secrets())])


def hand_off(request):
    HandOff(request, "http://a b/", **secrets())


async def fetch_async(request):
    await AsyncSession().post(URL, **secrets())


VIEWS = {each.__name__: each for each in (fetch, of_url, gather, hand_off, fetch_async)}
urlpatterns = [
    *(path(name, view) for name, view in VIEWS.items()),
    *(path(f"hidden-{name}", sensitive_variables()(VIEWS[name]))
      for name in ("fetch", "of_url", "gather", "hand_off")),
]


def report_of(page, include_html):
    """The mails to ADMINS, Django's own and with `include_html`, as one text."""
    handler = AdminEmailHandler(include_html=include_html)
    logger = logging.getLogger("django.request")
    logger.addHandler(handler)
    try:
        with override_settings(ROOT_URLCONF=__name__, ADMINS=[("a", "a@b.test")]):
            response = Client(raise_request_exception=False).get(page)
    finally:
        logger.removeHandler(handler)
    assert response.status_code == 500
    return "\n".join(text for sent in mail.outbox for text in (
        sent.subject, sent.body, *(html for html, _ in sent.alternatives)))


@pytest.fixture(autouse=True)
def outbox(settings_of_mail):
    mail.outbox = []


@pytest.fixture
def settings_of_mail(daemon, curlew):
    curlew(URL=f"fcgi+unix:{daemon.socket}", TOKEN=TOKEN)
    backend = "django.core.mail.backends.locmem.EmailBackend"
    with override_settings(EMAIL_BACKEND=backend, DEBUG=False):
        yield


@pytest.mark.parametrize("daemon_runs", [True, False])
@pytest.mark.parametrize("page", VIEWS)
def test_a_mail_shows_no_secret(curlew, page, daemon_runs):
    if not daemon_runs:
        curlew(URL="fcgi+unix:/nowhere.sock", TOKEN=TOKEN)
    report = report_of(f"/{page}", include_html=False)
    assert "Traceback" in report and HIDDEN not in report and TOKEN not in report


@pytest.mark.parametrize("daemon_runs", [True, False])
@pytest.mark.parametrize("page", ["fetch", "of_url", "gather", "hand_off"])
def test_sensitive_variables_of_a_view_hides_those_of_the_client(curlew, page, daemon_runs):
    if not daemon_runs:
        curlew(URL="fcgi+unix:/nowhere.sock", TOKEN=TOKEN)
    report = report_of(f"/hidden-{page}", include_html=True)
    assert "django_curlew" in report and HIDDEN not in report


@pytest.mark.parametrize("url", ["fcgi+unix:/nowhere.sock", "http://127.0.0.1:1/_fetch", "bad", 5,
                                 ""])
@pytest.mark.parametrize("page", VIEWS)
def test_no_variable_shows_the_sites_token_which_django_hides_in_the_settings(curlew, page, url):
    curlew(URL=url, TOKEN=TOKEN)
    report = report_of(f"/{page}", include_html=True)
    assert "django_curlew" in report and TOKEN not in report
