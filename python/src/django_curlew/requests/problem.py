"""From a problem document of the daemon's (RFC 9457) to curl_cffi's exception."""

from __future__ import annotations

from typing import Any, Dict, Optional, Type

from .. import daemon
from ..daemon import foreign_response
from ..json_codec import loads
from . import exceptions as e
from ..const import CurlECode as C

ExceptionClass = Type[e.RequestException]

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
    "forbidden": (e.DaemonError, 0),
    "unknown_session": (e.BadRequest, 0),
    "unknown_ca": (e.BadRequest, 0),
}


def document_of(error_response: Any) -> Optional[Dict[str, Any]]:
    """The problem document of a response, if it is one of the daemon's: with a `code`."""
    content_type = error_response.header("content-type") or ""
    if content_type.partition(";")[0].strip().lower() != "application/problem+json":
        return None
    try:
        document = loads(error_response.body)
    except ValueError:
        return None
    is_ours = isinstance(document, dict) and isinstance(document.get("code"), str)
    return document if is_ours else None


def to_exception(
    problem: Dict[str, Any], response: Any = None, impersonate: bool = False
) -> Any:
    """The exception for a problem document. `response` becomes its attribute; `impersonate`:
    whether the request had that parameter, or one of a fingerprint."""
    reason, code = str(problem.get("code", "")), int(problem.get("curl_code") or 0)
    exception_class, default_code = BY_REASON.get(reason, (e.RequestException, 0))
    if code in e.CODE2ERROR and code != 0:  # more exact than the daemon's
        exception_class = e.CODE2ERROR[code]
    code = code or int(default_code)
    detail = str(problem.get("detail") or problem.get("title") or "the fetch failed")
    if exception_class is e.BadRequest and detail.startswith("url:"):
        exception_class, code = e.InvalidURL, int(C.URL_MALFORMAT)
    if impersonate and detail.startswith(("impersonate", "fingerprint")):
        exception_class = e.ImpersonateError
    if code == C.RECV_ERROR and "CONNECT" in detail:  # a proxy refused, in libcurl's words
        exception_class = e.ProxyError
    if response is not None and "response" in problem:  # what the origin last answered
        response.envelope = {"reason": "", **problem["response"]}
    exception = exception_class(_message(exception_class, code, detail), code, response)
    exception.problem = problem
    return exception


def _message(exception_class: ExceptionClass, code: int, detail: str) -> str:
    """The text, with what programs look for in curl_cffi's: "timed out", and libcurl's code."""
    if issubclass(exception_class, e.Timeout) and "timed out" not in detail:
        detail = f"Operation timed out: {detail}"
    if not code or issubclass(exception_class, e.Blocked):  # libcurl did not fail
        return detail
    return f"curl: ({code}) {detail}"


def from_response(
    error_response: Any, response: Any = None, impersonate: bool = False
) -> Any:
    """The exception for a response to this process that is not an envelope: a problem document of
    the daemon's, or an error page of the web server's before it."""
    document = document_of(error_response)
    if document is not None:
        exception = to_exception(document, response, impersonate)
        if isinstance(exception, e.Overloaded):
            exception.retry_after = _parse_seconds(error_response.header("retry-after"))
        return exception
    exception = e.DaemonError(foreign_response.explanation_of(error_response), 0, response)
    exception.problem = {"code": "unreachable", "status": error_response.status}
    return exception


def from_daemon_error(
    err: daemon.DaemonError, response: Any = None, streaming: bool = False
) -> Any:
    """The exception for a daemon that gave no response; with `streaming`, for a body that is
    incomplete, which is how a stream reports that the origin's was."""
    if isinstance(err, e.RequestException):  # NotConfigured is both
        return type(err)(str(err), 0, response)
    if isinstance(err, daemon.DaemonTimeout):
        reason = "timeout"
    elif isinstance(err, daemon.UploadError):
        reason = "bad_request"
    elif streaming and isinstance(err, daemon.IncompleteResponse):
        reason = err.code if err.code in BY_REASON else "incomplete_body"
    else:
        reason = "unreachable"
    exception_class, code = BY_REASON.get(reason, (e.DaemonError, 0))
    if reason == "protocol_error" and "content-encoding" in str(err):  # without libcurl's code here
        code = int(C.BAD_CONTENT_ENCODING)
        exception_class = e.CODE2ERROR[code]
    text = _message(exception_class, int(code), str(err))
    exception: Any = exception_class(text, int(code), response)
    exception.problem = {"code": err.code or "unreachable", "detail": str(err)}
    return exception


def _parse_seconds(value: Optional[str]) -> Optional[float]:
    return float(value) if value and value.isdigit() else None
