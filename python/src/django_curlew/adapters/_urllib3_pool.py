"""Connection pools of urllib3 that hold no connections: the daemon makes their requests.

requests and urllib3 choose the pool, give it retries and timeouts, and read its exceptions and its
response, all as ever.
"""

from __future__ import annotations

import base64
import functools
import io
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.exceptions import HTTPError, MaxRetryError, SSLError
from urllib3.util import Timeout
from urllib3.util.request import rewind_body, set_file_position
from urllib3.util.retry import Retry

from .. import ca_bundle, context, route
from .. import daemon as daemon_client
from . import _stream_request as stream_request
from . import _urllib3_errors as urllib3_errors
from . import _urllib3_response as urllib3_response
from . import _urllib3_retries as urllib3_retries

DEFAULT_PORTS = {"http": 80, "https": 443}
ACCEPT_ENCODING = ("Accept-Encoding", "identity")  # http.client's, unless the caller has one
UNSET = object()

Keys = Dict[str, Any]


class Options:
    """What all pools of an adapter share. `find_daemon` returns the Daemon to use, `request_keys`
    are keys of every request object."""

    def __init__(
        self,
        find_daemon: Callable[[], daemon_client.Daemon],
        request_keys: Keys,
        proxy: Optional[str] = None,
    ) -> None:
        self.find_daemon = find_daemon
        self.request_keys = request_keys
        self.proxy = proxy


def make_manager(options: Options, num_pools: int, **pool_arguments: Any) -> PoolManager:
    """A PoolManager with pools of this module."""
    manager = PoolManager(num_pools=num_pools, **pool_arguments)
    manager.pool_classes_by_scheme = {
        "http": functools.partial(CurlewHTTPConnectionPool, options),
        "https": functools.partial(CurlewHTTPSConnectionPool, options),
    }
    return manager


class _CurlewPool:
    """The part of a pool that makes requests."""

    scheme: str
    host: str
    port: Optional[int]
    headers: Mapping[str, str]
    timeout: Timeout
    retries: Any

    def __init__(self, options: Options, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._options = options

    def urlopen(
        self,
        method: str,
        url: str,
        body: Any = None,
        headers: Optional[Mapping[str, Any]] = None,
        retries: Any = None,
        redirect: bool = True,
        assert_same_host: bool = True,
        timeout: Any = UNSET,
        pool_timeout: Any = None,
        release_conn: Any = None,
        chunked: bool = False,
        body_pos: Any = None,
        preload_content: bool = True,
        decode_content: bool = True,
        **response_arguments: Any,
    ) -> urllib3_response.CurlewResponse:
        """As in urllib3; redirects are those of PoolManager or of requests."""
        limits = _seconds(self.timeout if timeout is UNSET else timeout)
        if not isinstance(retries, Retry):
            retries = Retry.from_int(retries, redirect=redirect, default=self.retries)
        in_daemon = urllib3_retries.to_keys(retries, method)
        if in_daemon != urllib3_retries.NONE or _is_iterator(body):
            retries = urllib3_retries.used_up(retries)
        pairs = _header_pairs(self.headers if headers is None else headers)
        request = {
            "method": method,
            "url": self._absolute(url),
            "headers": pairs,
            "timeout": {"connect": limits[0], "idle": limits[1]},
            "request_keys": self._request_keys(in_daemon),
        }
        body_pos = set_file_position(body, body_pos)

        def send(retries: Any) -> urllib3_response.CurlewResponse:
            return self._exchange(
                {**request, "body": _body(body, pairs)},
                url,
                retries=retries,
                preload_content=preload_content,
                decode_content=decode_content,
                **response_arguments,
            )

        def wait(retries: Any, response: Any = None) -> None:
            retries.sleep(response)
            if body_pos is not None:
                rewind_body(body, body_pos)

        return self._retry(method, url, retries, send, wait)

    def _retry(
        self,
        method: str,
        url: str,
        retries: Any,
        send: Callable[[Any], urllib3_response.CurlewResponse],
        wait: Callable[..., None],
    ) -> urllib3_response.CurlewResponse:
        """What urllib3 does with a Retry. One that the daemon has used up ends here, with the
        exception of urllib3's."""
        while True:
            try:
                response = send(retries)
            except urllib3_errors.RAISED_AT_ONCE:
                raise
            except HTTPError as err:
                retries = retries.increment(method, url, error=err, _pool=self)
                wait(retries)
                continue
            if not retries.is_retry(method, response.status, "Retry-After" in response.headers):
                return response
            try:
                retries = retries.increment(method, url, response=response, _pool=self)
            except MaxRetryError:
                if retries.raise_on_status:
                    response.close()
                    raise
                return response
            response.close()
            wait(retries, response)

    def _request_keys(self, retries: Optional[Keys]) -> Keys:
        keys = self._options.request_keys
        return {
            **keys,
            **self._tls_keys(),
            "proxy": self._options.proxy or keys.get("proxy"),
            "retries": retries if keys.get("retries") is None else keys["retries"],
        }

    def _exchange(
        self, request: Keys, url: str, **arguments: Any
    ) -> urllib3_response.CurlewResponse:
        """The response to one request; what urllib3 would raise if there is none."""
        try:
            envelope, stream = self._open(request)
        except stream_request.FetchError as err:
            raise urllib3_errors.from_fetch_error(err, self, url, request["timeout"]) from err
        return urllib3_response.from_stream(
            envelope,
            stream,
            pool=self,
            request_method=request["method"],
            **{"request_url": url, **arguments},
        )

    def _absolute(self, url: str) -> str:
        if not url.startswith("/"):  # in full, as it is for a proxy
            return url
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = self.port in (None, DEFAULT_PORTS[self.scheme])
        return f"{self.scheme}://{host}{'' if default else f':{self.port}'}{url}"

    def _tls_keys(self) -> Keys:
        return {}

    def _open(self, request: Keys) -> Tuple[Keys, daemon_client.Stream]:
        daemon = self._options.find_daemon()
        try:
            return _open_stream(daemon, request)
        except stream_request.FetchError as err:
            keys = request["request_keys"]
            if not ca_bundle.is_wanted(err.code, keys):
                raise
            return _open_stream(daemon, {**request, "request_keys": ca_bundle.in_full(keys)})


class CurlewHTTPConnectionPool(_CurlewPool, HTTPConnectionPool):
    """For http:// URLs."""


class CurlewHTTPSConnectionPool(_CurlewPool, HTTPSConnectionPool):
    """For https:// URLs. `ca_certs`, `ca_cert_dir` and `cert_reqs` are obeyed; a `cert_file` is
    refused."""

    cert_file: Optional[str]

    def _tls_keys(self) -> Keys:
        if self.cert_file:
            raise SSLError(urllib3_errors.NO_CERT)
        if self.cert_reqs == "CERT_NONE":
            return {"verify": False}
        try:
            return ca_bundle.keys(self.ca_certs or self.ca_cert_dir or True)
        except OSError as err:
            raise SSLError(err) from err


def _open_stream(
    daemon: daemon_client.Daemon, request: Keys
) -> Tuple[Keys, daemon_client.Stream]:
    """(envelope, stream of the body). Raises FetchError."""
    trace = context.headers()
    if daemon.sends_route:
        trace += route.headers(route.key_of({"url": request["url"], **request["request_keys"]}))
    try:
        return daemon.open_fetch(
            body=stream_request.encode_request(**request),
            trace=trace,
            idle_timeout=request["timeout"]["idle"],
        )
    except (daemon_client.DaemonError, daemon_client.FetchFailed) as err:
        raise stream_request.error_from_daemon(err) from err


def _seconds(timeout: Any) -> Tuple[Optional[float], Optional[float]]:
    """(connect, read); None: no limit."""
    if not isinstance(timeout, Timeout):
        timeout = Timeout.from_float(timeout)
    timeout = timeout.clone()
    timeout.start_connect()  # read_timeout counts from here if there is a total
    return _number(timeout.connect_timeout), _number(timeout.read_timeout)


def _number(value: Any) -> Optional[float]:
    return float(value) if isinstance(value, (int, float)) else None


def _header_pairs(headers: Mapping[Any, Any]) -> List[Tuple[str, Any]]:
    """Names and values as http.client would send them."""
    pairs = [(_name(name), _value(value)) for name, value in headers.items()]
    if not any(name.lower() == ACCEPT_ENCODING[0].lower() for name, _ in pairs):
        pairs.append(ACCEPT_ENCODING)
    return pairs


def _name(name: Any) -> str:
    return name.decode("ascii") if isinstance(name, bytes) else str(name)


def _value(value: Any) -> Any:
    """For the request object. Raises UnicodeEncodeError, as http.client does."""
    raw = value if isinstance(value, bytes) else str(value).encode("latin-1")
    return raw.decode() if raw.isascii() else {"base64": base64.b64encode(raw).decode()}


def _body(body: Any, headers: List[Tuple[str, Any]]) -> stream_request.Body:
    """The body as http.client would send it; files and iterables are sent piece by piece."""
    if body is None:
        return b"" if stream_request.content_length(headers) == 0 else None
    if isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode()
    length = stream_request.content_length(headers)
    if hasattr(body, "read"):
        if isinstance(body, io.TextIOBase):
            length = None  # of its characters
        return daemon_client.BodySource(body, length)
    try:
        return bytes(memoryview(body))
    except TypeError:
        pieces = (_to_bytes(piece) for piece in body)
        return daemon_client.BodySource(pieces, length)


def _is_iterator(body: Any) -> bool:
    """Can it be read only once?"""
    return hasattr(body, "__next__") and not hasattr(body, "read")


def _to_bytes(piece: Any) -> bytes:
    """What http.client would send of a piece. Raises TypeError for a number, of which bytes() makes
    that many zeros."""
    return piece.encode() if isinstance(piece, str) else bytes(memoryview(piece))
