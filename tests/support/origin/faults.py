"""Pages with faults: they write to the connection themselves, in HTTP/1.1 only.

A page that returns None is done with the connection, which is then closed.
"""

import asyncio
import socket
import struct

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
FOR_EVER = 3600


def abort(writer):
    """Close with a reset instead of a FIN."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def write(request, data):
    request.connection.writer.write(data)
    await request.connection.writer.drain()


async def close_early(origin, request):
    """Announces 100 bytes, sends ?n= (10)."""
    await write(request, HEAD + b"Content-Length: 100\r\n\r\n" + b"x" * request.arg_int("n", 10))


async def reset(origin, request):
    """?after= bytes of the body (0: before the head)."""
    after = request.arg_int("after", 0)
    if after:
        await write(request, HEAD + b"Content-Length: 100\r\n\r\n" + b"x" * after)
        await asyncio.sleep(0.05)  # let it arrive before the reset overtakes it
    abort(request.connection.writer)


async def stall(origin, request):
    """The head and ?n= bytes of the body, then nothing more."""
    await write(request, HEAD + b"Content-Length: 100\r\n\r\n" + b"x" * request.arg_int("n", 0))
    await asyncio.sleep(FOR_EVER)


async def silent(origin, request):
    await asyncio.sleep(FOR_EVER)


async def half_head(origin, request):
    await write(request, HEAD)
    await asyncio.sleep(FOR_EVER)


async def hang_up(origin, request):
    """Not one byte, then the end."""


async def garbage(origin, request):
    await write(request, b"\x16\x03\x01\x00\xff this is not HTTP\r\n\r\n")


async def endless(origin, request):
    await write(request, HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    while True:
        await write(request, b"10000\r\n" + bytes(0x10000) + b"\r\n")


async def endless_headers(origin, request):
    await write(request, HEAD)
    while True:
        await write(request, b"X-More: and more, and more, and more\r\n" * 64)


async def chunked_broken(origin, request):
    await write(request, HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\nmore\r\n")


async def chunked_short(origin, request):
    """Chunks without the last one."""
    await write(request, HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")


async def bad_header(origin, request):
    """A line without a colon between good ones."""
    await write(request, HEAD + b"this is no header\r\nContent-Length: 3\r\n\r\nok\n")


async def bad_length(origin, request):
    await write(request, HEAD + b"Content-Length: many\r\n\r\nok\n")


async def bad_gzip(origin, request):
    body = b"\x1f\x8b this is not gzip"
    await write(request, HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b"
                 % (len(body), body))


async def early_hints(origin, request):
    """An interim response before the final one."""
    await write(request, b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n")
    await write(request, HEAD + b"Content-Length: 3\r\nConnection: close\r\n\r\nok\n")


PAGES = {
    "/close-early": close_early, "/reset": reset, "/stall": stall, "/silent": silent,
    "/half-head": half_head, "/hang-up": hang_up, "/garbage": garbage, "/endless": endless,
    "/endless-headers": endless_headers, "/chunked-broken": chunked_broken,
    "/chunked-short": chunked_short, "/bad-header": bad_header, "/bad-length": bad_length,
    "/bad-gzip": bad_gzip, "/early-hints": early_hints,
}
