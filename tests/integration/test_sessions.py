"""Named sessions at run time: list, show, create or replace, remove, reset."""

import json

import pytest

from tests.support import clients
from tests.support.concurrency import BackgroundCalls
from tests.support.procs import wait_until

SESSIONS = "/v1/sessions"


@pytest.fixture
def daemon(curlewd):
    return curlewd({"sessions": {"filed": {"timeout": 7, "headers": {"x-key": "s3cret"},
                                           "proxy": "http://user:pa55@127.0.0.1:9"}}})


def ask(daemon, method, path="", body=b""):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return daemon.client.ask(method, SESSIONS + path, body=body)


def put(daemon, name, **settings):
    response = ask(daemon, "PUT", f"/{name}", settings)
    assert response.status in (200, 201), response
    return response


def names(daemon):
    return sorted(s["name"] for s in ask(daemon, "GET").json()["sessions"])


def refused(response, status, code):
    return clients.problem(response, status, code)["detail"]


def test_a_session_can_be_created_shown_replaced_and_removed(daemon, origin):
    assert put(daemon, "new", headers={"x-a": "1"}, timeout=5).status == 201
    assert names(daemon) == ["default", "filed", "new"]
    echo = json.loads(daemon.client.fetch(origin.url("/echo"), session="new")["body"])
    assert ["x-a", "1"] in [[k.lower(), v] for k, v in echo["headers"]]
    assert put(daemon, "new", timeout=6).status == 200
    shown = ask(daemon, "GET", "/new").json()
    assert shown["timeout"] == {"total": 6} and "headers" not in shown
    assert ask(daemon, "DELETE", "/new").status == 204
    assert names(daemon) == ["default", "filed"]
    daemon.client.refused({"url": origin.url("/hello"), "session": "new"}, 404, "unknown_session")


def test_secrets_are_not_shown(daemon):
    text = ask(daemon, "GET", "/filed").body.decode()
    assert "s3cret" not in text and "pa55" not in text and "user" not in text
    assert json.loads(text)["headers"] == {"x-key": "***"}
    assert json.loads(text)["proxy"] == "http://***@127.0.0.1:9"


@pytest.mark.parametrize("method,path,body,status,code,says", [
    ("GET", "/none", b"", 404, "unknown_session", "none"),
    ("DELETE", "/none", b"", 404, "unknown_session", "none"),
    ("POST", "/none/reset", b"", 404, "unknown_session", "none"),
    ("DELETE", "/default", b"", 400, "bad_request", "default"),
    ("PUT", "/a%20b", b"{}", 400, "bad_request", "name"),
    ("PUT", "/x", b"", 400, "bad_request", "empty"),
    ("PUT", "/x", b"[]", 400, "bad_request", "object"),
    ("PUT", "/x", b'{"tiemout":1}', 400, "bad_request", "tiemout"),
    ("PUT", "/x", b'{"url":"http://a/"}', 400, "bad_request", "url"),
    ("PUT", "/x", b'{"ca_file":"/etc/shadow"}', 400, "bad_request", "ca_file"),
    ("PUT", "/x", b'{"client_cert":"/k"}', 400, "bad_request", "client_cert"),
    ("POST", "/x", b"{}", 405, "method_not_allowed", "PUT"),
    ("PUT", "", b"{}", 405, "method_not_allowed", "GET"),
    ("GET", "/x/reset", b"", 405, "method_not_allowed", "POST")])
def test_invalid_session_requests_are_refused(daemon, method, path, body, status, code, says):
    assert says in refused(ask(daemon, method, path, body), status, code)
    assert names(daemon) == ["default", "filed"]


def test_fetches_in_flight_keep_their_settings(daemon, origin):
    put(daemon, "s", max_body_bytes=1000)
    with BackgroundCalls() as b:
        b.start(daemon.client.fetch, origin.url("/delay/0.6"), session="s")
        origin.wait_for("arrived", "/delay/0.6")
        put(daemon, "s", max_body_bytes=1)
        daemon.client.refused({"url": origin.url("/hello"), "session": "s"}, 502,
                              "response_too_large")
        assert ask(daemon, "DELETE", "/s").status == 204
        assert b.results()[0]["body"] == "late\n"


def test_a_reset_drops_cookies_and_idle_connections_only(daemon, origin):
    put(daemon, "s", cookie_jar="shared")
    put(daemon, "other", cookie_jar="shared")
    daemon.client.fetch(origin.url("/cookies/set?a=1"), session="s")

    def sent():
        return json.loads(daemon.client.fetch(origin.url("/cookies"), session="s")["body"])

    assert sent() == {"a": "1"}
    with BackgroundCalls() as b:
        b.start(daemon.client.fetch, origin.url("/delay/0.5"), session="s")
        origin.wait_for("arrived", "/delay/0.5")
        daemon.client.fetch(origin.url("/hello"), session="s")
        open_before = origin.stats()["open"]
        assert ask(daemon, "POST", "/s/reset").status == 204
        wait_until("the idle ones are closed", lambda: origin.stats()["open"] < open_before)
        assert sent() == {}
        assert b.results()[0]["body"] == "late\n"


def test_a_reload_keeps_the_callers_sessions_and_restores_the_files_own(daemon, origin):
    put(daemon, "mine", tag="t")
    put(daemon, "filed", timeout=1)
    daemon.reload({**daemon.config, "drain_seconds": 3})
    wait_until("it is read", lambda: ask(daemon, "GET", "/filed").json()["timeout"] == {"total": 7})
    assert names(daemon) == ["default", "filed", "mine"]


def test_at_most_a_thousand_sessions_are_kept(daemon):
    for i in range(998):
        put(daemon, f"s{i}")
    assert "1000" in refused(ask(daemon, "PUT", "/one-more", {}), 503, "overloaded")
    put(daemon, "s5", timeout=3)


def test_a_token_is_good_for_its_own_sessions(curlewd, tmp_path, origin):
    tokens = tmp_path / "tokens"
    tokens.write_text("# who\n0123456789abcdef-all\n0123456789abcdef-one one\n")
    daemon = curlewd({"auth": {"tokens_file": str(tokens)}})

    def as_bearer(token, method, path, body=b"{}"):
        headers = [("Authorization", f"Bearer {token}")] if token else []
        return daemon.client.ask(method, path, body=body, headers=headers)

    everyone, one = "0123456789abcdef-all", "0123456789abcdef-one"
    refused(as_bearer(None, "GET", SESSIONS), 401, "unauthorized")
    refused(as_bearer("0123456789abcdef-bad", "GET", SESSIONS), 401, "unauthorized")
    assert as_bearer(everyone, "PUT", SESSIONS + "/one").status == 201
    assert as_bearer(one, "PUT", SESSIONS + "/one").status == 200
    refused(as_bearer(one, "PUT", SESSIONS + "/two"), 404, "unknown_session")
    def fetch(token, **keys):
        body = json.dumps({"url": origin.url("/hello"), **keys}).encode()
        return as_bearer(token, "POST", "/v1/fetch", body)

    assert fetch(one, session="one").status == 200
    refused(fetch(one), 404, "unknown_session")
    assert fetch(everyone).status == 200
    assert daemon.client.ask("GET", "/healthz").status == 200


def test_sessions_of_a_replica_change_by_its_configuration_only(curlewd):
    daemon = curlewd({"replica": True, "sessions": {"shop": {}}})
    for method, name in [("PUT", "/new"), ("PUT", "/shop"), ("DELETE", "/shop")]:
        response = daemon.client.ask(method, SESSIONS + name, body=b"{}")
        assert "replica:" in refused(response, 403, "forbidden")
    assert daemon.client.ask("GET", SESSIONS + "/shop").status == 200
    assert daemon.client.ask("POST", SESSIONS + "/shop/reset").status == 204
    daemon.reload({**daemon.config, "replica": False})
    wait_until("the reload", lambda: daemon.client.ask(
        "PUT", SESSIONS + "/new", body=b"{}").status == 201)
