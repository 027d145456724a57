"""The HTTP/1.1 codec: requests, and responses in pieces, with each of the three framings."""

import pytest

from django_curlew.daemon import IncompleteResponse, NoResponse, ProtocolError
from django_curlew.daemon.http1 import MAX_LINE_BYTES, HTTP1Encoder, HTTP1Parser


def test_a_request():
    data = HTTP1Encoder("h:8080", "/_fetch", "t").encode(
        "POST", "/v1/fetch", (("Accept", "x/y"),), b"{}", [("traceparent", "00-1")])
    head, body = data.split(b"\r\n\r\n")
    assert body == b"{}"
    assert head.split(b"\r\n") == [
        b"POST /_fetch/v1/fetch HTTP/1.1", b"Host: h:8080", b"Authorization: Bearer t",
        b"Accept: x/y", b"traceparent: 00-1", b"Content-Length: 2"]


def test_only_a_post_without_a_body_has_a_content_length():
    assert b"Content-Length: 0\r\n" in HTTP1Encoder("h").encode("POST", "/x")
    assert b"Content-Length" not in HTTP1Encoder("h").encode("GET", "/x")


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nX: y", "a\rX: y"])
def test_a_line_break_in_a_header_is_refused(value):
    with pytest.raises(ValueError, match="line break"):
        HTTP1Encoder("h").encode("GET", "/x", (("A", value),))


def test_fastcgi_parameters_need_fastcgi():
    with pytest.raises(ValueError, match="fcgi:"):
        HTTP1Encoder("h").encode("GET", "/x", params={"A": "b"})


LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nA: b\r\n\r\nabcdef"
CHUNKED = (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\nA: b\r\n\r\n"
           b"3;ext=1\r\nabc\r\n02\r\nde\r\n1\r\nf\r\n0\r\nTrailer: x\r\n\r\n")
HINTED = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + LENGTH
CLOSING = b"HTTP/1.1 200 OK\r\nConnection: close\r\nA: b\r\n\r\nabcdef"


@pytest.mark.parametrize("data", [LENGTH, CHUNKED, HINTED], ids=["length", "chunked", "hinted"])
def test_a_response_cut_anywhere_is_the_same(data):
    for cut in range(1, len(data)):
        parser = HTTP1Parser()
        parser.feed(data[:cut])
        assert not parser.finished
        parser.feed(data[cut:])
        assert (parser.status, parser.finished, parser.reusable) == (200, True, True)
        assert parser.header("a") == "b" and parser.take_body() == b"abcdef"


@pytest.mark.parametrize("data", [LENGTH, CHUNKED, HINTED], ids=["length", "chunked", "hinted"])
def test_a_response_that_ends_early_is_incomplete(data):
    for cut in range(1, len(data)):
        parser = HTTP1Parser()
        parser.feed(data[:cut])
        with pytest.raises(IncompleteResponse):
            parser.feed_eof()
    with pytest.raises(NoResponse):
        HTTP1Parser().feed_eof()


def test_a_body_without_a_length_ends_with_the_connection():
    parser = HTTP1Parser()
    for i in range(len(CLOSING)):
        parser.feed(CLOSING[i:i + 1])
    assert not parser.finished
    parser.feed_eof()
    assert parser.finished and not parser.reusable and parser.take_body() == b"abcdef"


@pytest.mark.parametrize("head, keeps", [
    (b"HTTP/1.1 200 OK\r\n", True),
    (b"HTTP/1.1 200 OK\r\nConnection: Close\r\n", False),
    (b"HTTP/1.1 200 OK\r\nConnection: x, close\r\n", False),
    (b"HTTP/1.0 200 OK\r\n", False),
    (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n", True),
])
def test_which_responses_keep_the_connection(head, keeps):
    parser = HTTP1Parser()
    parser.feed(head + b"Content-Length: 0\r\n\r\n")
    assert parser.finished and parser.reusable is keeps


@pytest.mark.parametrize("method, status", [("HEAD", 200), ("GET", 204), ("GET", 304)])
def test_responses_that_never_have_a_body(method, status):
    parser = HTTP1Parser(method)
    parser.feed(b"HTTP/1.1 %d X\r\nContent-Length: 5\r\n\r\n" % status)
    assert parser.finished and parser.take_body() == b""


@pytest.mark.parametrize("data, word", [
    (b"\1\6\0\1\0\5\0\0hello\r\n\r\n", "web server's address"),
    (b"HTTP/1.1 abc\r\n\r\n", "not an HTTP response"),
    (b"HTTP/2 200\r\n\r\n", "not an HTTP response"),
    (b"HTTP/1.1 101 X\r\n\r\n", "switched"),
    (b"HTTP/1.1 200 X\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "Content-Length"),
    (b"HTTP/1.1 200 X\r\nContent-Length: -1\r\n\r\n", "Content-Length"),
    (b"HTTP/1.1 200 X\r\nContent-Length: 9999999999999999999\r\n\r\n", "Content-Length"),
    (b"HTTP/1.1 200 X\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "Transfer-Encoding"),
    (b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", "chunk size"),
    (b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\n", "chunk size"),
    (b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", "chunk size"),
    (b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", "line break"),
    (b"HTTP/1.1 200 X\r\nbad name : x\r\n\r\n", "not a header line"),
])
def test_invalid_responses_are_errors(data, word):
    with pytest.raises(ProtocolError, match=word):
        HTTP1Parser().feed(data)


@pytest.mark.parametrize("data", [LENGTH, CHUNKED])
def test_bytes_after_the_end_spoil_the_connection_but_not_the_response(data):
    parser = HTTP1Parser()
    parser.feed(data + b"H")
    assert parser.finished and not parser.reusable and parser.take_body() == b"abcdef"


def test_a_line_of_a_chunked_body_has_a_limit():
    head = b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n"
    longest = b"1;" + b"e" * (MAX_LINE_BYTES - 3) + b"\r"
    parser = HTTP1Parser()
    parser.feed(head + longest + b"\nx\r\n0\r\n\r\n")
    assert parser.take_body() == b"x"
    with pytest.raises(ProtocolError, match="has more than 8192 bytes"):
        HTTP1Parser().feed(head + b"e" + longest)
