"""ASGI scopes, and the FastCGI parameters they make."""

from __future__ import annotations

from typing import Any, Awaitable, Callable, Dict, List, Optional

Scope = Dict[str, Any]
Message = Dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

EXTENSION = "curlew.handoff"
MAX_BODY = 16 << 20  # bytes of a request to the mount; the daemon's default limit

# Headers that make no HTTP_ parameter: they are about the message or the connection, and CGI has
# parameters of their own for two of them.
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


def path_of(scope: Scope) -> str:
    """The path below the server's root path, which some servers leave in "path" and others do
    not."""
    path: str = scope["path"]
    root = scope.get("root_path", "").rstrip("/")
    return path[len(root) :] if root and is_below(root, path) else path


def is_below(prefix: str, path: str) -> bool:
    return path == prefix or path.startswith(prefix + "/")


def decode_param(value: bytes) -> str:
    """Any bytes as text that the FastCGI encoder turns back into the same bytes."""
    return value.decode("utf-8", "surrogateescape")


def cgi_params(scope: Scope, body_bytes: Optional[int]) -> Dict[str, str]:
    """The FastCGI parameters that a web server would send (RFC 3875). `body_bytes`: the length of
    the body; None if the body is not sent."""
    client, server = scope.get("client"), scope.get("server")
    headers: Dict[bytes, List[bytes]] = {}
    for name, value in scope["headers"]:
        headers.setdefault(name.lower(), []).append(value)
    params = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": path_of(scope),
        "QUERY_STRING": decode_param(scope.get("query_string", b"")),
        "CONTENT_TYPE": decode_param(b"".join(headers.get(b"content-type", [])[:1])),
        "CONTENT_LENGTH": "" if body_bytes is None else str(body_bytes),
        "SERVER_PROTOCOL": f"HTTP/{scope.get('http_version', '1.1')}",
        "REMOTE_ADDR": client[0] if client else "",
        "SERVER_NAME": str(server[0]) if server else "",
    }
    for name, values in headers.items():
        if name in NOT_PASSED_ON or b"_" in name:  # X_A would have the same parameter as X-A
            continue
        separator = b"; " if name == b"cookie" else b", "
        key = "HTTP_" + name.decode("latin-1").upper().replace("-", "_")
        params[key] = decode_param(separator.join(values))
    return params


class ClientDisconnected(Exception):
    """The client closed the connection before it had sent the whole request."""


class BodyTooLarge(Exception):
    """The request's body has more than MAX_BODY bytes; none of it was kept."""


async def read_body(receive: Receive) -> bytes:
    """The whole body. It is read to its end even if it is too large, because a client may not read
    the response before. Raises BodyTooLarge, ClientDisconnected."""
    body, size = bytearray(), 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnected
        piece = message.get("body", b"")
        size += len(piece)
        if size <= MAX_BODY:
            body += piece
        if not message.get("more_body", False):
            break
    if size > MAX_BODY:
        raise BodyTooLarge
    return bytes(body)


def mark_bridged(scope: Scope) -> Scope:
    """A copy of the scope that tells HandOff that request objects of any size fit in its header."""
    return {**scope, "extensions": {**(scope.get("extensions") or {}), EXTENSION: {}}}


def is_bridged(scope: Scope) -> bool:
    """Did mark_bridged() make this scope?"""
    return EXTENSION in (scope.get("extensions") or {})
