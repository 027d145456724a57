"""The names of curl_cffi 0.5, for those who still import them from here."""

from .exceptions import CookieConflict, CurlError, SessionClosed
from .exceptions import RequestException as RequestsError

__all__ = ["CookieConflict", "CurlError", "RequestsError", "SessionClosed"]
