"""The scripted origins say what the test says, and see what the daemon sends."""

import pytest

from tests.support.scripted_origin import Http2Origin, ScriptedOrigin, answer

pytestmark = pytest.mark.libcurl


def test_an_http1_answer_byte_for_byte(client):
    with ScriptedOrigin(lambda request, c: c.send(answer(request.target))) as origin:
        envelope = client.fetch(origin.url("/hello"), headers={"X-Mark": "caf\xe9"})
        assert envelope["body"] == "/hello"
        (seen,) = origin.requests
        assert (seen.method, seen.target) == ("GET", "/hello")
        assert origin.connections == 1


def test_tls_with_the_tests_certificate(client, certs):
    with ScriptedOrigin(lambda _, c: c.send(answer("private")), certs) as origin:
        assert client.fetch(origin.url("/"))["body"] == "private"


def test_an_http2_answer_with_a_body_of_the_request(client, certs):
    def script(request, connection, stream):
        connection.respond(stream, 201, [("x-body", request.body.decode())], b"made")

    with Http2Origin(script, certs) as origin:
        envelope = client.fetch(origin.url("/"), body="hello")
        assert (envelope["status"], envelope["http_version"]) == (201, "2")
        assert ["x-body", "hello"] in envelope["headers"]


def test_http2_without_tls(client):
    with Http2Origin(lambda _, c, stream: c.respond(stream)) as origin:
        envelope = client.fetch(origin.url("/"), http_version="2-prior-knowledge")
        assert envelope["body"] == "ok"
