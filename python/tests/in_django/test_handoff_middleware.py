"""HandOff below Django's own middleware: it is kept by no cache, and no header is lost."""

import pytest
from asgi_harness import LOCAL_HEADERS, call
from django.core.cache import cache
from django.core.handlers.asgi import ASGIHandler
from django.contrib import messages
from django.middleware.csrf import get_token
from django.test import Client
from django.test.utils import override_settings
from django.urls import path
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import cache_control, cache_page
from django.views.decorators.http import condition
from django.views.decorators.vary import vary_on_cookie, vary_on_headers

from django_curlew import HandOff
from django_curlew.asgi import CurlewBridge
from django_curlew.testing import override_curlew

URL = "https://files.internal/"
seen = []  # the paths of the views' requests


def plain(request):
    seen.append(request.path)
    return HandOff(request, URL + request.GET.get("name", ""), auth=("site", "S3CRET"))


async def coroutine(request):
    seen.append(request.path)
    return await HandOff.prepared(request, URL + request.GET.get("name", ""))


async def direct(request):  # allowed behind the bridge, where nothing is stored
    seen.append(request.path)
    return HandOff(request, URL + request.GET.get("name", ""))


def public(request):
    response = plain(request)
    response["Cache-Control"] = "public, max-age=60"
    return response


class Page(View):
    @method_decorator(cache_page(60))
    @method_decorator(vary_on_headers("Accept-Language"))
    def get(self, request):
        return plain(request)


def tagged(request):
    response = plain(request)
    response["ETag"] = '"views"'
    return response


def form(request):
    get_token(request)
    messages.info(request, "on its way")
    request.session["seen"] = "yes"
    return plain(request)


async def form_async(request):
    get_token(request)
    request.session["seen"] = "yes"
    return await HandOff.prepared(request, URL)


CACHED = {
    "plain": plain,
    "async": coroutine,
    "direct": direct,
    "public": public,
    "page": cache_page(60)(plain),
    "page-public": cache_page(60)(cache_control(public=True, max_age=60)(plain)),
    "page-cookie": cache_page(60)(vary_on_cookie(plain)),
    "cookie-page": vary_on_cookie(cache_page(60)(plain)),
    "class": Page.as_view(),
}
urlpatterns = [
    *(path(name, view) for name, view in CACHED.items()),
    path("tagged", tagged),
    path("condition", condition(etag_func=lambda request: '"views"')(plain)),
    path("form", form),
    path("form-async", form_async),
]
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache",
                      "LOCATION": __name__}}
MIDDLEWARE = [f"django.{name}" for name in (
    "middleware.cache.UpdateCacheMiddleware",
    "middleware.security.SecurityMiddleware",
    "middleware.gzip.GZipMiddleware",
    "contrib.sessions.middleware.SessionMiddleware",
    "middleware.locale.LocaleMiddleware",
    "middleware.http.ConditionalGetMiddleware",
    "middleware.common.CommonMiddleware",
    "middleware.csrf.CsrfViewMiddleware",
    "contrib.messages.middleware.MessageMiddleware",
    "middleware.clickjacking.XFrameOptionsMiddleware",
    "middleware.cache.FetchFromCacheMiddleware",
)]
BROWSER = [*LOCAL_HEADERS, (b"accept-encoding", b"gzip"), (b"accept-language", b"de")]


@pytest.fixture(autouse=True)
def site():
    seen.clear()
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=MIDDLEWARE, CACHES=CACHES,
                           SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies"):
        cache.clear()
        yield
        cache.clear()


@pytest.fixture
def stub():
    with override_curlew() as curlew:
        curlew.on(URL + "*", responses=[{"text": f"body {i}", "headers": {"ETag": f'"{i}"'}}
                                        for i in range(9)])
        yield curlew


def bridged(path, headers=BROWSER, **more):
    return call(CurlewBridge(ASGIHandler()), path=path, headers=headers, **more)


def stored():
    return [cache.get(key.partition(":1:")[2]) for key in cache._cache]


@pytest.mark.parametrize("name", CACHED)
def test_no_cache_of_djangos_keeps_one_behind_the_bridge(stub, name):
    for i in range(3):
        response = bridged(f"/{name}")
        assert (response.status, response.body) == (200, b"body %d" % i)
    assert len(seen) == 3 and not stored()


@pytest.mark.parametrize("name", [name for name in CACHED if name != "direct"])
def test_no_cache_of_djangos_keeps_one_for_a_web_server(stub, name):
    """A reference is good for one use."""
    responses = [Client().get(f"/{name}") for _ in range(3)]
    assert [response.status_code for response in responses] == [501] * 3
    assert len({response["X-Curlew-Request"] for response in responses}) == 3
    assert len(seen) == 3 and not stored()


def test_the_browser_gets_the_caching_that_the_view_asks_for(stub):
    (caching,) = bridged("/public").all("cache-control")
    assert caching == "public, max-age=60"
    (caching,) = bridged("/page-public").all("cache-control")
    assert set(caching.split(", ")) == {"public", "max-age=60"}
    assert not bridged("/page").all("cache-control")


def test_what_middleware_says_of_the_placeholder_is_not_said_of_the_body(stub):
    response = bridged("/plain")
    assert response.all("etag") == ['"0"'] and not response.all("content-language")
    assert response.all("content-length") != ["0"]
    assert response.all("x-frame-options") == ["DENY"]  # about the page as a whole
    assert "Accept-Language" in response.all("vary")[0]


@pytest.mark.parametrize("page", ["/tagged", "/condition"])
def test_the_etag_that_the_browser_has_is_the_fetchs(stub, page):
    assert bridged(page).all("etag") == ['"0"']
    again = bridged(page, headers=[*BROWSER, (b"if-none-match", b'"0"')])
    assert again.status == 200 and again.all("etag") == ['"1"']  # the stub's next one


@pytest.mark.parametrize("page", ["/form", "/form-async"])
def test_cookies_of_middleware_go_with_a_handoff(stub, page):
    behind = " ".join(bridged(page).all("set-cookie"))
    before = str(Client().get(page).cookies)
    for cookies in (behind, before):
        assert "csrftoken=" in cookies and "sessionid=" in cookies
        assert page == "/form-async" or "messages=" in cookies
