"""A session that several requests share: whose cookies go where, and the warning about them."""

import asyncio
import concurrent.futures
import logging
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse
from django.test import Client, RequestFactory, override_settings
from django.urls import path

import django_curlew
from django_curlew import AsyncSession, Session, SharedJarWarning, daemon, requests
from django_curlew.requests import shared_jar

sessions = {}  # of the running test, by name
origins = []


def sync_view(request):
    session = sessions.get("sync") or Session()
    for target in request.GET.getlist("target"):
        text = session.get(origins[-1].url(target)).text
    return HttpResponse(text)


async def async_view(request):
    session = sessions.get("async") or AsyncSession()
    for target in request.GET.getlist("target"):
        text = (await session.get(origins[-1].url(target))).text
    return HttpResponse(text)


def functions_view(request):
    return HttpResponse(requests.get(origins[-1].url(request.GET["target"])).text)


async def aclient_view(request):
    fetched = await django_curlew.aclient.get(origins[-1].url(request.GET["target"]))
    return HttpResponse(fetched.text)


def client_view(request):
    return HttpResponse(django_curlew.client.get(origins[-1].url(request.GET["target"])).text)


urlpatterns = [path("sync", sync_view), path("async", async_view), path("client", client_view),
               path("functions", functions_view), path("aclient", aclient_view)]


@pytest.fixture(autouse=True)
def site(daemon, curlew, origin):
    curlew(URL=f"fcgi+unix:{daemon.socket}")
    origins.append(origin)
    shared_jar._reported.clear()
    with override_settings(ROOT_URLCONF=__name__):
        yield
    sessions.clear()


# -- how requests reach Django ---------------------------------------------------------------------


def by_wsgi(url):
    """A request in a thread of its own, as of a worker of gunicorn's."""
    environ = RequestFactory().get(url).environ
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: b"".join(wsgi(environ))).result().decode()


def wsgi(environ):
    response = WSGIHandler()(environ, lambda status, headers: None)
    response.close()
    return response


def by_wsgi_in_one_thread(url):
    return b"".join(wsgi(RequestFactory().get(url).environ)).decode()


def by_asgi(url):
    """A request in a task of its own, as of uvicorn's."""
    return asyncio.run(asgi(url))


async def asgi(url):
    target, _, query = url.partition("?")
    sent = []
    messages = [{"type": "http.request", "body": b""}]

    async def receive():
        return messages.pop() if messages else await asyncio.Event().wait()

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": target, "query_string": query.encode(),
             "headers": [(b"host", b"localhost")], "http_version": "1.1"}
    await ASGIHandler()(scope, receive, send)
    return b"".join(m.get("body", b"") for m in sent).decode()


def by_test_client(url):
    return Client().get(url).content.decode()


WAYS = [by_wsgi, by_wsgi_in_one_thread, by_asgi, by_test_client]
LOG_IN, ASK = "/cookies/set?sid=A", "/cookies"


@pytest.fixture(params=WAYS, ids=lambda way: way.__name__)
def visit(request):
    return request.param


@pytest.fixture
def caught():
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        yield lambda: [w for w in found if w.category is SharedJarWarning]


def shared(view, **parameters):
    sessions.update(sync=Session(**parameters), **{"async": AsyncSession(**parameters)})
    return f"/{view}?target="


# -- what warns ------------------------------------------------------------------------------------


@pytest.mark.parametrize("view", ["sync", "async"])
def test_a_shared_session_hands_cookies_on_and_warns_once(visit, view, caught, caplog):
    url = shared(view)
    visit(url + LOG_IN)
    assert not caught()
    assert "A" in visit(url + ASK) and "A" in visit(url + ASK)
    assert len(caught()) == 1
    message = str(caught()[0].message)
    assert "django_curlew.client" in message and "cookie_jar=False" in message
    assert caught()[0].filename == __file__, "the line of the view"
    assert [r.levelno for r in caplog.records if r.name == "django_curlew.cookies"] == [
        logging.WARNING]


@pytest.mark.parametrize("write", [
    lambda s: s.cookies.set("sid", "A"), lambda s: s.cookies.update({"sid": "A"}),
    lambda s: s.cookies.__setitem__("sid", "A"), lambda s: setattr(s, "cookies", {"sid": "A"})])
def test_a_cookie_that_a_view_sets_counts_too(visit, write, caught, monkeypatch):
    url = shared("sync")

    def view_that_sets(request):
        write(sessions["sync"])
        return HttpResponse()

    monkeypatch.setattr(urlpatterns[1], "callback", view_that_sets)
    visit("/async")
    assert "A" in visit(url + ASK) and len(caught()) == 1


def test_each_line_of_code_is_reported_once_however_many_sessions_it_uses(caught):
    for _ in range(3):
        url = shared("sync")
        by_wsgi(url + LOG_IN)
        by_wsgi(url + ASK)
    assert len(caught()) == 1


def test_as_an_error_it_names_the_mistake_in_a_test(caught):
    url = shared("sync")
    by_test_client(url + LOG_IN)
    warnings.simplefilter("error", SharedJarWarning)
    with pytest.raises(SharedJarWarning):
        by_test_client(url + ASK)


# -- what does not ---------------------------------------------------------------------------------


@pytest.mark.parametrize("view", ["client", "aclient", "functions"])
def test_the_ready_clients_and_the_functions_keep_no_cookies(visit, view, caught):
    visit(f"/{view}?target={LOG_IN}")
    assert visit(f"/{view}?target={ASK}").strip() == "{}" and not caught()


@pytest.mark.parametrize("view", ["sync", "async"])
def test_a_session_of_one_request_keeps_its_cookies_there(visit, view, caught):
    url = f"/{view}?target={LOG_IN}&target={ASK}&target={ASK}"
    assert "A" in visit(url)
    assert "{}" in visit(f"/{view}?target={ASK}") and not caught()


@pytest.mark.parametrize("view", ["sync", "async"])
@pytest.mark.parametrize("parameters, text", [({"cookie_jar": False}, "{}"),
                                              ({"cookie_jar": True}, "A"), ({"name": "jar"}, "A")])
def test_a_session_whose_cookies_are_meant_to_be_so(visit, view, parameters, text, caught):
    url = shared(view, **parameters)
    visit(url + LOG_IN)
    try:
        assert text in visit(url + ASK) and not caught()
    finally:  # other tests use that session, too
        daemon.current().exchange("POST", "/v1/sessions/jar/reset")


def test_cookies_that_the_site_has_set_are_no_visitors(visit, caught):
    url = shared("sync", cookies={"consent": "yes"})
    visit(url + ASK)
    assert "yes" in visit(url + ASK) and not caught()


def test_outside_of_requests_nothing_warns(caught):
    session = Session()
    for _ in range(2):
        session.get(origins[-1].url(LOG_IN))
    by_test_client(f"/sync?target={ASK}")
    session.get(origins[-1].url(ASK))
    assert not caught()


def test_cookies_that_are_cleared_between_requests_are_not_shared(visit, caught):
    url = shared("sync")
    for _ in range(2):
        sessions["sync"].cookies.clear()
        assert "A" in visit(f"{url}{LOG_IN}&target={ASK}")
    assert not caught()


def test_a_setting_silences_it(visit, curlew, daemon, caught):
    curlew(URL=f"fcgi+unix:{daemon.socket}", SHARED_JAR_WARNING=False)
    url = shared("sync")
    visit(url + LOG_IN)
    assert "A" in visit(url + ASK) and not caught()


def test_requests_at_once_under_asgi_are_told_apart(caught):
    async def main():
        return await asyncio.gather(*[asgi(f"/async?target={LOG_IN}&target={ASK}")
                                      for _ in range(8)])

    assert all("A" in text for text in asyncio.run(main())) and not caught()


OLDER_SESSION = """
import sys
from django_curlew import Session
session = Session()
assert "django.core.signals" not in sys.modules
from django.conf import settings
settings.configure(SECRET_KEY="x", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, INSTALLED_APPS=%r)
import django
django.setup()
from django.http import HttpResponse
from django.test import Client
from django.urls import path
from django_curlew.testing import override_curlew
urlpatterns = [path("", lambda request: HttpResponse(session.get("http://a.example/").content))]
with override_curlew() as stub:
    stub.on("http://a.example/", responses=%r)
    for _ in range(3):
        Client().get("/")
"""
SETS, SETS_NONE = {"headers": {"Set-Cookie": "sid=1"}}, {"text": "no cookie"}


@pytest.mark.parametrize("apps, responses", [
    (["django_curlew"], [SETS, SETS_NONE]), ([], [SETS, SETS, SETS_NONE])])
def test_a_session_may_be_older_than_django(apps, responses):
    """As in an asgi.py, before its first import of Django."""
    source = Path(django_curlew.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", OLDER_SESSION % (apps, responses)], text=True,
                          env={"PATH": os.environ["PATH"], "PYTHONPATH": str(source)},
                          capture_output=True, timeout=30)
    assert done.returncode == 0 and "SharedJarWarning: This session keeps" in done.stderr
