"""Fetches of real sessions as logs, records and origins see them; and the default sessions."""

import asyncio
import logging

import pytest
from django.http import HttpResponse
from django.test import AsyncRequestFactory, RequestFactory

from django_curlew import AsyncSession, Session
from django_curlew.default import asession, session
from django_curlew.middleware import CurlewMiddleware
from django_curlew.requests import exceptions


@pytest.fixture(autouse=True)
def there(daemon, curlew):
    curlew(URL=f"fcgi+unix:{daemon.socket}", RECORD=True)


def test_a_record_of_real_fetches(origin):
    def view(request):
        mine = Session()
        mine.get(origin.url("/hello?secret=1"), tag="greeting")
        mine.gather([origin.url("/status/404"), origin.url("/hello")])
        with pytest.raises(exceptions.Blocked):
            mine.get("http://10.1.2.3/")
        records.append(request.curlew)
        return HttpResponse()

    records = []
    response = CurlewMiddleware(view)(RequestFactory().get("/"))
    (record,) = records
    assert [f.outcome for f in record.fetches] == ["200", "404", "200", "blocked"]
    first = record.fetches[0]
    assert (first.method, first.tag, first.bytes) == ("GET", "greeting", 6)
    assert first.url == origin.url("/hello?secret=…") and 0 < first.seconds < 5
    assert '"4 fetches"' in response["Server-Timing"]


def test_concurrent_fetches_are_in_one_record(origin):
    async def view(request):
        mine = AsyncSession()
        await asyncio.gather(*(mine.get(origin.url(f"/echo/{i}")) for i in range(5)))
        await mine.gather([origin.url("/hello")] * 3)
        await asyncio.to_thread(Session().get, origin.url("/hello"))
        return HttpResponse(str(request.curlew.count))

    request = AsyncRequestFactory().get("/")
    assert asyncio.run(CurlewMiddleware(view)(request)).content == b"9"


def test_the_request_id_reaches_the_origin(origin):
    def view(request):
        records = [Session().get(origin.url("/echo")), *Session().gather([origin.url("/echo")])]
        return HttpResponse(repr([dict(r.json()["headers"]).get("X-Request-ID") for r in records]))

    request = RequestFactory().get("/", HTTP_X_REQUEST_ID="job-7")
    assert CurlewMiddleware(view)(request).content == b"['job-7', 'job-7']"


def test_each_fetch_is_logged_without_secrets(origin, caplog):
    with caplog.at_level(logging.DEBUG, "django_curlew.fetch"):
        Session().get(origin.url("/hello?key=secret"))
        with pytest.raises(exceptions.Blocked):
            Session().get("http://10.1.2.3/")
    first, second = caplog.records
    assert (first.outcome, second.outcome) == ("200", "blocked")
    assert "secret" not in caplog.text and first.url.endswith("/hello?key=…")


def test_nothing_is_logged_above_debug(origin, caplog):
    with caplog.at_level(logging.INFO, "django_curlew.fetch"):
        Session().get(origin.url("/hello"))
    assert not caplog.records


def test_the_default_sessions_keep_no_cookies(origin):
    session.get(origin.url("/cookies/set?spy=1"))
    assert session.get(origin.url("/cookies")).json() == {}
    for _ in range(2):  # each on a loop of its own
        asyncio.run(asession.get(origin.url("/cookies/set?spy=1")))
        assert asyncio.run(asession.get(origin.url("/cookies"))).json() == {}
