"""The API of curl_cffi.requests, for the Curlew daemon. Change one line:

    from django_curlew import requests                    # was: from curl_cffi import requests
    from django_curlew.requests import AsyncSession       # was: from curl_cffi.requests import …

docs/client.md lists each parameter: which are the same, which differ, which are not supported.
"""

from typing import Any

from ..const import CurlECode, CurlFollow, CurlHttpVersion, CurlWsFlag
from ..unsupported_names import raise_for_name
from . import errors, exceptions
from .api import delete, get, head, options, patch, post, put, query, request, trace
from .async_session import AsyncSession
from .cookies import Cookies, CookieTypes
from .errors import RequestsError
from .exceptions import CurlError
from .headers import Headers, HeaderTypes
from .impersonate import BrowserType, BrowserTypeLiteral, ExtraFingerprints
from .models import Request, Response
from .param_types import ProxySpec
from .parameters import RetryStrategy
from .request_body import CurlMime
from .session import Session
from .websockets import (
    WebSocketClosed,
    WebSocketError,
    WebSocketRetryStrategy,
    WebSocketTimeout,
    WsCloseCode,
)

__all__ = [
    "AsyncSession",
    "BrowserType",
    "BrowserTypeLiteral",
    "CookieTypes",
    "Cookies",
    "CurlECode",
    "CurlError",
    "CurlFollow",
    "CurlHttpVersion",
    "CurlMime",
    "CurlWsFlag",
    "ExtraFingerprints",
    "HeaderTypes",
    "Headers",
    "ProxySpec",
    "Request",
    "RequestsError",
    "Response",
    "RetryStrategy",
    "Session",
    "WebSocketClosed",
    "WebSocketError",
    "WebSocketRetryStrategy",
    "WebSocketTimeout",
    "WsCloseCode",
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
    return raise_for_name(__name__, name)
