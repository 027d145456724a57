"""The cookies of a session: which are sent to the daemon, and which come back from it.

The daemon applies RFC 6265 and the public suffix list within one chain of redirects, and reports
the cookies at its end. This module only chooses which of the session's cookies a request carries,
and removes from the jar what a response deleted.
"""

from __future__ import annotations

import time
from base64 import b64decode
from http.cookiejar import Cookie
from typing import Any, Dict, List, Tuple
from urllib.parse import urlsplit

from .cookies import Cookies, make_cookie

MAX_COOKIES = 1000  # of one request: the daemon's limit


def request_cookies(url: str, session: Cookies, given: Any) -> List[Dict[str, Any]]:
    """The request object's `cookies`: those given with the request, then the session's that match
    the URL's host, then as many others as there is room for: a redirect may lead to their hosts."""
    host = (urlsplit(url).hostname or "").lower()
    now = int(time.time())
    if session.watch is not None and session.watch.written and session:
        session.watch.on_read()
    chosen: Dict[Tuple[str, str, str], Cookie] = {}
    for cookie in session.jar:
        if not cookie.is_expired(now):
            chosen[_identity(cookie, host)] = cookie
    own = {_identity(c, host): c for c in Cookies(given).jar} if given else {}
    rest = [cookie for key, cookie in chosen.items() if key not in own]
    rest.sort(key=lambda cookie: not _matches(cookie, host))  # stable
    return [_to_json(cookie, host) for cookie in (*own.values(), *rest)][:MAX_COOKIES]


def _identity(cookie: Cookie, host: str) -> Tuple[str, str, str]:
    return (cookie.domain or host).lstrip("."), cookie.path, cookie.name


def _matches(cookie: Cookie, host: str) -> bool:
    domain = cookie.domain.lstrip(".").lower()
    return not domain or host == domain or (cookie.domain_specified and host.endswith("." + domain))


def _to_json(cookie: Cookie, host: str) -> Dict[str, Any]:
    encoded: Dict[str, Any] = {
        "name": cookie.name,
        "value": cookie.value or "",
        "path": cookie.path,
        **_bytes_of(cookie),
    }
    domain = cookie.domain.lstrip(".")
    # Without a domain the cookie is sent to the URL's host alone.
    if domain and (cookie.domain_specified or domain.lower() != host):
        encoded["domain"] = domain
        if not cookie.domain_specified:
            encoded["host_only"] = True
    if cookie.secure:
        encoded["secure"] = True
    if cookie.expires:
        encoded["expires"] = int(cookie.expires)
    return encoded


def _bytes_of(cookie: Cookie) -> Dict[str, str]:
    """The bytes of a name and a value that are not UTF-8, as the daemon gave them. A value that was
    changed since is text."""
    found = {}
    for key, text in (("name_base64", cookie.name), ("value_base64", cookie.value or "")):
        encoded = cookie.get_nonstandard_attr(key)
        if encoded is not None and b64decode(encoded).decode("latin-1") == text:
            found[key] = encoded
    return found


def update_jar(session: Cookies, envelope: Dict[str, Any]) -> None:
    """Apply to the session's cookies what a chain of responses has set and deleted."""
    for stored in envelope["cookies"]:
        if not stored["name"]:  # as curl_cffi, which keeps none of these
            continue
        _delete(session, stored["name"], stored["domain"], stored["path"])
        if not stored.get("deleted"):
            session.add([_to_cookie(stored)])


def _to_cookie(stored: Dict[str, Any]) -> Cookie:
    """A dot before the domain: for subdomains, too. IP addresses have none (RFC 6265 5.1.3)."""
    subdomains = not stored.get("host_only", True) and not _is_ip_address(stored["domain"])
    cookie = make_cookie(
        name=stored["name"],
        value=stored["value"],
        domain=("." if subdomains else "") + stored["domain"],
        path=stored["path"],
        secure=stored["secure"],
        expires=stored["expires"] or None,
        subdomains=subdomains,
        http_only=stored["http_only"],
    )
    for key in ("name_base64", "value_base64"):
        if key in stored:
            cookie.set_nonstandard_attr(key, stored[key])
    return cookie


def _is_ip_address(host: str) -> bool:
    return ":" in host or host.rpartition(".")[2].isdigit()


def _delete(session: Cookies, name: str, domain: str, path: str) -> None:
    for cookie in list(session.jar):
        if (cookie.name, cookie.path) == (name, path):
            if cookie.domain.lstrip(".").lower() == domain:
                session.jar.clear(cookie.domain, cookie.path, cookie.name)
