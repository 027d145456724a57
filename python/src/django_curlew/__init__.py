"""django-curlew: curl_cffi's API, with one curl for all of a site's processes: the curlewd daemon.

    from django_curlew import requests, AsyncSession

    session = AsyncSession()                 # in a module: it belongs to no event loop or process

    async def view(request):
        prices, stock = await session.gather([PRICES, STOCK])

`requests` has curl_cffi's API, `daemon` is the client of curlewd below it.
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
from .requests.unsupported_names import raise_for_name

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
    if name == "HandOff":  # only this needs Django
        from .handoff import HandOff

        return HandOff
    return raise_for_name(__name__, name)
