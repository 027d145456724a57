"""The names that curl_cffi 0.5 had in this module."""

from .exceptions import CookieConflict, CurlError, SessionClosed
from .exceptions import RequestException as RequestsError

__all__ = ["CookieConflict", "CurlError", "RequestsError", "SessionClosed"]
