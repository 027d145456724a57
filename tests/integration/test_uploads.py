"""Uploads: the body of a request follows its request object, and streams to the origin."""

import hashlib
import json
import time

import pytest

from tests.support import fcgi
from tests.support.clients import FRAMES, problem
from tests.support.curlewd import SANITIZED
from tests.support.metrics import read_metric
from tests.support.procs import wait_until
from tests.support.scripted_origin import Ended
from tests.support.upload_origin import Http2UploadOrigin, UploadOrigin
from tests.support.uploads import UploadCall, pieces, sha256, upload

KIB, MIB = 1 << 10, 1 << 20
REPLAY = 256 * KIB
SIZES = [0, 1, REPLAY - 1, REPLAY, REPLAY + 1, 70 * MIB]


@pytest.fixture(params=["http1", "http1-tls", "http2", "http2-tls"])
def place(request, certs):
    """place(script) → (origin, request keys)"""
    started = []

    def start(*script):
        version = request.param.split("-")[0]
        tls = certs if request.param.endswith("tls") else None
        kind = UploadOrigin if version == "http1" else Http2UploadOrigin
        started.append(kind(*script, certs=tls))
        keys = {"http_version": "1.1" if version == "http1" else
                "2" if tls else "2-prior-knowledge"}
        return started[-1], {"url": started[-1].url("/"), **keys}

    yield start
    for origin in started:
        origin.stop()


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.libcurl
def test_every_byte_arrives_and_is_counted(daemon, place, size, known):
    origin, keys = place()
    request = {**keys, "body_follows": size if known else True}
    response = upload(daemon.socket, request, pieces(size))
    assert response.status == 200, response
    envelope = response.json()
    assert json.loads(envelope["body"]) == {"size": size, "sha256": sha256(size)}
    assert envelope["request"] == {"method": "POST", "bytes_sent": size}
    seen, = origin.uploads
    assert seen.is_whole
    assert seen.header("content-length") == (str(size) if known else None)
    if keys["http_version"] == "1.1":
        assert seen.header("transfer-encoding") == (None if known else "chunked")
    assert seen.header("content-type") == "application/octet-stream"
    assert seen.header("expect") is None


def test_a_stream_begins_while_the_upload_goes_on(daemon):
    def script(seen, answer):
        answer(200, b"early")
        seen.read()

    with UploadOrigin(script) as origin:
        request = {"url": origin.url("/"), "body_follows": True}
        with UploadCall(daemon.socket, request, "/v1/stream") as call:
            call.write(b"one")
            seen = b""
            while not seen.endswith(b"\r\n\r\nearly"):
                kind, _, content = call.connection.read_record()
                assert kind == fcgi.STDOUT
                seen += content
            call.write(b"two")
            call.end()
            assert call.connection.read_request_records()[0] == b""
        wait_until("the upload to be whole", lambda: origin.uploads[0].is_whole)
        assert origin.uploads[0].size == 6


@pytest.mark.parametrize("given,detail", [(0, "3 bytes were announced, and 0 were given"),
                                          (2, "3 bytes were announced, and 2 were given"),
                                          (4, "3 bytes were announced, and 4 or more were given")])
def test_another_length_than_announced_is_no_request(daemon, place, given, detail):
    origin, keys = place()
    response = upload(daemon.socket, {**keys, "body_follows": 3}, b"x" * given)
    assert detail in problem(response, 400, "bad_request")["detail"]
    wait_until("the origin to see the end", lambda: all(u.is_over for u in origin.uploads))
    assert not any(u.is_whole for u in origin.uploads)


def test_a_body_of_no_byte_is_not_sent_before_its_end(daemon):
    with UploadOrigin() as origin:
        request = {"url": origin.url("/"), "body_follows": 0}
        with UploadCall(daemon.socket, request) as call:
            time.sleep(0.1)
            assert origin.uploads == []
            call.end()
            assert call.response().json()["request"]["bytes_sent"] == 0
        response = upload(daemon.socket, request, b"x")
        problem(response, 400, "bad_request")
        assert len(origin.uploads) == 1


@pytest.mark.parametrize("how", ["leaves", "aborts"])
@pytest.mark.parametrize("size", [1, 70_000, 3 * MIB])
@pytest.mark.libcurl
def test_a_caller_that_leaves_leaves_no_request_that_looks_whole(daemon, place, how, size):
    def script(seen, answer):
        seen.read()
        answer(200)

    origin, keys = place(script)
    with UploadCall(daemon.socket, {**keys, "body_follows": True}) as call:
        call.write_later(pieces(size), end=False)
        wait_until("the bytes to arrive", lambda: origin.uploads and origin.uploads[0].size == size)
        if how == "aborts":
            call.abort()
            problem(call.response(), 499, "cancelled")
    wait_until("the origin to see it", lambda: origin.uploads[0].is_over)
    assert not origin.uploads[0].is_whole
    wait_until("the slot to be free", lambda: read_metric(daemon, "curlew_in_flight") == 0)


@pytest.mark.parametrize("keys,code,status", [
    ({"timeout": {"idle": 0.3, "total": 10}}, "idle_timeout", 504),
    ({"timeout": {"total": 0.3}}, "timeout", 504),
])
def test_a_caller_that_stalls_ends_with_an_error(daemon, place, keys, code, status):
    origin, base = place()
    with UploadCall(daemon.socket, {**base, **keys, "body_follows": True}) as call:
        call.write(b"something")
        p = problem(call.response(), status, code)
    if code == "idle_timeout":
        assert "from the caller" in p["detail"]
    wait_until("the origin to see it", lambda: all(u.is_over for u in origin.uploads))
    assert not any(u.is_whole for u in origin.uploads)


def test_a_caller_that_stalls_is_not_the_origins_failure(curlewd):
    """It neither opens the circuit breaker nor is the request sent again."""
    breaker = {"failures": 1, "open_seconds": 60}
    daemon = curlewd({"sessions": {"default": {"breaker": breaker}}})
    with UploadOrigin() as origin:
        request = {"url": origin.url("/"), "method": "PUT", "body_follows": True,
                   "timeout": {"idle": 0.3, "total": 10},
                   "retries": {"max": 2, "backoff": 0.01}}
        for _ in range(2):
            with UploadCall(daemon.socket, request) as call:
                call.write(b"something")
                p = problem(call.response(), 504, "idle_timeout")
                assert p["attempts"] == 1
        assert len(origin.uploads) == 2


def test_the_limit_is_allowed_and_one_byte_more_is_not(curlewd):
    daemon = curlewd({"limits": {"upload_bytes": 1000}})
    with UploadOrigin() as origin:
        for follows in (True, 1000):
            request = {"url": origin.url("/"), "body_follows": follows}
            assert upload(daemon.socket, request, b"x" * 1000).status == 200
        for follows in (True, 1001):
            request["body_follows"] = follows
            response = upload(daemon.socket, request, b"x" * 1001)
            assert "limits.upload_bytes" in problem(response, 413, "request_too_large")["detail"]
        assert sum(u.is_whole for u in origin.uploads) == 2


def test_the_request_object_has_a_limit_of_its_own(curlewd):
    daemon = curlewd({"limits": {"request_bytes": 16 * MIB}})
    with UploadOrigin() as origin:
        start = json.dumps({"url": origin.url("/"), "body_follows": True}).encode()[:-1]
        for more, status in ((0, 200), (1, 413)):
            line = start + b" " * (MIB - len(start) - 1 + more) + b"}\n"
            assert len(line) == MIB + 1 + more
            assert upload(daemon.socket, line, b"x" * 300_000).status == status


@pytest.mark.parametrize("size", [REPLAY, REPLAY + 1])
@pytest.mark.parametrize("status", [307, 308])
def test_a_redirect_has_the_body_again_while_all_of_it_is_there(daemon, place, size, status):
    def script(seen, answer):
        seen.read()
        if seen.target == "/":
            answer(status, b"moved", [("location", "/there")])
        else:
            answer(200, seen.facts())

    origin, keys = place(script)
    envelope = upload(daemon.socket, {**keys, "body_follows": True}, pieces(size)).json()
    if size == REPLAY:
        assert json.loads(envelope["body"]) == {"size": size, "sha256": sha256(size)}
        assert [h["status"] for h in envelope["history"]] == [status]
        assert envelope["request"]["bytes_sent"] == 2 * size
        assert "body_not_replayed" not in envelope
    else:
        assert (envelope["status"], envelope["body"]) == (status, "moved")
        assert envelope["body_not_replayed"] is True
        assert len(origin.uploads) == 1


def test_a_stream_says_that_its_body_was_not_sent_again(daemon):
    def script(seen, answer):
        seen.read()
        answer(307, b"moved", [("location", "/there")])

    with UploadOrigin(script) as origin:
        request = {"url": origin.url("/"), "body_follows": True}
        response = upload(daemon.socket, request, pieces(REPLAY + 1), path="/v1/stream")
        assert (response.status, response.body) == (307, b"moved")
        assert response.header("curlew-body-not-replayed") == "true"
        assert response.header("location") == "/there"


def test_an_early_redirect_of_a_large_upload_has_the_body_again(daemon, place):
    """What has come by then is little, and the rest follows to the other place."""
    size = 3 * MIB

    def script(seen, answer):
        if seen.target == "/":
            answer(307, b"moved", [("location", "/there")])
        else:
            seen.read()
            answer(200, seen.facts())

    origin, keys = place(script)
    with UploadCall(daemon.socket, {**keys, "body_follows": True}) as call:
        wait_until("the redirect", lambda: len(origin.uploads) == 2)
        call.write_later(pieces(size))
        envelope = call.response().json()
    assert json.loads(envelope["body"]) == {"size": size, "sha256": sha256(size)}
    assert not origin.uploads[0].is_whole


def test_a_redirect_to_a_get_drops_the_body(daemon):
    def script(seen, answer):
        if seen.target == "/":
            answer(303, b"", [("location", "/there"), ("connection", "close")])
            raise Ended
        answer(200, seen.method.encode())

    with UploadOrigin(script) as origin:
        response = upload(daemon.socket, {"url": origin.url("/"), "body_follows": 3 * MIB},
                          pieces(3 * MIB))
        assert response.json()["body"] == "GET"


@pytest.mark.parametrize("size,sends", [(REPLAY, 2), (REPLAY + 1, 1)])
def test_a_retry_has_the_body_again_while_all_of_it_is_there(daemon, place, size, sends):
    def script(seen, answer):
        seen.read()
        answer(503 if len(origin.uploads) == 1 else 200, seen.facts())

    origin, keys = place(script)
    retries = {"max": 2, "methods": ["POST"], "statuses": [503], "backoff": 0.01}
    request = {**keys, "body_follows": True, "retries": retries}
    envelope = upload(daemon.socket, request, pieces(size)).json()
    assert envelope["status"] == (200 if sends == 2 else 503)
    assert envelope["attempts"] == len(origin.uploads) == sends
    assert json.loads(envelope["body"]) == {"size": size, "sha256": sha256(size)}


@pytest.mark.parametrize("status", [401, 413])
@pytest.mark.libcurl
def test_an_early_answer_is_the_answer(daemon, place, status):
    def script(seen, answer):
        seen.read(1000)
        answer(status, b"enough")

    origin, keys = place(script)
    with UploadCall(daemon.socket, {**keys, "body_follows": True}, keep=True) as call:
        call.write(b"x" * 1000)
        response = call.response()
        assert (response.json()["status"], response.json()["body"]) == (status, "enough")
        call.write(b"x" * MIB)  # read and dropped
        call.end()
        request = {**keys, "body_follows": 1000}
        with UploadCall(None, request, connection=call.connection, keep=True) as again:
            again.write(b"y" * 1000)
            again.end()
            assert again.response().json()["status"] == status
    assert not origin.uploads[0].is_whole


@pytest.mark.libcurl
def test_an_early_answer_by_http2_ends_no_upload_properly(daemon):
    """The origin leaves the stream open for what may come."""
    with Http2UploadOrigin(lambda seen, answer: answer(413, b"enough", reset=False)) as origin:
        request = {"url": origin.url("/"), "http_version": "2-prior-knowledge",
                   "body_follows": True}
        with UploadCall(daemon.socket, request) as call:
            assert call.response().json()["status"] == 413
        wait_until("the origin to see the end", lambda: origin.uploads[0].is_over)
        assert not origin.uploads[0].is_whole


@pytest.mark.libcurl
def test_a_stream_that_was_refused_has_the_body_again(daemon):
    def script(seen, answer):
        seen.read(1000)
        if len(origin.uploads) == 1:
            seen.refuse()
        else:
            seen.read()
            answer(200, seen.facts())

    with Http2UploadOrigin(script) as origin:
        request = {"url": origin.url("/"), "http_version": "2-prior-knowledge",
                   "body_follows": True}
        with UploadCall(daemon.socket, request) as call:
            call.write(b"x" * 1000)
            wait_until("the second", lambda: len(origin.uploads) == 2)
            call.write(b"x" * 9000)
            call.end()
            envelope = call.response().json()
        assert json.loads(envelope["body"])["size"] == 10_000
        assert envelope["attempts"] == 2


def test_a_redirect_to_an_origin_on_another_thread_loses_no_byte(curlewd):
    daemon = curlewd({"threads": 4})
    with UploadOrigin() as target:
        def script(seen, answer):
            answer(307, b"", [("location", target.url("/there"))])

        for _ in range(8):
            with UploadOrigin(script) as origin:
                request = {"url": origin.url("/"), "body_follows": True}
                envelope = upload(daemon.socket, request, (b"x" * 1000 for _ in range(200))).json()
                assert "body" in envelope, envelope
                assert json.loads(envelope["body"])["size"] == 200_000


def test_a_stream_in_frames_has_the_envelope_first(daemon):
    with UploadOrigin() as origin:
        request = {"url": origin.url("/"), "body_follows": True}
        response = upload(daemon.socket, request, b"abc", path="/v1/stream",
                          headers=[("Accept", FRAMES)])
        line, body = response.body.split(b"\n", 1)
        assert json.loads(line)["request"]["method"] == "POST"
        assert json.loads(body)["size"] == 3


def test_an_origin_that_answers_and_closes_is_heard(daemon):
    def script(seen, answer):
        seen.read(1000)
        answer(413, b"enough", [("connection", "close")])
        seen.read()

    with UploadOrigin(script) as origin:
        response = upload(daemon.socket, {"url": origin.url("/"), "body_follows": True},
                          pieces(20 * MIB))
        assert (response.json()["status"], response.json()["body"]) == (413, "enough")


def test_digest_authentication_comes_before_the_body(daemon, place):
    def script(seen, answer):
        seen.read()
        if seen.header("authorization") is None:
            challenge = 'Digest realm="r", nonce="n", qop="auth", algorithm=MD5'
            answer(401, b"", [("www-authenticate", challenge)])
        else:
            answer(200, seen.facts())

    origin, keys = place(script)
    request = {**keys, "body_follows": True, "auth": {"digest": ["u", "p"]}}
    envelope = upload(daemon.socket, request, pieces(MIB)).json()
    assert json.loads(envelope["body"]) == {"size": MIB, "sha256": sha256(MIB)}
    assert [u.size for u in origin.uploads] == [0, MIB]


def test_a_challenge_after_the_body_is_the_answer_where_the_body_is_gone(daemon):
    """A stale nonce: libcurl would send the body once more."""
    def script(seen, answer):
        seen.read()
        stale = "" if seen.header("authorization") is None else ", stale=true"
        challenge = f'Digest realm="r", nonce="{len(origin.uploads)}", qop="auth"{stale}'
        answer(401, b"no", [("www-authenticate", challenge)])

    with UploadOrigin(script) as origin:
        request = {"url": origin.url("/"), "body_follows": True, "auth": {"digest": ["u", "p"]}}
        envelope = upload(daemon.socket, request, pieces(REPLAY + 1)).json()
        assert (envelope["status"], envelope["body_not_replayed"]) == (401, True)
        assert [u.size for u in origin.uploads] == [0, REPLAY + 1]


def test_a_challenge_is_no_answer_to_the_request_that_followed_it(daemon):
    """Its connection ends within the body, which libcurl cannot send again."""
    def script(seen, answer):
        if seen.header("authorization") is not None:
            seen.read(MIB)
            raise Ended
        seen.read()
        answer(401, b"", [("www-authenticate", 'Digest realm="r", nonce="n", qop="auth"')])

    with UploadOrigin(script) as origin:
        request = {"url": origin.url("/"), "body_follows": True, "auth": {"digest": ["u", "p"]}}
        response = upload(daemon.socket, request, pieces(3 * MIB))
        assert response.status == 502, response
        assert response.json()["code"] in ("send_failed", "recv_failed")
        assert len(origin.uploads) == 2


def test_two_uploads_at_once_do_not_mix(daemon, place):
    origin, keys = place()
    calls = [UploadCall(daemon.socket, {**keys, "body_follows": True}) for _ in range(2)]
    for _ in range(50):
        for letter, call in zip(b"ab", calls):
            call.write(bytes([letter]) * 10_000)
    for letter, call in zip(b"ab", calls):
        call.end()
        expected = hashlib.sha256(bytes([letter]) * 500_000).hexdigest()
        assert json.loads(call.response().json()["body"])["sha256"] == expected
        call.close()


def test_a_kept_connection_serves_after_uploads(daemon):
    with UploadOrigin() as origin, fcgi.Connection(daemon.socket) as connection:
        for request_id, size in enumerate([0, 10, REPLAY + 1, 0, 3], 1):
            request = {"url": origin.url("/"), "body_follows": True}
            call = UploadCall(None, request, connection=connection, keep=True,
                              request_id=request_id)
            call.write_later(pieces(size))
            assert call.response().json()["request"]["bytes_sent"] == size
        assert origin.connections == 1


@pytest.mark.parametrize("request_keys,detail", [
    ({}, "body_follows: required"),
    ({"body_follows": True, "body": "x"}, "a request has one body"),
    ({"json": 1, "body_follows": 1}, "a request has one body"),
    ({"body_follows": False}, "body_follows: expected true, or the number of bytes"),
    ({"body_follows": -1}, "body_follows: expected true, or the number of bytes"),
    ({"body_follows": "1"}, "body_follows: expected true, or the number of bytes"),
    ({"body_follows": 1.5}, "body_follows: expected true, or the number of bytes"),
    ({"body_follows": 1, "method": "HEAD"}, "HEAD takes no body"),
])
def test_a_malformed_upload_is_refused(daemon, request_keys, detail):
    response = upload(daemon.socket, {"url": "http://127.0.0.1/", **request_keys}, b"x")
    assert detail in problem(response, 400, "bad_request")["detail"]


def test_only_an_upload_has_a_body_that_follows(client):
    request = {"url": "http://127.0.0.1:9/", "body_follows": 1}
    name = "body_follows"
    assert name in client.refused(request, 400, "bad_request")["detail"]
    response = client.ask("POST", "/v1/handoffs", body=json.dumps(request).encode())
    assert name in problem(response, 400, "bad_request")["detail"]
    response = client.get(query=[("url", request["url"]), (name, "1")])
    assert name in problem(response, 400, "bad_request")["detail"]
    response = client.ask("POST", "/v1/batch", body=json.dumps({"requests": [request]}).encode())
    line, = response.body.splitlines()
    assert name in json.loads(line)["error"]["detail"]
    response = client.ask("PUT", "/v1/sessions/x", body=b'{"body_follows": true}')
    assert name in problem(response, 400, "bad_request")["detail"]
    response = client.ask("POST", "/v1/batch", body=b"{}\nxyz", headers=[("Content-Type", FRAMES)])
    problem(response, 400, "bad_request")


def test_a_page_of_another_site_is_refused(daemon):
    response = upload(daemon.socket, {"url": "http://127.0.0.1/", "body_follows": True}, b"x",
                      headers=[("Sec-Fetch-Site", "cross-site")])
    problem(response, 403, "forbidden")


def test_a_slow_origin_slows_its_caller_in_constant_memory(daemon):
    """Neither the pipe nor a socket takes more, until the origin reads on."""
    go_on = []

    def script(seen, answer):
        wait_until("the test to let it go on", lambda: go_on)
        seen.read()
        answer(200, seen.facts())

    with UploadOrigin(script) as origin:
        request = {"url": origin.url("/"), "body_follows": 64 * MIB}
        with UploadCall(daemon.socket, request) as call:
            before = daemon.rss_kib()
            thread = call.write_later(pieces(64 * MIB))
            thread.join(0.5)
            assert thread.is_alive()
            if not SANITIZED:
                assert daemon.rss_kib() < before + 4 * KIB
            go_on.append(True)
            envelope = call.response().json()
        assert json.loads(envelope["body"])["sha256"] == sha256(64 * MIB)


@pytest.mark.quiet
def test_a_large_upload_takes_constant_memory(curlewd):
    size = 200 * MIB
    daemon = curlewd()
    with UploadOrigin() as origin:
        request = {"url": origin.url("/"), "body_follows": True}
        assert upload(daemon.socket, request, pieces(MIB)).status == 200
        before = daemon.rss_kib()
        envelope = upload(daemon.socket, request, pieces(size)).json()
        assert envelope["request"]["bytes_sent"] == size
        if not SANITIZED:
            assert daemon.peak_kib() < before + 4 * KIB


def test_a_drain_waits_for_an_upload_in_flight(curlewd):
    daemon = curlewd()
    with UploadOrigin() as origin:
        request = {"url": origin.url("/"), "body_follows": True}
        with UploadCall(daemon.socket, request) as call:
            call.write(b"one")
            wait_until("the upload to begin", lambda: origin.uploads)
            daemon.process.send(15)
            time.sleep(0.3)
            call.write(b"two")
            call.end()
            assert call.response().json()["request"]["bytes_sent"] == 6
        daemon.wait_exit()
