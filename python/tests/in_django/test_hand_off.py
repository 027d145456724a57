"""HandOff: the response that a view gives."""

import asyncio
import json

import pytest
from django.core.exceptions import SynchronousOnlyOperation
from django.test import AsyncRequestFactory, RequestFactory

from django_curlew import HandOff, Session, ahead, context
from django_curlew.asgi import told_of_bridge
from django_curlew.handoff import RESUMING

URL = "https://files.internal/a"
LARGE = {"data": "x" * 5000}


def told(*args, **how):
    return HandOff(RequestFactory().get("/"), *(args or [URL]), **how).fetch


def test_what_it_says():
    response = HandOff(RequestFactory().get("/"), URL)
    assert response["X-Accel-Redirect"] == "/_handoff/"
    assert json.loads(response["X-Curlew-Request"]) == {"url": URL,
                                                        "forward_headers": list(RESUMING)}
    assert "Content-Type" not in response and response.content == b""


def test_the_location_is_a_setting(curlew):
    curlew(HAND_OFF="/elsewhere/")
    assert HandOff(RequestFactory().get("/"), URL)["X-Accel-Redirect"] == "/elsewhere/"


def test_requests_parameters_are_taken():
    said = told(URL, method="POST", params={"q": "ü"}, json={"a": 1}, headers={"X-A": "1"},
                auth=("u", "p"), timeout=(2, 8), allow_redirects=False, tag="t",
                forward_headers=[])
    assert said["url"] == URL + "?q=%C3%BC" and said["method"] == "POST"
    assert json.loads(said["body"]) == {"a": 1} and ["X-A", "1"] in said["headers"]
    assert said["auth"] == {"basic": ["u", "p"]} and said["follow_redirects"] is False
    assert said["timeout"] == {"connect": 2, "idle": 10} and said["tag"] == "t"
    assert "forward_headers" not in said and "decompress" not in said


def test_one_that_does_not_exist_is_named():
    with pytest.raises(TypeError, match="surprise"):
        told(URL, surprise=1)


def test_a_sessions_defaults_apply():
    session = Session(name="files", headers={"X-S": "1"}, cookies={"a": "b"}, verify=False)
    said = told(URL, session=session)
    assert said["session"] == "files" and said["verify"] is False and said["cookies"]
    assert ["X-S", "1"] in said["headers"]


def test_the_trace_goes_along_unless_the_view_says_its_own():
    with context.passing_on(request_id="job-7"):
        assert told()["headers"] == [["X-Request-ID", "job-7"]]
        assert told(URL, headers={"x-request-id": "8"})["headers"] == [["x-request-id", "8"]]


@pytest.mark.parametrize("more, inline", [(0, True), (1, False)])
def test_a_large_one_is_sent_ahead(daemon, curlew, more, inline):
    size = len(json.dumps(told()))
    curlew(URL=f"fcgi+unix:{daemon.socket}", HAND_OFF_INLINE=size - more)
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


def test_before_the_bridge_every_size_fits():
    request = AsyncRequestFactory().get("/")
    request.scope = told_of_bridge(request.scope)
    assert HandOff(request, URL, **LARGE)["X-Curlew-Request"].startswith("{")


def test_a_daemon_that_does_not_take_it(curlew):
    curlew(URL="fcgi+unix:/nowhere.sock")
    with pytest.raises(ahead.Refused, match="is curlewd running"):
        HandOff(RequestFactory().get("/"), URL, **LARGE)


def test_a_daemon_that_takes_no_more(curlewd, curlew):
    curlew(URL=f"fcgi+unix:{curlewd({'limits': {'request_bytes': 2000}}).socket}")
    with pytest.raises(ahead.Refused, match="2000"):
        HandOff(RequestFactory().get("/"), URL, **LARGE)
