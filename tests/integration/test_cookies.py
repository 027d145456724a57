"""Cookies stay in their session and on their host, while all sessions share connections."""

import json

import pytest

from tests.support.concurrency import BackgroundCalls
from tests.support.metrics import read_metric
from tests.support.procs import wait_until

pytestmark = pytest.mark.libcurl


@pytest.fixture
def jars(curlewd):
    return curlewd({"sessions": {"one": {"cookie_jar": "shared"}, "two": {"cookie_jar": "shared"},
                                 "none": {"cookie_jar": "none"},
                                 "own": {"cookie_jar": "shared", "cookies": {"always": "1"}}}})


def seen(daemon, origin, host="127.0.0.1", **keys):
    """The cookies that the origin is sent."""
    return json.loads(daemon.client.fetch(origin.url("/cookies", host=host), **keys)["body"])


def set_cookie(daemon, origin, line, **keys):
    return daemon.client.fetch(origin.url("/cookies/raw"), params={"c": line}, **keys)


def test_without_a_jar_no_cookie_is_kept(jars, origin):
    for session in ("default", "none"):
        e = jars.client.fetch(origin.url("/cookies/set?a=1"), session=session)
        assert json.loads(e["body"]) == {"a": "1"}  # within the chain they count
        assert seen(jars, origin, session=session) == {}


def test_a_shared_jar_remembers_and_is_the_sessions_own(jars, origin):
    jars.client.fetch(origin.url("/cookies/set?a=1"), session="one")
    assert seen(jars, origin, session="one") == {"a": "1"}
    assert seen(jars, origin, session="two") == {}
    assert seen(jars, origin) == {}


def test_sessions_with_jars_of_their_own_share_connections(jars, origin):
    for session in ("one", "two", "none", "default", "one"):
        jars.client.fetch(origin.url("/cookies/set?a=1"), session=session)
    assert origin.stats()["connections"] == 1


def test_a_requests_cookies_never_reach_another_fetch(jars, origin):
    assert seen(jars, origin, session="one", cookies={"mine": "1"}) == {"mine": "1"}
    assert seen(jars, origin, session="one") == {}


def test_a_requests_cookie_wins_over_the_jars_and_does_not_replace_it(jars, origin):
    jars.client.fetch(origin.url("/cookies/set?a=jar"), session="one")
    assert seen(jars, origin, session="one", cookies={"a": "mine"}) == {"a": "mine"}
    assert seen(jars, origin, session="one") == {"a": "jar"}


def test_cookies_of_one_host_are_not_anothers(jars, origin):
    jars.client.fetch(origin.url("/cookies/set?a=1"), session="one")
    assert seen(jars, origin, host="127.0.0.2", session="one") == {}


def test_the_origin_may_change_and_delete_a_cookie(jars, origin):
    jars.client.fetch(origin.url("/cookies/set?a=1&b=2"), session="one")
    jars.client.fetch(origin.url("/cookies/set?a=new"), session="one")
    assert seen(jars, origin, session="one") == {"a": "new", "b": "2"}
    jars.client.fetch(origin.url("/cookies/delete?a="), session="one")
    assert seen(jars, origin, session="one") == {"b": "2"}


def test_a_host_header_of_one_fetch_is_not_anothers_cookie_domain(jars, origin):
    jars.client.fetch(origin.url("/hello"), headers={"Host": "h.test"}, cookies={"a": "1"})
    assert seen(jars, origin, cookies={"b": "2"}) == {"b": "2"}
    e = set_cookie(jars, origin, "c=3")
    assert [c["domain"] for c in e["cookies"]] == ["127.0.0.1"]


def test_path_and_expiry_are_kept(jars, origin):
    set_cookie(jars, origin, "p=1; Path=/elsewhere", session="one")
    set_cookie(jars, origin, "e=1; Expires=Wed, 01 Jan 2020 00:00:00 GMT", session="one")
    assert seen(jars, origin, session="one") == {}


def test_a_sessions_default_cookies_go_with_every_fetch(jars, origin):
    assert seen(jars, origin, session="own") == {"always": "1"}
    assert seen(jars, origin, session="own", cookies={"also": "2"}) == {"always": "1", "also": "2"}


def test_the_jar_outlives_a_reload(jars, origin):
    jars.client.fetch(origin.url("/cookies/set?a=1"), session="one")
    jars.reload({**jars.config, "limits": {"queue": 7}})
    wait_until("the reload", lambda: jars.log_entries() and any(
        "reload" in json.dumps(line).lower() for line in jars.log_entries()))
    assert seen(jars, origin, session="one") == {"a": "1"}


def test_fetches_at_once_do_not_undo_each_others_cookies(jars, origin):
    with BackgroundCalls() as b:
        for i in range(20):
            b.start(jars.client.fetch, origin.url(f"/cookies/set?c{i}=1"), session="one")
        b.results()
    assert seen(jars, origin, session="one") == {f"c{i}": "1" for i in range(20)}


def test_cookies_of_a_failed_fetch_stay_in_its_jar(jars, origin):
    jars.client.refused({"url": origin.url("/cookies/set?a=1"), "max_redirects": 0,
                         "session": "one"},
                        502, "too_many_redirects")
    assert seen(jars, origin, session="two") == {}


def test_the_bytes_of_all_jars_are_told(jars, origin):
    def held():
        return read_metric(jars, "curlew_cookie_jars_bytes")

    assert held() == 0
    set_cookie(jars, origin, "a=" + "v" * 4000, session="one")
    one = held()
    assert 4000 < one < 4500
    body = json.dumps({"cookie_jar": "shared"}).encode()
    assert jars.client.ask("PUT", "/v1/sessions/new", body=body).status == 201
    set_cookie(jars, origin, "a=" + "v" * 4000, session="new")
    jars.reload(jars.config)
    set_cookie(jars, origin, "b=" + "v" * 4000, session="new")
    assert held() == 3 * one
    assert json.loads(jars.client.get("/v1/status").body)["engine"]["cookie_jars_bytes"] == held()
    assert jars.client.ask("POST", "/v1/sessions/one/reset").status == 204
    assert held() == 2 * one
    assert jars.client.ask("DELETE", "/v1/sessions/new").status == 204
    wait_until("the jar to be freed", lambda: held() == 0)
