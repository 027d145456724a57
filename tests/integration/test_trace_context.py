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


OWN = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01"


def test_a_request_object_has_a_trace_context_of_its_own(curlewd, origin):
    daemon = curlewd()
    got = fetched(daemon, origin, FIELDS, traceparent=OWN)
    assert (got["traceparent"], got["x-request-id"]) == (OWN, "r-1")
    assert "tracestate" not in got  # the caller's belongs to its own parent
    line = wait_until("the line", lambda: daemon.log_entries("fetch"))[0]
    assert (line["traceparent"], line["request_id"]) == (OWN, "r-1")


def test_so_has_each_request_of_a_batch(daemon, origin):
    requests = [{"url": origin.url("/echo"), "traceparent": OWN, "tracestate": "a=1"},
                {"url": origin.url("/echo")}]
    body = json.dumps({"requests": requests}).encode()
    response = daemon.client.ask("POST", "/v1/batch", body=body, headers=list(FIELDS.items()))
    seen = {}
    for line in response.body.decode().splitlines():
        envelope = json.loads(line)
        headers = json.loads(envelope["body"])["headers"]
        seen[envelope["index"]] = {k.lower(): v for k, v in headers}
    assert (seen[0]["traceparent"], seen[0]["tracestate"]) == (OWN, "a=1")
    assert {name: seen[1].get(name) for name in FIELDS} == FIELDS


def test_a_session_may_turn_that_off_too(curlewd, origin):
    daemon = curlewd({"sessions": {"quiet": {"trace_context": False}}})
    assert "traceparent" not in fetched(daemon, origin, {}, session="quiet", traceparent=OWN)


@pytest.mark.parametrize("value", ["caf\u00e9", "a\tb", "a\r\nX: y", "", "x" * 513])
def test_a_malformed_one_of_a_request_object_is_refused(client, origin, value):
    detail = client.refused({"url": origin.url("/echo"), "tracestate": value}, 400,
                            "bad_request")["detail"]
    assert "tracestate" in detail
