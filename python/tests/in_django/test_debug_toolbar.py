"""The panel of Django Debug Toolbar, in the real one: what it shows, of which views, and when."""

import asyncio
import html
import re
import threading

import pytest
from django.http import HttpResponse
from django.test import AsyncClient, Client, override_settings
from django.urls import include, path

from django_curlew import AsyncSession, Session, record
from django_curlew.requests import exceptions

PANEL = "django_curlew.debug_toolbar.CurlewPanel"
PAGE = "<html><body>a page</body></html>"
TOOLBAR = "debug_toolbar.middleware.DebugToolbarMiddleware"
OURS = "django_curlew.middleware.CurlewMiddleware"
APPS = ["django.contrib.staticfiles", "debug_toolbar", "django_curlew"]
SETTINGS = {
    "DEBUG": True,
    "INTERNAL_IPS": ["127.0.0.1"],
    "STATIC_URL": "static/",
    "TEMPLATES": [{"BACKEND": "django.template.backends.django.DjangoTemplates",
                   "APP_DIRS": True}],
    "MIDDLEWARE": [TOOLBAR],
    "DEBUG_TOOLBAR_PANELS": [PANEL],
    "DEBUG_TOOLBAR_CONFIG": {"IS_RUNNING_TESTS": False},
}
views = {}  # what a test has its view do


def sync_view(request):
    views["sync"](request)
    return HttpResponse(PAGE)


async def async_view(request):
    await views["async"](request)
    return HttpResponse(PAGE)


class Urls:
    """Not a module's: the toolbar can be imported only while it is among the applications."""

    def __init__(self):
        self.urlpatterns = [path("sync/", sync_view), path("async/", async_view),
                            path("__debug__/", include("debug_toolbar.urls"))]


@pytest.fixture(autouse=True)
def toolbar(daemon, curlew):
    curlew(URL=f"fcgi+unix:{daemon.socket}")
    with (override_settings(**SETTINGS), override_settings(INSTALLED_APPS=APPS),
          override_settings(ROOT_URLCONF=Urls())):
        yield
    views.clear()


def text_of(page):
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


def panel_of(response):
    """The panel's text, fetched as the toolbar's JavaScript does."""
    page = response.content.decode()
    request_id = re.search(r'data-(?:request|store)-id="([^"]+)"', page)[1]
    answer = Client().get("/__debug__/render_panel/", {
        "request_id": request_id, "store_id": request_id, "panel_id": "CurlewPanel"})
    return text_of(answer.json()["content"])


def show_sync(view):
    views["sync"] = view
    return Client().get("/sync/")


def show_async(view):
    views["async"] = view
    return asyncio.run(AsyncClient().get("/async/"))


def test_a_sync_views_fetches_are_shown_with_their_times(origin):
    def view(request):
        mine = Session()
        mine.get(origin.url("/delay/0.05?key=s3cret").replace("//", "//user:s3cret@"), tag="slow")
        mine.post(origin.url("/status/404"))
        with pytest.raises(exceptions.Blocked):
            mine.get("http://10.1.2.3/")

    response = show_sync(view)
    assert "3 fetches in" in text_of(response.content.decode())
    shown = panel_of(response)
    assert "s3cret" not in shown and "user" not in shown
    slow = re.search(r"([\d.]+) ([\d.]+) 200 GET (\S+) \[slow\] default ((?:[\d.]+ ){6})"
                     r"(new|reused) 1 5 ", shown)
    assert slow, shown
    assert slow[3] == origin.url("/delay/0.05?key=…")
    *_, first_byte, total = map(float, slow[4].split())
    assert 50 <= first_byte <= total <= float(slow[2]) < 5000
    assert f"404 POST {origin.url('/status/404')}" in shown
    assert "blocked GET http://10.1.2.3/" in shown
    assert re.search(r"Retries 3 [\d.]+ ms 1 \d of 2 0 ", shown), shown


def test_an_async_views_fetches_are_shown_also_those_at_once(origin):
    async def view(request):
        mine = AsyncSession()
        await asyncio.gather(*(mine.get(origin.url(f"/echo/{i}")) for i in range(3)))
        await asyncio.to_thread(Session().get, origin.url("/echo/thread"))
        await mine.gather([origin.url("/echo/batch"), ("POST", origin.url("/echo/post"))])
        async with mine.stream("GET", origin.url("/echo/stream")) as response:
            await response.acontent()

    response = show_async(view)
    assert "7 fetches in" in text_of(response.content.decode())
    shown = panel_of(response)
    for wanted in (*(f"GET {origin.url(f'/echo/{i}')}" for i in (0, 1, 2, "thread")),
                   f"GET {origin.url('/echo/batch')} (batch)",
                   f"POST {origin.url('/echo/post')} (batch)",
                   f"GET {origin.url('/echo/stream')} (stream)"):
        assert wanted in shown, wanted


def test_retries_and_the_session_are_shown(curlewd, curlew, origin):
    daemon = curlewd({"sessions": {"shop": {}}})
    curlew(URL=f"fcgi+unix:{daemon.socket}")

    def view(request):
        with pytest.raises(exceptions.HTTPError):
            Session(name="shop", retry=2, raise_for_status=True).get(origin.url("/status/503"))

    shown = panel_of(show_sync(view))
    assert re.search(r"HTTPError GET \S+ shop .* (new|reused) 3 ", shown), shown
    assert re.search(r"Retries 1 [\d.]+ ms 1 \d of 1 2 ", shown), shown


def test_a_stream_that_breaks_off_is_shown_as_failed(origin):
    def view(request):
        response = Session().get(origin.url("/close-early"), stream=True)
        with pytest.raises(exceptions.RequestException):
            list(response.iter_content())

    assert f"incomplete_body GET {origin.url('/close-early')} (stream)" in panel_of(show_sync(view))


def test_concurrent_requests_are_not_mixed_up(origin):
    both = threading.Barrier(2, timeout=20)
    shown = {}

    def view(request):
        both.wait()
        Session().get(origin.url(f"/echo/{request.GET['who']}"))
        both.wait()

    def visit(who):
        shown[who] = panel_of(Client().get("/sync/", {"who": who}))

    views["sync"] = view
    threads = [threading.Thread(target=visit, args=(who,)) for who in ("ann", "bob")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert "/echo/ann" in shown["ann"] and "/echo/bob" not in shown["ann"]
    assert "/echo/bob" in shown["bob"] and "/echo/ann" not in shown["bob"]


@pytest.mark.parametrize("middleware", [[TOOLBAR, OURS], [OURS, TOOLBAR]])
def test_it_shows_the_same_fetches_as_the_middlewares_record(daemon, curlew, origin, middleware):
    curlew(URL=f"fcgi+unix:{daemon.socket}", RECORD=True)
    counts = []

    def view(request):
        Session().get(origin.url("/hello"))
        counts.append(request.curlew.count)

    with override_settings(MIDDLEWARE=middleware):
        response = show_sync(view)
    assert counts == [1] and "1 fetch in" in text_of(response.content.decode())


@pytest.mark.parametrize("hidden", [{"INTERNAL_IPS": []}, {"DEBUG": False}])
def test_without_the_toolbar_nothing_is_recorded(origin, hidden):
    active = []

    def view(request):
        active.append(record.current())
        Session().get(origin.url("/hello"))

    with override_settings(**hidden):
        response = show_sync(view)
    assert active == [None] and response.content.decode() == PAGE


def test_a_panel_that_is_turned_off_records_nothing(origin):
    active = []
    views["sync"] = lambda request: active.append(record.current())
    client = Client()
    client.cookies["djdtCurlewPanel"] = "off"
    assert "djDebug" in client.get("/sync/").content.decode()
    assert active == [None]


def test_nothing_is_recorded_after_the_request(origin):
    show_sync(lambda request: None)
    assert record.current() is None


def test_a_request_without_fetches_says_so():
    assert "No fetch was made" in panel_of(show_sync(lambda request: None))


def test_what_is_kept_is_bounded_in_number_and_in_size():
    from django_curlew.debug_toolbar import MAX_SHOWN, MAX_URL_CHARS, stats_of

    kept = record.Record()
    for number in range(record.MAX_FETCHES + 5):
        url = "http://a/" + ("x" * 1000 if number == 0 else str(number))
        kept.add(record.Fetch("GET", url, 200, None, 0.0, 0.001))
    stats = stats_of(kept)
    assert stats["count"] == record.MAX_FETCHES + 5 and len(stats["fetches"]) == MAX_SHOWN
    assert stats["not_shown"] == record.MAX_FETCHES + 5 - MAX_SHOWN
    assert len(stats["fetches"][0]["url"]) == MAX_URL_CHARS + 1
