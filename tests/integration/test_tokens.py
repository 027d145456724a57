"""Bearer tokens: who may use, see and change what. They hold on every route."""

import json

import pytest

from tests.support import clients, fcgi, streams
from tests.support.concurrency import BackgroundCalls
from tests.support.procs import wait_until
from tests.support.scripted_origin import ScriptedOrigin, answer

ALL, SHOP, API = "all-0123456789abcdef", "shop-0123456789abcdef", "api-0123456789abcdef"
FILE = f"{ALL}\n{SHOP} shop own\n{API} api\n"
SECRET = {"headers": {"X-Key": "s3cret"}}


class Guarded:
    """A daemon with tokens, and requests in the name of each."""

    def __init__(self, curlewd, path, text=FILE, sessions=None):
        self.path = path
        path.write_text(text)
        if sessions is None:
            sessions = {"shop": {"max_in_flight": 20, "rate_per_origin": 50, "burst": 9, **SECRET},
                        "api": SECRET}
        self.daemon = curlewd({"auth": {"tokens_file": str(path)}, "sessions": sessions})

    def ask(self, token, method, path, body=None):
        headers = [("Authorization", f"Bearer {token}")] if token else []
        data = b"" if body is None else json.dumps(body).encode()
        return self.daemon.client.ask(method, path, body=data, headers=headers)

    def names(self, token):
        listed = self.ask(token, "GET", "/v1/sessions").json()["sessions"]
        return sorted(session["name"] for session in listed)

    def reference(self, token, request):
        response = self.ask(token, "POST", "/v1/handoffs", request)
        assert response.status == 200, response
        return response.json()["reference"]

    def hand_off(self, value, headers=()):
        value = value if isinstance(value, str) else json.dumps(value)
        params = {**fcgi.cgi_params("GET", "/any", "", b"", headers), "CURLEW_REQUEST": value}
        with fcgi.Connection(self.daemon.socket) as c:
            c.send(fcgi.request(params))
            return c.read_response()

    def reload(self, text):
        """New tokens; the log says when they count."""
        reloads = self.daemon.process.err.count("the configuration was reloaded")
        self.path.write_text(text)
        self.daemon.reload(self.daemon.config)
        wait_until("the reload", lambda: self.daemon.process.err.count(
            "the configuration was reloaded") > reloads)


@pytest.fixture
def guarded(curlewd, tmp_path):
    return Guarded(curlewd, tmp_path / "tokens")


def refused(response, status, code, says=""):
    detail = clients.problem(response, status, code)["detail"]
    assert says in detail, detail


# -- handoffs --------------------------------------------------------------------------------------


def test_a_request_object_in_the_parameter_is_no_way_around_the_tokens(guarded, origin):
    """Not with a session of others, nor with a token of the browser's own, which is not its."""
    for request in ({"url": origin.url("/stolen")},
                    {"url": origin.url("/stolen"), "session": "shop"}):
        for headers in ((), [("Authorization", f"Bearer {ALL}")]):
            response = guarded.hand_off(request, headers)
            refused(response, 401, "unauthorized", "POST .../v1/handoffs with a bearer token")
    assert not origin.events("/stolen")


def test_a_reference_made_with_a_token_is_delivered_once(guarded, origin):
    reference = guarded.reference(SHOP, {"url": origin.url("/echo"), "session": "shop"})
    echo = json.loads(guarded.hand_off(reference).body)
    assert ["x-key", "s3cret"] in [[n.lower(), v] for n, v in echo["headers"]]
    refused(guarded.hand_off(reference), 400, "bad_request", "used already")


@pytest.mark.parametrize("session", ["api", "default", "none"])
def test_a_reference_is_made_only_for_the_tokens_own_sessions(guarded, session):
    request = {"url": "http://x.example/", "session": session}
    refused(guarded.ask(SHOP, "POST", "/v1/handoffs", request), 404, "unknown_session")


def test_without_a_token_no_reference_is_made(guarded):
    request = {"url": "http://x.example/"}
    refused(guarded.ask(None, "POST", "/v1/handoffs", request), 401, "unauthorized")


def test_a_reference_ends_with_its_token(guarded, origin):
    request = {"url": origin.url("/stolen"), "session": "shop"}
    revoked, moved, kept = (guarded.reference(SHOP, request), guarded.reference(ALL, request),
                            guarded.reference(API, {"url": origin.url("/hello"),
                                                    "session": "api"}))
    guarded.reload(f"{ALL} other\n{API} api\n")
    refused(guarded.hand_off(revoked), 401, "unauthorized", "not known any more")
    refused(guarded.hand_off(moved), 404, "unknown_session")
    assert guarded.hand_off(kept).body == b"hello\n"
    assert not origin.events("/stolen")


def test_without_tokens_a_request_object_goes_on(curlewd, origin):
    daemon = curlewd()
    params = {**fcgi.cgi_params("GET", "/any"),
              "CURLEW_REQUEST": json.dumps({"url": origin.url("/hello")})}
    with fcgi.Connection(daemon.socket) as c:
        c.send(fcgi.request(params))
        assert c.read_response().body == b"hello\n"


def test_one_token_cannot_fill_the_room_for_the_references_of_others(guarded):
    request = json.dumps({"url": "http://x.example/", "session": "shop"}).encode()
    headers = [("Authorization", f"Bearer {SHOP}")]
    params = fcgi.cgi_params("POST", "/_fetch/v1/handoffs", body=request, headers=headers)
    with fcgi.Connection(guarded.daemon.socket) as kept:
        for i in range(1024):
            kept.send(fcgi.request(params, request, keep=True))
            assert kept.read_response().status == 200, i
        kept.send(fcgi.request(params, request, keep=True))
        refused(kept.read_response(), 503, "overloaded", "this token")
    guarded.reference(API, {"url": "http://x.example/", "session": "api"})


# -- what a token sees -----------------------------------------------------------------------------


def test_a_token_sees_its_own_sessions(guarded):
    assert guarded.names(ALL) == ["api", "default", "shop"]
    assert guarded.names(SHOP) == ["shop"]
    assert guarded.names(API) == ["api"]


def test_the_metrics_show_a_token_the_series_of_its_sessions(guarded, origin):
    for token, session in ((SHOP, "shop"), (API, "api")):
        fetched = guarded.ask(token, "POST", "/v1/fetch",
                              {"url": origin.url("/hello"), "session": session})
        assert fetched.status == 200
    text = guarded.ask(SHOP, "GET", "/metrics").body.decode()
    series = [line for line in text.splitlines() if not line.startswith("#")]
    assert 'curlew_fetches_total{session="shop",outcome="ok"} 1' in series
    assert all('{session="shop",' in line for line in series), series
    everything = guarded.ask(ALL, "GET", "/metrics").body.decode()
    assert 'session="api"' in everything and "\ncurlew_in_flight " in everything
    refused(guarded.ask(None, "GET", "/metrics"), 401, "unauthorized")


def test_the_status_shows_a_token_its_sessions(guarded):
    status = guarded.ask(SHOP, "GET", "/v1/status").json()
    assert set(status["sessions"]) == {"shop"} and status["sessions"]["shop"]["max_in_flight"] == 20
    assert not {"engine", "gateway", "threads"} & set(status)
    assert status["version"] and status["status"] == "ok" and status["limits"]["in_flight"]
    assert {"engine", "gateway"} <= set(guarded.ask(ALL, "GET", "/v1/status").json())
    refused(guarded.ask(None, "GET", "/v1/status"), 401, "unauthorized")


@pytest.mark.parametrize("method, path", [
    ("GET", "/v1/sessions/api"), ("PUT", "/v1/sessions/api"), ("DELETE", "/v1/sessions/api"),
    ("POST", "/v1/sessions/api/reset")])
def test_a_session_of_others_cannot_be_told_from_one_that_does_not_exist(guarded, method, path):
    theirs = guarded.ask(SHOP, method, path, {})
    nobodys = guarded.ask(SHOP, method, path.replace("api", "nix"), {})
    refused(theirs, 404, "unknown_session")
    assert theirs.json()["detail"].replace("api", "nix") == nobodys.json()["detail"]
    assert guarded.ask(API, "GET", "/v1/sessions/api").status == 200


def test_a_session_of_others_is_not_used_by_any_route(guarded, origin):
    request = {"url": origin.url("/stolen"), "session": "api"}
    for path in ("/v1/fetch", streams.ROUTE):
        refused(guarded.ask(SHOP, "POST", path, request), 404, "unknown_session")
    query = f"url={origin.url('/stolen')}&session=api"
    headers = [("Authorization", f"Bearer {SHOP}")]
    for path in ("/v1/fetch", streams.ROUTE):
        answer = guarded.daemon.client.ask("GET", path, query, headers=headers)
        refused(answer, 404, "unknown_session")
    lines = guarded.ask(SHOP, "POST", "/v1/batch", {"requests": [request]}).body.splitlines()
    assert json.loads(lines[0])["error"]["code"] == "unknown_session"
    assert not origin.events("/stolen")


# -- what a token may change -----------------------------------------------------------------------


@pytest.mark.parametrize("session, says", [
    ({"max_in_flight": 21}, "max_in_flight: with this token at most 20"),
    ({"max_per_origin": 1025}, "max_per_origin: with this token at most 1024"),
    ({"idle_connections": 257}, "idle_connections"), ({"idle_seconds": 61}, "idle_seconds"),
    ({"rate_per_origin": 51}, "rate_per_origin: with this token at most 50"),
    ({"rate_per_origin": 50, "burst": 10}, "burst: with this token at most 9")])
def test_a_limited_token_does_not_raise_what_an_operator_has_set(guarded, session, says):
    before = guarded.ask(ALL, "GET", "/v1/sessions/shop").json()
    refused(guarded.ask(SHOP, "PUT", "/v1/sessions/shop", session), 403, "forbidden", says)
    assert guarded.ask(ALL, "GET", "/v1/sessions/shop").json() == before
    assert guarded.ask(ALL, "PUT", "/v1/sessions/shop", session).status == 200


def test_a_limited_token_lowers_and_restores_and_keeps_what_it_does_not_name(guarded):
    def put(**session):
        response = guarded.ask(SHOP, "PUT", "/v1/sessions/shop", session)
        assert response.status == 200, response
        return response.json()

    assert put(max_in_flight=3, headers={"X-Key": "***"})["max_in_flight"] == 3
    shown = put(tag="t")
    assert (shown["max_in_flight"], shown["rate_per_origin"], shown["burst"]) == (20, 50, 9)
    refused(guarded.ask(SHOP, "PUT", "/v1/sessions/shop", {"max_in_flight": 21}), 403, "forbidden")


def test_a_limited_token_leaves_the_operators_network_and_tls_alone(curlewd, tmp_path):
    own = {"tls_min": "1.2", "interface": "lo", "resolve": {"a.test:80": ["127.0.0.1"]}}
    guarded = Guarded(curlewd, tmp_path / "tokens", sessions={"shop": own})
    stricter = guarded.ask(SHOP, "PUT", "/v1/sessions/shop", {"tls_min": "1.3"})
    assert stricter.status == 200 and stricter.json()["tls_min"] == "1.3", stricter
    shown = guarded.ask(SHOP, "PUT", "/v1/sessions/shop", {"tag": "t"}).json()
    assert {key: shown[key] for key in own} == own
    refused(guarded.ask(SHOP, "PUT", "/v1/sessions/shop", {"tls_min": "1.1"}), 403, "forbidden",
            "tls_min: with this token at least 1.2")
    for key in ("interface", "resolve"):
        assert guarded.ask(SHOP, "PUT", "/v1/sessions/shop", shown).json()[key] == own[key]


@pytest.mark.parametrize("key", ["ca_file", "client_cert", "client_key"])
@pytest.mark.parametrize("token", [ALL, SHOP])
def test_no_token_names_files(guarded, token, key):
    refused(guarded.ask(token, "PUT", "/v1/sessions/shop", {key: "/etc/hostname"}), 400,
            "bad_request", f"{key}: only the configuration may name files")


def test_removing_and_creating_again_is_no_way_around_the_limits(guarded):
    refused(guarded.ask(SHOP, "DELETE", "/v1/sessions/shop"), 403, "forbidden", "remove")
    assert guarded.ask(SHOP, "PUT", "/v1/sessions/own", {"max_in_flight": 7}).status == 201
    refused(guarded.ask(SHOP, "PUT", "/v1/sessions/own", {"max_in_flight": 2049}), 403, "forbidden")
    assert guarded.ask(SHOP, "PUT", "/v1/sessions/own", {"max_in_flight": 2048}).status == 200
    assert guarded.ask(SHOP, "DELETE", "/v1/sessions/own").status == 204
    assert guarded.ask(ALL, "PUT", "/v1/sessions/own", {"max_in_flight": 5}).status == 201
    refused(guarded.ask(SHOP, "DELETE", "/v1/sessions/own"), 403, "forbidden")
    refused(guarded.ask(SHOP, "PUT", "/v1/sessions/own", {"max_in_flight": 6}), 403, "forbidden")


def test_an_operators_change_is_not_lost_to_a_limited_token_at_the_same_time(guarded):
    """Whatever order they come in, the operator's limit is the last word."""
    def hammer():
        for i in range(150):
            guarded.ask(SHOP, "PUT", "/v1/sessions/shop", {"tag": str(i)})

    with BackgroundCalls(2) as b:
        for _ in range(2):
            b.start(hammer)
        for _ in range(30):
            response = guarded.ask(ALL, "PUT", "/v1/sessions/shop", {"max_in_flight": 4})
            assert response.status == 200, response
        b.results()
    assert guarded.ask(SHOP, "GET", "/v1/sessions/shop").json()["max_in_flight"] == 4
    refused(guarded.ask(SHOP, "PUT", "/v1/sessions/shop", {"max_in_flight": 5}), 403, "forbidden")


# -- the file --------------------------------------------------------------------------------------


def test_a_reload_with_a_token_twice_keeps_the_old_tokens(guarded):
    guarded.path.write_text(f"{ALL} shop\n{ALL}\n")
    guarded.daemon.reload(guarded.daemon.config)
    wait_until("the refusal", lambda: "stands on an earlier line" in guarded.daemon.process.err)
    assert ALL not in guarded.daemon.process.err
    assert guarded.names(ALL) == ["api", "default", "shop"]


def test_a_proxys_credentials_go_to_no_proxy_of_a_limited_callers(curlewd, tmp_path):
    with ScriptedOrigin(lambda _, connection: connection.send(answer())) as mine:
        own = f"http://127.0.0.1:{mine.port}"
        guarded = Guarded(curlewd, tmp_path / "tokens", sessions={
            "shop": {"proxy": "http://127.0.0.1:1", "proxy_auth": ["operator", "s3cret"]}})
        for secret in ("***", ["operator", "***"]):
            changed = guarded.ask(SHOP, "PUT", "/v1/sessions/shop",
                                  {"proxy": own, "proxy_auth": secret})
            refused(changed, 403, "forbidden", "proxy_auth: with this token")
        kept = guarded.ask(SHOP, "PUT", "/v1/sessions/shop", {"proxy_auth": "***"})
        assert kept.status == 200
        again = guarded.ask(SHOP, "PUT", "/v1/sessions/shop", {"proxy": own, "proxy_auth": "***"})
        refused(again, 403, "forbidden", "proxy_auth: with this token")
        request = {"url": "http://127.0.0.1:1/", "session": "shop", "proxy": own, "timeout": 3}
        assert guarded.ask(SHOP, "POST", "/v1/fetch", request).status == 200
        assert [r.header("proxy-authorization") for r in mine.requests] == [None]
