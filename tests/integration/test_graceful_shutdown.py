"""SIGTERM and SIGINT: fetches in flight complete, new ones fail, a second signal exits."""

import json
import os
import signal
import time

import pytest

from tests.support import fcgi, clients
from tests.support.concurrency import BackgroundCalls, timed
from tests.support.curlewd import BINARY, clean_env, wait_logged
from tests.support.metrics import read_metric
from tests.support.procs import connects, wait_until


def kept_connection(daemon):
    c = fcgi.Connection(daemon.socket)
    c.send(fcgi.request(fcgi.cgi_params("GET", "/_fetch/healthz"), keep=True))
    assert c.read_response().status == 200
    return c


def test_a_drain_finishes_what_is_in_flight(curlewd, origin):
    daemon = curlewd()
    with BackgroundCalls() as b:
        for _ in range(10):
            b.start(daemon.client.fetch, origin.url("/delay/0.7"))
        wait_until("all to arrive", lambda: origin.stats()["in_flight"] == 10)
        daemon.process.send(signal.SIGTERM)
        wait_until("no new connections", lambda: not connects(daemon.socket))
        assert [e["body"] for e in b.results()] == ["late\n"] * 10
    _, took = timed(daemon.wait_exit)
    assert took < 3


def drain(daemon):
    daemon.process.send(signal.SIGTERM)
    wait_until("no new connections", lambda: not connects(daemon.socket))


def fetch_request(url, keep=True, **cgi):
    body = json.dumps({"url": url}).encode()
    params = {**fcgi.cgi_params("POST", "/_fetch/v1/fetch", body=body), **cgi}
    return fcgi.request(params, body, keep=keep)


def test_a_drain_serves_what_still_comes_on_kept_connections(curlewd, origin):
    """A web server doesn't know yet; each connection is closed after its response."""
    daemon = curlewd()
    health, fetch = kept_connection(daemon), kept_connection(daemon)
    with BackgroundCalls() as b:
        b.start(daemon.client.fetch, origin.url("/delay/1"))
        origin.wait_for("arrived", "/delay/1")
        drain(daemon)
        health.send(fcgi.request(fcgi.cgi_params("GET", "/_fetch/healthz"), keep=True))
        response = health.read_response()
        assert (response.status, response.json()) == (503, {"status": "draining"})
        fetch.send(fetch_request(origin.url("/hello")))
        assert fetch.read_response().json()["body"] == "hello\n"
        assert health.closes_within() and fetch.closes_within()
        assert b.results()[0]["body"] == "late\n"
    daemon.wait_exit()


HINT = fcgi.record(fcgi.STDERR)
END = fcgi.record(fcgi.END, content=bytes(8))


def test_a_drain_asks_to_close_kept_connections_and_serves_what_crosses_that(curlewd, origin):
    """nginx closes an idle connection that has something to read, and the daemon does not: a POST
    that was on its way would be lost."""
    daemon = curlewd()
    kept, other = kept_connection(daemon), kept_connection(daemon)
    with BackgroundCalls() as b:
        b.start(daemon.client.fetch, origin.url("/delay/1"))
        origin.wait_for("arrived", "/delay/1")
        drain(daemon)
        assert other.sock.recv(100) == HINT
        other.sock.close()
        kept.send(fetch_request(origin.url("/hello")))
        assert kept.read_response().json()["body"] == "hello\n"  # an empty STDERR is before it
        b.results()
    daemon.wait_exit()


def test_in_a_drain_the_hint_comes_in_the_same_read_as_the_end_of_the_response(curlewd, origin):
    """So nginx doesn't choose the connection again; what it would send nevertheless is served."""
    daemon = curlewd()
    c = fcgi.Connection(daemon.socket)
    with BackgroundCalls() as b:
        b.start(daemon.client.fetch, origin.url("/delay/1"))
        c.send(fetch_request(origin.url("/delay/0.5")))
        for path in ("/delay/1", "/delay/0.5"):
            origin.wait_for("arrived", path)
        drain(daemon)
        assert c.sock.recv(65536).endswith(END + HINT)
        assert not c.is_closed()
        c.send(fetch_request(origin.url("/hello")))
        assert c.read_response().json()["body"] == "hello\n"
        assert c.closes_within()
        b.results()
    daemon.wait_exit()


def test_who_pays_no_heed_to_the_hint_is_closed_after_a_response_without_one(curlewd, origin):
    """HAProxy loses a request that crosses the close, and more often if a hint is before that."""
    daemon = curlewd()
    c = kept_connection(daemon)
    with BackgroundCalls() as b:
        b.start(daemon.client.fetch, origin.url("/delay/1"))
        origin.wait_for("arrived", "/delay/1")
        drain(daemon)
        assert c.sock.recv(100) == HINT
        ends = []
        for _ in range(2):
            c.send(fetch_request(origin.url("/hello")))
            received = b""
            while END not in received:
                received += c.sock.recv(65536)
            ends.append(received.partition(END)[2] or c.sock.recv(100))
        assert ends == [HINT, b""]
        b.results()
    daemon.wait_exit()


@pytest.mark.quiet  # an idle connection is closed after half a second
def test_a_request_soon_after_the_drain_began_is_served(curlewd, origin):
    """Although nothing else is in flight: kept connections, and new ones that said nothing yet."""
    daemon = curlewd()
    kept, new = kept_connection(daemon), fcgi.Connection(daemon.socket)
    wait_until("both are accepted", lambda: read_metric(daemon, "curlew_gateway_connections") == 3)
    drain(daemon)
    for c in (kept, new):
        c.send(fetch_request(origin.url("/hello")))
        assert c.read_response().json()["body"] == "hello\n"
    daemon.wait_exit()


@pytest.mark.parametrize("answered", ["before the drain", "in the drain"])
def test_after_a_handoff_that_was_answered_early_the_next_request_is_served(curlewd, origin,
                                                                           answered):
    """The browser's body still comes, and belongs to nobody; the next request follows it."""
    daemon = curlewd()
    url = origin.url("/hello" if answered == "before the drain" else "/delay/0.5")
    c = fcgi.Connection(daemon.socket)
    params = {**fcgi.cgi_params("POST", "/view"), "CONTENT_LENGTH": "8",
              "CURLEW_REQUEST": json.dumps({"url": url})}
    c.send(fcgi.begin(keep=True) + fcgi.stream(fcgi.PARAMS, 1, fcgi.pairs(params))
           + fcgi.record(fcgi.STDIN, 1, b"1234"))
    if answered == "before the drain":
        assert c.read_response().body == b"hello\n"
        drain(daemon)
    else:
        origin.wait_for("arrived", "/delay/0.5")
        drain(daemon)
        assert c.read_response().body == b"late\n"
    assert not c.is_closed()
    time.sleep(0.7)  # longer than a drain waits for kept connections
    c.send(fcgi.record(fcgi.STDIN, 1, b"5678") + fcgi.record(fcgi.STDIN, 1))
    c.send(fetch_request(origin.url("/hello")))
    assert c.read_response().json()["body"] == "hello\n"
    assert c.closes_within()
    daemon.wait_exit()


def test_while_draining_a_stored_handoff_is_delivered_and_none_is_stored(curlewd, origin):
    """Its reference is known to this process alone; a new one is for the successor to store."""
    daemon = curlewd()
    delivery, storing = kept_connection(daemon), kept_connection(daemon)
    body = json.dumps({"url": origin.url("/hello")}).encode()
    reference = daemon.client.ask("POST", "/v1/handoffs", body=body).json()["reference"]
    with BackgroundCalls() as b:
        b.start(daemon.client.fetch, origin.url("/delay/1"))
        origin.wait_for("arrived", "/delay/1")
        daemon.process.send(signal.SIGTERM)
        wait_until("no new connections", lambda: not connects(daemon.socket))
        params = {**fcgi.cgi_params("GET", "/_handoff/"), "CURLEW_REQUEST": reference}
        delivery.send(fcgi.request(params, keep=True))
        assert delivery.read_response().body == b"hello\n"
        storing.send(fcgi.request(fcgi.cgi_params("POST", "/_fetch/v1/handoffs", body=body), body))
        clients.problem(storing.read_response(), 503, "draining")
        assert b.results()[0]["body"] == "late\n"
    daemon.wait_exit()


def test_an_idle_daemon_exits_at_once(curlewd, origin):
    daemon = curlewd()
    daemon.client.fetch(origin.url("/hello"))
    idle = kept_connection(daemon)
    _, took = timed(daemon.stop)
    assert took < 2 and idle.closes_within()


def test_an_unfinished_request_does_not_delay_the_drain(curlewd):
    daemon = curlewd({"drain_seconds": 1})
    c = fcgi.Connection(daemon.socket)
    c.send(fcgi.begin())
    _, took = timed(daemon.stop)
    assert took < 4


def test_past_drain_seconds_what_is_left_is_cancelled(curlewd, origin):
    daemon = curlewd({"drain_seconds": 1})
    with BackgroundCalls() as b:
        b.start(daemon.client.post, {"url": origin.url("/silent"), "timeout": 60})
        origin.wait_for("arrived", "/silent")
        _, took = timed(daemon.stop)
        assert 0.9 < took < 4
        assert daemon.process.err.count("drain_seconds have passed") == 1  # of two workers
        try:
            clients.problem(b.results()[0], 503, "draining")
        except fcgi.IncompleteResponse:
            pass
    origin.wait_for("left", "/silent")


def test_a_second_sigterm_exits_at_once(curlewd, origin):
    daemon = curlewd({"drain_seconds": 60})
    with BackgroundCalls() as b:
        b.start(daemon.client.post, {"url": origin.url("/silent"), "timeout": 60})
        origin.wait_for("arrived", "/silent")
        daemon.process.send(signal.SIGTERM)
        wait_logged(daemon, "draining")
        wait_until("no new connections", lambda: not connects(daemon.socket))
        daemon.process.send(signal.SIGTERM)
        _, took = timed(daemon.process.wait, 5)
        assert took < 3
        with pytest.raises(fcgi.IncompleteResponse):
            b.results()


def test_a_sigterm_after_sigquit_changes_nothing_and_a_second_one_exits(curlewd, origin):
    """As where the holder of its socket ends, and then all of a stack is stopped."""
    daemon = curlewd()
    with BackgroundCalls() as b:
        b.start(daemon.client.fetch, origin.url("/delay/1"))
        wait_until("it to arrive", lambda: origin.stats()["in_flight"] == 1)
        daemon.process.send(signal.SIGQUIT)
        wait_until("no new connections", lambda: not connects(daemon.socket))
        daemon.process.send(signal.SIGTERM)
        assert b.results()[0]["body"] == "late\n"
    daemon.wait_exit()

    daemon = curlewd({"drain_seconds": 60})
    with BackgroundCalls() as b:
        b.start(daemon.client.post, {"url": origin.url("/silent"), "timeout": 60})
        origin.wait_for("arrived", "/silent")
        daemon.process.send(signal.SIGQUIT)
        wait_until("no new connections", lambda: not connects(daemon.socket))
        daemon.process.send(signal.SIGTERM)
        time.sleep(0.1)
        assert daemon.process.running()
        daemon.process.send(signal.SIGTERM)
        _, took = timed(daemon.process.wait, 5)
        assert took < 3
        with pytest.raises(fcgi.IncompleteResponse):
            b.results()


@pytest.mark.skipif(os.getuid() != 0, reason="only root may make a PID namespace")
def test_a_second_sigterm_ends_process_1_too(spawn, tmp_path):
    """Whom the kernel spares signals without a handler: a container's first process."""
    sock = tmp_path / "curlew.sock"
    outer = spawn("unshare", ["unshare", "--pid", "--fork", "--kill-child", BINARY,
                              "--listen", f"unix:{sock}"], env=clean_env())
    outer.wait_ready(lambda: connects(sock))
    children = f"/proc/{outer.pid}/task/{outer.pid}/children"
    with open(children) as f, fcgi.Connection(sock) as held:
        pid = int(f.read())
        held.send(fcgi.begin())  # a request that never becomes whole: the drain waits for it
        held.send(fcgi.stream(fcgi.PARAMS, 1, fcgi.pairs(fcgi.cgi_params("POST", "/v1/fetch"))))
        clients.FastCgiClient(sock).get("/metrics")  # by now it has seen the one before
        os.kill(pid, signal.SIGTERM)
        wait_until("no new connections", lambda: not connects(sock))
        assert outer.running()
        os.kill(pid, signal.SIGTERM)
        assert outer.wait(5) == 128 + signal.SIGTERM


def test_sigint_does_the_same_as_sigterm(curlewd):
    daemon = curlewd()
    daemon.process.send(signal.SIGINT)
    daemon.wait_exit()
