"""A call, made ready: what to ask of the daemon, and what to do with its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, Optional

from .. import daemon
from ..jsons import dumps
from . import body, jar, parameters, url
from .headers import Headers
from .models import Request
from .parameters import NOT_SET

if TYPE_CHECKING:
    from .base import BaseSession

Keys = Dict[str, Any]

FETCH, STREAM, BATCH = "/v1/fetch", "/v1/stream", "/v1/batch"
FRAMES = (("Accept", daemon.FRAMES), ("Content-Type", "application/json"))
JSON = (("Content-Type", "application/json"),)
DEFAULT_ACCEPT_ENCODING = object()  # offer all that the daemon's libcurl can undo

# Taken by Plan itself, beside parameters.REQUEST.
OWN = frozenset(
    (
        *("params", "data", "content", "json", "headers", "cookies", "files", "timeout"),
        *("proxies", "proxy", "proxy_auth", "referer", "accept_encoding", "content_callback"),
        *("default_encoding", "quote", "stream", "multipart", "discard_cookies", "retry"),
    )
)


class Plan:
    """One call of request(). `keys` is the request object for the daemon."""

    __slots__ = (
        *("keys", "method", "how", "body", "headers", "stream", "callback", "patience"),
        *("keeps_cookies", "default_encoding"),
    )

    def __init__(self, session: "BaseSession[Any]", method: str, address: str, how: Keys) -> None:
        self.how = how
        self.method = method = method.upper()
        self.callback = how.get("content_callback")
        self.stream = bool(how.get("stream"))
        self.default_encoding = how.get("default_encoding") or session.default_encoding
        self.keeps_cookies = not (
            session.discard_cookies or session.name is not None or how.get("discard_cookies")
        )
        self.body: Optional[body.Body] = None
        self.headers: Optional[Headers] = None
        params = how.get("params")
        if params or session.params or session.base_url or how.get("quote") or "%" in address:
            address = url.build(
                address, session.base_url, (session.params, params), how.get("quote", "")
            )
        else:
            address = url.build(address, None, (), how.get("quote", ""))
        self.keys: Keys = {"url": address, **session.keys()}
        if method != "GET":
            self.keys["method"] = method
        if how or method in body.BODIED:
            self._own_parameters(session)
        elif session.headers:
            self._set_headers(session, None)
        if session.retry.count or "retry" in how:
            self._set_retries(session)
        if session._cookies or how.get("cookies"):
            self._set_cookies(session)
        if session.proxies or how.get("proxies") or how.get("proxy"):
            self._set_proxy(session)
        self._set_timeout(session)

    def can_be_copied(self, session: "BaseSession[Any]") -> bool:
        """Does nothing of it but `url` come from the URL?"""
        return not (
            session.params or session.base_url or session.proxies or session._cookies or self.how
        )

    def copy(self, address: str) -> "Plan":
        """The same for another URL."""
        twin = Plan.__new__(Plan)
        for name in Plan.__slots__:
            setattr(twin, name, getattr(self, name))
        twin.keys = {**self.keys, "url": url.build(address, None, ())}
        return twin

    @property
    def streams(self) -> bool:
        """Is it asked of the stream route?"""
        return self.stream or self.callback is not None

    @property
    def idempotent(self) -> bool:
        return self.method in daemon.IDEMPOTENT

    def document(self) -> bytes:
        return dumps(self.keys)

    def request(self) -> Request:
        """What Response.request says."""
        headers = self.headers if self.headers is not None else Headers()
        return Request(self.keys["url"], headers, self.method, self.body and self.body.sent)

    def _own_parameters(self, session: "BaseSession[Any]") -> None:
        how = self.how
        for name, value in how.items():
            put = parameters.REQUEST.get(name)
            if put is not None:
                self._override(name, value, put)
            elif name not in OWN:
                raise TypeError(f"request() got an unexpected keyword argument {name!r}")
        self.body = body.build(
            self.method,
            *(how.get("data"), how.get("content"), how.get("json")),
            *(how.get("files"), how.get("multipart")),
        )
        if self.body.keys:
            self.keys.update(self.body.keys, method=self.method)
        self._set_headers(session, how.get("headers"))
        if self.streams:
            self.keys.setdefault("decompress", True)

    def _set_retries(self, session: "BaseSession[Any]") -> None:
        strategy = session.retry
        if "retry" in self.how:
            strategy = parameters.normalized_retry(self.how["retry"])
        self.keys["retries"] = (
            parameters.retries(strategy, self.method, session.raise_for_status)
            if strategy.count
            else 0
        )

    def _override(self, name: str, value: Any, put: Any) -> None:
        """A request's parameter over its session's; one that is None leaves it alone."""
        if value is None:
            return
        for key in OVERRIDDEN.get(name, ()):
            self.keys.pop(key, None)
        put(self.keys, value)
        if name in EXPLICIT and EXPLICIT[name][0] not in self.keys:
            self.keys.update([EXPLICIT[name]])

    def _set_headers(self, session: "BaseSession[Any]", given: Any) -> None:
        headers = Headers(session.headers)
        if given:
            headers.update(given)
        self.headers = headers
        pairs = [list(pair) for pair in headers.multi_items()]
        wanted = self.body.content_type if self.body is not None else None
        if wanted and "content-type" not in headers:
            pairs.append(["Content-Type", wanted])
        pairs += self._shortcuts(headers)
        if pairs:
            self.keys["headers"] = pairs

    def _shortcuts(self, headers: Headers) -> Any:
        """referer and accept_encoding: headers by another name."""
        how, pairs = self.how, []
        if how.get("referer") and "referer" not in headers:
            pairs.append(["Referer", how["referer"]])
        coding = how.get("accept_encoding", DEFAULT_ACCEPT_ENCODING)
        if coding is None:
            self.keys["decompress"] = False
        elif coding is not DEFAULT_ACCEPT_ENCODING and coding and "accept-encoding" not in headers:
            pairs.append(["Accept-Encoding", coding])
        return pairs

    def _set_cookies(self, session: "BaseSession[Any]") -> None:
        cookies = jar.of_request(self.keys["url"], session._cookies, self.how.get("cookies"))
        if cookies:
            self.keys["cookies"] = cookies

    def _set_proxy(self, session: "BaseSession[Any]") -> None:
        one, many = self.how.get("proxy"), self.how.get("proxies")
        if one and many:
            raise TypeError("Cannot specify both 'proxy' and 'proxies'")
        if one:
            many = {"all": one}
        proxies = session.proxies if many is None else many
        proxy_auth = self.how.get("proxy_auth") or session.proxy_auth
        parameters.proxy(self.keys, proxies, proxy_auth, self.keys["url"])

    def _set_timeout(self, session: "BaseSession[Any]") -> None:
        """A named session's own time-outs hold where nobody says otherwise here."""
        said = self.how.get("timeout", NOT_SET)
        if said is NOT_SET:
            said = session.timeout
        key: Any = None
        if said is not parameters.DEFAULT_TIMEOUT or session.name is None:
            key = self.keys["timeout"] = parameters.timeout_key(said, self.streams)
        self.patience = parameters.patience(key)


# What a request's parameter takes back of its session's keys before it writes its own, and what it
# says where it means the daemon's default: a named session's may be another.
OVERRIDDEN = {
    "auth": ("auth",),
    "allow_redirects": ("follow_redirects",),
    "max_redirects": ("max_redirects",),
    "verify": ("verify",),
    "http_version": ("http_version",),
    "impersonate": ("impersonate",),
}
EXPLICIT = {
    "allow_redirects": ("follow_redirects", True),
    "max_redirects": ("max_redirects", 30),
    "verify": ("verify", True),
}
