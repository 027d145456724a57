"""Open files are few: fetches go on, a health check is answered, and no origin is blamed for it."""

import contextlib
import json
import resource
import socket
import time
from pathlib import Path

import pytest

from tests.support import fcgi
from tests.support.clients import problem
from tests.support.concurrency import BackgroundCalls
from tests.support.curlewd import LOOPBACK
from tests.support.metrics import cpu_seconds, read_metric
from tests.support.procs import wait_until
from tests.support.scripted_origin import ScriptedOrigin, answer

pytestmark = pytest.mark.libcurl

HOSTS = [f"127.0.1.{i}" for i in range(1, 46)]
BREAKER = {"breaker": {"failures": 1, "open_seconds": 60}}
FEW = 64
FEW_FILES = ["prlimit", f"--nofile={FEW}"]


@pytest.fixture
def everywhere():
    """An origin on every address of loopback."""
    with ScriptedOrigin(lambda r, c: c.send(answer(r.target)), host="0.0.0.0") as origin:
        yield origin


def files(daemon):
    return {int(p.name) for p in Path(f"/proc/{daemon.pid}/fd").iterdir()}


def settled_files(daemon):
    """The numbers of its open files, once no connection is being closed any more."""
    def same():
        before = files(daemon)
        time.sleep(0.1)
        return before if files(daemon) == before else None

    return wait_until("nothing opens or closes", same)


def limit_files(daemon, more):
    """Until lift(), the daemon gets only so many descriptors beside those that it has."""
    used = settled_files(daemon)
    limit = max(used) + 1
    free = limit - len(used)
    while free < more:
        limit, free = limit + 1, free + 1
    assert free == more, f"{free} are free below {limit}"
    before = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (limit, before[1]))
    return lambda: resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, before)


def is_healthy(daemon):
    return daemon.client.ask("GET", "/healthz").status == 200


def is_short(response):
    p = problem(response, 503, "overloaded")
    assert "open files" in p["detail"] and "LimitNOFILE" in p["detail"], p
    return p


def shares(daemon):
    """How many connections each side may have: {"limit": …, "origins": …, "gateway": …}"""
    return daemon.client.get("/v1/status").json()["open_files"]


@contextlib.contextmanager
def held(daemon, n):
    """So many connections that say nothing."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(fcgi.Connection(daemon.socket)) for _ in range(n)]


# -- a low limit at the start ------------------------------------------------------


@pytest.mark.parametrize("idle_seconds", [1, 60])
def test_many_origins_and_then_many_web_servers(curlewd, everywhere, idle_seconds):
    daemon = curlewd({"sessions": {"default": {"idle_seconds": idle_seconds}}}, wrapper=FEW_FILES)
    for host in HOSTS:
        e = daemon.client.fetch(everywhere.url("/a", host=host))
        assert (e["body"], e["attempts"]) == ("/a", 1)
    with held(daemon, 10):
        assert is_healthy(daemon)
        assert daemon.client.fetch(everywhere.url("/b", host=HOSTS[0]))["body"] == "/b"
        if idle_seconds == 1:
            wait_until("idle connections are closed",
                       lambda: everywhere.open_connections() == 0)
        for host in HOSTS:
            assert daemon.client.fetch(everywhere.url("/c", host=host))["body"] == "/c"


def test_many_retired_connections_are_closed_within_two_seconds(curlewd, everywhere):
    daemon = curlewd({"sessions": {"default": {"idle_seconds": 60}}})
    for host in HOSTS:
        daemon.client.fetch(everywhere.url("/a", host=host))
    before = len(settled_files(daemon))
    daemon.client.ask("POST", "/v1/sessions/default/reset")
    wait_until("all are closed", lambda: len(files(daemon)) <= before - len(HOSTS), 2.2)


def test_more_fetches_at_once_than_open_files_allow_wait_for_each_other(curlewd, everywhere):
    daemon = curlewd(wrapper=FEW_FILES)
    limits = daemon.client.get("/v1/status").json()["limits"]
    assert limits["in_flight"] == shares(daemon)["origins"] < FEW / 3
    assert "limits.in_flight" in daemon.process.err and "LimitNOFILE" in daemon.process.err
    requests = [{"url": everywhere.url(f"/{i}", host=HOSTS[i % 45])} for i in range(200)]
    body = json.dumps({"requests": requests, "max_parallel": 200}).encode()
    lines = daemon.client.ask("POST", "/v1/batch", body=body).body.splitlines()
    assert {json.loads(line)["status"] for line in lines} == {200} and len(lines) == 200


def test_threads_share_one_limit(curlewd, everywhere):
    daemon = curlewd({"threads": 4}, wrapper=["prlimit", f"--nofile={FEW + 16}"])
    with BackgroundCalls(8) as b:
        for i in range(400):
            b.start(daemon.client.post, {"url": everywhere.url("/", host=HOSTS[i % 45])})
        for response in b.results():
            if response.status != 200:
                is_short(response)
    wait_until("idle ones have gone", lambda: daemon.client.post(
        {"url": everywhere.url("/", host="127.0.2.1")}).status == 200)


@pytest.mark.parametrize("threads", [2, 4])
def test_many_origins_one_after_the_other_on_several_threads(curlewd, everywhere, threads):
    """Each thread has connections of its own, which the others cannot close in time."""
    daemon = curlewd({"threads": threads}, wrapper=["prlimit", "--nofile=128"])
    hosts = [f"127.0.{i // 200}.{i % 200 + 1}" for i in range(200, 600)]
    for host in hosts:
        assert daemon.client.fetch(everywhere.url("/a", host=host))["body"] == "/a"
    assert len(files(daemon)) < 128 - 16


# -- web servers' connections ---------------------------------------------------------


@pytest.mark.quiet  # a connection idle for a second makes room, and a busy machine is slow
def test_beyond_the_share_fetches_are_refused_and_health_is_answered(curlewd, origin):
    daemon = curlewd(wrapper=FEW_FILES)
    with held(daemon, shares(daemon)["gateway"]):
        assert is_healthy(daemon)
        is_short(daemon.client.post({"url": origin.url("/hello")}))
        assert is_healthy(daemon)
    wait_until("they are gone", lambda: read_metric(daemon, "curlew_gateway_connections") == 1)
    assert daemon.client.fetch(origin.url("/hello"))["body"] == "hello\n"


def test_kept_connections_make_room_once_they_are_idle(curlewd, origin):
    daemon = curlewd(wrapper=FEW_FILES)
    kept = []
    for _ in range(shares(daemon)["gateway"] - 3):  # connections that end may still count
        kept.append(fcgi.Connection(daemon.socket))
        kept[-1].send(fcgi.request(fcgi.cgi_params("GET", "/_fetch/healthz"), keep=True))
        assert kept[-1].read_response().status == 200
    time.sleep(1.1)
    assert not any(c.is_closed() for c in kept)
    with held(daemon, 4):
        wait_until("a fetch goes through", lambda: daemon.client.post(
            {"url": origin.url("/hello")}).status == 200)
        closed = [c for c in kept if c.is_closed()]
    assert 0 < len(closed) < 10
    assert all(c.sock.recv(1) == b"" for c in closed)


def test_a_flood_of_silent_peers_costs_no_cpu_and_ends(curlewd, origin):
    daemon = curlewd(wrapper=FEW_FILES)
    with held(daemon, 200):
        wait_until("it pauses", lambda: "have to wait" in daemon.process.err)
        before = cpu_seconds(daemon)
        time.sleep(1)
        assert cpu_seconds(daemon) - before < 0.3
        # Those that are silent for a second or more make room, one for each that comes.
        assert daemon.process.err.count("have to wait") <= 2 * 2
    wait_until("it accepts again", lambda: is_healthy(daemon))
    assert daemon.client.fetch(origin.url("/hello"))["body"] == "hello\n"


# -- none left at all ---------------------------------------------------------------------


def short(daemon, request, more, **keys):
    """The response to a fetch while no more than so many descriptors are free."""
    lift = limit_files(daemon, more)
    try:
        response = daemon.client.post({**request, **keys})
        healthy = is_healthy(daemon)
    finally:
        lift()
    assert healthy
    return is_short(response)


@pytest.fixture
def shortage(curlewd, certs):
    """A daemon whose circuit breakers open at the first failure."""
    return curlewd({"workers": 1, "egress": {"allow": [*LOOPBACK["allow"], "172.16.0.0/12",
                                                          "10.0.0.0/8", "192.168.0.0/16"]},
                    "sessions": {"default": {**BREAKER, "ca_file": str(certs / "ca.pem")}}})


def is_blameless(daemon, url):
    """The origin's circuit breaker hasn't opened, and nothing was tried again."""
    time.sleep(1.1)  # as long as a shortage is remembered
    assert daemon.client.fetch(url)["status"] == 200
    assert read_metric(daemon, "curlew_breaker_opened_total") == 0
    assert read_metric(daemon, "curlew_retries_total") == 0


@pytest.mark.parametrize("more", [0, 1])
def test_no_descriptor_for_the_connection(shortage, origin, more):
    url = origin.url("/hello")
    p = short(shortage, {"url": url}, more, retries=3)
    assert "attempts" not in p
    is_blameless(shortage, url)


def test_no_descriptor_for_the_file_of_authorities(shortage, certs):
    with ScriptedOrigin(lambda r, c: c.send(answer()), certs) as origin:
        short(shortage, {"url": origin.url("/")}, 2, retries=3)
        is_blameless(shortage, origin.url("/"))


@pytest.mark.parametrize("more", [1, 2])
def test_no_descriptor_for_a_look_up(shortage, more):
    """The resolver opens files and a socket of its own, in a thread."""
    name = socket.gethostname()
    with ScriptedOrigin(lambda r, c: c.send(answer()), host=socket.gethostbyname(name)) as origin:
        short(shortage, {"url": origin.url("/", host=name)}, more, retries=3)
        is_blameless(shortage, origin.url("/", host=name))


def test_idle_connections_go_first(shortage, everywhere):
    for host in HOSTS:
        shortage.client.fetch(everywhere.url("/a", host=host))
    lift = limit_files(shortage, 1)
    try:
        shortage.client.post({"url": everywhere.url("/b", host="127.0.2.1")})
        wait_until("a fetch goes through", lambda: shortage.client.post(
            {"url": everywhere.url("/b", host="127.0.2.1")}).status == 200)
        assert everywhere.open_connections() < 10
    finally:
        lift()
