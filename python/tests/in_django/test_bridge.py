"""The ASGI bridge, spoken to as a server speaks: asgiref's communicator, and no server."""

import asyncio
import json
import logging
from urllib.parse import urlencode

import pytest
from asgiref.compatibility import guarantee_single_callable, is_double_callable
from asgiref.testing import ApplicationCommunicator

from django_curlew import conf
from django_curlew.asgi import INLINE, CurlewBridge
from django_curlew.bridge.scope import MAX_BODY
from django_curlew.bridge.servers import BrokenOff
from tests.support.origin.client import now

LOCAL = [(b"host", b"localhost:8000")]


async def application(scope, receive, send):
    """Says what it was given."""
    said = json.dumps([scope["type"], scope.get("path")]).encode()
    await answer(send, [(b"x-own", b"1")], said)


async def answer(send, headers, body=b"", status=200):
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def hands_off(request, *headers, body=b"the view's own"):
    """An application whose every response is a hand-off."""
    told = request if isinstance(request, str) else json.dumps(request)

    async def view(scope, receive, send):
        await answer(send, [(b"X-Curlew-Request", told.encode()), *headers], body)

    return view


@pytest.fixture
def bridge(daemon, curlew):
    """bridge(application, …) → it, before the tests' daemon."""
    curlew(URL=f"fcgi+unix:{daemon.socket}")
    return CurlewBridge


def scope_of(path="/", method="GET", headers=LOCAL, query=b"", **more):
    return {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
            "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": query,
            "root_path": "", "headers": list(headers), "client": ("127.0.0.1", 5), "server": None,
            "extensions": {}, **more}


class Answer:
    def __init__(self, start, body):
        self.status, self.headers, self.body = start["status"], start["headers"], body

    def all(self, name):
        return [v.decode() for n, v in self.headers if n == name.encode()]

    def json(self):
        return json.loads(self.body)


async def read_answer(communicator):
    start = await communicator.receive_output(10)
    assert start["type"] == "http.response.start", start
    body = b""
    while True:
        message = await communicator.receive_output(10)
        assert message["type"] == "http.response.body"
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return Answer(start, body)


async def ask_on_loop(application, body=b"", **more):
    communicator = ApplicationCommunicator(application, scope_of(**more))
    await communicator.send_input({"type": "http.request", "body": body})
    try:
        return await read_answer(communicator)
    finally:
        await communicator.wait(5)


def raised_by(application, **more):
    """What a server would have to deal with, and what it was told before."""
    told, incoming = [], [{"type": "http.request", "body": b""}]

    async def receive():
        return incoming.pop() if incoming else await asyncio.sleep(60)

    async def send(message):
        told.append(message)

    why = None
    try:
        asyncio.run(application(scope_of(**more), receive, send))
    except Exception as raised:  # noqa: BLE001
        why = raised
    return why, told


def ask(application, body=b"", **more):
    return asyncio.run(ask_on_loop(application, body, **more), debug=True)


# -- what passes untouched ----------------------------------------------------------------------


def test_it_is_an_asgi_application(bridge):
    made = bridge(application)
    assert not is_double_callable(made)
    assert guarantee_single_callable(made) is made


def test_other_requests_are_the_applications(bridge):
    told = ask(bridge(application), path="/_fetched")
    assert (told.json(), told.all("x-own")) == (["http", "/_fetched"], ["1"])


@pytest.mark.parametrize("kind", ["lifespan", "websocket"])
def test_other_scopes_are_too(bridge, kind):
    seen = []

    async def other(scope, receive, send):
        seen.append((scope, await receive()))
        await send({"type": f"{kind}.told"})

    async def main():
        scope = {"type": kind, "path": "/_fetch/v1/fetch"}
        communicator = ApplicationCommunicator(bridge(other), scope)
        await communicator.send_input({"type": f"{kind}.begins"})
        assert await communicator.receive_output(5) == {"type": f"{kind}.told"}
        await communicator.wait(5)
        assert seen == [(scope, {"type": f"{kind}.begins"})]

    asyncio.run(main())


def test_an_error_of_the_applications_is_its_own(bridge):
    async def fails(scope, receive, send):
        raise LookupError("mine")

    why, told = raised_by(bridge(fails))
    assert isinstance(why, LookupError) and not told


def test_a_response_that_streams_is_passed_on_piece_by_piece(bridge):
    async def streams(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"1", "more_body": True})
        await receive()
        await send({"type": "http.response.body", "body": b"2"})

    async def main():
        communicator = ApplicationCommunicator(bridge(streams), scope_of())
        assert (await communicator.receive_output(5))["status"] == 200
        assert (await communicator.receive_output(5))["body"] == b"1"
        await communicator.send_input({"type": "http.request", "body": b""})
        assert (await communicator.receive_output(5))["body"] == b"2"
        await communicator.wait(5)

    asyncio.run(main())


# -- the mount ----------------------------------------------------------------------------------


def test_the_mount_fetches(bridge, origin):
    request = json.dumps({"url": origin.url("/hello")}).encode()
    told = ask(bridge(application), request, path="/_fetch/v1/fetch", method="POST")
    assert (told.status, told.json()["body"]) == (200, "hello\n")
    query = b"url=" + origin.url("/hello").encode()
    assert ask(bridge(application), path="/_fetch/v1/fetch", query=query).json()["ok"]


def test_it_may_stand_elsewhere_and_below_a_root_path(bridge):
    for root, path in (("", "/curl/healthz"), ("/site", "/site/curl/healthz"),
                       ("/site", "/curl/healthz")):
        told = ask(bridge(application, mount="/curl/"), path=path, root_path=root)
        assert told.json() == {"status": "ok"}


def test_there_may_be_none(bridge):
    assert ask(bridge(application, mount=None), path="/_fetch/healthz").json()[0] == "http"


@pytest.mark.parametrize("mount", ["", "/", "_fetch"])
def test_a_mount_over_everything_is_refused(mount):
    with pytest.raises(ValueError, match="mount"):
        CurlewBridge(application, mount=mount)


def host(name):
    return [(b"host", name)]


OUTSIDE = {
    "another address": {"client": ("192.0.2.1", 5)},
    "another address, mapped": {"client": ("::ffff:192.0.2.1", 5)},
    "no address": {"client": None},
    "an odd address": {"client": ("testclient", 5)},
    "forwarded": {"headers": [*LOCAL, (b"x-forwarded-for", b"127.0.0.1")]},
    "forwarded by the book": {"headers": [*LOCAL, (b"forwarded", b"for=127.0.0.1")]},
    "forwarded, in capitals": {"headers": [*LOCAL, (b"X-Forwarded-Proto", b"https")]},
    "by a proxy": {"headers": [*LOCAL, (b"via", b"1.1 p")]},
    "by nginx' habit": {"headers": [*LOCAL, (b"x-real-ip", b"127.0.0.1")]},
    "in an old version": {"http_version": "1.0"},
    "a page's script": {"headers": [*LOCAL, (b"origin", b"http://evil.example")]},
    "a page's image": {"headers": [*LOCAL, (b"sec-fetch-site", b"cross-site")]},
    "with a cookie": {"headers": [*LOCAL, (b"cookie", b"a=b")]},
    "for another host": {"headers": host(b"site.example")},
    "for a host that begins alike": {"headers": host(b"localhost.evil.example")},
    "for an address that begins alike": {"headers": host(b"127.0.0.1.evil.example:80")},
    "for no host": {"headers": []},
}


@pytest.mark.parametrize("how", OUTSIDE)
def test_it_is_closed_to_the_outside(bridge, how, origin, caplog):
    query = b"url=" + origin.url("/stolen").encode()
    told = ask(bridge(application), path="/_fetch/v1/fetch", query=query, **OUTSIDE[how])
    assert (told.status, told.json()["code"]) == (403, "forbidden")
    assert told.all("content-type") == ["application/problem+json"]
    assert "closed to a client" in caplog.text
    assert not origin.events("/stolen")


@pytest.mark.parametrize("inside", [
    {"client": ("::1", 5)}, {"client": ("127.8.9.1", 5)}, {"client": ("::ffff:127.0.0.1", 5)},
    {"headers": host(b"[::1]:8000")}, {"headers": host(b"127.0.0.1")}, {"http_version": "2"},
    {"headers": host(b"LOCALHOST")}], ids=str)
def test_it_is_open_to_this_machine(bridge, inside):
    assert ask(bridge(application), path="/_fetch/healthz", **inside).status == 200


@pytest.mark.parametrize("how", OUTSIDE)
def test_it_may_be_opened(bridge, how):
    told = ask(bridge(application, open=True), path="/_fetch/healthz", **OUTSIDE[how])
    assert told.status == 200


def test_an_opened_one_leaves_tokens_to_the_daemon(curlewd, curlew, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text("a-token-of-our-own-1 *\n")
    tokens.chmod(0o600)
    daemon = curlewd({"auth": {"tokens_file": str(tokens)}})
    curlew(URL=f"fcgi+unix:{daemon.socket}", TOKEN="not for strangers")
    made = CurlewBridge(application, open=True)
    assert ask(made, path="/_fetch/v1/status").status == 401
    token = [*LOCAL, (b"authorization", b"Bearer a-token-of-our-own-1")]
    assert ask(made, path="/_fetch/v1/status", headers=token).status == 200


def test_no_header_of_a_client_becomes_a_hand_off(bridge, origin):
    odd = [(name, json.dumps({"url": origin.url("/stolen")}).encode())
           for name in (b"curlew-request", b"curlew_request", b"x-curlew-request",
                        b"x_curlew_request", b"http-curlew-request")]
    for path in ("/", "/_fetch/healthz"):
        assert ask(bridge(application), path=path, headers=[*LOCAL, *odd]).status == 200
    assert not origin.events("/stolen")


@pytest.mark.parametrize("more, status", [(0, 400), (1, 413)])
def test_a_body_has_the_daemons_limit(curlewd, curlew, more, status):
    curlew(URL=f"fcgi+unix:{curlewd().socket}")
    told = ask(CurlewBridge(application), b" " * (MAX_BODY + more), path="/_fetch/v1/fetch",
               method="POST")
    assert told.status == status


def test_a_client_that_leaves_before_it_has_said_all(bridge):
    async def main():
        scope = scope_of(path="/_fetch/v1/fetch", method="POST")
        communicator = ApplicationCommunicator(bridge(application), scope)
        await communicator.send_input({"type": "http.request", "body": b"{", "more_body": True})
        await communicator.send_input({"type": "http.disconnect"})
        await communicator.wait(5)
        assert await communicator.receive_nothing()

    asyncio.run(main())


def test_a_stream_passes_through_the_mount_with_the_facts(bridge, origin):
    query = b"url=" + origin.url("/odd-headers").encode()
    told = ask(bridge(application), path="/_fetch/v1/stream", query=query)
    assert told.all("x-twice") == ["one", "two"] and told.all("curlew-redirects") == ["0"]
    assert not told.all("date") and not told.all("server")


# -- hand-off -----------------------------------------------------------------------------------


def test_what_is_handed_off_is_fetched(bridge, origin):
    told = ask(bridge(hands_off({"url": origin.url("/bytes/300000")})))
    assert (told.status, len(told.body)) == (200, 300000)
    assert told.all("content-length") == ["300000"]
    assert not [n for n, _ in told.headers if b"curlew" in n or b"accel" in n]


def said(origin, *headers, status=200):
    return origin.url("/say?" + urlencode([("status", status), *(("h", h) for h in headers)]))


def test_who_says_what(bridge, origin):
    page = said(origin, "Set-Cookie:spy=1", "Cache-Control:public", "ETag:\"o\"", "X-Both:fetch",
                "Content-Type:text/x-o", "Vary:Accept", "Content-Disposition:inline", "Date:never")
    told = ask(bridge(hands_off(
        {"url": page}, (b"Set-Cookie", b"a=1"), (b"Set-Cookie", b"b=2"), (b"Vary", b"Cookie"),
        (b"Cache-Control", b"private"), (b"X-Both", b"view"), (b"Content-Type", b"text/html"),
        (b"Content-Length", b"14"), (b"ETag", b'"v"'), (b"Content-Disposition", b"attachment"),
        (b"X-Frame-Options", b"DENY"), (b"X-Accel-Redirect", b"/_handoff/"))))
    assert told.body == b"said\n"
    assert told.all("set-cookie") == ["a=1", "b=2"]
    assert told.all("cache-control") == ["private"] and told.all("x-both") == ["view"]
    assert told.all("vary") == ["Cookie", "Accept"] and told.all("x-frame-options") == ["DENY"]
    assert told.all("content-disposition") == ["attachment"]
    assert told.all("content-type") == ["text/x-o"] and told.all("etag") == ['"o"']
    assert told.all("content-length") == ["5"] and not told.all("date")
    assert all(name == name.lower() for name, _ in told.headers)


@pytest.mark.parametrize("status", [201, 204, 304, 404, 503])
def test_the_status_is_the_fetchs(bridge, origin, status):
    told = ask(bridge(hands_off({"url": said(origin, status=status)})))
    assert (told.status, told.body) == (status, b"" if status in (204, 304) else b"said\n")


def test_ranges_and_other_headers_only_where_they_are_listed(bridge, origin):
    browser = [*LOCAL, (b"range", b"bytes=0-4"), (b"x-own", b"1")]
    request = {"url": origin.url("/ranges"), "forward_headers": ["range"]}
    told = ask(bridge(hands_off(request)), headers=browser)
    assert (told.status, told.body) == (206, b"01234")
    assert told.all("content-range") == ["bytes 0-4/1000"]
    request["forward_headers"] = []
    assert len(ask(bridge(hands_off(request)), headers=browser).body) == 1000


def test_nothing_else_of_the_browsers_goes_along(bridge, origin):
    seen = ask(bridge(hands_off({"url": origin.url("/echo"), "forward_headers": ["x-a"]})), b"body",
               method="PUT", query=b"q=1",
               headers=[*LOCAL, (b"x-a", "ü".encode()), (b"x-b", b"2"), (b"cookie", b"c=1"),
                        (b"authorization", b"Basic eA==")]).json()
    headers = {n.lower(): v for n, v in seen["headers"]}
    assert (seen["method"], seen["target"], seen["body_base64"]) == ("GET", "/echo", "")
    assert headers["x-a"].encode("latin-1") == "ü".encode()
    assert not set(headers) & {"x-b", "cookie", "authorization", "content-length"}


def test_a_head_request_gets_the_head(bridge, origin):
    told = ask(bridge(hands_off({"url": origin.url("/bytes/5000")})), method="HEAD")
    assert (told.status, told.all("content-length"), told.body) == (200, ["5000"], b"")


@pytest.mark.parametrize("size", [10, INLINE - 100, INLINE + 100, 900_000])
def test_request_objects_of_every_size(bridge, origin, size):
    request = {"url": origin.url("/upload"), "body": "x" * size}
    assert ask(bridge(hands_off(request))).json()["bytes"] == size


def test_a_failure_before_the_head_must_not_be_kept(bridge, origin):
    told = ask(bridge(hands_off({"url": "http://10.1.2.3/"}, (b"cache-control", b"max-age=60"),
                                (b"expires", b"Thu, 01 Jan 2037 00:00:00 GMT"))))
    assert (told.status, told.json()["code"]) == (403, "blocked")
    assert told.all("cache-control") == ["no-store"] and not told.all("expires")


@pytest.mark.parametrize("page", ["/cut?n=10", "/cut?n=10&framing=chunked", "/cut?n=9&how=reset"])
def test_one_that_breaks_off_never_ends_well(bridge, origin, page):
    why, told = raised_by(bridge(hands_off({"url": origin.url(page)})))
    if told[0]["status"] == 200:
        assert isinstance(why, BrokenOff) and all(m["more_body"] for m in told[1:])
    else:  # on a busy machine the break may be known before the head is passed on
        assert told[0]["status"] == 502 and why is None


def test_a_client_that_leaves_takes_the_fetch_with_it(bridge, origin):
    target = "/pour?bridge"

    async def main():
        made = bridge(hands_off({"url": origin.url(target)}))
        communicator = ApplicationCommunicator(made, scope_of())
        await communicator.send_input({"type": "http.request", "body": b""})
        for _ in range(3):
            await communicator.receive_output(5)
        left = now()
        await communicator.send_input({"type": "http.disconnect"})
        await communicator.wait(5)
        return left

    left = asyncio.run(main(), debug=True)
    assert origin.wait_for("left", target) - left < 0.5


def test_one_that_left_while_the_view_was_busy_starts_none(bridge, origin):
    async def view(scope, receive, send):
        while (await receive())["type"] != "http.disconnect":
            pass
        await answer(send, [(b"x-curlew-request", json.dumps(
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

        made = bridge(hands_off({"url": origin.url(target)}))
        task = asyncio.create_task(made(scope_of(), receive, send))
        await asyncio.sleep(0.7)
        held = await asyncio.to_thread(origin.sent, target)
        await asyncio.sleep(0.7)
        assert await asyncio.to_thread(origin.sent, target) == held < 8 << 20
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


def test_the_view_is_done_before_the_first_byte(bridge, origin):
    events = []

    async def view(scope, receive, send):
        await answer(send, [(b"x-curlew-request", json.dumps(
            {"url": origin.url("/drip?n=3&every=0.1")}).encode())])
        events.append(("view", now()))

    assert ask(bridge(view)).body == b"xxx"
    assert events[0][1] < now() - 0.15


def test_hand_off_may_be_the_web_servers(bridge):
    told = ask(bridge(hands_off("{}"), hand_off=False))
    assert told.body == b"the view's own"


@pytest.mark.parametrize("path", ["/", "/_fetch/healthz"])
def test_a_daemon_that_is_down(curlew, caplog, path, tmp_path):
    curlew(URL=f"fcgi+unix:{tmp_path}/none.sock")
    told = ask(CurlewBridge(hands_off("{}")), path=path)
    assert (told.status, told.json()["code"]) == (502, "unreachable")
    assert str(tmp_path) not in told.body.decode() and "none.sock" in caplog.text


def test_a_way_over_http_is_an_error_that_says_what_to_do(curlew):
    curlew(URL="http://127.0.0.1:8080/_fetch")
    why, told = raised_by(CurlewBridge(application), path="/_fetch/healthz")
    assert isinstance(why, conf.NotConfigured) and "BRIDGE_URL" in str(why) and not told


def test_a_hundred_at_once(bridge, origin):
    made = bridge(hands_off({"url": origin.url("/delay/0.3")}))

    async def main():
        return await asyncio.gather(*(ask_on_loop(made) for _ in range(100)))

    logging.getLogger("asyncio").setLevel(logging.ERROR)
    assert {told.body for told in asyncio.run(main())} == {b"late\n"}
