"""`coalesce` (single flight): identical GETs in flight share one transfer, nothing else does."""

import json
import time

import pytest

from tests.support import fcgi
from tests.support.concurrency import BackgroundCalls
from tests.support.metrics import read_metric
from tests.support.procs import wait_until


def arrivals(origin, path):
    return sum(1 for e in origin.events(path) if e["event"] == "arrived")


def together(daemon, origin, requests):
    """All at once; the envelopes, in the order of the requests."""
    with BackgroundCalls(len(requests)) as b:
        for r in requests:
            b.start(daemon.client.fetch, **r)
        return b.results()


def test_twenty_callers_share_one_transfer(daemon, origin):
    path = "/delay/0.5?one"
    got = together(daemon, origin, [{"url": origin.url(path), "coalesce": True}] * 20)
    assert [e["body"] for e in got] == ["late\n"] * 20
    assert sorted(e["coalesced"] for e in got) == [False] + [True] * 19
    assert arrivals(origin, path) == 1


@pytest.mark.parametrize("key,values", [
    ("headers", [{"x-a": "1"}, {"x-a": "2"}]), ("session", ["default", "jar"]),
    ("max_body_bytes", [1000, 1001]), ("auth", [{"bearer": "t"}] * 2),
    ("cookies", [{"a": "1"}] * 2), ("headers", [{"cookie": "a=1"}] * 2),
    ("coalesce", [False, False]), ("method", ["POST", "POST"])])
def test_different_or_private_requests_are_not_shared(daemon, origin, key, values):
    path = f"/delay/0.3?{key}{len(json.dumps(values))}"
    got = together(daemon, origin,
                   [{"url": origin.url(path), "coalesce": True, key: v} for v in values])
    assert [e["coalesced"] for e in got] == [False, False]
    assert arrivals(origin, path) == 2


def test_each_caller_keeps_its_own_tag_and_timeout(daemon, origin):
    path = "/delay/0.6?tags"
    with BackgroundCalls() as b:
        b.start(daemon.client.fetch, origin.url(path), coalesce=True, tag="a")
        origin.wait_for("arrived", path)
        daemon.client.refused({"url": origin.url(path), "coalesce": True, "timeout": 0.1,
                               "tag": "b"},
                              504, "timeout")
        (envelope,) = b.results()
    assert envelope["tag"] == "a" and envelope["body"] == "late\n"
    assert arrivals(origin, path) == 1


def test_who_joins_late_has_its_own_total_and_time_in_the_queue(curlewd, origin):
    daemon = curlewd({"sessions": {"default": {"max_per_origin": 1}}})
    path = "/delay/0.6?late"
    with BackgroundCalls() as b:
        b.start(daemon.client.fetch, origin.url("/delay/0.4"))
        origin.wait_for("arrived", "/delay/0.4")
        b.start(daemon.client.fetch, origin.url(path), coalesce=True)
        origin.wait_for("arrived", path)
        time.sleep(0.1)
        b.start(daemon.client.fetch, origin.url(path), coalesce=True)
        _, first, late = (e["timing"] for e in b.results())
    assert first["queue"] > 0.1 and first["total"] > first["queue"] + 0.5
    assert late["queue"] == 0 and late["total"] < late["first_byte"]


def test_a_failure_is_shared_too(daemon, origin):
    path = "/close-early?shared"
    with BackgroundCalls(3) as b:
        for _ in range(3):
            b.start(daemon.client.refused, {"url": origin.url(path), "coalesce": True}, 502,
                    "incomplete_body")
        assert len(b.results()) == 3


def caller(daemon, origin, path):
    body = json.dumps({"url": origin.url(path), "coalesce": True}).encode()
    c = fcgi.Connection(daemon.socket)
    c.send(fcgi.request(fcgi.cgi_params("POST", "/_fetch/v1/fetch", body=body), body))
    return c


def test_the_leader_may_leave_and_the_last_follower_cancels(daemon, origin):
    path = "/silent?leavers"
    callers = [caller(daemon, origin, path) for _ in range(3)]
    origin.wait_for("arrived", path)
    wait_until("all are there", lambda: daemon.client.ask("GET", "/v1/status").json()
               ["gateway"]["parked"] == 3)
    callers[0].close()
    callers[1].close()
    wait_until("two have left", lambda: daemon.client.ask("GET", "/v1/status").json()
               ["gateway"]["parked"] == 1)
    assert not [e for e in origin.events(path) if e["event"] == "left"]
    callers[2].close()
    origin.wait_for("left", path)


def test_redirects_are_shared_and_a_later_request_starts_again(daemon, origin):
    path = "/redirect-to?url=/delay/0.3"
    got = together(daemon, origin, [{"url": origin.url(path), "coalesce": True}] * 5)
    assert [len(e["history"]) for e in got] == [1] * 5
    assert arrivals(origin, path) == 1
    assert daemon.client.fetch(origin.url(path), coalesce=True)["coalesced"] is False
    assert arrivals(origin, path) == 2


# -- what a follower is told ------------------------------------------------


def ask(daemon, origin, path, **keys):
    """The envelope, or the problem document."""
    body = json.dumps({"url": origin.url(path), "coalesce": True, **keys}).encode()
    return daemon.client.ask("POST", "/v1/fetch", body=body).json()


@pytest.mark.parametrize("path,keys,code,attempts", [
    ("/close-early?told", {}, "incomplete_body", 1),
    ("/silent?told", {"timeout": 0.5}, "timeout", 1),
    ("/flaky?key=told&fail=9&how=short", {"retries": {"max": 2, "backoff": 0.01}},
     "incomplete_body", 3)])
def test_a_shared_failure_says_that_it_was_sent(curlewd, origin, path, keys, code, attempts):
    daemon = curlewd()
    with BackgroundCalls(3) as b:
        for _ in range(3):
            b.start(ask, daemon, origin, path, **keys)
        problems = b.results()
    assert [(p["code"], p.get("attempts")) for p in problems] == [(code, attempts)] * 3
    lines = wait_until("the log", lambda: len(daemon.log_entries("fetch")) == 3 and
                       daemon.log_entries("fetch"))
    assert [(e["code"], e["attempts"]) for e in lines] == [(code, attempts)] * 3


def test_what_nobody_had_time_for_counts_against_the_origin(curlewd, origin):
    breaker = {"failures": 2, "open_seconds": 60}
    daemon = curlewd({"sessions": {"default": {"breaker": breaker}}})
    codes = [ask(daemon, origin, "/silent?breaker", timeout=0.3)["code"] for _ in range(3)]
    assert codes == ["timeout", "timeout", "origin_unavailable"]


RETRIES = {"max": 1, "backoff": 2, "max_backoff": 2, "statuses": [503], "respect_retry_after": True}


def test_anothers_retry_takes_nobodys_response_away(daemon, origin):
    path = "/flaky?key=patience&wait=0.4&retry_after=2"
    with BackgroundCalls(2) as b:
        b.start(ask, daemon, origin, path, retries=RETRIES)
        b.start(ask, daemon, origin, path, retries=RETRIES, timeout=1.5)
        patient, impatient = b.results()
    assert (patient["status"], patient["attempts"]) == (200, 2)
    assert (impatient.get("body"), impatient["attempts"]) == ("not now\n", 1), impatient
    assert arrivals(origin, path) == 2


def test_who_has_no_time_for_anothers_retry_starts_a_transfer(daemon, origin):
    path = "/flaky?key=newcomer&retry_after=2"
    with BackgroundCalls(2) as b:
        b.start(ask, daemon, origin, path, retries=RETRIES)
        wait_until("the first to wait", lambda: read_metric(daemon, "curlew_retries_waiting") == 1)
        newcomer = ask(daemon, origin, path, retries=RETRIES, timeout=0.8)
        assert (newcomer["status"], newcomer["coalesced"]) == (200, False)
        assert b.results()[0]["attempts"] == 2
