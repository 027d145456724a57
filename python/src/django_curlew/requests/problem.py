"""From a problem document of the daemon's (RFC 9457) to curl_cffi's exception."""

from __future__ import annotations

from typing import Any, Dict, Optional, Type

from .. import daemon
from ..json_codec import loads
from . import exceptions as e
from .const import CurlECode as C

ExceptionClass = Type[e.RequestException]

# If there is a libcurl code, it is more exact than the daemon's.
BY_CURL_CODE: Dict[int, ExceptionClass] = {
    C.UNSUPPORTED_PROTOCOL: e.InvalidSchema,
    C.URL_MALFORMAT: e.InvalidURL,
    C.COULDNT_RESOLVE_PROXY: e.ProxyError,
    C.COULDNT_RESOLVE_HOST: e.DNSError,
    C.COULDNT_CONNECT: e.ConnectionError,
    C.WEIRD_SERVER_REPLY: e.ConnectionError,
    C.REMOTE_ACCESS_DENIED: e.ConnectionError,
    C.HTTP2: e.HTTPError,
    C.PARTIAL_FILE: e.IncompleteRead,
    C.HTTP_RETURNED_ERROR: e.HTTPError,
    C.OPERATION_TIMEDOUT: e.Timeout,
    C.SSL_CONNECT_ERROR: e.SSLError,
    C.INTERFACE_FAILED: e.InterfaceError,
    C.TOO_MANY_REDIRECTS: e.TooManyRedirects,
    C.GOT_NOTHING: e.ConnectionError,
    C.SSL_ENGINE_NOTFOUND: e.SSLError,
    C.SSL_ENGINE_SETFAILED: e.SSLError,
    C.SEND_ERROR: e.ConnectionError,
    C.SEND_FAIL_REWIND: e.UnrewindableBodyError,
    C.RECV_ERROR: e.ConnectionError,
    C.SSL_CERTPROBLEM: e.SSLError,
    C.SSL_CIPHER: e.SSLError,
    C.PEER_FAILED_VERIFICATION: e.CertificateVerifyError,
    C.BAD_CONTENT_ENCODING: e.HTTPError,
    C.SSL_ENGINE_INITFAILED: e.SSLError,
    C.SSL_CACERT_BADFILE: e.SSLError,
    C.SSL_CRL_BADFILE: e.SSLError,
    C.SSL_ISSUER_ERROR: e.SSLError,
    C.SSL_PINNEDPUBKEYNOTMATCH: e.SSLError,
    C.SSL_INVALIDCERTSTATUS: e.SSLError,
    C.HTTP2_STREAM: e.HTTPError,
    C.HTTP3: e.HTTPError,
    C.QUIC_CONNECT_ERROR: e.ConnectionError,
    C.PROXY: e.ProxyError,
    C.SSL_CLIENTCERT: e.SSLError,
}

# By the daemon's `code` (docs/api.md); with the libcurl code that curl_cffi would have.
BY_REASON: Dict[str, "tuple[ExceptionClass, int]"] = {
    "bad_url": (e.InvalidURL, C.URL_MALFORMAT),
    "bad_request": (e.BadRequest, 0),
    "request_too_large": (e.BadRequest, 0),
    "blocked": (e.Blocked, C.COULDNT_CONNECT),
    "unsupported": (e.Unsupported, 0),
    "dns_failed": (e.DNSError, C.COULDNT_RESOLVE_HOST),
    "connect_failed": (e.ConnectionError, C.COULDNT_CONNECT),
    "tls_failed": (e.SSLError, C.SSL_CONNECT_ERROR),
    "proxy_failed": (e.ProxyError, C.PROXY),
    "protocol_error": (e.ConnectionError, C.WEIRD_SERVER_REPLY),
    "too_many_redirects": (e.TooManyRedirects, C.TOO_MANY_REDIRECTS),
    "response_too_large": (e.RequestException, C.FILESIZE_EXCEEDED),
    "incomplete_body": (e.IncompleteRead, C.PARTIAL_FILE),
    "send_failed": (e.ConnectionError, C.SEND_ERROR),
    "recv_failed": (e.ConnectionError, C.RECV_ERROR),
    "overloaded": (e.Overloaded, 0),
    "draining": (e.Overloaded, 0),
    "origin_unavailable": (e.Overloaded, 0),
    "connect_timeout": (e.Timeout, C.OPERATION_TIMEDOUT),
    "timeout": (e.Timeout, C.OPERATION_TIMEDOUT),
    "idle_timeout": (e.Timeout, C.OPERATION_TIMEDOUT),
    "unauthorized": (e.DaemonError, 0),
    "unknown_session": (e.BadRequest, 0),
}


def is_problem(content_type: Optional[str]) -> bool:
    return (content_type or "").partition(";")[0].strip().lower() == "application/problem+json"


def to_exception(
    problem: Dict[str, Any], response: Any = None, impersonate: bool = False
) -> Any:
    """The exception for a problem document. `response` becomes its attribute; `impersonate`:
    whether the request had that parameter."""
    reason, code = str(problem.get("code", "")), int(problem.get("curl_code") or 0)
    exception_class, default_code = BY_REASON.get(reason, (e.RequestException, 0))
    exception_class = BY_CURL_CODE.get(code, exception_class)
    code = code or int(default_code)
    detail = str(problem.get("detail") or problem.get("title") or "the fetch failed")
    if exception_class is e.Unsupported and impersonate and detail.startswith("impersonate"):
        exception_class = e.ImpersonateError
    if code == C.RECV_ERROR and "CONNECT" in detail:  # a proxy refused, in libcurl's words
        exception_class = e.ProxyError
    exception = exception_class(detail, code, response)
    exception.problem = problem
    return exception


def from_response(
    error_response: Any, response: Any = None, impersonate: bool = False
) -> Any:
    """The exception for a response to this process that is not an envelope: a problem document of
    the daemon's, or an error page of the web server's before it."""
    if is_problem(error_response.header("content-type")):
        exception = to_exception(loads(error_response.body), response, impersonate)
        if isinstance(exception, e.Overloaded):
            exception.retry_after = _parse_seconds(error_response.header("retry-after"))
        return exception
    status = error_response.status
    hint = {
        404: "curlewd is not mounted at this path",
        502: "curlewd is not running, or the web server may not open its socket",
        503: "the web server has no curlewd to pass the request to",
        504: "curlewd did not respond to the web server in time",
    }.get(status, "this is not curlewd")
    message = f"HTTP {status} instead of a response of curlewd: {hint}"
    exception = e.DaemonError(message, 0, response)
    exception.problem = {"code": "unreachable", "status": status}
    return exception


def from_daemon_error(
    err: daemon.DaemonError, response: Any = None, streaming: bool = False
) -> Any:
    """The exception for a daemon that gave no response; with `streaming`, for a body that is
    incomplete, which is how a stream reports that the origin's was."""
    if isinstance(err, daemon.DaemonTimeout):
        exception: Any = e.Timeout(str(err), int(C.OPERATION_TIMEDOUT), response)
    elif streaming and isinstance(err, daemon.IncompleteResponse):
        exception = e.IncompleteRead(str(err), int(C.PARTIAL_FILE), response)
    else:
        exception = e.DaemonError(str(err), 0, response)
    exception.problem = {"code": err.code or "unreachable", "detail": str(err)}
    return exception


def _parse_seconds(value: Optional[str]) -> Optional[float]:
    return float(value) if value and value.isdigit() else None
