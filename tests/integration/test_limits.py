"""Limits: what is queued, what is refused at once; one origin does not delay another."""

import base64
import json
import time

import pytest

from tests.support import fcgi
from tests.support.clients import problem
from tests.support.concurrency import BackgroundCalls, timed
from tests.support.metrics import read_metric
from tests.support.procs import wait_until
from tests.support.scripted_origin import ScriptedOrigin, answer


def status(daemon):
    return daemon.client.get("/v1/status").json()



def wait_for(daemon, in_flight, queued):
    def are_there():
        return (read_metric(daemon, "curlew_in_flight") == in_flight
                and read_metric(daemon, "curlew_queued") == queued)

    wait_until(f"{in_flight} in flight and {queued} queued", are_there)


def overloaded(client, url, named, **keys):
    """Refused at once, with words that name the limit."""
    p, took = timed(client.refused, {"url": url, **keys}, 503, "overloaded")
    assert named in p["detail"], p
    assert took < 0.5


# -- the queue -------------------------------------------------------------


def test_past_the_queue_a_fetch_is_refused_at_once(curlewd, origin):
    daemon = curlewd({"limits": {"in_flight": 2, "queue": 3}})
    url = origin.url("/delay/0.8")
    with BackgroundCalls() as b:
        for _ in range(5):
            b.start(daemon.client.fetch, url)
        wait_for(daemon, 2, 3)
        for _ in range(3):
            overloaded(daemon.client, url, "limits.queue")
        assert [e["body"] for e in b.results()] == ["late\n"] * 5
    assert origin.stats()["max_in_flight"] == 2
    assert max(e["timing"]["queue"] for e in b.results()) > 0.7
    wait_for(daemon, 0, 0)


def test_a_queue_of_size_zero_refuses_what_cannot_start(curlewd, origin):
    daemon = curlewd({"limits": {"in_flight": 1, "queue": 0}})
    with BackgroundCalls() as b:
        b.start(daemon.client.fetch, origin.url("/delay/0.5"))
        wait_for(daemon, 1, 0)
        overloaded(daemon.client, origin.url("/hello"), "limits")
        b.results()
    assert daemon.client.fetch(origin.url("/hello"))["body"] == "hello\n"


# -- fairness --------------------------------------------------------------


def test_an_origin_with_a_full_queue_does_not_delay_another(curlewd, origin):
    daemon = curlewd({"limits": {"in_flight": 8, "queue": 4},
                      "sessions": {"default": {"max_per_origin": 1}}})
    slow, other = origin.url("/delay/0.5"), origin.url("/hello", host="127.0.0.2")
    with BackgroundCalls() as b:
        for _ in range(5):
            b.start(daemon.client.fetch, slow)
        wait_for(daemon, 1, 4)
        overloaded(daemon.client, slow, "limits.queue")
        for _ in range(5):
            assert timed(daemon.client.fetch, other)[1] < 0.3
        b.results()


def test_a_free_slot_goes_to_an_origin_that_has_none(curlewd, origin):
    daemon = curlewd({"limits": {"in_flight": 2, "queue": 20}})
    slow, other = origin.url("/delay/0.3"), origin.url("/hello", host="127.0.0.2")
    with BackgroundCalls() as b:
        for _ in range(12):
            b.start(daemon.client.fetch, slow)
        wait_for(daemon, 2, 10)
        assert timed(daemon.client.fetch, other)[1] < 0.8  # all of slow's take 1.8 s
        b.results()


def test_a_full_queue_makes_room_for_an_origin_with_nothing_queued(curlewd, origin):
    daemon = curlewd({"limits": {"in_flight": 2, "queue": 4}})
    slow, other = origin.url("/delay/0.4"), origin.url("/hello", host="127.0.0.2")
    with BackgroundCalls() as b:
        for _ in range(6):
            b.start(daemon.client.post, {"url": slow})
        wait_for(daemon, 2, 4)
        assert timed(daemon.client.fetch, other)[1] < 0.8
        codes = sorted(response.status for response in b.results())
    assert codes == [200] * 5 + [503]  # the room was slow's own


# -- a session's limits ----------------------------------------------------


def test_max_in_flight_is_the_sessions_own(curlewd, origin):
    daemon = curlewd({"sessions": {"narrow": {"max_in_flight": 2}}})
    with BackgroundCalls() as b:
        for i in range(6):
            host = f"127.0.0.{1 + i % 2}"
            b.start(daemon.client.fetch, origin.url("/delay/0.5", host=host), session="narrow")
        wait_for(daemon, 2, 4)
        assert timed(daemon.client.fetch, origin.url("/hello"))[1] < 0.5
        b.results()
    assert origin.stats()["max_in_flight"] <= 3


def test_max_per_origin_counts_each_origin(curlewd, origin):
    daemon = curlewd({"sessions": {"default": {"max_per_origin": 2}}})
    with BackgroundCalls() as b:
        for i in range(8):
            b.start(daemon.client.fetch, origin.url("/delay/0.3", host=f"127.0.0.{1 + i % 2}"))
        wait_for(daemon, 4, 4)
        b.results()
    assert origin.stats()["max_in_flight"] == 4


def test_no_more_connections_than_fetches_in_flight(curlewd, origin):
    daemon = curlewd({"sessions": {"default": {"max_per_origin": 3}}})
    with BackgroundCalls() as b:
        for _ in range(30):
            b.start(daemon.client.fetch, origin.url("/delay/0.02"))
        b.results()
    assert origin.stats()["connections"] <= 3


def test_idle_connections_are_kept_up_to_their_number(curlewd, origin):
    daemon = curlewd({"sessions": {"default": {"idle_connections": 2}}})
    others = origin.stats()["open"]
    with BackgroundCalls() as b:
        for _ in range(6):
            b.start(daemon.client.fetch, origin.url("/delay/0.2"))
        b.results()
    wait_until("4 of 6 to be closed", lambda: origin.stats()["open"] <= others + 2)
    assert read_metric(daemon, "curlew_connections") == 2


def test_idle_connections_are_closed_after_idle_seconds(curlewd):
    daemon = curlewd({"sessions": {"default": {"idle_seconds": 1}}})
    with ScriptedOrigin(lambda _, connection: connection.send(answer())) as origin:
        start = time.monotonic()
        daemon.client.fetch(origin.url())
        assert origin.open_connections() == 1
        wait_until("the idle one to be closed", lambda: origin.open_connections() == 0)
        assert time.monotonic() - start > 0.9


@pytest.mark.parametrize("timeout", [{"connect": 0.1}, 0.1])
def test_connections_that_failed_are_not_counted(curlewd, origin, timeout):
    daemon = curlewd()
    for _ in range(3):
        assert daemon.client.post({"url": origin.url(port="never"),
                                   "timeout": timeout}).status == 504
    daemon.client.refused({"url": "http://127.0.0.1:1/"}, 502, "connect_failed")
    wait_until("none to be counted", lambda: read_metric(daemon, "curlew_connections") == 0, 2)


# -- bytes -----------------------------------------------------------------


def test_request_bytes_at_the_limit(curlewd, origin):
    daemon = curlewd({"limits": {"request_bytes": 10000}})
    head = b'{"url": "%b", "body": "' % origin.url("/echo").encode()
    fill = 10000 - len(head) - 2
    assert daemon.client.post(head + b"x" * fill + b'"}').status == 200
    p = daemon.client.refused(head + b"x" * (fill + 1) + b'"}', 413, "request_too_large")
    assert "10000" in p["detail"] and "limits.request_bytes" in p["detail"]


@pytest.mark.parametrize("path", ["/bytes/5000", "/bytes/5000?chunked=1"])
def test_response_bytes_at_the_limit(curlewd, origin, path):
    daemon = curlewd({"limits": {"response_bytes": 5000}})
    assert daemon.client.fetch(origin.url(path))["body_bytes"] == 5000
    p = daemon.client.refused({"url": origin.url(path.replace("5000", "5001"))}, 502,
                              "response_too_large")
    assert "5000" in p["detail"]


def test_a_sessions_and_a_requests_own_limit_on_the_body(curlewd, origin):
    daemon = curlewd({"sessions": {"small": {"max_body_bytes": 100}}})
    url = origin.url("/bytes/101")
    daemon.client.refused({"url": url, "session": "small"}, 502, "response_too_large")
    assert daemon.client.fetch(url, session="small", max_body_bytes=101)["body_bytes"] == 101


def begin(daemon, path, n):
    """A POST whose body of n bytes has come but for the last, to be given; and the request's id."""
    body = json.dumps({"url": path}).encode().ljust(n)
    c = fcgi.Connection(daemon.socket)
    whole = fcgi.request(fcgi.cgi_params("POST", "/_fetch/v1/fetch", body=body), body)
    end = 8  # the record of no bytes that ends STDIN
    c.send(whole[:-end])
    return c, whole[-end:]


def test_the_bodies_of_all_requests_together(curlewd, origin):
    """At the limit all is well; past it the one request is refused, once it has said all."""
    daemon = curlewd({"limits": {"buffered_bytes": 100000, "request_bytes": 100000}})
    url = origin.url("/hello")
    held = [begin(daemon, url, 40000) for _ in range(2)]
    wait_until("two bodies are held",
               lambda: read_metric(daemon, "curlew_request_body_bytes") == 80000)
    assert daemon.client.ask("POST", "/v1/fetch", body=json.dumps({"url": url}).ljust(20000)
                             .encode()).status == 200
    p = problem(daemon.client.ask("POST", "/v1/fetch", body=json.dumps({"url": url}).ljust(20001)
                                  .encode()), 503, "overloaded")
    assert "limits.buffered_bytes" in p["detail"] and "100000" in p["detail"]
    for c, end in held:
        c.send(end)
        assert c.read_response().status == 200
        c.close()
    wait_until("all is given back", lambda: read_metric(daemon, "curlew_request_body_bytes") == 0)


def test_buffered_bytes_at_the_limit(curlewd, origin):
    daemon = curlewd({"limits": {"buffered_bytes": 1 << 20}})
    e = daemon.client.fetch(origin.url(f"/bytes/{1 << 20}"), response_body="base64")
    assert len(base64.b64decode(e["body_base64"])) == 1 << 20
    p = daemon.client.refused({"url": origin.url(f"/bytes/{(1 << 20) + 1}")}, 503, "overloaded")
    assert "limits.buffered_bytes" in p["detail"]
    assert daemon.client.fetch(origin.url("/hello"))["body"] == "hello\n"  # it was all given back


def test_buffered_bytes_are_those_of_all_fetches_together(curlewd, origin):
    daemon = curlewd({"limits": {"buffered_bytes": 100000}})
    with BackgroundCalls() as b:
        held = b.start(daemon.client.fetch, origin.url("/stall?n=60"), timeout=1.5)
        slow = b.start(daemon.client.fetch, origin.url("/drip?n=2&every=1"))
        origin.wait_for("arrived", "/stall?n=60")
        origin.wait_for("arrived", "/drip?n=2&every=1")
        wait_until("61 bytes are held", lambda: read_metric(daemon, "curlew_buffered_bytes") == 61)
        response = daemon.client.post({"url": origin.url("/bytes/99940")})
        assert response.status == 503 and response.json()["code"] == "overloaded", response
        assert daemon.client.fetch(origin.url("/bytes/99939"))["body_bytes"] == 99939
        assert slow.result()["body_bytes"] == 2
        assert isinstance(held.exception(), AssertionError)  # its own time-out
