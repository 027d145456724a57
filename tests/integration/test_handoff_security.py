"""Who can start a handoff: the web server, by its own parameter, and nothing a client sends.

The tests send CURLEW_REQUEST on the daemon's socket, as nginx would.
"""

import http.client
import json
import re
import time

import pytest

from tests.support import fcgi, streams
from tests.support.clients import problem
from tests.support.web_servers import WEB_SERVERS


def parameters(request, method="GET", path="/any/path", body=b"", headers=()):
    payload = request if isinstance(request, str) else json.dumps(request)
    return {**fcgi.cgi_params(method, path, "", body, headers), "CURLEW_REQUEST": payload}


def hand_off(daemon, request, method="GET", path="/any/path", body=b"", headers=()):
    with fcgi.Connection(daemon.socket) as c:
        c.send(fcgi.request(parameters(request, method, path, body, headers), body))
        return c.read_response()


# -- the parameter -----------------------------------------------------------


@pytest.mark.parametrize("method, path", [("GET", "/x"), ("DELETE", "/"),
                                          ("POST", "/_fetch/v1/fetch"), ("GET", "/_fetch/healthz"),
                                          ("OPTIONS", "*")])
def test_path_and_method_do_not_matter(daemon, origin, method, path):
    echo = json.loads(hand_off(daemon, {"url": origin.url("/echo")}, method, path).body)
    assert (echo["method"], echo["path"]) == ("GET", "/echo")


def test_an_empty_parameter_starts_no_handoff(daemon):
    assert hand_off(daemon, "", path="/_fetch/healthz").json() == {"status": "ok"}
    problem(hand_off(daemon, "", path="/_handoff/"), 404, "not_found")


@pytest.mark.parametrize("params", ["{", "[]", '{"url": 1}', '{"url": "http://x/", "url": ""}',
                                  "@", "@nothing", "x"])
def test_an_invalid_request_object_is_a_bad_request(daemon, params):
    problem(hand_off(daemon, params), 400, "bad_request")


@pytest.mark.parametrize("size", [0, 1, 100, 3 << 20])
def test_a_body_of_any_size_is_dropped(curlewd, origin, size):
    """Far over request_bytes, too: it is none of the fetch's business."""
    daemon = curlewd({"limits": {"request_bytes": 1000}})
    response = hand_off(daemon, {"url": origin.url("/echo")}, "POST", body=b"b" * size)
    assert json.loads(response.body)["body_base64"] == ""


def test_a_body_is_dropped_on_a_kept_connection(daemon, origin):
    with fcgi.Connection(daemon.socket) as c:
        for i in range(5):
            body = b"b" * (i * 1000)
            params = parameters({"url": origin.url(f"/echo/{i}")}, "POST", body=body)
            c.send(fcgi.request(params, body, keep=True))
            assert json.loads(c.read_response().body)["path"] == f"/echo/{i}"


def test_a_kept_connection_outlives_a_handoff_that_fails_at_once(daemon, origin):
    with fcgi.Connection(daemon.socket) as c:
        for _ in range(20):
            c.send(fcgi.request(parameters({"url": "http://10.1.2.3/"}), keep=True))
            problem(c.read_response(), 403, "blocked")
        c.send(fcgi.request(parameters({"url": origin.url("/hello")}), keep=True))
        assert c.read_response().body == b"hello\n"


def test_the_rest_of_a_body_after_the_response_is_skipped(daemon, origin):
    """Cut inside a record, too: the rest of the body belongs to no request any more."""
    rest = fcgi.record(fcgi.STDIN, 1, b"b" * 1000) + fcgi.record(fcgi.STDIN)
    for cut in (0, 3, 8, 500, len(rest) - 3):
        with fcgi.Connection(daemon.socket) as c:
            params = parameters({"url": "http://10.1.2.3/"}, "POST")
            c.send(fcgi.begin(keep=True) + fcgi.stream(fcgi.PARAMS, 1, fcgi.pairs(params))
                   + rest[:cut])
            problem(c.read_response(), 403, "blocked")
            c.send(rest[cut:] + fcgi.request(parameters({"url": origin.url("/hello")}), keep=True))
            assert c.read_response().body == b"hello\n", cut


def test_an_endless_body_does_not_delay_the_response(daemon, origin):
    with fcgi.Connection(daemon.socket) as c:
        params = parameters({"url": origin.url("/hello")}, "POST")
        params["CONTENT_LENGTH"] = "1000000000"
        c.send(fcgi.begin() + fcgi.stream(fcgi.PARAMS, 1, fcgi.pairs(params))
               + fcgi.record(fcgi.STDIN, 1, b"b" * 1000))
        assert c.read_response().body == b"hello\n"


def test_a_slow_fetch_completes_while_the_body_goes_on(daemon, origin):
    with fcgi.Connection(daemon.socket) as c:
        params = parameters({"url": origin.url("/drip?n=5&every=0.1")}, "POST")
        c.send(fcgi.begin() + fcgi.stream(fcgi.PARAMS, 1, fcgi.pairs(params)))
        for _ in range(10):
            c.send(fcgi.record(fcgi.STDIN, 1, b"b" * 1000))
            time.sleep(0.02)
        assert c.read_response().body == b"x" * 5


HEADERS = [("Range", "bytes=0-4"), ("Cookie", "s=1"), ("X-Own", "1"), ("Host", "evil.example"),
           ("Authorization", "Basic eA=="), ("Content-Length", "5"),
           ("Transfer-Encoding", "chunked"), ("Connection", "X-Own")]


def test_a_sessions_defaults_may_list_headers_to_forward(curlewd, origin):
    daemon = curlewd({"sessions": {"files": {"forward_headers": ["range"]}}})
    for session, status in (("files", 206), ("default", 200)):
        response = hand_off(daemon, {"url": origin.url("/ranges"), "session": session},
                            headers=HEADERS)
        assert response.status == status
    mine = {"url": origin.url("/echo"), "session": "files", "forward_headers": ["x-own"]}
    echo = json.loads(hand_off(daemon, mine, headers=HEADERS).body)
    names = {n.lower() for n, _ in echo["headers"]}
    assert "x-own" in names and "range" not in names


@pytest.mark.parametrize("name", ["host", "content-length", "transfer-encoding", "connection", "te",
                                  "expect", "upgrade", "keep-alive"])
def test_a_header_that_frames_the_message_is_never_forwarded(daemon, origin, name):
    """A browser's word on these would be about its own message, not about the fetch's."""
    payload = {"url": origin.url("/echo"), "forward_headers": [name]}
    response = hand_off(daemon, payload, headers=HEADERS)
    if response.status == 200:
        sent = [[n.lower(), v] for n, v in json.loads(response.body)["headers"]]
        assert not [h for h in sent if h in [[n.lower(), v] for n, v in HEADERS]]
    else:
        assert name in problem(response, 400, "bad_request")["detail"]


@pytest.mark.parametrize("value", ["a\r\nX-Smuggled: 1", "a\nX-Smuggled: 1", "a\rb"])
def test_a_forwarded_value_cannot_smuggle_a_header(daemon, origin, value):
    problem(hand_off(daemon, {"url": origin.url("/echo"), "forward_headers": ["x-own"]},
                     headers=[("X-Own", value)]), 400, "bad_request")


def test_with_tokens_storing_needs_one_and_delivery_a_reference(curlewd, origin, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text("0123456789abcdef-all\n")
    daemon = curlewd({"auth": {"tokens_file": str(tokens)}})
    problem(hand_off(daemon, {"url": origin.url("/hello")}), 401, "unauthorized")
    problem(store(daemon, {"url": origin.url("/hello")}), 401, "unauthorized")
    bearer = [("Authorization", "Bearer 0123456789abcdef-all")]
    response = store(daemon, {"url": origin.url("/hello")}, bearer)
    assert hand_off(daemon, response.json()["reference"]).body == b"hello\n"


# -- what clients try --------------------------------------------------------

FORGED = ["Curlew-Request", "X-Curlew-Request", "CURLEW_REQUEST", "Curlew_Request",
          "HTTP_CURLEW_REQUEST", "FCGI-CURLEW-REQUEST", "Redirect-Curlew-Request",
          "X-Accel-Redirect"]


@pytest.mark.parametrize("web_server", WEB_SERVERS)
def test_no_header_of_a_client_starts_a_handoff(daemon, origin, nginx, web_server):
    client = nginx(daemon, name=web_server)
    params = json.dumps({"url": origin.url("/stolen")})
    for name in FORGED:
        headers = [(name, params if name != "X-Accel-Redirect" else "/_handoff/")]
        response = client.ask("GET", "/healthz", headers=headers)
        assert response.json() == {"status": "ok"}, name
    assert not origin.events("/stolen")


@pytest.mark.parametrize("name", ["HTTP_CURLEW_REQUEST", "HTTP_X_CURLEW_REQUEST", "curlew_request",
                                  "CURLEW_REQUEST2", "CURLEW_REQUES", "REDIRECT_CURLEW_REQUEST"])
def test_no_other_parameter_starts_a_handoff(daemon, origin, name):
    params = parameters({"url": origin.url("/stolen")}, path="/_fetch/healthz")
    params[name] = params.pop("CURLEW_REQUEST")
    with fcgi.Connection(daemon.socket) as c:
        c.send(fcgi.request(params))
        assert c.read_response().json() == {"status": "ok"}


@pytest.mark.parametrize("path", ["/_handoff/", "/_handoff/v1/fetch", "/_handoff/?CURLEW_REQUEST=x",
                                  "//_handoff/", "/%5fhandoff/", "/x/../_handoff/"])
def test_the_internal_location_is_closed_to_browsers(daemon, origin, nginx, path):
    web_server = nginx(daemon, origin.ports["http"])
    c = http.client.HTTPConnection("127.0.0.1", web_server.port, timeout=10)
    c.request("GET", path, headers={"X-Curlew-Request": json.dumps({"url": origin.url("/stolen")})})
    response = c.getresponse()
    assert response.status == 404, response.read()
    assert not origin.events("/stolen")


# -- references --------------------------------------------------------------


def store(daemon, request, headers=()):
    body = request if isinstance(request, bytes) else json.dumps(request).encode()
    return daemon.client.ask("POST", "/v1/handoffs", body=body, headers=headers)


def reference(daemon, request):
    response = store(daemon, request)
    assert (response.status, response.header("content-type")) == (200, "application/json"), response
    params = response.json()
    assert params["reference"].startswith("@") and params["expires_in"] == 60
    return params["reference"]


def test_a_reference_can_be_used_once(daemon, origin):
    large = {"url": origin.url("/echo"), "method": "PUT", "body": "grüße " * 50000}
    name = reference(daemon, large)
    echo = json.loads(hand_off(daemon, name).body)
    assert echo["method"] == "PUT" and len(echo["body_base64"]) > 400000
    problem(hand_off(daemon, name), 400, "bad_request")


def test_references_are_unique_and_cannot_be_guessed(daemon, origin):
    names = [reference(daemon, {"url": origin.url(f"/echo/{i}")}) for i in range(50)]
    assert len(set(names)) == 50 and all(len(n) == 33 for n in names)
    for i, name in reversed(list(enumerate(names))):
        assert json.loads(hand_off(daemon, name).body)["path"] == f"/echo/{i}"


@pytest.mark.parametrize("key", ["shop.v1", "http://[::1]:80", "a" * 512])
def test_a_reference_repeats_the_key_of_its_route(daemon, origin, key):
    request = {"url": origin.url("/echo")}
    name = store(daemon, request, [("Curlew-Route", key)]).json()["reference"]
    assert re.fullmatch(re.escape(f"@{key}.") + "[0-9a-f]{32}", name)
    assert hand_off(daemon, name).status == 200
    problem(hand_off(daemon, name), 400, "bad_request")
    name = reference(daemon, request)  # only the secret counts: the key is the balancer's
    assert hand_off(daemon, f"@{key}.{name[1:]}").status == 200


@pytest.mark.parametrize("key", ['a"b', "a b", "a\\b", "b\u00fc", "a" * 513])
def test_a_key_that_does_not_fit_into_a_header_is_refused(daemon, key):
    response = store(daemon, {"url": "http://example.org/"}, [("Curlew-Route", key)])
    assert "Curlew-Route" in problem(response, 400, "bad_request")["detail"]


def test_a_reference_forwards_headers_too(daemon, origin):
    name = reference(daemon, {"url": origin.url("/ranges"), "forward_headers": ["range"]})
    assert hand_off(daemon, name, headers=[("Range", "bytes=0-4")]).body == b"01234"


@pytest.mark.parametrize("payload, status, code", [
    (b"", 400, "bad_request"), (b"{", 400, "bad_request"), ({"surprise": 1}, 400, "bad_request"),
    (b'{"url": "http://x.example/", "body": "' + b"x" * (1 << 20), 413, "request_too_large")])
def test_an_invalid_request_is_refused_when_it_is_stored(daemon, payload, status, code):
    problem(store(daemon, payload), status, code)


def test_only_post_stores_a_request(daemon):
    problem(daemon.client.ask("GET", "/v1/handoffs"), 405, "method_not_allowed")


def test_a_reference_works_only_in_the_parameter(daemon, origin):
    name = reference(daemon, {"url": origin.url("/stolen")})
    problem(daemon.client.post(name.encode()), 400, "bad_request")
    problem(daemon.client.ask("POST", streams.ROUTE, body=name.encode()), 400, "bad_request")
    assert not origin.events("/stolen")


def test_a_full_store_refuses_more_references(curlewd):
    daemon = curlewd()
    request = json.dumps({"url": "http://x.example/"}).encode()
    kept = fcgi.Connection(daemon.socket)
    params = fcgi.cgi_params("POST", "/_fetch/v1/handoffs", body=request)
    for i in range(4096):
        kept.send(fcgi.request(params, request, keep=True))
        assert kept.read_response().status == 200, i
    kept.send(fcgi.request(params, request, keep=True))
    problem(kept.read_response(), 503, "overloaded")
    kept.close()
