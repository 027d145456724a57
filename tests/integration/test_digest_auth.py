"""Digest authentication: a response that libcurl answers by itself is not the caller's.

A stale nonce (RFC 7616 section 3.3), and an origin that asks for no authentication: libcurl sends a
body in its second request only.
"""

import json

import pytest

from tests.support.scripted_origin import ScriptedOrigin, answer
from tests.support.streams import open_stream

pytestmark = pytest.mark.libcurl

CHALLENGE = 'WWW-Authenticate: Digest realm="r", nonce="n{}", qop="auth"{}'


def origin_with(rounds, stale="stale=true"):
    """Answers so many requests with credentials by a 401 with `stale`, and the next with 200."""
    def script(request, connection):
        answered = sum(r.header("authorization") is not None for r in origin.requests)
        if answered > rounds:
            connection.send(answer(b"in " + request.body))
        else:
            field = CHALLENGE.format(len(origin.requests), f", {stale}" if answered else "")
            connection.send(answer("no", "401 Unauthorized", [field]))

    origin = ScriptedOrigin(script)
    return origin


def fetched(client, origin, **keys):
    response = client.post({"url": origin.url("/"), "auth": {"digest": ["u", "p"]}, **keys})
    got = response.json()
    return (got["status"], got["body"]) if response.status == 200 else got["code"]


def streamed(client, origin, **keys):
    with open_stream(client, url=origin.url("/"), auth={"digest": ["u", "p"]}, **keys) as s:
        body = s.read_all().decode()
        return json.loads(body)["code"] if s.status == 502 else (s.status, body)


ROUTES = pytest.mark.parametrize("ask", [fetched, streamed])


@ROUTES
@pytest.mark.parametrize("rounds", [1, 3])
@pytest.mark.parametrize("stale", ["stale=true", 'STALE="TRUE"', "stale=True, algorithm=MD5"])
def test_a_stale_nonce_is_no_answer(client, ask, rounds, stale):
    with origin_with(rounds, stale) as origin:
        assert ask(client, origin, body="data") == (200, "in data")
        assert len(origin.requests) == rounds + 2


@ROUTES
@pytest.mark.parametrize("stale", ["stale=false", 'stale="FALSE"', "algorithm=MD5"])
def test_a_wrong_password_is_the_answer(client, ask, stale):
    with origin_with(9, stale) as origin:
        assert ask(client, origin) == (401, "no")
        assert len(origin.requests) == 2


@ROUTES
def test_an_origin_to_which_each_nonce_is_stale_is_given_up(client, ask):
    with origin_with(99) as origin:
        assert ask(client, origin, body="data") == "protocol_error"
        assert len(origin.requests) == 6


@ROUTES
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize("first", ["200 OK", "204 No Content"])
def test_the_answer_to_a_request_without_its_body_is_none(client, ask, method, first):
    def script(request, connection):
        if request.body:
            connection.send(answer(b"in " + request.body, "201 Created"))
        elif first.startswith("204"):
            connection.send(b"HTTP/1.1 204 No Content\r\n\r\n")
        else:
            connection.send(answer("empty", first))

    with ScriptedOrigin(script) as origin:
        assert ask(client, origin, method=method, body="data") == (201, "in data")
        assert len(origin.requests) == 2


@ROUTES
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_without_a_body_the_first_answer_counts(client, ask, method):
    with ScriptedOrigin(lambda r, c: c.send(answer("in"))) as origin:
        assert ask(client, origin, method=method) == (200, "in")
        assert len(origin.requests) == 1
