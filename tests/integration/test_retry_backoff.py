"""Retries: when the next attempt starts, what a fetch holds until then, and the retry budget.

Each test has its own daemon, because an origin's retry budget is ten retries in ten seconds.
"""

import concurrent.futures
import json
import os
import signal
import time

import pytest

from tests.support import fcgi
from tests.support.concurrency import BackgroundCalls, timed
from tests.support.metrics import cpu_seconds, read_metric, read_metrics
from tests.support.procs import wait_until
from tests.support.scripted_origin import ScriptedOrigin, answer
from tests.support.streams import IncompleteResponse, request_stream

QUICK = {"max": 3, "backoff": 0.01}  # seconds


# -- how long after ----------------------------------------------------------


def test_the_waits_are_within_their_bounds(curlewd, origin):
    client = curlewd().client
    with BackgroundCalls() as b:
        for i in range(5):
            b.start(client.fetch, origin.flaky(key=f"k{i}", fail=2),
                    retries={"max": 2, "backoff": 0.2})
        b.results()
    waits = []
    for i in range(5):
        at = origin.tries(f"k{i}")
        waits += [at[1] - at[0], at[2] - at[1]]
        assert waits[-2] < 0.2 + 0.2 and waits[-1] < 0.4 + 0.2  # and some time for a busy machine
    assert max(waits) > 0.1 and len({round(w, 2) for w in waits}) > 3  # they are not all the same


@pytest.mark.parametrize("how", ["retry_after", "after_date"])
def test_retry_after_is_honoured(curlewd, origin, how):
    after = 1 if how == "retry_after" else 2  # a date has whole seconds
    e = curlewd().client.fetch(origin.flaky(**{how: after}), retries={"max": 1, "backoff": 0.01})
    assert e["attempts"] == 2
    first, second = origin.tries()
    assert 0.95 <= second - first < after + 2


def test_retry_after_may_be_ignored(curlewd, origin):
    e, took = timed(curlewd().client.fetch, origin.flaky(retry_after=5),
                    retries={**QUICK, "respect_retry_after": False})
    assert e["attempts"] == 2 and took < 2


def test_a_retry_after_beyond_max_backoff_is_not_retried(curlewd, origin):
    client = curlewd().client
    e, took = timed(client.fetch, origin.flaky(key="a", retry_after=2),
                    retries={"max": 1, "max_backoff": 1.9})
    assert (e["status"], e["attempts"]) == (503, 1) and took < 1
    e = client.fetch(origin.flaky(key="b", retry_after=1), retries={"max": 1, "max_backoff": 1})
    assert (e["status"], e["attempts"]) == (200, 2)


def test_no_retry_starts_after_the_total_timeout(curlewd, origin):
    """Where there is no time for another try, the response it has is returned at once."""
    client = curlewd().client
    e, took = timed(client.fetch, origin.flaky(retry_after=3), retries=1, timeout=2)
    assert (e["status"], e["attempts"]) == (503, 1) and took < 1
    request = {"url": origin.flaky(key="s", fail=9, how="silent"),
               "timeout": {"total": 1, "idle": 0.3}, "retries": {"max": 50, "backoff": 0.01}}
    p, took = timed(client.refused, request, 504, "timeout")
    assert took < 1.5 and 2 <= len(origin.tries("s")) <= 4


BROKEN = {"cut": b"Content-Length: 99\r\n\r\nbusy", "large": b"Content-Length: 8\r\n\r\nbusybusy",
          "no gzip": b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nbusy"}


@pytest.mark.parametrize("body", BROKEN)
@pytest.mark.parametrize("route", ["fetch", "stream"])
@pytest.mark.parametrize("after, attempts", [(0, 2), (60, 1)])
def test_retry_after_counts_whatever_becomes_of_the_body(curlewd, route, body, after, attempts):
    """By fetch and stream alike."""
    def script(_, connection):
        if len(origin.requests) > 1:
            connection.send(answer("in"))
            return
        connection.send(f"HTTP/1.1 503 Busy\r\nRetry-After: {after}\r\n".encode() + BROKEN[body])
        connection.close()

    with ScriptedOrigin(script) as origin:
        request = {"url": origin.url("/"), "decompress": True, "max_body_bytes": 4,
                   "retries": {"max": 1, "backoff": 0}}
        client = curlewd().client
        try:
            with request_stream(client, "POST", f"/v1/{route}", json.dumps(request).encode()) as s:
                s.read_all()
        except IncompleteResponse:
            pass
        assert len(origin.requests) == attempts


# -- the budget ----------------------------------------------------------------


def test_ten_retries_are_always_allowed(curlewd, origin):
    daemon = curlewd()
    e = daemon.client.fetch(origin.flaky(fail=99), retries={"max": 50, "backoff": 0})
    assert (e["status"], e["attempts"]) == (503, 11)
    assert read_metric(daemon, "curlew_retries_total") == 10
    assert read_metric(daemon, "curlew_retry_budget_refusals_total") == 1
    e = daemon.client.fetch(origin.flaky(key="b"), retries=3)
    assert e["attempts"] == 1  # it is the origin's
    other = origin.flaky(host="127.0.0.2", key="c")
    assert daemon.client.fetch(other, retries=QUICK)["attempts"] == 2  # which has its own


def test_an_outage_is_not_amplified(curlewd, origin):
    """300 fetches that want three retries each: the origin sees 60 more and not 900."""
    daemon = curlewd()
    url = origin.flaky(fail=10**6)
    with BackgroundCalls(32) as b:
        for _ in range(300):
            b.start(daemon.client.fetch, url, retries={"max": 3, "backoff": 0.001})
        done = b.results()
    retries = sum(e["attempts"] - 1 for e in done)
    assert {e["status"] for e in done} == {503}
    assert origin.stats()["requests"] == 300 + retries
    assert 10 <= retries <= 60
    metrics = read_metrics(daemon)
    assert metrics["curlew_retries_total"] == retries
    assert metrics["curlew_retry_budget_refusals_total"] >= 240
    assert metrics["curlew_retries_waiting"] == 0


def test_the_budget_is_shared_by_sessions(curlewd, origin):
    daemon = curlewd({"sessions": {"a": {}, "b": {}}})
    url = origin.flaky(fail=99)
    first = daemon.client.fetch(url, session="a", retries={"max": 6, "backoff": 0})
    second = daemon.client.fetch(url, session="b", retries={"max": 6, "backoff": 0})
    assert (first["attempts"], second["attempts"]) == (7, 5)


def test_no_more_may_wait_than_may_be_in_flight(curlewd, origin):
    daemon = curlewd({"limits": {"in_flight": 2}})
    with BackgroundCalls() as b:
        for i in range(2):
            b.start(daemon.client.fetch, origin.flaky(key=f"k{i}", retry_after=1), retries=1)
        wait_until("both wait", lambda: read_metric(daemon, "curlew_retries_waiting") == 2)
        e = daemon.client.fetch(origin.flaky(key="third", retry_after=1), retries=1)
        assert (e["status"], e["attempts"]) == (503, 1)
        assert [r["status"] for r in b.results()] == [200, 200]
    assert read_metric(daemon, "curlew_retries_waiting") == 0


# -- while it waits -------------------------------------------------------------


def wait_between_tries(daemon, origin, **args):
    """A raw connection whose fetch waits for its second try."""
    body = json.dumps({"url": origin.flaky(**{"retry_after": 5, **args}), "retries": 1}).encode()
    c = fcgi.Connection(daemon.socket)
    c.send(fcgi.request(fcgi.cgi_params("POST", "/_fetch/v1/fetch", body=body), body))
    wait_until("it waits", lambda: read_metric(daemon, "curlew_retries_waiting") == 1)
    return c


def test_a_waiting_retry_holds_no_slot(curlewd, origin):
    daemon = curlewd({"limits": {"in_flight": 1, "queue": 0}})
    c = wait_between_tries(daemon, origin, retry_after=1)
    now = read_metrics(daemon)
    assert (now["curlew_in_flight"], now["curlew_queued"]) == (0, 0)
    assert daemon.client.fetch(origin.url("/hello"))["status"] == 200
    response = c.read_response()
    assert response.status == 200 and response.json()["attempts"] == 2


def test_a_cancelled_fetch_is_not_retried(curlewd, origin):
    daemon = curlewd()
    wait_between_tries(daemon, origin, retry_after=1).close()
    wait_until("nobody waits", lambda: read_metric(daemon, "curlew_retries_waiting") == 0, 0.7)
    lines = wait_until("a line in the log", lambda: daemon.log_entries("fetch"))
    assert (lines[0]["code"], lines[0]["attempts"]) == ("cancelled", 1)
    time.sleep(1.2)  # past the time of the retry
    assert len(origin.tries()) == 1


def test_a_drain_waits_for_a_retry(curlewd, origin):
    daemon = curlewd()
    c = wait_between_tries(daemon, origin, retry_after=1)
    os.kill(daemon.pid, signal.SIGTERM)
    response = c.read_response()
    assert response.status == 200 and response.json()["attempts"] == 2
    daemon.wait_exit()


def test_the_end_of_a_drain_cancels_a_retry(curlewd, origin):
    daemon = curlewd({"drain_seconds": 1})
    wait_between_tries(daemon, origin)
    os.kill(daemon.pid, signal.SIGTERM)
    _, took = timed(daemon.wait_exit)
    assert took < 4
    assert len(origin.tries()) == 1


def test_a_waiting_daemon_sleeps(curlewd, origin):
    """No polling: the thread's CPU time stands still between two tries."""
    daemon = curlewd()
    wait_between_tries(daemon, origin, retry_after=3)
    time.sleep(0.3)
    before = cpu_seconds(daemon)
    time.sleep(1)
    assert cpu_seconds(daemon) - before <= 0.02


def test_a_reload_changes_nothing_for_a_waiting_retry(curlewd, origin):
    daemon = curlewd({"sessions": {"default": {"retries": 1}}})
    with BackgroundCalls() as b:
        b.start(daemon.client.fetch, origin.flaky(retry_after=1))
        wait_until("it waits", lambda: read_metric(daemon, "curlew_retries_waiting") == 1)
        daemon.reload({**daemon.config, "sessions": {"default": {"retries": 0}}})
        wait_until("it is in force", lambda: daemon.client.fetch(
            origin.flaky(key="new"), timeout=5)["attempts"] == 1)
        assert b.results()[0]["attempts"] == 2


# -- many at once --------------------------------------------------------------------


def test_many_retries_at_once_all_complete(curlewd, origin):
    """200 fetches on two threads, of which one in twenty fails at first."""
    daemon = curlewd({"threads": 2})
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        def one(i):
            url = origin.flaky(f"127.0.0.{1 + i % 2}", key=f"k{i}", fail=int(i % 20 == 0))
            return daemon.client.fetch(url, retries=QUICK)

        done = list(pool.map(one, range(200)))
    assert {e["status"] for e in done} == {200}
    assert sum(e["attempts"] - 1 for e in done) == 10
    assert read_metric(daemon, "curlew_in_flight") == read_metric(daemon,
                                                                  "curlew_retries_waiting") == 0
