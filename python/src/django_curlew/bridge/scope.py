"""A request as ASGI tells it, and as FastCGI does."""

from __future__ import annotations

from typing import Any, Awaitable, Callable, Dict, List, Optional

Scope = Dict[str, Any]
Message = Dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

EXTENSION = "curlew.handoff"
MAX_BODY = 16 << 20  # bytes of a request to the mount; the daemon's own default limit

# These say how this message came, not what was asked; and CGI has names of its own for two.
NOT_PASSED_ON = {
    *(b"connection", b"content-length", b"content-type", b"expect", b"keep-alive", b"proxy"),
    *(b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade"),
}


def path_of(scope: Scope) -> str:
    """Below the server's root path, which some servers leave in "path" and others do not."""
    path: str = scope["path"]
    root = scope.get("root_path", "").rstrip("/")
    return path[len(root) :] if root and is_below(root, path) else path


def is_below(prefix: str, path: str) -> bool:
    return path == prefix or path.startswith(prefix + "/")


def text(value: bytes) -> str:
    """Bytes as the FastCGI codec gives them back, whatever they are."""
    return value.decode("utf-8", "surrogateescape")


def environ(scope: Scope, body_bytes: Optional[int]) -> Dict[str, str]:
    """What a web server would say of the request; None: its body does not go along."""
    client, server = scope.get("client"), scope.get("server")
    said: Dict[bytes, List[bytes]] = {}
    for name, value in scope["headers"]:
        said.setdefault(name.lower(), []).append(value)
    params = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": path_of(scope),
        "QUERY_STRING": text(scope.get("query_string", b"")),
        "CONTENT_TYPE": text(b"".join(said.get(b"content-type", [])[:1])),
        "CONTENT_LENGTH": "" if body_bytes is None else str(body_bytes),
        "SERVER_PROTOCOL": f"HTTP/{scope.get('http_version', '1.1')}",
        "REMOTE_ADDR": client[0] if client else "",
        "SERVER_NAME": str(server[0]) if server else "",
    }
    for name, values in said.items():
        if name in NOT_PASSED_ON or b"_" in name:  # X_A would pass for X-A
            continue
        between = b"; " if name == b"cookie" else b", "
        key = "HTTP_" + name.decode("latin-1").upper().replace("-", "_")
        params[key] = text(between.join(values))
    return params


class Left(Exception):
    """The client did, before it had said all."""


class TooLarge(Exception):
    """A body of more than MAX_BODY bytes; none of it is kept."""


async def read_body(receive: Receive) -> bytes:
    """All of it, read to its end even where it is refused: a client may not listen before."""
    body, size = bytearray(), 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Left
        piece = message.get("body", b"")
        size += len(piece)
        if size <= MAX_BODY:
            body += piece
        if not message.get("more_body", False):
            break
    if size > MAX_BODY:
        raise TooLarge
    return bytes(body)


def told_of_bridge(scope: Scope) -> Scope:
    """A copy that says so: HandOff then puts request objects of any size into its header."""
    return {**scope, "extensions": {**(scope.get("extensions") or {}), EXTENSION: {}}}


def has_bridge(scope: Scope) -> bool:
    return EXTENSION in (scope.get("extensions") or {})
