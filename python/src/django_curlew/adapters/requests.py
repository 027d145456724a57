"""requests through Curlew.

    from django_curlew.adapters.requests import CurlewAdapter

    session = requests.Session()
    session.mount("https://", CurlewAdapter())
    session.mount("http://", CurlewAdapter(session="scraper"))

The adapter holds no connection: a session may be made for each request at no cost. Keywords are
keys of Curlew's request object for every request (`session`, `http_version`, `max_recv_speed`, …).
`response.raw.curlew` has the facts about the fetch: url, http-version, connection, ….

`timeout`: connect is the daemon's `connect`, read its `idle`. `verify` may be True or False. A path
to CA certificates, or `cert`, raises ValueError: they belong to a session of the daemon's
(`ca_file`, `client_cert`). A request's body is read to its end before it is sent.
"""

from __future__ import annotations

import io
import os
import socket
from email.message import Message
from typing import Any, Dict, Iterable, Iterator, List, Optional, Tuple, Type

import requests.exceptions as errors
from requests.adapters import HTTPAdapter
from requests.models import PreparedRequest, Response
from requests.utils import select_proxy
from urllib3 import HTTPResponse

from .. import context
from .. import daemon as daemon_client
from . import _stream_request as stream_request

ERRORS: Dict[str, Type[errors.RequestException]] = {
    "connect_timeout": errors.ConnectTimeout,
    "timeout": errors.ReadTimeout,
    "idle_timeout": errors.ReadTimeout,
    "bad_request": errors.RequestException,
    "request_too_large": errors.RequestException,
    "unsupported": errors.RequestException,
    "bad_url": errors.InvalidURL,
    "proxy_failed": errors.ProxyError,
    "tls_failed": errors.SSLError,
    "protocol_error": errors.ConnectionError,
}  # all other codes: ConnectionError


class CurlewAdapter(HTTPAdapter):
    """A transport adapter, for Session.mount(). `daemon`: a Daemon in place of the one in the
    settings."""

    def __init__(
        self, daemon: Optional[daemon_client.Daemon] = None, **request_keys: Any
    ) -> None:
        super().__init__()
        self._daemon = daemon
        self._request_keys = request_keys

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> Response:
        tls_keys = _tls_keys(verify, cert)
        proxy = select_proxy(request.url, proxies)
        body = stream_request.encode_request(
            method=request.method or "GET",
            url=request.url or "",
            headers=_decode_pairs((request.headers or {}).items()),
            body=_read_body(request.body),
            timeout=_daemon_timeout(timeout),
            request_keys={**self._request_keys, **tls_keys, "proxy": proxy},
        )
        try:
            daemon_stream = (self._daemon or daemon_client.current()).open(
                "POST",
                stream_request.ROUTE,
                headers=stream_request.JSON,
                body=body,
                trace=context.headers(),
                idle_timeout=_daemon_timeout(timeout)["idle"],
            )
            headers, facts = stream_request.split_headers(daemon_stream)
            if not facts:
                raise stream_request.error_from_response(
                    daemon_stream.status, b"".join(daemon_stream)
                )
        except daemon_client.DaemonError as err:
            raise _to_requests_error(stream_request.error_from_daemon(err), request) from err
        except stream_request.FetchError as err:
            raise _to_requests_error(err, request) from None
        raw = _RawResponse(daemon_stream, request.method, _decode_pairs(headers), facts)
        response: Response = self.build_response(request, raw)
        if not stream:
            response.content  # noqa: B018  (read it, as requests itself would later)
        return response


def _to_requests_error(
    err: stream_request.FetchError, request: PreparedRequest
) -> errors.RequestException:
    return ERRORS.get(err.code, errors.ConnectionError)(str(err), request=request)


def _decode_pairs(pairs: Iterable[Tuple[Any, Any]]) -> List[Tuple[str, str]]:
    return [(_decode(name), _decode(value)) for name, value in pairs]


def _decode(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _read_body(body: Any) -> Optional[bytes]:
    if body is None or isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode()
    if hasattr(body, "read"):
        return _to_bytes(body.read())
    return b"".join(_to_bytes(piece) for piece in body)


def _to_bytes(piece: Any) -> bytes:
    return piece.encode() if isinstance(piece, str) else bytes(piece)


def _daemon_timeout(timeout: Any) -> Dict[str, Optional[float]]:
    connect, read = timeout if isinstance(timeout, tuple) else (timeout, timeout)
    return {"connect": connect, "idle": read}


def _tls_keys(verify: Any, cert: Any) -> Dict[str, Any]:
    if verify in (os.environ.get("REQUESTS_CA_BUNDLE"), os.environ.get("CURL_CA_BUNDLE")):
        verify = True  # requests took it from the environment, the caller did not pass it
    if cert or isinstance(verify, str):
        parameter = "cert" if cert else "verify"
        raise ValueError(
            f"{parameter}: a request to the daemon can't name a file. Configure ca_file,"
            " client_cert or client_key for a session of the daemon's and use it:"
            " CurlewAdapter(session=…)."
        )
    return {} if verify else {"verify": False}


class _RawResponse(HTTPResponse):
    """A urllib3 response, which requests reads from. `curlew`: facts about the fetch."""

    def __init__(
        self,
        stream: daemon_client.Stream,
        method: Optional[str],
        headers: Any,
        facts: Dict[str, str],
    ) -> None:
        self.curlew = facts
        self._file = _StreamFile(stream)
        super().__init__(
            body=self._file,
            headers=headers,
            status=stream.status,
            preload_content=False,
            request_method=method,  # a response to HEAD has a length, and no body
            original_response=_OriginalResponse(headers),  # type: ignore[arg-type]
        )

    def stream(self, amt: Optional[int] = 2**16, decode_content: Any = None) -> Iterator[bytes]:
        """Pieces as they are received, without waiting for `amt` bytes: server-sent events need
        that."""
        if self.headers.get("content-encoding"):
            yield from super().stream(amt, decode_content)
        else:
            with self._error_catcher():
                yield from iter(lambda: self._file.read(amt or -1), b"")


class _StreamFile(io.RawIOBase):
    """A stream of the daemon's as a binary file."""

    def __init__(self, stream: daemon_client.Stream) -> None:
        self._stream = stream
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            piece = self._rest or self._stream.read()
        except daemon_client.DaemonTimeout as err:
            raise socket.timeout(str(err)) from err  # noqa: UP041 (not the same before 3.10)
        except daemon_client.DaemonError as err:
            raise ConnectionError(str(err)) from err  # urllib3 makes a ProtocolError of it
        n = min(len(piece), len(buffer))
        buffer[:n], self._rest = piece[:n], piece[n:]
        return n

    def close(self) -> None:
        self._stream.close()
        super().close()


class _OriginalResponse:
    """The part of an http.client.HTTPResponse that requests reads cookies from."""

    def __init__(self, headers: List[Tuple[str, str]]) -> None:
        self.msg = Message()
        for name, value in headers:
            self.msg[name] = value

    def isclosed(self) -> bool:
        return False

    def close(self) -> None:
        pass
