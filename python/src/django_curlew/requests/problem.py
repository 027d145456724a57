"""From the daemon's account of a failure to the exception that curl_cffi would raise."""

from __future__ import annotations

from typing import Any, Dict, Optional, Type

from .. import daemon
from ..jsons import loads
from . import exceptions as e
from .const import CurlECode as C

ERRORS = Type[e.RequestException]

# libcurl's word is the more exact one, where there is one.
BY_CURL_CODE: Dict[int, ERRORS] = {
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

# The daemon's `code` (docs/api.md), and the libcurl code that curl_cffi would have shown.
BY_REASON: Dict[str, "tuple[ERRORS, int]"] = {
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


def exception(problem: Dict[str, Any], response: Any = None, impersonate: bool = False) -> Any:
    """The exception to raise for a problem document."""
    reason, code = str(problem.get("code", "")), int(problem.get("curl_code") or 0)
    kind, usual = BY_REASON.get(reason, (e.RequestException, 0))
    kind = BY_CURL_CODE.get(code, kind)
    code = code or int(usual)
    detail = str(problem.get("detail") or problem.get("title") or "the fetch failed")
    if kind is e.Unsupported and impersonate and detail.startswith("impersonate"):
        kind = e.ImpersonateError
    if code == C.RECV_ERROR and "CONNECT" in detail:  # a proxy's refusal, to libcurl
        kind = e.ProxyError
    raised = kind(detail, code, response)
    raised.problem = problem
    return raised


def of_reply(reply: Any, response: Any = None, impersonate: bool = False) -> Any:
    """The exception for an answer that is no envelope: the daemon's problem, or the web server's
    own error page where the daemon did not answer it."""
    if is_problem(reply.header("content-type")):
        raised = exception(loads(reply.body), response, impersonate)
        if isinstance(raised, e.Overloaded):
            raised.retry_after = _seconds(reply.header("retry-after"))
        return raised
    hint = {
        404: "is this where the daemon is mounted?",
        502: "the web server can't reach the daemon; is curlewd running?",
        503: "the web server has no daemon to ask; is curlewd running?",
        504: "the daemon did not answer the web server in time",
    }.get(reply.status, "this does not look like the daemon")
    raised = e.DaemonError(f"HTTP {reply.status} instead of an answer of curlewd's: {hint}", 0,
                           response)
    raised.problem = {"code": "unreachable", "status": reply.status}
    return raised


def of_daemon(why: daemon.DaemonError, response: Any = None, streaming: bool = False) -> Any:
    """The exception for a daemon that did not answer, or, `streaming`, for a body that broke off:
    how a stream says that the origin's did."""
    if isinstance(why, daemon.DaemonTimeout):
        raised: Any = e.Timeout(str(why), int(C.OPERATION_TIMEDOUT), response)
    elif streaming and isinstance(why, daemon.IncompleteResponse):
        raised = e.IncompleteRead(str(why), int(C.PARTIAL_FILE), response)
    else:
        raised = e.DaemonError(str(why), 0, response)
    raised.problem = {"code": "unreachable", "detail": str(why)}
    return raised


def _seconds(value: Optional[str]) -> Optional[float]:
    return float(value) if value and value.isdigit() else None
