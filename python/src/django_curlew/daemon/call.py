"""One question to the daemon, and its answer: what the sync and the async callers share."""

from __future__ import annotations

from typing import List, NamedTuple, Optional, Tuple, Union

from .address import Address
from .answer import Answer
from .errors import ResponseTooLarge
from .fastcgi import Encoder as FastCGI
from .http1 import Encoder as HTTP1

PIECE = 65536  # bytes asked of a socket at once
CONNECT_SECONDS = 5.0
MAX_REPLY = 1 << 30  # bytes of a body that exchange() gathers; the daemon's own limits are lower

Encoder = Union[FastCGI, HTTP1]


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

    def begin(self) -> Answer:
        return self.encoder.answer(self.method)

    def until_whole(self, answer: Answer) -> bool:
        if answer.held > self.max_reply:
            raise ResponseTooLarge(
                f"curlewd's answer has more than max_reply={self.max_reply} bytes"
            )
        return answer.finished


class Reply:
    """A whole answer. Headers are bytes, in order and in their case, as ASGI has them."""

    __slots__ = ("status", "body", "head", "_answer")

    def __init__(self, answer: Answer) -> None:
        self.status = answer.status
        self.body = answer.take()
        self.head = answer.head  # its lines as they came
        self._answer = answer

    @property
    def headers(self) -> List[Tuple[bytes, bytes]]:
        return self._answer.headers

    def header(self, name: str) -> Optional[str]:
        """The first header of that name."""
        return self._answer.header(name)

    def __repr__(self) -> str:
        return f"<Reply {self.status}, {len(self.body)} bytes>"


def encoder_for(address: Address, token: Optional[str]) -> Encoder:
    if address.protocol == "fcgi":
        return FastCGI(address.mount, token)
    host = f"[{address.host}]" if ":" in address.host else address.host or "localhost"
    return HTTP1(f"{host}:{address.port}" if address.port not in (0, 80) else host, address.mount,
                 token)
