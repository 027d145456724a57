"""Retries: what is tried again, how long after, and that an outage is not made worse by them.

Each test has a daemon of its own: an origin's budget is ten retries in ten seconds.
"""

import base64
import concurrent.futures
import json
import os
import signal
import time
from urllib.parse import quote

import pytest

from tests.support import fcgi, streams
from tests.support.figures import figure, figures
from tests.support.many import Background, timed
from tests.support.procs import wait_until

QUICK = {"max": 3, "backoff": 0.01}  # seconds


def tries(origin, key=""):
    """When the tries for /flaky?key= arrived."""
    return [e["at"] for e in origin.events()
            if e["event"] == "arrived" and e["target"].startswith("/flaky") and f"key={key}" in e["target"]]


def flaky(origin, **args):
    return origin.url("/flaky?" + "&".join(f"{n}={quote(str(v))}" for n, v in {"key": "", **args}.items()))


def got(envelope):
    return json.loads(envelope["body"])


# -- after what ------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_count_tries_again_after_a_passing_refusal(curlewd, origin, status):
    e = curlewd().way.fetch(flaky(origin, fail=2, status=status), retries=QUICK)
    assert (e["status"], e["attempts"], got(e)["try"]) == (200, 3, 3)
    assert e["history"] == []


@pytest.mark.parametrize("status", [500, 501, 404, 401, 400])
def test_other_statuses_are_the_answer(curlewd, origin, status):
    e = curlewd().way.fetch(flaky(origin, status=status), retries=QUICK)
    assert (e["status"], e["attempts"]) == (status, 1)


def test_the_statuses_are_the_requests_to_name(curlewd, origin):
    way = curlewd().way
    e = way.fetch(flaky(origin, key="a", status=500), retries={**QUICK, "statuses": [500]})
    assert (e["status"], e["attempts"]) == (200, 2)
    e = way.fetch(flaky(origin, key="b", status=503), retries={**QUICK, "statuses": [500]})
    assert (e["status"], e["attempts"]) == (503, 1)


@pytest.mark.parametrize("how", ["hang-up", "reset", "short"])
def test_connections_that_are_cut(curlewd, origin, how):
    e = curlewd().way.fetch(flaky(origin, fail=2, how=how), retries=QUICK)
    assert (e["status"], e["attempts"]) == (200, 3)


@pytest.mark.parametrize("how", ["silent", "stall"])
def test_an_origin_that_falls_silent(curlewd, origin, how):
    e = curlewd().way.fetch(flaky(origin, how=how), retries=QUICK, timeout={"idle": 0.2})
    assert (e["status"], e["attempts"]) == (200, 2)


def test_when_all_tries_fail_the_last_one_is_the_answer(curlewd, origin):
    daemon = curlewd()
    e = daemon.way.fetch(flaky(origin, fail=9), retries=QUICK)
    assert (e["status"], e["body"], e["attempts"]) == (503, "not now\n", 4)
    daemon.way.refused({"url": flaky(origin, key="cut", fail=9, how="short"), "retries": QUICK}, 502,
                       "incomplete_body")
    assert len(tries(origin, "cut")) == 4
    assert figure(daemon, "curlew_retries_total") == 6


def test_none_unless_asked_for(curlewd, origin):
    e = curlewd().way.fetch(flaky(origin))
    assert (e["status"], e["attempts"]) == (503, 1)


@pytest.mark.parametrize("url, code", [
    ("http://127.0.0.1:1/", "connect_failed"), ("http://nowhere.invalid/", "dns_failed")])
def test_connections_that_do_not_come_about(curlewd, url, code):
    daemon = curlewd()
    daemon.way.refused({"url": url, "retries": {"max": 2, "backoff": 0.01}}, 502, code)
    assert figure(daemon, "curlew_retries_total") == 2


def test_a_connection_that_takes_too_long(curlewd, origin):
    daemon = curlewd()
    p, took = timed(daemon.way.refused, {
        "url": origin.url(port="never"), "timeout": {"connect": 0.2},
        "retries": {"max": 2, "backoff": 0}}, 504, "connect_timeout")
    assert 0.6 <= took < 3
    assert figure(daemon, "curlew_retries_total") == 2


def test_a_handshake_that_is_cut_but_no_bad_certificate(curlewd, origin):
    daemon = curlewd()
    plain = origin.url("/hello").replace("http:", "https:")  # closes what begins like a handshake
    daemon.way.refused({"url": plain, "retries": QUICK}, 502, "tls_failed")
    assert figure(daemon, "curlew_retries_total") == 3
    daemon.way.refused({"url": origin.url("/hello", port="https"), "retries": QUICK}, 502, "tls_failed")
    assert figure(daemon, "curlew_retries_total") == 3


@pytest.mark.parametrize("path, code, status", [
    ("/garbage", "protocol_error", 502), ("/bytes/100", "response_too_large", 502)])
def test_what_would_fail_again_is_not_tried_again(curlewd, origin, path, code, status):
    curlewd().way.refused({"url": origin.url(path), "retries": QUICK, "max_body_bytes": 99}, status, code)
    assert origin.stats()["requests"] == 1


def test_over_http_2_a_reset_stream(curlewd, origin):
    e = curlewd().way.fetch(flaky(origin, fail=2, how="hang-up").replace(
        origin.url("", port="http"), origin.url("", port="h2c")),
        http_version="2-prior-knowledge", retries=QUICK)
    assert (e["status"], e["attempts"], e["http_version"]) == (200, 3, "2")


# -- what may be sent twice ------------------------------------------------


@pytest.mark.parametrize("method, attempts", [
    ("GET", 2), ("OPTIONS", 2), ("PUT", 2), ("DELETE", 2), ("POST", 1), ("PATCH", 1), ("FROB", 1)])
def test_only_idempotent_methods(curlewd, origin, method, attempts):
    e = curlewd().way.fetch(flaky(origin), method=method, retries=QUICK)
    assert e["attempts"] == attempts


def test_head_too(curlewd, origin):
    e = curlewd().way.fetch(flaky(origin), method="HEAD", retries=QUICK)
    assert (e["status"], e["attempts"]) == (200, 2)


@pytest.mark.parametrize("how", ["", "reset", "short"])
def test_a_body_is_sent_again_whole_where_the_method_is_named(curlewd, origin, how):
    body = "x" * 300000
    e = curlewd().way.fetch(flaky(origin, fail=2, how=how), body=body,
                            retries={**QUICK, "methods": ["POST"]})
    assert (e["status"], e["attempts"]) == (200, 3)
    assert base64.b64decode(got(e)["body_base64"]) == body.encode()


def test_a_multipart_body_too(curlewd, origin):
    e = curlewd().way.fetch(flaky(origin), method="PUT", retries=QUICK,
                            multipart=[{"name": "a", "value": "b" * 5000}])
    assert e["attempts"] == 2 and b"b" * 5000 in base64.b64decode(got(e)["body_base64"])


# -- with redirects, cookies and the guard ----------------------------------


def test_it_is_the_hop_that_is_tried_again_not_the_chain(curlewd, origin):
    there = flaky(origin, key="there", fail=2)
    e = curlewd().way.fetch(flaky(origin, key="here", then=there), retries=QUICK)
    assert (e["status"], e["attempts"], len(e["history"])) == (200, 4, 1)
    assert (len(tries(origin, "here")), len(tries(origin, "there"))) == (2, 3)


@pytest.mark.parametrize("location", ["file:///etc/passwd", "http://169.254.169.254/"])
def test_a_redirect_after_a_retry_is_judged_like_any(curlewd, origin, location):
    curlewd().way.refused({"url": flaky(origin, then=location), "retries": QUICK}, 403, "blocked")
    assert len(tries(origin)) == 2


def test_what_the_guard_refuses_is_refused_once(curlewd, origin):
    daemon = curlewd({"egress": {"allow": []}})
    daemon.way.refused({"url": origin.url("/hello"), "retries": QUICK}, 403, "blocked")
    assert figures(daemon)["curlew_retries_total"] == 0
    assert origin.stats()["requests"] == 0


def test_the_guard_judges_each_try_anew(curlewd, origin, spawn):
    """The rules that hold when the fetch began, whatever connection it is on."""
    daemon = curlewd({"egress": {"deny": ["127.0.0.2"]}})
    daemon.way.refused({"url": flaky(origin, then=origin.url("/hello", host="127.0.0.2")),
                        "retries": QUICK}, 403, "blocked")


def test_cookies_are_sent_once_and_those_of_a_failed_try_are_kept(curlewd, origin):
    e = curlewd().way.fetch(flaky(origin, fail=2, cookie="seen=1; Path=/"), cookies={"own": "2"},
                            retries=QUICK)
    cookie = [v for n, v in got(e)["headers"] if n.lower() == "cookie"]
    assert len(cookie) == 1 and sorted(cookie[0].split("; ")) == ["own=2", "seen=1"]
    assert [c["name"] for c in e["cookies"]] == ["seen"]


def test_with_digest_authentication(curlewd, origin):
    """Each try begins with its own challenge."""
    url = origin.url("/redirect-to?status=307&url=/auth/digest")
    e = curlewd().way.fetch(url, auth={"digest": ["user", "secret"]}, retries=QUICK)
    assert (e["status"], e["attempts"]) == (200, 1)


# -- how long after ----------------------------------------------------------


def test_the_waits_are_within_their_bounds(curlewd, origin):
    way = curlewd().way
    with Background() as b:
        for i in range(5):
            b.start(way.fetch, flaky(origin, key=f"k{i}", fail=2), retries={"max": 2, "backoff": 0.2})
        b.results()
    waits = []
    for i in range(5):
        at = tries(origin, f"k{i}")
        waits += [at[1] - at[0], at[2] - at[1]]
        assert waits[-2] < 0.2 + 0.2 and waits[-1] < 0.4 + 0.2  # and some time for a busy machine
    assert max(waits) > 0.1 and len({round(w, 2) for w in waits}) > 3  # they are not all the same


@pytest.mark.parametrize("how", ["retry_after", "after_date"])
def test_retry_after_is_honoured(curlewd, origin, how):
    after = 1 if how == "retry_after" else 2  # a date has whole seconds
    e = curlewd().way.fetch(flaky(origin, **{how: after}), retries={"max": 1, "backoff": 0.01})
    assert e["attempts"] == 2
    first, second = tries(origin)
    assert 0.95 <= second - first < after + 1


def test_retry_after_may_be_ignored(curlewd, origin):
    e, took = timed(curlewd().way.fetch, flaky(origin, retry_after=5),
                    retries={**QUICK, "respect_retry_after": False})
    assert e["attempts"] == 2 and took < 2


def test_longer_than_max_backoff_is_no_retry(curlewd, origin):
    way = curlewd().way
    e, took = timed(way.fetch, flaky(origin, key="a", retry_after=2), retries={"max": 1, "max_backoff": 1.9})
    assert (e["status"], e["attempts"]) == (503, 1) and took < 1
    e = way.fetch(flaky(origin, key="b", retry_after=1), retries={"max": 1, "max_backoff": 1})
    assert (e["status"], e["attempts"]) == (200, 2)


def test_never_past_the_total_timeout(curlewd, origin):
    """Where there is no time for another try, the answer at hand is given at once."""
    way = curlewd().way
    e, took = timed(way.fetch, flaky(origin, retry_after=3), retries=1, timeout=2)
    assert (e["status"], e["attempts"]) == (503, 1) and took < 1
    p, took = timed(way.refused, {"url": flaky(origin, key="s", fail=9, how="silent"), "timeout":
                                  {"total": 1, "idle": 0.3}, "retries": {"max": 50, "backoff": 0.01}},
                    504, "timeout")
    assert took < 1.5 and 2 <= len(tries(origin, "s")) <= 4


# -- the budget ----------------------------------------------------------------


def test_ten_retries_are_for_everybody(curlewd, origin):
    daemon = curlewd()
    e = daemon.way.fetch(flaky(origin, fail=99), retries={"max": 50, "backoff": 0})
    assert (e["status"], e["attempts"]) == (503, 11)
    assert figure(daemon, "curlew_retries_total") == 10
    assert figure(daemon, "curlew_retry_budget_refusals_total") == 1
    e = daemon.way.fetch(flaky(origin, key="b"), retries=3)
    assert e["attempts"] == 1  # it is the origin's
    other = flaky(origin, key="c").replace("127.0.0.1", "127.0.0.2")
    assert daemon.way.fetch(other, retries=QUICK)["attempts"] == 2  # and another origin has its own


def test_an_outage_is_not_amplified(curlewd, origin):
    """300 fetches that want three retries each: the origin sees 60 more and not 900."""
    daemon = curlewd()
    url = flaky(origin, fail=10**6)
    with Background(32) as b:
        for _ in range(300):
            b.start(daemon.way.fetch, url, retries={"max": 3, "backoff": 0.001})
        done = b.results()
    retries = sum(e["attempts"] - 1 for e in done)
    assert {e["status"] for e in done} == {503}
    assert origin.stats()["requests"] == 300 + retries
    assert 10 <= retries <= 60
    figure_of = figures(daemon)
    assert figure_of["curlew_retries_total"] == retries
    assert figure_of["curlew_retry_budget_refusals_total"] >= 240
    assert figure_of["curlew_retries_waiting"] == 0


def test_the_budget_is_shared_by_sessions(curlewd, origin):
    daemon = curlewd({"sessions": {"a": {}, "b": {}}})
    url = flaky(origin, fail=99)
    first = daemon.way.fetch(url, session="a", retries={"max": 6, "backoff": 0})
    second = daemon.way.fetch(url, session="b", retries={"max": 6, "backoff": 0})
    assert (first["attempts"], second["attempts"]) == (7, 5)


def test_no_more_may_wait_than_may_be_in_flight(curlewd, origin):
    daemon = curlewd({"limits": {"in_flight": 2}})
    with Background() as b:
        for i in range(2):
            b.start(daemon.way.fetch, flaky(origin, key=f"k{i}", retry_after=1), retries=1)
        wait_until("both wait", lambda: figure(daemon, "curlew_retries_waiting") == 2)
        e = daemon.way.fetch(flaky(origin, key="third", retry_after=1), retries=1)
        assert (e["status"], e["attempts"]) == (503, 1)
        assert [r["status"] for r in b.results()] == [200, 200]
    assert figure(daemon, "curlew_retries_waiting") == 0


# -- while it waits -------------------------------------------------------------


def wait_between_tries(daemon, origin, **args):
    """A raw connection whose fetch waits for its second try."""
    body = json.dumps({"url": flaky(origin, **{"retry_after": 5, **args}), "retries": 1}).encode()
    c = fcgi.Connection(daemon.socket)
    c.send(fcgi.request(fcgi.params_of("POST", "/_fetch/v1/fetch", body=body), body))
    wait_until("it waits", lambda: figure(daemon, "curlew_retries_waiting") == 1)
    return c


def test_it_holds_no_place(curlewd, origin):
    daemon = curlewd({"limits": {"in_flight": 1, "queue": 0}})
    c = wait_between_tries(daemon, origin, retry_after=1)
    now = figures(daemon)
    assert (now["curlew_in_flight"], now["curlew_queued"]) == (0, 0)
    assert daemon.way.fetch(origin.url("/hello"))["status"] == 200
    answer = c.answer()
    assert answer.status == 200 and answer.json()["attempts"] == 2


def test_a_caller_who_leaves_is_not_tried_for_again(curlewd, origin):
    daemon = curlewd()
    wait_between_tries(daemon, origin, retry_after=1).close()
    wait_until("nobody waits", lambda: figure(daemon, "curlew_retries_waiting") == 0, 0.7)
    lines = wait_until("a line in the log", lambda: daemon.lines("fetch"))
    assert (lines[0]["code"], lines[0]["attempts"]) == ("cancelled", 1)
    time.sleep(1.2)  # past the time of the retry
    assert len(tries(origin)) == 1


def test_a_drain_waits_for_it(curlewd, origin):
    daemon = curlewd()
    c = wait_between_tries(daemon, origin, retry_after=1)
    os.kill(daemon.pid, signal.SIGTERM)
    answer = c.answer()
    assert answer.status == 200 and answer.json()["attempts"] == 2
    daemon.wait_gone()


def test_a_drain_that_is_over_cancels_it(curlewd, origin):
    daemon = curlewd({"drain_seconds": 1})
    wait_between_tries(daemon, origin)
    os.kill(daemon.pid, signal.SIGTERM)
    _, took = timed(daemon.wait_gone)
    assert took < 4
    assert len(tries(origin)) == 1


def test_a_waiting_daemon_sleeps(curlewd, origin):
    """No polling: the thread's CPU time stands still between two tries."""
    daemon = curlewd()
    wait_between_tries(daemon, origin, retry_after=3)
    time.sleep(0.3)
    before = cpu(daemon)
    time.sleep(1)
    assert cpu(daemon) - before <= 0.02


def cpu(daemon):
    with open(f"/proc/{daemon.pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_new_configuration_changes_nothing_for_what_waits(curlewd, origin):
    daemon = curlewd({"sessions": {"default": {"retries": 1}}})
    with Background() as b:
        b.start(daemon.way.fetch, flaky(origin, retry_after=1))
        wait_until("it waits", lambda: figure(daemon, "curlew_retries_waiting") == 1)
        daemon.reload({**daemon.config, "sessions": {"default": {"retries": 0}}})
        wait_until("it is in force", lambda: daemon.way.fetch(
            flaky(origin, key="new"), timeout=5)["attempts"] == 1)
        assert b.results()[0]["attempts"] == 2


# -- sessions --------------------------------------------------------------------


def test_a_sessions_default(curlewd, origin):
    way = curlewd({"sessions": {"default": {"retries": {"max": 1, "backoff": 0.01, "statuses": [500]}},
                                "none": {}}}).way
    assert way.fetch(flaky(origin, key="a", status=500))["attempts"] == 2
    assert way.fetch(flaky(origin, key="b", status=500, fail=2), retries=2)["attempts"] == 3
    assert way.fetch(flaky(origin, key="c", status=500), retries=0)["attempts"] == 1
    assert way.fetch(flaky(origin, key="d", status=500), session="none")["attempts"] == 1


def test_in_the_query(curlewd, origin):
    way = curlewd().way
    answer = way.get(query={"url": flaky(origin), "retries": "2"})
    assert (answer.status, answer.json()["attempts"]) == (200, 2)


# -- streams ----------------------------------------------------------------------


@pytest.mark.parametrize("how", ["", "hang-up", "reset", "endless"])
def test_a_stream_is_tried_again_until_its_head_is_out(curlewd, origin, how):
    with streams.opened(curlewd().way, url=flaky(origin, fail=2, how=how), retries=QUICK) as s:
        assert (s.status, s.header("curlew-attempts")) == (200, "3")
        assert json.loads(s.rest())["try"] == 3


def test_a_stream_whose_tries_are_used_up_passes_the_refusal_on(curlewd, origin):
    with streams.opened(curlewd().way, url=flaky(origin, fail=9), retries=QUICK) as s:
        assert (s.status, s.header("curlew-attempts")) == (503, "4")
        assert s.rest() == b"not now\n"


def test_a_stream_whose_budget_is_used_up_passes_the_refusal_on(curlewd, origin):
    way = curlewd().way
    way.fetch(flaky(origin, key="b", fail=99), retries={"max": 10, "backoff": 0})
    with streams.opened(way, url=flaky(origin, fail=9), retries=QUICK) as s:
        assert (s.status, s.header("curlew-attempts"), s.rest()) == (503, "1", b"not now\n")


def test_a_stream_that_has_begun_breaks_and_is_not_begun_again(curlewd, origin):
    with streams.opened(curlewd().way, url=flaky(origin, how="short"), retries=QUICK) as s:
        assert s.status == 200
        with pytest.raises(streams.Broken):
            s.rest()
    assert len(tries(origin)) == 1


# -- many at once --------------------------------------------------------------------


def test_many_at_once_all_come_back(curlewd, origin):
    """200 fetches on two threads, of which one in twenty fails at first."""
    daemon = curlewd({"threads": 2})
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        def one(i):
            host = f"127.0.0.{1 + i % 2}"
            url = flaky(origin, key=f"k{i}", fail=int(i % 20 == 0)).replace("127.0.0.1", host)
            return daemon.way.fetch(url, retries=QUICK)

        done = list(pool.map(one, range(200)))
    assert {e["status"] for e in done} == {200}
    assert sum(e["attempts"] - 1 for e in done) == 10
    assert figure(daemon, "curlew_in_flight") == figure(daemon, "curlew_retries_waiting") == 0
