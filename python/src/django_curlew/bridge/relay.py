"""Relaying a stream of the daemon's to the ASGI server."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any, Awaitable, List, Tuple

from ..daemon import DaemonError
from .response_sender import ResponseAborted, sender_for
from .scope import Receive, Send

log = logging.getLogger("django_curlew.bridge")

Headers = List[Tuple[bytes, bytes]]


async def send_problem(send: Send, status: int, code: str, detail: str) -> None:
    """A problem document (RFC 9457) of the bridge's own, like the daemon's (docs/api.md)."""
    problem = {"type": f"urn:curlew:problem:{code}", "status": status, "code": code}
    body = json.dumps({**problem, "title": detail, "detail": detail}).encode()
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
    ]
    if status == 401:
        headers.append((b"www-authenticate", b'Bearer realm="curlew"'))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def relay_stream(stream: Any, headers: Headers, send: Send, head_only: bool) -> None:
    """Send head and body as they arrive. The last message is sent only if the stream is complete;
    else ResponseAborted is raised."""
    sender = sender_for(send)
    if stream.status > sender.max_status:
        detail = f"this ASGI server can't send the origin's status, {stream.status}"
        log.error("%s", detail, extra={"code": "protocol_error"})
        await send_problem(send, 502, "protocol_error", detail)
        return
    try:
        head = {"type": "http.response.start", "status": stream.status, "headers": headers}
        await sender.send(head)
        while not head_only and (piece := await stream.read()):
            await sender.send({"type": "http.response.body", "body": piece, "more_body": True})
            await asyncio.sleep(0)  # if both sides are fast, nothing above lets other tasks run
    except DaemonError as err:
        log.error("aborted a response: %s", err, extra={"code": err.code})
        await sender.abort()
        raise ResponseAborted(str(err)) from None
    finally:
        sender.finish()
    await send({"type": "http.response.body", "body": b""})


async def cancel_on_disconnect(disconnect: Awaitable[None], job: Awaitable[None]) -> None:
    """Run the job; if the client disconnects, cancel it."""
    working = asyncio.ensure_future(job)
    disconnected = asyncio.ensure_future(disconnect)
    both = (working, disconnected)
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    finally:
        done = working.done()
        for task in both:
            task.cancel()
        await asyncio.gather(*both, return_exceptions=True)
    if done:
        working.result()


async def wait_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
