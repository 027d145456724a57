"""HTTP/1.1 bodies that are cut, stop, never end, or are not framed as they should be."""

from tests.support.scripted_origin import answer

from .fault import CHUNKED, GOOD, HEAD, fault
from .heads import pour

MIB = 1 << 20


@fault("a body shorter than its length", "incomplete_body", after_head=None)
def short_body(request, connection):
    connection.send(HEAD + b"Content-Length: 100\r\n\r\nhalf")
    connection.close()


@fault("a body longer than its length")
def long_body(request, connection):
    connection.send(answer(GOOD) + b"more than that")


# What the kernel has received and the daemon has not read is lost at a reset.
@fault("a reset in the body", "recv_failed", after_head=None)
def reset_in_body(request, connection):
    connection.send(HEAD + b"Content-Length: 100\r\n\r\nhalf")
    connection.reset()


@fault("a reset behind the last byte", "recv_failed", "incomplete_body", GOOD, after_head=None)
def reset_at_the_end(request, connection):
    connection.send(answer(GOOD))
    connection.reset()


@fault("a body that stops", "timeout", after_head=True, timeout=0.4)
def stalled_body(request, connection):
    connection.send(HEAD + b"Content-Length: 100\r\n\r\nhalf")
    connection.hold()


@fault("a body that stops, by the idle timeout", "idle_timeout", after_head=True,
       timeout={"idle": 0.4})
def stalled_body_idle(request, connection):
    connection.send(HEAD + b"Content-Length: 100\r\n\r\nhalf")
    connection.hold()


@fault("a body of which a byte comes now and then", "timeout", after_head=True, timeout=0.6)
def slow_body(request, connection):
    connection.send(HEAD + b"Content-Length: 1000\r\n\r\n")
    connection.send(b"x" * 1000, pause=0.1)


@fault("a body without end", "response_too_large", after_head=True, max_body_bytes=MIB,
       memory=96 * MIB)
def endless_body(request, connection):
    connection.send(HEAD + b"\r\n")
    pour(connection, b"x" * 65536)


@fault("chunks without end", "response_too_large", after_head=True, max_body_bytes=MIB // 4,
       memory=64 * MIB)
def endless_chunks(request, connection):
    connection.send(CHUNKED)
    pour(connection, b"1\r\nx\r\n" * 5000)


@fault("a broken chunk size", "protocol_error", after_head=None)
def broken_chunk_size(request, connection):
    connection.send(CHUNKED + b"zz\r\nhello\r\n0\r\n\r\n")


@fault("a chunk size below 0", "protocol_error", after_head=None)
def negative_chunk_size(request, connection):
    connection.send(CHUNKED + b"5\r\nhello\r\n-5\r\nhello\r\n0\r\n\r\n")


@fault("a chunk size past 2^64", "protocol_error", after_head=None)
def huge_chunk_size(request, connection):
    connection.send(CHUNKED + b"f" * 17 + b"\r\nhello\r\n0\r\n\r\n")


@fault("a chunk size without end", "protocol_error", after_head=None)
def endless_chunk_size(request, connection):
    connection.send(CHUNKED)
    pour(connection, b"0" * 10000)


@fault("a chunk extension without end", "protocol_error", "timeout", after_head=None, timeout=1)
def endless_chunk_extension(request, connection):
    connection.send(CHUNKED + b"5;")
    pour(connection, b"x" * 10000)


@fault("no line end behind a chunk", "protocol_error", after_head=None)
def no_end_of_chunk(request, connection):
    connection.send(CHUNKED + b"5\r\nhelloXX\r\n0\r\n\r\n")


@fault("chunks that are cut", "incomplete_body", "recv_failed", after_head=None)
def cut_chunks(request, connection):
    connection.send(CHUNKED + b"5\r\nhello\r\n5\r\nhel")
    connection.close()


@fault("chunks without the last one", "incomplete_body", "recv_failed", after_head=None)
def no_last_chunk(request, connection):
    connection.send(CHUNKED + b"5\r\nhello\r\n")
    connection.close()


@fault("no empty line behind the last chunk", "incomplete_body", "recv_failed", after_head=None)
def no_end_of_trailers(request, connection):
    connection.send(CHUNKED + b"5\r\nhello\r\n0\r\n")
    connection.close()


@fault("trailers without end", "protocol_error", after_head=None)
def endless_trailers(request, connection):
    connection.send(CHUNKED + b"5\r\nhello\r\n0\r\n")
    pour(connection, b"X-Trailer: x\r\n" * 1000)


@fault("a trailer without end", "protocol_error", after_head=None)
def endless_trailer(request, connection):
    connection.send(CHUNKED + b"5\r\nhello\r\n0\r\nX-Trailer: ")
    pour(connection, b"x" * 10000)


@fault("a trailer folded over lines without end", "protocol_error", after_head=None)
def endless_folded_trailer(request, connection):
    connection.send(CHUNKED + b"5\r\nhello\r\n0\r\nX-Trailer: x\r\n")
    pour(connection, b" x\r\n" * 1000)


@fault("a status line among the trailers", "protocol_error", after_head=None)
def status_in_trailer(request, connection):
    connection.send(CHUNKED + b"5\r\nhello\r\n0\r\nHTTP/1.1 200 x\r\n\r\n")


@fault("a body behind status 204", "protocol_error", "recv_failed", b"", after_head=None)
def body_of_204(request, connection):
    connection.send(b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello")
