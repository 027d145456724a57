"""Each failure comes through every web server as a problem document."""

import pytest

from tests.support import clients


@pytest.fixture
def client(conformance_client):
    return conformance_client


@pytest.fixture
def url(origin):
    return origin.url


FAILURES = [
    ({"url": "http://nothing.invalid/"}, 502, "dns_failed"),
    ({"url": "{refused}"}, 502, "connect_failed"),
    ({"url": "http://10.1.2.3/"}, 403, "blocked"),
    ({"url": "no-scheme.example/x"}, 400, "bad_url"),
    ({"url": "ftp://127.0.0.1/"}, 400, "bad_url"),
    ({}, 400, "bad_request"),
    ({"url": "{http}/hello", "surprise": 1}, 400, "bad_request"),
    ({"url": "{http}/hello", "timeout": "soon"}, 400, "bad_request"),
    ({"url": "{http}/hello", "headers": {"X": "a\r\nB: c"}}, 400, "bad_request"),
    ({"url": "{http}/garbage"}, 502, "protocol_error"),
    ({"url": "{http}/chunked-broken"}, 502, None),
    ({"url": "{http}/bad-gzip"}, 502, "protocol_error"),
    ({"url": "{http}/close-early"}, 502, "incomplete_body"),
    ({"url": "{http}/chunked-short"}, 502, "incomplete_body"),
    ({"url": "{http}/hang-up"}, 502, None),
    ({"url": "{http}/reset?after=5"}, 502, None),
    ({"url": "{http}/endless", "max_body_bytes": 100000}, 502, "response_too_large"),
]


@pytest.mark.parametrize("request_object, status, code", FAILURES,
                         ids=[str(next(iter(r.values()), "nothing")) + str(i)
                              for i, (r, _, _) in enumerate(FAILURES)])
def test_every_failure_is_a_problem_document(client, url, request_object, status, code):
    facts = {"{http}": url(""), "{refused}": url(port="closed")}
    for name, value in facts.items():
        request_object = {k: v.replace(name, value) if isinstance(v, str) else v
                          for k, v in request_object.items()}
    response = client.post(request_object)
    clients.problem(response, status, code or response.json()["code"])
    if status == 502 and code not in ("response_too_large",):
        assert response.json()["curl_code"] > 0, response


def test_malformed_json_is_refused_with_line_and_column(client):
    p = clients.problem(client.post(b'{"url": "http://x.example/",\n  "tag" 1}'), 400,
                        "bad_request")
    assert "line 2" in p["detail"] and "column" in p["detail"]


def test_request_bytes_is_exact_and_holds_far_over_it(client, url):
    head = b'{"url": "%b", "response_body": "none", "body": "' % url("/echo").encode()
    fill = (1 << 20) - len(head) - 2
    assert client.post(head + b"x" * fill + b'"}').status == 200
    for size in (fill + 1, fill + (4 << 20)):
        clients.problem(client.post(head + b"x" * size + b'"}'), 413, "request_too_large")
    assert client.fetch(url("/hello"))["body"] == "hello\n"
