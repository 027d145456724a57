"""Large and odd requests: none holds up the fetches of others, and no memory stays."""

import contextlib
import json
import signal
import socket
import threading

import pytest

from tests.support import fcgi
from tests.support.batch import parse_lines
from tests.support.clients import problem
from tests.support.concurrency import BackgroundCalls, FetchProbe, HealthProbe
from tests.support.curlewd import SANITIZED
from tests.support.metrics import read_metric, read_metrics
from tests.support.procs import wait_until
from tests.support.scripted_origin import ScriptedOrigin, answer

MIB = 1 << 20
LARGEST = 16 * MIB
QUICK = 2.0  # seconds, of a fetch beside; on an idle machine the slowest takes 50 milliseconds

SLOW_TURNS = ['curlew_slow_loop_turns_total{thread="fcgi-worker"}',
              'curlew_slow_loop_turns_total{thread="engine"}']


@contextlib.contextmanager
def nobody_waits(daemon, origin, probe=None, kept_mib=16):
    """The block's requests hold up no fetch (or other call), and leave no memory behind."""
    daemon.client.fetch(origin.url("/"))
    with probe or FetchProbe(daemon.socket, origin.url("/")) as other:
        before = daemon.rss_kib()
        yield
    wait_until("the large ones to be over",
               lambda: read_metric(daemon, "curlew_large_messages") == 0)
    if SANITIZED:
        return
    assert other.slowest() < QUICK
    metrics = read_metrics(daemon)
    assert [metrics[name] for name in SLOW_TURNS] == [0, 0]
    wait_until("its memory to be given back", lambda: daemon.rss_kib() < before + kept_mib * 1024)


def post(daemon, body, path="/v1/fetch"):
    return daemon.client.ask("POST", path, body=body, timeout=60)


def many(start, item, count, end):
    return (start + ",".join([item] * count) + end).encode()


def filling(start, item, end):
    """As many items as a request may have bytes."""
    count = (LARGEST - len(start) - len(end)) // (len(item) + 1)
    return many(start, item, count, end)


REFUSED = {
    "150,000 headers": (lambda u: many(u + '"headers":[', '["a","b"]', 150_000, "]}"),
                        400, "headers: over 1000 (limits.headers)"),
    "500,000 null headers": (lambda u: many(u + '"headers":[', '["a",null]', 500_000, "]}"),
                             413, '"body"'),
    "20,000 params": (lambda u: many(u + '"params":[', '["a","b"]', 20_000, "]}"),
                      400, "params: over 1000 (limits.params)"),
    "20,000 cookies": (lambda u: many(u + '"cookies":[', '{"name":"a","value":"b"}', 20_000, "]}"),
                       400, "cookies: over 1000 (limits.cookies)"),
    "20,000 parts": (lambda u: many(u + '"multipart":[', '{"name":"a","value":"b"}', 20_000, "]}"),
                     400, "multipart: over 1000 (limits.parts)"),
    "20,000 forwarded": (lambda u: many(u + '"forward_headers":[', '"a"', 20_000, "]}"),
                         400, "forward_headers: over 1000 (limits.headers)"),
    "20,000 methods": (lambda u: many(u + '"retries":{"max":1,"methods":[', '"A"', 20_000, "]}}"),
                       400, "retries.methods: over 100"),
    "200,000 statuses": (lambda u: many(u + '"retries":{"max":1,"statuses":[', "500", 200_000,
                                        "]}}"),
                         400, "retries.statuses: over"),
    "objects": (lambda u: filling(u + '"json":[', "{}", "]}"), 413, '"body"'),
    "lists": (lambda u: filling(u + '"json":[', "[]", "]}"), 413, '"body"'),
    "integers": (lambda u: filling(u + '"json":[', "1", "]}"), 413, '"body"'),
    "deep lists": (lambda u: (u + '"json":' + "[" * 8_000_000 + "]" * 8_000_000 + "}").encode(),
                   400, "nested deeper than 64 levels"),
    "a huge integer": (lambda u: (u + '"json":' + "1" * 8_000_000 + "}").encode(),
                       400, "too big integer"),
    "parts of nothing": (lambda u: filling(u + '"multipart":[', "{}", "]}"), 413, '"body"'),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_request_that_is_refused_holds_up_nobody(name, curlewd, origin):
    make, status, detail = REFUSED[name]
    daemon = curlewd()
    body = make('{"url":"%s",' % origin.url("/"))
    code = "request_too_large" if status == 413 else "bad_request"
    with nobody_waits(daemon, origin):
        for _ in range(2):
            assert detail in problem(post(daemon, body), status, code)["detail"]


TAKEN = {
    "reals": lambda u: filling(u + '"json":[', "0.12345678901234567", "]}"),
    "odd reals": lambda u: many(u + '"json":[', "1e-300", 300_000, "]}"),
    "a long body": lambda u: (u + '"body":"' + "x" * (LARGEST - 200) + '"}').encode(),
    "escapes": lambda u: (u + '"body":"' + "\\u0001" * ((LARGEST - 200) // 6) + '"}').encode(),
    "base64": lambda u: (u + '"body_base64":"' + "abcd" * ((LARGEST - 200) // 4) + '"}').encode(),
    "fields of a form": lambda u: many(u + '"form":[', '["a","b c"]', 100_000, "]}"),
}


@pytest.mark.parametrize("name", TAKEN)
def test_a_request_that_is_sent_holds_up_nobody(name, curlewd, origin):
    daemon = curlewd()
    body = TAKEN[name]('{"url":"%s",' % origin.url("/"))
    with nobody_waits(daemon, origin):
        response = post(daemon, body)
        assert response.status == 200, response.body[:500]


# -- batches -----------------------------------------------------------------


def test_a_batch_of_a_hundred_thousand_empty_objects(curlewd, origin):
    daemon = curlewd({"log": {"access": False}})
    with nobody_waits(daemon, origin):
        lines = parse_lines(post(daemon, many('{"requests":[', "{}", 100_000, "]}"),
                                 "/v1/batch").body)
    assert len(lines) == 100_000
    assert {line["error"]["detail"] for line in lines} == {"url: required"}


def test_a_batch_of_too_many_is_counted_and_not_read(curlewd, origin):
    daemon = curlewd()
    with nobody_waits(daemon, origin):
        p = problem(post(daemon, many('{"requests":[', "{}", 5_000_000, "]}"), "/v1/batch"),
                    400, "bad_request")
    assert p["detail"] == "requests: 5000000 requests, at most 100000 are allowed"


def test_many_defaults_are_not_copied_for_all_requests_at_once(curlewd, origin):
    """1,000 headers and cookies in each of 1,000 in flight would be half a gigabyte."""
    daemon = curlewd({"log": {"access": False}})
    batch = {"max_parallel": 1000, "requests": [{"url": origin.url("/")}] * 400,
             "defaults": {"headers": {f"X-{i}": "v" for i in range(900)},
                          "cookies": {f"c{i}": "v" for i in range(1000)}}}
    # Not a fetch: the origin needs its time for all these headers.  Small blocks of memory stay.
    with nobody_waits(daemon, origin, HealthProbe(daemon.socket), kept_mib=80):
        lines = parse_lines(post(daemon, json.dumps(batch).encode(), "/v1/batch").body)
    assert len(lines) == 400 and all(line["ok"] for line in lines), lines[0]
    assert SANITIZED or daemon.peak_kib() < 150 * 1024


def test_a_batch_with_large_requests(curlewd, origin):
    """They are read with the batch, and the last one's mistake is its own."""
    daemon = curlewd()
    large = "[" + ",".join(["0.12345678901234567"] * 100_000) + "]"
    requests = ['{"url":"%s","json":%s}' % (origin.url("/"), large)] * 3
    requests.append('{"url":7,"tag":"odd","json":%s}' % large)
    with nobody_waits(daemon, origin):
        body = '{"order":"input","requests":[%s]}' % ",".join(requests)
        lines = parse_lines(post(daemon, body.encode(), "/v1/batch").body)
    assert [line["ok"] for line in lines] == [True] * 3 + [False]
    assert lines[3]["tag"] == "odd" and "url: " in lines[3]["error"]["detail"]


@pytest.mark.parametrize("element, detail", [
    ("[%s]", "requests[1]: a request is a JSON object"),
    ('{"json":[%s]', "line 1, column"),
])
def test_a_batch_with_a_large_element_that_is_no_request(client, element, detail):
    """It is parsed once, when it is read; the batch is refused as a whole, before any fetch."""
    with ScriptedOrigin(lambda _, connection: connection.send(answer())) as origin:
        large = element % ('"%s"' % ("x" * 300_000))
        body = '{"requests":[{"url":"%s"},%s]}' % (origin.url("/"), large)
        response = client.ask("POST", "/v1/batch", body=body.encode())
        assert detail in problem(response, 400, "bad_request")["detail"]
        assert origin.requests == []


# -- all routes ----------------------------------------------------------------


def test_every_route_takes_a_large_object(curlewd, origin):
    daemon = curlewd({"limits": {"session_bytes": MIB}})
    request = {"url": origin.url("/echo"), "method": "PUT", "body": "y" * MIB}
    body = json.dumps(request).encode()
    assert post(daemon, body).json()["status"] == 200
    assert post(daemon, body, "/v1/stream").status == 200
    assert parse_lines(post(daemon, b'{"requests":[%s]}' % body, "/v1/batch").body)[0]["ok"]
    reference = post(daemon, body, "/v1/handoffs").json()["reference"]
    params = {**fcgi.cgi_params("GET", "/page"), "CURLEW_REQUEST": reference}
    with fcgi.Connection(daemon.socket) as c:
        c.send(fcgi.request(params))
        assert c.read_response().status == 200
    session = json.dumps({"headers": {"X": "z" * 300_000}}).encode()
    assert daemon.client.ask("PUT", "/v1/sessions/big", body=session).status == 201
    assert daemon.client.ask("PUT", "/v1/sessions/big", body=session).status == 200
    assert daemon.client.ask("GET", "/v1/sessions/big").status == 200


@contextlib.contextmanager
def origin_of_control_characters(size):
    """The URL of a page of \\x01, six bytes of JSON each."""
    def serve():
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                               b"Content-Length: %d\r\n\r\n" % size)
            connection.sendall(b"\x01" * size)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield "http://127.0.0.1:%d/" % listener.getsockname()[1]
        thread.join()


def test_an_envelope_of_control_characters_holds_up_nobody(curlewd, origin):
    """64 MB that are six times as long in JSON."""
    daemon = curlewd()
    size = (8 if SANITIZED else 64) * MIB
    with nobody_waits(daemon, origin), origin_of_control_characters(size) as url:
        response = daemon.client.post({"url": url}, timeout=60)
        assert response.status == 200
        assert response.body.count(b"\\u0001") == size


# -- callers that leave, and the end --------------------------------------------


def slow_to_read(origin):
    """A second of work, or half of it."""
    return many('{"url":"%s","json":[' % origin.url("/"), "1e-300", 400_000, "]}")


def send(daemon, body, keep=False):
    connection = fcgi.Connection(daemon.socket)
    connection.send(fcgi.request(fcgi.cgi_params("POST", "/_fetch/v1/fetch", body=body), body,
                                 keep=keep))
    return connection


def test_callers_that_leave_while_their_request_is_read(curlewd, origin):
    daemon = curlewd()
    body = slow_to_read(origin)
    connections = [send(daemon, body) for _ in range(4)]
    wait_until("all to be read", lambda: read_metric(daemon, "curlew_large_messages") == 4)
    for c in connections:
        c.close()
    wait_until("none to be read", lambda: read_metric(daemon, "curlew_large_messages") == 0)
    wait_until("them to be counted", lambda: read_metric(daemon, "curlew_cancelled_total") == 4)
    assert read_metric(daemon, "curlew_request_body_bytes") == 0
    assert daemon.client.fetch(origin.url("/"))["status"] == 200


def test_a_request_that_is_aborted_while_it_is_read(curlewd, origin):
    daemon = curlewd()
    with send(daemon, slow_to_read(origin), keep=True) as c:
        wait_until("it to be read", lambda: read_metric(daemon, "curlew_large_messages") == 1)
        c.send(fcgi.record(fcgi.ABORT))
        problem(c.read_response(), 499, "cancelled")
        c.send(fcgi.request(fcgi.cgi_params("GET", "/healthz"), keep=True))
        assert c.read_response().status == 200


def test_a_reload_and_a_drain_while_requests_are_read(curlewd, origin):
    daemon = curlewd()
    body = slow_to_read(origin)
    with BackgroundCalls() as b:
        for _ in range(4):
            b.start(post, daemon, body)
        wait_until("all to be read", lambda: read_metric(daemon, "curlew_large_messages") == 4)
        daemon.reload(daemon.config)
        daemon.process.send(signal.SIGTERM)
        # A request was accepted once its body was there; its fetch begins in the drain.
        assert {r.status for r in b.results(60)} <= {200, 503}
    assert daemon.process.wait(30) == 0


def test_the_end_of_a_drain_does_not_wait_for_the_answer_of_a_large_one(curlewd, origin):
    daemon = curlewd({"drain_seconds": 0})
    connections = [send(daemon, slow_to_read(origin)) for _ in range(3)]
    wait_until("all to be read", lambda: read_metric(daemon, "curlew_large_messages") == 3)
    daemon.process.send(signal.SIGTERM)
    assert daemon.process.wait(30) == 0
    for c in connections:
        c.close()


# -- sessions --------------------------------------------------------------------


def put(daemon, name, size):
    body = json.dumps({"headers": {"X": "x" * size}}).encode()
    return daemon.client.ask("PUT", f"/v1/sessions/{name}", body=body, timeout=60)


def test_fat_sessions_are_refused_and_leave_no_memory(curlewd, origin):
    daemon = curlewd()
    held = read_metric(daemon, "curlew_sessions_bytes")
    with nobody_waits(daemon, origin):
        for i in range(20):
            p = problem(put(daemon, f"s{i}", 15_000_000), 413, "request_too_large")
            assert "limits.session_bytes" in p["detail"]
    assert read_metric(daemon, "curlew_sessions_bytes") == held


def test_all_sessions_together_have_a_limit(curlewd):
    daemon = curlewd({"limits": {"sessions_bytes": 1_000_000}})
    held = read_metric(daemon, "curlew_sessions_bytes")
    for name in ("a", "b", "c"):
        assert put(daemon, name, 300_000).status == 201
    assert 900_000 < read_metric(daemon, "curlew_sessions_bytes") - held < 910_000
    p = problem(put(daemon, "d", 300_000), 413, "request_too_large")
    assert "limits.sessions_bytes" in p["detail"]
    assert put(daemon, "c", 300_001).status == 200, "it takes the place of another"
    assert daemon.client.ask("DELETE", "/v1/sessions/a").status == 204
    assert put(daemon, "d", 300_000).status == 201
    for name in "bcd":
        daemon.client.ask("DELETE", f"/v1/sessions/{name}")
    assert read_metric(daemon, "curlew_sessions_bytes") == held


def test_a_replaced_session_counts_while_a_fetch_holds_it(curlewd, origin):
    daemon = curlewd({"limits": {"sessions_bytes": 1_000_000}})
    put(daemon, "a", 300_000)
    one = read_metric(daemon, "curlew_sessions_bytes")
    with BackgroundCalls() as b:
        b.start(daemon.client.fetch, origin.url("/delay/1"))
        wait_until("it to be in flight", lambda: read_metric(daemon, "curlew_in_flight") == 1)
        assert daemon.client.ask("DELETE", "/v1/sessions/a").status == 204
        assert read_metric(daemon, "curlew_sessions_bytes") == one
        b.results()
    wait_until("it to be freed", lambda: read_metric(daemon, "curlew_sessions_bytes") < 10_000)


# -- settings ----------------------------------------------------------------------


@pytest.mark.parametrize("key, value, setting", [
    ("headers", [["a", "b"]] * 3, "headers"),
    ("headers", [["a", None]] * 3, "headers"),
    ("params", [["a", "b"]] * 3, "params"),
    ("params", {"a": [1, 2, 3]}, "params"),
    ("cookies", {"a": "1", "b": "2", "c": "3"}, "cookies"),
    ("multipart", [{"name": "a", "value": "b"}] * 3, "parts"),
])
def test_counts_are_settings(curlewd, origin, key, value, setting):
    daemon = curlewd({"limits": {setting: 3}})
    request = {"url": origin.url("/"), key: value}
    assert daemon.client.post(request).status == 200
    daemon.reload({**daemon.config, "limits": {setting: 2}})
    wait_until("the reload", lambda: daemon.client.ask("GET", "/v1/status").json()
               ["limits"][setting] == 2)
    p = problem(daemon.client.post(request), 400, "bad_request")
    assert p["detail"].startswith(f"{key}: over 2 (limits.{setting})")
