"""HandOff: the response that a view gives."""

import asyncio
import io
import json
import logging

import pytest
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.exceptions import SynchronousOnlyOperation
from django.test import AsyncRequestFactory, Client, RequestFactory
from django.test.utils import override_settings
from django.urls import path

from django_curlew import HandOff, Session, context, handoff_store
from django_curlew import daemon as daemon_client
from django_curlew.bridge.scope import mark_bridged
from django_curlew.handoff import RESUME_HEADERS
from django_curlew.testing import override_curlew
from django_curlew.testing.fake import fake_failure, fetch_response
from django_curlew.testing.stub import Stub

from tests.support import fcgi

URL = "https://files.internal/a"


@pytest.fixture
def stub():
    with override_curlew() as curlew:
        yield curlew


def bridged(request):
    request.scope = mark_bridged({})
    return request


def fetch_of(*args, **kwargs):
    """The request object, without a daemon."""
    return HandOff(bridged(RequestFactory().get("/")), *(args or [URL]), **kwargs).fetch


# -- the response ----------------------------------------------------------------------------------


def test_the_response_has_a_reference_and_nothing_of_the_request_object(stub):
    response = HandOff(RequestFactory().get("/"), URL, auth=("site", "S3CRET"))
    assert response["X-Accel-Redirect"] == "/_handoff/"
    assert response["X-Curlew-Request"].startswith("@")
    assert "Content-Type" not in response
    shown = response.serialize() + response["X-Curlew-Request"].encode()
    assert b"S3CRET" not in shown and b"files.internal" not in shown
    assert response.fetch["auth"] == {"basic": ["site", "S3CRET"]}


def test_until_it_is_delivered_it_is_a_501_that_says_what_to_configure(stub, curlew):
    curlew(HANDOFF="/elsewhere/")
    response = HandOff(RequestFactory().get("/"), URL)
    response["Cache-Control"] = "public, max-age=60"
    text = response.content.decode()
    assert response.status_code == 501
    assert "X-Accel-Redirect: /elsewhere/" in text and "nginx" in text and "CurlewBridge" in text
    assert response["Vary"] == "*"  # no cache uses it again, whatever the view says
    assert len(response.content) < 200  # GZipMiddleware leaves it alone


@pytest.mark.parametrize("location", ["/_handoff/", "/a/location/of/some/length/"])
def test_each_has_a_reference_of_its_own(stub, location):
    request = RequestFactory().get("/")
    assert len({HandOff(request, URL)["X-Curlew-Request"] for _ in range(20)}) == 20


def test_the_location_is_a_setting(stub, curlew):
    curlew(HANDOFF="/elsewhere/")
    assert HandOff(RequestFactory().get("/"), URL)["X-Accel-Redirect"] == "/elsewhere/"


def test_a_reference_that_was_made_before_is_used(stub):
    response = HandOff(RequestFactory().get("/"), URL, reference="@abc")
    assert response["X-Curlew-Request"] == "@abc" and response.status_code == 501


# -- in Django -------------------------------------------------------------------------------------


def view(request):
    return HandOff(request, URL)


def session_view(request):
    request.session["seen"] = "yes"
    return HandOff(request, URL)


async def async_session_view(request):
    request.session["seen"] = "yes"
    return await HandOff.prepared(request, URL)


urlpatterns = [path("plain", view), path("session", session_view),
               path("session-async", async_session_view)]
SESSIONS = {"ROOT_URLCONF": __name__,
            "SESSION_ENGINE": "django.contrib.sessions.backends.signed_cookies",
            "MIDDLEWARE": ["django.middleware.gzip.GZipMiddleware",
                           "django.contrib.sessions.middleware.SessionMiddleware"]}


def test_django_logs_no_error_which_it_would_mail_to_admins(stub, caplog):
    with override_settings(ROOT_URLCONF=__name__), caplog.at_level(logging.WARNING):
        response = Client().get("/plain", headers={"accept-encoding": "gzip"})
    assert response.status_code == 501 and not caplog.records
    assert "Content-Encoding" not in response


@pytest.mark.parametrize("page", ["/session", "/session-async"])
def test_the_session_is_saved_although_django_saves_none_for_a_5xx(stub, page):
    with override_settings(**SESSIONS):
        client = Client()
        response = client.get(page)
        assert response.status_code == 501
        assert SessionStore(response.cookies["sessionid"].value)["seen"] == "yes"
        assert response["Vary"] == "*"
        assert "sessionid" not in client.get("/plain").cookies  # nothing was changed


class Counting(SessionMiddleware):
    """A project's own kind of session middleware."""

    calls = []

    def process_response(self, request, response):
        self.calls.append(response.status_code)
        return super().process_response(request, response)


def test_a_projects_own_session_middleware_saves_it(stub):
    settings = {**SESSIONS, "MIDDLEWARE": [f"{__name__}.Counting"]}
    with override_settings(**settings):
        assert "sessionid" in Client().get("/session").cookies
    assert Counting.calls == [200, 501]


def test_a_dict_in_place_of_the_session_as_tests_have_it(stub):
    for save_every_request in (False, True):
        with override_settings(SESSION_SAVE_EVERY_REQUEST=save_every_request):
            request = RequestFactory().get("/")
            request.session = {"seen": 1}
            assert HandOff(request, URL).status_code == 501
            assert asyncio.run(HandOff.prepared(request, URL)).status_code == 501


def test_without_session_middleware_there_is_nothing_to_save(stub):
    request = RequestFactory().get("/")
    request.session = SessionStore()
    request.session["a"] = 1
    with override_settings(MIDDLEWARE=[]):
        assert not HandOff(request, URL).cookies


# -- the request object ----------------------------------------------------------------------------

def test_by_default_headers_that_resume_a_download_are_forwarded():
    assert fetch_of() == {"url": URL, "forward_headers": list(RESUME_HEADERS)}


@pytest.mark.parametrize("names", ["range", b"range"])
def test_one_name_is_no_list_of_headers_to_forward(names):
    with pytest.raises(TypeError, match=r"forward_headers must be a list of names: \[b?'range'\]"):
        fetch_of(forward_headers=names)
    request = bridged(AsyncRequestFactory().get("/"))
    with pytest.raises(TypeError, match="must be a list"):
        asyncio.run(HandOff.prepared(request, URL, forward_headers=names))


def test_requests_parameters_are_taken():
    fetch = fetch_of(URL, method="POST", params={"q": "ü"}, json={"a": 1}, headers={"X-A": "1"},
                auth=("u", "p"), timeout=(2, 8), allow_redirects=False, tag="t",
                forward_headers=[])
    assert fetch["url"] == URL + "?q=%C3%BC" and fetch["method"] == "POST"
    assert json.loads(fetch["body"]) == {"a": 1} and ["X-A", "1"] in fetch["headers"]
    assert fetch["auth"] == {"basic": ["u", "p"]} and fetch["follow_redirects"] is False
    assert fetch["timeout"] == {"connect": 2, "idle": 10} and fetch["tag"] == "t"
    assert "forward_headers" not in fetch and "decompress" not in fetch


def test_an_unknown_parameter_is_named():
    with pytest.raises(TypeError, match="surprise"):
        fetch_of(URL, surprise=1)


def test_a_sessions_defaults_apply():
    session = Session(name="files", headers={"X-S": "1"}, cookies={"a": "b"}, verify=False)
    fetch = fetch_of(URL, session=session)
    assert fetch["session"] == "files" and fetch["verify"] is False and fetch["cookies"]
    assert ["X-S", "1"] in fetch["headers"]


def test_the_trace_is_sent_unless_the_view_sets_its_own():
    with context.propagate(request_id="job-7"):
        assert fetch_of()["headers"] == [["X-Request-ID", "job-7"]]
        assert fetch_of(URL, headers={"x-request-id": "8"})["headers"] == [["x-request-id", "8"]]


# -- storing it -----------------------------------------------------------------------------------


def delivered(daemon, response):
    """As nginx delivers it."""
    params = {**fcgi.cgi_params("GET", "/_handoff/"),
              "CURLEW_REQUEST": response["X-Curlew-Request"]}
    with fcgi.Connection(daemon.socket) as c:
        c.send(fcgi.request(params))
        return c.read_response()


@pytest.mark.parametrize("size", [0, 5000, 300000])
def test_request_objects_of_every_size_are_stored_in_the_daemon(daemon, origin, curlew, size):
    curlew(URL=f"fcgi+unix:{daemon.socket}")
    response = HandOff(RequestFactory().get("/"), origin.url("/upload"), method="POST",
                       data="x" * size)
    assert len(response["X-Curlew-Request"]) == 33
    assert json.loads(delivered(daemon, response).body)["bytes"] == size
    assert delivered(daemon, response).status == 400  # single use


def test_by_http_through_the_web_server(daemon, origin, nginx, curlew):
    curlew(URL=f"{nginx(daemon).url}/_fetch")
    response = HandOff(RequestFactory().get("/"), origin.url("/hello"))
    assert delivered(daemon, response).body == b"hello\n"


def test_with_the_sites_token(curlewd, origin, curlew, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text("a-token-of-our-own-1 files\n")
    daemon = curlewd({"auth": {"tokens_file": str(tokens)}, "sessions": {"files": {}}})
    curlew(URL=f"fcgi+unix:{daemon.socket}", TOKEN="a-token-of-our-own-1")
    files = Session(name="files")
    response = HandOff(RequestFactory().get("/"), origin.url("/hello"), session=files)
    assert delivered(daemon, response).body == b"hello\n"
    with pytest.raises(handoff_store.HandoffStoreError, match="default"):
        HandOff(RequestFactory().get("/"), origin.url("/hello"))
    curlew(URL=f"fcgi+unix:{daemon.socket}")
    with pytest.raises(handoff_store.HandoffStoreError, match="no bearer token"):
        HandOff(RequestFactory().get("/"), origin.url("/hello"), session=files)


def test_async_code_prepares_it(daemon, curlew):
    curlew(URL=f"fcgi+unix:{daemon.socket}")

    async def main():
        request = AsyncRequestFactory().get("/")
        with pytest.raises(SynchronousOnlyOperation, match="prepared"):
            HandOff(request, URL)
        response = await HandOff.prepared(request, URL, headers={"X-A": "1"})
        assert response["X-Curlew-Request"].startswith("@") and response.status_code == 501
        assert response.fetch["headers"] == [["X-A", "1"]]

    asyncio.run(main(), debug=True)


def test_what_is_prepared_shows_the_body_of_a_file_as_it_was_stored(stub):
    for parameters in ({"data": io.BytesIO(b"abc")}, {"files": {"a": io.BytesIO(b"abc")}}):
        preparing = HandOff.prepared(RequestFactory().get("/"), URL, method="POST", **parameters)
        fetch = asyncio.run(preparing).fetch
        assert "abc" in (fetch["body"] if "body" in fetch else fetch["multipart"][0]["value"])


def test_the_event_loop_goes_on_while_the_daemon_stores_it(curlew, tmp_path):
    """A daemon that does not answer; the loop's other tasks run meanwhile."""
    turns, kept = [], []  # a writer that is collected closes its connection, since Python 3.13

    async def main():
        served = await asyncio.start_unix_server(lambda *streams: kept.append(streams),
                                                 str(tmp_path / "silent.sock"))
        curlew(URL=f"fcgi+unix:{tmp_path}/silent.sock")
        task = asyncio.ensure_future(HandOff.prepared(AsyncRequestFactory().get("/"), URL))
        for _ in range(50):
            await asyncio.sleep(0.001)
            turns.append(task.done())
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        for _, writer in kept:
            writer.close()
        served.close()

    asyncio.run(main(), debug=True)
    assert turns == [False] * 50


def test_behind_the_bridge_the_object_itself_is_sent_and_nothing_is_stored(curlew):
    curlew(URL="fcgi+unix:/nowhere.sock")

    async def main():
        request = bridged(AsyncRequestFactory().get("/"))
        for response in (HandOff(request, URL, data="x" * 5000),
                         await HandOff.prepared(request, URL, data="x" * 5000)):
            assert json.loads(response["X-Curlew-Request"]) == response.fetch
            assert response.status_code == 202 and "Vary" not in response

    asyncio.run(main())


class Stopping(Stub):
    """A daemon that is stopping answers the first requests, its successor the later ones."""

    def __init__(self, left):
        super().__init__()
        self.left = left

    def _respond(self, request):
        if self.left == 0:
            return super()._respond(request)
        self.left -= 1
        return fetch_response(fake_failure("draining"), frames=False)


@pytest.mark.parametrize("left, is_stored", [(0, True), (1, True), (2, False)])
def test_a_daemon_that_is_stopping_is_asked_once_more(left, is_stored):
    async def prepare():
        return await HandOff.prepared(AsyncRequestFactory().get("/"), URL)

    for make in (lambda: HandOff(RequestFactory().get("/"), URL), lambda: asyncio.run(prepare())):
        with daemon_client.using(Stopping(left)):
            if is_stored:
                assert make()["X-Curlew-Request"].startswith("@")
            else:
                with pytest.raises(handoff_store.HandoffStoreError, match="draining"):
                    make()


def test_without_a_daemon(curlew):
    curlew(URL="fcgi+unix:/nowhere.sock")
    with pytest.raises(handoff_store.HandoffStoreError, match="curlewd is not running"):
        HandOff(RequestFactory().get("/"), URL)


def test_one_over_the_daemons_limit(curlewd, curlew):
    curlew(URL=f"fcgi+unix:{curlewd({'limits': {'request_bytes': 2000}}).socket}")
    with pytest.raises(handoff_store.HandoffStoreError, match="2000"):
        HandOff(RequestFactory().get("/"), URL, data="x" * 5000)
