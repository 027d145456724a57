"""HTTP/3, with the libcurl inside curl_cffi, at an origin made of aioquic; Debian 12's has none."""

import contextlib
import json
import os
import shutil
import socket
import time
from pathlib import Path

import curl_cffi
import pytest

from tests.support.batch import parse_lines
from tests.support.concurrency import BackgroundCalls
from tests.support.curlewd import Curlewd
from tests.support.fingerprint import FingerprintOrigin
from tests.support.http3_origin import Http3Origin
from tests.support.libcurls import impersonating_env
from tests.support.metrics import read_metric
from tests.support.procs import wait_until
from tests.support.streams import IncompleteResponse, open_stream

# Others wear their HTTP/2 face's TLS over QUIC, or can't speak it at all.
WITH_A_FACE = ["chrome145", "chrome146", "chrome150", "chrome151", "chrome152", "chrome152_macos",
               "safari270", "safari270_ios", "firefox147"]
FAMILIES = ["chrome", "edge", "safari", "safari_ios"]
RANDOM = (0x3127,)  # transport parameters: Chrome's initial_rtt
WITHOUT_QUIC = ["firefox", "firefox133", "firefox144", "firefox153", "tor"]


@pytest.fixture(scope="module")
def daemon(certs):
    ca = {"ca_file": str(certs / "ca.pem")}
    d = Curlewd({"threads": 1,
                 "sessions": {"default": ca, "narrow": {**ca, "max_per_origin": 2}}},
                env=impersonating_env())
    yield d
    d.stop()
    shutil.rmtree(d.directory, ignore_errors=True)


@pytest.fixture
def h3_origin(certs):
    with Http3Origin(certs) as origin:
        yield origin


@pytest.fixture
def ask(daemon):
    """ask(url, keys) → the envelope, or the problem document with its status."""
    def ask(url, **keys):
        response = daemon.client.post({"url": url, "http_version": "3-only", "timeout": 10, **keys})
        return response.json()
    return ask


def silent_port():
    """A UDP socket that takes every packet and says nothing."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    return sock


# -- every door ------------------------------------------------------------------


@pytest.mark.parametrize("version", ["3", "3-only"])
def test_one_handshake_for_many_fetches(ask, h3_origin, version):
    got = [ask(h3_origin.url(), http_version=version) for _ in range(10)]
    assert {(e["status"], e["http_version"], e["body"]) for e in got} == {
        (200, "3", "hello by HTTP/3\n")}
    assert [e["connection"]["reused"] for e in got] == [False] + [True] * 9
    assert len(h3_origin.connections) == 1


@pytest.mark.parametrize("version", ["3", "3-only"])
def test_a_cold_burst_shares_one_connection(ask, h3_origin, version):
    with BackgroundCalls() as calls:
        for _ in range(30):
            calls.start(ask, h3_origin.url("/slow"), http_version=version)
        assert {(e["status"], e["http_version"]) for e in calls.results()} == {(200, "3")}
    assert len(h3_origin.connections) == 1


def test_bodies_in_both_directions(ask, h3_origin):
    body = "0123456789" * 40_000
    assert ask(h3_origin.url("/echo"), body=body)["body"] == body
    request, = h3_origin.requests
    assert (request.method, len(request.body)) == ("POST", len(body))
    e = ask(h3_origin.url("/large"), response_body="none")
    assert e["body_bytes"] == 3_000_000


def test_a_stream_comes_in_pieces(daemon, h3_origin):
    with open_stream(daemon.client, url=h3_origin.url("/counts"), http_version="3-only") as stream:
        assert stream.header("curlew-http-version") == "3"
        assert stream.read_all() == b"".join(b"%d\n" % i for i in range(10))


def test_a_batch_shares_one_connection(daemon, h3_origin):
    requests = [{"url": h3_origin.url("/slow"), "http_version": "3-only"}] * 10
    body = json.dumps({"requests": requests}).encode()
    response = daemon.client.ask("POST", "/v1/batch", body=body)
    assert {e["http_version"] for e in parse_lines(response.body)} == {"3"}
    assert len(h3_origin.connections) == 1


def test_limits_per_origin_hold(ask, h3_origin):
    with BackgroundCalls() as calls:
        started = time.monotonic()
        for _ in range(8):
            calls.start(ask, h3_origin.url("/slow"), session="narrow")
        assert {e["status"] for e in calls.results()} == {200}
    assert time.monotonic() - started > 4 * 0.2  # two at once, 0.2 s each


def test_certificates_are_checked(ask, h3_origin):
    strange = h3_origin.url(host="c.localhost")  # a name that the certificate doesn't have
    p = ask(strange)
    assert p["code"] == "tls_failed", p
    assert ask(strange, verify=False)["status"] == 200


# -- what goes wrong ---------------------------------------------------------------


@pytest.mark.parametrize("path, keys, code", [
    ("/silent", {"timeout": 0.3}, "timeout"),
    ("/stalls", {"timeout": {"idle": 0.3}}, "idle_timeout"),
    ("/cut", {}, "incomplete_body"),
])
def test_a_failure_ends_one_stream_and_not_the_others(ask, h3_origin, path, keys, code):
    with BackgroundCalls() as calls:
        for _ in range(3):
            calls.start(ask, h3_origin.url("/slow"))
        assert ask(h3_origin.url(path), **keys)["code"] == code
        assert {e["status"] for e in calls.results()} == {200}
    assert ask(h3_origin.url())["body"] == "hello by HTTP/3\n"


def test_a_port_without_an_answer_is_a_timeout_of_connecting(ask):
    with silent_port() as sock:
        p = ask(f"https://127.0.0.1:{sock.getsockname()[1]}/", timeout={"connect": 0.4})
    assert p["code"] == "connect_timeout"


def test_a_closed_port_fails_at_once(ask, certs):
    with silent_port() as sock:
        port = sock.getsockname()[1]
    assert ask(f"https://127.0.0.1:{port}/")["code"] == "connect_failed"


def test_an_origin_that_disappears_from_under_a_stream(daemon, certs):
    origin = Http3Origin(certs)
    with open_stream(daemon.client, url=origin.url("/stalls"), http_version="3-only",
                     timeout={"idle": 0.5}) as stream:
        assert stream.read() == b"begun"
        origin.vanish()
        with pytest.raises(IncompleteResponse):
            stream.read_all()


@pytest.mark.parametrize("version, code", [("3", None), ("3-only", "connect_timeout")])
def test_3_falls_back_where_udp_is_swallowed(ask, certs, version, code):
    """As by a firewall. `3-only` doesn't."""
    with FingerprintOrigin(certs) as origin, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", origin.port))
        for _ in range(2 if code is None else 1):
            e = ask(origin.url(host="127.0.0.1"), http_version=version, timeout={"connect": 1})
            assert (e.get("http_version"), e.get("code")) == ("2" if code is None else None, code)


def test_3_falls_back_where_udp_is_refused(ask, certs):
    with FingerprintOrigin(certs) as origin:
        assert ask(origin.url(), http_version="3")["http_version"] == "2"
        assert ask(origin.url())["code"] == "connect_failed"


# -- sent once ------------------------------------------------------------------------


# Without a pause the request may be on its way as the connection ends: a POST is not sent again.
@pytest.mark.parametrize("method, pause", [("GET", 0), ("GET", 0.1), ("POST", 0.1)])
def test_a_connection_that_the_origin_has_closed_costs_nobody_a_fetch(ask, h3_origin, method,
                                                                     pause):
    """libcurl 8.23 notices only as it writes, and fails (curl_cffi, too)."""
    for _ in range(3):
        ask(h3_origin.url())
        h3_origin.go_away()
        time.sleep(pause)
        keys = {"body": "x"} if method == "POST" else {}
        e = ask(h3_origin.url(), method=method, **keys)
        assert e["status"] == 200, e
    assert len(h3_origin.requests) == 6


@pytest.mark.parametrize("method, sent", [("GET", 2), ("POST", 1)])
def test_a_request_without_an_answer_goes_again_only_if_it_is_safe(ask, h3_origin, method, sent):
    ask(h3_origin.url())
    p = ask(h3_origin.url("/hang-up"), method=method)
    assert p["code"] == "recv_failed" and p["attempts"] == sent
    assert len([r for r in h3_origin.requests if r.path == "/hang-up"]) == sent


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_rejected_request_goes_again_once(ask, daemon, h3_origin, method):
    """H3_REQUEST_REJECTED: certainly not processed."""
    ask(h3_origin.url())
    p = ask(h3_origin.url("/rejects"), method=method)
    assert p["status"] == 502 and p["attempts"] == 2
    assert len([r for r in h3_origin.requests if r.path == "/rejects"]) == 2


def test_a_vanished_origin_never_gets_a_post_twice(ask, certs):
    origin = Http3Origin(certs)
    ask(origin.url())
    origin.vanish()
    p = ask(origin.url(), body="x")
    assert (p["code"], p["attempts"]) == ("recv_failed", 1)


# -- idle connections -------------------------------------------------------------------


def udp_sockets(daemon):
    """How many the daemon has open."""
    lines = Path("/proc/net/udp").read_text().splitlines()[1:]
    inodes = {f"socket:[{line.split()[9]}]" for line in lines}
    links = set()
    for fd in Path(f"/proc/{daemon.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            links.add(os.readlink(fd))
    return len(links & inodes)


def test_packets_while_idle_do_not_end_a_connection(ask, h3_origin):
    for _ in range(3):
        ask(h3_origin.url())
        h3_origin.ping()
        time.sleep(0.1)
    assert len(h3_origin.connections) == 1


@pytest.mark.parametrize("idle_seconds, end", [(1, None), (60, "/v1/sessions/default/reset")])
def test_an_idle_connection_is_closed_in_its_time_and_by_a_reset(curlewd, h3_origin, idle_seconds,
                                                                end):
    daemon = curlewd({"sessions": {"default": {"idle_seconds": idle_seconds}}},
                     env=impersonating_env())
    keys = {"url": h3_origin.url(), "http_version": "3-only", "verify": False}
    daemon.client.fetch(**keys)
    assert udp_sockets(daemon) == 1
    if end:
        assert daemon.client.ask("POST", end).status == 204
    wait_until("its end", lambda: udp_sockets(daemon) == 0 and
               read_metric(daemon, "curlew_connections") == 0)
    assert daemon.client.fetch(**keys)["connection"]["reused"] is False


# -- the face ---------------------------------------------------------------------------


def face(origin):
    """Of the last client, without what Chrome chooses at random."""
    peer, request = origin.connections[-1], origin.requests[-1]
    parameters = {n: v for n, v in peer.parameters.items() if n not in RANDOM}
    headers = [(n, v) for n, v in request.headers if n != ":authority"]
    return peer.ja4, peer.settings, parameters, headers


@pytest.mark.parametrize("name", [*FAMILIES, *WITH_A_FACE])
def test_an_origin_sees_what_it_sees_of_curl_cffi(ask, h3_origin, name):
    assert ask(h3_origin.url(), impersonate=name, verify=False)["http_version"] == "3"
    ours = face(h3_origin)
    curl_cffi.get(h3_origin.url(), impersonate=name, verify=False, http_version="v3only")
    assert len(h3_origin.connections) == 2
    its = face(h3_origin)
    assert ours == its


@pytest.mark.parametrize("name", WITHOUT_QUIC)
def test_targets_without_quic_fail_as_in_curl_cffi(ask, h3_origin, certs, name):
    """Their list of TLS extensions has no room for QUIC's transport parameters."""
    p = ask(h3_origin.url(), impersonate=name, verify=False)
    assert p["code"] in ("connect_failed", "recv_failed"), p
    with pytest.raises(curl_cffi.exceptions.ConnectionError):
        curl_cffi.get(h3_origin.url(), impersonate=name, verify=False, http_version="v3only")


@pytest.mark.parametrize("name", WITHOUT_QUIC)
def test_targets_without_quic_fall_back(ask, certs, name):
    with FingerprintOrigin(certs) as tcp, Http3Origin(certs, port=tcp.port):
        e = ask(tcp.url(), impersonate=name, verify=False, http_version="3")
    assert (e["status"], e["http_version"]) == (200, "2")


def test_identities_share_no_connection_and_no_ticket(ask, h3_origin):
    """This libcurl resumes nothing over QUIC, so that no ticket can tell who it was."""
    for keys in [{}, {"impersonate": "chrome"}, {"impersonate": "safari"}, {}] * 2:
        ask(h3_origin.url(), verify=False, **keys)
        h3_origin.go_away()
        time.sleep(0.05)
    assert len(h3_origin.connections) == 8
    assert not any(c.hello.offers_ticket or c.resumed for c in h3_origin.connections)


# -- the egress rules ----------------------------------------------------------------------


def test_a_blocked_address_gets_no_packet(curlewd, certs):
    daemon = curlewd({"egress": {"allow": [], "deny": []}}, env=impersonating_env())
    with silent_port() as sock:
        sock.setblocking(False)
        for version in ("3", "3-only"):
            url = f"https://localhost:{sock.getsockname()[1]}/"
            daemon.client.refused({"url": url, "http_version": version}, 403, "blocked")
        with pytest.raises(BlockingIOError):
            sock.recv(1)


def test_a_port_outside_the_rules_is_blocked(curlewd, certs, h3_origin):
    daemon = curlewd({"egress": {"ports": [443]}}, env=impersonating_env())
    daemon.client.refused({"url": h3_origin.url(), "http_version": "3-only"}, 403, "blocked")
    assert not h3_origin.connections


def test_a_reload_that_tightens_the_rules_refuses_a_warm_connection(curlewd, certs, h3_origin):
    session = {"sessions": {"default": {"ca_file": str(certs / "ca.pem")}}}
    daemon = curlewd(session, env=impersonating_env())
    keys = {"url": h3_origin.url(), "http_version": "3-only"}
    daemon.client.fetch(**keys)
    daemon.reload({**daemon.config, "egress": {"allow": []}})
    wait_until("the new rules", lambda: daemon.client.post(keys).status == 403)
    assert len(h3_origin.requests) == 1 or len(h3_origin.connections) == 1
