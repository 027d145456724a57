"""Content codings that are broken, cut, too deep, or decode to more than anybody wants."""

import gzip
import zlib

import brotli
import zstandard

from .fault import GOOD, HEAD, fault

MIB = 1 << 20
PACKED = gzip.compress(GOOD, mtime=0)


def send(connection, coding, body, close=False):
    length = b"" if close else b"Content-Length: %d\r\n" % len(body)
    connection.send(HEAD + b"Content-Encoding: %b\r\n" % coding + length + b"\r\n" + body)
    if close:
        connection.close()


def zstd(body, window_log):
    parameters = zstandard.ZstdCompressionParameters(window_log=window_log, enable_ldm=False)
    c = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    return c.compress(body) + c.flush()


@fault("gzip that is none", "protocol_error", after_head=None, decompress=True)
def no_gzip(request, connection):
    send(connection, b"gzip", b"plain text")


@fault("gzip that is cut", "incomplete_body", after_head=None, decompress=True)
def cut_gzip(request, connection):
    send(connection, b"gzip", PACKED[:-9])


@fault("gzip with a wrong checksum", "protocol_error", after_head=None, decompress=True)
def wrong_checksum(request, connection):
    send(connection, b"gzip", PACKED[:-8] + b"\0\0\0\0" + PACKED[-4:])


@fault("deflate that is none", "protocol_error", after_head=None, decompress=True)
def no_deflate(request, connection):
    send(connection, b"deflate", b"\xff" * 100)


@fault("br that is none", "protocol_error", after_head=None, decompress=True)
def no_brotli(request, connection):
    send(connection, b"br", b"\xff" * 100)


@fault("br that is cut", "incomplete_body", after_head=None, decompress=True)
def cut_brotli(request, connection):
    send(connection, b"br", brotli.compress(GOOD)[:-2])


@fault("br with a large window", "protocol_error", after_head=None, decompress=True)
def large_brotli_window(request, connection):
    send(connection, b"br", b"\x11\x3e" + b"\0" * 100)  # window bits 62, of the large format


@fault("zstd that is none", "protocol_error", after_head=None, decompress=True)
def no_zstd(request, connection):
    send(connection, b"zstd", b"plain text")


@fault("zstd that is cut", "incomplete_body", after_head=None, decompress=True)
def cut_zstd(request, connection):
    send(connection, b"zstd", zstd(GOOD, 17)[:-3])


@fault("zstd with a window of 2 GiB", "protocol_error", after_head=None, decompress=True)
def large_zstd_window(request, connection):
    frame = bytearray(zstd(GOOD, 20))
    assert frame[4] & 0x20 == 0  # it has a window descriptor
    frame[5] = (31 - 10) << 3
    send(connection, b"zstd", bytes(frame))


@fault("five codings, one more than are undone", "protocol_error", GOOD, decompress=True)
def five_codings(request, connection):
    body = GOOD
    for _ in range(5):
        body = gzip.compress(body)
    send(connection, b"gzip, gzip, gzip, gzip, gzip", body)


@fault("a coding that nobody knows")
def unknown_coding(request, connection):
    send(connection, b"x-unknown", GOOD)


@fault("bytes behind the end of the coding", decompress=True)
def bytes_behind(request, connection):
    send(connection, b"gzip", PACKED + b"padding" * 10)


def bomb(name, coding, body, memory):
    """64 MiB of zeros, where the caller wants 1 MiB."""
    @fault(name, "response_too_large", after_head=True, decompress=True, max_body_bytes=MIB,
           memory=memory)
    def send_bomb(request, connection):
        send(connection, coding, body)


def zeros():
    return bytes(64 * MIB)


bomb("a bomb in gzip", b"gzip", gzip.compress(zeros(), 1), 64 * MIB)
bomb("a bomb in gzip in gzip", b"gzip, gzip", gzip.compress(gzip.compress(zeros(), 1)), 64 * MIB)
bomb("a bomb in deflate", b"deflate", zlib.compress(zeros(), 1), 64 * MIB)
bomb("a bomb in br, with a window of 16 MiB", b"br", brotli.compress(zeros(), quality=1, lgwin=24),
     430 * MIB)
bomb("a bomb in zstd, with a window of 8 MiB", b"zstd", zstd(zeros(), 23), 96 * MIB)


@fault("gzip members without a byte, without end", "protocol_error", after_head=None,
       decompress=True)
def empty_members(request, connection):
    connection.send(HEAD + b"Content-Encoding: gzip\r\n\r\n")
    while True:
        connection.send(gzip.compress(b"") * 1000)
