"""The ASGI bridge: requests for the application, and the mount."""

import asyncio
import json

import pytest
from asgiref.compatibility import guarantee_single_callable, is_double_callable
from asgiref.testing import ApplicationCommunicator
from asgi_harness import LOCAL_HEADERS, application, call, run_to_exception, scope_of

from django_curlew.asgi import CurlewBridge
from django_curlew.bridge.scope import cgi_params


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

SECRET = "a-secret-of-the-tests"
BEARER = (b"authorization", b"Bearer " + SECRET.encode())
WITH_SECRET = [*LOCAL_HEADERS, BEARER]


@pytest.fixture
def mounted(bridge):
    """The application with a mount at /_fetch that has a secret."""
    return bridge(application, mount="/_fetch", secret=SECRET)


@pytest.fixture
def opened(bridge):
    return bridge(application, mount="/_fetch", open=True)


def test_there_is_no_mount_by_default(bridge):
    response = call(bridge(application), path="/_fetch/healthz", headers=WITH_SECRET)
    assert response.json() == ["http", "/_fetch/healthz"]


def test_the_mount_fetches(mounted, origin):
    request = json.dumps({"url": origin.url("/hello")}).encode()
    response = call(mounted, request, path="/_fetch/v1/fetch", method="POST", headers=WITH_SECRET)
    assert (response.status, response.json()["body"]) == (200, "hello\n")
    query = b"url=" + origin.url("/hello").encode()
    response = call(mounted, path="/_fetch/v1/fetch", query=query, headers=WITH_SECRET)
    assert response.json()["ok"]


def test_the_mount_may_have_another_path_and_a_root_path(bridge):
    wrapped = bridge(application, mount="/curl/", secret=SECRET)
    for root, path in (("", "/curl/healthz"), ("/site", "/site/curl/healthz"),
                       ("/site", "/curl/healthz")):
        response = call(wrapped, path=path, root_path=root, headers=WITH_SECRET)
        assert response.json() == {"status": "ok"}
        assert call(wrapped, path=path, root_path=root).status == 401


@pytest.mark.parametrize("arguments, words", [
    ({"mount": ""}, "mount must be"), ({"mount": "/"}, "mount must be"),
    ({"mount": "_fetch"}, "mount must be"), ({"mount": "/a//b"}, "mount must be"),
    ({"mount": "/a/../b"}, "mount must be"), ({"mount": "/%5ffetch"}, "mount must be"),
    ({"mount": "/_fetch"}, "a mount needs secret="),
    ({"mount": "/_fetch", "secret": ""}, "at least 16 characters"),
    ({"mount": "/_fetch", "secret": "x" * 15}, "at least 16 characters"),
    ({"mount": "/_fetch", "secret": "x" * 16 + " "}, "visible ASCII"),
    ({"mount": "/_fetch", "secret": "ü" * 16}, "visible ASCII"),
    ({"mount": "/_fetch", "secret": SECRET, "open": True}, "not both"),
    ({"secret": SECRET}, "about a mount"), ({"open": True}, "about a mount")], ids=str)
def test_arguments_that_leave_open_who_may_use_the_mount(arguments, words):
    with pytest.raises(ValueError, match=words):
        CurlewBridge(application, **arguments)


def test_a_secret_of_the_least_length_is_accepted():
    CurlewBridge(application, mount="/_fetch", secret="x" * 16)


STRANGERS = {
    "nothing": [],
    "another secret": [(b"authorization", b"Bearer another-secret-of-mine")],
    "the beginning": [(b"authorization", BEARER[1][:-1])],
    "more than the secret": [(b"authorization", BEARER[1] + b"x")],
    "no secret": [(b"authorization", b"Bearer ")],
    "another scheme": [(b"authorization", b"Basic " + SECRET.encode())],
    "no scheme": [(b"authorization", SECRET.encode())],
    "two headers": [BEARER, BEARER],
    "no ASCII": [(b"authorization", "Bearer grüße".encode())],
    "an underscore": [(b"http_authorization", BEARER[1])],
}


@pytest.mark.parametrize("stranger", STRANGERS)
def test_the_mount_rejects_who_has_not_the_secret(mounted, stranger, origin, caplog):
    query = b"url=" + origin.url("/stolen").encode()
    headers = [*LOCAL_HEADERS, *STRANGERS[stranger]]
    response = call(mounted, path="/_fetch/v1/fetch", query=query, headers=headers)
    assert (response.status, response.json()["code"]) == (401, "unauthorized")
    assert response.all("content-type") == ["application/problem+json"]
    assert response.all("www-authenticate") == ['Bearer realm="curlew"']
    assert "rejected a client of /_fetch, 127.0.0.1" in caplog.text
    assert SECRET not in caplog.text and not origin.events("/stolen")


@pytest.mark.parametrize("headers", [
    [(b"Authorization", BEARER[1])], [(b"authorization", b"bearer  " + SECRET.encode())]], ids=str)
@pytest.mark.parametrize("client", [("192.0.2.1", 5), None], ids=str)
def test_the_secret_alone_decides(mounted, headers, client):
    proxied = [*LOCAL_HEADERS, (b"x-forwarded-for", b"192.0.2.1"), (b"via", b"1.1 p"), *headers]
    response = call(mounted, path="/_fetch/healthz", headers=proxied, client=client)
    assert response.json() == {"status": "ok"}


SPELLINGS = [  # the path as it is sent, and as an ASGI server decodes it
    ("/%5ffetch/healthz", "/_fetch/healthz"),
    ("/_fetch%2fhealthz", "/_fetch/healthz"),
    ("/%5Ffetch%2Fhealthz", "/_fetch/healthz"),
    ("//_fetch/healthz", "//_fetch/healthz"),
    ("/_fetch//healthz", "/_fetch//healthz"),
    ("/./_fetch/healthz", "/./_fetch/healthz"),
    ("/%2e/_fetch/healthz", "/./_fetch/healthz"),
    ("/x/../_fetch/healthz", "/x/../_fetch/healthz"),
    ("/x/%2e%2e/_fetch/healthz", "/x/../_fetch/healthz"),
    ("/../_fetch/healthz", "/../_fetch/healthz"),
    ("/_fetch/x/../healthz", "/_fetch/x/../healthz"),
]
PLAIN = ("/_fetch//healthz", "/_fetch/x/../healthz")  # whose mount is written as it is


def spelled(sent, path):
    return {"path": path, "raw_path": sent.encode()}


@pytest.mark.parametrize("sent, path", SPELLINGS)
def test_no_spelling_of_the_path_leads_past_the_secret(mounted, sent, path):
    assert call(mounted, **spelled(sent, path)).status == 401
    response = call(mounted, headers=WITH_SECRET, **spelled(sent, path))
    assert response.json() == {"status": "ok"}


@pytest.mark.parametrize("sent, path", SPELLINGS)
def test_an_open_mount_wants_its_path_written_plainly(opened, sent, path):
    response = call(opened, **spelled(sent, path))
    if sent in PLAIN:
        assert response.json() == {"status": "ok"}
    else:
        assert (response.status, response.json()["code"]) == (404, "not_found")
        assert "write the path plainly" in response.json()["detail"]


@pytest.mark.parametrize("path", [
    "/_FETCH/healthz", "/_fetched", "/x/_fetch/healthz", "/%5ffetch/healthz", "/_fetch%2fhealthz",
    "/_fetch/../healthz", "/_fetch/../../healthz", "/\\_fetch/healthz", "/_fetch;a=1/healthz",
    "/ _fetch/healthz"])
@pytest.mark.parametrize("which", ["mounted", "opened"])
def test_another_path_is_the_applications_as_it_is(which, path, request):
    response = call(request.getfixturevalue(which), path=path, raw_path=path.encode())
    assert response.json() == ["http", path]


def test_a_root_path_that_the_client_names_opens_nothing(opened, mounted):
    """daphne reads it from this header."""
    headers = [*LOCAL_HEADERS, (b"daphne-root-path", b"/x")]
    more = {"path": "/x/_fetch/healthz", "root_path": "/x", "headers": headers}
    assert call(opened, **more).status == 404
    assert call(mounted, **more).status == 401


@pytest.mark.parametrize("host", [
    b"[::1]evil", b"localhost:x@evil", b"localhost, evil", b"localhost evil", b"localhost:",
    b"localhost:123456", b"", b"[evil]", b"localhost/evil", b"a\\b"])
@pytest.mark.parametrize("which", ["mounted", "opened"])
def test_a_host_that_is_none_is_refused(which, host, request):
    headers = [(b"host", host), BEARER]
    response = call(request.getfixturevalue(which), path="/_fetch/healthz", headers=headers)
    assert (response.status, response.json()["code"]) == (400, "bad_request")


@pytest.mark.parametrize("which", ["mounted", "opened"])
def test_two_hosts_are_refused(which, request):
    headers = [*LOCAL_HEADERS, (b"Host", b"evil.example"), BEARER]
    response = call(request.getfixturevalue(which), path="/_fetch/healthz", headers=headers)
    assert response.status == 400


@pytest.mark.parametrize("host", [b"site.example", b"[::1]:8000", b"127.0.0.1", b"a_b:80"])
def test_other_hosts_are_accepted(mounted, host):
    response = call(mounted, path="/_fetch/healthz", headers=[(b"host", host), BEARER])
    assert response.status == 200


# -- the mount, and a daemon that requires tokens -----------------------------------------------

TOKEN = "a-token-of-our-own-1"


@pytest.fixture
def with_tokens(curlewd, tmp_path):
    """A daemon that requires TOKEN."""
    tokens = tmp_path / "tokens"
    tokens.write_text(f"{TOKEN} *\n")
    tokens.chmod(0o600)
    return curlewd({"auth": {"tokens_file": str(tokens)}})


def test_an_open_mount_leaves_tokens_to_the_daemon(with_tokens, curlew):
    curlew(URL=f"fcgi+unix:{with_tokens.socket}", TOKEN=TOKEN)
    wrapped = CurlewBridge(application, mount="/_fetch", open=True)
    assert call(wrapped, path="/_fetch/v1/status").status == 401  # TOKEN isn't for strangers
    token = [*LOCAL_HEADERS, (b"authorization", f"Bearer {TOKEN}".encode())]
    assert call(wrapped, path="/_fetch/v1/status", headers=token).status == 200


@pytest.mark.parametrize("by", ["URL", "BRIDGE_URL", "url="])
@pytest.mark.parametrize("token, status", [(TOKEN, 200), (None, 401)])
def test_with_the_secret_the_sites_own_token_is_sent(with_tokens, curlew, by, token, status):
    address = f"fcgi+unix:{with_tokens.socket}"
    settings = {} if by == "url=" else {by: address}
    curlew(TOKEN=token, **settings)
    wrapped = CurlewBridge(application, mount="/_fetch", secret=SECRET,
                           url=address if by == "url=" else None)
    assert call(wrapped, path="/_fetch/v1/status").json()["detail"].startswith("the mount's secret")
    response = call(wrapped, path="/_fetch/v1/status", headers=WITH_SECRET)
    assert response.status == status


def test_the_secret_is_not_passed_on_even_if_it_is_a_token(with_tokens, curlew):
    curlew(URL=f"fcgi+unix:{with_tokens.socket}")
    wrapped = CurlewBridge(application, mount="/_fetch", secret=TOKEN)
    token = [*LOCAL_HEADERS, (b"authorization", f"Bearer {TOKEN}".encode())]
    assert call(wrapped, path="/_fetch/v1/status", headers=token).status == 401


def test_djangos_client_gets_through_with_the_secret_as_its_token(mounted, origin, curlew):
    from django_curlew.daemon.http1 import HTTP1Encoder

    data = HTTP1Encoder("localhost", "/_fetch", SECRET).encode("GET", "/healthz")
    head = [line.split(b": ", 1) for line in data.split(b"\r\n")[1:] if line]
    headers = [(name.lower(), value) for name, value in head]
    assert call(mounted, path="/_fetch/healthz", headers=headers).status == 200


@pytest.mark.parametrize("scheme, page, status", [
    ("https", b"https://localhost:8000", 200), ("https", b"http://localhost:8000", 403),
    ("http", b"http://localhost:8000", 200), ("http", b"https://localhost:8000", 200),
    ("http", b"http://evil.example", 403)])
def test_a_page_without_tls_is_another_site_for_a_server_with_it(
        opened, origin, scheme, page, status):
    body = json.dumps({"url": origin.url("/hello")}).encode()
    response = call(opened, body, path="/_fetch/v1/fetch", method="POST", scheme=scheme,
                    headers=[*LOCAL_HEADERS, (b"origin", page)])
    assert response.status == status


# -- what reaches the daemon --------------------------------------------------------------------


@pytest.mark.parametrize("name", [
    b"curlew-request", b"Curlew-Request", b"curlew_request", b"CURLEW_CLIENT", b"x-curlew-request",
    b"X_Curlew_Request", b"http-curlew-request", b"proxy", b"Proxy", b"x_a", b"x.a", b"x a", b"",
    b"x\xff", b"x\0", b"transfer-encoding"])
def test_headers_that_become_no_parameter(name):
    headers = [*LOCAL_HEADERS, (name, b"theirs")]
    params = cgi_params(scope_of(headers=headers), "/", None)
    assert "theirs" not in params.values()
    assert set(params) == set(cgi_params(scope_of(), "/", None))


def test_a_path_with_a_nul_is_a_path_like_others(mounted):
    """No parameter can hold one: the daemon would close the connection."""
    response = call(mounted, path="/_fetch/healthz\0", headers=WITH_SECRET)
    assert (response.status, response.json()["code"]) == (404, "not_found")


def test_headers_become_http_parameters():
    headers = [(b"X-A", b"1"), (b"x-a", b"2"), (b"cookie", b"a=1"), (b"cookie", b"b=2")]
    params = cgi_params(scope_of(headers=headers), "/", 7)
    assert (params["HTTP_X_A"], params["HTTP_COOKIE"]) == ("1, 2", "a=1; b=2")
    assert (params["CONTENT_LENGTH"], params["CURLEW_CLIENT"]) == ("7", "django-curlew")


def test_no_header_of_a_client_becomes_a_handoff(bridge, origin):
    odd = [(name, json.dumps({"url": origin.url("/stolen")}).encode())
           for name in (b"curlew-request", b"curlew_request", b"x-curlew-request",
                        b"x_curlew_request", b"http-curlew-request")]
    wrapped = bridge(application, mount="/_fetch", open=True)
    for path in ("/", "/_fetch/healthz"):
        response = call(wrapped, path=path, headers=[*LOCAL_HEADERS, *odd])
        assert response.json() in (["http", "/"], {"status": "ok"})
    assert not origin.events("/stolen")


@pytest.mark.parametrize("more, status", [(0, 400), (1, 413)])
def test_a_body_has_the_daemons_limit(curlewd, curlew, more, status):
    curlew(URL=f"fcgi+unix:{curlewd().socket}")
    body = b" " * ((16 << 20) + more)
    wrapped = CurlewBridge(application, mount="/_fetch", open=True)
    response = call(wrapped, body, path="/_fetch/v1/fetch", method="POST")
    assert response.status == status


def test_a_client_that_disconnects_in_the_middle_of_its_request(opened):
    async def main():
        scope = scope_of(path="/_fetch/v1/fetch", method="POST")
        communicator = ApplicationCommunicator(opened, scope)
        await communicator.send_input({"type": "http.request", "body": b"{", "more_body": True})
        await communicator.send_input({"type": "http.disconnect"})
        await communicator.wait(5)
        assert await communicator.receive_nothing()

    asyncio.run(main())


def test_a_stream_passes_through_the_mount_with_the_facts(opened, origin):
    query = b"url=" + origin.url("/odd-headers").encode()
    response = call(opened, path="/_fetch/v1/stream", query=query)
    assert response.all("x-twice") == ["one", "two"] and response.all("curlew-redirects") == ["0"]
    assert not response.all("date") and not response.all("server")
