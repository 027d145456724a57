"""curl_cffi.requests, on the daemon's warm curl. Change one line:

    from django_curlew import requests                    # was: from curl_cffi import requests
    from django_curlew.requests import AsyncSession       # was: from curl_cffi.requests import …

docs/client.md lists each parameter: what is the same, what differs, what can't be.
"""

from typing import Any

from . import errors, exceptions
from .api import delete, get, head, options, patch, post, put, query, request, trace
from .asession import AsyncSession
from .body import CurlMime
from .const import CurlECode, CurlFollow, CurlHttpVersion
from .cookies import Cookies, CookieTypes
from .errors import RequestsError
from .exceptions import CurlError
from .headers import Headers, HeaderTypes
from .missing import look_up
from .models import Request, Response
from .parameters import RetryStrategy
from .session import Session
from .types import ProxySpec

BrowserTypeLiteral = str

__all__ = [
    "AsyncSession",
    "BrowserTypeLiteral",
    "CookieTypes",
    "Cookies",
    "CurlECode",
    "CurlError",
    "CurlFollow",
    "CurlHttpVersion",
    "CurlMime",
    "HeaderTypes",
    "Headers",
    "ProxySpec",
    "Request",
    "RequestsError",
    "Response",
    "RetryStrategy",
    "Session",
    "delete",
    "errors",
    "exceptions",
    "get",
    "head",
    "options",
    "patch",
    "post",
    "put",
    "query",
    "request",
    "trace",
]


def __getattr__(name: str) -> Any:
    return look_up(__name__, name)
