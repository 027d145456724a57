"""Several curlewds behind a balancer that hashes Curlew-Route: what moves, fails and counts."""

import http.client
import json
import random
import threading
import time
from collections import Counter
from urllib.parse import urlencode

import pytest

from django_curlew import Session, handoff_store, route
from django_curlew.daemon import Daemon
from django_curlew.requests.exceptions import RequestException
from tests.support.concurrency import BackgroundCalls
from tests.support.procs import wait_until
from tests.support.replicas import BALANCERS, Replicas, read_events

ORIGINS = 50
CALLERS = 8
pytestmark = pytest.mark.xdist_group("replicas")


@pytest.fixture(params=BALANCERS)
def replicas(request, origin):
    """Three of them, for which o0.test to o49.test are the origin."""
    port = origin.ports["http"]
    resolve = {f"o{n}.test:{port}": ["127.0.0.1"] for n in range(ORIGINS)}
    found = Replicas(request.param, {
        "replica": True, "sessions": {
            "default": {"resolve": resolve},
            "slow": {"resolve": resolve, "rate_per_origin": 20, "burst": 1},
            "jar": {"resolve": resolve, "cookie_jar": "shared"}}}, django_port=port)
    yield found
    found.stop()


def session_for(replicas, **kwargs):
    daemon = Daemon(f"{replicas.url}/_fetch", sends_route=True)
    return Session(daemon=daemon, timeout=10, **kwargs)


def origin_url(origin, n, path):
    return origin.url(path, host=f"o{n}.test")


class Load:
    """POSTs from several threads, each with a number of its own, until stop()."""

    def __init__(self, replicas, origin):
        self.origin = origin
        self.failures = []  # (when it was started, origin, target, error)
        self.done = Counter()  # by target
        self.stopped = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(replicas, k))
                        for k in range(CALLERS)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        for thread in self.threads:
            thread.join(30)

    def run(self, replicas, k):
        session, choose, i = session_for(replicas), random.Random(k), 0
        while not self.stopped.is_set():
            i += 1
            n = choose.randrange(ORIGINS)
            target = f"/delay/0.02?load={k}-{i}"
            start = time.monotonic()
            try:
                response = session.post(origin_url(self.origin, n, target), data=b"x")
                assert response.status_code == 200, response.text
            except (RequestException, AssertionError) as err:
                self.failures.append((start, n, target, err))
            else:
                self.done[target] += 1


def owners(replicas, origin):
    """The number of the replica that serves each origin, by a fetch to each."""
    tag = f"probe-{time.monotonic()}"
    session = session_for(replicas)
    with BackgroundCalls(CALLERS) as calls:
        for n in range(ORIGINS):
            calls.start(session.get, origin_url(origin, n, "/hello"), tag=tag)
        assert all(r.status_code == 200 for r in calls.results())
    wait_until("the access logs", lambda: len(replicas.served(tag)) == ORIGINS)
    found = dict(replicas.served(tag))
    return {n: found[f"http://o{n}.test:{origin.ports['http']}"] for n in range(ORIGINS)}


def moved(before, after):
    return {n for n in before if before[n] != after[n]}


def owned(by, replica):
    return {n for n in by if by[n] == replica}


def is_of_a_reload(replicas, failure, arrived):
    """nginx before 1.27.4 that is reloaded closes callers' idle connections, and resets one that
    has just got a request, which it has not read (docs/scaling.md)."""
    _, _, target, err = failure
    return replicas.name == "nginx" and "reset by peer" in str(err) and target not in arrived


def test_only_the_origins_of_the_one_concerned_move(replicas, origin):
    with Load(replicas, origin) as load:
        first = owners(replicas, origin)
        assert set(first.values()) == {0, 1, 2}
        time.sleep(0.3)  # of load
        replicas.kill(1)
        killed_at = time.monotonic()
        second = owners(replicas, origin)
        assert moved(first, second) == owned(first, 1)
        new = replicas.add()
        third = owners(replicas, origin)
        assert moved(second, third) == owned(third, new) != set()
        replicas.drain(2)
        fourth = owners(replicas, origin)
        assert moved(third, fourth) == owned(third, 2)
    arrived = {t: count for t, count in read_events(origin).items() if "?load=" in t}
    lost = [f for f in load.failures if not is_of_a_reload(replicas, f, arrived)]
    for start, n, _, err in lost:
        assert start < killed_at and first[n] == 1, (start - killed_at, first[n], err)
    assert len(lost) <= CALLERS, "one in flight for each thread"
    assert max(arrived.values()) == 1, "none is sent twice"
    assert set(load.done) <= set(arrived) and len(load.done) > 100


def test_the_rate_limit_holds_for_all_callers_together(replicas, origin):
    session = session_for(replicas, name="slow", cookie_jar=False)
    urls = [origin_url(origin, n, f"/hello?slow={n}") for n in range(3) for _ in range(6)]
    with BackgroundCalls(3) as calls:
        for _ in range(3):
            calls.start(session.gather, urls)
        assert all(r.status_code == 200 for got in calls.results() for r in got)
    for n in range(3):
        at = sorted(e["at"] for e in origin.events(f"/hello?slow={n}") if e["event"] == "arrived")
        assert len(at) == 18
        for i in range(len(at)):
            for j in range(i, len(at)):
                assert j - i + 1 <= 1 + 20 * (at[j] - at[i] + 0.1)


def test_a_batch_for_all_of_them_comes_back_in_order(replicas, origin):
    urls = [origin_url(origin, n, f"/hello?n={n}") for n in range(ORIGINS)]
    assert [r.url for r in session_for(replicas).gather(urls)] == urls
    wait_until("the access logs", lambda: len(replicas.served()) == ORIGINS)
    assert {replica for _, replica in replicas.served()} == {0, 1, 2}


def test_a_session_with_a_jar_has_one_replica(replicas, origin):
    session = session_for(replicas, name="jar")
    for n in range(6):
        session.get(origin_url(origin, n, f"/cookies/set?c{n}=1"))
        echo = session.get(origin_url(origin, n, "/echo")).json()
        assert ["Cookie", f"c{n}=1"] in echo["headers"]
    wait_until("the access logs", lambda: len(replicas.served()) == 12)
    assert len({replica for _, replica in replicas.served()}) == 1


def test_without_a_key_any_replica_serves(replicas, origin):
    session = Session(daemon=Daemon(f"{replicas.url}/_fetch"))
    for i in range(40):
        session.get(origin_url(origin, 0, f"/hello?{i}"))
    wait_until("the access logs", lambda: len(replicas.served()) == 40)
    assert {replica for _, replica in replicas.served()} == {0, 1, 2}


# -- handoffs --------------------------------------------------------------------------

only_nginx = pytest.mark.parametrize("replicas", ["nginx"], indirect=True)


def store(replicas, url, tag, sends_route=True, **keys):
    """As HandOff does it; the reference."""
    fetch = {"url": url, "tag": tag, **keys}
    return handoff_store.store(json.dumps(fetch), Daemon(f"{replicas.url}/_fetch",
                                                         sends_route=sends_route),
                               route.key_of(fetch))


def delivered(replicas, reference):
    """What a browser gets of a view that hands off; the origin is Django here, and says so."""
    told = ["X-Accel-Redirect:/_handoff/", f"X-Curlew-Request:{reference}"]
    c = http.client.HTTPConnection("127.0.0.1", replicas.port, timeout=20)
    c.request("GET", "/say?" + urlencode([("h", h) for h in told]))
    response = c.getresponse()
    body = response.read()
    c.close()
    return response.status, body


@only_nginx
def test_a_handoff_reaches_the_replica_that_has_its_request_object(replicas, origin):
    by = owners(replicas, origin)
    references = [store(replicas, origin_url(origin, n, "/hello"), "handoff")
                  for n in range(ORIGINS)]
    for n, reference in enumerate(references):
        assert reference.startswith(f"@http://o{n}.test:{origin.ports['http']}.")
        assert delivered(replicas, reference) == (200, b"hello\n")
    wait_until("the access logs", lambda: len(replicas.served("handoff")) == ORIGINS)
    found = {url: replica for url, replica in replicas.served("handoff")}
    assert found == {f"http://o{n}.test:{origin.ports['http']}": by[n] for n in by}
    assert delivered(replicas, references[0])[0] == 400, "it was of one use"


@only_nginx
def test_a_handoff_of_a_session_with_a_jar_reaches_its_replica(replicas, origin):
    session_for(replicas, name="jar").get(origin_url(origin, 0, "/cookies/set?mine=1"))
    for n in range(6):
        reference = store(replicas, origin_url(origin, 0, f"/echo?{n}"), "jar", session="jar")
        status, body = delivered(replicas, reference)
        assert status == 200 and ["Cookie", "mine=1"] in json.loads(body)["headers"]


@only_nginx
def test_a_reference_without_a_key_is_of_no_use_here(replicas, origin):
    seen = [delivered(replicas, store(replicas, origin_url(origin, n, "/hello"), "lost", False))[0]
            for n in range(20)]
    assert set(seen) == {200, 400} and seen.count(400) > 3, "one of three, by chance"
