"""bench/baseline.c: the bare loop, and load at a fixed rate."""

import time

import pytest

from bench.figures import Failed
from bench.setup import run_baseline
from tests.support.scripted_origin import ScriptedOrigin, answer

RATE, FETCHES = 500, 500
STALL_SECONDS, STALLED = 0.3, 100  # for so long, at this request


def test_at_a_fixed_rate_a_stall_counts_for_all_that_were_due_meanwhile(baseline):
    def script(request, connection):
        if len(origin.requests) == STALLED:
            time.sleep(STALL_SECONDS)
        connection.send(answer())

    with ScriptedOrigin(script) as origin:
        r = run_baseline(baseline, origin.url("/"), FETCHES, 1, "-r", RATE)
    # One fetch of 500 took long itself; 150 were due meanwhile, and a tenth of all waited longer
    # than 0.2 s.
    assert r["p90_ms"] > 150
    assert r["max_ms"] > STALL_SECONDS * 1e3 * 0.9


def test_a_fixed_rate_is_kept(baseline):
    with ScriptedOrigin(lambda request, connection: connection.send(answer())) as origin:
        r = run_baseline(baseline, origin.url("/"), 100, 4, "-r", 200)
    assert r["seconds"] > 99 / 200  # no fetch before it is due
    assert r["fetches"] == 100


def test_exactly_so_many_are_asked_for_where_nothing_warms_up(baseline):
    with ScriptedOrigin(lambda request, connection: connection.send(answer("12345"))) as origin:
        r = run_baseline(baseline, origin.url("/"), 30, 3, "-u", 0, "-d", "{}",
                         "-H", "Accept: text/plain")
    assert (r["fetches"], r["bytes"], len(origin.requests)) == (30, 150, 30)
    assert {(s.method, s.body, s.header("accept")) for s in origin.requests} == {
        ("POST", b"{}", "text/plain")}


def test_an_answer_other_than_200_fails_the_run(baseline):
    with ScriptedOrigin(lambda request, connection:
                        connection.send(answer(status="503 No"))) as origin:
        with pytest.raises(Failed, match='"failed": 5'):
            run_baseline(baseline, origin.url("/"), 5, 1, "-u", 0)
