"""The ASGI bridge: requests for the application, and the mount."""

import asyncio
import json

import pytest
from asgiref.compatibility import guarantee_single_callable, is_double_callable
from asgiref.testing import ApplicationCommunicator
from asgi_harness import LOCAL_HEADERS, application, call, run_to_exception, scope_of

from django_curlew.asgi import CurlewBridge
from django_curlew.bridge.scope import MAX_BODY


# -- requests for the application ---------------------------------------------------------------


def test_it_is_an_asgi_application(bridge):
    wrapped = bridge(application)
    assert not is_double_callable(wrapped)
    assert guarantee_single_callable(wrapped) is wrapped


def test_other_requests_are_the_applications(bridge):
    response = call(bridge(application), path="/_fetched")
    assert (response.json(), response.all("x-own")) == (["http", "/_fetched"], ["1"])


@pytest.mark.parametrize("kind", ["lifespan", "websocket"])
def test_other_scopes_are_the_applications_too(bridge, kind):
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


def test_an_error_of_the_application_is_passed_on(bridge):
    async def fails(scope, receive, send):
        raise LookupError("mine")

    err, messages = run_to_exception(bridge(fails))
    assert isinstance(err, LookupError) and not messages


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
    response = call(bridge(application), request, path="/_fetch/v1/fetch", method="POST")
    assert (response.status, response.json()["body"]) == (200, "hello\n")
    query = b"url=" + origin.url("/hello").encode()
    assert call(bridge(application), path="/_fetch/v1/fetch", query=query).json()["ok"]


def test_the_mount_may_have_another_path_and_a_root_path(bridge):
    for root, path in (("", "/curl/healthz"), ("/site", "/site/curl/healthz"),
                       ("/site", "/curl/healthz")):
        response = call(bridge(application, mount="/curl/"), path=path, root_path=root)
        assert response.json() == {"status": "ok"}


def test_the_mount_may_be_off(bridge):
    assert call(bridge(application, mount=None), path="/_fetch/healthz").json()[0] == "http"


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
    "forwarded": {"headers": [*LOCAL_HEADERS, (b"x-forwarded-for", b"127.0.0.1")]},
    "forwarded by the book": {"headers": [*LOCAL_HEADERS, (b"forwarded", b"for=127.0.0.1")]},
    "forwarded, in capitals": {"headers": [*LOCAL_HEADERS, (b"X-Forwarded-Proto", b"https")]},
    "by a proxy": {"headers": [*LOCAL_HEADERS, (b"via", b"1.1 p")]},
    "by nginx' habit": {"headers": [*LOCAL_HEADERS, (b"x-real-ip", b"127.0.0.1")]},
    "in an old version": {"http_version": "1.0"},
    "a page's script": {"headers": [*LOCAL_HEADERS, (b"origin", b"http://evil.example")]},
    "a page's image": {"headers": [*LOCAL_HEADERS, (b"sec-fetch-site", b"cross-site")]},
    "with a cookie": {"headers": [*LOCAL_HEADERS, (b"cookie", b"a=b")]},
    "for another host": {"headers": host(b"site.example")},
    "for a host that begins alike": {"headers": host(b"localhost.evil.example")},
    "for an address that begins alike": {"headers": host(b"127.0.0.1.evil.example:80")},
    "for no host": {"headers": []},
}


@pytest.mark.parametrize("client", OUTSIDE)
def test_the_mount_rejects_clients_outside(bridge, client, origin, caplog):
    query = b"url=" + origin.url("/stolen").encode()
    response = call(bridge(application), path="/_fetch/v1/fetch", query=query, **OUTSIDE[client])
    assert (response.status, response.json()["code"]) == (403, "forbidden")
    assert response.all("content-type") == ["application/problem+json"]
    assert "rejected a client of" in caplog.text
    assert not origin.events("/stolen")


@pytest.mark.parametrize("inside", [
    {"client": ("::1", 5)}, {"client": ("127.8.9.1", 5)}, {"client": ("::ffff:127.0.0.1", 5)},
    {"headers": host(b"[::1]:8000")}, {"headers": host(b"127.0.0.1")}, {"http_version": "2"},
    {"headers": host(b"LOCALHOST")}], ids=str)
def test_the_mount_accepts_programs_on_this_machine(bridge, inside):
    assert call(bridge(application), path="/_fetch/healthz", **inside).status == 200


@pytest.mark.parametrize("client", OUTSIDE)
def test_an_open_mount_accepts_all_clients(bridge, client):
    response = call(bridge(application, open=True), path="/_fetch/healthz", **OUTSIDE[client])
    assert response.status == 200


def test_an_open_mount_leaves_tokens_to_the_daemon(curlewd, curlew, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text("a-token-of-our-own-1 *\n")
    tokens.chmod(0o600)
    daemon = curlewd({"auth": {"tokens_file": str(tokens)}})
    curlew(URL=f"fcgi+unix:{daemon.socket}", TOKEN="not for strangers")
    wrapped = CurlewBridge(application, open=True)
    assert call(wrapped, path="/_fetch/v1/status").status == 401
    token = [*LOCAL_HEADERS, (b"authorization", b"Bearer a-token-of-our-own-1")]
    assert call(wrapped, path="/_fetch/v1/status", headers=token).status == 200


def test_no_header_of_a_client_becomes_a_handoff(bridge, origin):
    odd = [(name, json.dumps({"url": origin.url("/stolen")}).encode())
           for name in (b"curlew-request", b"curlew_request", b"x-curlew-request",
                        b"x_curlew_request", b"http-curlew-request")]
    for path in ("/", "/_fetch/healthz"):
        assert call(bridge(application), path=path, headers=[*LOCAL_HEADERS, *odd]).status == 200
    assert not origin.events("/stolen")


@pytest.mark.parametrize("more, status", [(0, 400), (1, 413)])
def test_a_body_has_the_daemons_limit(curlewd, curlew, more, status):
    curlew(URL=f"fcgi+unix:{curlewd().socket}")
    body = b" " * (MAX_BODY + more)
    response = call(CurlewBridge(application), body, path="/_fetch/v1/fetch",
                            method="POST")
    assert response.status == status


def test_a_client_that_disconnects_in_the_middle_of_its_request(bridge):
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
    response = call(bridge(application), path="/_fetch/v1/stream", query=query)
    assert response.all("x-twice") == ["one", "two"] and response.all("curlew-redirects") == ["0"]
    assert not response.all("date") and not response.all("server")
