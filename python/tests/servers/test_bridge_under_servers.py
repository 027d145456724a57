"""The ASGI bridge under real servers: handoffs as behind nginx."""

import json
import socket
import sys
import time
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))
from servers import ASGI, BROKEN, REFUSED, Server, handoff_path  # noqa: E402

from tests.support.procs import wait_until  # noqa: E402


@pytest.fixture(scope="module", params=ASGI)
def server(request, one_daemon, one_origin, module_spawn):
    url = f"fcgi+unix:{one_daemon.socket}"
    return Server(request.param, module_spawn, url, warm=one_origin.url("/hello"))


@pytest.fixture(autouse=True)
def no_unexpected_errors(server):
    """Errors that a test expects were taken away by expect_error()."""
    yield
    # The last is asyncio's, of a server that writes on until it notices that a browser has left.
    usual = ("lifespan.startup", "Executing <Task", "socket.send() raised exception.")
    lines = [line for line in unseen_errors(server).splitlines() if not line.startswith(usual)]
    assert not lines, "\n".join(lines)


def unseen_errors(server):
    return server.process.err[server.seen_errors:]


def expect_error(server, words):
    """Wait for this text on the server's standard error, and take the errors away."""
    wait_until(words, lambda: words in unseen_errors(server), 15)
    while server.seen_errors != len(server.process.err):  # a traceback may follow a little later
        server.seen_errors = len(server.process.err)
        time.sleep(0.5)


def forget_errors(server):
    """What it has said until now was expected, if it has said anything."""
    server.seen_errors = len(server.process.err)


def test_lifespan_events_reach_the_application(server):
    asked = server.process.err.startswith("lifespan.startup")
    assert asked == (server.name != "daphne")  # which knows none


def test_the_applications_own(server):
    assert server.body("/") == (0, b"from Django\n")


@pytest.mark.parametrize("view", ["handoff", "handoff-async"])
def test_a_file_is_delivered_whole(server, origin, view):
    code, body = server.body(handoff_path({"url": origin.url("/bytes/3000000")}, view))
    assert (code, len(body)) == (0, 3000000)
    assert body[:1000] == (bytes(range(256)) * 4)[:1000]


def test_the_head(server, origin):
    page = origin.url("/say?h=Set-Cookie:spy%3D1&h=ETag:%22o%22&h=Date:never&h=Server:o")
    code, body = server.body(handoff_path({"url": page}), "-i")
    head = body.decode().lower()
    assert code == 0 and "set-cookie: view=1" in head and "spy" not in head
    assert "cache-control: private" in head and 'etag: "o"' in head
    assert "curlew" not in head and "accel" not in head and "date: never" not in head
    assert head.count("\ndate:") <= 1 and head.count("\nserver:") <= 1


def test_a_head_request(server, origin):
    code, body = server.body(handoff_path({"url": origin.url("/bytes/5000000")}), "--head")
    assert code == 0 and b"content-length: 5000000" in body.lower()


def test_ranges(server, origin):
    link = handoff_path({"url": origin.url("/ranges")})
    assert server.body(link, "-r", "990-") == (0, b"0123456789")
    code, body = server.body(link, "-i", "-H", 'If-None-Match: "v1"')
    assert code == 0 and body.split(None, 2)[1] == b"304"


@pytest.mark.parametrize("status", [299, 599, 600, 999])
def test_a_status_that_no_rfc_knows(server, origin, status):
    link = handoff_path({"url": origin.url(f"/status/{status}")})
    code, body = server.body(link, "-o", "-", "-w", "%{http_code}")
    assert code == 0
    if server.name.startswith("uvicorn") and status > 599:  # which would send nothing
        assert body.endswith(b"502") and b"protocol_error" in body
        expect_error(server, f"can't send the origin's status, {status}")
    else:
        assert body.endswith(str(status).encode())


def test_a_body_of_unknown_length_ends_well(server, origin):
    assert server.body(handoff_path({"url": origin.url("/bytes/100000?chunked")}))[0] == 0


@pytest.mark.parametrize("page", ["/cut?n=10", "/cut?n=100000&framing=chunked",
                                  "/cut?n=10&how=reset&framing=chunked"])
def test_a_fetch_that_fails_after_its_head_is_incomplete_for_curl(server, origin, page):
    start = time.monotonic()
    code, _ = server.body(handoff_path({"url": origin.url(page)}), "--fail")
    assert code in (*BROKEN, REFUSED)  # a break may be known before the head is passed on
    assert time.monotonic() - start < 5
    expect_error(server, "aborted a response" if code in BROKEN else "without a response")
    assert server.body("/") == (0, b"from Django\n")


def test_a_browser_that_disconnects_cancels_the_fetch(server, origin):
    target = f"/pour?{server.name}"
    with server.get(handoff_path({"url": origin.url(target)})) as browser:
        assert len(browser.read(100000)) == 100000
        left = browser.leave()
    assert origin.wait_for("left", target) - left < 0.5


def test_a_browser_that_disconnects_before_the_head_does_too(server, origin):
    target = f"/delay/29?{server.name}"
    with server.get(handoff_path({"url": origin.url(target)})) as browser:
        origin.wait_for("arrived", target)
        left = browser.leave()
    assert origin.wait_for("left", target) - left < 0.5


def test_a_browser_that_reads_slowly_slows_the_origin_down(server, origin):
    target = f"/pour?slow-{server.name}"
    with server.get(handoff_path({"url": origin.url(target)})) as browser:
        first = browser.read(1000)
        last = -1

        def stands_still():
            nonlocal last
            before, last = last, origin.sent(target)
            return before == last > 0

        wait_until("the origin to stop", stands_still, 20, every=0.5)
        assert last < 64 << 20  # what the kernel holds in all the sockets on the way
        more = browser.read(last + (4 << 20))
        assert origin.sent(target) > last
        assert (first + more)[:512] == bytes(range(256)) * 2
    origin.wait_for("left", target)  # before another test has it forget what it counts


def test_events_come_one_by_one(server, origin):
    with server.get(handoff_path({"url": origin.url("/ticks?n=4&every=0.2")})) as browser:
        late = []
        for _ in range(4):
            event = browser.read1()
            late.append(time.monotonic() - float(event.split(b": ")[1]))
        assert max(late) < 0.15, late
        assert browser.whole() == (0, b"")


SECRET = ["-H", "Authorization: Bearer a-secret-of-the-tests"]  # project.py's


def test_the_mount(server, origin):
    request = json.dumps({"url": origin.url("/hello")})
    code, body = server.body("/_fetch/v1/fetch", "-d", request, *SECRET)
    assert code == 0 and json.loads(body)["body"] == "hello\n"
    code, body = server.body("/_fetch/v1/fetch", "-d", request)
    assert code == 0 and json.loads(body)["code"] == "unauthorized"
    expect_error(server, "rejected a client of")


@pytest.mark.parametrize("path", [
    "/_fetch/healthz", "/%5ffetch/healthz", "/_fetch%2fhealthz", "//_fetch/healthz",
    "/./_fetch/healthz", "/x/../_fetch/healthz", "/x/%2e%2e/%5Ffetch%2Fhealthz"])
def test_no_spelling_of_the_path_leads_past_the_secret(server, path):
    stranger = ["--path-as-is", "-H", "Host: localhost"]
    assert json.loads(server.body(path, *stranger)[1])["code"] == "unauthorized"
    assert json.loads(server.body(path, *stranger, *SECRET)[1]) == {"status": "ok"}
    expect_error(server, "rejected a client of")


@pytest.mark.parametrize("path", ["/_FETCH/healthz", "/%255ffetch/healthz", "/x/_fetch/healthz"])
def test_other_paths_are_the_applications(server, path):
    code, body = server.body(path, "--path-as-is", *SECRET)
    assert code == 0 and b"Not Found" in body and b"status" not in body
    forget_errors(server)  # with daphne Django logs the path


@pytest.mark.parametrize("host", ["[::1]evil", "localhost:x@evil"])
def test_a_host_that_is_none_reaches_no_daemon(server, host):
    code, body = server.body("/_fetch/healthz", *SECRET, "-H", f"Host: {host}", "-w",
                             "%{http_code}")
    assert b"ok" not in body and (body.endswith(b"400") or code != 0), (code, body)
    forget_errors(server)


def test_no_header_of_a_client_starts_a_handoff(server, origin):
    request = json.dumps({"url": origin.url("/stolen")})
    for name in ("CURLEW_REQUEST", "Curlew-Request", "X-Curlew-Request", "X_Curlew_Request"):
        assert server.body("/", "-H", f"{name}: {request}") == (0, b"from Django\n")
    assert not origin.events("/stolen")


def test_fifty_at_once(server, origin):
    browsers = [server.get(handoff_path({"url": origin.url("/delay/1")})) for _ in range(50)]
    assert [b.whole() for b in browsers] == [(0, b"late\n")] * 50
    for browser in browsers:
        browser.leave()


def test_a_websocket_passes_through(server):
    with socket.create_connection(("127.0.0.1", server.port), 10) as s:
        s.sendall(b"GET /_fetch/chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                  b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                  b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        file = s.makefile("rb")
        assert b" 101 " in file.readline()
        while file.readline() != b"\r\n":
            pass
        s.sendall(b"\x81\x82\0\0\0\0hi")  # a text of two bytes, masked with zeroes
        assert file.read(4) == b"\x81\x02hi"
        file.close()
