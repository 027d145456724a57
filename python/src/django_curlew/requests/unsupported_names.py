"""Names of curl_cffi that this package can't have. Importing one raises ImportError, which says
why."""

from __future__ import annotations

from typing import Any

_HANDLE = "curl handles live in the daemon, not in this process"
_WEBSOCKET = "the daemon does not support WebSockets; use the `websockets` package"
_FINGERPRINT = "TLS fingerprints are made by the daemon's libcurl; use `impersonate`"
_CACHE = "use Django's cache"

REASONS = {
    **dict.fromkeys(("Curl", "AsyncCurl", "CurlShare", "CurlInfo", "CurlOpt", "CurlMOpt"), _HANDLE),
    **dict.fromkeys(("CurlProxyType", "CurlSslVersion", "CurlShareOpt", "ffi", "lib"), _HANDLE),
    **dict.fromkeys(("CurlLockData", "CurlLockAccess", "CurlShareCode"), _HANDLE),
    **dict.fromkeys(("CurlWsFlag", "CurlWsOption", "AsyncWebSocket", "WebSocket"), _WEBSOCKET),
    **dict.fromkeys(("WebSocketError", "WebSocketClosed", "WebSocketTimeout"), _WEBSOCKET),
    **dict.fromkeys(("WebSocketRetryStrategy", "WsCloseCode"), _WEBSOCKET),
    **dict.fromkeys(("BrowserType", "ExtraFingerprints", "Fingerprint"), _FINGERPRINT),
    **dict.fromkeys(("FingerprintManager", "get_fingerprint"), _FINGERPRINT),
    **dict.fromkeys(("CacheBackend", "FileCacheBackend"), _CACHE),
}


def raise_for_name(module: str, name: str) -> Any:
    """For a module's __getattr__: ImportError with the reason, or AttributeError."""
    if name in REASONS:
        raise ImportError(f"{module}.{name} is not available: {REASONS[name]}", name=module)
    raise AttributeError(f"module {module!r} has no attribute {name!r}")
