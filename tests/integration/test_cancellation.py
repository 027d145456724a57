"""A caller that disconnects cancels its fetch: the origin sees its connection closed."""

import http.client
import json

import pytest

from tests.support import fcgi
from tests.support.metrics import read_metric
from tests.support.origin.client import now
from tests.support.procs import wait_until

AT_ONCE = 0.1  # the contract's limit, in seconds
SLACK = 0.4  # for a machine that is busy with other tests


@pytest.fixture
def left(record_property, origin):
    """left(target, since): the origin saw it within the limit; the figure goes into the report."""
    def check(target, since):
        took = origin.wait_for("left", target, 5) - since
        record_property("seconds", round(took, 4))
        assert took < AT_ONCE + SLACK, f"{took:.3f} s"
        return took

    return check


def parked(daemon, origin, path, keep=False):
    """A raw connection whose fetch has reached the origin."""
    body = json.dumps({"url": origin.url(path)}).encode()
    c = fcgi.Connection(daemon.socket)
    c.send(fcgi.request(fcgi.cgi_params("POST", "/_fetch/v1/fetch", body=body), body, keep=keep))
    origin.wait_for("arrived", path)
    return c


@pytest.mark.parametrize("path", ["/silent?raw", "/stall?n=10", "/drip?n=1000&every=0.05",
                                  "/half-head?raw"])
def test_a_closed_fastcgi_connection_cancels_the_fetch(daemon, origin, left, path):
    c = parked(daemon, origin, path)
    since = now()
    c.close()
    left(path, since)


def test_an_abort_record_ends_the_fetch_and_gets_a_response(daemon, origin, left):
    c = parked(daemon, origin, "/silent?abort", keep=True)
    since = now()
    c.send(fcgi.record(fcgi.ABORT))
    left("/silent?abort", since)
    c.sock.settimeout(5)
    try:
        while c.read_record()[0] != fcgi.END:
            pass
    except fcgi.IncompleteResponse:
        pass  # closing is allowed too


def test_a_client_of_nginx_that_disconnects_cancels_the_fetch(daemon, origin, nginx, left):
    web_server = nginx(daemon)
    c = http.client.HTTPConnection("127.0.0.1", web_server.port, timeout=10)
    c.request("POST", "/_fetch/v1/fetch", json.dumps({"url": origin.url("/silent?nginx")}))
    origin.wait_for("arrived", "/silent?nginx")
    since = now()
    c.close()
    left("/silent?nginx", since)


def test_a_queued_fetch_never_reaches_the_origin(curlewd, origin):
    daemon = curlewd({"limits": {"in_flight": 1}})
    first = parked(daemon, origin, "/silent?first")
    body = json.dumps({"url": origin.url("/silent?queued")}).encode()
    queued = fcgi.Connection(daemon.socket)
    queued.send(fcgi.request(fcgi.cgi_params("POST", "/_fetch/v1/fetch", body=body), body))

    wait_until("it waits", lambda: read_metric(daemon, "curlew_queued") == 1)
    queued.close()
    wait_until("it no longer waits", lambda: read_metric(daemon, "curlew_queued") == 0, 2)
    first.close()
    wait_until("nothing is left", lambda: read_metric(daemon, "curlew_in_flight") == 0, 2)
    assert daemon.client.fetch(origin.url("/hello"))["status"] == 200
    assert not origin.events("/silent?queued")


def test_a_cancelled_fetch_is_logged_as_that(curlewd, origin, left):
    daemon = curlewd()
    c = parked(daemon, origin, "/silent?logged")
    since = now()
    c.close()
    left("/silent?logged", since)
    lines = wait_until("a line in the log", lambda: daemon.log_entries("fetch"))
    assert lines[0]["code"] == "cancelled"


def test_a_hundred_cancelled_at_once_leave_nothing_behind(curlewd, origin):
    daemon = curlewd()
    others = origin.stats()["open"]
    callers = [parked(daemon, origin, f"/silent?{i}") for i in range(100)]
    for c in callers:
        c.close()
    wait_until("the origin is alone", lambda: origin.stats()["in_flight"] == 0)
    wait_until("no connection is left", lambda: origin.stats()["open"] <= others)
    assert daemon.client.fetch(origin.url("/hello"))["status"] == 200


@pytest.mark.parametrize("neighbours", [0, 3])
def test_an_http2_fetch_is_cancelled_too(curlewd, origin, certs, left, neighbours):
    daemon = curlewd({"sessions": {"default": {"ca_file": str(certs / "ca.pem")}}})
    daemon.client.fetch(origin.url("/hello", port="h2"))
    others = [leaver(daemon, origin, f"/silent?other={i}") for i in range(neighbours)]
    c = leaver(daemon, origin, "/silent?leaver")
    since = now()
    c.close()
    left("/silent?leaver", since)
    for other in others:
        other.close()


def leaver(daemon, origin, path):
    body = json.dumps({"url": origin.url(path, port="h2")}).encode()
    c = fcgi.Connection(daemon.socket)
    c.send(fcgi.request(fcgi.cgi_params("POST", "/_fetch/v1/fetch", body=body), body))
    origin.wait_for("arrived", path)
    return c
