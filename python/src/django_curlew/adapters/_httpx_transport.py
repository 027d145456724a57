"""What the transports of httpx and httpx2 share: all but the package's own classes."""

from __future__ import annotations

import asyncio
import base64
import os
from typing import Any, AsyncIterator, Callable, Dict, Iterator, Optional, Tuple, Type

from .. import ca_bundle, context, route
from .. import daemon as daemon_client
from . import _connection_limit as connection_limit
from . import _httpx_arguments as arguments
from . import _httpx_errors as errors
from . import _stream_request as stream_request

Keys = Dict[str, Any]
Timeouts = Dict[str, Optional[float]]

IMPOSSIBLE_EXTENSIONS = ("sni_hostname", "target")


class BaseTransport:
    """Both kinds. A subclass names its `package`, httpx or httpx2, and its `body_class`."""

    package: Any
    body_class: Type["BaseBody"]
    limit_class: Any

    def __init__(
        self,
        daemon: Optional[daemon_client.Daemon] = None,
        *,
        verify: Any = True,
        cert: Any = None,
        trust_env: bool = True,
        http1: Optional[bool] = None,
        http2: Optional[bool] = None,
        limits: Any = None,
        proxy: Any = None,
        uds: Optional[str] = None,
        local_address: Optional[str] = None,
        retries: Any = None,
        socket_options: Any = None,
        **request_keys: Any,
    ) -> None:
        name = type(self).__name__
        arguments.check_request_keys(name, request_keys)
        arguments.refuse(name, cert=cert, uds=uds, local_address=local_address)
        arguments.check_retries(retries)
        version = arguments.http_version_keys(http1, http2)
        if version and "http_version" in request_keys:
            raise TypeError(f"{name}(): either http_version, or http1 and http2")
        self._http2 = http2
        self._retries = retries
        self._keys = {
            **arguments.proxy_keys(self.package, proxy),
            **version,
            **request_keys,
        }
        keys = arguments.verify_keys(verify)  # raises what is wrong with it
        # A file may change, and is looked at for each request; a context is read once.
        self._path = verify if isinstance(verify, (str, os.PathLike)) else None
        if self._path is None:
            self._keys = {**keys, **self._keys}
        self._configured_daemon = daemon
        maximum = arguments.max_connections(limits)
        self._limit = None if maximum is None else self.limit_class(maximum)

    @property
    def _daemon(self) -> daemon_client.Daemon:
        return self._configured_daemon or daemon_client.current()

    # -- the request ------------------------------------------------------------------------------

    def _check(self, request: Any) -> None:
        """Raises what httpx raises before it connects."""
        url = request.url
        if url.scheme not in ("http", "https"):
            problem = f"has an unsupported protocol '{url.scheme}://'"
            if not url.scheme:
                problem = "is missing an 'http://' or 'https://' protocol"
            elif url.scheme in ("ws", "wss"):
                problem = "is a WebSocket's, which Curlew does not support"
            raise self._error("UnsupportedProtocol", f"Request URL {problem}.", request)
        if not url.host:
            raise self._error("UnsupportedProtocol", "Request URL is missing a host.", request)
        for name in IMPOSSIBLE_EXTENSIONS:
            if name in request.extensions:
                message = f"extensions[{name!r}] can't cross to the daemon"
                raise self._error("LocalProtocolError", message, request)

    def _request_keys(self, request: Any) -> Keys:
        verify = ca_bundle.keys(self._path) if self._path else {}
        retries = arguments.retry_keys(self._retries, request.method)
        keys = {**verify, **retries, **self._keys}
        if self._http2 and request.url.scheme == "http" and keys["http_version"] == "2":
            del keys["http_version"]  # httpx does not ask for an upgrade
        return keys

    def _length_of_stream(self, request: Any) -> Tuple[bool, Optional[int]]:
        """(is the body to be sent piece by piece?, its length if that is known)"""
        length = self._announced_length(request)
        is_small = length is not None and length <= daemon_client.MAX_INLINE_BYTES
        return not is_small and not isinstance(request.stream, self.package.ByteStream), length

    def _announced_length(self, request: Any) -> Optional[int]:
        """What the headers say of the body; None: it ends where it ends. Without any of them there
        is no body. Raises LocalProtocolError for a Content-Length that is not a number."""
        if "content-length" not in request.headers:
            return None if "transfer-encoding" in request.headers else 0
        length = stream_request.content_length(request.headers.items())
        if length is None:
            raise self._error("LocalProtocolError", "bad Content-Length", request)
        return length

    def _whole(self, request: Any, content: bytes, length: Optional[int]) -> bytes:
        """The content, whose length must be the one that the headers announce: a short body must
        not look whole to the origin."""
        if length is None or length == len(content):
            return content
        amount = "little" if len(content) < length else "much"
        message = f"Too {amount} data for declared Content-Length"
        raise self._error("LocalProtocolError", message, request)

    def _options(self, request: Any, body: stream_request.Body, keys: Keys) -> Dict[str, Any]:
        """The arguments of Daemon.open_fetch()."""
        timeouts = _timeouts(request)
        url, trace = _absolute_url(request.url), context.headers()
        if self._daemon.sends_route:
            trace += route.headers(route.key_of({"url": url, **keys}))
        has_body = "content-length" in request.headers or "transfer-encoding" in request.headers
        encoded = stream_request.encode_request(
            method=request.method,
            url=url,
            headers=_headers(request),
            body=body if has_body else None,
            timeout={"connect": timeouts.get("connect"), "idle": timeouts.get("read")},
            request_keys=keys,
        )
        return {
            "body": encoded,
            "trace": trace,
            "idle_timeout": timeouts.get("read"),
            "idempotent": request.method in daemon_client.IDEMPOTENT,
        }

    # -- the response -----------------------------------------------------------------------------

    def _response(
        self, envelope: Dict[str, Any], stream: Any, release: Callable[[], None]
    ) -> Any:
        version = envelope.get("http_version") or "1.1"
        extensions = {
            "http_version": f"HTTP/{version}".encode(),
            "reason_phrase": envelope["reason"].encode("latin-1", "replace"),
            "network_stream": NetworkStream(envelope.get("connection") or {}),
            "curlew": envelope,
        }
        return self.package.Response(
            envelope["status"],
            headers=stream_request.response_headers(envelope),
            stream=self.body_class(stream, release, self.package),
            extensions=extensions,
        )

    def _error(self, class_name: str, message: str, request: Any) -> Exception:
        error: Exception = getattr(self.package, class_name)(message, request=request)
        return error

    def _to_error(self, err: Exception, request: Any, body: stream_request.Body) -> Exception:
        failure = stream_request.error_from_daemon(err)
        name = errors.class_name_of(failure)
        if failure.code == "idle_timeout" and _is_being_sent(body):
            name = "WriteTimeout"
        if isinstance(err, (daemon_client.NoResponse, daemon_client.IncompleteResponse)):
            name = "ReadError"  # the origin may have had the request
        return self._error(name, str(failure), request)

    def _pool_timeout(self, request: Any, timeout: Optional[float]) -> Exception:
        message = f"limits.max_connections: no response was closed within {timeout:g} s"
        return self._error("PoolTimeout", message, request)


def _timeouts(request: Any) -> Timeouts:
    timeouts: Timeouts = request.extensions.get("timeout", {})
    return timeouts


def _absolute_url(url: Any) -> str:
    """Without user and password, which httpx has made a header of, and without a fragment."""
    netloc, path = url.netloc.decode("ascii"), url.raw_path.decode("ascii")
    return f"{url.scheme}://{netloc}{path}"


def _headers(request: Any) -> Iterator[Tuple[str, Any]]:
    """As they are, but for the Host that the URL has anyway."""
    netloc = request.url.netloc
    for name, value in request.headers.raw:
        if name.lower() != b"host" or value != netloc:
            yield name.decode("latin-1"), _header_value(value)


def _header_value(value: bytes) -> Any:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}


class _Pieces:
    """A request's stream. `is_sent`: the daemon has all of it."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.is_sent = False

    def __iter__(self) -> Iterator[bytes]:
        yield from self._stream
        self.is_sent = True


class _AsyncPieces:
    """The same for an async stream."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.is_sent = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            yield piece
        self.is_sent = True


def _is_being_sent(body: stream_request.Body) -> bool:
    return isinstance(body, daemon_client.BodySource) and not body.source.is_sent


class NetworkStream:
    """`response.extensions["network_stream"]`: the connection's addresses. The connection itself
    is the daemon's."""

    def __init__(self, connection: Dict[str, Any]) -> None:
        self._connection = connection

    def get_extra_info(self, info: str) -> Any:
        """`client_addr` and `server_addr` as (IP, port); None for anything else."""
        side = {"client_addr": "local", "server_addr": "remote"}.get(info)
        if side is None or not self._connection.get(f"{side}_ip"):
            return None
        return self._connection[f"{side}_ip"], self._connection[f"{side}_port"]


# -- bodies ---------------------------------------------------------------------------------------


class BaseBody:
    """The body of a response. `release` is called once, at the latest when it is collected."""

    def __init__(self, stream: Any, release: Callable[[], None], package: Any) -> None:
        self._stream = stream
        self._release: Optional[Callable[[], None]] = release
        self._package = package

    def _close(self) -> None:
        self._stream.close()
        release, self._release = self._release, None
        if release is not None:
            release()

    def __del__(self) -> None:
        self._close()

    def _to_error(self, err: daemon_client.DaemonError) -> Exception:
        if err.code is not None:
            name = errors.class_name(err.code)
        elif isinstance(err, daemon_client.DaemonTimeout):
            name = "ReadTimeout"
        else:
            name = "RemoteProtocolError"
        error: Exception = getattr(self._package, name)(str(err))
        return error


class Body(BaseBody):
    """The body of a blocking response."""

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._stream
        except daemon_client.DaemonError as err:
            raise self._to_error(err) from err

    def close(self) -> None:
        self._close()


class AsyncBody(BaseBody):
    """The body of a response for coroutines."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._stream:
                yield piece
        except daemon_client.DaemonError as err:
            raise self._to_error(err) from err

    async def aclose(self) -> None:
        self._close()


# -- transports -----------------------------------------------------------------------------------


class Transport(BaseTransport):
    """Blocking."""

    limit_class = connection_limit.ConnectionLimit

    def handle_request(self, request: Any) -> Any:
        """Called by the client: the response, its body yet to be read."""
        self._check(request)
        body = self._body(request)
        release = self._acquire(request)
        try:
            envelope, stream = self._fetch(request, body)
        except BaseException:
            release()
            raise
        return self._response(envelope, stream, release)

    def _acquire(self, request: Any) -> Callable[[], None]:
        timeout = _timeouts(request).get("pool")
        if self._limit is None:
            return _do_nothing
        if not self._limit.acquire(timeout):
            raise self._pool_timeout(request, timeout)
        release: Callable[[], None] = self._limit.release
        return release

    def _body(self, request: Any) -> stream_request.Body:
        streams, length = self._length_of_stream(request)
        if not streams:
            return self._whole(request, request.read(), length)
        return daemon_client.BodySource(_Pieces(request.stream), length, repeatable=False)

    def _fetch(self, request: Any, body: stream_request.Body) -> Tuple[Keys, Any]:
        keys = self._request_keys(request)
        try:
            try:
                return self._daemon.open_fetch(**self._options(request, body, keys))
            except daemon_client.FetchFailed as err:
                if not _wants_certificates(err, keys):
                    raise
            keys = ca_bundle.in_full(keys)
            return self._daemon.open_fetch(**self._options(request, body, keys))
        except (daemon_client.DaemonError, daemon_client.FetchFailed) as err:
            raise self._to_error(err, request, body) from err

    def close(self) -> None:
        """Does nothing: the connections are the daemon's."""


class AsyncTransport(BaseTransport):
    """For coroutines. Cancelling a request cancels the fetch."""

    limit_class = connection_limit.AsyncConnectionLimit

    async def handle_async_request(self, request: Any) -> Any:
        """Called by the client: the response, its body yet to be read."""
        _check_loop()
        self._check(request)
        body = await self._body(request)
        release = await self._acquire(request)
        try:
            envelope, stream = await self._fetch(request, body)
        except BaseException:
            release()
            raise
        return self._response(envelope, stream, release)

    async def _acquire(self, request: Any) -> Callable[[], None]:
        timeout = _timeouts(request).get("pool")
        if self._limit is None:
            return _do_nothing
        if not await self._limit.acquire(timeout):
            raise self._pool_timeout(request, timeout)
        release: Callable[[], None] = self._limit.release
        return release

    async def _body(self, request: Any) -> stream_request.Body:
        streams, length = self._length_of_stream(request)
        if not streams:
            return self._whole(request, await request.aread(), length)
        return daemon_client.BodySource(_AsyncPieces(request.stream), length, repeatable=False)

    async def _fetch(self, request: Any, body: stream_request.Body) -> Tuple[Keys, Any]:
        keys = self._request_keys(request)
        try:
            try:
                return await self._daemon.aopen_fetch(**self._options(request, body, keys))
            except daemon_client.FetchFailed as err:
                if not _wants_certificates(err, keys):
                    raise
            keys = ca_bundle.in_full(keys)
            return await self._daemon.aopen_fetch(**self._options(request, body, keys))
        except (daemon_client.DaemonError, daemon_client.FetchFailed) as err:
            raise self._to_error(err, request, body) from err

    async def aclose(self) -> None:
        """Does nothing: the connections are the daemon's."""


def _wants_certificates(err: daemon_client.FetchFailed, keys: Keys) -> bool:
    code = stream_request.error_from_daemon(err).code
    return ca_bundle.is_wanted(code, keys)


def _do_nothing() -> None:
    pass


def _check_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise RuntimeError(
            "AsyncCurlewTransport needs an event loop of asyncio's; under trio use CurlewTransport"
            " in a thread"
        ) from None
