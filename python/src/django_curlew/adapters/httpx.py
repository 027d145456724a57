"""httpx through Curlew.

    from django_curlew.adapters.httpx import AsyncCurlewTransport, CurlewTransport

    client = httpx.Client(transport=CurlewTransport())
    client = httpx.AsyncClient(transport=AsyncCurlewTransport(session="scraper", verify=False))

The transport holds no connection: a client may be made for each request at no cost, or be kept for
ever, and be used from any thread, an async one from any event loop. Keywords are keys of Curlew's
request object for every request (`session`, `proxy`, `verify`, `http_version`, `max_recv_speed`,
…). `response.extensions["curlew"]` has the facts about the fetch: url, http-version, connection, ….

Timeouts: `connect` is the daemon's `connect`, `read` its `idle`; `write` and `pool` have no
counterpart. A request's body is read to its end before it is sent.
"""

from __future__ import annotations

from typing import Any, AsyncIterator, Dict, Iterator, Optional, Type

import httpx

from .. import context
from .. import daemon as daemon_client
from . import _stream_request as stream_request

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
}  # all other codes: ConnectError


class _BaseTransport:
    """What both transports share."""

    def __init__(
        self, daemon: Optional[daemon_client.Daemon] = None, **request_keys: Any
    ) -> None:
        self._configured_daemon = daemon
        self._request_keys = request_keys

    @property
    def _daemon(self) -> daemon_client.Daemon:
        return self._configured_daemon or daemon_client.current()

    def _encode(self, request: httpx.Request, body: bytes) -> bytes:
        has_body = bool({"content-length", "transfer-encoding"} & set(request.headers))
        limits = request.extensions.get("timeout", {})
        return stream_request.encode_request(
            method=request.method,
            url=str(request.url),
            headers=[
                (name, value)
                for name, value in request.headers.multi_items()
                if not _is_default_host(request, name, value)
            ],
            body=body if has_body else None,
            timeout={"connect": limits.get("connect"), "idle": _idle_timeout(request)},
            request_keys=self._request_keys,
        )

    def _response(self, stream: Any, body: Any) -> httpx.Response:
        headers, facts = stream_request.split_headers(stream)
        version = facts.get("http-version") or "1.1"
        extensions = {"http_version": b"HTTP/" + version.encode(), "curlew": facts}
        return httpx.Response(stream.status, headers=headers, stream=body, extensions=extensions)


def _idle_timeout(request: httpx.Request) -> Optional[float]:
    read: Optional[float] = request.extensions.get("timeout", {}).get("read")
    return read


def _is_default_host(request: httpx.Request, name: str, value: str) -> bool:
    """Is it the Host that the URL has anyway?"""
    return name.lower() == "host" and value == request.url.netloc.decode("ascii")


def _to_httpx_error(err: stream_request.FetchError, request: httpx.Request) -> Exception:
    error_class: Any = ERRORS.get(err.code, httpx.ConnectError)
    error: Exception = error_class(str(err), request=request)
    return error


def _body_error(err: daemon_client.DaemonError) -> Exception:
    timed_out = isinstance(err, daemon_client.DaemonTimeout)
    error_class: Type[Exception] = httpx.ReadTimeout if timed_out else httpx.RemoteProtocolError
    return error_class(str(err))


class CurlewTransport(_BaseTransport, httpx.BaseTransport):
    """For httpx.Client. `daemon`: a Daemon in place of the one in the settings."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        body = self._encode(request, request.read())
        try:
            stream = self._daemon.open(
                "POST",
                stream_request.ROUTE,
                headers=stream_request.JSON,
                body=body,
                trace=context.headers(),
                idle_timeout=_idle_timeout(request),
            )
            if not stream_request.split_headers(stream)[1]:
                raise stream_request.error_from_response(stream.status, b"".join(stream))
        except daemon_client.DaemonError as err:
            raise _to_httpx_error(stream_request.error_from_daemon(err), request) from err
        except stream_request.FetchError as err:
            raise _to_httpx_error(err, request) from None
        return self._response(stream, _Body(stream))


class AsyncCurlewTransport(_BaseTransport, httpx.AsyncBaseTransport):
    """For httpx.AsyncClient. Cancelling a request cancels the fetch. `daemon`: a Daemon in place of
    the one in the settings."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = self._encode(request, await request.aread())
        try:
            stream = await self._daemon.aopen(
                "POST",
                stream_request.ROUTE,
                headers=stream_request.JSON,
                body=body,
                trace=context.headers(),
                idle_timeout=_idle_timeout(request),
            )
            if not stream_request.split_headers(stream)[1]:
                pieces = [piece async for piece in stream]
                raise stream_request.error_from_response(stream.status, b"".join(pieces))
        except daemon_client.DaemonError as err:
            raise _to_httpx_error(stream_request.error_from_daemon(err), request) from err
        except stream_request.FetchError as err:
            raise _to_httpx_error(err, request) from None
        return self._response(stream, _AsyncBody(stream))


class _Body(httpx.SyncByteStream):
    def __init__(self, stream: daemon_client.Stream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._stream
        except daemon_client.DaemonError as err:
            raise _body_error(err) from err

    def close(self) -> None:
        self._stream.close()


class _AsyncBody(httpx.AsyncByteStream):
    def __init__(self, stream: daemon_client.AsyncStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._stream:
                yield piece
        except daemon_client.DaemonError as err:
            raise _body_error(err) from err

    async def aclose(self) -> None:
        self._stream.close()
