"""Failures of a fetch as the exceptions that urllib3 raises for the like.

What urllib3 has no exception for, as the daemon has refused the request, is a CurlewError.
"""

from __future__ import annotations

import http.client
import socket
from typing import Any, Callable, Dict, NamedTuple, Optional

from urllib3 import exceptions
from urllib3.connection import HTTPConnection

from . import _stream_request as stream_request

# The request cannot be made like this, now or later.
REFUSED = {
    "bad_request",
    "bad_url",
    "forbidden",
    "internal",
    "not_found",
    "request_too_large",
    "unauthorized",
    "unknown_ca",
    "unknown_session",
    "unsupported",
}
# Nothing was sent, and it is not the origin's fault.
UNAVAILABLE = {"blocked", "draining", "origin_unavailable", "overloaded", "unreachable"}

TLS_HINT = (
    "; to trust other certificates, pass verify=PATH, or set ca_file for a session of the"
    " daemon's and use CurlewAdapter(session=NAME)"
)
NO_CERT = (
    "cert: client certificates are the daemon's. Set client_cert and client_key for a session of"
    " the daemon's, and use CurlewAdapter(session=NAME)"
)


class CurlewError(exceptions.HTTPError):
    """The daemon has not made the fetch. `code` is one of docs/api.md, or "unreachable"."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code

    def __reduce__(self) -> Any:
        return type(self), (self.code, str(self))


class BodyError(exceptions.HTTPError):
    """The body broke so soon after the head that the daemon reports the whole fetch as failed. Its
    argument is what urllib3 raises for a broken body."""


RAISED_AT_ONCE = (BodyError, CurlewError, exceptions.InvalidHeader)  # never in a MaxRetryError


class Context(NamedTuple):
    """Where a request went, and how long it might take: for the texts of exceptions."""

    pool: Any
    url: str
    timeout: Dict[str, Optional[float]]


def from_fetch_error(
    err: stream_request.FetchError, pool: Any, url: str, timeout: Dict[str, Optional[float]]
) -> exceptions.HTTPError:
    """The exception for a fetch that failed before the head of its response. `timeout`: of the
    request, `connect` and `idle`."""
    context = Context(pool, url, timeout)
    if err.code in REFUSED or err.code in UNAVAILABLE:
        return CurlewError(err.code, str(err))
    if err.code in ("idle_timeout", "timeout") and err.attempts == 0:
        return _connect_timeout(err, context)  # both at once, and this one was seen first
    if _is_of_body(err):
        broken = ConnectionError(str(err))
        return BodyError(exceptions.ProtocolError(f"Connection broken: {broken!r}", broken))
    return MAKERS.get(err.code, _broken)(err, context)


def _is_of_body(err: stream_request.FetchError) -> bool:
    """The codes are the same for heads and bodies; test_requests_exceptions.py knows the texts."""
    if err.code == "protocol_error":
        return "the chunks of Transfer-Encoding" in str(err)
    if err.code == "response_too_large":
        return "the body is over" in str(err)
    return err.code == "incomplete_body" and "the response's head" not in str(err)


def _connect_timeout(err: Any, context: Context) -> exceptions.HTTPError:
    limit = context.timeout["connect"]
    text = f"Connection to {context.pool.host} timed out. (connect timeout={limit})"
    # As urllib3 has it; and a pool can't be pickled, as workers do it with exceptions.
    connection = HTTPConnection(context.pool.host, port=context.pool.port)
    return exceptions.ConnectTimeoutError(connection, text)


def _read_timeout(err: Any, context: Context) -> exceptions.HTTPError:
    text = f"Read timed out. (read timeout={context.timeout['idle']})"
    return exceptions.ReadTimeoutError(context.pool, context.url, text)


def _no_connection(err: Any, context: Context) -> exceptions.HTTPError:
    text = f"Failed to establish a new connection: {err}"
    return exceptions.NewConnectionError(context.pool, text)


def _no_address(err: Any, context: Context) -> exceptions.HTTPError:
    error_class = getattr(exceptions, "NameResolutionError", None)  # not in urllib3 1.26
    if error_class is None:
        return _no_connection(err, context)
    reason = socket.gaierror(socket.EAI_NONAME, str(err))
    error: exceptions.HTTPError = error_class(context.pool.host, context.pool, reason)
    return error


def _no_tls(err: Any, context: Context) -> exceptions.HTTPError:
    return exceptions.SSLError(str(err) + TLS_HINT)


def _no_proxy(err: Any, context: Context) -> exceptions.HTTPError:
    return exceptions.ProxyError("Unable to connect to proxy", OSError(str(err)))


def _not_http(err: Any, context: Context) -> exceptions.HTTPError:
    if "content-length" in str(err).lower():
        return exceptions.InvalidHeader(str(err))
    return exceptions.ProtocolError("Connection aborted.", http.client.HTTPException(str(err)))


def _broken(err: Any, context: Context) -> exceptions.HTTPError:
    return exceptions.ProtocolError("Connection aborted.", ConnectionError(str(err)))


MAKERS: Dict[str, Callable[[Any, Context], exceptions.HTTPError]] = {
    "dns_failed": _no_address,
    "connect_failed": _no_connection,
    "connect_timeout": _connect_timeout,
    "idle_timeout": _read_timeout,
    "timeout": _read_timeout,
    "tls_failed": _no_tls,
    "proxy_failed": _no_proxy,
    "protocol_error": _not_http,
}  # all other codes: the connection broke
