"""A stream that ends before its time: to who sends CURLEW_CLIENT, STDERR says why."""

import json
import signal

import pytest

from tests.support import fcgi

BATCH = "/_fetch/v1/batch"
STREAM = "/_fetch/v1/stream"
CLIENT = {"CURLEW_CLIENT": "a test"}


def records_until_break(daemon, params, body=b""):
    """(STDOUT, contents of the STDERR records, the kinds of all records) before the break."""
    streams, kinds = {fcgi.STDOUT: b"", fcgi.STDERR: []}, []
    with fcgi.Connection(daemon.socket) as c:
        c.send(fcgi.request(params, body))
        with pytest.raises(fcgi.IncompleteResponse, match="version 0"):
            while True:
                kind, _, content = c.read_record()
                kinds.append(kind)
                if kind == fcgi.STDERR:
                    streams[kind].append(content)
                else:
                    streams[kind] += content
        assert c.closes_within(5)
    return streams[fcgi.STDOUT], streams[fcgi.STDERR], kinds


def stream(daemon, request, more):
    body = json.dumps(request).encode()
    params = fcgi.cgi_params("POST", STREAM, body=body)
    return records_until_break(daemon, {**params, **more}, body)


@pytest.mark.parametrize("page, keys, code", [
    ("/stall?n=10", {"timeout": {"idle": 0.3}}, b"idle_timeout"),
    ("/stall?n=10", {"timeout": 0.3}, b"timeout"),
    ("/cut?n=10", {}, b"incomplete_body"),
    ("/endless", {"max_body_bytes": 5_000_000}, b"response_too_large"),
])
def test_the_code_goes_before_the_break(daemon, origin, page, keys, code):
    out, err, kinds = stream(daemon, {"url": origin.url(page), **keys}, CLIENT)
    assert b"Status: 200 OK" in out
    assert len(err) == 1 and kinds[-1] == fcgi.STDERR
    assert err[0].startswith(b"curlew: %b " % code) and len(err[0]) > len(code) + 12


@pytest.mark.parametrize("more", [{}, {"HTTP_CURLEW_CLIENT": "a browser"}])
def test_others_get_the_break_alone(daemon, origin, more):
    request = {"url": origin.url("/stall?n=10"), "timeout": {"idle": 0.3}}
    out, err, _ = stream(daemon, request, more)
    assert b"Status: 200 OK" in out and err == []


def test_a_handoff_reports_as_well(daemon, origin):
    handoff = json.dumps({"url": origin.url("/stall?n=10"), "timeout": {"idle": 0.3}})
    params = fcgi.cgi_params("GET", "/view") | CLIENT | {"CURLEW_REQUEST": handoff}
    _, err, _ = records_until_break(daemon, params)
    assert [line.split()[1] for line in err] == [b"idle_timeout"]


def test_a_whole_stream_reports_nothing(daemon, origin):
    body = json.dumps({"url": origin.url("/hello")}).encode()
    params = fcgi.cgi_params("POST", STREAM, body=body) | CLIENT
    with fcgi.Connection(daemon.socket) as c:
        for _ in range(2):
            c.send(fcgi.request(params, body, keep=True))
            out, err, _, _ = c.read_request_records()
            assert out.endswith(b"hello\n") and err == b""


@pytest.mark.parametrize("route", [STREAM, BATCH])
def test_what_the_end_of_a_drain_cuts_off_says_so(curlewd, origin, route):
    daemon = curlewd({"drain_seconds": 1})
    request = {"url": origin.url("/stall?n=10")}
    body = json.dumps({"requests": [{"url": origin.url("/hello")}, request]}
                      if route == BATCH else request).encode()
    params = fcgi.cgi_params("POST", route, body=body) | CLIENT
    with fcgi.Connection(daemon.socket) as c:
        c.send(fcgi.request(params, body))
        assert c.read_record()[0] == fcgi.STDOUT
        daemon.process.send(signal.SIGTERM)
        err = b""
        with pytest.raises(fcgi.IncompleteResponse):
            while True:
                kind, _, content = c.read_record()
                err += content if kind == fcgi.STDERR else b""
    assert err.startswith(b"curlew: draining ")
    assert daemon.process.wait() == 0
