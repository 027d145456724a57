"""Pages for streams: bodies counted as they are sent, timed events, breaks of every kind."""

import asyncio
import hashlib
import json
import re
import time

from .faults import FOR_EVER, abort, write
from .message import Response

PIECE = 16384
ENDLESS = 1 << 50
SEND_BUFFER = 65536  # bytes that the kernel holds for us: what we count has nearly arrived


def _pieces(size):
    pattern = bytes(range(256)) * (PIECE // 256)
    for at in range(0, size, PIECE):
        yield pattern[:size - at]


async def pour(origin, request):
    """?n= bytes (for ever), counted in …/_sent; ?chunked; ?rate= bytes a second."""
    size, rate = request.arg_int("n", ENDLESS), request.arg_float("rate", 0)
    chunked = size == ENDLESS or request.arg("chunked") is not None
    request.connection.limit_send_buffer(SEND_BUFFER)

    async def body():
        origin.stats.sent[request.target] = 0
        for piece in _pieces(size):
            yield piece  # and come back once there is room for more
            origin.stats.sent[request.target] += len(piece)
            if rate:
                await asyncio.sleep(len(piece) / rate)

    return Response(headers=[["Content-Type", "application/octet-stream"]], body=body(),
                    length=None if chunked else size)


async def sent(origin, request):
    """How much of a /pour has left."""
    return Response(body=json.dumps(origin.stats.sent.get(request.arg("target"), 0)).encode())


async def ticks(origin, request):
    """?n= server-sent events, one every ?every= seconds, each with the time of its leaving."""
    async def body():
        for _ in range(request.arg_int("n", 3)):
            await asyncio.sleep(request.arg_float("every", 0.05))
            yield f"data: {time.monotonic()}\n\n".encode()

    return Response(headers=[["Content-Type", "text/event-stream"], ["Cache-Control", "no-cache"]],
                    body=body())


async def cut(origin, request):
    """?n= bytes of a body that would have gone on; then ?how= close, reset or stall.

    ?framing= length or chunked; ?type= text/plain.
    """
    n, how = request.arg_int("n", 10), request.arg("how", "close")
    chunked = request.arg("framing", "length") == "chunked"
    frame = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % (n + 100)
    body = b"x" * n
    if chunked and n:
        body = b"%x\r\n%b\r\n" % (n, body)
    kind = request.arg("type", "text/plain").encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\n%b\r\n\r\n" % (kind, frame)
    await write(request, head + body)
    await asyncio.sleep(0.05)  # a reset must not overtake what was sent
    if how == "reset":
        abort(request.connection.writer)
    elif how == "stall":
        await asyncio.sleep(FOR_EVER)


async def ranges(origin, request):
    """1,000 digits; one range of them where the request asks for it."""
    whole = b"0123456789" * 100
    headers = [["Content-Type", "text/plain"], ["Accept-Ranges", "bytes"], ["ETag", '"v1"']]
    if request.header("if-none-match") == '"v1"':
        return Response(304, headers)
    wanted_range = re.fullmatch(r"bytes=(\d+)-(\d*)", request.header("range", ""))
    if not wanted_range:
        return Response(200, headers, whole)
    first, last = int(wanted_range[1]), min(int(wanted_range[2] or 999), 999)
    if first > last:
        return Response(416, [*headers, ["Content-Range", "bytes */1000"]])
    return Response(206, [*headers, ["Content-Range", f"bytes {first}-{last}/1000"]],
                    whole[first:last + 1])


async def say(origin, request):
    """?h=Name:value, as often as wanted, and ?status=."""
    headers = [h.split(":", 1) for n, h in request.query if n == "h"]
    return Response(request.arg_int("status", 200), headers, b"said\n")


async def upload(origin, request):
    """What came, without giving it all back."""
    told = {"bytes": len(request.body), "sha256": hashlib.sha256(request.body).hexdigest()}
    return Response(headers=[["Content-Type", "application/json"]], body=json.dumps(told).encode())


PAGES = {"/_sent": sent, "/pour": pour, "/ticks": ticks, "/cut": cut, "/ranges": ranges,
         "/say": say, "/upload": upload}
