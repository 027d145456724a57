"""Cookies: a mapping over an http.cookiejar.CookieJar, like curl_cffi's."""

from __future__ import annotations

import threading
import warnings
from collections.abc import MutableMapping
from http.cookiejar import Cookie, CookieJar
from typing import Any, Dict, Iterable, Iterator, List, Optional, Tuple, Union

from ..utils import CurlCffiWarning
from .exceptions import CookieConflict
from .shared_jar import JarWatch

CookieTypes = Union["Cookies", CookieJar, Dict[str, str], List[Tuple[str, str]]]


def make_cookie(
    name: str,
    value: str,
    domain: str = "",
    path: str = "/",
    secure: bool = False,
    expires: Optional[int] = None,
    subdomains: bool = False,
    http_only: bool = False,
) -> Cookie:
    """A cookie for a CookieJar. `expires`: seconds since 1970, None: with the session.
    `subdomains`: there was a Domain attribute, so subdomains get the cookie, too."""
    return Cookie(
        version=0,
        name=name,
        value=value,
        port=None,
        port_specified=False,
        domain=domain,
        domain_specified=subdomains,
        domain_initial_dot=domain.startswith("."),
        path=path,
        path_specified=bool(path),
        secure=secure,
        expires=expires,
        discard=expires is None,
        comment=None,
        comment_url=None,
        rest={"HttpOnly": ""} if http_only else {},
        rfc2109=False,
    )


class NoCookieJar(CookieJar):
    """The jar of Session(cookie_jar=False): always empty, and setting a cookie raises TypeError."""

    def set_cookie(self, cookie: Cookie) -> None:
        raise TypeError(
            "this session keeps no cookies (cookie_jar=False): pass them with the request, as"
            " get(url, cookies={…})"
        )


class Cookies(MutableMapping):  # type: ignore[type-arg]
    """A mapping of names to values. `jar` is the CookieJar. A cookie without a domain is sent to
    the host of every request."""

    watch: Optional[JarWatch] = None  # of a session's cookies, but for Session(cookie_jar=True)

    def __init__(self, cookies: Optional[CookieTypes] = None) -> None:
        if isinstance(cookies, CookieJar):
            self.jar = cookies
            return
        self.jar = CookieJar()
        if isinstance(cookies, Cookies):
            for cookie in cookies.jar:
                self.jar.set_cookie(cookie)
        else:
            for name, value in dict(cookies or {}).items():
                self.set(name, value)

    def __getstate__(self) -> Dict[str, Any]:
        """Without the jar's lock, which can't be pickled."""
        jar = dict(self.jar.__dict__)
        jar.pop("_cookies_lock", None)
        return {"type": type(self.jar), "jar": jar}

    def __setstate__(self, state: Dict[str, Any]) -> None:
        self.jar = state["type"].__new__(state["type"])
        self.jar.__dict__.update(state["jar"], _cookies_lock=threading.RLock())

    def set(
        self, name: str, value: str, domain: str = "", path: str = "/", secure: bool = False
    ) -> None:
        """Set a cookie. One whose name has the prefix __Secure- or __Host- gets the attributes that
        RFC 6265bis 4.1.3 requires, with a warning."""
        if name.startswith("__Secure-") and not secure:
            _warn("`secure` changed to True for a `__Secure-` cookie")
            secure = True
        elif name.startswith("__Host-") and (not secure or domain or path != "/"):
            _warn("`secure` changed to True, `domain` to none, `path` to / for a `__Host-` cookie")
            secure, domain, path = True, "", "/"
        self.add([make_cookie(name, value, domain, path, secure, subdomains=bool(domain))])

    def add(self, cookies: Iterable[Cookie]) -> None:
        """Put cookies into the jar, in place of those with the same name, domain and path."""
        if self.watch is not None:
            self.watch.on_write(was_empty=not self)
        for cookie in cookies:
            self.jar.set_cookie(cookie)

    def _matching(
        self, name: Optional[str], domain: Optional[str], path: Optional[str]
    ) -> List[Cookie]:
        return [
            cookie
            for cookie in self.jar
            if (name is None or cookie.name == name)
            and (domain is None or cookie.domain == domain)
            and (path is None or cookie.path == path)
        ]

    def get(  # type: ignore[override]
        self,
        name: str,
        default: Optional[str] = None,
        domain: Optional[str] = None,
        path: Optional[str] = None,
    ) -> Optional[str]:
        """The value of a cookie. Raises CookieConflict if unrelated domains have different values
        for that name."""
        value: Optional[str] = None
        found_domain = ""
        for cookie in self._matching(name, domain, path):
            related = found_domain.endswith(cookie.domain) or cookie.domain.endswith(found_domain)
            if value is not None and not related and value != cookie.value:
                raise CookieConflict(
                    f"several cookies are named {name!r}, for {found_domain} and {cookie.domain}: "
                    "pass the domain"
                )
            value, found_domain = cookie.value, cookie.domain or ""
        return default if value is None else value

    def get_dict(self, domain: Optional[str] = None, path: Optional[str] = None) -> Dict[str, str]:
        """Names and values. If several cookies have one name, one of them."""
        return {c.name: c.value or "" for c in self._matching(None, domain, path)}

    def delete(
        self, name: str, domain: Optional[str] = None, path: Optional[str] = None
    ) -> None:
        """Delete the cookies of that name, of a domain or a path if these are given."""
        if domain is not None and path is not None:
            self.jar.clear(domain, path, name)
            return
        for cookie in self._matching(name, domain, path):
            self.jar.clear(cookie.domain, cookie.path, cookie.name)

    def clear(self, domain: Optional[str] = None, path: Optional[str] = None) -> None:
        """Delete all cookies, or those of a domain, or of a path on it."""
        if path is not None and domain is None:
            raise ValueError("path requires domain")
        self.jar.clear(*[each for each in (domain, path) if each is not None])

    def update(self, cookies: Optional[CookieTypes] = None) -> None:  # type: ignore[override]
        """Add these cookies, in place of those with the same name, domain and path."""
        self.add(Cookies(cookies).jar)

    def __setitem__(self, name: str, value: str) -> None:
        self.set(name, value)

    def __getitem__(self, name: str) -> str:
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __delitem__(self, name: str) -> None:
        self.delete(name)

    def __len__(self) -> int:
        return len(self.jar)

    def __iter__(self) -> Iterator[str]:
        return (cookie.name for cookie in self.jar)

    def __bool__(self) -> bool:
        for _ in self.jar:  # faster than any(), and most jars are empty
            return True
        return False

    def __repr__(self) -> str:
        shown = ", ".join(f"<Cookie {c.name}={c.value} for {c.domain} />" for c in self.jar)
        return f"<Cookies[{shown}]>"


def _warn(message: str) -> None:
    warnings.warn(message, CurlCffiWarning, stacklevel=3)
