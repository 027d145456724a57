"""Who may ask the mount: clients on this machine that came directly."""

from __future__ import annotations

import ipaddress
from typing import Any, Dict, Optional

# A client on this machine has no reason to send any of these.
FROM_A_PROXY = (
    *(b"x-forwarded", b"forwarded", b"x-real-ip", b"via", b"x-client-ip", b"true-client"),
    *(b"x-cluster-client", b"x-original-", b"x-envoy-", b"x-amzn-", b"cf-", b"fastly-", b"cdn-"),
)
FROM_A_BROWSER = (b"origin", b"referer", b"cookie", b"sec-")


def why_not_local(scope: Dict[str, Any]) -> Optional[str]:
    """What shows that the client is not on this machine; None where nothing does."""
    client = scope.get("client")
    if not client or not _is_loopback(client[0]):
        return f"its address is {client[0] if client else 'not known'}"
    if scope.get("http_version") in ("0.9", "1.0"):
        return "it speaks HTTP/1.0, as nginx does for others"
    host = b""
    for name, value in scope["headers"]:
        name = name.lower()
        if name.startswith(FROM_A_PROXY + FROM_A_BROWSER):
            return f"it sent {name.decode('latin-1')}"
        if name == b"host":
            host = value
    if not _is_this_machine(host.decode("latin-1")):
        return f"it asked for the host {host.decode('latin-1')!r}"
    return None


def _is_loopback(address: str) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(ip, "ipv4_mapped", None)
    return (mapped or ip).is_loopback


def _is_this_machine(host: str) -> bool:
    if host.startswith("["):
        name = host[1:].partition("]")[0]
    else:
        name = host.partition(":")[0]
    return name.lower() == "localhost" or _is_loopback(name)
