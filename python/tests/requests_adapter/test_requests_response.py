"""Responses: reason, version, header fields as sent, pieces of a body, and raw."""

import gzip
import io
import json
import time
import zlib

import pytest
import requests

from tests.support.procs import wait_until
from tests.support.scripted_origin import ScriptedOrigin, answer

MIB = 1 << 20


def scripted(data):
    return ScriptedOrigin(lambda _, connection: connection.send(data))


@pytest.mark.parametrize("stream", [False, True])
def test_the_reason_phrase(session, stream):
    with scripted(answer(b"", "404 Nothing Here")) as origin:
        response = session().get(origin.url(), stream=stream)
    assert response.reason == "Nothing Here"
    with pytest.raises(requests.HTTPError, match="^404 Client Error: Nothing Here for url: http"):
        response.raise_for_status()


@pytest.mark.parametrize("version, number", [("1.1", 11), ("1.0", 10)])
def test_the_version(session, version, number):
    data = f"HTTP/{version} 200 OK\r\nContent-Length: 0\r\n\r\n".encode()
    with scripted(data) as origin:
        raw = session().get(origin.url()).raw
    assert (raw.version, raw.version_string) == (number, f"HTTP/{version}")


def test_the_version_over_tls(session, origin, certs):
    for version, number in (("2", 20), (None, 11)):  # streams are HTTP/1.1 unless asked
        url = origin.url("/hello", port="h2")
        raw = session(http_version=version).get(url, verify=str(certs / "ca.pem")).raw
        assert (raw.version, raw.reason) == (number, "" if version else "OK")


FIELDS = [
    "X-MiXed-CaSe: 1",
    "x-Twice: a",
    "X-TWICE: b",
    "X-Latin: caf\xe9",
    "X-Utf8: caf\xc3\xa9",
    "Set-Cookie: a=1; Path=/",
    "Set-Cookie: b=2; Path=/",
]


@pytest.mark.parametrize("stream", [False, True])
def test_header_fields_are_as_the_origin_sent_them(session, stream):
    with scripted(answer(b"x", fields=FIELDS)) as origin:
        ours, alone = (
            each.get(origin.url(), stream=stream) for each in (session(), requests.Session())
        )
        assert list(ours.raw.headers.items()) == list(alone.raw.headers.items())
        assert list(ours.headers.items()) == list(alone.headers.items())
        assert ours.raw.headers.getlist("x-twice") == ["a", "b"]
        assert ours.cookies.items() == alone.cookies.items() == [("a", "1"), ("b", "2")]
        ours.close(), alone.close()


def test_values_of_the_requests_header_fields(session, origin):
    fields = {"X-Bytes": b"\xd6\xd0", "X-Text": "caf\xe9", b"X-Name": "1", "X-Blank": ""}
    with ScriptedOrigin(lambda _, connection: connection.send(answer(b""))) as origin:
        for each in (session(), requests.Session()):
            each.post(origin.url(), headers=fields)
        ours, alone = origin.requests
    for name in ("x-bytes", "x-text", "x-name", "x-blank"):
        assert ours.headers(name) == alone.headers(name)
    with pytest.raises(UnicodeEncodeError):
        session().get(origin.url(), headers={"X-Text": "中"})


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS", "HEAD", "PUT"])
def test_a_request_without_a_body_has_the_length_that_requests_gives_it(session, method):
    with ScriptedOrigin(lambda _, connection: connection.send(answer(b""))) as origin:
        for each in (session(), requests.Session()):
            each.request(method, origin.url())
        ours, alone = origin.requests
    for name in ("content-length", "transfer-encoding", "content-type", "accept-encoding"):
        assert ours.headers(name) == alone.headers(name), name


@pytest.mark.parametrize("method, status", [("HEAD", "200 OK"), ("GET", "304 Not Modified")])
@pytest.mark.parametrize("stream", [False, True])
def test_the_length_of_what_is_not_sent(session, method, status, stream):
    data = f"HTTP/1.1 {status}\r\nContent-Length: 1000\r\n\r\n".encode()
    with scripted(data) as origin:
        response = session().request(method, origin.url(), stream=stream)
    assert response.headers["Content-Length"] == "1000" and response.content == b""


def test_pieces_have_the_size_that_was_asked_for(session, origin):
    size = 7 * MIB + 5
    with session().get(origin.url(f"/bytes/{size}"), stream=True) as response:
        sizes = [len(piece) for piece in response.iter_content(MIB)]
    assert sizes == [MIB] * 7 + [5]


@pytest.mark.parametrize("amount", [1, 10, 1000, 70000, None])
@pytest.mark.parametrize("path", ["/bytes/1234", "/bytes/1234?chunked", "/gzip", "/until-close"])
def test_pieces_of_every_size(session, origin, path, amount):
    ours, alone = (
        each.get(origin.url(path), stream=True) for each in (session(), requests.Session())
    )
    pieces = list(ours.iter_content(amount))
    assert b"".join(pieces) == b"".join(alone.iter_content(amount))
    assert amount is None or max(map(len, pieces)) <= amount


@pytest.mark.parametrize("amount", [1, 100, 1 << 20, None])
@pytest.mark.parametrize("coding", ["gzip", "deflate", "br, gzip", "none"])
def test_coded_chunks(session, coding, amount):
    text = b"".join(b"line %d\n" % n for n in range(20000))
    body = zlib.compress(text) if coding == "deflate" else gzip.compress(text)
    sizes = [1, 9, 2000, len(body)]
    pieces = [body[a:b] for a, b in zip([0, *sizes], sizes)]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nTransfer-Encoding: chunked\r\n\r\n"
    with scripted(head.encode() + chunks + b"0\r\n\r\n") as origin:
        results = []
        for each in (session(), requests.Session()):
            try:
                response = each.get(origin.url(), stream=True)
                results.append(b"".join(response.iter_content(amount)))
            except requests.RequestException as err:
                results.append(type(err))
    assert results[0] == results[1]
    assert "," in coding or results[0] == (body if coding == "none" else text)


def test_raw_is_a_file(session, origin):
    def open_raw(path="/bytes/1000"):
        return session().get(origin.url(path), stream=True).raw

    raw = open_raw()
    assert len(raw.read(300)) == 300 and raw.tell() == 300
    assert 0 < len(raw.read1(300)) <= 300
    rest = raw.read()
    assert len(rest) > 300 and raw.read() == b"" and raw.read(5) == b""
    assert len(io.BufferedReader(open_raw()).read(999)) == 999
    assert len(open_raw().data) == 1000
    assert [len(piece) for piece in open_raw().stream(400)] == [400, 400, 200]
    assert b"".join(open_raw()) == open_raw().read()
    assert json.load(open_raw("/echo"))["method"] == "GET"
    zipped = open_raw("/gzip")
    assert zipped.read(2, decode_content=False) == b"\x1f\x8b"
    assert open_raw("/gzip").read(decode_content=True) == session().get(origin.url("/gzip")).content
    assert open_raw("/bytes/10?chunked").read_chunked is not None
    assert b"".join(open_raw("/bytes/10?chunked").read_chunked()) == open_raw("/bytes/10").read()


def test_raw_may_be_released_drained_and_closed(session, origin):
    raw = session().get(origin.url("/bytes/1000"), stream=True).raw
    raw.release_conn()
    raw.drain_conn()
    assert raw.read() == b""
    raw.close()
    assert raw.closed


def test_a_body_is_read_only_as_it_is_asked_for(session, origin):
    target = "/pour?lazily"
    with session().get(origin.url(target), stream=True) as response:
        response.raw.read(1000)

        def has_paused():
            sent = origin.sent(target)
            time.sleep(0.3)
            return origin.sent(target) == sent

        wait_until("the origin to pause", has_paused)  # else it sends without end
