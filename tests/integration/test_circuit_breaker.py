"""The circuit breaker: an origin that keeps failing gets no requests but one probe at a time."""

import json
import time
from urllib.parse import quote

import pytest

from tests.support import fcgi, streams
from tests.support.concurrency import BackgroundCalls, timed
from tests.support.metrics import cpu_seconds, read_metrics
from tests.support.procs import wait_until

OPEN_SECONDS = 1


def broken(failures=3, **more):
    breaker = {"failures": failures, "open_seconds": OPEN_SECONDS}
    return {"sessions": {"default": {"breaker": breaker, **more}, "plain": {}}}


def states(daemon):
    f = read_metrics(daemon)
    return tuple(f[f'curlew_breakers{{state="{s}"}}'] for s in ("closed", "open", "half_open"))


def unavailable(client, url, **keys):
    """Refused at once with the time to come back."""
    response, took = timed(client.post, {"url": url, **keys})
    assert response.status == 503 and response.json()["code"] == "origin_unavailable", response
    assert took < 5
    return int(response.header("retry-after")), response.json()["detail"]


def fails(client, url, times, status=503, **keys):
    for _ in range(times):
        response = client.post({"url": url, **keys})
        code = response.json()["status"] if response.status == 200 else response.json()["code"]
        assert code == status, response


# -- opening -----------------------------------------------------------------


def test_it_opens_after_the_configured_failures(curlewd, origin):
    daemon = curlewd(broken(3))
    fails(daemon.client, origin.flaky(fail=99), 3)
    for _ in range(20):
        after, detail = unavailable(daemon.client, origin.url("/hello"))
        assert after == 1 and "127.0.0.1" in detail and "breaker" in detail
    assert origin.stats()["requests"] == 3
    assert read_metrics(daemon)["curlew_breaker_opened_total"] == 1
    assert states(daemon) == (0, 1, 0)


def test_retry_after_is_the_rest_of_the_open_time(curlewd, origin):
    client = curlewd({"sessions": {"default": {"breaker": {"failures": 1,
                                                           "open_seconds": 30}}}}).client
    fails(client, origin.flaky(fail=99), 1)
    assert 29 <= unavailable(client, origin.url("/hello"))[0] <= 30


def test_a_success_resets_the_count(curlewd, origin):
    client = curlewd(broken(2)).client
    for _ in range(3):
        fails(client, origin.flaky(fail=99), 1)
        assert client.fetch(origin.url("/status/404"))["status"] == 404  # a response is a success
    fails(client, origin.flaky(fail=99), 2)
    unavailable(client, origin.url("/hello"))


@pytest.mark.parametrize("how, code, keys", [
    ("hang-up", "recv_failed", {}), ("short", "incomplete_body", {}),
    ("silent", "timeout", {"timeout": 0.1}), ("stall", "idle_timeout", {"timeout": {"idle": 0.1}})])
def test_broken_connections_count_as_failures(curlewd, origin, how, code, keys):
    client = curlewd(broken(2)).client
    fails(client, origin.flaky(fail=99, how=how), 2, code, **keys)
    unavailable(client, origin.url("/hello"))


def test_connections_that_cannot_be_made_count_as_failures(curlewd):
    client = curlewd(broken(2)).client
    fails(client, "http://127.0.0.1:1/", 2, "connect_failed")
    unavailable(client, "http://127.0.0.1:1/")


def test_failures_on_our_side_do_not_count(curlewd, origin):
    daemon = curlewd({**broken(1), "egress": {"deny": ["127.0.0.2"]}})
    client = daemon.client
    fails(client, origin.url("/bytes/100"), 3, "response_too_large", max_body_bytes=10)
    fails(client, origin.url("/hello", host="127.0.0.2"), 3, "blocked")
    for i in range(3):
        leave(daemon, origin, f"/silent?{i}")
    assert client.fetch(origin.url("/hello"))["status"] == 200


def leave(daemon, origin, path):
    body = json.dumps({"url": origin.url(path)}).encode()
    c = fcgi.Connection(daemon.socket)
    c.send(fcgi.request(fcgi.cgi_params("POST", "/_fetch/v1/fetch", body=body), body))
    origin.wait_for("arrived", path)
    c.close()
    origin.wait_for("left", path)


# -- whose it is ----------------------------------------------------------------


def test_it_belongs_to_one_session_and_one_origin(curlewd, origin):
    client = curlewd(broken(1)).client
    fails(client, origin.flaky(fail=99), 1)
    unavailable(client, origin.url("/hello"))
    assert client.fetch(origin.url("/hello"), session="plain")["status"] == 200
    assert client.fetch(origin.url("/hello", host="127.0.0.2"))["status"] == 200


def test_a_session_without_a_breaker_is_never_refused(curlewd, origin):
    daemon = curlewd(broken(1))
    fails(daemon.client, origin.flaky(fail=99), 20, session="plain")
    assert states(daemon) == (0, 0, 0)


def test_a_redirect_to_an_origin_whose_breaker_is_open_fails(curlewd, origin):
    client = curlewd(broken(1)).client
    there = origin.flaky(host="127.0.0.2", fail=99)
    fails(client, there, 1)
    here = origin.url(f"/redirect-to?url={quote(origin.url('/hello', host='127.0.0.2'))}")
    assert "127.0.0.2" in unavailable(client, here)[1]
    assert client.fetch(origin.url("/hello"))["status"] == 200


def test_it_works_with_several_threads(curlewd, origin):
    daemon = curlewd({**broken(2), "threads": 4})
    hosts = [f"127.0.0.{i}" for i in (1, 2)]
    for host in hosts:
        url = origin.flaky(host=host, fail=99)
        fails(daemon.client, url, 2)
        unavailable(daemon.client, url)
    assert states(daemon) == (0, 2, 0)


# -- closing again -----------------------------------------------------------------


def wait_half_open(daemon):
    wait_until("half open", lambda: states(daemon)[2] == 1, OPEN_SECONDS + 2)


def test_a_probe_that_works_closes_it(curlewd, origin):
    daemon = curlewd(broken(1))
    fails(daemon.client, origin.flaky(fail=1), 1)
    _, took = timed(wait_half_open, daemon)
    assert took > OPEN_SECONDS - 0.5
    assert daemon.client.fetch(origin.flaky(fail=1))["status"] == 200
    assert states(daemon) == (1, 0, 0)
    assert daemon.client.fetch(origin.url("/hello"))["status"] == 200


def test_a_probe_that_fails_opens_it_again(curlewd, origin):
    daemon = curlewd(broken(2))
    fails(daemon.client, origin.flaky(fail=3), 2)
    wait_half_open(daemon)
    fails(daemon.client, origin.flaky(fail=3), 1)  # one failure is enough now
    unavailable(daemon.client, origin.url("/hello"))
    assert read_metrics(daemon)["curlew_breaker_opened_total"] == 2
    wait_half_open(daemon)
    assert daemon.client.fetch(origin.flaky(fail=3))["status"] == 200


def test_only_one_probe_is_sent_at_a_time(curlewd, origin):
    daemon = curlewd(broken(1))
    fails(daemon.client, origin.flaky(fail=1), 1)
    wait_half_open(daemon)
    with BackgroundCalls() as b:
        probe = b.start(daemon.client.fetch, origin.url("/delay/0.5"))
        origin.wait_for("arrived", "/delay/0.5")
        for _ in range(5):
            unavailable(daemon.client, origin.url("/hello"))
        assert probe.result()["status"] == 200
    assert daemon.client.fetch(origin.url("/hello"))["status"] == 200
    assert origin.stats()["paths"]["/hello"] == 1


def test_the_head_of_a_response_decides_a_probe(curlewd, origin):
    """A probe that goes on for minutes does not keep the others out."""
    daemon = curlewd(broken(1))
    fails(daemon.client, origin.flaky(fail=1), 1)
    wait_half_open(daemon)
    with streams.open_stream(daemon.client, url=origin.url("/stall?n=1")) as s:
        assert s.status == 200
        assert daemon.client.fetch(origin.url("/hello"))["status"] == 200


def test_a_cancelled_probe_is_followed_by_another(curlewd, origin):
    daemon = curlewd(broken(1))
    fails(daemon.client, origin.flaky(fail=1), 1)
    wait_half_open(daemon)
    leave(daemon, origin, "/silent?probe")
    wait_until("it is cancelled", lambda: read_metrics(daemon)["curlew_in_flight"] == 0)
    assert daemon.client.fetch(origin.url("/hello"))["status"] == 200


# -- with what else there is ----------------------------------------------------------


def test_queued_fetches_fail_as_soon_as_it_opens(curlewd, origin):
    daemon = curlewd(broken(1, max_per_origin=2))
    with BackgroundCalls() as b:
        for i in range(2):
            url = origin.flaky(key=f"k{i}", fail=9, how="silent")
            b.start(daemon.client.post, {"url": url, "timeout": 1})
        wait_until("both are in flight", lambda: read_metrics(daemon)["curlew_in_flight"] == 2)
        for _ in range(10):
            b.start(daemon.client.post, {"url": origin.url("/delay/3")})
        wait_until("ten wait", lambda: read_metrics(daemon)["curlew_queued"] == 10)
        results, took = timed(b.results)
    # the second of those in flight had begun before, and goes on
    assert [a.json()["code"] for a in results] == ["timeout"] * 2 + ["origin_unavailable"] * 10
    assert took < 1.8
    assert read_metrics(daemon)["curlew_queued"] == read_metrics(daemon)["curlew_in_flight"] == 0
    assert origin.stats()["paths"] == {"/flaky": 2}


def test_retries_count_as_failures_and_end_when_it_opens(curlewd, origin):
    daemon = curlewd(broken(3))
    e = daemon.client.fetch(origin.flaky(fail=99), retries={"max": 9, "backoff": 0})
    assert (e["status"], e["attempts"]) == (503, 3)  # the failure itself, not "origin_unavailable"
    unavailable(daemon.client, origin.url("/hello"))
    assert read_metrics(daemon)["curlew_retries_total"] == 2


def test_a_retry_that_is_due_while_it_is_open_is_refused(curlewd, origin):
    daemon = curlewd({"sessions": {"default": {"breaker": {"failures": 2, "open_seconds": 10}}}})
    with BackgroundCalls() as b:
        retries = {"max": 1, "backoff": 0}
        b.start(daemon.client.post, {"url": origin.flaky(retry_after=1), "retries": retries})
        wait_until("it waits", lambda: read_metrics(daemon)["curlew_retries_waiting"] == 1)
        fails(daemon.client, origin.flaky(key="b", fail=99), 1)
        response = b.results()[0]
    assert response.status == 503 and response.json()["code"] == "origin_unavailable"
    assert read_metrics(daemon)["curlew_retries_waiting"] == 0


def test_refusals_are_counted_as_such(curlewd, origin):
    daemon = curlewd(broken(1))
    fails(daemon.client, origin.flaky(fail=99), 1)
    for _ in range(3):
        unavailable(daemon.client, origin.url("/hello"))
    name = 'curlew_fetches_total{session="default",outcome="origin_unavailable"}'
    assert read_metrics(daemon)[name] == 3
    breakers = daemon.client.get("/v1/status").json()["engine"]["breakers"]
    assert breakers == {"closed": 0, "open": 1, "half_open": 0}


def test_a_reload_without_a_breaker_lets_all_fetches_through(curlewd, origin):
    daemon = curlewd({"sessions": {"default": {"breaker": {"failures": 1, "open_seconds": 600}}}})
    fails(daemon.client, origin.flaky(fail=99), 1)
    unavailable(daemon.client, origin.url("/hello"))
    daemon.reload({**daemon.config, "sessions": {"default": {}}})
    hello = {"url": origin.url("/hello")}
    wait_until("it is let through", lambda: daemon.client.post(hello).status == 200)
    assert states(daemon) == (0, 0, 0)


def test_it_can_be_set_at_run_time(curlewd, origin):
    client = curlewd().client
    put = client.ask("PUT", "/v1/sessions/careful", body=json.dumps(
        {"breaker": {"failures": 1}, "rate_per_origin": 100, "burst": 5,
         "retries": {"max": 0, "methods": ["GET", "POST"], "statuses": [500]}}).encode())
    assert put.status in (200, 201), put
    shown = client.ask("GET", "/v1/sessions/careful").json()
    assert shown["breaker"] == {"failures": 1, "open_seconds": 10}
    assert (shown["rate_per_origin"], shown["burst"]) == (100, 5)
    assert shown["retries"] == {"max": 0, "methods": ["GET", "POST"], "statuses": [500]}
    fails(client, origin.flaky(fail=99), 1, session="careful")
    assert 9 <= unavailable(client, origin.url("/hello"), session="careful")[0] <= 10


def put_careful(daemon, **more):
    body = json.dumps({"breaker": {"failures": 1, "open_seconds": 600}, **more}).encode()
    assert daemon.client.ask("PUT", "/v1/sessions/careful", body=body).status in (200, 201)


@pytest.mark.parametrize("threads", [1, 3])
def test_a_session_that_is_removed_takes_its_breakers_along(curlewd, origin, threads):
    daemon = curlewd({"threads": threads, **broken(1)})
    put_careful(daemon)
    fails(daemon.client, origin.flaky(fail=99), 1, session="careful")
    daemon.client.fetch(origin.url("/hello", host="127.0.0.2"), session="careful")
    daemon.client.fetch(origin.url("/hello"))
    assert states(daemon) == (2, 1, 0)
    daemon.client.ask("DELETE", "/v1/sessions/careful")
    wait_until("they are gone", lambda: states(daemon) == (1, 0, 0))
    told = daemon.client.get("/v1/status").json()
    assert told["engine"]["breakers"] == {"closed": 1, "open": 0, "half_open": 0}
    assert told["origins"]["breaker_open"] == []


def test_what_is_in_flight_when_its_session_is_removed_leaves_no_breaker(curlewd, origin):
    daemon = curlewd()
    put_careful(daemon, max_per_origin=1)
    with BackgroundCalls() as b:
        b.start(daemon.client.post, {"url": origin.url("/delay/0.5"), "session": "careful"})
        origin.wait_for("arrived", "/delay/0.5")
        b.start(daemon.client.post, {"url": origin.url("/status/500"), "session": "careful"})
        wait_until("it to wait", lambda: read_metrics(daemon)["curlew_queued"] == 1)
        assert states(daemon) == (1, 0, 0)
        daemon.client.ask("DELETE", "/v1/sessions/careful")
        b.results()
    wait_until("it is gone", lambda: states(daemon) == (0, 0, 0))


def test_a_reload_that_takes_a_session_or_its_breaker_away_does_so_in_the_figures(curlewd, origin):
    one = {"breaker": {"failures": 1, "open_seconds": 600}}
    daemon = curlewd({"sessions": {"gone": one, "free": one, "stays": one}})
    for session in ("gone", "free", "stays"):
        fails(daemon.client, origin.flaky(fail=99), 1, session=session)
    assert states(daemon) == (0, 3, 0)
    daemon.reload({**daemon.config, "sessions": {"free": {}, "stays": one}})
    wait_until("two are gone", lambda: states(daemon) == (0, 1, 0))
    unavailable(daemon.client, origin.url("/hello"), session="stays")


def test_an_open_breaker_wakes_no_thread(curlewd, origin):
    daemon = curlewd(broken(1))
    fails(daemon.client, origin.flaky(fail=99), 1)
    time.sleep(0.1)
    before = cpu_seconds(daemon)
    time.sleep(OPEN_SECONDS + 0.5)
    assert cpu_seconds(daemon) - before <= 0.02
