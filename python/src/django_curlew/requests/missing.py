"""Names of curl_cffi that can't be here, each with its reason: importing one says it at once."""

from __future__ import annotations

from typing import Any

_HANDLE = "curl handles live in the daemon, not in this process"
_SOCKETS = "the daemon speaks no WebSocket; use the `websockets` package"
_SHAPES = "TLS fingerprints are the daemon's libcurl's; name a target as `impersonate`"
_CACHE = "keep what you fetched in Django's cache"

WHY = {
    **dict.fromkeys(("Curl", "AsyncCurl", "CurlShare", "CurlInfo", "CurlOpt", "CurlMOpt"), _HANDLE),
    **dict.fromkeys(("CurlProxyType", "CurlSslVersion", "CurlShareOpt", "ffi", "lib"), _HANDLE),
    **dict.fromkeys(("CurlLockData", "CurlLockAccess", "CurlShareCode"), _HANDLE),
    **dict.fromkeys(("CurlWsFlag", "CurlWsOption", "AsyncWebSocket", "WebSocket"), _SOCKETS),
    **dict.fromkeys(("WebSocketError", "WebSocketClosed", "WebSocketTimeout"), _SOCKETS),
    **dict.fromkeys(("WebSocketRetryStrategy", "WsCloseCode"), _SOCKETS),
    **dict.fromkeys(("BrowserType", "ExtraFingerprints", "Fingerprint"), _SHAPES),
    **dict.fromkeys(("FingerprintManager", "get_fingerprint"), _SHAPES),
    **dict.fromkeys(("CacheBackend", "FileCacheBackend"), _CACHE),
}


def look_up(module: str, name: str) -> Any:
    """A module's __getattr__: AttributeError, or ImportError with the reason."""
    if name in WHY:
        raise ImportError(f"{module}.{name}: {WHY[name]}", name=module)
    raise AttributeError(f"module {module!r} has no attribute {name!r}")
