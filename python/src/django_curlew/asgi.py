"""CurlewBridge: handoffs and the daemon's mount for an ASGI server without a web server before it.

    application = CurlewBridge(get_asgi_application())

It connects to the daemon's FastCGI socket and does two things that nginx does elsewhere.

**Handoff.** A response with the header `X-Curlew-Request` (HandOff makes one) is replaced by the
stream of the fetch that it describes. A slow client slows the origin down (back-pressure), a client
that disconnects cancels the fetch, and a fetch that fails after its head is seen by the client as
an incomplete response. The view is done before the first byte. Clients can't start a handoff: only
a response's header counts, and it is removed.

**The mount.** The paths below `mount` are the daemon's routes, for programs that send a secret:

    application = CurlewBridge(get_asgi_application(), mount="/_fetch", secret=os.environ["SECRET"])

The daemon fetches any URL it is given, so there is no mount unless you set one, and none without a
secret: a program on the same machine can't be told from a web server that forwards strangers.
Callers send `Authorization: Bearer SECRET`, as django-curlew does with CURLEW["TOKEN"]. The secret
is not passed on; to a daemon that requires tokens the bridge sends the CURLEW["TOKEN"] of its own
settings. `open=True` accepts everybody and passes Authorization on, for a daemon that requires
tokens.

Lifespan events, WebSockets and all other requests go to the application unchanged.
"""

from __future__ import annotations

import logging
import warnings
from typing import Awaitable, Callable, Dict, Iterable, List, Optional, Tuple, Union

from . import conf, daemon, handoff_store
from .bridge.access import (
    check_arguments,
    has_secret,
    has_valid_host,
    is_written_plainly,
    path_of,
)
from .bridge.relay import cancel_on_disconnect, relay_stream, send_problem, wait_disconnect
from .bridge.request_body import ClientDisconnected, RequestBody
from .bridge.scope import Message, Receive, Scope, Send, cgi_params, is_below, mark_bridged

Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = List[Tuple[bytes, bytes]]
MergeHeaders = Callable[[Headers], Headers]

REQUEST_HEADER = b"x-curlew-request"
MAX_INLINE_BYTES = 128 << 10  # of a request object that is sent as a parameter; else it is stored

# The view's headers that describe the body, which is the fetch's.
BODY_HEADERS = {
    b"accept-ranges",
    b"content-encoding",
    b"content-language",
    b"content-length",
    b"content-location",
    b"content-range",
    b"content-type",
    b"etag",
    b"last-modified",
    b"content-md5",
    b"digest",
    b"transfer-encoding",
}
HANDOFF_HEADERS = {REQUEST_HEADER, b"x-accel-redirect"}
SERVER_HEADERS = {b"date", b"server"}  # every ASGI server adds its own

log = logging.getLogger("django_curlew.bridge")


class CurlewBridge:
    """An ASGI application around another one; the module's documentation says what it does.

    mount: the path of the daemon's routes, "/_fetch"; None: no mount.
    secret: what the mount's callers send as a bearer token, at least 16 visible ASCII characters.
    open: whether the mount accepts everybody, without a secret.
    handoff: whether handoffs are delivered here; False leaves them to the web server.
    url: of the daemon's FastCGI socket; None: CURLEW's BRIDGE_URL, or URL.

    Raises ValueError for a mount with neither secret nor open=True, or with both.
    """

    def __init__(
        self,
        application: Application,
        mount: Optional[str] = None,
        *,
        secret: Optional[str] = None,
        open: bool = False,
        handoff: bool = True,
        url: Optional[str] = None,
        hand_off: Optional[bool] = None,
    ) -> None:
        if hand_off is not None:
            warnings.warn(
                "CurlewBridge(hand_off=) is now handoff=; the old name works until 0.3",
                DeprecationWarning,
                stacklevel=2,
            )
            handoff = hand_off
        self.application = application
        self.mount = check_arguments(mount, secret, open)
        self.open = open
        self.handoff = handoff
        self.url = url
        self._secret = secret

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.application(scope, receive, send)
        elif self.mount and is_below(self.mount, path_of(scope)):
            await self._serve_mount(self.mount, scope, receive, send)
        elif self.handoff:
            await self._run_application(scope, receive, send)
        else:
            await self.application(scope, receive, send)

    async def _serve_mount(self, mount: str, scope: Scope, receive: Receive, send: Send) -> None:
        """A request to the daemon's routes."""
        problem = self._problem_of(mount, scope)
        if problem:
            client = scope.get("client")
            log.warning("rejected a client of %s, %s: %s", mount, client and client[0], problem[2])
            await send_problem(send, *problem)
            return
        body = RequestBody(scope, receive)
        params = self._mount_params(scope)
        try:
            payload = await body.to_send(params)
            job = self._relay(params, payload, send, drop_server_headers, body.stop)
            await cancel_on_disconnect(body.wait_disconnect(), job)
        except ClientDisconnected:
            return

    def _problem_of(self, mount: str, scope: Scope) -> Optional[Tuple[int, str, str]]:
        """(status, code, detail) of a request that the mount refuses; None if it does not."""
        if self._secret is not None and not has_secret(scope, self._secret):
            return 401, "unauthorized", "the mount's secret is needed as a bearer token"
        if not has_valid_host(scope):
            return 400, "bad_request", "Host must be one name or address"
        if self.open and not is_written_plainly(scope, mount):
            return 404, "not_found", f"write the path plainly, as {mount}/v1/fetch"
        return None

    def _mount_params(self, scope: Scope) -> Dict[str, str]:
        """The parameters of a request to the daemon's routes. The secret stays here; then the
        daemon gets this site's token, if there is one."""
        params = cgi_params(scope, path_of(scope), None)
        if self._secret is not None:
            del params["HTTP_AUTHORIZATION"]
            token = self._daemon().token
            if token:
                params["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        return params

    async def _run_application(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A request to the application, and the handoff if it makes one."""
        view = HandoffInterceptor(receive, send)
        await self.application(mark_bridged(scope), view.receive, view.send)
        if view.request_object and not view.disconnected:
            delivery = self._deliver(view, scope, send)
            await cancel_on_disconnect(wait_disconnect(receive), delivery)

    async def _deliver(self, view: "HandoffInterceptor", scope: Scope, send: Send) -> None:
        """The handoff that the view made."""
        request_object, current = view.request_object or "", self._daemon()
        if _must_be_stored(request_object, current):
            try:
                request_object = await handoff_store.astore(request_object, current)
            except handoff_store.HandoffStoreError as err:
                log.error("%s", err)
                detail = "curlewd did not store the request object"
                await send_problem(send, 502, "unreachable", detail)
                return
        params = cgi_params(scope, path_of(scope), None)
        params["CURLEW_REQUEST"] = request_object
        await self._relay(params, b"", send, view.merge_headers)

    async def _relay(
        self,
        params: Dict[str, str],
        body: Union[bytes, daemon.Upload],
        send: Send,
        merge: MergeHeaders,
        on_sent: Callable[[], None] = lambda: None,
    ) -> None:
        """Send a request to the daemon, and its response to the client. `on_sent` is called once
        nothing more of the body will be read."""
        try:
            stream = await self._daemon().aopen("", "", params=params, body=body)
            on_sent()
        except daemon.UploadError as err:
            await send_problem(send, 400, "bad_request", str(err))
            return
        except daemon.DaemonError as err:
            log.error("%s", err)
            await send_problem(send, 502, "unreachable", "curlewd does not respond")
            return
        async with stream:
            head_only = params["REQUEST_METHOD"] == "HEAD"
            await relay_stream(stream, merge(lowercase_names(stream.headers)), send, head_only)

    def _daemon(self) -> daemon.Daemon:
        """The daemon, which must have a FastCGI address."""
        url = self.url or conf.get("BRIDGE_URL")
        if url and not daemon.is_replaced():
            try:
                found = daemon.Daemon(url, conf.get("TOKEN"))
            except daemon.AddressError as err:
                name = "CurlewBridge(url=)" if self.url else 'CURLEW["BRIDGE_URL"]'
                raise conf.NotConfigured(f"{name}: {err}") from err
        else:
            found = daemon.current()
        if found.address.protocol != "fcgi":
            raise conf.NotConfigured(
                f"The bridge needs the daemon's FastCGI address, not {found.url}: set"
                ' CURLEW["BRIDGE_URL"] to fcgi+unix:… or fcgi://….'
            )
        return found


class HandoffInterceptor:
    """Stands between the application and the server, and holds back a response that is a handoff.

    request_object: JSON or a reference, from the response; None if it is not a handoff.
    disconnected: whether the client was; some servers report that only once.
    """

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self.disconnected = False
        self.request_object: Optional[str] = None
        self.headers: Headers = []  # the view's

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self.disconnected = True
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = lowercase_names(message.get("headers", ()))
            values = [value for name, value in headers if name == REQUEST_HEADER]
            if values and values[0]:  # an empty one is none, as for a web server's parameter
                self.request_object, self.headers = values[0].decode("latin-1"), headers
        if self.request_object is None:
            await self._send(message)

    def merge_headers(self, fetched: Headers) -> Headers:
        """The response's headers: the fetch's describe the body, all others are the view's if it
        has them."""
        kept = [(n, v) for n, v in fetched if n not in SERVER_HEADERS | HANDOFF_HEADERS]
        kept = [(n, v) for n, v in kept if not n.startswith(b"x-accel-")]
        dropped = HANDOFF_HEADERS | BODY_HEADERS
        if any(n == b"cache-control" for n, _ in kept):  # of an error, which must not be cached
            dropped = dropped | {b"cache-control", b"expires"}
        own = [(n, v) for n, v in self.headers if n not in dropped]
        own_names = {n for n, _ in own} - {b"vary"}
        return [*own, *((n, v) for n, v in kept if n not in own_names)]


def _must_be_stored(request_object: str, current: daemon.Daemon) -> bool:
    """Is a request object too large for a parameter, or does the daemon want to see a token for
    it? A reference ("@…") stands for one that is stored already."""
    is_stored = request_object.startswith("@")
    return not is_stored and (len(request_object) > MAX_INLINE_BYTES or bool(current.token))


def drop_server_headers(headers: Headers) -> Headers:
    return [(n, v) for n, v in headers if n not in SERVER_HEADERS]


def lowercase_names(headers: Iterable[Tuple[bytes, bytes]]) -> Headers:
    """The headers as ASGI requires them."""
    return [(bytes(name).lower(), value) for name, value in headers]
