"""The exceptions: curl_cffi's, with the same names and parents, and a few more.

The others are Unsupported, BadRequest, Blocked, Overloaded and DaemonError. Each has a parent that
code written for curl_cffi catches.

Attributes: `code` is libcurl's (0 if it was not libcurl that failed); `response` a Response, whose
status is 0 if there was none; `problem` the daemon's problem document (RFC 9457) as a dict, {} if
there is none; `reason` its `code`, for example "dns_failed".
"""

from __future__ import annotations

import json
from typing import Any, Dict, Optional, Type

from ..const import CurlECode

__all__ = [
    "CODE2ERROR",
    "BadRequest",
    "Blocked",
    "CertificateVerifyError",
    "ChunkedEncodingError",
    "ConnectTimeout",
    "ConnectionError",
    "ContentDecodingError",
    "CookieConflict",
    "CurlError",
    "DNSError",
    "DaemonError",
    "FileModeWarning",
    "HTTPError",
    "ImpersonateError",
    "IncompleteRead",
    "InterfaceError",
    "InvalidHeader",
    "InvalidJSONError",
    "InvalidProxyURL",
    "InvalidSchema",
    "InvalidURL",
    "JSONDecodeError",
    "MissingSchema",
    "Overloaded",
    "ProxyError",
    "ReadTimeout",
    "RequestException",
    "RequestsDependencyWarning",
    "RequestsWarning",
    "RetryError",
    "SSLError",
    "SessionClosed",
    "StreamConsumedError",
    "Timeout",
    "TooManyRedirects",
    "URLRequired",
    "UnrewindableBodyError",
    "Unsupported",
    "code2error",
]


class CurlError(Exception):
    """The parent of all exceptions of this module."""

    def __init__(self, msg: str, code: int = 0, *args: Any, **kwargs: Any) -> None:
        super().__init__(msg, *args, **kwargs)
        self.code = code


class RequestException(CurlError, OSError):
    """A request failed. The parent of all exceptions that a request raises."""

    def __init__(
        self, msg: str, code: int = 0, response: Any = None, *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(msg, code, *args, **kwargs)
        self.response = response
        self.problem: Dict[str, Any] = {}

    @property
    def reason(self) -> Optional[str]:
        """The `code` of the problem document (docs/api.md, failures), for example "dns_failed";
        None if there is none."""
        return self.problem.get("code")


class CookieConflict(RequestException):
    """Several domains have a cookie of that name, with different values."""


class SessionClosed(RequestException):
    """A request of a session that was closed."""


class ImpersonateError(RequestException):
    """The daemon's libcurl can't impersonate that browser, or take that fingerprint."""


class InvalidJSONError(RequestException):
    """Not raised; defined for programs that catch it."""


class JSONDecodeError(InvalidJSONError, json.JSONDecodeError):
    """Not raised; json() raises its decoder's error, a ValueError."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        json.JSONDecodeError.__init__(self, *args, **kwargs)
        self.code, self.response, self.problem = 0, None, {}


class HTTPError(RequestException):
    """raise_for_status() found an error status, or the origin violated HTTP."""


class IncompleteRead(HTTPError):
    """The body ended before its end."""


class ConnectionError(RequestException):  # noqa: A001  (curl_cffi's name)
    """There was no connection to the origin, or it failed."""


class DNSError(ConnectionError):
    """The host name has no address."""


class ProxyError(RequestException):
    """There was no connection to the proxy, or it refused the request."""


class SSLError(ConnectionError):
    """The TLS handshake failed."""


class CertificateVerifyError(SSLError):
    """The origin's certificate could not be verified."""


class Timeout(RequestException):
    """A timeout expired: the request's, or one of the daemon's own."""


class ConnectTimeout(ConnectionError, Timeout):
    """Not raised, as in curl_cffi; Timeout is."""


class ReadTimeout(Timeout):
    """Not raised; Timeout is."""


class URLRequired(RequestException):
    """Not raised."""


class TooManyRedirects(RequestException):
    """There were more redirects than max_redirects."""


class MissingSchema(RequestException, ValueError):
    """Not raised; InvalidURL is."""


class InvalidSchema(RequestException, ValueError):
    """The URL's scheme is neither http nor https."""


class InvalidURL(RequestException, ValueError):
    """The URL is not valid."""


class InvalidHeader(RequestException, ValueError):
    """A header is not valid."""


class InvalidProxyURL(InvalidURL):
    """Not raised."""


class ChunkedEncodingError(RequestException):
    """Not raised."""


class ContentDecodingError(RequestException):
    """Not raised; HTTPError is."""


class StreamConsumedError(RequestException, TypeError):
    """Not raised."""


class RetryError(RequestException):
    """Not raised."""


class UnrewindableBodyError(RequestException):
    """Not raised: the daemon has the whole body and can send it again."""


class InterfaceError(RequestException):
    """Not raised: `interface` is not supported."""


# -- not in curl_cffi -----------------------------------------------------------------------------


class Unsupported(RequestException, NotImplementedError):
    """A parameter can't work through a daemon, or this daemon does not support it. Nothing was
    sent to the origin."""


class BadRequest(RequestException, ValueError):
    """The daemon rejected the request: it is not valid, or too large."""


class Blocked(ConnectionError):
    """The daemon's egress guard (against SSRF) blocked the address: it is not public, or a rule
    denies it."""


class Overloaded(ConnectionError):
    """The daemon is overloaded or draining, or the origin's circuit breaker is open. `retry_after`:
    seconds to wait before the next try, None if unknown."""

    retry_after: Optional[float] = None


class DaemonError(ConnectionError):
    """There was no connection to the daemon, or its response is not valid."""


class RequestsWarning(Warning):
    """Not used."""


class FileModeWarning(RequestsWarning, DeprecationWarning):
    """Not used."""


class RequestsDependencyWarning(RequestsWarning):
    """Not used."""


# -- by libcurl's code ----------------------------------------------------------------------------

CODE2ERROR: Dict[int, Type[RequestException]] = {
    0: RequestException,
    CurlECode.UNSUPPORTED_PROTOCOL: InvalidSchema,
    CurlECode.URL_MALFORMAT: InvalidURL,
    CurlECode.COULDNT_RESOLVE_PROXY: ProxyError,
    CurlECode.COULDNT_RESOLVE_HOST: DNSError,
    CurlECode.COULDNT_CONNECT: ConnectionError,
    CurlECode.WEIRD_SERVER_REPLY: ConnectionError,
    CurlECode.REMOTE_ACCESS_DENIED: ConnectionError,
    CurlECode.HTTP2: HTTPError,
    CurlECode.PARTIAL_FILE: IncompleteRead,
    CurlECode.HTTP_RETURNED_ERROR: HTTPError,
    CurlECode.OPERATION_TIMEDOUT: Timeout,
    CurlECode.SSL_CONNECT_ERROR: SSLError,
    CurlECode.INTERFACE_FAILED: InterfaceError,
    CurlECode.TOO_MANY_REDIRECTS: TooManyRedirects,
    CurlECode.GOT_NOTHING: ConnectionError,
    CurlECode.SSL_ENGINE_NOTFOUND: SSLError,
    CurlECode.SSL_ENGINE_SETFAILED: SSLError,
    CurlECode.SEND_ERROR: ConnectionError,
    CurlECode.SEND_FAIL_REWIND: UnrewindableBodyError,
    CurlECode.RECV_ERROR: ConnectionError,
    CurlECode.SSL_CERTPROBLEM: SSLError,
    CurlECode.SSL_CIPHER: SSLError,
    CurlECode.PEER_FAILED_VERIFICATION: CertificateVerifyError,
    CurlECode.BAD_CONTENT_ENCODING: HTTPError,
    CurlECode.SSL_ENGINE_INITFAILED: SSLError,
    CurlECode.SSL_CACERT_BADFILE: SSLError,
    CurlECode.SSL_CRL_BADFILE: SSLError,
    CurlECode.SSL_ISSUER_ERROR: SSLError,
    CurlECode.SSL_PINNEDPUBKEYNOTMATCH: SSLError,
    CurlECode.SSL_INVALIDCERTSTATUS: SSLError,
    CurlECode.HTTP2_STREAM: HTTPError,
    CurlECode.HTTP3: HTTPError,
    CurlECode.QUIC_CONNECT_ERROR: ConnectionError,
    CurlECode.PROXY: ProxyError,
    CurlECode.SSL_CLIENTCERT: SSLError,
    CurlECode.ECH_REQUIRED: SSLError,
}


def code2error(code: int, msg: str) -> Type[RequestException]:
    """The class of curl_cffi's for a code of libcurl's, and its message."""
    if code == CurlECode.RECV_ERROR and "CONNECT" in msg:  # a proxy refused, in libcurl's words
        return ProxyError
    return CODE2ERROR.get(code, RequestException)
