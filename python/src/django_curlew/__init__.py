"""django-curlew: curl_cffi's API, with one curl for all of a site's processes: the curlewd daemon.

    from django_curlew import aclient, client

    def sync_view(request):
        return HttpResponse(client.get(PRICES).content)

    async def async_view(request):
        prices, stock = await aclient.gather([PRICES, STOCK])

`client` and `aclient` are a Session and an AsyncSession of the whole process, without cookies.
`requests` has curl_cffi's API, `daemon` is the client of curlewd below it.
"""

from typing import TYPE_CHECKING, Any

from . import requests
from .const import (
    CurlECode,
    CurlFollow,
    CurlHttpVersion,
    CurlInfo,
    CurlLockAccess,
    CurlLockData,
    CurlMOpt,
    CurlOpt,
    CurlProxyType,
    CurlShareCode,
    CurlShareOpt,
    CurlSslVersion,
    CurlWsFlag,
    CurlWsOption,
)
from .requests import (
    AsyncSession,
    BrowserType,
    BrowserTypeLiteral,
    Cookies,
    CookieTypes,
    CurlError,
    CurlMime,
    ExtraFingerprints,
    Headers,
    HeaderTypes,
    ProxySpec,
    Request,
    Response,
    Session,
    WebSocketClosed,
    WebSocketError,
    WebSocketRetryStrategy,
    WebSocketTimeout,
    WsCloseCode,
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
from .requests.shared_jar import SharedJarWarning
from .unsupported_names import raise_for_name
from .utils import config_warnings

if TYPE_CHECKING:
    from .default import aclient, client

__version__ = "0.1.0"

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
    "CurlInfo",
    "CurlLockAccess",
    "CurlLockData",
    "CurlMOpt",
    "CurlMime",
    "CurlOpt",
    "CurlProxyType",
    "CurlShareCode",
    "CurlShareOpt",
    "CurlSslVersion",
    "CurlWsFlag",
    "CurlWsOption",
    "ExtraFingerprints",
    "HeaderTypes",
    "Headers",
    "ProxySpec",
    "Request",
    "Response",
    "Session",
    "SharedJarWarning",
    "WebSocketClosed",
    "WebSocketError",
    "WebSocketRetryStrategy",
    "WebSocketTimeout",
    "WsCloseCode",
    "aclient",
    "client",
    "config_warnings",
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
    if name in ("client", "aclient"):  # made on their first use
        from . import default

        return getattr(default, name)
    if name == "HandOff":  # only this needs Django
        from .handoff import HandOff

        return HandOff
    return raise_for_name(__name__, name)
