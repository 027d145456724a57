"""ASGI scopes, and the FastCGI parameters they make."""

from __future__ import annotations

import re
from typing import Any, Awaitable, Callable, Dict, List, Optional

Scope = Dict[str, Any]
Message = Dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

EXTENSION = "curlew.handoff"

# Headers that make no HTTP_ parameter: they are about the message or the connection, and CGI has
# parameters of their own for two of them. Many programs read a proxy from HTTP_PROXY (httpoxy).
NOT_PASSED_ON = {
    b"connection",
    b"content-length",
    b"content-type",
    b"expect",
    b"keep-alive",
    b"proxy",
    b"proxy-connection",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
}
_PARAM_NAME = re.compile(rb"[a-z0-9-]+")


def is_below(prefix: str, path: str) -> bool:
    return path == prefix or path.startswith(prefix + "/")


def decode_param(value: bytes) -> str:
    """Any bytes as text that the FastCGI encoder turns back into the same bytes."""
    return value.decode("utf-8", "surrogateescape")


def cgi_params(scope: Scope, path: str, body_bytes: Optional[int]) -> Dict[str, str]:
    """The FastCGI parameters that a web server would send (RFC 3875). `path`: below the server's
    root path. `body_bytes`: the length of the body; None if the body is not sent."""
    client, server = scope.get("client"), scope.get("server")
    headers: Dict[bytes, List[bytes]] = {}
    for name, value in scope["headers"]:
        headers.setdefault(name.lower(), []).append(value)
    params = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": path.replace("\0", "%00"),  # no parameter holds a NUL
        "QUERY_STRING": decode_param(scope.get("query_string", b"")),
        "CONTENT_TYPE": decode_param(b"".join(headers.get(b"content-type", [])[:1])),
        "CONTENT_LENGTH": "" if body_bytes is None else str(body_bytes),
        "REQUEST_SCHEME": scope.get("scheme", "http"),  # to curlewd an http page is another site
        "SERVER_PROTOCOL": f"HTTP/{scope.get('http_version', '1.1')}",
        "REMOTE_ADDR": client[0] if client else "",
        "SERVER_NAME": str(server[0]) if server else "",
        "CURLEW_CLIENT": "django-curlew",  # curlewd then says why it aborts a response
    }
    for name, values in headers.items():
        if is_passed_on(name):
            separator = b"; " if name == b"cookie" else b", "
            key = "HTTP_" + name.decode("ascii").upper().replace("-", "_")
            params[key] = decode_param(separator.join(values))
    return params


def is_passed_on(name: bytes) -> bool:
    """May a client's header become a parameter? Its name has letters, digits and hyphens only, as
    with nginx: X_A would have the same parameter as X-A. Curlew's own are no client's to send."""
    return (
        _PARAM_NAME.fullmatch(name) is not None
        and name not in NOT_PASSED_ON
        and not name.startswith((b"curlew", b"x-curlew", b"http-curlew"))
    )


def mark_bridged(scope: Scope) -> Scope:
    """A copy of the scope that tells HandOff that request objects of any size fit in its header."""
    return {**scope, "extensions": {**(scope.get("extensions") or {}), EXTENSION: {}}}


def is_bridged(scope: Scope) -> bool:
    """Did mark_bridged() make this scope?"""
    return EXTENSION in (scope.get("extensions") or {})
