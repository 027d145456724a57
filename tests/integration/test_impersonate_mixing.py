"""`impersonate`: one caller's browser is never another's, whatever happens between them.

The origin tells each request what it looked like, connection and headers, and that must be the
browser which this request has named.
"""

import asyncio
import collections
import json
import random
import shutil
import time
from urllib.parse import parse_qs, quote, urlsplit

import curl_cffi
import pytest

from tests.support import fcgi
from tests.support.concurrency import fcgi_request
from tests.support.curlewd import SANITIZED, Curlewd
from tests.support.faces import TARGETS, OwnFaces
from tests.support.fingerprint import FingerprintOrigin
from tests.support.libcurls import impersonating_env
from tests.support.target_load import TARGETS as MIXED
from tests.support.target_load import FaceOrigin, TargetLoad

ANY_PROXY = {"proxy_resolves": True}
SESSIONS = {"default": ANY_PROXY, "plain": ANY_PROXY, "alone": {**ANY_PROXY, "isolate": True},
            "jar": {**ANY_PROXY, "cookie_jar": "shared"}}


@pytest.fixture(scope="module")
def daemon():
    d = Curlewd({"sessions": SESSIONS, "limits": {"queue": 4000}}, env=impersonating_env())
    yield d
    d.stop()
    shutil.rmtree(d.directory, ignore_errors=True)


class MirrorOrigin(FingerprintOrigin):
    """Answers with [JA4, Akamai, User-Agent, the query's n].  /to redirects, with a cookie; /flaky
    is 503 at first; /slow takes a moment."""

    def __init__(self, certs, **options):
        super().__init__(certs, answer=self.mirror, **options)
        self.asked = collections.Counter()

    def mirror(self, seen, headers):
        fields = {name.lower(): value for name, value in headers}
        target = fields[":path"]
        path, query = urlsplit(target).path, parse_qs(urlsplit(target).query)
        self.asked[target] += 1
        if path == "/slow":
            time.sleep(0.02)
        if path == "/flaky" and self.asked[target] == 1:
            return 503, [], b"once more"
        if path == "/to":
            return 302, [("location", query["to"][0]), ("set-cookie", "a=1")], b""
        face = [seen.ja4, seen.akamai, fields["user-agent"], query.get("n", [None])[0]]
        return 200, [], json.dumps(face).encode()


@pytest.fixture(scope="module")
def expected(daemon, certs):
    """expected(target) → what the origin must tell; None: of no browser."""
    own = OwnFaces(certs)
    with MirrorOrigin(certs) as origin:
        plain = json.loads(daemon.client.fetch(origin.url(), verify=False)["body"])[:3]

    def of(target):
        if target is None:
            return plain
        seen = own(target)
        return [seen.ja4, seen.akamai,
                {n.lower(): v for n, v in seen.headers}["user-agent"]]

    return of


def post(path, keys):
    body = json.dumps({"verify": False, **keys}).encode()
    return fcgi.request(fcgi.cgi_params("POST", f"/_fetch/v1/{path}", body=body), body)


async def fetch_all(daemon, requests):
    return await asyncio.gather(*(fcgi_request(daemon.socket, post("fetch", keys))
                                  for keys in requests))


def check_faces(expected, requests, responses):
    wrong = []
    for keys, response in zip(requests, responses):
        envelope = response.json()
        target = keys.get("impersonate")
        if not envelope.get("ok"):
            wrong.append((keys, envelope))
        elif (json.loads(envelope["body"])[:3], envelope.get("impersonated")) != (
                expected(target), target):
            wrong.append((keys, envelope["body"], expected(target)))
    assert wrong == [], (len(wrong), wrong[:3])


def test_2500_fetches_at_once_of_15_browsers(daemon, certs, expected):
    with MirrorOrigin(certs) as origin:
        requests = [{"url": origin.url(f"/?n={n}"), "impersonate": MIXED[n % len(MIXED)]}
                    for n in range(250 if SANITIZED else 2500)]
        responses = asyncio.run(fetch_all(daemon, requests))
    check_faces(expected, requests, responses)
    assert [json.loads(r.json()["body"])[3] for r in responses] == [
        str(n) for n in range(len(requests))]


@pytest.mark.quiet
def test_memory_does_not_grow_with_fetches(curlewd, certs):
    """tests/soak/targets.py does the same ten times as long."""
    daemon = curlewd({"log": {"access": False}}, env=impersonating_env())
    with FaceOrigin(certs) as origin:
        load = TargetLoad(daemon.client, origin.url)
        load.run(3000)
        before = daemon.rss_kib()
        load.run(7000)
        load.check()
    assert load.done == 10000
    assert daemon.rss_kib() - before < 4096


def test_identical_requests_of_other_browsers_share_no_transfer(daemon, certs, expected):
    with MirrorOrigin(certs) as origin:
        requests = [{"url": origin.url("/slow"), "impersonate": target, "coalesce": True}
                    for target in [*MIXED[:6]] * 5]
        requests += [{"url": origin.url("/slow"), "coalesce": True}] * 5
        responses = asyncio.run(fetch_all(daemon, requests))
    check_faces(expected, requests, responses)
    assert sum(r.json()["coalesced"] for r in responses) > 0


def test_no_hello_leaves_a_trace_in_the_next_one(curlewd, certs):
    """One thread, so that one handle wears all of them, and nothing in between."""
    daemon = curlewd({"threads": 1}, env=impersonating_env())
    with FingerprintOrigin(certs, once=True) as origin:
        def layout(**keys):
            daemon.client.fetch(origin.url(), verify=False, **keys)
            return origin.seen[-1].hello.layout

        def own_layout(target):
            curl_cffi.get(origin.url(), impersonate=target, verify=False)
            return origin.seen[-1].hello.layout

        plain = layout()
        for target in TARGETS:
            own, again, worn = own_layout(target), own_layout(target), layout(impersonate=target)
            if own != again:  # this browser shuffles them
                own, worn = (tuple(map(sorted, each)) for each in (own, worn))
            assert worn == own, target
            assert layout() == plain, f"after {target}"


def random_request(chance, origins, proxies, number):
    """Anything that lets one fetch meet another: connections, jars, proxies, redirects, retries."""
    one, other = chance.sample(origins, 2)
    path = chance.choice([f"/?n={number}", "/slow", f"/flaky?n={number}",
                          f"/to?to={quote(other.url('/'))}", f"/to?to={quote(one.url('/slow'))}"])
    keys = {"url": one.url(path), "session": chance.choice(list(SESSIONS)),
            "retries": {"max": 1, "backoff": 0.01}, "coalesce": chance.random() < 0.3,
            "impersonate": chance.choice([None, *MIXED])}
    if chance.random() < 0.2:
        keys["proxy"] = chance.choice(proxies)
    return {name: value for name, value in keys.items() if value is not None}


async def leave_early(daemon, keys):
    """A caller that is gone before its response, maybe in the middle of a handshake."""
    reader, writer = await asyncio.open_unix_connection(str(daemon.socket))
    writer.write(post("fetch", keys))
    await asyncio.sleep(random.random() * 0.01)
    writer.close()


async def run_mixed(daemon, chance, origins, proxies, count):
    free = asyncio.Semaphore(100)
    asked, answered = [], []

    async def one(number):
        keys = random_request(chance, origins, proxies, number)
        async with free:
            if chance.random() < 0.2:
                await leave_early(daemon, keys)
                return
            asked.append(keys)
            place = len(answered)
            answered.append(None)
            answered[place] = await fcgi_request(daemon.socket, post("fetch", keys))

    await asyncio.gather(*(one(number) for number in range(count)))
    return asked, answered


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_callers_do_changes_no_ones_face(daemon, certs, expected, proxy, seed):
    chance = random.Random(seed)
    proxies = [f"http://127.0.0.1:{proxy()[0]}" for _ in range(2)]
    with MirrorOrigin(certs) as first, MirrorOrigin(certs) as second, \
            MirrorOrigin(certs) as third:
        asked, answered = asyncio.run(run_mixed(daemon, chance, [first, second, third], proxies,
                                                150 if SANITIZED else 1000))
    check_faces(expected, asked, answered)
