"""HandOff: the response that a view gives."""

import asyncio
import json

import pytest
from django.core.exceptions import SynchronousOnlyOperation
from django.test import AsyncRequestFactory, RequestFactory

from django_curlew import HandOff, Session, context, handoff_store
from django_curlew.bridge.scope import mark_bridged
from django_curlew.handoff import RESUME_HEADERS

URL = "https://files.internal/a"
LARGE = {"data": "x" * 5000}


def fetch_of(*args, **kwargs):
    return HandOff(RequestFactory().get("/"), *(args or [URL]), **kwargs).fetch


def test_the_headers_of_a_handoff():
    response = HandOff(RequestFactory().get("/"), URL)
    assert response["X-Accel-Redirect"] == "/_handoff/"
    assert json.loads(response["X-Curlew-Request"]) == {"url": URL,
                                                        "forward_headers": list(RESUME_HEADERS)}
    assert "Content-Type" not in response and response.content == b""


def test_the_location_is_a_setting(curlew):
    curlew(HANDOFF="/elsewhere/")
    assert HandOff(RequestFactory().get("/"), URL)["X-Accel-Redirect"] == "/elsewhere/"


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


@pytest.mark.parametrize("more, inline", [(0, True), (1, False)])
def test_a_large_one_is_stored_in_the_daemon(daemon, curlew, more, inline):
    size = len(json.dumps(fetch_of()))
    curlew(URL=f"fcgi+unix:{daemon.socket}", HANDOFF_INLINE=size - more)
    header = HandOff(RequestFactory().get("/"), URL)["X-Curlew-Request"]
    assert header.startswith("{" if inline else "@")


def test_async_code_prepares_a_large_one(daemon, curlew):
    curlew(URL=f"fcgi+unix:{daemon.socket}")

    async def main():
        request = AsyncRequestFactory().get("/")
        with pytest.raises(SynchronousOnlyOperation, match="prepared"):
            HandOff(request, URL, **LARGE)
        small = await HandOff.prepared(request, URL)
        large = await HandOff.prepared(request, URL, **LARGE)
        assert small["X-Curlew-Request"].startswith("{") and small.fetch["url"] == URL
        assert large["X-Curlew-Request"].startswith("@") and large.fetch["body"] == LARGE["data"]

    asyncio.run(main(), debug=True)


def test_with_the_bridge_every_size_fits():
    request = AsyncRequestFactory().get("/")
    request.scope = mark_bridged(request.scope)
    assert HandOff(request, URL, **LARGE)["X-Curlew-Request"].startswith("{")


def test_a_large_one_without_a_daemon(curlew):
    curlew(URL="fcgi+unix:/nowhere.sock")
    with pytest.raises(handoff_store.HandoffStoreError, match="is curlewd running"):
        HandOff(RequestFactory().get("/"), URL, **LARGE)


def test_a_large_one_over_the_daemons_limit(curlewd, curlew):
    curlew(URL=f"fcgi+unix:{curlewd({'limits': {'request_bytes': 2000}}).socket}")
    with pytest.raises(handoff_store.HandoffStoreError, match="2000"):
        HandOff(RequestFactory().get("/"), URL, **LARGE)
