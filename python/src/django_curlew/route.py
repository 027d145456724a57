"""Curlew-Route: the key by which a balancer chooses one of several curlewds (docs/scaling.md).

It is the session's name if the session has a cookie jar in the daemon, else the URL's scheme, host
and port: so all that an origin's limits count, and its connections, are in one curlewd.
"""

from __future__ import annotations

import re
from typing import Any, Mapping, Optional, Tuple
from urllib.parse import quote

Pairs = Tuple[Tuple[str, str], ...]

HEADER = "Curlew-Route"
MAX_KEY_CHARS = 512  # in the daemon, too
DEFAULT_PORTS = {"http": "80", "https": "443"}

_authority = re.compile(
    r"(https?)://(?:[^/?#\\]*@)?(\[[^\]/?#]*\]|[^:/?#\\]*)(?::0*([0-9]*))?", re.IGNORECASE
).match
_is_plain = re.compile(r"[a-z0-9.\-_~\[\]:%]*\Z").match


def key_of(keys: Mapping[str, Any], shared_jar: bool = True) -> Optional[str]:
    """The key for a request object; None if its URL has no origin. `shared_jar`: has the session
    that it names a cookie jar?"""
    session: Optional[str] = keys.get("session")
    if shared_jar and session is not None:
        return session
    found = _authority(keys["url"])
    if found is None:
        return None
    scheme, host, port = found.groups()
    scheme, host = scheme.lower(), host.lower()
    if not _is_plain(host):
        host = quote(host, safe="[]:%~")
    return f"{scheme}://{host}:{port or DEFAULT_PORTS[scheme]}"[:MAX_KEY_CHARS]


def headers(key: Optional[str]) -> Pairs:
    """The header to add to a request to the daemon."""
    return () if key is None else ((HEADER, key),)
