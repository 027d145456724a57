"""Daemon: where curlewd is, and the four ways to send it a request."""

from __future__ import annotations

from typing import (
    TYPE_CHECKING,
    Any,
    Coroutine,
    Mapping,
    Optional,
    Sequence,
    Tuple,
    TypedDict,
    Union,
)

from . import aio, sync
from .address import Address, parse_address
from .models import (
    CONNECT_TIMEOUT,
    MAX_RESPONSE_BYTES,
    EncodedRequest,
    Response,
    encoder_for,
)

if TYPE_CHECKING:
    from typing_extensions import Unpack

Pairs = Tuple[Tuple[str, str], ...]


class RequestOptions(TypedDict, total=False):
    """The keyword arguments of a request; Daemon.build_request explains them."""

    headers: Pairs
    body: bytes
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
    Raises AddressError if the URL is not valid.
    """

    def __init__(
        self,
        url: Union[str, Address],
        token: Optional[str] = None,
        connect_timeout: float = CONNECT_TIMEOUT,
        max_response_bytes: int = MAX_RESPONSE_BYTES,
    ) -> None:
        self.address = url if isinstance(url, Address) else parse_address(url)
        self.connect_timeout = connect_timeout
        self.max_response_bytes = max_response_bytes
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
        body: bytes = b"",
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
        body: bytes.
        trace: further headers, which may differ from request to request.
        params: all the FastCGI parameters, in place of those that method, route, headers and trace
            would make; only with an fcgi: address.
        timeout: seconds for the whole exchange, or for the head of a stream; None: no limit.
        idle_timeout: what the request object has as `timeout.idle`, in seconds. Through a web
            server curlewd can't say why a stream ends before its time: a break that comes no
            earlier is DaemonTimeout.
        idempotent: whether the request may be sent again if curlewd may have done it already; see
            django_curlew.daemon.resend.
        """
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
        )

    def exchange(self, method: str, route: str, **options: Unpack[RequestOptions]) -> Response:
        """Send a request, and read the whole response, whatever its status. Raises DaemonError if
        there is none. The arguments are those of build_request()."""
        return sync.exchange(self.build_request(method, route, **options))

    def open(self, method: str, route: str, **options: Unpack[RequestOptions]) -> sync.Stream:
        """Send a request, and return once the head of the response was received; the body is read
        from the Stream, which the caller closes. The arguments are those of build_request()."""
        return sync.open_stream(self.build_request(method, route, **options))

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
