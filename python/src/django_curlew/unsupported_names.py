"""Names of curl_cffi that this package can't have. Importing one raises ImportError, which says
why, and what to use instead."""

from __future__ import annotations

from typing import Any

_HANDLE = (
    "curl handles live in the daemon, not in this process; use Session or AsyncSession, or install "
    "curl_cffi beside django-curlew for a handle of your own"
)
_WEBSOCKET = "the daemon does not support WebSockets; use the `websockets` package"
_FINGERPRINT = (
    "TLS fingerprints are made by the daemon's libcurl; pass the name of a target: "
    "impersonate='chrome'"
)
_CACHE = "responses are not cached; use Django's cache (django.core.cache)"

REASONS = {
    **dict.fromkeys(("Curl", "AsyncCurl", "CurlShare", "ffi", "lib"), _HANDLE),
    **dict.fromkeys(("AsyncWebSocket", "WebSocket", "BaseWebSocket"), _WEBSOCKET),
    **dict.fromkeys(("Fingerprint", "FingerprintManager", "get_fingerprint"), _FINGERPRINT),
    **dict.fromkeys(("CacheBackend", "FileCacheBackend", "CacheSpec"), _CACHE),
}


def raise_for_name(module: str, name: str) -> Any:
    """For a module's __getattr__: ImportError with the reason, or AttributeError."""
    if name in REASONS:
        raise ImportError(f"{module}.{name} is not available: {REASONS[name]}", name=module)
    raise AttributeError(f"module {module!r} has no attribute {name!r}")
