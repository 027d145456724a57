"""The caller's trace context and request id are sent to the origin and logged."""

import json

import pytest

from tests.support.procs import wait_until

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
FIELDS = {"traceparent": PARENT, "tracestate": "congo=t61rcWkgMzE", "x-request-id": "r-1"}


def fetched(daemon, origin, sent, **keys):
    response = daemon.client.post({"url": origin.url("/echo"), **keys}, list(sent.items()))
    assert response.status == 200, response
    return {k.lower(): v for k, v in json.loads(response.json()["body"])["headers"]}


def test_trace_headers_are_passed_on_and_logged(curlewd, origin):
    daemon = curlewd()
    got = fetched(daemon, origin, FIELDS)
    assert {name: got.get(name) for name in FIELDS} == FIELDS
    line = wait_until("the line", lambda: daemon.log_entries("fetch"))[0]
    assert (line["traceparent"], line["request_id"]) == (PARENT, "r-1")


def test_the_request_objects_headers_win(daemon, origin):
    got = fetched(daemon, origin, FIELDS, headers={"X-Request-ID": "own", "traceparent": None})
    assert got["x-request-id"] == "own" and "traceparent" not in got


def test_a_session_may_turn_it_off(curlewd, origin):
    daemon = curlewd({"sessions": {"quiet": {"trace_context": False}}})
    got = fetched(daemon, origin, FIELDS, session="quiet")
    assert not set(FIELDS) & set(got)


@pytest.mark.parametrize("value", ["x" * 513, "caf\u00e9", "a\tb"])
def test_malformed_trace_headers_are_not_passed_on(daemon, origin, value):
    assert "x-request-id" not in fetched(daemon, origin, {"X-Request-ID": value})


def test_no_other_header_of_the_caller_is_passed_on(daemon, origin):
    got = fetched(daemon, origin, {"X-Secret": "1", "Cookie": "a=1", "Authorization": "Bearer t"})
    assert not {"x-secret", "cookie", "authorization"} & set(got)
