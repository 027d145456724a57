"""httpx through Curlew.

    from django_curlew.adapters.httpx import AsyncCurlewTransport, CurlewTransport

    client = httpx.Client(transport=CurlewTransport())
    client = httpx.AsyncClient(transport=AsyncCurlewTransport(session="scraper", verify=False))

The transport holds nothing: a client may be made for each request at no cost, or be kept for ever,
used from any thread, and an async one from any event loop. Keywords are keys of Curlew's request
object for every request (`session`, `proxy`, `verify`, `http_version`, `max_recv_speed`, …).
`response.extensions["curlew"]` has the facts about the fetch: url, http-version, connection, ….

Timeouts: `connect` is the daemon's `connect`, `read` its `idle`; `write` and `pool` have no
counterpart. A request's body is read to its end before it is sent.
"""

from __future__ import annotations

from typing import Any, AsyncIterator, Dict, Iterator, Optional, Type

import httpx

from .. import daemon
from . import _exchange as exchange

ERRORS: Dict[str, Type[Exception]] = {
    "connect_timeout": httpx.ConnectTimeout,
    "timeout": httpx.ReadTimeout,
    "idle_timeout": httpx.ReadTimeout,
    "bad_request": httpx.LocalProtocolError,
    "bad_url": httpx.UnsupportedProtocol,
    "unsupported": httpx.UnsupportedProtocol,
    "request_too_large": httpx.LocalProtocolError,
    "proxy_failed": httpx.ProxyError,
    "protocol_error": httpx.RemoteProtocolError,
    "incomplete_body": httpx.RemoteProtocolError,
    "send_failed": httpx.WriteError,
    "recv_failed": httpx.ReadError,
    "overloaded": httpx.PoolTimeout,
    "draining": httpx.PoolTimeout,
}  # all others: ConnectError


class _Curlew:
    """What both transports do alike."""

    def __init__(self, asked: Optional[daemon.Daemon] = None, **keys: Any) -> None:
        self._asked = asked
        self._keys = keys

    @property
    def _daemon(self) -> daemon.Daemon:
        return self._asked or daemon.current()

    def _how(self, request: httpx.Request, body: bytes) -> Dict[str, Any]:
        sent = {"content-length", "transfer-encoding"} & set(request.headers)
        headers = [(n, v) for n, v in request.headers.multi_items() if not _implied(request, n, v)]
        limits = request.extensions.get("timeout", {})
        timeout = {"connect": limits.get("connect"), "idle": limits.get("read")}
        told = (request.method, str(request.url), headers, body if sent else None, timeout)
        return exchange.how(*told, **self._keys)

    def _response(self, stream: Any, body: Any) -> httpx.Response:
        headers, facts = exchange.head(stream)
        version = facts.get("http-version") or "1.1"
        extensions = {"http_version": b"HTTP/" + version.encode(), "curlew": facts}
        return httpx.Response(stream.status, headers=headers, stream=body, extensions=extensions)


def _implied(request: httpx.Request, name: str, value: str) -> bool:
    """A Host that the URL names anyway."""
    return name.lower() == "host" and value == request.url.netloc.decode("ascii")


def _raise(why: exchange.Failure, request: httpx.Request) -> Exception:
    kind: Any = ERRORS.get(why.code, httpx.ConnectError)
    raised: Exception = kind(str(why), request=request)
    return raised


def _broken(why: daemon.DaemonError) -> Exception:
    late = isinstance(why, daemon.DaemonTimeout)
    kind: Type[Exception] = httpx.ReadTimeout if late else httpx.RemoteProtocolError
    return kind(str(why))


class CurlewTransport(_Curlew, httpx.BaseTransport):
    """For httpx.Client."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        how = self._how(request, request.read())
        try:
            stream = self._daemon.open("POST", exchange.ROUTE, **how)
            if not exchange.head(stream)[1]:
                raise exchange.failure(stream.status, b"".join(stream))
        except daemon.DaemonError as why:
            raise _raise(exchange.unreachable(why), request) from why
        except exchange.Failure as why:
            raise _raise(why, request) from None
        return self._response(stream, _Body(stream))


class AsyncCurlewTransport(_Curlew, httpx.AsyncBaseTransport):
    """For httpx.AsyncClient. Cancelling a request cancels the fetch."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        how = self._how(request, await request.aread())
        try:
            stream = await self._daemon.aopen("POST", exchange.ROUTE, **how)
            if not exchange.head(stream)[1]:
                pieces = [piece async for piece in stream]
                raise exchange.failure(stream.status, b"".join(pieces))
        except daemon.DaemonError as why:
            raise _raise(exchange.unreachable(why), request) from why
        except exchange.Failure as why:
            raise _raise(why, request) from None
        return self._response(stream, _AsyncBody(stream))


class _Body(httpx.SyncByteStream):
    def __init__(self, stream: daemon.Stream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._stream
        except daemon.DaemonError as why:
            raise _broken(why) from why

    def close(self) -> None:
        self._stream.close()


class _AsyncBody(httpx.AsyncByteStream):
    def __init__(self, stream: daemon.AsyncStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._stream:
                yield piece
        except daemon.DaemonError as why:
            raise _broken(why) from why

    async def aclose(self) -> None:
        self._stream.close()
