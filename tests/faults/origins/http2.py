"""HTTP/2: streams and connections that end early, frames that are malformed, floods of them."""

import functools

from .fault import GOOD, HTTP2, RAW, fault
from .heads import pour

MIB = 1 << 20
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, \
    CONTINUATION, UNKNOWN = range(11)
END_STREAM = ACK = 1
END_HEADERS = 4
STATUS_200 = b"\x88"  # of HPACK's static table
PRIOR = {"http_version": "2-prior-knowledge"}

stream_fault = functools.partial(fault, origin=HTTP2, **PRIOR)
frame_fault = functools.partial(fault, origin=RAW, **PRIOR)
BROKEN = ("protocol_error", "recv_failed", "send_failed")


def frame(kind, flags=0, stream=0, payload=b""):
    return (len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big")
            + payload)


def literal(name, value):
    """HPACK: a field that enters no table."""
    def text(s):
        n = len(s)
        size, rest = (bytes([n]), b"") if n < 127 else (b"\x7f", b"")
        n -= 127
        while n >= 128 and size == b"\x7f":
            rest += bytes([n % 128 + 128])
            n //= 128
        return size + (rest + bytes([n]) if size == b"\x7f" else b"") + s

    return b"\0" + text(name) + text(value)


def requests(connection):
    """Settings; then the stream of each request."""
    connection.send(frame(SETTINGS) + frame(SETTINGS, ACK))
    connection.read(24)
    while True:
        head = connection.read(9)
        connection.read(int.from_bytes(head[:3], "big"))
        if head[3] == HEADERS:
            yield int.from_bytes(head[5:], "big")


def answering(name, outcomes=BROKEN, **more):
    """The decorated function gives the bytes that follow a request, by its stream."""
    def add(bytes_of):
        @frame_fault(name, *outcomes, **more)
        def act(connection):
            for stream in requests(connection):
                connection.send(bytes_of(stream))

    return add


# Of an error of the whole connection libcurl learns at the next byte, or at the connect timeout.
# Who waits to share the connection has sent nothing by then.
LATE = (*BROKEN, "timeout", "connect_timeout")
breaking = functools.partial(answering, outcomes=LATE, timeout=1)


def flood(name, after=lambda stream: b"", **more):
    """The same, without end, behind what `after` gives once."""
    def add(bytes_of):
        @frame_fault(name, *BROKEN, "timeout", timeout=1, **more)
        def act(connection):
            stream = next(requests(connection))
            connection.send(after(stream))
            pour(connection, bytes_of(stream))

    return add


def head(stream, block=STATUS_200, flags=END_HEADERS):
    return frame(HEADERS, flags, stream, block)


# -- streams and connections that end --------------------------------------------------------------


@stream_fault("GOAWAY below the stream, each time", *BROKEN)
def goaway_below(request, connection, stream):
    connection.goaway(0)
    connection.close()


@stream_fault("GOAWAY, and an answer")
def goaway_and_answer(request, connection, stream):
    connection.write(frame(GOAWAY, 0, 0, (2**31 - 1).to_bytes(4, "big") + bytes(4)))
    connection.respond(stream, body=GOOD)


@stream_fault("GOAWAY in the body, and an end", *BROKEN, "incomplete_body", after_head=None)
def goaway_in_body(request, connection, stream):
    connection.respond(stream, body=b"half", end=False)
    connection.goaway(stream)
    connection.close()


@stream_fault("an end in the body", *BROKEN, "incomplete_body", after_head=None)
def end_in_body(request, connection, stream):
    connection.respond(stream, body=b"half", end=False)
    connection.close()


def reset_before_head(code, *outcomes):
    @stream_fault(f"RST_STREAM with code {code} before the head", *outcomes)
    def reset(request, connection, stream):
        connection.reset_stream(stream, code)


for code in (0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 99):
    reset_before_head(code, *BROKEN)


@stream_fault("RST_STREAM in the body", *BROKEN, "incomplete_body", after_head=None)
def reset_in_body(request, connection, stream):
    connection.respond(stream, body=b"half", end=False)
    connection.reset_stream(stream, 2)


@stream_fault("RST_STREAM with NO_ERROR in a body with a length", "incomplete_body",
              after_head=None)
def reset_without_error(request, connection, stream):
    connection.respond(stream, fields=[("content-length", "100")], body=b"half", end=False)
    connection.reset_stream(stream, 0)


# The known exception of docs/api.md: the day that libcurl tells, this fails, and both are wrong.
@stream_fault("RST_STREAM with NO_ERROR in a body without length", b"half")
def reset_without_error_or_length(request, connection, stream):
    connection.respond(stream, body=b"half", end=False)
    connection.reset_stream(stream, 0)


@stream_fault("a body shorter than its length", *BROKEN, "incomplete_body", after_head=None)
def short_body(request, connection, stream):
    connection.respond(stream, fields=[("content-length", "100")], body=b"half")


@stream_fault("a body longer than its length", *BROKEN, after_head=None)
def long_body(request, connection, stream):
    connection.respond(stream, fields=[("content-length", "2")], body=b"more")


@stream_fault("a body that stops", "timeout", after_head=True, timeout=0.4)
def stalled_body(request, connection, stream):
    connection.respond(stream, body=b"half", end=False)


@stream_fault("no byte of an answer", "timeout", timeout=0.4)
def silence(request, connection, stream):
    pass


@stream_fault("a body over the limit", "response_too_large", after_head=True,
              max_body_bytes=MIB // 4, memory=128 * MIB)
def endless_body(request, connection, stream):
    connection.respond(stream, body=b"x" * 16000, end=False)
    for _ in range(64):
        connection.write(frame(DATA, 0, stream, b"x" * 16384))


# -- connections that say nothing ------------------------------------------------------------------


@frame_fault("no settings", "timeout", timeout=0.4)
def no_settings(connection):
    connection.hold()


@frame_fault("an answer of HTTP/1.1", *LATE, timeout=1)
def http1_answer(connection):
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    connection.hold()


@frame_fault("no window for the request's body", "timeout", timeout=0.4, method="POST",
             body="x" * 200_000)
def no_window(connection):
    connection.send(frame(SETTINGS, 0, 0, b"\0\x04\0\0\0\0"))  # INITIAL_WINDOW_SIZE 0
    next(requests(connection))
    connection.hold()


@frame_fault("no stream is allowed", "timeout", "connect_timeout", timeout=0.4)
def no_stream(connection):
    connection.send(frame(SETTINGS, 0, 0, b"\0\x03\0\0\0\0"))  # MAX_CONCURRENT_STREAMS 0
    connection.hold()


# -- heads -----------------------------------------------------------------------------------------


@answering("no status")
def no_status(stream):
    return head(stream, literal(b"content-type", b"text/plain"))


@answering("two statuses")
def two_statuses(stream):
    return head(stream, STATUS_200 * 2)


@answering("a status that is no number")
def odd_status(stream):
    return head(stream, literal(b":status", b"abc"))


@answering("status 101")
def status_101(stream):
    return head(stream, literal(b":status", b"101"))


@answering("an unknown pseudo field")
def unknown_pseudo(stream):
    return head(stream, STATUS_200 + literal(b":odd", b"1"))


@answering("a status behind a field")
def late_status(stream):
    return head(stream, literal(b"x", b"1") + STATUS_200)


@answering("a name in upper case")
def upper_case(stream):
    return head(stream, STATUS_200 + literal(b"X-Odd", b"1"))


@answering("a field of the connection")
def connection_field(stream):
    return head(stream, STATUS_200 + literal(b"transfer-encoding", b"chunked"))


@answering("a control character in a value")
def control_character(stream):
    return head(stream, STATUS_200 + literal(b"x-odd", b"a\r\nx: b"))


@breaking("HPACK with an index that is none")
def bad_index(stream):
    return head(stream, b"\xff\xff\x7f")


@breaking("HPACK that is cut")
def cut_hpack(stream):
    return head(stream, STATUS_200 + b"\0\x7f\xff")


@breaking("HPACK with a table of 4 GiB")
def large_table(stream):
    return head(stream, b"\x3f\xe1\xff\xff\xff\x0f" + STATUS_200)


@answering("an HPACK bomb")
def hpack_bomb(stream):
    """One field of 4,000 bytes enters the table; 16,000 references to it are 64 MB."""
    entry = b"\x40\x01x\x7f" + bytes([(3900 - 127) % 128 + 128, (3900 - 127) // 128]) + b"y" * 3900
    return (head(stream, STATUS_200 + entry, 0) + frame(CONTINUATION, 0, stream, b"\xbe" * 16000)
            + frame(CONTINUATION, END_HEADERS, stream, b"\xbe" * 100))


@answering("a head of 5,000 fields")
def many_fields(stream):
    blocks = [literal(b"x", b"1") * 2500] * 2
    return (head(stream, STATUS_200, 0) + frame(CONTINUATION, 0, stream, blocks[0])
            + frame(CONTINUATION, END_HEADERS, stream, blocks[1]))


@answering("a field of 1 MB")
def long_field(stream):
    block = STATUS_200 + literal(b"x-field", b"y" * MIB)
    pieces = [block[i:i + 16384] for i in range(0, len(block), 16384)]
    more = b"".join(frame(CONTINUATION, 0, stream, p) for p in pieces[1:-1])
    return (head(stream, pieces[0], 0) + more
            + frame(CONTINUATION, END_HEADERS, stream, pieces[-1]))


@flood("CONTINUATION without end", after=lambda stream: head(stream, STATUS_200, 0))
def endless_continuation(stream):
    return frame(CONTINUATION, 0, stream, literal(b"x", b"y" * 100)) * 100


@flood("empty CONTINUATION without end", after=lambda stream: head(stream, STATUS_200, 0))
def empty_continuation(stream):
    return frame(CONTINUATION, 0, stream) * 1000


@flood("status 103 without end")
def endless_103(stream):
    return head(stream, literal(b":status", b"103")) * 100


@answering("trailers that are too long", after_head=None)
def long_trailers(stream):
    block = literal(b"x-trailer", b"y" * 15000)
    more = b"".join(frame(CONTINUATION, 0, stream, block) for _ in range(40))
    return (head(stream) + frame(DATA, 0, stream, b"half") + head(stream, block, END_STREAM) + more
            + frame(CONTINUATION, END_HEADERS, stream))


@answering("trailers with a status", after_head=None)
def status_in_trailers(stream):
    return (head(stream) + frame(DATA, 0, stream, b"half")
            + head(stream, STATUS_200, END_HEADERS | END_STREAM))


@answering("trailers that do not end the stream", (*BROKEN, "timeout"), after_head=None,
           timeout=0.4)
def trailers_in_between(stream):
    trailers = head(stream, literal(b"x-trailer", b"1"))
    return head(stream) + frame(DATA, 0, stream, b"half") + trailers * 2


# -- frames that are malformed, or in the wrong place ----------------------------------------------


@breaking("DATA before the head")
def data_first(stream):
    return frame(DATA, END_STREAM, stream, b"body")


@breaking("DATA on stream 0")
def data_on_zero(stream):
    return frame(DATA, 0, 0, b"body")


@breaking("HEADERS on a stream that nobody opened")
def unknown_stream(stream):
    return head(stream + 100)


@breaking("a frame larger than allowed", after_head=None)
def large_frame(stream):
    return head(stream) + frame(DATA, 0, stream, b"x" * 100_000)


@breaking("a PUSH_PROMISE")
def push_promise(stream):
    return frame(PUSH_PROMISE, END_HEADERS, stream, b"\0\0\0\x02" + STATUS_200)


@breaking("a window that overflows")
def window_overflow(stream):
    return frame(WINDOW_UPDATE, 0, 0, b"\x7f\xff\xff\xff") * 2


@answering("a stream's window that overflows")
def stream_window_overflow(stream):
    return frame(WINDOW_UPDATE, 0, stream, b"\x7f\xff\xff\xff") * 2


@breaking("a window that grows by 0")
def window_by_zero(stream):
    return frame(WINDOW_UPDATE, 0, 0, bytes(4))


@breaking("SETTINGS of an odd length")
def odd_settings(stream):
    return frame(SETTINGS, 0, 0, b"\0\x04\0")


@breaking("a frame within a head")
def frame_in_head(stream):
    return head(stream, STATUS_200, 0) + frame(PING, 0, 0, bytes(8))


LARGE = b"x" * 16384 * 128


# libcurl may give more window in time: then the body is right.
@answering("DATA beyond the window", (*BROKEN, LARGE), after_head=None, memory=128 * MIB)
def beyond_window(stream):
    frames = [frame(DATA, 0, stream, LARGE[:16384]) for _ in range(127)]
    return head(stream) + b"".join(frames) + frame(DATA, END_STREAM, stream, LARGE[:16384])


# -- floods ----------------------------------------------------------------------------------------


@flood("SETTINGS without end")
def settings_flood(stream):
    return frame(SETTINGS) * 1000


@flood("PING without end")
def ping_flood(stream):
    return frame(PING, 0, 0, b"x" * 8) * 1000


GOAWAYS = frame(GOAWAY, 0, 0, b"\x7f\xff\xff\xff\0\0\0\0") * 1000


@frame_fault("GOAWAY without end", *BROKEN, "timeout", timeout=1)
def send_goaway_without_end(connection):
    next(requests(connection))
    pour(connection, GOAWAYS)


def goaway_without_end():
    """That origin, for a test of its own."""
    return RAW(send_goaway_without_end, None)


@flood("RST_STREAM of other streams without end")
def reset_flood(stream):
    return frame(RST_STREAM, 0, stream + 2, bytes(4)) * 1000


@flood("WINDOW_UPDATE without end")
def window_flood(stream):
    return frame(WINDOW_UPDATE, 0, stream, b"\0\0\0\x01") * 1000


@flood("empty DATA without end", after=head, after_head=None)
def empty_data_flood(stream):
    return frame(DATA, 0, stream) * 1000


@flood("PRIORITY without end")
def priority_flood(stream):
    return frame(PRIORITY, 0, stream, b"\0\0\0\0\x10") * 1000


@flood("unknown frames without end")
def unknown_flood(stream):
    return frame(UNKNOWN + 100, 0, stream, b"x" * 100) * 100


@flood("padding without end", after=head, after_head=None)
def padding_flood(stream):
    return frame(DATA, 8, stream, b"\xff" + bytes(255)) * 100

