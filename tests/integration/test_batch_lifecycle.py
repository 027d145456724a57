"""A running batch: slow readers, disconnects, graceful shutdown, tokens, the log."""

import http.client
import json
import signal
import time

import pytest

from tests.support import fcgi
from tests.support.batch import Lines, parse_lines
from tests.support.curlewd import SANITIZED
from tests.support.metrics import read_metric
from tests.support.procs import wait_until

MIB = 1 << 20


def settled(read, seconds=0.5):
    """What read() says once it has said the same for so long."""
    last, since = read(), time.monotonic()
    end = since + 20
    while time.monotonic() - since < seconds:
        assert time.monotonic() < end, "it does not settle"
        time.sleep(0.02)
        if (now := read()) != last:
            last, since = now, time.monotonic()
    return last


@pytest.fixture(params=["socket", "nginx"])
def reach(request, nginx):
    """reach(daemon) → a client of it."""
    return (lambda daemon: nginx(daemon)) if request.param == "nginx" else (lambda d: d.client)


# -- a slow reader ---------------------------------------------------------


@pytest.mark.parametrize("order", ["completed", "input"])
def test_a_reader_that_stops_stops_the_fetches_and_loses_nothing(curlewd, origin, reach, order,
                                                                 record_property):
    size, parallel, count = 100000, 16, 600
    daemon = curlewd({"limits": {"buffered_bytes": 4 * MIB}})
    client = reach(daemon)
    client.fetch(origin.url(f"/bytes/{size}"))
    origin.reset()
    before = daemon.rss_kib()
    requests = [{"url": origin.url(f"/bytes/{size}?{i}")} for i in range(count)]
    with Lines(client, {"requests": requests, "max_parallel": parallel, "order": order}) as lines:
        next(lines)
        started = settled(lambda: origin.stats()["requests"])
        # a MiB and max_parallel bodies in the daemon; the rest on its way, in base64
        assert read_metric(daemon, "curlew_buffered_bytes") <= MIB + (parallel + 1) * size
        assert started < 80
        record_property("grown_kib", daemon.peak_kib() - before)
        assert SANITIZED or daemon.peak_kib() - before < 12 * 1024
        assert origin.stats()["in_flight"] == 0 and read_metric(daemon, "curlew_in_flight") == 0
        rest = [e for e, _ in lines]
    assert len(rest) == count - 1 and all(e["body_bytes"] == size for e in rest)
    assert origin.stats()["requests"] == count
    wait_until("all to be given back", lambda: read_metric(daemon, "curlew_buffered_bytes") == 0)


@pytest.mark.parametrize("order", ["completed", "input"])
def test_ten_thousand_to_a_slow_reader_stay_within_buffered_bytes(curlewd, origin, order,
                                                                  record_property):
    size, count, limit = 12000, 10000, MIB
    daemon = curlewd({"log": {"access": False}, "limits": {"buffered_bytes": limit}})
    requests = [{"url": origin.url(f"/bytes/{size}?{i}")} for i in range(count)]
    held, seen = [], set()
    with Lines(daemon.client, {"requests": requests, "order": order}, timeout=60) as lines:
        before = daemon.rss_kib()
        for envelope, _ in lines:
            assert envelope["ok"] and envelope["body_bytes"] == size, envelope
            seen.add(envelope["index"])
            if len(seen) % 200 == 0:
                time.sleep(0.05)  # the daemon has filled what there is to fill
                held.append(read_metric(daemon, "curlew_buffered_bytes"))
    assert seen == set(range(count))
    record_property("held", max(held))
    record_property("grown_kib", daemon.peak_kib() - before)
    assert 0 < max(held) <= limit
    assert SANITIZED or daemon.peak_kib() - before < 12 * 1024


def test_small_results_stop_the_fetches_too(curlewd, origin):
    daemon = curlewd({"log": {"access": False}})
    requests = [{"url": origin.url("/hello")}] * 10000
    with Lines(daemon.client, {"requests": requests, "max_parallel": 50}) as lines:
        next(lines)
        # 256 KiB framed, what a socket holds, and a window of 200
        assert settled(lambda: origin.stats()["requests"]) < 2500
        assert sum(1 for _ in lines) == 9999


def test_a_reader_that_stops_delays_no_other_caller(curlewd, origin):
    daemon = curlewd({"limits": {"in_flight": 8}})
    requests = [{"url": origin.url("/bytes/100000")}] * 200
    with Lines(daemon.client, {"requests": requests, "max_parallel": 8}) as lines:
        next(lines)
        settled(lambda: origin.stats()["requests"])
        for _ in range(20):
            assert daemon.client.fetch(origin.url("/hello"))["timing"]["total"] < 0.5


# -- a caller who leaves ---------------------------------------------------


def all_left(daemon, origin, n):
    wait_until("the origin to be left alone", lambda: origin.stats()["in_flight"] == 0)
    assert settled(lambda: origin.stats()["requests"]) == n  # no more were started
    wait_until("nothing to be in flight", lambda: read_metric(daemon, "curlew_in_flight") == 0)
    wait_until("nothing to be queued", lambda: read_metric(daemon, "curlew_queued") == 0)
    assert read_metric(daemon, "curlew_parked") == 0


@pytest.mark.parametrize("order", ["completed", "input"])
def test_a_caller_that_disconnects_cancels_its_batch(curlewd, origin, reach, order):
    daemon = curlewd()
    client = reach(daemon)
    cancelled = read_metric(daemon, "curlew_cancelled_total")
    pages = ["/hello", *(f"/silent?{i}" for i in range(100))]
    lines = Lines(client, {"requests": [{"url": origin.url(p)} for p in pages], "max_parallel": 20,
                           "order": order})
    next(lines)
    wait_until("20 to be in flight", lambda: origin.stats()["in_flight"] == 20)
    lines.close()
    all_left(daemon, origin, 21)
    assert read_metric(daemon, "curlew_cancelled_total") == cancelled + 1
    codes = [e.get("code") for e in daemon.log_entries("fetch")]
    assert codes.count("cancelled") == 20


def test_a_caller_may_disconnect_while_nothing_is_in_flight(curlewd, origin):
    daemon = curlewd()
    requests = [{"url": origin.url("/bytes/200000")}] * 100
    lines = Lines(daemon.client, {"requests": requests})
    next(lines)
    n = settled(lambda: origin.stats()["requests"])
    lines.close()
    all_left(daemon, origin, n)
    wait_until("all to be given back", lambda: read_metric(daemon, "curlew_buffered_bytes") == 0)


def test_a_caller_that_disconnects_empties_the_queue(curlewd, origin):
    daemon = curlewd({"limits": {"in_flight": 2}})
    requests = [{"url": origin.url("/silent")}] * 50
    lines = Lines(daemon.client, {"requests": requests})
    wait_until("30 to be queued", lambda: read_metric(daemon, "curlew_queued") == 30)
    lines.close()
    all_left(daemon, origin, 2)


def test_an_abort_record_ends_the_batch_and_gets_a_response(daemon, origin):
    requests = [{"url": origin.url("/silent")}] * 50
    body = json.dumps({"requests": requests, "max_parallel": 5}).encode()
    with fcgi.Connection(daemon.socket) as c:
        c.send(fcgi.request(fcgi.cgi_params("POST", "/_fetch/v1/batch", body=body), body,
                            keep=True))
        wait_until("5 to be in flight", lambda: origin.stats()["in_flight"] == 5)
        c.send(fcgi.record(fcgi.ABORT))
        lines = parse_lines(c.read_response().body)
        assert [e["error"]["code"] for e in lines] == ["cancelled"] * 5
        c.send(fcgi.request(fcgi.cgi_params("GET", "/_fetch/healthz")))  # the connection lives
        assert c.read_response().status == 200
    all_left(daemon, origin, 5)


def test_thirty_callers_that_disconnect_at_once_leave_nothing_behind(curlewd, origin):
    daemon = curlewd({"workers": 2, "threads": 2, "log": {"access": False}})
    batches = []
    for i in range(30):
        pages = [f"/silent?{i}", "/bytes/50000", "/delay/0.05"] * 100
        batches.append(Lines(daemon.client, {"requests": [{"url": origin.url(p)} for p in pages],
                                             "order": ("input", "completed")[i % 2]}))
    wait_until("some to be in flight", lambda: origin.stats()["in_flight"] > 300)
    for lines in batches:
        lines.close()
    wait_until("the origin to be left alone", lambda: origin.stats()["in_flight"] == 0)
    all_left(daemon, origin, origin.stats()["requests"])
    assert daemon.client.fetch(origin.url("/hello"))["status"] == 200


# -- a daemon that stops ---------------------------------------------------


def test_a_batch_in_flight_is_finished_in_a_drain(curlewd, origin, reach):
    daemon = curlewd({"drain_seconds": 20})
    client = reach(daemon)
    requests = [{"url": origin.url("/delay/0.3")}] * 10
    with Lines(client, {"requests": requests, "max_parallel": 2}) as lines:
        next(lines)
        daemon.process.send(signal.SIGTERM)
        assert sum(e["ok"] for e, _ in lines) == 9
    daemon.wait_exit()


def test_a_batch_that_still_comes_in_a_drain_is_served(curlewd, origin):
    daemon = curlewd({"drain_seconds": 20})
    with fcgi.Connection(daemon.socket) as kept:
        kept.send(fcgi.request(fcgi.cgi_params("GET", "/_fetch/healthz"), keep=True))
        kept.read_response()
        with Lines(daemon.client, {"requests": [{"url": origin.url("/delay/0.5")}] * 2,
                                   "max_parallel": 1}) as lines:
            next(lines)
            daemon.process.send(signal.SIGTERM)
            wait_until("draining", lambda: "draining" in daemon.process.err)
            body = json.dumps({"requests": [{"url": origin.url("/hello")}]}).encode()
            kept.send(fcgi.request(fcgi.cgi_params("POST", "/_fetch/v1/batch", body=body), body))
            response = kept.read_response()
            assert response.status == 200 and json.loads(response.body)["ok"], response
            assert next(lines)[0]["ok"]
    daemon.wait_exit()


@pytest.mark.parametrize("web_server", ["nginx", "nginx-no-keep-alive", "apache", "haproxy",
                                   "lighttpd"])
def test_a_batch_cut_short_by_the_end_of_a_drain_looks_cut_short(curlewd, origin, nginx,
                                                                 web_server):
    daemon = curlewd({"drain_seconds": 1})
    client = nginx(daemon, name=web_server)
    requests = [{"url": origin.url("/hello")}, {"url": origin.url("/silent")}]
    body = json.dumps({"requests": requests, "max_parallel": 1})
    c = http.client.HTTPConnection("127.0.0.1", client.port, timeout=15)
    c.request("POST", "/_fetch/v1/batch", body=body)
    origin.wait_for("arrived", "/silent")
    daemon.process.send(signal.SIGTERM)
    with pytest.raises((http.client.HTTPException, ConnectionError, Cut)):
        response = c.getresponse()
        response.read()
        if response.status >= 500:
            raise Cut
    c.close()
    daemon.wait_exit()


class Cut(Exception):
    """The web server made an error of it."""


# -- who may use which session ---------------------------------------------


def test_each_requests_session_is_checked(curlewd, origin, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text("token-of-the-first-app a default\n")
    daemon = curlewd({"auth": {"tokens_file": str(tokens)}, "sessions": {"a": {}, "b": {}}})
    sessions = ["a", "b", None, "none-such"]
    requests = [{"url": origin.url("/hello"), **({"session": s} if s else {})} for s in sessions]
    body = json.dumps({"requests": requests, "order": "input"}).encode()
    assert daemon.client.ask("POST", "/v1/batch", body=body).status == 401
    bearer = [("Authorization", "Bearer token-of-the-first-app")]
    response = daemon.client.ask("POST", "/v1/batch", body=body, headers=bearer)
    lines = parse_lines(response.body)
    assert [e["ok"] for e in lines] == [True, False, True, False]
    assert [lines[i]["error"]["code"] for i in (1, 3)] == ["unknown_session"] * 2
    body = json.dumps({"requests": requests[2:3], "defaults": {"session": "b"}}).encode()
    response = daemon.client.ask("POST", "/v1/batch", body=body, headers=bearer)
    assert parse_lines(response.body)[0]["error"]["code"] == "unknown_session"
    assert origin.stats()["requests"] == 2


# -- the log ---------------------------------------------------------------


def fetches_logged(daemon, n):
    wait_until(f"{n} lines in the log", lambda: len(daemon.log_entries("fetch")) >= n)
    lines = daemon.log_entries("fetch")
    assert len(lines) == n
    return lines


def test_each_fetch_has_its_line_in_the_log(curlewd, origin):
    daemon = curlewd()
    requests = [{"url": origin.url("/hello"), "tag": "one"}, {"url": origin.url("/status/404")},
                {"nonsense": 1}, {"url": "http://10.0.0.1/"}]
    body = json.dumps({"requests": requests}).encode()
    daemon.client.ask("POST", "/v1/batch", body=body)
    logged = fetches_logged(daemon, 4)
    by_index = {e["index"]: e for e in logged}
    assert (by_index[0]["status"], by_index[0]["tag"], by_index[1]["status"]) == (200, "one", 404)
    assert (by_index[2]["code"], by_index[3]["code"]) == ("bad_request", "blocked")
    daemon.client.fetch(origin.url("/hello"))
    assert "index" not in fetches_logged(daemon, 5)[4]
