"""A daemon, and how to ask it. See the package's own words for examples."""

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
from .address import Address, parse
from .call import CONNECT_SECONDS, MAX_REPLY, Call, Reply, encoder_for

if TYPE_CHECKING:
    from typing_extensions import Unpack

Pairs = Tuple[Tuple[str, str], ...]


class How(TypedDict, total=False):
    """What may be said of a request by name; Daemon.call explains it."""

    headers: Pairs
    body: bytes
    trace: Sequence[Tuple[str, str]]
    params: Optional[Mapping[str, str]]
    timeout: Optional[float]
    idempotent: bool


class Daemon:
    """Where curlewd is and how it is asked. Holds no connection: make as many as you like, use one
    from any thread, process and loop. Connections are kept for the process, by address.

    `token` goes as a bearer token with each request. `connect` is in seconds. `max_reply`: bytes of
    a body that exchange() will gather; ResponseTooLarge beyond.
    """

    def __init__(
        self,
        url: Union[str, Address],
        token: Optional[str] = None,
        connect: float = CONNECT_SECONDS,
        max_reply: int = MAX_REPLY,
    ) -> None:
        self.address = url if isinstance(url, Address) else parse(url)
        self.connect = connect
        self.max_reply = max_reply
        self._encoder = encoder_for(self.address, token)

    @property
    def url(self) -> str:
        return self.address.url

    def __repr__(self) -> str:
        return f"<Daemon {self.url}>"

    def call(
        self,
        method: str,
        route: str,
        headers: Pairs = (),
        body: bytes = b"",
        trace: Sequence[Tuple[str, str]] = (),
        params: Optional[Mapping[str, str]] = None,
        timeout: Optional[float] = None,
        idempotent: bool = False,
    ) -> Call:
        """The arguments of all four ways to ask:

        `route` is "/v1/fetch", perhaps with a query. `headers` is a tuple of pairs which is often
        the same (its encoding is kept); `trace` are headers that change each time. `params`: all
        FastCGI parameters, in place of those that method, route, headers and trace would make
        (an fcgi: address only). `timeout`: seconds for all of an exchange, for the head of a
        stream; None waits for ever. `idempotent`: the request may be repeated if its fate is
        unknown; see replay.py for when that happens.
        """
        data = self._encoder.encode(method, route, headers, body, trace, params)
        return Call(
            *(self.address, self._encoder, method, data),
            *(timeout, self.connect, idempotent, self.max_reply),
        )

    def exchange(self, method: str, route: str, **how: Unpack[How]) -> Reply:
        """Ask and gather the whole answer. Any status is an answer; DaemonError where there is
        none."""
        return sync.exchange(self.call(method, route, **how))

    def open(self, method: str, route: str, **how: Unpack[How]) -> sync.Stream:
        """Ask and return with the answer's head."""
        return sync.open_stream(self.call(method, route, **how))

    # These two only make the coroutine: one less to pass each time that it waits.

    def aexchange(
        self, method: str, route: str, **how: Unpack[How]
    ) -> Coroutine[Any, Any, Reply]:
        """exchange() for a coroutine. Cancelling it cancels the fetch."""
        return aio.exchange(self.call(method, route, **how))

    def aopen(
        self, method: str, route: str, **how: Unpack[How]
    ) -> Coroutine[Any, Any, aio.AsyncStream]:
        """open() for a coroutine."""
        return aio.open_stream(self.call(method, route, **how))
