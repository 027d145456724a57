"""One question to the daemon, and its answer: what the sync and the async callers share."""

from __future__ import annotations

from typing import List, NamedTuple, Optional, Tuple, Union

from .address import Address
from .response_parser import ResponseParser
from .errors import ResponseTooLarge
from .fastcgi import FastCGIEncoder
from .http1 import HTTP1Encoder

PIECE = 65536  # bytes asked of a socket at once
CONNECT_SECONDS = 5.0
MAX_REPLY = 1 << 30  # bytes of a body that exchange() gathers; the daemon's own limits are lower

Encoder = Union[FastCGIEncoder, HTTP1Encoder]


class Call(NamedTuple):
    """A request, encoded: everything that a caller must know to make it."""

    address: Address
    encoder: Encoder
    method: str
    data: bytes
    timeout: Optional[float]  # seconds for the whole exchange, or for a stream's head
    connect: float  # seconds at most for a connection
    idempotent: bool
    max_reply: int

    def new_parser(self) -> ResponseParser:
        return self.encoder.response_parser(self.method)

    def until_whole(self, parser: ResponseParser) -> bool:
        if parser.buffered_bytes > self.max_reply:
            raise ResponseTooLarge(
                f"curlewd's answer has more than max_reply={self.max_reply} bytes"
            )
        return parser.finished


class Reply:
    """A whole answer. Headers are bytes, in order and in their case, as ASGI has them."""

    __slots__ = ("status", "body", "head", "_parser")

    def __init__(self, parser: ResponseParser) -> None:
        self.status = parser.status
        self.body = parser.take_body()
        self.head = parser.head  # its lines as they came
        self._parser = parser

    @property
    def headers(self) -> List[Tuple[bytes, bytes]]:
        return self._parser.headers

    def header(self, name: str) -> Optional[str]:
        """The first header of that name."""
        return self._parser.header(name)

    def __repr__(self) -> str:
        return f"<Reply {self.status}, {len(self.body)} bytes>"


def encoder_for(address: Address, token: Optional[str]) -> Encoder:
    if address.protocol == "fcgi":
        return FastCGIEncoder(address.mount, token)
    host = f"[{address.host}]" if ":" in address.host else address.host or "localhost"
    return HTTP1Encoder(f"{host}:{address.port}" if address.port not in (0, 80) else host, address.mount,
                 token)
