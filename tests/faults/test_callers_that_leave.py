"""A caller leaves at every stage of its request, by every way there is to leave.

What nobody waits for any more is cancelled and counted, nothing of it is left, and neither the
fetch beside it nor the one after it notices.
"""

import contextlib
import json
import shutil
import socket
import struct
import subprocess
import threading
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.support import fcgi
from tests.support.concurrency import BackgroundCalls
from tests.support.curlewd import ROOT, Curlewd
from tests.support.dns_server import DnsServer
from tests.support.metrics import read_metrics
from tests.support.procs import free_port, wait_until
from tests.support.scripted_origin import ScriptedOrigin, answer

RST = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 s: close() sends a reset
LARGE = 12_000_000  # bytes, more than the sockets of a connection hold
GAUGES = ["curlew_in_flight", "curlew_queued", "curlew_parked", "curlew_retries_waiting",
          "curlew_buffered_bytes", "curlew_request_body_bytes"]


# -- the daemon ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def slow_names(directory):
    """An environment in which names with "slow" in them take seconds to resolve."""
    library = directory / "slow_resolver.so"
    subprocess.run([shutil.which("cc"), "-shared", "-fPIC", "-o", library,
                    ROOT / "tests/faults/slow_resolver.c", "-ldl"], check=True)
    with DnsServer(lambda query: None) as dns:  # for a libcurl with c-ares
        conf = directory / "silent-resolv.conf"
        conf.write_text(f"nameserver 127.0.0.1:{dns.port}\n")
        yield {"LD_PRELOAD": str(library), "RESOLV_CONF": str(conf),
               "ASAN_OPTIONS": "verify_asan_link_order=0"}


@pytest.fixture(scope="module")
def shared_daemon(certs, slow_names, one_origin):
    port = free_port()
    daemon = Curlewd({
        "sessions": {"default": {"ca_file": str(certs / "ca.pem")}, "neighbour": {},
                     "one": {"max_in_flight": 1}, "rare": {"rate_per_origin": 0.001}}},
        env=slow_names, also_listen=[f"127.0.0.1:{port}"])
    daemon.tcp = ("127.0.0.1", port)
    daemon.client.fetch(one_origin.url("/hello"), session="rare")  # its only token
    yield daemon
    daemon.stop()
    shutil.rmtree(daemon.directory, ignore_errors=True)


def descriptors(daemon):
    return len(list(Path(f"/proc/{daemon.pid}/fd").iterdir()))


class Silence:
    """A port where connections are accepted, and nothing is ever read or said."""

    def __init__(self):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(8)
        self.listener.settimeout(10)
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]

    def await_bytes(self):
        """The connection, once something has come on it."""
        sock, _ = self.listener.accept()
        sock.settimeout(10)
        assert sock.recv(1, socket.MSG_PEEK)
        return sock

    def close(self):
        self.listener.close()


class Scene:
    """What a stage may use: it sends requests on a connection, and awaits that they got there."""

    def __init__(self, daemon, origin, keep, stack):
        self.daemon = daemon
        self.origin = origin
        self.keep = keep
        self.stack = stack  # what is closed at the end of the test

    def connect(self):
        return self.stack.enter_context(fcgi.Connection(self.daemon.tcp))

    def silence(self):
        return self.stack.enter_context(contextlib.closing(Silence()))

    def send(self, request, route="/v1/fetch", params=()):
        body = json.dumps(request).encode()
        c = self.connect()
        every = {**fcgi.cgi_params("POST", "/_fetch" + route, body=body), **dict(params)}
        c.send(fcgi.request(every, body, keep=self.keep))
        return c

    def metric(self, name):
        return read_metrics(self.daemon)[name]

    def wait_metric(self, name, value):
        wait_until(f"{name} is {value}", lambda: self.metric(name) == value)

    def send_to(self, path, port="http", **keys):
        """A fetch that has reached the origin."""
        c = self.send({"url": self.origin.url(path, port=port), **keys})
        self.origin.wait_for("arrived", path)
        return c


# -- stages: each gives back the connection --------------------------------------------------


def half_a_record_header(scene):
    c = scene.connect()
    c.send(fcgi.begin(keep=scene.keep)[:5])
    return c


def half_a_record(scene):
    c = scene.connect()
    params = fcgi.pairs(fcgi.cgi_params("POST", "/_fetch/v1/fetch"))
    c.send(fcgi.begin(keep=scene.keep) + fcgi.record(fcgi.PARAMS, 1, params)[:30])
    return c


def after_begin(scene):
    c = scene.connect()
    c.send(fcgi.begin(keep=scene.keep))
    return c


def params(scene):
    c = scene.connect()
    some = fcgi.pairs(fcgi.cgi_params("POST", "/_fetch/v1/fetch", body=b"x" * 100))
    c.send(fcgi.begin(keep=scene.keep) + fcgi.record(fcgi.PARAMS, 1, some))
    return c


def body(scene):
    whole = json.dumps({"url": scene.origin.url("/hello"), "body": "x" * 100000}).encode()
    every = fcgi.pairs(fcgi.cgi_params("POST", "/_fetch/v1/fetch", body=whole))
    c = scene.connect()
    c.send(fcgi.begin(keep=scene.keep) + fcgi.stream(fcgi.PARAMS, 1, every)
           + fcgi.record(fcgi.STDIN, 1, whole[:50000]))
    wait_until("half of it is there", lambda: scene.metric("curlew_request_body_bytes") >= 50000)
    return c


def body_of_a_handoff(scene):
    """Its fetch begins before the browser's body is whole."""
    object = json.dumps({"url": scene.origin.url("/silent?handoff-body")})
    every = {**fcgi.cgi_params("POST", "/any", body=b"x" * 100000), "CURLEW_REQUEST": object}
    c = scene.connect()
    c.send(fcgi.begin(keep=scene.keep) + fcgi.stream(fcgi.PARAMS, 1, fcgi.pairs(every))
           + fcgi.record(fcgi.STDIN, 1, b"x" * 50000))
    scene.origin.wait_for("arrived", "/silent?handoff-body")
    return c


def queue(scene):
    holder = scene.send_to("/silent?holder", session="one")
    c = scene.send({"url": scene.origin.url("/silent?queued"), "session": "one"})
    scene.wait_metric("curlew_queued", 1)
    scene.after_leaving = holder.close
    return c


def rate_limit(scene):
    c = scene.send({"url": scene.origin.url("/hello"), "session": "rare"})
    scene.wait_metric("curlew_queued", 1)
    return c


def look_up(scene):
    c = scene.send({"url": "http://leaver.slow.test/"})
    scene.wait_metric("curlew_in_flight", 1)
    return c


def connect(scene):
    c = scene.send({"url": scene.origin.url("/", port="never")})
    scene.wait_metric("curlew_in_flight", 1)
    return c


def tls_handshake(scene):
    silence = scene.silence()
    c = scene.send({"url": f"https://{silence.address}/"})
    scene.stack.enter_context(silence.await_bytes())
    return c


def proxy(scene):
    """It has been asked to CONNECT, and says nothing."""
    silence = scene.silence()
    c = scene.send({"url": scene.origin.url("/hello", port="https"),
                    "proxy": f"http://{silence.address}"})
    scene.stack.enter_context(silence.await_bytes())
    return c


def upload(scene):
    """The origin does not read the request's body."""
    silence = scene.silence()
    c = scene.send({"url": f"http://{silence.address}/", "body": "x" * LARGE, "method": "PUT"})
    scene.stack.enter_context(silence.await_bytes())
    return c


def head(scene):
    return scene.send_to("/silent?head")


def half_of_the_head(scene):
    return scene.send_to("/half-head?leaver")


def body_of_the_response(scene):
    c = scene.send_to("/stall?n=50")
    scene.wait_metric("curlew_buffered_bytes", 50)
    return c


def second_hop(scene):
    c = scene.send({"url": scene.origin.url("/redirect-to?" + urlencode(
        {"url": scene.origin.url("/silent?hop")}))})
    scene.origin.wait_for("arrived", "/silent?hop")
    return c


def http2(scene):
    return scene.send_to("/silent?h2", port="h2")


def backoff(scene):
    path = "/say?" + urlencode([("status", 503), ("h", "Retry-After: 9")])
    c = scene.send({"url": scene.origin.url(path), "retries": 2})
    scene.wait_metric("curlew_retries_waiting", 1)
    return c


def stream_without_a_head(scene):
    c = scene.send({"url": scene.origin.url("/silent?stream")}, "/v1/stream")
    scene.origin.wait_for("arrived", "/silent?stream")
    return c


def stream(scene):
    c = scene.send({"url": scene.origin.url("/drip?n=100000&every=0.05")}, "/v1/stream")
    while b"\r\n\r\n" not in c.read_record()[2]:
        pass
    return c


def stream_that_nobody_reads(scene):
    """Backpressure: the transfer pauses."""
    path = f"/pour?n={LARGE}&leaver"
    c = scene.send({"url": scene.origin.url(path)}, "/v1/stream")
    scene.origin.wait_for("arrived", path)
    wait_until("it pauses", lambda: has_stopped(lambda: scene.origin.sent(path)))
    return c


def handoff(scene):
    object = json.dumps({"url": scene.origin.url("/drip?n=100000&every=0.05&handoff")})
    c = scene.send({}, "/any", {"CURLEW_REQUEST": object})
    while b"\r\n\r\n" not in c.read_record()[2]:
        pass
    return c


def batch_without_a_result(scene):
    requests = [{"url": scene.origin.url(f"/silent?batch={i}")} for i in range(3)]
    c = scene.send({"requests": requests}, "/v1/batch")
    for i in range(3):
        scene.origin.wait_for("arrived", f"/silent?batch={i}")
    return c


def batch(scene):
    paths = ["/hello", "/silent?one", "/hello", "/silent?two"]
    c = scene.send({"requests": [{"url": scene.origin.url(path)} for path in paths]}, "/v1/batch")
    got = b""
    while got.count(b"}\n") < 2:
        got += c.read_record()[2]
    for path in ("/silent?one", "/silent?two"):
        scene.origin.wait_for("arrived", path)
    return c


def large_response(scene):
    """The fetch is done, and the caller reads slowly."""
    c = scene.send({"url": scene.origin.url(f"/pour?n={LARGE}&envelope")})
    got = 0
    while got < 100000:
        got += len(c.read_record()[2])
    return c


def has_stopped(figure):
    first = figure()
    return first > 0 and all(figure() == first for _ in range(20))


# Each with the number of its fetches that are then cancelled, and whether it has a request.
NO_REQUEST = [half_a_record_header, half_a_record, after_begin, params]
UNSUBMITTED = [body]
ONE_FETCH = [body_of_a_handoff, queue, rate_limit, look_up, connect, tls_handshake, proxy, upload,
             head, half_of_the_head, body_of_the_response, second_hop, http2, backoff,
             stream_without_a_head, stream, stream_that_nobody_reads, handoff]
BATCHES = {batch_without_a_result: 3, batch: 2}
DONE = [large_response]
CANCELLED = {**{s: 0 for s in [*NO_REQUEST, *UNSUBMITTED, *DONE]}, **{s: 1 for s in ONE_FETCH},
             **BATCHES}
BETWEEN_RECORDS = [s for s in CANCELLED if s not in (half_a_record_header, half_a_record)]


# -- ways to leave ---------------------------------------------------------------------------


def close(c):
    c.close()


def reset(c):
    c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST)
    c.close()


def half_close(c):
    """The sending side alone: for FastCGI that is the end, too."""
    c.sock.shutdown(socket.SHUT_WR)
    assert c.closes_within(10)


def abort(c):
    """FCGI_ABORT_REQUEST, on a connection for this request alone."""
    c.send(fcgi.record(fcgi.ABORT))
    assert c.closes_within(10)


def abort_and_go_on(c):
    """FCGI_ABORT_REQUEST: the end record comes, and the kept connection goes on."""
    c.send(fcgi.record(fcgi.ABORT))
    while c.read_record()[0] != fcgi.END:
        pass
    c.send(fcgi.request(fcgi.cgi_params("GET", "/_fetch/healthz"), keep=True))
    assert c.read_response().json() == {"status": "ok"}


# Where the head is out, the response must look broken; before the parameters there is none.
ENDS_CONNECTION = [after_begin, params, stream, stream_that_nobody_reads, handoff]
# Of the ways to end a connection, close() is tested at every stage.
SOME = [half_a_record, body, queue, look_up, head, stream, batch, large_response]
WAYS = {close: list(CANCELLED), reset: SOME, half_close: SOME,
        abort: BETWEEN_RECORDS,
        abort_and_go_on: [s for s in BETWEEN_RECORDS if s not in ENDS_CONNECTION]}


# -- the table -------------------------------------------------------------------------------


def cancelled_fetches(metrics):
    return sum(value for name, value in metrics.items()
               if name.startswith("curlew_fetches_total") and 'outcome="cancelled"' in name)


def open_descriptors(daemon, metrics):
    """Without those of connections, which are counted themselves."""
    return (descriptors(daemon) - metrics["curlew_connections"]
            - metrics["curlew_gateway_connections"])


def is_quiet(daemon, before):
    """Nothing is left of the caller: but for its own connection, this request has one."""
    now = read_metrics(daemon)
    left = {name: now[name] for name in GAUGES if now[name] != 0}
    return not left and now["curlew_gateway_connections"] == 1 and (
        now["curlew_connections"] <= before["curlew_connections"] + 1) and now


@pytest.mark.parametrize("stage, way", [
    pytest.param(stage, way, id=f"{stage.__name__}-{way.__name__}")
    for way, stages in WAYS.items() for stage in stages])
def test_a_caller_leaves(shared_daemon, origin, stage, way):
    daemon = shared_daemon
    daemon.client.fetch(origin.url("/hello"), session="neighbour")
    before = wait_until("quiet", lambda: is_quiet(daemon, read_metrics(daemon)))
    files = open_descriptors(daemon, before)
    with contextlib.ExitStack() as stack, BackgroundCalls(1) as neighbour:
        scene = Scene(daemon, origin, way is abort_and_go_on, stack)
        scene.after_leaving = None
        connection = stage(scene)
        neighbour.start(daemon.client.fetch, origin.url("/delay/0.2"), session="neighbour")
        origin.wait_for("arrived", "/delay/0.2")
        way(connection)
        if scene.after_leaving:
            wait_until("it has left the queue", lambda: scene.metric("curlew_queued") == 0)
            scene.after_leaving()
        assert [e["body"] for e in neighbour.results()] == ["late\n"]
        connection.close()
        after = wait_until("nothing is left", lambda: is_quiet(daemon, before))
    holders = 1 if scene.after_leaving else 0
    assert cancelled_fetches(after) - cancelled_fetches(before) == CANCELLED[stage] + holders
    left = after["curlew_cancelled_total"] - before["curlew_cancelled_total"]
    assert left == (1 if CANCELLED[stage] else 0) + holders
    wait_until("descriptors are closed",
               lambda: open_descriptors(daemon, read_metrics(daemon)) <= files, 15)
    assert daemon.client.fetch(origin.url("/hello"), session="neighbour")["status"] == 200
    assert daemon.process.running()


# -- single flight ---------------------------------------------------------------------------


class Gate:
    """An origin whose responses stop at a stage until the gate is opened."""

    def __init__(self, stage):
        self.stage = stage
        self.opened = threading.Event()

    def __call__(self, request, connection):
        if self.stage == "backoff" and not self.opened.is_set():
            connection.send(answer(status="503 Busy", fields=["Retry-After: 2"]))
            self.opened.set()
            return
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf-"
                        if self.stage == "body" else b"")
        assert self.opened.wait(20)
        connection.send(b"whole" if self.stage == "body" else answer("whole-half"))


@pytest.mark.parametrize("stage", ["head", "body", "backoff", "queue"])
@pytest.mark.parametrize("way", [close, abort], ids=["close", "abort"])
def test_a_leader_that_leaves_does_not_fail_its_followers(shared_daemon, stage, way):
    daemon, gate = shared_daemon, Gate(stage)
    before = wait_until("quiet", lambda: is_quiet(daemon, read_metrics(daemon)))
    with contextlib.ExitStack() as stack, ScriptedOrigin(gate) as origin, BackgroundCalls() as b:
        scene = Scene(daemon, origin, False, stack)
        request = {"url": origin.url("/shared"), "coalesce": True, "session": "one", "retries": 1}
        holders = 1 if stage == "queue" else 0
        if holders:
            b.start(daemon.client.fetch, origin.url("/holder"), session="one")
            scene.wait_metric("curlew_in_flight", 1)
        leader = scene.send(request)
        followers = [b.start(daemon.client.fetch, **request) for _ in range(3)]
        scene.wait_metric("curlew_parked", 4 + holders)
        wait_until("it is there", lambda: stage == "queue" or origin.requests)
        way(leader)
        scene.wait_metric("curlew_parked", 3 + holders)
        gate.opened.set()
        envelopes = [f.result(20) for f in followers]
        after = wait_until("nothing is left", lambda: is_quiet(daemon, before))
    assert [(e["status"], len(e["body"])) for e in envelopes] == [(200, 10)] * 3
    assert len(origin.requests) == (2 if stage in ("backoff", "queue") else 1)
    assert cancelled_fetches(after) - cancelled_fetches(before) == 1


@pytest.mark.parametrize("leaves", [0, 1, 2])
def test_followers_that_leave_harm_nobody(shared_daemon, origin, leaves):
    """The last of three that stay gets the response, whichever of them leave."""
    daemon, path = shared_daemon, "/delay/0.5?followers"
    before = wait_until("quiet", lambda: is_quiet(daemon, read_metrics(daemon)))
    with contextlib.ExitStack() as stack:
        scene = Scene(daemon, origin, False, stack)
        callers = [scene.send({"url": origin.url(path), "coalesce": True}) for _ in range(3)]
        scene.wait_metric("curlew_parked", 3)
        stays = callers.pop(leaves)
        for c in callers:
            c.close()
        assert stays.read_response().json()["body"] == "late\n"
        after = wait_until("nothing is left", lambda: is_quiet(daemon, before))
    assert cancelled_fetches(after) - cancelled_fetches(before) == 2
    assert sum(e["event"] == "arrived" for e in origin.events(path)) == 1


@pytest.mark.parametrize("way", [close, abort], ids=["close", "abort"])
def test_the_transfer_ends_with_the_last_who_leaves(shared_daemon, origin, way):
    daemon, path = shared_daemon, f"/silent?all-{way.__name__}"
    before = wait_until("quiet", lambda: is_quiet(daemon, read_metrics(daemon)))
    with contextlib.ExitStack() as stack:
        scene = Scene(daemon, origin, False, stack)
        callers = [scene.send({"url": origin.url(path), "coalesce": True}) for _ in range(3)]
        scene.wait_metric("curlew_parked", 3)
        origin.wait_for("arrived", path)
        for c in callers:
            way(c)
        origin.wait_for("left", path)
        wait_until("nothing is left", lambda: is_quiet(daemon, before))
