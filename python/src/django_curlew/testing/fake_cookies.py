"""Set-Cookie as the daemon reads it (RFC 6265, 6265bis), without a list of public suffixes."""

from __future__ import annotations

import ipaddress
import time
from email.utils import parsedate_to_datetime
from typing import Any, Dict, List, Optional, Tuple
from urllib.parse import urlsplit

MAX_SECONDS = 400 * 86400  # RFC 6265bis, 5.5
Entry = Dict[str, Any]  # as in an envelope's `cookies`


class FakeCookies:
    """The cookies that a chain of redirects has set."""

    def __init__(self) -> None:
        self._entries: Dict[Tuple[str, str, str], Entry] = {}

    def store(self, value: str, url: str) -> None:
        """Of a Set-Cookie header in the response for `url`; ignored where the daemon does."""
        entry = parse_set_cookie(value, url)
        if entry is not None:
            self._entries[entry["name"], entry["domain"], entry["path"]] = entry

    def entries(self) -> List[Entry]:
        """The envelope's `cookies`."""
        return list(self._entries.values())


def parse_set_cookie(value: str, url: str) -> Optional[Entry]:
    """The entry for one Set-Cookie header; None if it sets nothing."""
    pair, *rest = value.split(";")
    name, equals, content = pair.partition("=")
    name, content = (name.strip(), content.strip()) if equals else ("", pair.strip())
    attributes = _attributes(rest)
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    secure = "secure" in attributes
    domain = attributes.get("domain", "").lstrip(".").lower()
    if not (name or content) or (secure and parts.scheme != "https"):
        return None
    if domain and not _domain_matches(host, domain):
        return None
    path = attributes.get("path", "")
    if not path.startswith("/"):
        path = _default_path(parts.path)
    if not _prefix_allows(name, secure, bool(domain), attributes.get("path") == "/"):
        return None
    expires, deleted = _expiry(attributes)
    return {
        "name": name,
        "value": "" if deleted else content,
        "domain": domain or host,
        "host_only": not domain,
        "path": path,
        "secure": secure,
        "http_only": "httponly" in attributes,
        "expires": expires,
        "deleted": deleted,
    }


def _attributes(parts: List[str]) -> Dict[str, str]:
    """By lower-case name; the last one of a name counts."""
    found = {}
    for part in parts:
        name, _, value = part.partition("=")
        found[name.strip().lower()] = value.strip()
    return found


def _domain_matches(host: str, domain: str) -> bool:
    if host == domain:
        return True
    try:
        ipaddress.ip_address(host)
        return False
    except ValueError:
        return host.endswith(f".{domain}") and "." in domain  # one label is a public suffix


def _default_path(path: str) -> str:
    return path.rpartition("/")[0] or "/"


def _prefix_allows(name: str, secure: bool, has_domain: bool, has_root_path: bool) -> bool:
    lower = name.lower()
    if lower.startswith("__host-"):
        return secure and not has_domain and has_root_path
    return secure or not lower.startswith("__secure-")


def _expiry(attributes: Dict[str, str]) -> Tuple[int, bool]:
    """(seconds since 1970, 0: with the session; whether it is expired)"""
    now = int(time.time())
    max_age = attributes.get("max-age", "")
    if max_age.lstrip("-").isdigit():
        seconds = int(max_age)
        return (0, True) if seconds <= 0 else (now + min(seconds, MAX_SECONDS), False)
    try:
        expires = int(parsedate_to_datetime(attributes["expires"]).timestamp())
    except (LookupError, TypeError, ValueError, OverflowError):
        return 0, False
    return (0, True) if expires <= now else (min(expires, now + MAX_SECONDS), False)
