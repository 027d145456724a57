"""The ASGI bridge: handoffs."""

import asyncio
import json
import logging
from urllib.parse import urlencode

import pytest
from asgi_harness import (
    LOCAL_HEADERS,
    acall,
    call,
    handoff_view,
    respond,
    run_to_exception,
    scope_of,
)
from asgiref.testing import ApplicationCommunicator

from django_curlew import conf
from django_curlew.asgi import MAX_INLINE_BYTES, CurlewBridge
from django_curlew.bridge.response_sender import ResponseAborted
from django_curlew.testing import override_curlew
from tests.support.origin.client import now


def test_what_is_handed_off_is_fetched(bridge, origin):
    response = call(bridge(handoff_view({"url": origin.url("/bytes/300000")})))
    assert (response.status, len(response.body)) == (200, 300000)
    assert response.all("content-length") == ["300000"]
    assert not [n for n, _ in response.headers if b"curlew" in n or b"accel" in n]


def test_a_handoff_may_have_any_path(bridge, origin):
    response = call(bridge(handoff_view({"url": origin.url("/hello")})), path="/reports/a\0b")
    assert (response.status, response.body) == (200, b"hello\n")


def test_an_empty_header_is_no_handoff(bridge):
    response = call(bridge(handoff_view("")))
    assert (response.status, response.body) == (200, b"the view's own")


def page_url(origin, *headers, status=200):
    return origin.url("/say?" + urlencode([("status", status), *(("h", h) for h in headers)]))


def test_headers_of_the_view_and_the_fetch_are_merged(bridge, origin):
    page = page_url(
        origin, "Set-Cookie:spy=1", "Cache-Control:public", "ETag:\"o\"", "X-Both:fetch",
        "Content-Type:text/x-o", "Vary:Accept", "Content-Disposition:inline", "Date:never")
    response = call(bridge(handoff_view(
        {"url": page}, (b"Set-Cookie", b"a=1"), (b"Set-Cookie", b"b=2"), (b"Vary", b"Cookie"),
        (b"Cache-Control", b"private"), (b"X-Both", b"view"), (b"Content-Type", b"text/html"),
        (b"Content-Length", b"14"), (b"ETag", b'"v"'), (b"Content-Disposition", b"attachment"),
        (b"X-Frame-Options", b"DENY"), (b"X-Accel-Redirect", b"/_handoff/"))))
    assert response.body == b"said\n"
    assert response.all("set-cookie") == ["a=1", "b=2"]
    assert response.all("cache-control") == ["private"] and response.all("x-both") == ["view"]
    assert response.all("vary") == ["Cookie", "Accept"]
    assert response.all("x-frame-options") == ["DENY"]
    assert response.all("content-disposition") == ["attachment"]
    assert response.all("content-type") == ["text/x-o"] and response.all("etag") == ['"o"']
    assert response.all("content-length") == ["5"] and not response.all("date")
    assert all(name == name.lower() for name, _ in response.headers)


@pytest.mark.parametrize("status", [201, 204, 304, 404, 503])
def test_the_status_is_the_fetchs(bridge, origin, status):
    response = call(bridge(handoff_view({"url": page_url(origin, status=status)})))
    assert (response.status, response.body) == (status, b"" if status in (204, 304) else b"said\n")


def test_ranges_and_other_headers_only_where_they_are_listed(bridge, origin):
    browser = [*LOCAL_HEADERS, (b"range", b"bytes=0-4"), (b"x-own", b"1")]
    request = {"url": origin.url("/ranges"), "forward_headers": ["range"]}
    response = call(bridge(handoff_view(request)), headers=browser)
    assert (response.status, response.body) == (206, b"01234")
    assert response.all("content-range") == ["bytes 0-4/1000"]
    request["forward_headers"] = []
    assert len(call(bridge(handoff_view(request)), headers=browser).body) == 1000


def test_nothing_else_of_the_browsers_request_is_sent(bridge, origin):
    view = handoff_view({"url": origin.url("/echo"), "forward_headers": ["x-a"]})
    browser = [*LOCAL_HEADERS, (b"x-a", "ü".encode()), (b"x-b", b"2"), (b"cookie", b"c=1"),
               (b"authorization", b"Basic eA==")]
    seen = call(bridge(view), b"body", method="PUT", query=b"q=1", headers=browser).json()
    headers = {n.lower(): v for n, v in seen["headers"]}
    assert (seen["method"], seen["target"], seen["body_base64"]) == ("GET", "/echo", "")
    assert headers["x-a"].encode("latin-1") == "ü".encode()
    assert not set(headers) & {"x-b", "cookie", "authorization", "content-length"}


def test_a_head_request_gets_the_head(bridge, origin):
    response = call(bridge(handoff_view({"url": origin.url("/bytes/5000")})), method="HEAD")
    assert (response.status, response.all("content-length"), response.body) == (200, ["5000"], b"")


@pytest.mark.parametrize("size", [10, MAX_INLINE_BYTES - 100, MAX_INLINE_BYTES + 100, 900_000])
def test_request_objects_of_every_size(bridge, origin, size):
    request = {"url": origin.url("/upload"), "body": "x" * size}
    assert call(bridge(handoff_view(request))).json()["bytes"] == size


def test_a_daemon_that_requires_tokens_gets_the_object_with_the_sites_token(
        curlewd, curlew, origin, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text("a-token-of-our-own-1 default\n")
    tokens.chmod(0o600)
    daemon = curlewd({"auth": {"tokens_file": str(tokens)}, "sessions": {"other": {}}})
    address = f"fcgi+unix:{daemon.socket}"
    request = {"url": origin.url("/upload"), "body": "x"}
    for settings in ({"URL": address}, {"BRIDGE_URL": address}):
        curlew(TOKEN="a-token-of-our-own-1", **settings)
        assert call(CurlewBridge(handoff_view(request))).json()["bytes"] == 1
        theirs = handoff_view({**request, "session": "other"})
        assert call(CurlewBridge(theirs)).status == 502  # not this token's


def test_a_reference_that_a_view_has_made_is_not_stored_again(bridge, origin, daemon):
    body = json.dumps({"url": origin.url("/hello")}).encode()
    stored = daemon.client.ask("POST", "/v1/handoffs", body=body)
    view = handoff_view(stored.json()["reference"])
    assert call(bridge(view)).body == b"hello\n"


def test_a_fetch_that_stalls_is_logged_with_its_reason(bridge, origin, caplog):
    request = {"url": origin.url("/drip?n=2&every=20"), "timeout": {"idle": 0.2}}
    err, _ = run_to_exception(bridge(handoff_view(request)))
    assert isinstance(err, ResponseAborted)
    (record,) = [r for r in caplog.records if "aborted a response" in r.getMessage()]
    assert "idle_timeout: no bytes for" in record.getMessage() and record.code == "idle_timeout"


def test_a_failure_before_the_head_must_not_be_cached(bridge, origin):
    view = handoff_view({"url": "http://10.1.2.3/"}, (b"cache-control", b"max-age=60"),
                        (b"expires", b"Thu, 01 Jan 2037 00:00:00 GMT"))
    response = call(bridge(view))
    assert (response.status, response.json()["code"]) == (403, "blocked")
    assert response.all("cache-control") == ["no-store"] and not response.all("expires")


@pytest.mark.parametrize("page", ["/cut?n=10", "/cut?n=10&framing=chunked", "/cut?n=9&how=reset"])
def test_a_fetch_that_fails_after_its_head_is_an_incomplete_response(bridge, origin, page):
    err, messages = run_to_exception(bridge(handoff_view({"url": origin.url(page)})))
    if messages[0]["status"] == 200:
        assert isinstance(err, ResponseAborted) and all(m["more_body"] for m in messages[1:])
    else:  # on a busy machine the break may be known before the head is passed on
        assert messages[0]["status"] == 502 and err is None


def test_a_client_that_disconnects_cancels_the_fetch(bridge, origin):
    target = "/pour?bridge"

    async def main():
        wrapped = bridge(handoff_view({"url": origin.url(target)}))
        communicator = ApplicationCommunicator(wrapped, scope_of())
        await communicator.send_input({"type": "http.request", "body": b""})
        for _ in range(3):
            await communicator.receive_output(5)
        left = now()
        await communicator.send_input({"type": "http.disconnect"})
        await communicator.wait(5)
        return left

    left = asyncio.run(main(), debug=True)
    assert origin.wait_for("left", target) - left < 0.5


def test_a_client_that_disconnected_during_the_view_starts_no_fetch(bridge, origin):
    async def view(scope, receive, send):
        while (await receive())["type"] != "http.disconnect":
            pass
        await respond(send, [(b"x-curlew-request", json.dumps(
            {"url": origin.url("/unwanted")}).encode())])

    async def main():
        communicator = ApplicationCommunicator(bridge(view), scope_of())
        await communicator.send_input({"type": "http.request", "body": b""})
        await communicator.send_input({"type": "http.disconnect"})
        await communicator.wait(5)

    asyncio.run(main())
    assert not origin.events("/unwanted")


def test_a_slow_client_slows_the_origin_down(bridge, origin):
    target = "/pour?slow"

    async def main():
        room = asyncio.Semaphore(3)
        sent = []

        async def send(message):
            await room.acquire()
            sent.append(len(message.get("body", b"")))

        async def receive():
            await asyncio.sleep(60)

        wrapped = bridge(handoff_view({"url": origin.url(target)}))
        task = asyncio.create_task(wrapped(scope_of(), receive, send))
        held, now = -1, 0
        for _ in range(20):  # until it stands still: a busy machine takes a while to fill all
            await asyncio.sleep(0.5)
            held, now = now, await asyncio.to_thread(origin.sent, target)
            if held == now > 0:
                break
        assert held == now < 8 << 20
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    origin.wait_for("left", target)


def test_the_view_is_done_before_the_first_byte(bridge, origin):
    events = []

    async def view(scope, receive, send):
        await respond(send, [(b"x-curlew-request", json.dumps(
            {"url": origin.url("/drip?n=3&every=0.1")}).encode())])
        events.append(("view", now()))

    assert call(bridge(view)).body == b"xxx"
    assert events[0][1] < now() - 0.15


@pytest.mark.parametrize("by", ["setting", "argument"])
def test_a_stub_answers_also_if_the_bridge_has_an_address_of_its_own(curlew, tmp_path, by):
    address = f"fcgi+unix:{tmp_path}/none"
    curlew(URL="http://127.0.0.1:1/_fetch", **({"BRIDGE_URL": address} if by == "setting" else {}))
    view = handoff_view({"url": "http://a.example/"})
    bridge = CurlewBridge(view, **({"url": address} if by == "argument" else {}))
    with override_curlew() as stub:
        stub.on("http://a.example/", text="stubbed")
        assert call(bridge).body == b"stubbed"
    assert call(bridge).status == 502


def test_handoff_may_be_the_web_servers(bridge):
    response = call(bridge(handoff_view("{}"), handoff=False))
    assert response.body == b"the view's own"
    with pytest.warns(DeprecationWarning, match="handoff="):
        wrapped = bridge(handoff_view("{}"), hand_off=False)
    assert call(wrapped).body == b"the view's own"


@pytest.mark.parametrize("path", ["/", "/_fetch/healthz"])
def test_a_daemon_that_is_down(curlew, caplog, path, tmp_path):
    curlew(URL=f"fcgi+unix:{tmp_path}/none.sock")
    wrapped = CurlewBridge(handoff_view("{}"), mount="/_fetch", open=True)
    response = call(wrapped, path=path)
    assert (response.status, response.json()["code"]) == (502, "unreachable")
    assert str(tmp_path) not in response.body.decode() and "none.sock" in caplog.text


def test_an_http_address_is_an_error_that_names_the_setting(curlew):
    curlew(URL="http://127.0.0.1:8080/_fetch")
    err, messages = run_to_exception(CurlewBridge(handoff_view("{}")))
    assert isinstance(err, conf.NotConfigured) and "BRIDGE_URL" in str(err) and not messages


@pytest.mark.parametrize("arguments, name", [
    ({}, 'CURLEW["BRIDGE_URL"]: invalid'), ({"url": "nonsense"}, "CurlewBridge(url=): invalid")])
def test_an_address_that_is_none_is_an_error_that_names_where_it_is_set(curlew, arguments, name):
    curlew(URL="fcgi+unix:/nowhere", BRIDGE_URL="wrong")
    err, messages = run_to_exception(CurlewBridge(handoff_view("{}"), **arguments))
    assert isinstance(err, conf.NotConfigured) and str(err).startswith(name) and not messages


def test_a_hundred_at_once(bridge, origin):
    wrapped = bridge(handoff_view({"url": origin.url("/delay/0.3")}))

    async def main():
        return await asyncio.gather(*(acall(wrapped) for _ in range(100)))

    logging.getLogger("asyncio").setLevel(logging.ERROR)
    assert {response.body for response in asyncio.run(main())} == {b"late\n"}
