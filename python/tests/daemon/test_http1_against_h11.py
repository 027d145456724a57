"""Our HTTP/1.1 parser and h11, on the same bytes: the same responses, and the same errors.

docs/dependencies.md says why h11 is not used itself.
"""

import random

import h11
import pytest

from django_curlew.daemon import DaemonError
from django_curlew.daemon.http1 import HTTP1Parser

OK = b"HTTP/1.1 200 OK\r\n"
RESPONSES = {
    "length": OK + b"Content-Length: 6\r\nA: b\r\n\r\nabcdef",
    "no body": OK + b"Content-Length: 0\r\n\r\n",
    "chunked": OK + b"Transfer-Encoding: Chunked\r\nA: b\r\n\r\n"
    b"3;ext=1\r\nabc\r\n02\r\nde\r\n1\r\nf\r\n0\r\nTrailer: x\r\n\r\n",
    "chunked without a body": OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked and a length": OK + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"2\r\nab\r\n0\r\n\r\n",
    "informational": b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
    + OK + b"Content-Length: 2\r\n\r\nab",
    "until close": OK + b"Connection: close\r\nA: b\r\n\r\nabcdef",
    "close with a length": OK + b"Connection: x, Close\r\nContent-Length: 2\r\n\r\nab",
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nab",
    "no content": b"HTTP/1.1 204 No Content\r\nA: b\r\n\r\n",
    "not modified": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
    "an error": b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 2\r\n\r\nno",
    "no reason": b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nab",
    "repeated and empty headers": OK + b"A: 1\r\na:2 \r\nB:\r\nContent-Length: 2\r\n\r\nab",
    "a folded header": OK + b"A: 1\r\n  2\r\nContent-Length: 2\r\n\r\nab",
    "bare line feeds": b"HTTP/1.1 200 OK\nContent-Length: 2\nA: b\n\nab",
    "bytes beyond ASCII": OK + b"A: \xe9\xff\r\nContent-Length: 2\r\n\r\nab",
    "bytes after the end": OK + b"Content-Length: 2\r\n\r\nabHTTP/1.1 200 OK\r\n",
}
INVALID = {
    "no HTTP": b"\1\6\0\1\0\5\0\0hello\r\n\r\n",
    "no status": b"HTTP/1.1 abc\r\n\r\n",
    "HTTP/2": b"HTTP/2 200\r\n\r\n",
    "two lengths": OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "a negative length": OK + b"Content-Length: -1\r\n\r\n",
    "a length that is no number": OK + b"Content-Length: 1x\r\n\r\n",
    "another coding": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
    "a negative chunk": OK + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n",
    "a chunk in C's notation": OK + b"Transfer-Encoding: chunked\r\n\r\n0x1\r\n",
    "a chunk without a size": OK + b"Transfer-Encoding: chunked\r\n\r\n\r\n",
    "a chunk that is too long": OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
    "a header without a colon": OK + b"no colon\r\n\r\n",
    "a space before the colon": OK + b"A : b\r\n\r\n",
    "a short body": OK + b"Content-Length: 6\r\n\r\nabc",
    "a short chunk": OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nab",
    "no last chunk": OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    "a short head": OK + b"Content-Len",
    "nothing": b"",
}

# What h11 rejects and we accept from the site's own web server: header names that are no tokens,
# control characters, lines of a chunked body that end in LF, a bad Content-Length beside chunks.
LENIENT = ("illegal header line", "illegal status line", "illegal chunk header",
           "malformed chunk footer", "continuation line at start of headers",
           "bad Content-Length", "conflicting Content-Length")


def parse_with_h11(method, pieces):
    """(status, headers, body, whether the connection is kept), or the error's text. The end of the
    connection follows the pieces."""
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method=method, target="/", headers=[("Host", "h")]))
    connection.send(h11.EndOfMessage())
    response, body = None, b""
    try:
        for piece in [*pieces, b""]:
            connection.receive_data(piece)
            while (event := connection.next_event()) not in (h11.NEED_DATA, h11.PAUSED):
                if isinstance(event, h11.Response):
                    response = event
                elif isinstance(event, h11.Data):
                    body += bytes(event.data)
                elif isinstance(event, h11.EndOfMessage):
                    kept = connection.their_state is h11.DONE and piece != b"" \
                        and not connection.trailing_data[0]
                    headers = comparable(response.headers.raw_items())
                    return response.status_code, headers, body, kept
                elif isinstance(event, h11.ConnectionClosed):
                    return "closed without a response"
    except h11.RemoteProtocolError as err:
        return str(err)
    raise AssertionError("h11 neither finished nor failed")


def comparable(headers):
    """h11 changes the case of one value, and keeps the spaces of a folded one."""
    return [(name, b"Chunked" if value == b"chunked" else b" ".join(value.split()))
            for name, value in headers]


def parse_with_ours(method, pieces):
    parser = HTTP1Parser(method)
    try:
        for piece in pieces:
            parser.feed(piece)
        if not parser.finished:
            parser.feed_eof()
        return parser.status, comparable(parser.headers), parser.take_body(), parser.reusable
    except DaemonError as err:
        return str(err)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("name", RESPONSES)
def test_responses_are_the_same(name, method):
    data = RESPONSES[name]
    expected = parse_with_h11(method, [data])
    assert isinstance(expected, tuple), expected
    assert parse_with_ours(method, [data]) == expected


@pytest.mark.parametrize("name", RESPONSES)
def test_responses_cut_anywhere_are_the_same(name):
    data = RESPONSES[name]
    for cut in range(1, len(data)):
        pieces = [data[:cut], data[cut:]]
        assert parse_with_ours("GET", pieces)[:3] == parse_with_h11("GET", pieces)[:3], cut


@pytest.mark.parametrize("name", INVALID)
def test_invalid_responses_are_errors_for_both(name):
    data = INVALID[name]
    assert isinstance(parse_with_h11("GET", [data]), str)
    assert isinstance(parse_with_ours("GET", [data] if data else []), str)


def mutate(data, rng):
    """One or two bytes removed, inserted, replaced; or the end cut off."""
    data = bytearray(data)
    for _ in range(rng.choice([1, 1, 2])):
        at, byte = rng.randrange(len(data)), rng.choice(b"\r\n :;0af,-\t\0\xe9")
        change = rng.randrange(4)
        if change == 0:
            del data[at]
        elif change == 1:
            data.insert(at, byte)
        elif change == 2:
            data[at] = byte
        else:
            data = data[:at + 1]
    return bytes(data)


@pytest.mark.parametrize("seed", range(8))
def test_damaged_responses_are_never_read_differently(seed):
    """Both read the same, or one refuses; we refuse less only in the ways of LENIENT."""
    rng = random.Random(seed)
    read_by_both = 0
    for _ in range(1000):
        data = mutate(rng.choice(list(RESPONSES.values())), rng)
        theirs, ours = parse_with_h11("GET", [data]), parse_with_ours("GET", [data])
        if isinstance(theirs, tuple) and isinstance(ours, tuple):
            assert ours == theirs, data
            read_by_both += 1
        elif isinstance(ours, tuple):
            has_bare_lf = b"\n" in data.replace(b"\r\n", b"")
            assert theirs.startswith(LENIENT) or has_bare_lf, (data, theirs, ours)
    assert read_by_both > 100
