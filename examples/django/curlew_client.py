"""A first client for Curlew, in one file: fetch() for sync code, afetch() for async code.

    page = fetch("https://example.org/", headers={"accept": "text/html"}, timeout=5)
    page = await afetch("https://example.org/api", json={"answer": 42})
    page.status, page.text, page.reused

The keywords are the keys of Curlew's request object.  An answer of the origin is a Response,
whatever its status; a fetch that could not be completed raises CurlewError.

Each call opens a connection to the web server in front of curlewd, asks, and closes it.  Nothing
is kept between two calls, on purpose: no pool, no thread, no event loop.  So nothing can be bound
to a loop that has ended (under WSGI, Django runs every async view in a loop of its own), used by
two threads at once, or shared by the children of a fork.  What is worth keeping, the warm
connection to the origin, is kept in curlewd.  The call speaks HTTP/1.0, where an answer ends with
its connection: the same few lines then serve both ways, and a cancelled afetch() needs no more
than to close its connection for curlewd to cancel the fetch.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings


class CurlewError(Exception):
    """A fetch that gave no response: why, in Curlew's words.

    `code` is one of those in docs/api.md (blocked, dns_failed, timeout, ...), "unreachable" where
    nobody answered, or "bad_answer" where somebody else did.
    """

    def __init__(self, code: str, detail: str, status: int = 502) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.status = status  # the HTTP status that Curlew gave, fit for a view's own answer


@dataclass(frozen=True)
class Response:
    """What the origin said (status, headers, content) and all that Curlew knows (envelope)."""

    status: int
    reason: str
    url: str  # where the redirects ended
    http_version: str
    headers: list[list[str]]
    content: bytes
    envelope: dict[str, Any]

    @property
    def reused(self) -> bool:
        """Did a connection that was already open carry it?"""
        return bool(self.envelope["connection"]["reused"])

    @property
    def text(self) -> str:
        return self.content.decode(self.envelope.get("encoding") or "utf-8", "replace")

    def json(self) -> Any:
        return json.loads(self.content)

    def header(self, name: str, default: str | None = None) -> str | None:
        """The first header of that name, in any case."""
        return next((v for n, v in self.headers if n.lower() == name.lower()), default)


def fetch(url: str, **request: Any) -> Response:
    """Fetch a URL, waiting for it in this thread."""
    address, message = _ask(url, request)
    try:
        with socket.create_connection(address, _patience(request)) as web_server:
            web_server.sendall(message)
            return _answer(b"".join(iter(lambda: web_server.recv(65536), b"")))
    except OSError as error:
        raise _unreachable(error) from error


async def afetch(url: str, **request: Any) -> Response:
    """Fetch a URL without holding up the event loop; cancelling it cancels the fetch."""
    address, message = _ask(url, request)
    try:
        return _answer(await asyncio.wait_for(_exchange(address, message), _patience(request)))
    except (OSError, asyncio.TimeoutError) as error:
        raise _unreachable(error) from error


async def _exchange(address: tuple[str, int], message: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(*address)
    try:
        writer.write(message)
        return await reader.read()
    finally:
        writer.transport.abort()  # at once, even with bytes unsent
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def _ask(url: str, request: dict[str, Any]) -> tuple[tuple[str, int], bytes]:
    """Where to connect, and the HTTP request to send there."""
    mount = urlsplit(settings.CURLEW["URL"])
    if isinstance(request.get("body"), bytes):  # JSON has no bytes
        request["body_base64"] = base64.b64encode(request.pop("body")).decode()
    body = json.dumps({"url": url, **request}).encode()
    head = (
        f"POST {mount.path.rstrip('/')}/v1/fetch HTTP/1.0\r\n"
        f"Host: {mount.netloc}\r\n"
        "Content-Type: application/json\r\n"
        "Accept: application/vnd.curlew.frames\r\nConnection: close\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return (mount.hostname or "localhost", mount.port or 80), head.encode() + body


def _answer(raw: bytes) -> Response:  # a frame: a line of JSON, then the body's bytes
    head, _, body = raw.partition(b"\r\n\r\n")
    try:
        ok = head.split(None, 2)[1] == b"200"
        line, _, content = body.partition(b"\n") if ok else (body, b"", b"")
        told = json.loads(line)
        if not ok:
            raise CurlewError(told["code"], told["detail"], told["status"])
        if len(content) < told["body_bytes"]:
            raise CurlewError("bad_answer", "the web server cut the answer short")
        named = {key: told[key] for key in ("status", "reason", "url", "http_version", "headers")}
        return Response(**named, content=content[: told["body_bytes"]], envelope=told)
    except (ValueError, LookupError, TypeError):
        first = raw.split(b"\r\n", 1)[0][:100]
        where = settings.CURLEW["URL"]
        raise CurlewError("bad_answer", f"no Curlew at {where}: {first!r}") from None


def _patience(request: dict[str, Any]) -> float:
    """Seconds to wait for the web server.  The limits of a fetch are Curlew's; this is the last."""
    limit = request.get("timeout")
    total = limit.get("total") if isinstance(limit, dict) else limit
    ours: float = settings.CURLEW.get("PATIENCE", 60)
    return max(ours, total + 5) if isinstance(total, (int, float)) else ours


def _unreachable(error: Exception) -> CurlewError:
    what = str(error) or "no answer in time"
    return CurlewError("unreachable", f"{settings.CURLEW['URL']}: {what}")
