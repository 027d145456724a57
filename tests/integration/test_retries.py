"""Retries: which failures are retried, and what the next attempt sends.

Each test has its own daemon, because an origin's retry budget is ten retries in ten seconds.
"""

import base64
import json

import pytest

from tests.support import streams
from tests.support.concurrency import BackgroundCalls, timed
from tests.support.metrics import read_metric, read_metrics
from tests.support.procs import wait_until

QUICK = {"max": 3, "backoff": 0.01}  # seconds


def got(envelope):
    return json.loads(envelope["body"])


# -- after what ------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_transient_status_is_retried(curlewd, origin, status):
    e = curlewd().client.fetch(origin.flaky(fail=2, status=status), retries=QUICK)
    assert (e["status"], e["attempts"], got(e)["try"]) == (200, 3, 3)
    assert e["history"] == []


@pytest.mark.parametrize("status", [500, 501, 404, 401, 400])
def test_other_statuses_are_not_retried(curlewd, origin, status):
    e = curlewd().client.fetch(origin.flaky(status=status), retries=QUICK)
    assert (e["status"], e["attempts"]) == (status, 1)


def test_a_request_may_name_the_statuses(curlewd, origin):
    client = curlewd().client
    e = client.fetch(origin.flaky(key="a", status=500), retries={**QUICK, "statuses": [500]})
    assert (e["status"], e["attempts"]) == (200, 2)
    e = client.fetch(origin.flaky(key="b", status=503), retries={**QUICK, "statuses": [500]})
    assert (e["status"], e["attempts"]) == (503, 1)


@pytest.mark.parametrize("how", ["hang-up", "reset", "short"])
def test_broken_connections_are_retried(curlewd, origin, how):
    e = curlewd().client.fetch(origin.flaky(fail=2, how=how), retries=QUICK)
    assert (e["status"], e["attempts"]) == (200, 3)


@pytest.mark.parametrize("how", ["silent", "stall"])
def test_an_idle_timeout_is_retried(curlewd, origin, how):
    e = curlewd().client.fetch(origin.flaky(how=how), retries=QUICK, timeout={"idle": 0.2})
    assert (e["status"], e["attempts"]) == (200, 2)


@pytest.mark.parametrize("on, attempts", [
    (["connect"], 1), (["status"], 1), (["read"], 2), (["connect", "read"], 2)])
def test_a_request_may_name_the_kinds_of_failure(curlewd, origin, on, attempts):
    retries = {**QUICK, "on": on}
    response = curlewd().client.post({"url": origin.flaky(how="short"), "retries": retries})
    assert response.json()["attempts"] == attempts
    assert response.status == (200 if attempts == 2 else 502)


@pytest.mark.parametrize("on, attempts", [(["connect", "read"], 1), (["status"], 2)])
def test_a_status_is_one_of_these_kinds(curlewd, origin, on, attempts):
    e = curlewd().client.fetch(origin.flaky(status=503), retries={**QUICK, "on": on})
    assert e["attempts"] == attempts


def test_when_all_attempts_fail_the_last_one_is_the_response(curlewd, origin):
    daemon = curlewd()
    e = daemon.client.fetch(origin.flaky(fail=9), retries=QUICK)
    assert (e["status"], e["body"], e["attempts"]) == (503, "not now\n", 4)
    daemon.client.refused({"url": origin.flaky(key="cut", fail=9, how="short"), "retries": QUICK},
                          502, "incomplete_body")
    assert len(origin.tries("cut")) == 4
    assert read_metric(daemon, "curlew_retries_total") == 6


def test_nothing_is_retried_by_default(curlewd, origin):
    e = curlewd().client.fetch(origin.flaky())
    assert (e["status"], e["attempts"]) == (503, 1)


@pytest.mark.parametrize("url, code", [
    ("http://127.0.0.1:1/", "connect_failed"), ("http://nowhere.invalid/", "dns_failed")])
def test_failed_connections_are_retried(curlewd, url, code):
    daemon = curlewd()
    daemon.client.refused({"url": url, "retries": {"max": 2, "backoff": 0.01}}, 502, code)
    assert read_metric(daemon, "curlew_retries_total") == 2


def test_a_connect_timeout_is_retried(curlewd, origin):
    daemon = curlewd()
    p, took = timed(daemon.client.refused, {
        "url": origin.url(port="never"), "timeout": {"connect": 0.2},
        "retries": {"max": 2, "backoff": 0}}, 504, "connect_timeout")
    assert 0.6 <= took < 3
    assert read_metric(daemon, "curlew_retries_total") == 2


def test_a_broken_handshake_is_retried_but_no_bad_certificate(curlewd, origin):
    daemon = curlewd()
    plain = origin.url("/hello").replace("http:", "https:")  # closes what begins like a handshake
    daemon.client.refused({"url": plain, "retries": QUICK}, 502, "tls_failed")
    assert read_metric(daemon, "curlew_retries_total") == 3
    untrusted = origin.url("/hello", port="https")
    daemon.client.refused({"url": untrusted, "retries": QUICK}, 502, "tls_failed")
    assert read_metric(daemon, "curlew_retries_total") == 3


@pytest.mark.parametrize("path, code, status", [
    ("/garbage", "protocol_error", 502), ("/bytes/100", "response_too_large", 502)])
def test_permanent_failures_are_not_retried(curlewd, origin, path, code, status):
    request = {"url": origin.url(path), "retries": QUICK, "max_body_bytes": 99}
    curlewd().client.refused(request, status, code)
    assert origin.stats()["requests"] == 1


def test_a_reset_http_2_stream_is_retried(curlewd, origin):
    e = curlewd().client.fetch(origin.flaky(port="h2c", fail=2, how="hang-up"), retries=QUICK,
                               http_version="2-prior-knowledge")
    assert (e["status"], e["attempts"], e["http_version"]) == (200, 3, "2")


@pytest.mark.parametrize("neighbours", [0, 3])
def test_a_silent_http_2_stream_is_retried_and_others_go_on(
        curlewd, origin, certs, neighbours):
    client = curlewd({"sessions": {"default": {"ca_file": str(certs / "ca.pem")}}}).client
    client.fetch(origin.url("/hello", port="h2"))
    url = origin.flaky(port="h2", how="silent")
    with BackgroundCalls() as b:
        for i in range(neighbours):
            b.start(client.fetch, origin.url(f"/delay/1.5?{i}", port="h2"))
            origin.wait_for("arrived", f"/delay/1.5?{i}")
        e = client.fetch(url, retries={**QUICK, "backoff": 0}, timeout={"idle": 0.3})
        assert (e["status"], e["attempts"], e["http_version"]) == (200, 2, "2")
        first, _ = origin.tries()
        left = origin.wait_for("left", url[url.index("/flaky"):])
        assert 0.25 < left - first < 0.3 + 0.5  # not only when its neighbours are done
        assert {n["status"] for n in b.results()} <= {200}


# -- what may be sent twice ------------------------------------------------


@pytest.mark.parametrize("method, attempts", [
    ("GET", 2), ("OPTIONS", 2), ("PUT", 2), ("DELETE", 2), ("POST", 1), ("PATCH", 1), ("FROB", 1)])
def test_only_idempotent_methods_are_retried(curlewd, origin, method, attempts):
    e = curlewd().client.fetch(origin.flaky(), method=method, retries=QUICK)
    assert e["attempts"] == attempts


def test_head_requests_are_retried(curlewd, origin):
    e = curlewd().client.fetch(origin.flaky(), method="HEAD", retries=QUICK)
    assert (e["status"], e["attempts"]) == (200, 2)


@pytest.mark.parametrize("how", ["", "reset", "short"])
def test_a_named_method_is_retried_with_its_whole_body(curlewd, origin, how):
    body = "x" * 300000
    e = curlewd().client.fetch(origin.flaky(fail=2, how=how), body=body,
                               retries={**QUICK, "methods": ["POST"]})
    assert (e["status"], e["attempts"]) == (200, 3)
    assert base64.b64decode(got(e)["body_base64"]) == body.encode()


def test_a_multipart_body_is_sent_again(curlewd, origin):
    e = curlewd().client.fetch(origin.flaky(), method="PUT", retries=QUICK,
                               multipart=[{"name": "a", "value": "b" * 5000}])
    assert e["attempts"] == 2 and b"b" * 5000 in base64.b64decode(got(e)["body_base64"])


# -- with redirects, cookies and the guard ----------------------------------


def test_it_is_the_hop_that_is_tried_again_not_the_chain(curlewd, origin):
    there = origin.flaky(key="there", fail=2)
    e = curlewd().client.fetch(origin.flaky(key="here", then=there), retries=QUICK)
    assert (e["status"], e["attempts"], len(e["history"])) == (200, 4, 1)
    assert (len(origin.tries("here")), len(origin.tries("there"))) == (2, 3)


@pytest.mark.parametrize("location", ["file:///etc/passwd", "http://169.254.169.254/"])
def test_a_redirect_after_a_retry_is_checked(curlewd, origin, location):
    curlewd().client.refused({"url": origin.flaky(then=location), "retries": QUICK}, 403, "blocked")
    assert len(origin.tries()) == 2


def test_a_blocked_address_is_not_retried(curlewd, origin):
    daemon = curlewd({"egress": {"allow": []}})
    daemon.client.refused({"url": origin.url("/hello"), "retries": QUICK}, 403, "blocked")
    assert read_metrics(daemon)["curlew_retries_total"] == 0
    assert origin.stats()["requests"] == 0


def test_cookies_are_sent_once_and_those_of_a_failed_attempt_kept(curlewd, origin):
    e = curlewd().client.fetch(origin.flaky(fail=2, cookie="seen=1; Path=/"), cookies={"own": "2"},
                               retries=QUICK)
    cookie = [v for n, v in got(e)["headers"] if n.lower() == "cookie"]
    assert len(cookie) == 1 and sorted(cookie[0].split("; ")) == ["own=2", "seen=1"]
    assert [c["name"] for c in e["cookies"]] == ["seen"]


def test_digest_authentication_starts_again_on_each_attempt(curlewd, origin):
    client = curlewd().client
    url = origin.url("/redirect-to?status=307&url=/auth/digest")
    keys = {"auth": {"digest": ["user", "secret"]}, "retries": QUICK}
    assert client.fetch(url, **keys)["status"] == 200
    with streams.open_stream(client, url=url, **keys) as stream:
        assert stream.status == 200


# -- with proxies and shared transfers ---------------------------------------


def test_a_retry_uses_the_next_proxy(curlewd, origin, proxy):
    port, process = proxy()
    proxies = ["http://127.0.0.1:1", f"http://127.0.0.1:{port}"]
    breaker = {"failures": 1, "open_seconds": 60}
    daemon = curlewd({"sessions": {"default": {"proxies": proxies, "breaker": breaker}}})
    tries = []
    for _ in range(4):
        tries.append(daemon.client.fetch(origin.url("/hello"), retries=QUICK)["attempts"])
        # The proxy closes after each response: a fetch that came sooner might be sent again.
        wait_until("no connection", lambda: read_metric(daemon, "curlew_connections") == 0)
    assert tries == [2, 1, 1, 1]  # the dead one sits on the bench, and is not the origin's fault
    assert process.out.count("/hello") == 4


def test_coalesced_callers_share_the_attempts(curlewd, origin):
    daemon = curlewd()
    url = origin.flaky(wait=0.3, retry_after=1)
    with BackgroundCalls() as b:
        for _ in range(10):
            b.start(daemon.client.fetch, url, coalesce=True, retries=1)
        got = b.results()
    assert {(e["status"], e["attempts"]) for e in got} == {(200, 2)}
    assert len(origin.tries()) == 2
    assert read_metric(daemon, "curlew_retries_total") == 1


def test_the_longest_timeout_of_coalesced_callers_counts(curlewd, origin):
    client = curlewd().client
    keys = {"coalesce": True, "retries": 1}
    e, took = timed(client.fetch, origin.flaky(key="a", retry_after=2), timeout=1, **keys)
    assert (e["status"], e["attempts"]) == (503, 1) and took < 0.9
    url = origin.flaky(key="b", wait=0.3, retry_after=1)
    with BackgroundCalls() as b:
        for timeout in (0.8, 5):
            b.start(client.post, {"url": url, "timeout": timeout, **keys})
        responses = b.results()
    assert [a.json()["status"] for a in responses] == [503, 200]  # the first has no time for more
    assert len(origin.tries("b")) == 2


def test_other_retry_settings_are_not_coalesced(curlewd, origin):
    client = curlewd().client
    url = origin.url("/delay/0.3")
    with BackgroundCalls() as b:
        for retries in (0, 1, {"max": 1, "statuses": [500]}, {"max": 1, "methods": ["GET"]}):
            b.start(client.fetch, url, coalesce=True, retries=retries)
        assert [e["coalesced"] for e in b.results()] == [False] * 4


# -- sessions --------------------------------------------------------------------


def test_a_session_may_set_retries(curlewd, origin):
    retries = {"max": 1, "backoff": 0.01, "statuses": [500]}
    client = curlewd({"sessions": {"default": {"retries": retries}, "none": {}}}).client
    assert client.fetch(origin.flaky(key="a", status=500))["attempts"] == 2
    assert client.fetch(origin.flaky(key="b", status=500, fail=2), retries=2)["attempts"] == 3
    assert client.fetch(origin.flaky(key="c", status=500), retries=0)["attempts"] == 1
    assert client.fetch(origin.flaky(key="d", status=500), session="none")["attempts"] == 1


def test_retries_may_be_set_in_the_query(curlewd, origin):
    client = curlewd().client
    response = client.get(query={"url": origin.flaky(), "retries": "2"})
    assert (response.status, response.json()["attempts"]) == (200, 2)


# -- streams ----------------------------------------------------------------------


@pytest.mark.parametrize("how", ["", "hang-up", "reset", "endless"])
def test_a_stream_is_retried_until_its_head_is_sent(curlewd, origin, how):
    with streams.open_stream(curlewd().client, url=origin.flaky(fail=2, how=how),
                             retries=QUICK) as s:
        assert (s.status, s.header("curlew-attempts")) == (200, "3")
        assert json.loads(s.read_all())["try"] == 3


def test_a_stream_without_attempts_left_passes_the_status_on(curlewd, origin):
    with streams.open_stream(curlewd().client, url=origin.flaky(fail=9), retries=QUICK) as s:
        assert (s.status, s.header("curlew-attempts")) == (503, "4")
        assert s.read_all() == b"not now\n"


def test_a_stream_without_retry_budget_passes_the_status_on(curlewd, origin):
    client = curlewd().client
    client.fetch(origin.flaky(key="b", fail=99), retries={"max": 10, "backoff": 0})
    with streams.open_stream(client, url=origin.flaky(fail=9), retries=QUICK) as s:
        assert (s.status, s.header("curlew-attempts"), s.read_all()) == (503, "1", b"not now\n")


def test_a_started_stream_breaks_and_is_not_retried(curlewd, origin):
    with streams.open_stream(curlewd().client, url=origin.flaky(how="stall"), retries=QUICK,
                             timeout={"idle": 0.5}) as s:
        assert s.status == 200
        with pytest.raises(streams.IncompleteResponse):
            s.read_all()
    assert len(origin.tries()) == 1
