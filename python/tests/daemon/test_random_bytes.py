"""Any bytes from a daemon: in pieces as in one, and no error but a DaemonError."""

import json
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from django_curlew.bridge.access import normalize
from django_curlew.daemon import DaemonError
from django_curlew.daemon.fastcgi import FastCGIEncoder, FastCGIParser, encode_param
from django_curlew.daemon.http1 import HTTP1Parser

EXAMPLES = settings(max_examples=300, deadline=None, derandomize=True, database=None)

HEADS = st.sampled_from([b"Status: 200 OK\r\n\r\n", b"Status: 404 X\nA: b\n\n", b"A: b\r\n\r\n",
                         b"Status: x\r\n\r\n", b"no head", b"", b"A : b\r\n\r\n", b"\r\n\r\n"])
CONTENT = st.one_of(HEADS, st.binary(max_size=40))


@st.composite
def records(draw):
    """Records as a daemon sends them, and others."""
    found = []
    for _ in range(draw(st.integers(0, 5))):
        content, padding = draw(CONTENT), draw(st.sampled_from([0, 0, 3, 255]))
        kind = draw(st.sampled_from([6, 6, 6, 7, 3, 3, 1, 11, 200]))
        if kind == 3 and draw(st.booleans()):
            content = bytes(8)
        version = draw(st.sampled_from([1] * 9 + [0, 2]))
        request = draw(st.sampled_from([1] * 9 + [0, 2]))
        found.append(struct.pack(">BBHHBx", version, kind, request, len(content), padding)
                     + content + bytes(padding))
    return b"".join(found)


RESPONSES = st.one_of(records(), st.builds(bytes.__add__, records(), st.binary(max_size=20)),
                      st.binary(max_size=60))
LINES = st.sampled_from([
    b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 103 X\r\n\r\n", b"Content-Length: 3\r\n", b"abc",
    b"A: b\r\n", b"Transfer-Encoding: chunked\r\n", b"\r\n", b"3\r\nabc\r\n", b"0\r\n\r\n", b"\n",
    b"Connection: close\r\n", b"Content-Length: 9"])
HTTP_RESPONSES = st.lists(st.one_of(LINES, st.binary(max_size=10)), max_size=8).map(b"".join)


def parse(parser, pieces):
    """What comes of the pieces and the end of the connection: the facts, or the class of error."""
    body, at_end = b"", True
    try:
        for piece in filter(None, pieces):
            parser.feed(piece)
            body += parser.take_body()
        at_end = parser.finished
        if not at_end:
            parser.feed_eof()
        return parser.status, list(parser.headers), body, parser.finished, at_end
    except DaemonError as err:
        return type(err).__name__


@EXAMPLES
@given(data=RESPONSES, size=st.integers(1, 30))
def test_records_in_pieces_are_what_they_are_in_one(data, size):
    pieces = [data[i:i + size] for i in range(0, len(data), size)]
    assert parse(FastCGIParser(), [data]) == parse(FastCGIParser(), pieces)


@EXAMPLES
@given(data=HTTP_RESPONSES, size=st.integers(1, 30), method=st.sampled_from(["POST", "HEAD"]))
def test_http_in_pieces_is_what_it_is_in_one(data, size, method):
    pieces = [data[i:i + size] for i in range(0, len(data), size)]
    assert parse(HTTP1Parser(method), [data]) == parse(HTTP1Parser(method), pieces)


@EXAMPLES
@given(name=st.text(st.characters(max_codepoint=255), max_size=200), value=st.text(max_size=200))
def test_a_parameter_has_the_lengths_that_it_says(name, value):
    try:
        encoded = encode_param(name, value)
    except UnicodeEncodeError:  # a surrogate that stands for no byte
        return
    sizes = []
    for _ in range(2):
        long = encoded[0] >= 128
        head = encoded[:4] if long else encoded[:1]
        sizes.append(int.from_bytes(head, "big") & 0x7fffffff)
        encoded = encoded[len(head):]
    assert len(encoded) == sum(sizes) and encoded[:sizes[0]] == name.encode("latin-1")


@EXAMPLES
@given(body=st.binary(max_size=200), value=st.text(st.characters(exclude_categories=["Cs"])))
def test_a_request_ends_with_its_body(body, value):
    headers = (("X-A", json.dumps(value)),)
    encoded = FastCGIEncoder("/m").encode("POST", "/v1/fetch", headers, body)
    assert encoded.endswith(b"\1\5\0\1\0\0\0\0") and (not body or body in encoded)


PATHS = st.lists(st.sampled_from(["/", "//", ".", "..", "a", "_fetch", "%2f", "\\", " "]),
                 max_size=10).map("".join)


@EXAMPLES
@given(path=PATHS)
def test_a_normalized_path_has_nothing_to_normalize(path):
    found = normalize(path)
    assert found.startswith("/") and normalize(found) == found == normalize("/" + found)
    assert not {"", ".", ".."} & set(found.strip("/").split("/")) or found == "/"


@pytest.mark.parametrize("path, normal", [("/a/./b//c/../d", "/a/b/d"), ("/../../a/", "/a/")])
def test_paths_are_normalized(path, normal):
    assert normalize(path) == normal
