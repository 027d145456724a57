"""Content codings: a known one is undone whole or the fetch fails; an unknown one stays."""

import base64
import gzip
import json
import zlib

import brotli
import pytest
import zstandard

from tests.support.scripted_origin import ScriptedOrigin
from tests.support.streams import IncompleteResponse, open_stream

pytestmark = pytest.mark.libcurl

TEXT = b"".join(b"line %d of a text that is long enough\n" % i for i in range(2000))


def gz(data):
    return gzip.compress(data, mtime=0)


def raw_deflate(data):
    c = zlib.compressobj(wbits=-15)
    return c.compress(data) + c.flush()


ENCODERS = {"gzip": gzip.compress, "x-gzip": gzip.compress, "deflate": zlib.compress,
            "br": brotli.compress, "zstd": zstandard.ZstdCompressor(write_checksum=True).compress}


def framed(how, coding, body):
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\n" if coding else "HTTP/1.1 200 OK\r\n"
    if how == "length":
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    if how == "chunks":
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + 1000]), body[i:i + 1000])
                          for i in range(0, len(body), 1000))
        return f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunks + b"0\r\n\r\n"
    return f"{head}\r\n".encode() + body


@pytest.fixture
def sends():
    started = []

    def start(how, coding, body):
        def script(_, connection):
            connection.send(framed(how, coding, body))
            if how == "close":
                connection.close()

        started.append(ScriptedOrigin(script))
        return started[-1].url("/")

    yield start
    for origin in started:
        origin.stop()


def is_whole(client, url):
    """A stream: false where it breaks, or where it has failed before its head was sent."""
    try:
        with open_stream(client, url=url, decompress=True) as s:
            if s.status == 502:
                return json.loads(s.read_all())["code"] != "incomplete_body"
            s.read_all()
            return True
    except IncompleteResponse:
        return False


FRAMING = ["length", "chunks", "close"]


@pytest.mark.parametrize("how", FRAMING)
@pytest.mark.parametrize("coding", ENCODERS)
def test_a_whole_body_is_undone(client, sends, coding, how):
    url = sends(how, coding, ENCODERS[coding](TEXT))
    e = client.fetch(url)
    assert e["body"] == TEXT.decode() and e["body_bytes"] == len(TEXT)
    assert "content_encoding" not in e
    assert ["Content-Encoding", coding] in e["headers"]
    with open_stream(client, url=url, decompress=True) as s:
        assert s.read_all() == TEXT
        assert s.header("content-encoding") is None and s.header("content-length") is None


@pytest.mark.parametrize("how", FRAMING)
@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_a_cut_body_is_incomplete(client, sends, coding, how):
    body = ENCODERS[coding](TEXT)
    url = sends(how, coding, body[:len(body) // 2])
    p = client.refused({"url": url}, 502, "incomplete_body")
    assert coding in p["detail"], p
    assert not is_whole(client, url)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_a_damaged_body_is_a_protocol_error(client, sends, coding):
    body = bytearray(ENCODERS[coding](TEXT))
    body[len(body) // 2] ^= 0xff
    body[len(body) // 2 + 1] ^= 0x55
    response = client.post({"url": sends("length", coding, bytes(body))})
    assert response.status == 502
    assert response.json()["code"] in ("protocol_error", "incomplete_body"), response
    assert coding in response.json()["detail"]


def test_deflate_without_its_zlib_frame(client, sends):
    assert client.fetch(sends("length", "deflate", raw_deflate(TEXT)))["body"] == TEXT.decode()


@pytest.mark.parametrize("body", [
    gz(b"one ") + gz(b"two"),
    gz(b"one two") + bytes(512)], ids=["members", "padding"])
def test_gzip_has_members_and_padding(client, sends, body):
    assert client.fetch(sends("length", "gzip", body))["body"] == "one two"


@pytest.mark.parametrize("field, body, remains, undone", [
    ("UTF-8", b"plain", None, b"plain"),
    ("identity", b"plain", None, b"plain"),
    ("aws-chunked", b"plain", None, b"plain"),
    ("gzip, aws-chunked", gz(b"plain"), None, b"plain"),
    ("gzip, utf-8", gz(b"plain"), None, b"plain"),
    ("base64", b"cGxhaW4=", "base64", b"cGxhaW4="),
    ("binary", b"plain", "binary", b"plain"),
    ("base64, gzip", gz(b"cGxhaW4="), "base64", b"cGxhaW4="),
    ("gzip, base64", b"H4sI", "gzip, base64", b"H4sI"),
    ("gzip, br", brotli.compress(gz(b"plain")), None, b"plain"),
    ("GZIP ,, Br", brotli.compress(gz(b"plain")), None, b"plain"),
    ("", b"plain", None, b"plain"),
])
def test_unknown_codings_stay_on_the_body_and_are_told(client, sends, field, body, remains, undone):
    e = client.fetch(sends("length", field, body))
    assert (e["status"], e["body"].encode()) == (200, undone)
    assert e.get("content_encoding") == remains


def test_several_fields_are_one_list(client):
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Encoding: br\r\n"
    body = brotli.compress(gz(b"plain"))
    with ScriptedOrigin(lambda _, c: c.send(
            head + b"Content-Length: %d\r\n\r\n" % len(body) + body)) as origin:
        assert client.fetch(origin.url("/"))["body"] == "plain"


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary"])
def test_the_body_of_a_followed_redirect_is_not_decoded(client, status):
    def script(request, connection):
        if request.target == "/end":
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nend")
        else:
            connection.send(f"HTTP/1.1 {status}\r\nLocation: /end\r\nContent-Encoding: gzip\r\n"
                            "Content-Length: 8\r\n\r\nno gzip!")

    with ScriptedOrigin(script) as origin:
        assert client.fetch(origin.url("/"))["body"] == "end"


def test_without_decompress_the_bytes_stay(client, sends):
    body = gz(b"plain")
    e = client.fetch(sends("length", "gzip", body), decompress=False, response_body="base64")
    assert base64.b64decode(e["body_base64"]) == body
    assert e["content_encoding"] == "gzip"


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_an_empty_body_with_a_coding_is_whole(client, sends, coding):
    assert client.fetch(sends("length", coding, b""))["body"] == ""
    assert client.fetch(sends("length", coding, b""), method="HEAD")["status"] == 200


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_a_bomb_ends_at_the_size_limit(client, sends, coding):
    url = sends("length", coding, ENCODERS[coding](bytes(64 << 20)))
    p = client.refused({"url": url, "max_body_bytes": 1 << 20}, 502, "response_too_large")
    assert "1048576" in p["detail"]
