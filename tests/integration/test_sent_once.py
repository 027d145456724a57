"""A request is written once, unless it was certainly not processed or its method is safe.

libcurl sends again by itself what it wrote on a kept connection that then ended without a byte.
`attempts` counts every send, and curlew_resends_total{reason} every one beyond the first that was
not asked for by `retries`.
"""

import json
import re
import socket
import threading
import time

import pytest
from hyperframe.frame import GoAwayFrame

from tests.support.clients import problem
from tests.support.scripted_origin import Http2Origin, ScriptedConnection, ScriptedOrigin, answer
from tests.support.streams import open_stream
from tests.support.uploads import upload

pytestmark = [pytest.mark.libcurl, pytest.mark.tls]

HTTP_1_1_REQUIRED = 13
REFUSED_STREAM = 7
SAFE = ["GET", "HEAD", "OPTIONS", "TRACE"]
UNCERTAIN = ["recv_failed", "send_failed", "protocol_error"]  # it may have been processed
UNSAFE = ["POST", "PATCH", "PUT", "DELETE"]


def resends(client):
    """curlew_resends_total by reason."""
    text = client.ask("GET", "/metrics").body.decode()
    return {reason: float(n) for reason, n in
            re.findall(r'^curlew_resends_total\{reason="([^"]+)"\} (\S+)$', text, re.M)}


def added(before, after):
    return {r: n - before.get(r, 0) for r, n in after.items() if n != before.get(r, 0)}


def warm_then(end):
    """The first request works and its connection is kept; the next one there ends so."""
    first = set()

    def script(request, connection):
        if request.target == "/warm" or connection.number not in first and len(first) > 0:
            first.add(connection.number)
            connection.send(answer("warm" if request.target == "/warm" else "again"))
        else:
            end(connection)

    return ScriptedOrigin(script)


@pytest.mark.parametrize("end", ["close", "reset"])
@pytest.mark.parametrize("method", UNSAFE)
def test_what_may_change_something_is_sent_once(client, method, end):
    before = resends(client)
    with warm_then(lambda c: getattr(c, end)()) as origin:
        client.fetch(origin.url("/warm"))
        p = problem(client.post({"method": method, "url": origin.url("/pay"),
                                 "body": "amount=100"}), 502, "recv_failed")
        assert p["attempts"] == 1
        time.sleep(0.3)
        assert [r.target for r in origin.requests].count("/pay") == 1
    assert added(before, resends(client)) == {}


class HastyOrigin(ScriptedOrigin):
    """Ends the connection of a POST when its head has come.  Its small windows and segments let the
    peer's socket take no more than a few of the TLS records at once."""

    def __init__(self, end, **kwargs):
        self.end = end
        self.heads = []
        super().__init__(None, **kwargs)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        self.listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 100)

    def _talk(self, sock, number):
        connection = ScriptedConnection(sock, number)
        while True:
            self.heads.append(connection._until(b"\r\n\r\n").split(b" ")[0])
            if self.heads[-1] == b"POST":
                getattr(connection, self.end)()
            connection.send(answer())


@pytest.mark.parametrize("end", ["close", "reset", "close_tls"])
def test_what_is_written_in_part_is_sent_once(client, certs, end):
    """A TLS library says "nothing written" until the last of the records has gone out."""
    for _ in range(4):  # how much the socket takes varies
        with HastyOrigin(end, certs=certs) as origin:
            client.fetch(origin.url())
            p = client.post({"method": "POST", "url": origin.url(), "body": "x" * 200000}).json()
            assert p.get("code") in UNCERTAIN and p["attempts"] == 1, p
            assert origin.heads == [b"GET", b"POST"]


@pytest.mark.parametrize("end", ["close", "reset", "close_tls"])
def test_an_upload_that_is_written_in_part_is_sent_once(daemon, certs, end):
    for _ in range(4):
        with HastyOrigin(end, certs=certs) as origin:
            daemon.client.fetch(origin.url())
            request = {"method": "POST", "url": origin.url(), "body_follows": True}
            p = upload(daemon.socket, request, b"x" * 200000).json()
            assert p.get("code") in UNCERTAIN and p["attempts"] == 1, p
            assert origin.heads == [b"GET", b"POST"]


@pytest.mark.parametrize("end", ["close", "reset"])
@pytest.mark.parametrize("method", SAFE)
def test_a_safe_method_goes_again_once_on_a_new_connection(client, method, end):
    before = resends(client)
    with warm_then(lambda c: getattr(c, end)()) as origin:
        client.fetch(origin.url("/warm"))
        e = client.fetch(origin.url("/read"), method=method)
        assert (e["status"], e["attempts"], e["connection"]["reused"]) == (200, 2, False)
        seen = [(r.target, r.connection) for r in origin.requests]
        assert seen == [("/warm", 1), ("/read", 1), ("/read", 2)]
    assert sum(added(before, resends(client)).values()) == 1


def test_a_safe_method_goes_again_once_and_no_more(client):
    def script(request, connection):
        if request.target == "/warm":
            connection.send(answer())
        else:
            connection.close()

    with ScriptedOrigin(script) as origin:
        for _ in range(3):  # several warm connections to try
            threads = [threading.Thread(target=client.fetch, args=(origin.url("/warm"),))
                       for _ in range(4)]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
        problem(client.post({"url": origin.url("/read")}), 502, "recv_failed")
        assert [r.target for r in origin.requests].count("/read") == 2


def test_the_second_connection_is_no_kept_one(client, certs):
    """An origin that closes after each response, without a word: those that wait for a connection
    write on one that has ended, and the next that another fetch has opened has ended, too."""
    def script(_, connection):
        connection.send(answer(b"x" * 500))
        connection.close()

    request = {"verify": False}
    for _ in range(15):
        with ScriptedOrigin(script, certs=certs) as origin:
            batch = {"requests": [{**request, "url": origin.url()}] * 4}
            body = client.ask("POST", "/v1/batch", body=json.dumps(batch).encode()).body
            assert all(json.loads(line)["ok"] for line in body.splitlines()), body


def test_retries_count_every_send(client):
    def script(request, connection):
        if request.target == "/warm":
            connection.send(answer())
        elif len([r for r in origin.requests if r.target == "/pay"]) < 3:
            connection.close()
        else:
            connection.send(answer("paid"))

    with ScriptedOrigin(script) as origin:
        client.fetch(origin.url("/warm"))
        e = client.fetch(origin.url("/pay"), method="POST", body="b",
                         retries={"max": 3, "backoff": 0.01, "methods": ["POST"]})
        assert e["body"] == "paid"
        assert e["attempts"] == [r.target for r in origin.requests].count("/pay") == 3


def test_a_first_connection_that_ends_is_no_reason_to_send_again(client):
    with ScriptedOrigin(lambda _, c: c.close()) as origin:
        problem(client.post({"url": origin.url("/")}), 502, "recv_failed")
        assert len(origin.requests) == 1


def test_digest_authentication_may_ask_twice(client):
    def script(request, connection):
        if request.header("authorization") is None:
            connection.send(answer(status="401 Unauthorized", fields=[
                'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"']))
        else:
            connection.send(answer("in"))

    with ScriptedOrigin(script) as origin:
        for _ in range(2):
            e = client.fetch(origin.url("/"), method="POST", body="b", auth={"digest": ["u", "p"]})
            assert (e["body"], e["attempts"]) == ("in", 1)


class RefusingOrigin(ScriptedOrigin):
    """Refuses each Expect field with 417, before the body comes, and takes any other request."""

    def __init__(self, then):
        super().__init__(None)
        self.then = then
        self.seen = []  # (has it an Expect field?, bytes of the body)
        self.refused = set()  # connections: what comes there next may be the body

    def _talk(self, sock, number):
        connection = ScriptedConnection(sock, number)
        while True:
            head = connection._until(b"\r\n\r\n").lower()
            if b"\r\nexpect:" in head:
                self.seen.append((True, 0))
                self.refused.add(number)
                connection.send(answer("no", "417 Expectation Failed"))
            else:
                length = int(re.search(rb"\ncontent-length: (\d+)", head)[1])
                assert number not in self.refused
                self.seen.append((False, len(connection.read(length))))
                connection.send(answer("end", self.then))


@pytest.mark.parametrize("size", [1, 100_000])
@pytest.mark.parametrize("then", ["200 OK", "417 Expectation Failed"])
def test_a_refused_expectation_is_given_up_once(client, then, size):
    request = {"method": "PUT", "body": "x" * size, "headers": {"Expect": "100-continue"}}
    with RefusingOrigin(then) as origin:
        e = client.fetch(origin.url("/"), **request)
        assert (e["status"], e["body"], e["attempts"]) == (int(then[:3]), "end", 1)
        with open_stream(client, url=origin.url("/"), **request) as s:
            assert (s.status, s.read_all()) == (int(then[:3]), b"end")
        assert origin.seen == [(True, 0), (False, size)] * 2


@pytest.mark.parametrize("status", ["200 OK", "413 Content Too Large"])
def test_nothing_is_sent_where_the_origin_waits_for_a_body(client, status):
    """It may read on for the body after its final answer (RFC 9110 section 10.1.1)."""
    class EarlyOrigin(ScriptedOrigin):
        def _talk(self, sock, number):
            connection = ScriptedConnection(sock, number)
            while True:
                head = connection._until(b"\r\n\r\n").lower()
                connection.send(answer(head.split()[1], status if b"expect:" in head else "200 OK"))
                if length := re.search(rb"\ncontent-length: (\d+)", head):
                    connection.read(int(length[1]))

    with EarlyOrigin(None) as origin:
        for i in range(8):  # whether libcurl sends the body varies
            e = client.fetch(origin.url("/put"), method="PUT", body="x" * 50_000,
                             headers={"Expect": "100-continue"})
            assert (e["status"], e["body"]) == (int(status[:3]), "/put")
            assert client.fetch(origin.url(f"/{i}"), timeout=5)["body"] == f"/{i}"


def test_what_failed_after_it_was_written_never_says_that_nothing_was_sent(client):
    """Once written, a failure is not connect_failed: SDKs repeat on that."""
    def script(request, connection):
        if request.target == "/warm":
            connection.send(answer())
        else:
            origin.refuse()  # a new connection is refused from now on
            connection.close()

    origin = ScriptedOrigin(script)
    client.fetch(origin.url("/warm"))
    problem(client.post({"url": origin.url("/read")}), 502, "recv_failed")
    origin.stop()


# -- what a failure says -----------------------------------------------------------


def test_a_failed_retry_does_not_say_that_nothing_was_sent(client):
    def script(request, connection):
        origin.refuse()
        connection.close()

    origin = ScriptedOrigin(script)
    p = problem(client.post({"url": origin.url("/pay"), "method": "POST", "body": "b",
                             "retries": {"max": 2, "backoff": 0.01, "methods": ["POST"]}}),
                502, "recv_failed")
    assert p["attempts"] == 3 and "curl_code" not in p
    origin.stop()


def test_a_retry_that_is_not_answered_does_not_hide_a_first_answer(client):
    def script(request, connection):
        origin.refuse()
        connection.send(answer("busy", status="503 Service Unavailable",
                               fields=["Connection: close"]))
        connection.close()

    origin = ScriptedOrigin(script)
    problem(client.post({"url": origin.url("/"), "retries": {"max": 1, "backoff": 0.01}}),
            502, "recv_failed")
    origin.stop()


def test_a_fetch_that_was_never_sent_has_no_attempts(client):
    origin = ScriptedOrigin(lambda r, c: None)
    origin.stop()
    p = problem(client.post({"url": origin.url("/"), "retries": {"max": 1, "backoff": 0.01}}),
                502, "connect_failed")
    assert "attempts" not in p


def test_a_batch_line_tells_the_attempts_of_a_failure(client):
    with ScriptedOrigin(lambda _, c: c.close()) as origin:
        body = json.dumps({"requests": [{"url": origin.url("/")}]}).encode()
        line = client.ask("POST", "/v1/batch", body=body).json()
        assert (line["error"]["code"], line["error"]["attempts"]) == ("recv_failed", 1)


# -- HTTP/2 ----------------------------------------------------------------------


def body_of(method):
    return {"body": "b"} if method == "POST" else {}


def refusing(times):
    """An HTTP/2 origin that refuses so many streams with REFUSED_STREAM."""
    seen = []

    def script(request, connection, stream):
        if request.target == "/warm":
            connection.respond(stream)
            return
        seen.append(request)
        if len(seen) <= times:
            connection.reset_stream(stream, REFUSED_STREAM)
        else:
            connection.respond(stream, body=b"done")

    return script


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
def test_a_refused_stream_goes_again_whatever_its_method(client, certs, method, warm):
    with Http2Origin(refusing(1), certs) as origin:
        if warm:
            client.fetch(origin.url("/warm"))
        e = client.fetch(origin.url("/"), method=method, **body_of(method))
        assert (e["body"], e["attempts"]) == ("done", 2)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_streams_refused_without_end_are_sent_twice(client, certs, method):
    with Http2Origin(refusing(5), certs) as origin:
        response = client.post({"url": origin.url("/"), "method": method, **body_of(method)})
        assert response.status == 502, response
        assert response.json()["code"] in ("protocol_error", "recv_failed", "send_failed")
        assert len(origin.requests) == 2


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
def test_goaway_below_the_stream_goes_again_on_a_new_connection(client, certs, method, warm):
    seen = []

    def script(request, connection, stream):
        if request.target == "/warm":
            connection.respond(stream)
            return
        seen.append(request)
        if len(seen) == 1:
            connection.goaway(stream - 2 if stream > 1 else 0)
            connection.close()
        else:
            connection.respond(stream, body=b"done")

    with Http2Origin(script, certs) as origin:
        if warm:
            client.fetch(origin.url("/warm"))
        e = client.fetch(origin.url("/"), method=method, **body_of(method))
        assert (e["body"], e["attempts"]) == ("done", 2)
        assert seen[0].connection != seen[1].connection


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_an_http2_connection_that_ends_sends_nothing_unsafe_again(client, certs, method):
    def script(request, connection, stream):
        if request.target == "/warm":
            connection.respond(stream)
        else:
            connection.close()

    with Http2Origin(script, certs) as origin:
        client.fetch(origin.url("/warm"))
        response = client.post({"url": origin.url("/pay"), "method": method, "body": "b"})
        assert response.status == 502, response
        assert response.json()["code"] in UNCERTAIN, response
        assert [r.target for r in origin.requests].count("/pay") == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
def test_the_metric_says_why_a_request_went_again(client, certs, method, warm):
    before = resends(client)
    with Http2Origin(refusing(1), certs) as origin:
        if warm:
            client.fetch(origin.url("/warm"))
        client.fetch(origin.url("/"), method=method, **body_of(method))
    reason = "not_processed" if method == "POST" else "safe_method"
    assert added(before, resends(client)) == {reason: 1}


@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
def test_http_1_1_required_sends_no_post_again(client, certs, warm):
    """RFC 9113 section 8.7 doesn't count it among what was not processed."""
    def script(request, connection, stream):
        if request.target == "/warm":
            connection.respond(stream)
        else:
            connection.reset_stream(stream, HTTP_1_1_REQUIRED)

    with Http2Origin(script, certs) as origin:
        if warm:
            client.fetch(origin.url("/warm"))
        response = client.post({"url": origin.url("/pay"), "method": "POST", "body": "b"})
        assert response.status == 502, response
        assert response.json()["code"] in UNCERTAIN, response
        assert [r.target for r in origin.requests].count("/pay") == 1


@pytest.mark.parametrize("words", ["GOAWAY", "header", "path"])
def test_an_origin_cannot_speak_for_libcurl(client, certs, words):
    """Words that libcurl's informational text quotes are not libcurl's own."""
    lie = "try again on a new connection"

    def script(request, connection, stream):
        if request.target == "/warm":
            connection.respond(stream)
            return
        if words == "GOAWAY":
            connection.h2.close_connection(0, lie.encode(), last_stream_id=stream)
            connection.flush()
        connection.close()

    with Http2Origin(script, certs) as origin:
        client.fetch(origin.url("/warm"))
        keys = {"headers": {"x": lie}} if words == "header" else {}
        path = "/pay?" + (lie.replace(" ", "%20") if words == "path" else "")
        response = client.post({"url": origin.url(path), "method": "POST", "body": "b", **keys})
        assert response.status == 502, response
        assert [r.method for r in origin.requests].count("POST") == 1


def test_streams_refused_at_once_share_a_new_connection(client, certs):
    """A GOAWAY in the middle of a burst does not cost a connection for each stream."""
    def script(request, connection, stream):
        if request.target != "/warm" and connection.number == 1:
            if len(origin.requests) == 2:
                connection.write(GoAwayFrame(0, last_stream_id=1).serialize())
            return
        connection.respond(stream)

    with Http2Origin(script, certs) as origin:
        client.fetch(origin.url("/warm"))
        requests = [{"url": origin.url(f"/{i}"), "method": m} for i in range(10)
                    for m in ("GET", "POST")]
        body = json.dumps({"requests": requests}).encode()
        response = client.ask("POST", "/v1/batch", body=body)
        lines = [json.loads(line) for line in response.body.splitlines()]
        assert [line for line in lines if not line["ok"]] == []
        assert origin.connections <= 3
