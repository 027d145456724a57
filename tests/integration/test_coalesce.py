"""`coalesce` (single flight): identical GETs in flight share one transfer, nothing else does."""

import json

import pytest

from tests.support import fcgi
from tests.support.concurrency import BackgroundCalls
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
