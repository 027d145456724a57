"""django-curlew: curl_cffi's API on one warm curl for all of a site's processes.

    from django_curlew import requests, AsyncSession

    session = AsyncSession()                 # in a module: it belongs to no loop and no process

    async def view(request):
        prices, stock = await session.gather([PRICES, STOCK])

`requests` is the drop-in, `daemon` the ways to curlewd beneath it.
"""

from typing import Any

from . import requests
from .requests import (
    AsyncSession,
    BrowserTypeLiteral,
    Cookies,
    CookieTypes,
    CurlECode,
    CurlError,
    CurlFollow,
    CurlHttpVersion,
    CurlMime,
    Headers,
    HeaderTypes,
    ProxySpec,
    Request,
    Response,
    Session,
    delete,
    exceptions,
    get,
    head,
    options,
    patch,
    post,
    put,
    request,
)
from .requests.missing import look_up

__version__ = "0.1.0"

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
    "Response",
    "Session",
    "delete",
    "exceptions",
    "get",
    "head",
    "options",
    "patch",
    "post",
    "put",
    "request",
    "requests",
]


def __getattr__(name: str) -> Any:
    if name == "HandOff":  # the one thing here that needs Django
        from .handoff import HandOff

        return HandOff
    return look_up(__name__, name)
