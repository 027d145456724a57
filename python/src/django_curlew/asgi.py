"""The bridge: curlewd for an ASGI server, with no web server between.

    application = CurlewBridge(get_asgi_application())

It speaks FastCGI to the daemon's socket and does two things that nginx does elsewhere.

**Hand-off.** A response with a header `X-Curlew-Request` (HandOff makes one) is replaced by what
the daemon fetches for it, as it comes: a client that reads slowly slows the origin down, one that
leaves cancels the fetch, and a fetch that breaks off looks broken to the client. The view is done
before the first byte. Clients can't set it off: only a response's header counts, and none leaves.

**The mount.** Below `mount`, the daemon's own routes. It fetches whatever URL it is told, so it is
closed to the outside: it answers a client that is on this machine (a loopback address), that came
directly (no header of a proxy's or a browser's, HTTP/1.1 or later) and that asked for this machine
(Host is localhost or a loopback address). Behind a web server on the same machine which adds no
header at all nobody could tell; `mount=None` is then the answer. `open=True` answers everybody,
for a daemon that asks for tokens.

Lifespan events, websockets and every other request go to the application untouched.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import logging
from typing import Any, Awaitable, Callable, Dict, Iterable, List, Optional, Tuple

from . import conf
from .fastcgi_params import environ
from .servers import BrokenOff, Message, Outlet, Send, outlet

Scope = Dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = List[Tuple[bytes, bytes]]

REQUEST = b"x-curlew-request"
EXTENSION = "curlew.handoff"  # in scope["extensions"]: HandOff then says it all in its header
MAX_BODY = 16 << 20  # bytes of a request to the mount; the daemon's own default limit

# What a response hands off describes no longer: these are the fetch's to say, as is the status.
DESCRIBES_BODY = {
    *(b"accept-ranges", b"content-encoding", b"content-language", b"content-length"),
    *(b"content-location", b"content-range", b"content-type", b"etag", b"last-modified"),
    *(b"content-md5", b"digest", b"transfer-encoding"),
}
# Never passed on: the hand-off's own, those that speak to a web server, and those that every ASGI
# server adds by itself.
WITHHELD = {REQUEST, b"x-accel-redirect", b"date", b"server"}

# A client on this machine that asks the mount has no reason to send any of these.
FROM_A_PROXY = (b"x-forwarded", b"forwarded", b"x-real-ip", b"via", b"x-client-ip", b"true-client")
FROM_A_BROWSER = (b"origin", b"referer", b"cookie", b"sec-")

log = logging.getLogger("django_curlew.bridge")


class CurlewBridge:
    """An ASGI application around another; see this module's own words."""

    def __init__(
        self,
        application: Application,
        mount: Optional[str] = "/_fetch",
        *,
        open: bool = False,
        hand_off: bool = True,
        url: Optional[str] = None,
    ) -> None:
        if mount is not None and not (mount.startswith("/") and mount.strip("/")):
            raise ValueError(f"mount: a path below /, such as /_fetch, or None; not {mount!r}")
        self.application = application
        self.mount = mount and mount.rstrip("/")
        self.open = open
        self.hand_off = hand_off
        self.url = url  # of the daemon's FastCGI socket; None: CURLEW's BRIDGE_URL or URL

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.application(scope, receive, send)
        elif self.mount and _is_below(self.mount, _path(scope)):
            await self.serve(scope, receive, send)
        elif self.hand_off:
            await self.watch(scope, receive, send)
        else:
            await self.application(scope, receive, send)

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A request to the mount."""
        why = None if self.open else why_not_local(scope)
        if why:
            log.warning("%s is closed to this client: %s", self.mount, why)
            await refuse(send, 403, "forbidden", "Only clients on this machine may ask here")
            return
        body = await read_body(receive)
        if body is None:
            await refuse(send, 413, "request_too_large", f"A request has at most {MAX_BODY} bytes")
            return
        params = environ(scope, self._script_name(scope), len(body))
        await self.deliver(params, body, receive, send, as_it_is)

    async def watch(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Any other request: the application's, until it hands off."""
        view = View(receive, send)
        extensions = {**(scope.get("extensions") or {}), EXTENSION: {}}
        await self.application({**scope, "extensions": extensions}, view.receive, view.send)
        if view.handed is None or view.left:
            return
        params = environ(scope, self._script_name(scope), None)
        params["CURLEW_REQUEST"] = view.handed
        await self.deliver(params, b"", receive, send, view.merged)

    def _script_name(self, scope: Scope) -> str:
        return _path(scope)

    async def deliver(
        self,
        params: Dict[str, str],
        body: bytes,
        receive: Receive,
        send: Send,
        merged: Callable[[Iterable[Tuple[bytes, bytes]]], Headers],
    ) -> None:
        """Ask the daemon and pass on what it says, for as long as the client stays."""
        await while_connected(receive, self._deliver(params, body, send, merged))

    async def _deliver(self, params: Any, body: bytes, send: Send, merged: Any) -> None:
        try:
            stream = await open_stream(self.url or conf.bridge_url(), params, body)
        except Unreachable as why:
            log.error("%s", why)
            await refuse(send, 502, "unreachable", "curlewd does not answer")
            return
        try:
            await pass_on(stream, merged(stream.headers), outlet(send))
        finally:
            await stream.aclose()


class View:
    """What the application is given in place of receive and send, and what it handed off."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self.left = False  # the client has, and the application took the server's only word of it
        self.handed: Optional[str] = None  # a request object, or a reference
        self.headers: Headers = []  # the view's own

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self.left = True
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", ()))
            handed = [value for name, value in headers if name.lower() == REQUEST]
            if handed:
                self.handed = handed[0].decode("latin-1")
                self.headers = [(name.lower(), value) for name, value in headers]
        if self.handed is None:
            await self._send(message)

    def merged(self, fetched: Iterable[Tuple[bytes, bytes]]) -> Headers:
        """The answer's headers: the fetch describes the body, the rest is the view's to say."""
        told = [(n, v) for n, v in as_it_is(fetched) if n not in WITHHELD and _of_browsers(n, v)]
        own = [(n, v) for n, v in self.headers if n not in WITHHELD | DESCRIBES_BODY]
        said = {name for name, _ in told}
        wins = {name for name, _ in own} - {b"vary"}
        if b"cache-control" in said:  # only a failure's answer has one: it must not be kept
            wins -= {b"cache-control", b"expires"}
            own = [(n, v) for n, v in own if n not in (b"cache-control", b"expires")]
        return [*own, *((n, v) for n, v in told if n not in wins)]


def _of_browsers(name: bytes, value: bytes) -> bool:
    return not name.startswith(b"x-accel-")


def as_it_is(headers: Iterable[Tuple[bytes, bytes]]) -> Headers:
    """In lower case, as ASGI wants them."""
    return [(name.lower(), value) for name, value in headers]
