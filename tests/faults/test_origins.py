"""Every fault of tests/faults/origins, by fetch, stream, handoff and batch.

Each caller sees the contract's code within the fault's time; meanwhile and afterwards a neighbour's
fetches are right; then nothing is held any more: no slot, no buffer, no descriptor, no memory.
"""

import json
import shutil
import threading
from pathlib import Path

import pytest

from tests.faults.origins import FAULTS
from tests.faults.origins.fault import GOOD, PLAIN, RAW_TLS, TLS
from tests.support import fcgi
from tests.support.batch import parse_lines
from tests.support.concurrency import timed
from tests.support.curlewd import SANITIZED, Curlewd
from tests.support.metrics import read_metrics
from tests.support.procs import wait_until
from tests.support.response import parse_cgi_response

pytestmark = pytest.mark.libcurl

RUNS = 4 if SANITIZED else 20
SLOWER = 10 if SANITIZED else 3  # than a machine that is not busy
GAUGES = ["curlew_in_flight", "curlew_queued", "curlew_buffered_bytes", "curlew_request_body_bytes",
          "curlew_retries_waiting", "curlew_parked"]


@pytest.fixture(scope="session")
def good(certs):
    with PLAIN(None, certs) as origin:
        yield origin


@pytest.fixture(scope="session")
def warm_daemon(certs, good):
    """What is opened and allocated once is there already."""
    daemon = Curlewd({"sessions": {"default": {"ca_file": str(certs / "ca.pem")}}})
    for call in (by_fetch, by_stream, by_handoff, by_batch):
        call(daemon, {"url": good.url("/good")})
    open_at_first = descriptors(daemon)
    yield daemon
    daemon.client.ask("POST", "/v1/sessions/default/reset")
    wait_until("no connection more", lambda: descriptors(daemon) <= open_at_first)
    daemon.stop()
    shutil.rmtree(daemon.directory, ignore_errors=True)


@pytest.fixture
def daemon(warm_daemon):
    yield warm_daemon
    assert warm_daemon.process.running(), warm_daemon.process.err[-4000:]


# -- the doors: each gives the right body, or the failure's code -----------------------------------


def by_fetch(daemon, request):
    response = daemon.client.post(request, timeout=60)
    return response.json()["body"].encode() if response.status == 200 else response.json()["code"]


def by_batch(daemon, request):
    body = json.dumps({"requests": [request] * RUNS, "max_parallel": RUNS}).encode()
    lines = parse_lines(daemon.client.ask("POST", "/v1/batch", body=body, timeout=60).body)
    assert len(lines) == RUNS
    return {line["body"].encode() if line["ok"] else line["error"]["code"] for line in lines}


def streamed(daemon, params, body=b""):
    """(outcome, whether it broke after its head): STDERR names the reason to CURLEW_CLIENT."""
    out, err = b"", b""
    with fcgi.Connection(daemon.socket, 60) as c:
        c.send(fcgi.request({**params, "CURLEW_CLIENT": "a test"}, body))
        try:
            while (record := c.read_record())[0] != fcgi.END:
                out += record[2] if record[0] == fcgi.STDOUT else b""
                err += record[2] if record[0] == fcgi.STDERR else b""
        except fcgi.IncompleteResponse:
            return err.split(b" ")[1].decode(), True
    response = parse_cgi_response(out)
    if response.header("content-type") == "application/problem+json":
        return response.json()["code"], False
    return response.body, False


def by_stream(daemon, request):
    body = json.dumps(request).encode()
    return streamed(daemon, fcgi.cgi_params("POST", "/_fetch/v1/stream", body=body), body)


def by_handoff(daemon, request):
    params = fcgi.cgi_params("GET", "/a-view")
    return streamed(daemon, {**params, "CURLEW_REQUEST": json.dumps(request)})


# -- what must be as before ------------------------------------------------------------------------


class Neighbour:
    """Good fetches to another origin, one after the other, until the end of the block."""

    def __init__(self, daemon, origin):
        self.daemon, self.origin = daemon, origin
        self.stopped = threading.Event()
        self.seen = []
        self.thread = threading.Thread(target=self._fetch)

    def _fetch(self):
        while not self.stopped.is_set():
            self.seen.append(by_fetch(self.daemon, {"url": self.origin.url("/good")}))
            self.stopped.wait(0.01)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.thread.join(60)
        assert set(self.seen) == {GOOD}


def is_idle(metrics):
    """The one connection of a web server is the one that brings the metrics."""
    return not any(metrics[g] for g in GAUGES) and metrics["curlew_gateway_connections"] == 1


def descriptors(daemon):
    """How many an idle daemon has open beside the connections to origins that it counts."""
    def count():
        metrics = read_metrics(daemon)
        n = len(list(Path(f"/proc/{daemon.pid}/fd").iterdir()))
        return is_idle(metrics) and n - metrics["curlew_connections"]

    return wait_until("an idle daemon", count)


def reset_peak(daemon):
    Path(f"/proc/{daemon.pid}/clear_refs").write_text("5")


# -- the test --------------------------------------------------------------------------------------


def check(fault, expected, call, daemon, request):
    outcome, seconds = timed(call, daemon, request)
    assert outcome in expected, f"{outcome!r} is none of {expected}"
    assert seconds < fault.within * SLOWER, f"after {seconds:.1f} s"


def call_doors(fault, daemon, request):
    expected = fault.outcomes
    check(fault, expected, by_fetch, daemon, request)
    breaks = (False, True) if fault.after_head is None else (fault.after_head,)
    outcomes = [(e, b and isinstance(e, str)) for e in expected for b in breaks]
    check(fault, outcomes, by_stream, daemon, request)
    check(fault, outcomes, by_handoff, daemon, request)
    seen, seconds = timed(by_batch, daemon, request)
    assert seen <= set(expected), f"{seen} in a batch"
    assert seconds < fault.within * SLOWER * 2, f"a batch took {seconds:.1f} s"


def memory_of(fault, daemon):
    libcurl = daemon.client.get("/v1/status").json()["libraries"]["libcurl"]
    return fault.memory_with_gnutls if "GnuTLS" in libcurl else fault.memory


def name_of(fault):
    return f"{fault.act.__module__.rsplit('.', 1)[1]}: {fault.name}"


def marks_of(fault):
    return [pytest.mark.tls] if fault.origin in (TLS, RAW_TLS) else []


@pytest.mark.parametrize("fault", [pytest.param(fault, id=name_of(fault), marks=marks_of(fault))
                                   for fault in FAULTS])
def test_origin(daemon, certs, good, fault):
    open_before = descriptors(daemon)
    reset_peak(daemon)
    memory_before = daemon.rss_kib()
    with fault.origin(fault.act, certs) as origin:
        with Neighbour(daemon, good):
            call_doors(fault, daemon, fault.request(origin))
        if request := fault.good_request(origin):
            assert by_fetch(daemon, request) == GOOD
        wait_until("no descriptor more", lambda: descriptors(daemon) <= open_before)
    if not SANITIZED:
        assert daemon.peak_kib() - memory_before < memory_of(fault, daemon) >> 10
