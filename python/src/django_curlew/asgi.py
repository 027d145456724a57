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

import logging
from typing import Awaitable, Callable, Dict, Iterable, List, Optional, Tuple

from . import ahead, conf, daemon
from .bridge.access import why_not_local
from .bridge.relay import pass_on, refuse, while_connected
from .bridge.scope import (
    MAX_BODY,
    Left,
    Message,
    Receive,
    Scope,
    Send,
    TooLarge,
    environ,
    is_below,
    path_of,
    read_body,
    told_of_bridge,
)

Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = List[Tuple[bytes, bytes]]
Merge = Callable[[Headers], Headers]

REQUEST = b"x-curlew-request"
INLINE = 128 << 10  # bytes of a request object that fit among a request's parameters

# What a response that hands off can't describe any more: the fetch does.
OF_THE_BODY = {
    *(b"accept-ranges", b"content-encoding", b"content-language", b"content-length"),
    *(b"content-location", b"content-range", b"content-type", b"etag", b"last-modified"),
    *(b"content-md5", b"digest", b"transfer-encoding"),
}
OF_THE_HANDOFF = {REQUEST, b"x-accel-redirect"}
OF_THE_SERVER = {b"date", b"server"}  # every ASGI server adds its own

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
            raise ValueError(f"mount: a path such as /_fetch, or None; not {mount!r}")
        self.application = application
        self.mount = mount and mount.rstrip("/")
        self.open = open
        self.hand_off = hand_off
        self.url = url  # of the daemon's FastCGI socket; None: CURLEW's BRIDGE_URL, or URL

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.application(scope, receive, send)
        elif self.mount and is_below(self.mount, path_of(scope)):
            await self.serve(scope, receive, send)
        elif self.hand_off:
            await self.watch(scope, receive, send)
        else:
            await self.application(scope, receive, send)

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A request to the mount."""
        why = None if self.open else why_not_local(scope)
        if why:
            log.warning("%s is closed to a client: %s", self.mount, why)
            await refuse(send, 403, "forbidden", "Only clients on this machine may ask here")
            return
        try:
            body = await read_body(receive)
        except TooLarge:
            await refuse(send, 413, "request_too_large", f"At most {MAX_BODY} bytes may be sent")
            return
        except Left:
            return
        job = self.deliver(environ(scope, len(body)), body, send, without_servers)
        await while_connected(receive, job)

    async def watch(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Any other request: the application's, until it hands off."""
        view = View(receive, send)
        await self.application(told_of_bridge(scope), view.receive, view.send)
        if view.handed and not view.left:
            await while_connected(receive, self.hand(view, scope, send))

    async def hand(self, view: View, scope: Scope, send: Send) -> None:
        told = view.handed or ""
        if len(told) > INLINE:
            try:
                told = await ahead.keep_async(told, self.to_ask())
            except ahead.Refused as why:
                log.error("%s", why)
                await refuse(send, 502, "unreachable", "curlewd did not take the request")
                return
        params = {**environ(scope, None), "CURLEW_REQUEST": told}
        await self.deliver(params, b"", send, view.merged)

    async def deliver(self, params: Dict[str, str], body: bytes, send: Send, merge: Merge) -> None:
        """Ask the daemon, and pass on what it says."""
        try:
            stream = await self.to_ask().aopen("", "", params=params, body=body)
        except daemon.DaemonError as why:
            log.error("%s", why)
            await refuse(send, 502, "unreachable", "curlewd does not answer")
            return
        async with stream:
            head_only = params["REQUEST_METHOD"] == "HEAD"
            await pass_on(stream, merge(lowered(stream.headers)), send, head_only)

    def to_ask(self) -> daemon.Daemon:
        """The daemon, by FastCGI."""
        url = self.url or conf.get("BRIDGE_URL")
        asked = daemon.Daemon(url) if url else daemon.current()
        if asked.address.protocol != "fcgi":
            raise conf.NotConfigured(
                f"The bridge speaks FastCGI, not to {asked.url}: set BRIDGE_URL in CURLEW to the"
                " daemon's own socket."
            )
        return asked


class View:
    """What the application is given in place of receive and send, and what it handed off."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self.left = False  # the client has; some servers say so only once, and it was said here
        self.handed: Optional[str] = None  # a request object, or a reference
        self.headers: Headers = []  # the view's own

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self.left = True
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = lowered(message.get("headers", ()))
            handed = [value for name, value in headers if name == REQUEST]
            if handed:
                self.handed, self.headers = handed[0].decode("latin-1"), headers
        if self.handed is None:
            await self._send(message)

    def merged(self, fetched: Headers) -> Headers:
        """The answer's headers: the fetch describes the body, all else is the view's to say."""
        told = [(n, v) for n, v in fetched if n not in OF_THE_SERVER | OF_THE_HANDOFF]
        told = [(n, v) for n, v in told if not n.startswith(b"x-accel-")]
        withheld = OF_THE_HANDOFF | OF_THE_BODY
        if any(n == b"cache-control" for n, _ in told):  # a failure's only: it must not be kept
            withheld = withheld | {b"cache-control", b"expires"}
        own = [(n, v) for n, v in self.headers if n not in withheld]
        said = {n for n, _ in own} - {b"vary"}
        return [*own, *((n, v) for n, v in told if n not in said)]


def without_servers(headers: Headers) -> Headers:
    return [(n, v) for n, v in headers if n not in OF_THE_SERVER]


def lowered(headers: Iterable[Tuple[bytes, bytes]]) -> Headers:
    """As ASGI wants them."""
    return [(bytes(name).lower(), value) for name, value in headers]
