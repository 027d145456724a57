"""A DNS server that does not answer delays the fetch that needs it, and no other."""

import contextlib
import json
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from tests.support import fcgi
from tests.support.concurrency import BackgroundCalls
from tests.support.curlewd import ROOT
from tests.support.metrics import read_metric
from tests.support.procs import wait_until
from tests.support.scripted_origin import ScriptedOrigin, answer

pytestmark = pytest.mark.libcurl

LOOKUP = 5  # seconds that a name takes, in tests/faults/slow_resolver.c
AT_ONCE = 1


@pytest.fixture(scope="session")
def slow_resolver(directory):
    library = directory / "slow_resolver.so"
    subprocess.run([shutil.which("cc"), "-shared", "-fPIC", "-o", library,
                    ROOT / "tests/faults/slow_resolver.c", "-ldl"], check=True)
    return library


def dns_answer(query):
    """127.0.0.1 for an A question; no record of any other type."""
    end = query.index(b"\0", 12) + 5
    is_a = query[end - 4:end - 2] == b"\0\1"
    head = query[:2] + b"\x81\x80\0\1" + (b"\0\1" if is_a else b"\0\0") + b"\0\0\0\0"
    record = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\1"
    return head + query[12:end] + (record if is_a else b"")


@pytest.fixture
def resolv_conf(tmp_path):
    """For a libcurl with c-ares: of a name server that says nothing about slow names."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))

        def serve():
            with contextlib.suppress(OSError):
                while len(received := sock.recvfrom(2000)) == 2 and received[0]:
                    if b"slow" not in received[0]:
                        sock.sendto(dns_answer(received[0]), received[1])

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        path = tmp_path / "resolv.conf"
        path.write_text("nameserver 127.0.0.1:%d\n" % sock.getsockname()[1])
        yield path
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.sendto(b"", sock.getsockname())
        thread.join(10)


@pytest.fixture
def daemon(curlewd, slow_resolver, resolv_conf):
    return curlewd({"threads": 1, "sessions": {"default": {}, "other": {}}},
                   env={"LD_PRELOAD": str(slow_resolver), "RESOLV_CONF": str(resolv_conf),
                        "ASAN_OPTIONS": "verify_asan_link_order=0"})


@pytest.fixture
def closing_origin():
    """Each fetch needs a connection of its own, so that its host's address is needed again."""
    def script(request, connection):
        connection.send(answer("ok"))
        connection.close()

    with ScriptedOrigin(script) as origin:
        yield origin


def has_cares(daemon):
    libraries = daemon.client.ask("GET", "/v1/status").json()["libraries"]
    return "c-ares" in libraries["libcurl"]


def at(origin, name):
    """Its URL under another name."""
    return origin.url("/").replace("127.0.0.1", name)


def give_up(daemon, names, timeout=0.2, **keys):
    """Fetch from each at once; the codes of the failures."""
    with BackgroundCalls(64) as b:
        for name in names:
            b.start(daemon.client.post, {"url": f"http://{name}/", "timeout": timeout, **keys})
        return [response.json()["code"] for response in b.results()]


def timed(call, *args, **keys):
    start = time.monotonic()
    return call(*args, **keys), time.monotonic() - start


def in_flight(daemon):
    return daemon.client.ask("GET", "/v1/status").json()["engine"]["in_flight"]


def test_the_connect_timeout_covers_the_look_up(daemon, origin):
    with BackgroundCalls() as b:
        b.start(daemon.client.refused, {"url": "http://one.slow.test/", "timeout": {"connect": 1}},
                504, "connect_timeout")
        wait_until("it is looked up", lambda: in_flight(daemon) == 1)
        _, took = timed(daemon.client.fetch, origin.url("/hello"))
        assert took < AT_ONCE
        _, took = timed(b.results)
    assert took < LOOKUP - 1


def test_a_cancelled_look_up_delays_no_other_fetch(daemon, origin):
    body = json.dumps({"url": "http://two.slow.test/"}).encode()
    c = fcgi.Connection(daemon.socket)
    c.send(fcgi.request(fcgi.cgi_params("POST", "/_fetch/v1/fetch", body=body), body))
    wait_until("it is looked up", lambda: in_flight(daemon) == 1)
    c.close()
    _, took = timed(daemon.client.fetch, origin.url("/hello"))
    assert took < AT_ONCE
    wait_until("it is gone", lambda: in_flight(daemon) == 0, AT_ONCE)


def test_a_drain_does_not_wait_for_an_abandoned_look_up(daemon):
    daemon.client.refused({"url": "http://three.slow.test/", "timeout": 0.2}, 504, "timeout")
    _, took = timed(daemon.stop)
    assert took < AT_ONCE + 1


def threads_of(daemon):
    return len(list(Path(f"/proc/{daemon.pid}/task").iterdir()))


def test_abandoned_look_ups_are_limited(daemon, origin):
    given_up = {"url": "http://x.slow.test/", "timeout": 0.05}
    with BackgroundCalls(32) as b:
        for _ in range(160):
            b.start(daemon.client.post, given_up)
        codes = [response.json()["code"] for response in b.results()]
    assert set(codes) == ({"timeout"} if has_cares(daemon) else {"timeout", "overloaded"})
    if not has_cares(daemon):
        assert codes.count("timeout") < 64 + 32 + 1  # those under way at once come on top
    assert threads_of(daemon) < 64 + 32 + 8
    assert daemon.client.fetch(origin.url("/hello"))["ok"]  # an address needs no look-up


@pytest.mark.quiet  # counts threads, of which ThreadSanitizer starts few within the timeout
def test_c_ares_leaves_no_thread_and_refuses_nothing(daemon, closing_origin):
    if not has_cares(daemon):
        assert set(give_up(daemon, ["a.slow.test"] * 64)) == {"timeout"}
        assert threads_of(daemon) > 64
        return
    before = threads_of(daemon)
    for _ in range(3):
        assert set(give_up(daemon, ["a.slow.test"] * 64)) == {"timeout"}
    assert threads_of(daemon) <= before + 1
    assert daemon.client.fetch(at(closing_origin, "new.quick.test"))["ok"]
    assert read_metric(daemon, "curlew_lookups_refused_total") == 0


def test_what_needs_no_look_up_goes_on(daemon, origin, closing_origin):
    good = [origin.url("/hello"), closing_origin.url("/"), at(closing_origin, "cached.quick.test"),
            at(closing_origin, "localhost")]
    for url in good:
        daemon.client.fetch(url)
    for _ in range(2):
        with BackgroundCalls(64) as b:
            for i in range(64):
                b.start(daemon.client.post, {"url": f"http://{i}.slow.test/", "timeout": 0.5})
            while not all(call.done() for call in b.futures):
                for url in good:
                    daemon.client.fetch(url)
            codes = {response.json()["code"] for response in b.results()}
        assert codes <= {"timeout", "overloaded"}
        for url in good:
            daemon.client.fetch(url)


@pytest.mark.quiet  # likewise
def test_the_domain_whose_look_ups_hang_is_refused_first(daemon, closing_origin):
    assert set(give_up(daemon, ["a.slow.test"] * 64)) == {"timeout"}
    daemon.client.fetch(at(closing_origin, "new.quick.test"))
    if has_cares(daemon):
        return
    p = daemon.client.refused({"url": "http://b.slow.test/"}, 503, "overloaded")
    assert "names in slow.test" in p["detail"]
    assert read_metric(daemon, "curlew_lookups_refused_total") == 1


@pytest.mark.quiet  # likewise
def test_a_session_whose_look_ups_hang_is_refused_before_others(daemon, closing_origin):
    daemon.client.fetch(at(closing_origin, "cached.quick.test"))
    names = [f"a.slow{i}.test" for i in range(64)]
    assert set(give_up(daemon, names)) == {"timeout"}
    daemon.client.fetch(at(closing_origin, "cached.quick.test"))
    daemon.client.fetch(at(closing_origin, "new.quick.test"), session="other")
    if has_cares(daemon):
        return
    p = daemon.client.refused({"url": at(closing_origin, "third.quick.test")}, 503, "overloaded")
    assert 'session "default"' in p["detail"]


def test_fetches_that_end_before_their_look_up_harm_nobody(daemon, origin, closing_origin):
    daemon.client.fetch(at(closing_origin, "cached.quick.test"))
    for _ in range(3):
        give_up(daemon, ["a.slow.test"] * 64, timeout=0.001)
        daemon.client.fetch(origin.url("/hello"))
        daemon.client.fetch(at(closing_origin, "cached.quick.test"))
    daemon.client.fetch(at(closing_origin, "new.quick.test"))


def threads_gone(daemon, at_most):
    wait_until("the look-ups have ended", lambda: threads_of(daemon) <= at_most)


def idle_threads(daemon, origin):
    """So many does the daemon have once it has answered, and libcurl may keep one."""
    daemon.client.fetch(origin.url("/"))
    return threads_of(daemon) + 1


GIVEN_UP = {"timeout", "overloaded", "connect_failed"}  # the last: c-ares was in time


def test_look_ups_that_have_ended_refuse_nothing(daemon, closing_origin):
    """Short timeouts on a name that resolves: the look-ups are given up, but don't hang."""
    before = idle_threads(daemon, closing_origin)
    for n in range(3):
        assert set(give_up(daemon, [f"{n}.brief.test"] * 64, timeout=0.01)) <= GIVEN_UP
        threads_gone(daemon, before)
        for i in range(20):
            daemon.client.fetch(at(closing_origin, f"{n}-{i}.brief.test"))


def test_look_ups_that_hang_still_count_beside_such(daemon, closing_origin):
    before = idle_threads(daemon, closing_origin)
    assert set(give_up(daemon, ["a.brief.test"] * 64, timeout=0.01)) <= GIVEN_UP
    threads_gone(daemon, before)
    give_up(daemon, ["a.slow.test"] * 64)
    if has_cares(daemon):
        return
    daemon.client.refused({"url": "http://b.slow.test/"}, 503, "overloaded")
    assert threads_of(daemon) <= before + 64
    daemon.client.fetch(at(closing_origin, "new.quick.test"), session="other")


# -- a dead name server, for a while -------------------------------------------------------------

RATE, SECONDS = 14, 8  # URLs a second whose name server never answers, and for how long


def fetch_good_ones_beside(daemon, dead_names, good, count):
    """The codes of good fetches, one after the other, while `count` dead ones come at RATE."""
    codes = []
    with BackgroundCalls(64) as b:
        start = time.monotonic()
        for i in range(count):
            b.start(daemon.client.post, {"url": f"http://{dead_names(i)}/", "timeout": 1})
            while time.monotonic() < start + (i + 1) / RATE:
                response = daemon.client.post({"url": good[len(codes) % len(good)](len(codes))})
                codes.append("ok" if response.status == 200 else response.json()["code"])
                time.sleep(0.02)
        dead = {response.json()["code"] for response in b.results()}
    assert dead <= {"timeout", "overloaded"}
    return codes


@pytest.mark.parametrize("dead_names", [lambda i: f"{i}.slow.test", lambda i: f"www.slow{i}.test"],
                         ids=["one domain", "many domains"])
def test_a_dead_name_server_refuses_no_good_fetch(daemon, origin, closing_origin, dead_names):
    good = [lambda i: origin.url("/hello"), lambda i: closing_origin.url("/"),
            lambda i: at(closing_origin, "cached.quick.test"),
            lambda i: at(closing_origin, "localhost")]
    if "slow.test" in dead_names(0):  # their domain's share is full before the session's
        good.append(lambda i: at(closing_origin, f"new{i}.quick.test"))
    for url in good:
        daemon.client.fetch(url(0))
    codes = fetch_good_ones_beside(daemon, dead_names, good, RATE * SECONDS)
    assert len(codes) >= 100 and set(codes) == {"ok"}
    assert threads_of(daemon) < 64 + RATE + 8
    daemon.client.fetch(at(closing_origin, "other.quick.test"), session="other")
