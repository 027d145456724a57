"""From the daemon's stream to the ASGI server."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any, Awaitable, List, Tuple

from ..daemon import DaemonError
from .scope import Receive, Send
from .servers import BrokenOff, outlet

log = logging.getLogger("django_curlew.bridge")

Headers = List[Tuple[bytes, bytes]]


async def refuse(send: Send, status: int, code: str, detail: str) -> None:
    """A problem document of the bridge's own, as the daemon writes them (docs/api.md)."""
    problem = {"type": f"urn:curlew:problem:{code}", "status": status, "code": code}
    body = json.dumps({**problem, "title": detail, "detail": detail}).encode()
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def pass_on(stream: Any, headers: Headers, send: Send, head_only: bool) -> None:
    """Head and body as they come; the last message only after the stream's proper end."""
    out = outlet(send)
    try:
        head = {"type": "http.response.start", "status": stream.status, "headers": headers}
        await out.write(head)
        while not head_only and (piece := await stream.read()):
            await out.write({"type": "http.response.body", "body": piece, "more_body": True})
            await asyncio.sleep(0)  # where both sides are quick, nothing above lets others in
    except DaemonError as why:
        log.error("a response was broken off: %s", why)
        await out.break_off()
        raise BrokenOff(str(why)) from None
    finally:
        out.release()
    await send({"type": "http.response.body", "body": b""})


async def while_connected(receive: Receive, job: Awaitable[None]) -> None:
    """Do the job; a client that leaves cancels it."""
    working = asyncio.ensure_future(job)
    leaving = asyncio.ensure_future(_left(receive))
    both = (working, leaving)
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    finally:
        done = working.done()
        for task in both:
            task.cancel()
        await asyncio.gather(*both, return_exceptions=True)
    if done:
        working.result()


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
