"""The rate limit: no more requests a second to an origin than the session allows."""

import json
import time
from urllib.parse import quote

import pytest

from tests.support import fcgi
from tests.support.concurrency import BackgroundCalls, timed
from tests.support.metrics import cpu_seconds, read_metrics
from tests.support.procs import wait_until


def rate_limited(rate, burst=1, **more):
    return {"sessions": {"default": {"rate_per_origin": rate, "burst": burst, **more}, "plain": {}}}


def arrivals(origin):
    return sorted(e["at"] for e in origin.events() if e["event"] == "arrived")


def check_rate(at, rate, burst, slack=0.1):
    """In no stretch of time more than the bucket allows; slack for the way there, and for the
    origin, a process in Python, to notice an arrival on a busy machine."""
    for first in range(len(at)):
        for last in range(first, len(at)):
            allowed = burst + rate * (at[last] - at[first] + slack)
            assert last - first + 1 <= allowed, (at[last] - at[first], last - first + 1, allowed)


def fetch_all(daemon, urls, **keys):
    with BackgroundCalls(64) as b:
        for url in urls:
            b.start(daemon.client.fetch, url, **keys)
        return timed(b.results)


def test_fetches_start_one_by_one(curlewd, origin):
    daemon = curlewd(rate_limited(10))
    done, took = fetch_all(daemon, [origin.url("/hello")] * 11)
    assert took >= 0.95
    check_rate(arrivals(origin), 10, 1)
    # By the daemon's clock: the caller's also counts how long its 11 threads take to start.
    assert 0.9 < max(e["timing"]["queue"] for e in done) < 1.5


def test_a_burst_starts_at_once(curlewd, origin):
    daemon = curlewd(rate_limited(5, burst=10))
    _, took = fetch_all(daemon, [origin.url("/hello")] * 10)
    assert took < 0.5
    origin.reset()
    _, took = fetch_all(daemon, [origin.url("/hello")] * 5)
    assert took > 0.5
    check_rate(arrivals(origin), 5, 10)


def test_a_rate_below_one_a_second_works(curlewd, origin):
    daemon = curlewd(rate_limited(0.8))
    _, took = fetch_all(daemon, [origin.url("/hello")] * 2)
    assert 1.15 <= took < 1.8


def test_a_high_rate_is_reached(curlewd, origin):
    daemon = curlewd(rate_limited(200, burst=20))
    fetch_all(daemon, [origin.url("/hello")] * 300)
    at = arrivals(origin)
    assert 1.2 < at[-1] - at[0] < 2.5
    check_rate(at, 200, 20, slack=0.15)


def test_a_waiting_fetch_is_queued_and_not_in_flight(curlewd, origin):
    daemon = curlewd({**rate_limited(1), "limits": {"in_flight": 1}})
    with BackgroundCalls() as b:
        for _ in range(3):
            b.start(daemon.client.fetch, origin.url("/hello"))
        wait_until("two wait", lambda: read_metrics(daemon)["curlew_queued"] == 2)
        wait_until("none is in flight", lambda: read_metrics(daemon)["curlew_in_flight"] == 0)
        # the one place there is stays free for others
        assert timed(daemon.client.fetch, origin.url("/hello", host="127.0.0.2"))[1] < 0.5
        b.results()


def test_each_origin_and_each_session_has_its_own_rate(curlewd, origin):
    daemon = curlewd(rate_limited(0.5))
    assert timed(daemon.client.fetch, origin.url("/hello"))[1] < 0.5
    assert timed(daemon.client.fetch, origin.url("/hello", host="127.0.0.2"))[1] < 0.5
    assert timed(daemon.client.fetch, origin.url("/hello"), session="plain")[1] < 0.5
    assert timed(daemon.client.fetch, origin.url("/hello"))[1] > 1


# -- redirects and retries -----------------------------------------------------


def test_each_hop_takes_a_token(curlewd, origin):
    daemon = curlewd(rate_limited(10))
    e, took = timed(daemon.client.fetch, origin.url("/redirect/5"))
    assert len(e["history"]) == 5 and 0.5 <= took < 1
    check_rate(arrivals(origin), 10, 1)


def test_a_hop_to_another_origin_takes_that_origins_token(curlewd, origin):
    daemon = curlewd(rate_limited(1))
    there = origin.url("/hello", host="127.0.0.2")
    assert timed(daemon.client.fetch, there)[1] < 0.5
    _, took = timed(daemon.client.fetch, origin.url(f"/redirect-to?url={quote(there)}"))
    assert took > 0.7


def test_a_fetch_under_way_goes_before_a_new_one(curlewd, origin):
    daemon = curlewd(rate_limited(10))
    with BackgroundCalls() as b:
        b.start(daemon.client.fetch, origin.url("/redirect/3"))
        origin.wait_for("arrived", "/redirect/3")
        for _ in range(10):
            b.start(daemon.client.fetch, origin.url("/hello"))
        b.results()
    order = [e["target"] for e in origin.events() if e["event"] == "arrived"]
    assert order[:3] == ["/redirect/3", "/redirect/2", "/redirect/1"]


def test_each_retry_takes_a_token(curlewd, origin):
    daemon = curlewd(rate_limited(5))
    e, took = timed(daemon.client.fetch, origin.flaky(fail=3), retries={"max": 3, "backoff": 0})
    assert e["attempts"] == 4 and 0.6 <= took < 1.2
    check_rate(arrivals(origin), 5, 1)


def test_rate_retries_and_redirects_work_together(curlewd, origin):
    daemon = curlewd(rate_limited(50, burst=5))
    urls = [origin.flaky(key=f"k{i}", then="/redirect/1") for i in range(20)]
    fetch_all(daemon, urls, retries={"max": 1, "backoff": 0.01})
    at = arrivals(origin)
    assert len(at) >= 50
    check_rate(at, 50, 5)


# -- leaving and ending ---------------------------------------------------------


def test_a_fetch_that_waits_too_long_times_out(curlewd, origin):
    daemon = curlewd(rate_limited(0.2))
    daemon.client.fetch(origin.url("/hello"))
    request = {"url": origin.url("/hello"), "timeout": 0.4}
    p, took = timed(daemon.client.refused, request, 504, "timeout")
    assert 0.35 < took < 1 and "queue" in p["detail"]
    assert origin.stats()["requests"] == 1


def test_past_the_queue_a_fetch_is_refused_at_once(curlewd, origin):
    daemon = curlewd({**rate_limited(2), "limits": {"queue": 2}})
    with BackgroundCalls() as b:
        for _ in range(3):
            b.start(daemon.client.fetch, origin.url("/hello"))
        wait_until("two wait", lambda: read_metrics(daemon)["curlew_queued"] == 2)
        assert daemon.client.post({"url": origin.url("/hello")}).json()["code"] == "overloaded"
        b.results()


def test_a_cancelled_fetch_takes_no_token(curlewd, origin):
    daemon = curlewd(rate_limited(2))
    daemon.client.fetch(origin.url("/hello"))
    body = json.dumps({"url": origin.url("/hello?left")}).encode()
    c = fcgi.Connection(daemon.socket)
    c.send(fcgi.request(fcgi.cgi_params("POST", "/_fetch/v1/fetch", body=body), body))
    wait_until("it waits", lambda: read_metrics(daemon)["curlew_queued"] == 1)
    c.close()
    wait_until("it does not", lambda: read_metrics(daemon)["curlew_queued"] == 0)
    _, took = timed(daemon.client.fetch, origin.url("/hello"))
    assert took < 0.6
    assert not origin.events("/hello?left")


def test_a_drain_waits_for_queued_fetches(curlewd, origin):
    daemon = curlewd(rate_limited(4))
    with BackgroundCalls() as b:
        for _ in range(4):
            b.start(daemon.client.fetch, origin.url("/hello"))
        wait_until("three wait", lambda: read_metrics(daemon)["curlew_queued"] == 3)
        daemon.process.send(15)
        assert [e["status"] for e in b.results()] == [200] * 4
    daemon.wait_exit()


def test_a_new_rate_applies_from_the_next_fetch(curlewd, origin):
    daemon = curlewd(rate_limited(0.01))
    daemon.client.fetch(origin.url("/hello"))
    daemon.reload({**daemon.config, **rate_limited(10)})
    wait_until("it is in force", lambda: daemon.client.post(
        {"url": origin.url("/hello"), "timeout": 0.3}).status == 200)


# -- cost ------------------------------------------------------------------------


@pytest.mark.quiet
def test_waiting_costs_no_cpu(curlewd, origin):
    daemon = curlewd(rate_limited(0.1))
    with BackgroundCalls() as b:
        for _ in range(20):
            b.start(daemon.client.post, {"url": origin.url("/hello"), "timeout": 2})
        wait_until("they wait", lambda: read_metrics(daemon)["curlew_queued"] == 19)
        before = cpu_seconds(daemon)
        time.sleep(1)
        assert cpu_seconds(daemon) - before <= 0.02
        b.results()


def test_an_origin_is_remembered_beside_a_thousand_others(curlewd, origin):
    """More idle lanes than are kept: the one whose bucket is not full yet stays."""
    daemon = curlewd({**rate_limited(0.25), "egress": {"allow": ["127.0.0.0/8"]}})
    daemon.client.fetch(origin.url("/hello"))
    with BackgroundCalls(32) as b:
        for i in range(1500):
            url = f"http://127.1.{i // 250}.{i % 250 + 1}:1/"  # nobody listens there
            b.start(daemon.client.post, {"url": url, "session": "plain"})
        b.results(60)
    assert daemon.client.post({"url": origin.url("/hello"), "timeout": 0.2}).status == 504
