"""An encoded request and its response: what the blocking and the async client share."""

from __future__ import annotations

from typing import List, NamedTuple, Optional, Tuple, Union

from .address import Address
from .errors import ResponseTooLarge
from .fastcgi import FastCGIEncoder
from .http1 import HTTP1Encoder
from .response_parser import ResponseParser
from .upload import BodyFraming, Upload

CONNECT_TIMEOUT = 5.0  # seconds
MAX_RESPONSE_BYTES = 1 << 30  # of a body that exchange() reads; the daemon's own limits are lower

Encoder = Union[FastCGIEncoder, HTTP1Encoder]


class EncodedRequest(NamedTuple):
    """A request as bytes, and how it is to be sent. Daemon.build_request() makes it."""

    address: Address
    encoder: Encoder
    method: str
    data: bytes
    timeout: Optional[float]  # seconds for the whole exchange, or for the head of a stream
    idle_timeout: Optional[float]  # seconds, what curlewd was asked for; None: no limit
    connect_timeout: float  # seconds
    idempotent: bool
    max_response_bytes: int
    upload: Optional[Upload] = None  # sent after `data`
    framing: Optional[BodyFraming] = None  # of the upload

    def __repr__(self) -> str:
        """Without the bytes: reports of errors show it, and a token is among them."""
        return f"<EncodedRequest {self.method} to {self.address.url}, {len(self.data)} bytes>"

    def is_finished(self, parser: ResponseParser) -> bool:
        """Was the whole response received? Raises ResponseTooLarge if its body is too large."""
        if parser.buffered_bytes > self.max_response_bytes:
            raise ResponseTooLarge(
                f"the response of curlewd has more than {self.max_response_bytes} bytes"
                " (max_response_bytes)"
            )
        return parser.finished


class Response:
    """A whole response of the daemon's: what Daemon.exchange() returns.

    `status` is an int, `body` bytes, `head` the header lines as they were received.
    """

    __slots__ = ("status", "body", "head", "_parser")

    def __init__(self, parser: ResponseParser) -> None:
        self.status = parser.status
        self.body = parser.take_body()
        self.head = parser.head
        self._parser = parser

    @property
    def headers(self) -> List[Tuple[bytes, bytes]]:
        """(name, value) pairs of bytes, in order and in their own case, as ASGI has them."""
        return self._parser.headers

    @property
    def is_by_http(self) -> bool:
        """Is it from a web server? Else it came by FastCGI."""
        return self._parser.is_by_http

    def header(self, name: str) -> Optional[str]:
        """The value of the first header of that name, in any case; None if there is none."""
        return self._parser.header(name)

    def __repr__(self) -> str:
        return f"<Response {self.status}, {len(self.body)} bytes>"


def encoder_for(address: Address, token: Optional[str]) -> Encoder:
    """The encoder for the protocol that `address` names."""
    if address.protocol == "fcgi":
        return FastCGIEncoder(address.mount, token)
    host = f"[{address.host}]" if ":" in address.host else address.host or "localhost"
    if address.port not in (0, 80):
        host = f"{host}:{address.port}"
    return HTTP1Encoder(host, address.mount, token)
