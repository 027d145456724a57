"""Daemon: where curlewd is, and the four ways to send it a request."""

from __future__ import annotations

from typing import (
    TYPE_CHECKING,
    Any,
    Coroutine,
    Dict,
    Mapping,
    Optional,
    Sequence,
    Tuple,
    TypedDict,
    Union,
)

from .. import conf
from . import aio, fetch_stream, sync, unstubbed
from .address import Address, parse_address
from .models import (
    CONNECT_TIMEOUT,
    MAX_RESPONSE_BYTES,
    EncodedRequest,
    Response,
    encoder_for,
)
from .upload import BodyFraming, Upload

if TYPE_CHECKING:
    from typing_extensions import Unpack

Pairs = Tuple[Tuple[str, str], ...]


class RequestOptions(TypedDict, total=False):
    """The keyword arguments of a request; Daemon.build_request explains them."""

    headers: Pairs
    body: Union[bytes, Upload]
    trace: Sequence[Tuple[str, str]]
    params: Optional[Mapping[str, str]]
    timeout: Optional[float]
    idle_timeout: Optional[float]
    idempotent: bool


class Daemon:
    """A curlewd, by its URL (see django_curlew.daemon.address). It holds no connection: connections
    are kept for the process, by address. So make as many Daemons as you like, and use one from any
    thread, process and event loop.

    `token` is sent as a bearer token with each request. `connect_timeout` is in seconds.
    `max_response_bytes` limits the body that exchange() reads: ResponseTooLarge if there is more.
    `sends_route`: it is one of several behind a balancer that chooses by Curlew-Route.
    Raises AddressError if the URL is not valid.
    """

    sends_route = False

    def __init__(
        self,
        url: Union[str, Address],
        token: Optional[str] = None,
        connect_timeout: float = CONNECT_TIMEOUT,
        max_response_bytes: int = MAX_RESPONSE_BYTES,
        sends_route: bool = False,
    ) -> None:
        self.address = url if isinstance(url, Address) else parse_address(url)
        self.connect_timeout = connect_timeout
        self.max_response_bytes = max_response_bytes
        self.token = token
        self.sends_route = sends_route
        self._encoder = encoder_for(self.address, token)

    @property
    def url(self) -> str:
        """As it was given."""
        return self.address.url

    def __repr__(self) -> str:
        return f"<Daemon {self.url}>"

    def build_request(
        self,
        method: str,
        route: str,
        headers: Pairs = (),
        body: Union[bytes, Upload] = b"",
        trace: Sequence[Tuple[str, str]] = (),
        params: Optional[Mapping[str, str]] = None,
        timeout: Optional[float] = None,
        idle_timeout: Optional[float] = None,
        idempotent: bool = False,
    ) -> EncodedRequest:
        """Encode a request; exchange(), open(), aexchange() and aopen() take the same arguments.

        method: of the request to curlewd, "GET" or "POST".
        route: "/v1/fetch", with or without a query.
        headers: a tuple of (name, value). Its encoding is cached, so it should seldom differ.
        body: bytes, or an Upload, which is sent piece by piece.
        trace: further headers, which may differ from request to request.
        params: all the FastCGI parameters, in place of those that method, route, headers and trace
            would make; only with an fcgi: address.
        timeout: seconds for the whole exchange, or for the head of a stream; None: no limit. The
            time that the source of an Upload takes does not count.
        idle_timeout: what the request object has as `timeout.idle`, in seconds. Through a web
            server curlewd can't say why a stream ends before its time: a break that comes no
            earlier is DaemonTimeout.
        idempotent: whether the request may be sent again if curlewd may have done it already; see
            django_curlew.daemon.resend.

        Raises Unstubbed in a test suite that forbids fetches without a stub.
        """
        if unstubbed.allowed_by is not conf.cached:
            unstubbed.check(self.url, route, body, params)
        upload: Optional[Upload] = None
        framing: Optional[BodyFraming] = None
        if isinstance(body, Upload):
            upload = body
            if upload.request_object is not None:
                headers = with_frames_type(headers)
            data, framing = self._encoder.encode_upload(
                method, route, headers, upload, trace, params
            )
        else:
            data = self._encoder.encode(method, route, headers, body, trace, params)
        return EncodedRequest(
            address=self.address,
            encoder=self._encoder,
            method=method,
            data=data,
            timeout=timeout,
            idle_timeout=idle_timeout,
            connect_timeout=self.connect_timeout,
            idempotent=idempotent,
            max_response_bytes=self.max_response_bytes,
            upload=upload,
            framing=framing,
        )

    def exchange(self, method: str, route: str, **options: Unpack[RequestOptions]) -> Response:
        """Send a request, and read the whole response, whatever its status. Raises DaemonError if
        there is none. The arguments are those of build_request()."""
        return sync.exchange(self.build_request(method, route, **options))

    def open(self, method: str, route: str, **options: Unpack[RequestOptions]) -> sync.Stream:
        """Send a request, and return once the head of the response was received; the body is read
        from the Stream, which the caller closes. The arguments are those of build_request()."""
        return sync.open_stream(self.build_request(method, route, **options))

    def open_fetch(self, **options: Unpack[RequestOptions]) -> Tuple[Dict[str, Any], sync.Stream]:
        """Fetch a URL as a stream. Returns once the origin's head was received: its envelope
        (docs/streams.md) and the Stream, which the caller closes. Raises FetchFailed if there is no
        response of the origin's. The arguments are build_request()'s; `body`: the request object,
        `headers`: if they differ, with an Accept of FRAMES."""
        options.setdefault("headers", fetch_stream.HEADERS)
        stream = self.open("POST", fetch_stream.ROUTE, **options)
        return fetch_stream.read_envelope(stream, options.get("timeout")), stream

    async def aopen_fetch(
        self, **options: Unpack[RequestOptions]
    ) -> Tuple[Dict[str, Any], aio.AsyncStream]:
        """open_fetch() for a coroutine. Cancelling it cancels the fetch."""
        options.setdefault("headers", fetch_stream.HEADERS)
        stream = await self.aopen("POST", fetch_stream.ROUTE, **options)
        return await fetch_stream.aread_envelope(stream, options.get("timeout")), stream

    # These two return the inner coroutine, without one of their own: one frame less to resume.

    def aexchange(
        self, method: str, route: str, **options: Unpack[RequestOptions]
    ) -> Coroutine[Any, Any, Response]:
        """exchange() for a coroutine. Cancelling it cancels the fetch."""
        return aio.exchange(self.build_request(method, route, **options))

    def aopen(
        self, method: str, route: str, **options: Unpack[RequestOptions]
    ) -> Coroutine[Any, Any, aio.AsyncStream]:
        """open() for a coroutine. Cancelling it cancels the fetch."""
        return aio.open_stream(self.build_request(method, route, **options))


def with_frames_type(headers: Pairs) -> Pairs:
    """The headers for a request object that its body follows."""
    others = tuple((n, v) for n, v in headers if n.lower() != "content-type")
    return (*others, ("Content-Type", fetch_stream.FRAMES))
