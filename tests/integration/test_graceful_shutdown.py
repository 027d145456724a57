"""SIGTERM and SIGINT: fetches in flight complete, new ones fail, a second signal exits."""

import json
import os
import signal

import pytest

from tests.support import fcgi, clients
from tests.support.concurrency import BackgroundCalls, timed
from tests.support.curlewd import BINARY, clean_env, wait_logged
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


def test_while_draining_healthz_is_503_and_new_fetches_are_refused(curlewd, origin):
    daemon = curlewd()
    health, fetch = kept_connection(daemon), kept_connection(daemon)
    with BackgroundCalls() as b:
        b.start(daemon.client.fetch, origin.url("/delay/1"))
        origin.wait_for("arrived", "/delay/1")
        daemon.process.send(signal.SIGTERM)
        wait_until("no new connections", lambda: not connects(daemon.socket))
        health.send(fcgi.request(fcgi.cgi_params("GET", "/_fetch/healthz"), keep=True))
        response = health.read_response()
        assert (response.status, response.json()) == (503, {"status": "draining"})
        body = json.dumps({"url": origin.url("/hello")}).encode()
        fetch.send(fcgi.request(fcgi.cgi_params("POST", "/_fetch/v1/fetch", body=body), body))
        clients.problem(fetch.read_response(), 503, "draining")
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
        assert took < 1
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
