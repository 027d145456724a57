"""HTTP/1.1 heads that are cut, too long, malformed, or never come to an end."""

import itertools

from tests.support.scripted_origin import answer

from .fault import GOOD, HEAD, RAW, fault


def pour(connection, piece):
    """Without end."""
    for _ in itertools.repeat(None):
        connection.send(piece)


@fault("a head that ends in a field", "incomplete_body", "recv_failed", "protocol_error")
def cut_head(request, connection):
    connection.send(HEAD + b"Content-Type: text/pl")
    connection.close()


@fault("a reset in the head", "recv_failed")
def reset_in_head(request, connection):
    connection.send(HEAD + b"Content-Type: text/plain\r\n")
    connection.reset()


@fault("a head that stops", "timeout", timeout=0.4)
def stalled_head(request, connection):
    connection.send(HEAD + b"Content-Type: te")
    connection.hold()


@fault("a head of which a byte comes now and then", "timeout", timeout=0.6)
def slow_head(request, connection):
    connection.send(HEAD + b"X-Field: " + b"x" * 1000, pause=0.1)


@fault("a status line without end", "protocol_error")
def endless_status_line(request, connection):
    connection.send(b"HTTP/1.1 200 ")
    pour(connection, b"x" * 10000)


@fault("a head without end", "protocol_error")
def endless_head(request, connection):
    connection.send(HEAD)
    pour(connection, b"X-Field: " + b"x" * 1000 + b"\r\n")


@fault("a field's name without end", "protocol_error")
def endless_name(request, connection):
    connection.send(HEAD)
    pour(connection, b"x" * 10000)


@fault("a header line of 1 MB", "protocol_error")
def long_line(request, connection):
    connection.send(HEAD + b"X-Field: " + b"x" * (1 << 20) + b"\r\n\r\n")
    connection.close()


@fault("a field folded over lines without end", "protocol_error")
def endless_fold(request, connection):
    connection.send(HEAD + b"X-Field: x\r\n")
    pour(connection, b" x\r\n" * 100)


@fault("5,000 fields", "protocol_error")
def many_fields(request, connection):
    connection.send(HEAD + b"X: 1\r\n" * 5000 + b"Content-Length: 2\r\n\r\nok")


@fault("600 cookies, more than a jar of a host holds")
def many_cookies(request, connection):
    connection.send(HEAD + b"".join(b"Set-Cookie: c%d=1\r\n" % i for i in range(600))
                    + b"Content-Length: %d\r\n\r\n" % len(GOOD) + GOOD)


@fault("empty lines without end", "protocol_error")
def endless_empty_lines(request, connection):
    pour(connection, b"\r\n" * 5000)


@fault("status 100 without end", "protocol_error")
def endless_100(request, connection):
    pour(connection, b"HTTP/1.1 100 Continue\r\n\r\n" * 100)


@fault("status 103 with fields, without end", "protocol_error")
def endless_103(request, connection):
    pour(connection, b"HTTP/1.1 103 Early Hints\r\nLink: </x.css>\r\n\r\n" * 100)


@fault("an answer after some 1xx")
def some_1xx(request, connection):
    connection.send(b"HTTP/1.1 100 Continue\r\n\r\n"
                    b"HTTP/1.1 103 Early Hints\r\nLink: </x.css>\r\n\r\n" * 3 + answer(GOOD))


@fault("status 101 that nobody asked for", "protocol_error")
def unasked_101(request, connection):
    connection.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n"
                    b"Connection: upgrade\r\n\r\nwords of x")


@fault("status 1000", "protocol_error")
def status_1000(request, connection):
    connection.send(answer(GOOD, "1000 Odd"))


@fault("not HTTP", "protocol_error")
def not_http(request, connection):
    connection.send(b"SSH-2.0-OpenSSH_9.2\r\n" * 3)
    connection.close()


@fault("bytes at random", "protocol_error")
def random_bytes(request, connection):
    connection.send(bytes(range(1, 256)) * 100)
    connection.close()


@fault("NUL in a field", "protocol_error")
def nul(request, connection):
    connection.send(HEAD + b"X-Odd: a\0b\r\nContent-Length: 2\r\n\r\nok")


@fault("two lengths", "protocol_error")
def two_lengths(request, connection):
    connection.send(HEAD + b"Content-Length: 11\r\nContent-Length: 5\r\n\r\nhello world")


@fault("a negative length", "protocol_error")
def negative_length(request, connection):
    connection.send(HEAD + b"Content-Length: -1\r\n\r\nhello")


@fault("a length past 2^63", "protocol_error")
def huge_length(request, connection):
    connection.send(HEAD + b"Content-Length: 9223372036854775808\r\n\r\nhello")


@fault("a blank before the colon of Transfer-Encoding", "protocol_error")
def blank_before_colon(request, connection):
    connection.send(HEAD + b"Transfer-Encoding : chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")


@fault("chunked is not the last transfer coding", "protocol_error")
def chunked_then_gzip(request, connection):
    connection.send(HEAD + b"Transfer-Encoding: chunked, gzip\r\n\r\n5\r\nhello\r\n0\r\n\r\n")


@fault("an answer before the request", "protocol_error", "recv_failed", GOOD, origin=RAW)
def early_answer(connection):
    connection.send(answer(GOOD, fields=["Connection: close"]))
    connection.hold()


@fault("a second answer behind the first")
def second_answer(request, connection):
    """Which must not be the answer to the next request on this connection."""
    connection.send(answer(GOOD) + answer(b"another caller's"))
