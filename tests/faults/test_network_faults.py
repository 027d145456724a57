"""The network between the daemon and its origins goes away and comes back."""

import contextlib
import shutil
import subprocess
import time

import h2.exceptions
import pytest

from tests.support import fcgi, namespaces
from tests.support.concurrency import BackgroundCalls
from tests.support.curlewd import Curlewd
from tests.support.metrics import read_metric
from tests.support.procs import free_port, wait_until
from tests.support.scripted_origin import Http2Origin, ScriptedOrigin, answer
from tests.support.streams import open_stream

pytestmark = [pytest.mark.libcurl, pytest.mark.skipif(
    not namespaces.is_possible(), reason="a network namespace needs root")]

SLACK = 5  # seconds, for a machine that is busy with other tests
ORIGIN = "10.99.0.2"


class Cable:
    """The daemon's network at one end, the origins' at the other."""

    def __init__(self):
        self.near = namespaces.Namespace()
        self.far = namespaces.Namespace()
        self.origins = []
        namespaces.connect(self.near, self.far)

    def origin(self, kind=ScriptedOrigin, port=0, script=None):
        script = script or (lambda request, connection: connection.send(answer("far")))
        with self.far.inside():
            self.origins.append(kind(script, host=ORIGIN, port=port))
        return self.origins[-1]

    def near_end(self, state):
        self.near.run("ip", "link", "set", "cable", state)

    def far_end(self, state):
        self.far.run("ip", "link", "set", "cable", state)

    def replace_far_end(self):
        """By a machine with the same address, which knows none of the connections."""
        self.near.run("ip", "link", "delete", "cable")
        for origin in self.origins:
            origin.stop()
        self.origins = []
        self.far.process.stop()
        self.far = namespaces.Namespace()
        namespaces.connect(self.near, self.far)

    def close(self):
        for origin in self.origins:
            origin.stop()
        self.near.process.stop()
        self.far.process.stop()


@pytest.fixture
def cable():
    cable = Cable()
    yield cable
    cable.close()


@pytest.fixture
def daemon(cable):
    daemon = Curlewd({"egress": {"allow": ["10.99.0.0/16"]}}, wrapper=cable.near.wrapper)
    yield daemon
    daemon.stop()
    shutil.rmtree(daemon.directory, ignore_errors=True)


def warm(daemon, origin, count=4):
    """So many idle connections."""
    with BackgroundCalls() as b:
        for _ in range(count):
            b.start(daemon.client.fetch, origin.url("/slow"))
        b.results()
    wait_until("they are idle", lambda: read_metric(daemon, "curlew_in_flight") == 0)


def slow_script(request, connection):
    time.sleep(0.1)
    connection.send(answer("far"))


def timed_post(daemon, origin, **keys):
    start = time.monotonic()
    response = daemon.client.post({"url": origin.url("/"), **keys})
    return response.json(), time.monotonic() - start


@pytest.mark.parametrize("end", ["near", "far"])
@pytest.mark.parametrize("keys, code", [({"timeout": 1}, "timeout"),
                                        ({"timeout": {"idle": 1}}, "idle_timeout")])
def test_an_interface_is_down_for_a_while(cable, daemon, end, keys, code):
    """The kept connections stay, and nothing comes through: each fetch fails at its own limit."""
    origin = cable.origin(script=slow_script)
    warm(daemon, origin)
    change = cable.near_end if end == "near" else cable.far_end
    change("down")
    with BackgroundCalls() as b:
        for _ in range(8):
            b.start(timed_post, daemon, origin, **{"timeout": {"connect": 1}, **keys})
        results = b.results()
    for problem, took in results:
        assert problem["code"] in (code, "connect_timeout", "connect_failed", "timeout"), results
        assert took < 1 + SLACK
    change("up")
    assert read_metric(daemon, "curlew_in_flight") == 0

    def works():
        problem, took = timed_post(daemon, origin, timeout=2)
        assert took < 2 + SLACK
        return problem.get("status") == 200 and "code" not in problem

    wait_until("it works again", works, 20)
    for _ in range(5):
        assert daemon.client.fetch(origin.url("/"), timeout=5)["status"] == 200


def test_it_comes_back_within_the_timeout(cable, daemon):
    """TCP sends again what was lost: the fetch only takes longer."""
    origin = cable.origin(script=slow_script)
    warm(daemon, origin)
    cable.far_end("down")
    with BackgroundCalls() as b:
        b.start(daemon.client.fetch, origin.url("/"), timeout=20)
        wait_until("it is under way", lambda: read_metric(daemon, "curlew_in_flight") == 1)
        time.sleep(0.5)
        cable.far_end("up")
        assert b.results()[0]["body"] == "far"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_origin_comes_back_and_knows_no_connection(cable, daemon, method):
    """As after a restart of a virtual machine, or a firewall that has forgotten: a reset."""
    origin = cable.origin(script=slow_script)
    warm(daemon, origin, 2)
    cable.replace_far_end()
    again = cable.origin(port=origin.port)
    problem, took = timed_post(daemon, again, method=method, timeout=5)
    assert took < 5 + SLACK
    if method == "GET":
        assert problem["status"] == 200 and problem["body"] == "far", problem
    else:  # it may have been processed: not sent again
        assert problem.get("code") in ("recv_failed", "send_failed", None), problem
    assert daemon.client.fetch(again.url("/"), timeout=5)["body"] == "far"
    assert sum(r.method == "POST" for r in again.requests) <= 1


def test_another_origin_is_served_while_one_is_cut_off(cable, daemon):
    origin = cable.origin()
    with cable.near.inside():
        near = ScriptedOrigin(lambda request, connection: connection.send(answer("near")),
                              host="10.99.0.1")
    cable.origins.append(near)
    daemon.client.fetch(origin.url("/"))
    cable.far_end("down")
    with BackgroundCalls(32) as b:
        for _ in range(32):
            b.start(timed_post, daemon, origin, timeout=1)
        while not all(call.done() for call in b.futures):
            envelope, took = timed_post(daemon, near)
            assert envelope["body"] == "near" and took < SLACK
        codes = {problem["code"] for problem, _ in b.results()}
    assert codes <= {"timeout", "connect_failed"}


def test_an_http2_connection_that_is_dead_fails_what_is_on_it_and_is_replaced(cable, daemon):
    def script(request, connection, stream):
        with contextlib.suppress(h2.exceptions.StreamClosedError):  # its fetch gave up before
            connection.respond(stream)

    origin = cable.origin(Http2Origin, script=script)
    keys = {"http_version": "2-prior-knowledge"}
    daemon.client.fetch(origin.url("/"), **keys)
    cable.far_end("down")
    with BackgroundCalls() as b:
        for _ in range(8):
            b.start(timed_post, daemon, origin, timeout=1, **keys)
        for problem, took in b.results():
            assert problem["code"] == "timeout" and took < 1 + SLACK
    cable.far_end("up")
    wait_until("it works again", lambda: timed_post(daemon, origin, timeout=2, **keys)[0].get(
        "status") == 200, 20)


# -- machines that vanish for good -----------------------------------------------------------


def keepalive_timers(net):
    """The TCP connections whose peers are probed for, by local and remote port."""
    shown = subprocess.run([*net.wrapper, "ss", "-tnoH", "state", "established"],
                           capture_output=True, text=True, check=True).stdout
    return [tuple(int(word.rsplit(":", 1)[1]) for word in line.split()[2:4])
            for line in shown.splitlines() if "timer:(keepalive," in line]


def test_the_origin_of_a_stream_without_an_idle_timeout_is_probed_for(cable, daemon):
    """Else it would wait for a vanished one until its total timeout, a day here."""
    def script(request, connection):
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome")
        connection.hold()

    origin = cable.origin(script=script)
    with open_stream(daemon.client, url=origin.url("/"), timeout=86400) as stream:
        assert stream.read() == b"some"
        assert origin.port in [remote for _, remote in keepalive_timers(cable.near)]


def test_the_machine_of_a_web_server_is_probed_for(cable):
    """Its requests would stay in flight, and its idle connections open."""
    with cable.near.inside():
        port = free_port()
    daemon = Curlewd(also_listen=[f"10.99.0.1:{port}"], wrapper=cable.near.wrapper)
    with cable.far.inside():
        connections = [fcgi.Connection(("10.99.0.1", port)) for _ in range(3)]
    wait_until("they are accepted",
               lambda: read_metric(daemon, "curlew_gateway_connections") == 4)
    assert [local for local, _ in keepalive_timers(cable.near)] == [port] * 3
    for c in connections:
        c.close()
    daemon.stop()
    shutil.rmtree(daemon.directory, ignore_errors=True)
