"""Web servers' connections that say nothing, or little: each has its time, none costs others."""

import select
import time

import pytest

from tests.support import fcgi
from tests.support.concurrency import timed
from tests.support.metrics import read_metric

HEALTH = fcgi.request(fcgi.cgi_params("GET", "/_fetch/healthz"), keep=True)
FIRST, HEAD = 30, 10  # seconds, as docs/operations.md says
LATE = 4  # the machine is busy


def trickle(connections, seconds):
    """A byte every two seconds to each, until it is closed; the seconds that each has lived."""
    started = time.monotonic()
    ends = {}
    sent = 0
    while len(ends) < len(connections) and time.monotonic() < started + seconds:
        left = [c for c in connections if c not in ends]
        for c in select.select([c.sock for c in left], [], [], 0.05)[0]:
            ends.update({each: time.monotonic() - started for each in left if each.sock is c})
        if time.monotonic() > started + 2 * sent:
            for c in left:
                if c not in ends and c.trickles:
                    c.send(HEALTH[sent:sent + 1])
            sent += 1
    return [ends.get(c) for c in connections]


def connect(daemon, trickles, served=False):
    c = fcgi.Connection(daemon.socket)
    c.trickles = trickles
    if served:
        c.send(HEALTH)
        assert c.read_response().status == 200
    return c


@pytest.mark.timeout(90)
def test_each_connection_has_its_time(curlewd):
    """A first request has to begin within 30 s, and a head be whole within 10 s: not longer."""
    daemon = curlewd({"workers": 1})
    connections = [
        connect(daemon, trickles=False),
        connect(daemon, trickles=True),
        connect(daemon, trickles=True, served=True),
        connect(daemon, trickles=False, served=True),
    ]
    connections[0].sock.settimeout(0)
    silent, slow, slow_again, kept = trickle(connections, FIRST + LATE)
    assert FIRST - 0.5 < silent < FIRST + LATE
    assert HEAD - 0.5 < slow < HEAD + LATE
    assert HEAD - 0.5 < slow_again < HEAD + LATE
    assert kept is None
    connections[3].send(HEALTH)
    assert connections[3].read_response().status == 200


@pytest.mark.quiet
def test_a_thousand_half_open_peers_beside_good_fetches(curlewd, origin):
    daemon = curlewd({"workers": 1})
    before = daemon.rss_kib()
    half = [fcgi.Connection(daemon.socket) for _ in range(1000)]
    for i, c in enumerate(half):
        c.send(HEALTH[:i % (len(HEALTH) - 1)])
    assert read_metric(daemon, "curlew_gateway_connections") == 1001
    for _ in range(50):
        e, took = timed(daemon.client.fetch, origin.url("/hello"))
        assert e["body"] == "hello\n" and took < 1
    assert daemon.rss_kib() - before < 40 * 1024
    for c in half:
        c.close()
