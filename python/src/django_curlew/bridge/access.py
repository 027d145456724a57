"""Which clients may use the mount: programs on this machine that connect directly."""

from __future__ import annotations

import ipaddress
from typing import Any, Dict, Optional

# A program on this machine has no reason to send any of these. They are prefixes.
PROXY_HEADERS = (
    b"x-forwarded",
    b"forwarded",
    b"x-real-ip",
    b"via",
    b"x-client-ip",
    b"true-client",
    b"x-cluster-client",
    b"x-original-",
    b"x-envoy-",
    b"x-amzn-",
    b"cf-",
    b"fastly-",
    b"cdn-",
)
BROWSER_HEADERS = (b"origin", b"referer", b"cookie", b"sec-")


def reject_reason(scope: Dict[str, Any]) -> Optional[str]:
    """The sign that the client is not on this machine; None if there is none."""
    client = scope.get("client")
    if not client or not _is_loopback(client[0]):
        return f"its address is {client[0] if client else 'unknown'}"
    if scope.get("http_version") in ("0.9", "1.0"):
        return "it uses HTTP/1.0, as nginx does for its clients"
    host = b""
    for name, value in scope["headers"]:
        name = name.lower()
        if name.startswith(PROXY_HEADERS + BROWSER_HEADERS):
            return f"it sent the header {name.decode('latin-1')}"
        if name == b"host":
            host = value
    if not _is_local_host(host.decode("latin-1")):
        return f"its Host is {host.decode('latin-1')!r}"
    return None


def _is_loopback(address: str) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(ip, "ipv4_mapped", None)
    return (mapped or ip).is_loopback


def _is_local_host(host: str) -> bool:
    if host.startswith("["):
        name = host[1:].partition("]")[0]
    else:
        name = host.partition(":")[0]
    return name.lower() == "localhost" or _is_loopback(name)
