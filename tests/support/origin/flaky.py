"""A page that fails at first, to test retries, circuit breakers and rate limits."""

import asyncio
import email.utils
import json
import time

from .faults import FOR_EVER, HEAD, abort, write
from .message import Response


async def _hang_up(request):
    """Not one byte, then the end."""


async def _reset(request):
    abort(request.connection.writer)


async def _short(request):
    await write(request, HEAD + b"Content-Length: 100\r\n\r\nonly this")


async def _silent(request):
    await asyncio.sleep(FOR_EVER)


async def _stall(request):
    await write(request, HEAD + b"Content-Length: 100\r\n\r\nonly this")
    await asyncio.sleep(FOR_EVER)


async def _endless(request):
    """A refusal whose body never ends."""
    await write(request, b"HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        await write(request, b"1000\r\n" + bytes(0x1000) + b"\r\n")


FAILURES = {"hang-up": _hang_up, "reset": _reset, "short": _short, "silent": _silent,
            "stall": _stall, "endless": _endless}


def _refusal(request):
    """?status= (503), ?retry_after= seconds, ?after_date= the same as a date, ?cookie=."""
    headers = [["Content-Type", "text/plain"]]
    if after := request.arg("retry_after"):
        headers.append(["Retry-After", after])
    if after := request.arg("after_date"):
        date = email.utils.formatdate(time.time() + float(after), usegmt=True)
        headers.append(["Retry-After", date])
    if cookie := request.arg("cookie"):
        headers.append(["Set-Cookie", cookie])
    return Response(request.arg_int("status", 503), headers, b"not now\n")


async def flaky(origin, request):
    """The first ?fail= tries (1) of a ?key= fail, by a refusal or ?how=; each takes ?wait= seconds.

    Then it tells the try's number and what came with it, or redirects to ?then=.
    """
    key = request.arg("key", "")
    origin.stats.tries[key] += 1
    number = origin.stats.tries[key]
    await asyncio.sleep(request.arg_float("wait", 0))
    if number <= request.arg_int("fail", 1):
        how = request.arg("how")
        return await FAILURES[how](request) if how else _refusal(request)
    if then := request.arg("then"):
        return Response(302, [["Location", then]], b"")
    return Response(200, [["Content-Type", "application/json"]],
                    json.dumps({"try": number, **request.as_dict()}).encode())


PAGES = {"/flaky": flaky}
