"""What is raised: curl_cffi's tree, name by name and parent by parent, and a few of our own below.

Ours: Unsupported, BadRequest, Blocked, Overloaded, DaemonError. Each has a parent that code
written for curl_cffi already catches.

`code` is libcurl's (0 where it was not libcurl that failed), `response` a Response, perhaps an
empty one; `problem` is the daemon's own account (RFC 9457), where there is one, and `reason` its
`code`, for example "dns_failed".
"""

from __future__ import annotations

import json
from typing import Any, Dict, Optional

__all__ = [
    *("BadRequest", "Blocked", "CertificateVerifyError", "ChunkedEncodingError", "ConnectTimeout"),
    *("ConnectionError", "ContentDecodingError", "CookieConflict", "CurlError", "DNSError"),
    *("DaemonError", "FileModeWarning", "HTTPError", "ImpersonateError", "IncompleteRead"),
    *("InterfaceError", "InvalidHeader", "InvalidJSONError", "InvalidProxyURL", "InvalidSchema"),
    *("InvalidURL", "JSONDecodeError", "MissingSchema", "Overloaded", "ProxyError", "ReadTimeout"),
    *("RequestException", "RequestsDependencyWarning", "RequestsWarning", "RetryError"),
    *("SSLError", "SessionClosed", "StreamConsumedError", "Timeout", "TooManyRedirects"),
    *("URLRequired", "UnrewindableBodyError", "Unsupported"),
]


class CurlError(Exception):
    """The parent of everything."""

    def __init__(self, msg: str, code: int = 0, *args: Any, **kwargs: Any) -> None:
        super().__init__(msg, *args, **kwargs)
        self.code = code


class RequestException(CurlError, OSError):
    """Whatever went wrong with a request."""

    def __init__(
        self, msg: str, code: int = 0, response: Any = None, *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(msg, code, *args, **kwargs)
        self.response = response
        self.problem: Dict[str, Any] = {}

    @property
    def reason(self) -> Optional[str]:
        """The daemon's word for it: `code` in docs/api.md's table of failures."""
        return self.problem.get("code")


class CookieConflict(RequestException):
    """The cookie asked for exists for several domains."""


class SessionClosed(RequestException):
    """The session was closed before."""


class ImpersonateError(RequestException):
    """The libcurl in use can't take that browser's shape."""


class InvalidJSONError(RequestException):
    """Not raised; here for those who catch it."""


class JSONDecodeError(InvalidJSONError, json.JSONDecodeError):
    """Not raised; json() raises what its decoder does."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        json.JSONDecodeError.__init__(self, *args, **kwargs)
        self.code, self.response, self.problem = 0, None, {}


class HTTPError(RequestException):
    """raise_for_status(), or HTTP itself was broken."""


class IncompleteRead(HTTPError):
    """The origin cut the body short."""


class ConnectionError(RequestException):  # noqa: A001  the name is given
    """No connection, or one that broke."""


class DNSError(ConnectionError):
    """The host name has no address."""


class ProxyError(RequestException):
    """The proxy could not be reached, or refused."""


class SSLError(ConnectionError):
    """TLS failed."""


class CertificateVerifyError(SSLError):
    """The certificate is not to be trusted."""


class Timeout(RequestException):
    """Time ran out."""


class ConnectTimeout(ConnectionError, Timeout):
    """Not raised, as in curl_cffi: it is Timeout."""


class ReadTimeout(Timeout):
    """Not raised: it is Timeout."""


class URLRequired(RequestException):
    """Not raised."""


class TooManyRedirects(RequestException):
    """More than max_redirects."""


class MissingSchema(RequestException, ValueError):
    """Not raised: it is InvalidURL."""


class InvalidSchema(RequestException, ValueError):
    """Neither http nor https."""


class InvalidURL(RequestException, ValueError):
    """The URL can't be used."""


class InvalidHeader(RequestException, ValueError):
    """A header can't be sent."""


class InvalidProxyURL(InvalidURL):
    """Not raised."""


class ChunkedEncodingError(RequestException):
    """Not raised."""


class ContentDecodingError(RequestException):
    """Not raised: it is HTTPError."""


class StreamConsumedError(RequestException, TypeError):
    """Not raised."""


class RetryError(RequestException):
    """Not raised."""


class UnrewindableBodyError(RequestException):
    """Not raised: the daemon holds the whole body."""


class InterfaceError(RequestException):
    """Not raised: `interface` can't be chosen from here."""


# -- ours -----------------------------------------------------------------------------------------


class Unsupported(RequestException, NotImplementedError):
    """What was asked for can't be done in another process, or not by the daemon that runs."""


class BadRequest(RequestException, ValueError):
    """The daemon could not make sense of the request, or found it too large."""


class Blocked(ConnectionError):
    """The daemon's egress guard said no: the address is not a public one, or not allowed."""


class Overloaded(ConnectionError):
    """The daemon has too much to do, is stopping, or leaves a failing origin alone."""

    retry_after: Optional[float] = None  # seconds


class DaemonError(ConnectionError):
    """There is no daemon to be reached, or it does not answer as it should."""


class RequestsWarning(Warning):
    """Not used."""


class FileModeWarning(RequestsWarning, DeprecationWarning):
    """Not used."""


class RequestsDependencyWarning(RequestsWarning):
    """Not used."""
