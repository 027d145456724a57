"""The FastCGI codec: requests are read by an independent decoder, responses parsed in pieces."""

import struct

import pytest

from django_curlew.daemon import DaemonTimeout, IncompleteResponse, NoResponse, ProtocolError
from django_curlew.daemon.fastcgi import (
    FastCGIEncoder,
    FastCGIParser,
    encode_param,
    encode_records,
)
from django_curlew.daemon.response_parser import MAX_HEAD_BYTES

HEADERS = (("Accept", "x/y"), ("Content-Type", "application/json"))


def read_records(data):
    """(type, id, content) of each record; an independent reading of the specification."""
    found = []
    while data:
        version, kind, request, length, padding, _ = struct.unpack(">BBHHBB", data[:8])
        assert version == 1
        found.append((kind, request, data[8:8 + length]))
        assert len(data) >= 8 + length + padding
        data = data[8 + length + padding:]
    return found


def read_pairs(data):
    found = {}
    while data:
        sizes = []
        for _ in range(2):
            n = data[0]
            data = data[1:]
            if n & 0x80:
                n, data = struct.unpack(">I", bytes([n & 0x7f]) + data[:3])[0], data[3:]
            sizes.append(n)
        name, value, data = data[:sizes[0]], data[sizes[0]:sum(sizes)], data[sum(sizes):]
        found[name.decode()] = value.decode()
    return found


def parts(data):
    """(begin, params, stdin) of an encoded request; both streams must end in an empty record."""
    (first, *rest) = read_records(data)
    params = [c for k, _, c in rest if k == 4]
    stdin = [c for k, _, c in rest if k == 5]
    assert first[0] == 1 and {r for _, r, _ in read_records(data)} == {1}
    assert params[-1] == b"" and stdin[-1] == b"" and rest[-1] == (5, 1, b"")
    assert all(params[:-1]) and all(stdin[:-1])
    return first[2], read_pairs(b"".join(params)), b"".join(stdin)


def test_a_request_has_a_web_servers_parameters():
    encoder = FastCGIEncoder("/_fetch", token="t")
    begin, params, stdin = parts(encoder.encode(
        "POST", "/v1/fetch", HEADERS, b"{}", [("traceparent", "00-1"), ("X-Request-ID", "7")]))
    assert begin == struct.pack(">HB5x", 1, 1), "a responder, and the connection is kept"
    assert stdin == b"{}"
    assert params == {
        "GATEWAY_INTERFACE": "CGI/1.1", "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_SOFTWARE": "django-curlew", "CURLEW_CLIENT": "django-curlew",
        "HTTP_AUTHORIZATION": "Bearer t",
        "REQUEST_METHOD": "POST", "SCRIPT_NAME": "/_fetch/v1/fetch", "QUERY_STRING": "",
        "HTTP_ACCEPT": "x/y", "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": "2",
        "HTTP_TRACEPARENT": "00-1", "HTTP_X_REQUEST_ID": "7"}


def test_the_cached_beginning_of_a_request_is_the_same():
    encoder = FastCGIEncoder()
    first = encoder.encode("POST", "/v1/fetch", HEADERS, b"a")
    assert encoder.encode("POST", "/v1/fetch", HEADERS, b"a") == first
    assert parts(encoder.encode("GET", "/v1/status?x=1"))[1]["QUERY_STRING"] == "x=1"
    for i in range(200):
        encoder.encode("POST", "/v1/fetch", (("X", str(i)),))
    assert len(encoder._prefixes) == 64
    assert parts(encoder.encode("POST", "/v1/fetch", (("X", "199"),)))[1]["HTTP_X"] == "199"


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 200_000])
def test_a_body_takes_as_many_records_as_it_needs(size):
    body = bytes(range(256)) * (size // 256 + 1)
    assert parts(FastCGIEncoder().encode("POST", "/v1/fetch", (), body[:size]))[2] == body[:size]


@pytest.mark.parametrize("size", [0, 127, 128, 70_000])
def test_lengths_of_parameters(size):
    assert read_pairs(encode_param("N", "v" * size)) == {"N": "v" * size}


def test_parameters_may_be_given_as_a_whole():
    _, params, stdin = parts(FastCGIEncoder("/m", "t").encode("GET", "/x", HEADERS, b"b",
                                                       params={"CURLEW_REQUEST": "{}"}))
    assert params == {"CURLEW_REQUEST": "{}"} and stdin == b"b"


def record(kind, content=b"", request=1, padding=0, version=1):
    return struct.pack(">BBHHBx", version, kind, request, len(content), padding) \
        + content + b"\0" * padding


END = record(3, struct.pack(">IB3x", 0, 0))
HEAD = b"Status: 404 Not Found\r\nContent-Type: a/b\r\nX-Two: 1\r\nX-Two: 2\r\n\r\n"
WHOLE = record(6, HEAD[:10]) + record(6, HEAD[10:] + b"bo", padding=3) + record(7, b"oops") \
    + record(6, b"dy") + record(6) + END


def check_response(parser):
    assert (parser.status, parser.finished, parser.reusable) == (404, True, True)
    assert parser.headers == [(b"Content-Type", b"a/b"), (b"X-Two", b"1"), (b"X-Two", b"2")]
    assert parser.header("content-TYPE") == "a/b" and parser.header("none") is None


@pytest.mark.parametrize("cut", range(1, len(WHOLE)))
def test_a_response_cut_at_any_byte_is_the_same(cut):
    parser = FastCGIParser()
    parser.feed(WHOLE[:cut])
    assert not parser.finished
    parser.feed(WHOLE[cut:])
    check_response(parser)
    assert parser.take_body() == b"body"


def test_a_response_byte_by_byte_gives_its_body_as_it_is_received():
    parser, body = FastCGIParser(), b""
    for i in range(len(WHOLE)):
        parser.feed(WHOLE[i:i + 1])
        body += parser.take_body()
        assert parser.buffered_bytes == 0
    check_response(parser)
    assert body == b"body"


def test_a_head_without_a_status_is_200_and_may_end_in_bare_line_feeds():
    parser = FastCGIParser()
    parser.feed(record(6, b"A: b\n\nx") + END)
    assert (parser.status, parser.headers, parser.take_body()) == (200, [(b"A", b"b")], b"x")


@pytest.mark.parametrize("cut", range(1, len(WHOLE)))
def test_a_response_that_ends_early_is_incomplete(cut):
    parser = FastCGIParser()
    parser.feed(WHOLE[:cut])
    with pytest.raises(IncompleteResponse):
        parser.feed_eof()


def test_no_byte_at_all_is_no_response():
    with pytest.raises(NoResponse):
        FastCGIParser().feed_eof()


NO_RECORD = b"\0" * 8


@pytest.mark.parametrize("report, kind, code", [
    (b"curlew: idle_timeout no bytes for 1 s", DaemonTimeout, "idle_timeout"),
    (b"curlew: timeout not done after 1 s", DaemonTimeout, "timeout"),
    (b"curlew: incomplete_body 3 of 10 bytes", IncompleteResponse, "incomplete_body"),
    (b"curlew: draining ", IncompleteResponse, "draining"),
    (b"idle_timeout", IncompleteResponse, None),
    (b"", IncompleteResponse, None),
])
@pytest.mark.parametrize("size", [1, 1000])
def test_a_report_says_why_a_response_was_aborted(report, kind, code, size):
    parser = FastCGIParser()
    data = record(6, HEAD + b"bo") + (record(7, report) if report else b"") + NO_RECORD
    with pytest.raises(kind) as caught:
        for at in range(0, len(data), size):
            parser.feed(data[at:at + size])
    assert type(caught.value) is kind and caught.value.code == code
    assert code is None or report.partition(code.encode())[2].strip().decode() in str(caught.value)
    assert "aborted" in str(caught.value)


@pytest.mark.parametrize("data, kind, word", [
    (record(6, HEAD) + b"\0" * 8, IncompleteResponse, "aborted the response"),
    (NO_RECORD, ProtocolError, "version 0"),
    (b"HTTP/1.1 400 Bad Request\r\n", ProtocolError, "curlewd's socket"),
    (record(6, HEAD, request=2), ProtocolError, "request 2"),
    (record(9, b"x"), ProtocolError, "type 9"),
    (record(3, b"xx"), ProtocolError, "END_REQUEST"),
    (record(6, HEAD) + record(3, struct.pack(">IB3x", 0, 2)), IncompleteResponse, "overloaded"),
    (record(3, struct.pack(">IB3x", 0, 3)), IncompleteResponse, "unknown role"),
    (record(7, b"no memory") + END, IncompleteResponse, "no memory"),
    (record(6, b"Status: ok\r\n\r\n"), ProtocolError, "not a status line"),
    (record(6, b"no colon\r\n\r\n"), ProtocolError, "not a header line"),
])
def test_invalid_records_are_errors(data, kind, word):
    with pytest.raises(kind, match=word):
        parser = FastCGIParser()
        parser.feed(data)
        parser.headers  # noqa: B018  read when they are asked for


@pytest.mark.parametrize("more", [b"x", record(6, b"x"), END, b"\0" * 8])
def test_bytes_after_the_end_spoil_the_connection_but_not_the_response(more):
    parser = FastCGIParser()
    parser.feed(WHOLE + more)
    assert parser.finished and not parser.reusable and parser.take_body() == b"body"


def test_the_longest_head_passes_and_one_byte_more_does_not():
    line = b"X: " + b"a" * (MAX_HEAD_BYTES - 3)
    parser = FastCGIParser()
    parser.feed(encode_records(6, line + b"\r\n\r\n") + END)
    assert parser.finished
    with pytest.raises(ProtocolError, match="head"):
        FastCGIParser().feed(encode_records(6, line + b"b\r\n\r\n"))
    with pytest.raises(ProtocolError, match="head"):
        FastCGIParser().feed(encode_records(6, line + b"bcd"))


def test_what_is_kept_of_stderr_is_bounded():
    parser = FastCGIParser()
    for _ in range(10):
        parser.feed(record(7, b"x" * 60000))
    assert len(parser._stderr) == 4096


FINAL = struct.pack(">BBHHBx", 1, 6, 1, 0, 0) + struct.pack(">BBHHBx", 1, 3, 1, 8, 0) + bytes(8)
HEADS = [b"Status: 200 OK\r\nA: b\r\n\r\n", b"Status: 200 OK\nA: b\n\n",
         b"A: b\r\nStatus: 404\r\n\r\n", b"status:503 x\r\n\r\n",
         b"Status: 200 OK\r\n\r\n", b"A: b\n\r\n"]


@pytest.mark.parametrize("body", [b"", b"x", b"\r\n\r\n", bytes(8000), FINAL], ids=len)
@pytest.mark.parametrize("head", HEADS, ids=repr)
@pytest.mark.parametrize("padding", [0, 5])
def test_a_response_that_comes_whole_is_read_as_one_that_comes_in_pieces(head, body, padding):
    content = head + body
    record = struct.pack(">BBHHBx", 1, 6, 1, len(content), padding) + content + bytes(padding)
    data = record + FINAL
    whole, pieces = FastCGIParser(), FastCGIParser()
    whole.feed(data)
    for at in range(0, len(data), 7):
        pieces.feed(data[at:at + 7])
    for parser in (whole, pieces):
        assert parser.finished and parser.reusable and parser.buffered_bytes == len(body)
    assert (whole.status, whole.headers) == (pieces.status, pieces.headers)
    assert whole.take_body() == pieces.take_body() == body


def test_what_only_ends_like_a_whole_response_is_none():
    record = struct.pack(">BBHHBx", 1, 6, 1, 3, 0) + b"A: "
    parser = FastCGIParser()
    with pytest.raises(IncompleteResponse, match="no head"):
        parser.feed(record + FINAL)
    parser = FastCGIParser()
    with pytest.raises(ProtocolError):
        parser.feed(struct.pack(">BBHHBx", 1, 6, 2, 8, 0) + b"A: b\r\n\r\n" + FINAL)
    parser = FastCGIParser()
    parser.is_cut = True
    parser.feed(struct.pack(">BBHHBx", 1, 6, 1, 8, 0) + b"A: b\r\n\r\n" + FINAL)
    assert parser.finished and not parser.reusable


HEADS = [b"A: 1\n\n", b"A: 1\r\n\r\n", b"Status: 200 OK\r\nA: 1\r\n\r\n",
         b"Status: 200 OK\r\nA: 1\r\nB: 2\r\n\r\n", b"Status: 404 No\r\nA: 1\r\n\r\n",
         b"Status: 404 No\nA: 1\n\n", b"status:404\nA: 1\n\r\n", b"Status: 200 OK\r\n\r\n", b"\n\n"]


def parsed(data, piece_bytes):
    parser = FastCGIParser()
    for at in range(0, len(data), piece_bytes):
        parser.feed(data[at:at + piece_bytes])
    return parser.status, parser.head, parser.take_body(), parser.finished, parser.reusable


def whole(head, body):
    end = struct.pack(">BBHHBxIB3x", 1, 3, 1, 8, 0, 0, 0)
    return encode_records(6, head + body) + struct.pack(">BBHHBx", 1, 6, 1, 0, 0) + end


def test_a_head_that_was_parsed_before_changes_nothing():
    for first in HEADS:
        for second in HEADS:
            for body in (b"", b"x", b"\nB: 3\n\n"):
                assert parsed(whole(first, b"y"), 1000)[2] == b"y"  # it is remembered
                data = whole(second, body)
                assert parsed(data, 1000) == parsed(data, 1), (first, second, body)
                assert parsed(data, 1000)[2:] == (body, True, True)


@pytest.mark.parametrize("sizes", [[1], [0, 5, 3], [3] * 20, [65535, 2, 65535]], ids=str)
@pytest.mark.parametrize("piece_bytes", [1, 7, 11, 65536])
def test_a_body_in_many_records_is_joined(sizes, piece_bytes):
    if piece_bytes == 1:
        sizes = [min(size, 300) for size in sizes]
    pieces = [bytes([i + 65]) * size for i, size in enumerate(sizes)]
    record = struct.Struct(">BBHHBx")
    body = [record.pack(1, 6, 1, len(p), i % 9) + p + bytes(i % 9) for i, p in enumerate(pieces)]
    data = encode_records(6, b"A: 1\n\n") + b"".join(body) + whole(b"", b"")
    assert parsed(data, piece_bytes) == (200, b"A: 1", b"".join(pieces), True, True)
