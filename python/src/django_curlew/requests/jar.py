"""A session's own cookies, to and from the daemon.

The daemon keeps cookies within one chain of redirects, by RFC 6265 and the public suffix list, and
says what it was left with. So the rules stand there once; here is only which of the session's
cookies go along, and which go out of the jar again because a response deleted them.
"""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from http.cookiejar import Cookie
from typing import Any, Dict, Iterator, List, NamedTuple, Tuple
from urllib.parse import urlsplit

from .cookies import Cookies, make_cookie

MOST = 150  # cookies of one request: the daemon's limit


def of_request(url: str, session: Cookies, given: Any) -> List[Dict[str, Any]]:
    """The request object's `cookies`: what the call gives, then the session's own that suit the
    URL's host, then as many others as there is room for: redirects may lead to their hosts."""
    host = (urlsplit(url).hostname or "").lower()
    now = int(time.time())
    chosen: Dict[Tuple[str, str, str], Cookie] = {}
    for cookie in session.jar:
        if not cookie.is_expired(now):
            chosen[_identity(cookie, host)] = cookie
    mine = {_identity(c, host): c for c in Cookies(given).jar} if given else {}
    rest = [cookie for key, cookie in chosen.items() if key not in mine]
    rest.sort(key=lambda cookie: not _suits(cookie, host))  # stable
    return [_described(cookie, host) for cookie in (*mine.values(), *rest)][:MOST]


def _identity(cookie: Cookie, host: str) -> Tuple[str, str, str]:
    return (cookie.domain or host).lstrip("."), cookie.path, cookie.name


def _suits(cookie: Cookie, host: str) -> bool:
    domain = cookie.domain.lstrip(".").lower()
    return not domain or host == domain or (cookie.domain_specified and host.endswith("." + domain))


def _described(cookie: Cookie, host: str) -> Dict[str, Any]:
    said: Dict[str, Any] = {"name": cookie.name, "value": cookie.value or "", "path": cookie.path}
    domain = cookie.domain.lstrip(".")
    # Without a domain it goes to the URL's host alone. For another host there is no way to say
    # "that one alone": it reaches the hosts below it, too, if a redirect leads there.
    if domain and (cookie.domain_specified or domain.lower() != host):
        said["domain"] = domain
    if cookie.secure:
        said["secure"] = True
    if cookie.expires:
        said["expires"] = int(cookie.expires)
    return said


class Line(NamedTuple):
    """A Set-Cookie header, as far as it matters here."""

    name: str
    host: str  # that sent it
    domain: str  # that it names, or ""
    path: str
    deletes: bool


def keep(session: Cookies, envelope: Dict[str, Any]) -> None:
    """Bring the session's cookies up to date with what a chain of responses set and deleted."""
    lines = list(_lines(envelope))
    if not lines:
        return
    for line in lines:
        if line.deletes:
            _delete(session, line)
    now = time.time()
    for left in envelope.get("cookies", ()):
        line = _set_by(lines, left)
        _delete(session, line)
        if not 0 < left["expires"] <= now:  # one that is past is a deletion, too
            session.jar.set_cookie(_kept(left, line))


def _set_by(lines: List[Line], cookie: Dict[str, Any]) -> Line:
    """The Set-Cookie that left this cookie."""
    name, domain, path = cookie["name"], cookie["domain"], cookie["path"]
    for line in reversed(lines):
        # Of a path that no attribute named, some libcurls keep the slash at the end.
        same_path = line.path.rstrip("/") == path.rstrip("/")
        if line.name == name and (line.domain or line.host) == domain and same_path:
            return line
    return Line(name, domain, "", path, False)


def _kept(left: Dict[str, Any], line: Line) -> Cookie:
    """A dot before its domain: for hosts below it, too. Addresses have none (RFC 6265 5.1.3)."""
    below = bool(line.domain) and not _address(line.domain)
    domain = ("." if below else "") + left["domain"]
    return make_cookie(
        *(left["name"], left["value"], domain, line.path, left["secure"]),
        expires=left["expires"] or None,
        subdomains=below,
        http_only=left["http_only"],
    )


def _address(host: str) -> bool:
    return ":" in host or host.rpartition(".")[2].isdigit()


def _lines(envelope: Dict[str, Any]) -> Iterator[Line]:
    for response in (*envelope.get("history", ()), envelope):
        for name, value in response["headers"]:
            if len(name) == 10 and name.lower() == "set-cookie":
                yield _parse(value, response["url"])


def _parse(value: str, url: str) -> Line:
    pair, *attributes = value.split(";")
    name = pair.partition("=")[0].strip()
    said = {}
    for each in attributes:
        key, _, text = each.partition("=")
        said[key.strip().lower()] = text.strip()
    domain = said.get("domain", "").lstrip(".").lower()
    parts = urlsplit(url)
    path = said.get("path", "")
    if not path.startswith("/"):
        path = parts.path.rpartition("/")[0] or "/"  # RFC 6265 5.1.4
    return Line(name, (parts.hostname or "").lower(), domain, path, _dead(said))


def _dead(attributes: Dict[str, str]) -> bool:
    """Max-Age decides where it is a number, else Expires (RFC 6265 5.3)."""
    age = attributes.get("max-age", "")
    if age.lstrip("-").isdigit():
        return int(age) <= 0
    try:
        return parsedate_to_datetime(attributes["expires"]).timestamp() <= time.time()
    except (KeyError, TypeError, ValueError, IndexError, OverflowError):
        return False


def _delete(session: Cookies, line: Line) -> None:
    domain = line.domain or line.host
    for cookie in list(session.jar):
        if (cookie.name, cookie.path) == (line.name, line.path):
            if cookie.domain.lstrip(".").lower() == domain:
                session.jar.clear(cookie.domain, cookie.path, cookie.name)
