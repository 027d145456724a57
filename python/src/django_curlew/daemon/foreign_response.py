"""A response that is not curlewd's: which server gave it, and what that says about curlewd.

The web server before curlewd answers itself if it refuses a request, or if curlewd does not
respond. A text here says what the status is known to mean for that server, and no more.
"""

from __future__ import annotations

from typing import Any, Dict, Optional

DOWN = "curlewd is not running, or {server} may not open its socket"
SLOW = "curlewd did not respond to {server} in time"
NO_MOUNT = "curlewd is not mounted at this path"
OTHER_HOST = "its mount refuses this name: use the one that its configuration admits, or add yours"
ERROR_LOG = "; its error log says which"

# By status, for every server.
GENERAL: Dict[int, str] = {
    400: "it could not read the request",
    401: "it asks for a user and a password; curlewd's own tokens are not meant",
    403: "its configuration denies this client or this path",
    404: NO_MOUNT,
    405: "it does not pass POST requests on at this path",
    408: "the request did not arrive in time",
    413: "its limit for a request's body is smaller than the request",
    414: "its limit for a URL is smaller than this one",
    421: OTHER_HOST,
    429: "its rate limit refuses the request",
    431: "its limit for headers is smaller than these",
    500: "it failed itself; its error log says why",
    502: "it has no valid response of curlewd: " + DOWN,
    503: "it has no curlewd to pass the request to, or refuses requests for now",
    504: SLOW,
}

# By the product in the Server header, in lower case: what differs, or is known better.
BY_SERVER: Dict[str, Dict[int, str]] = {
    "nginx": {
        403: "an `allow`, `deny` or `auth` rule of the location denies this client",
        413: "the request is over its client_max_body_size",
        502: DOWN + ERROR_LOG,
        503: "limit_req, limit_conn or a `return 503` refuses the request",
        504: SLOW + " (fastcgi_read_timeout)",
    },
    "apache": {
        403: "a `Require` of the location denies this client",
        413: "the request is over its LimitRequestBody",
        503: DOWN + ERROR_LOG,
        504: SLOW + " (ProxyTimeout)",
    },
    "caddy": {
        403: "a `respond 403` of its configuration denies this client",
        502: DOWN + ERROR_LOG,
    },
    "lighttpd": {
        403: "a `url.access-deny` denies this client or this name",
        503: DOWN + ERROR_LOG,
    },
    "h2o": {502: DOWN + ERROR_LOG, 503: DOWN + ERROR_LOG},
}
NAMES = {"apache": "Apache", "caddy": "Caddy"}  # others write themselves in lower case
NAMELESS = "the web server"


def explanation_of(response: Any) -> str:
    """explain() for a Response or a FetchFailed."""
    return explain(response.status, response.header("server"), response.is_by_http)


def explain(status: int, server: Optional[str], through_web_server: bool = True) -> str:
    """What a response that is not curlewd's says, as one sentence. `server`: its Server header;
    `through_web_server`: whether the daemon's address is an http one."""
    if not through_web_server:
        return f"HTTP {status} instead of a response of curlewd: what listens there is not curlewd."
    product = _product(server)
    name = NAMES.get(product, product) or NAMELESS
    meaning = BY_SERVER.get(product, {}).get(status) or GENERAL.get(status)
    if meaning is None:
        meaning = _meaning_of_class(status)
    return f"{name} answered {status}: {meaning.format(server=name)}."


def _product(server: Optional[str]) -> str:
    """ "nginx" of "nginx/1.22.1"; "" if there is none, or one that can't be in a message."""
    words = (server or "").split()
    product = words[0].partition("/")[0].lower() if words else ""
    return product if product.isprintable() and len(product) <= 40 else ""


def _meaning_of_class(status: int) -> str:
    if 200 <= status < 300:
        return "something else than curlewd responds at this path"
    if 300 <= status < 400:
        return 'it redirects; set CURLEW["URL"] to where it redirects to'
    return "this is not a response of curlewd"
