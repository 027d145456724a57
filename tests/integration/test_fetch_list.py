"""GET …/v1/fetches: what is in flight on all engine threads, without a URL."""

import threading
from urllib.parse import urlencode

import pytest

from tests.support import clients
from tests.support.concurrency import BackgroundCalls
from tests.support.procs import wait_until

ALL, SHOP = "all-0123456789abcdef", "shop-0123456789abcdef"
KEYS = {"session", "origin", "state", "age", "attempts", "redirects", "coalesced"}


def ask(daemon, query="", token=None, headers=(), method="GET"):
    headers = [*headers, *([("Authorization", f"Bearer {token}")] if token else [])]
    return daemon.client.ask(method, "/v1/fetches", query, headers=headers)


def in_flight(daemon, query="", token=None):
    response = ask(daemon, query, token)
    assert response.status == 200, response
    return response.json()


def wait_listed(daemon, count, token=None):
    return wait_until(f"{count} fetches in the list", lambda: (
        found if (found := in_flight(daemon, token=token))["total"] == count else None))


def test_each_fetch_is_listed_with_its_session_origin_age_and_state(curlewd, origin):
    daemon = curlewd({"threads": 2, "sessions": {"shop": {"max_per_origin": 1}}})
    with BackgroundCalls() as calls:
        for session in ("default", "shop", "shop"):
            calls.start(daemon.client.post, {"url": origin.url("/silent?s3cret"), "timeout": 2,
                                             "session": session, "tag": "s3cret"})
        listed = wait_listed(daemon, 3)
        assert listed["limit"] == 100 and "s3cret" not in str(listed)
        for fetch in listed["fetches"]:
            assert set(fetch) == KEYS
            assert fetch["origin"] == origin.url("/")[:-1] and 0 <= fetch["age"] < 2
        wait_until("both that have a slot to be sent", lambda: sorted(
            (f["session"], f["state"]) for f in in_flight(daemon)["fetches"]) == [
                ("default", "waiting"), ("shop", "queued"), ("shop", "waiting")])
        ages = [fetch["age"] for fetch in in_flight(daemon)["fetches"]]
        assert ages == sorted(ages, reverse=True)
        cut = in_flight(daemon, "limit=2")
        assert (cut["total"], cut["limit"], len(cut["fetches"])) == (3, 2, 2)
    assert in_flight(daemon) == {"total": 0, "limit": 100, "fetches": []}


def test_a_fetch_that_waits_for_its_retry_is_in_backoff(curlewd, origin):
    daemon = curlewd()
    retries = {"max": 9, "backoff": 0.5, "max_backoff": 0.5}
    with BackgroundCalls() as calls:
        calls.start(daemon.client.post, {"url": origin.url("/status/503"), "timeout": 3,
                                         "retries": retries})
        wait_until("a backoff", lambda: [f for f in in_flight(daemon)["fetches"]
                                         if f["state"] == "backoff"])


def test_a_stream_that_nobody_reads_is_paused_or_receives(curlewd, origin):
    daemon = curlewd()
    with BackgroundCalls() as calls:
        calls.start(daemon.client.post, {"url": origin.url("/drip?n=50&every=0.05"),
                                         "timeout": 1})
        wait_until("a body that comes", lambda: [f for f in in_flight(daemon)["fetches"]
                                                 if f["state"] == "receiving"])


@pytest.fixture
def guarded(curlewd, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text(f"{ALL}\n{SHOP} shop\n")
    return curlewd({"auth": {"tokens_file": str(tokens)}, "sessions": {"shop": {}}})


def test_without_a_token_nothing_is_listed(guarded):
    assert clients.problem(ask(guarded), 401, "unauthorized")
    assert clients.problem(ask(guarded, token="no-0123456789abcdef"), 401, "unauthorized")


def test_a_token_for_a_session_sees_and_counts_that_alone(guarded, origin):
    def post(session):
        return guarded.client.post({"url": origin.url("/silent"), "timeout": 2, "session": session},
                                   [("Authorization", f"Bearer {ALL}")])

    with BackgroundCalls() as calls:
        calls.start(post, "shop")
        calls.start(post, "default")
        wait_listed(guarded, 2, ALL)
        seen = in_flight(guarded, token=SHOP)
        assert seen["total"] == 1 and [f["session"] for f in seen["fetches"]] == ["shop"]


def test_a_page_of_another_site_may_not_ask(curlewd):
    daemon = curlewd()
    response = ask(daemon, headers=[("Sec-Fetch-Site", "cross-site")])
    assert clients.problem(response, 403, "forbidden")


def test_what_is_no_question_is_refused(curlewd):
    daemon = curlewd()
    assert clients.problem(ask(daemon, method="POST"), 405, "method_not_allowed")
    for query in ("limit=0", "limit=1001", "limit=a", "session=x"):
        assert "limit" in clients.problem(ask(daemon, query), 400, "bad_request")["detail"]


def test_lists_are_right_while_fetches_come_move_and_go(curlewd, origin):
    """Redirects take fetches from thread to thread, and callers leave, while others list."""
    daemon = curlewd({"threads": 4, "workers": 2})
    stop = threading.Event()
    hellos = [origin.url("/hello", host) for host in ("127.0.0.1", "127.0.0.2", "localhost")]

    def load(i):
        done = 0
        while not stop.is_set():
            at, to = hellos[(i + done) % 3], hellos[done % 3]
            url = at if done % 2 else at.replace("hello", "redirect-to?" + urlencode({"url": to}))
            response = daemon.client.post({"url": url, "coalesce": done % 3 == 0})
            assert response.status == 200, response
            done += 1
        return done

    with BackgroundCalls() as calls:
        for i in range(8):
            calls.start(load, i)
        try:
            for _ in range(100):
                listed = in_flight(daemon, "limit=5")
                assert listed["total"] <= 16  # of each caller one, and one that has just ended
                assert len(listed["fetches"]) == min(listed["total"], 5)
                for fetch in listed["fetches"]:
                    assert fetch["session"] == "default" and fetch["attempts"] >= 0
        finally:
            stop.set()
        assert all(calls.results())
    assert in_flight(daemon)["total"] == 0
    daemon.stop()
