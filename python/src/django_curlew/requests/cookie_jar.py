"""The cookies of a session: which are sent to the daemon, and which come back from it.

The daemon applies RFC 6265 and the public suffix list within one chain of redirects, and reports
the cookies at its end. This module only chooses which of the session's cookies a request carries,
and removes from the jar what a response deleted.
"""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from http.cookiejar import Cookie
from typing import Any, Dict, Iterator, List, NamedTuple, Tuple
from urllib.parse import urlsplit

from .cookies import Cookies, make_cookie

MAX_COOKIES = 150  # of one request: the daemon's limit


def request_cookies(url: str, session: Cookies, given: Any) -> List[Dict[str, Any]]:
    """The request object's `cookies`: those given with the request, then the session's that match
    the URL's host, then as many others as there is room for: a redirect may lead to their hosts."""
    host = (urlsplit(url).hostname or "").lower()
    now = int(time.time())
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
    }
    domain = cookie.domain.lstrip(".")
    # Without a domain the cookie is sent to the URL's host alone. The request object can't limit a
    # cookie to another host: it is sent to subdomains, too, if a redirect leads there.
    if domain and (cookie.domain_specified or domain.lower() != host):
        encoded["domain"] = domain
    if cookie.secure:
        encoded["secure"] = True
    if cookie.expires:
        encoded["expires"] = int(cookie.expires)
    return encoded


class SetCookie(NamedTuple):
    """A Set-Cookie header, without its value."""

    name: str
    host: str  # that sent it
    domain: str  # its Domain attribute, or ""
    path: str
    deletes: bool


def update_jar(session: Cookies, envelope: Dict[str, Any]) -> None:
    """Apply to the session's cookies what a chain of responses has set and deleted."""
    headers = list(_set_cookies(envelope))
    if not headers:
        return
    for header in headers:
        if header.deletes:
            _delete(session, header)
    now = time.time()
    for stored in envelope.get("cookies", ()):
        if not stored["name"]:  # libcurl 8.14 keeps them, and the daemon rejects them in a request
            continue
        header = _find_header(headers, stored)
        _delete(session, header)
        if not 0 < stored["expires"] <= now:  # an expired cookie is a deletion, too
            session.jar.set_cookie(_to_cookie(stored, header))


def _find_header(headers: List[SetCookie], stored: Dict[str, Any]) -> SetCookie:
    """The Set-Cookie header that set the stored cookie."""
    name, domain, path = stored["name"], stored["domain"], stored["path"]
    for header in reversed(headers):
        # Some versions of libcurl keep the slash at the end of a default path.
        same_path = header.path.rstrip("/") == path.rstrip("/")
        if header.name == name and (header.domain or header.host) == domain and same_path:
            return header
    return SetCookie(name=name, host=domain, domain="", path=path, deletes=False)


def _to_cookie(stored: Dict[str, Any], header: SetCookie) -> Cookie:
    """A dot before the domain: for subdomains, too. IP addresses have none (RFC 6265 5.1.3)."""
    subdomains = bool(header.domain) and not _is_ip_address(header.domain)
    return make_cookie(
        name=stored["name"],
        value=stored["value"],
        domain=("." if subdomains else "") + stored["domain"],
        path=header.path,
        secure=stored["secure"],
        expires=stored["expires"] or None,
        subdomains=subdomains,
        http_only=stored["http_only"],
    )


def _is_ip_address(host: str) -> bool:
    return ":" in host or host.rpartition(".")[2].isdigit()


def _set_cookies(envelope: Dict[str, Any]) -> Iterator[SetCookie]:
    for response in (*envelope.get("history", ()), envelope):
        for name, value in response["headers"]:
            if len(name) == 10 and name.lower() == "set-cookie":
                yield _parse_set_cookie(value, response["url"])


def _parse_set_cookie(value: str, url: str) -> SetCookie:
    pair, *parameters = value.split(";")
    attributes = {}
    for each in parameters:
        key, _, text = each.partition("=")
        attributes[key.strip().lower()] = text.strip()
    parts = urlsplit(url)
    path = attributes.get("path", "")
    if not path.startswith("/"):
        path = parts.path.rpartition("/")[0] or "/"  # RFC 6265 5.1.4
    return SetCookie(
        name=pair.partition("=")[0].strip(),
        host=(parts.hostname or "").lower(),
        domain=attributes.get("domain", "").lstrip(".").lower(),
        path=path,
        deletes=_is_expired(attributes),
    )


def _is_expired(attributes: Dict[str, str]) -> bool:
    """By Max-Age if it is a number, else by Expires (RFC 6265 5.3)."""
    age = attributes.get("max-age", "")
    if age.lstrip("-").isdigit():
        return int(age) <= 0
    try:
        return parsedate_to_datetime(attributes["expires"]).timestamp() <= time.time()
    except (KeyError, TypeError, ValueError, IndexError, OverflowError):
        return False


def _delete(session: Cookies, header: SetCookie) -> None:
    domain = header.domain or header.host
    for cookie in list(session.jar):
        if (cookie.name, cookie.path) == (header.name, header.path):
            if cookie.domain.lstrip(".").lower() == domain:
                session.jar.clear(cookie.domain, cookie.path, cookie.name)
