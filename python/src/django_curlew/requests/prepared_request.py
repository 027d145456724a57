"""PreparedRequest: the arguments of one request() call as a request object for the daemon."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, Iterable, Optional, Union

from .. import ca_bundle, daemon
from ..json_codec import dumps
from . import (
    cookie_jar,
    debug_log,
    option_keys,
    parameters,
    problem,
    request_body,
    sent_headers,
    urls,
)
from .headers import Headers
from .models import Request
from .parameters import NOT_SET

if TYPE_CHECKING:
    from .base_session import BaseSession

Keys = Dict[str, Any]

FETCH, BATCH = "/v1/fetch", "/v1/batch"
FRAMES = (("Accept", daemon.FRAMES), ("Content-Type", "application/json"))
# The keys that may stand in a batch's `defaults`: not URL, body and others of a single request.
COMMON_KEYS = frozenset(
    (
        "timeout",
        "session",
        "follow_redirects",
        "max_redirects",
        "redirects_public_only",
        "verify",
        "ca_pem",
        "default_headers",
        "http_version",
        "auth",
        "proxy",
        "proxy_auth",
        "impersonate",
        "fingerprint",
        "coalesce",
        "decompress",
    )
)
DEFAULT_ACCEPT_ENCODING = object()  # all codings that the daemon's libcurl can undo

# The parameters that PreparedRequest handles itself, beside parameters.REQUEST.
OWN_PARAMETERS = frozenset(
    (
        "params",
        "data",
        "content",
        "json",
        "headers",
        "cookies",
        "files",
        "timeout",
        "proxies",
        "proxy",
        "proxy_auth",
        "referer",
        "accept_encoding",
        "content_callback",
        "default_encoding",
        "quote",
        "stream",
        "multipart",
        "discard_cookies",
        "retry",
    )
)


class PreparedRequest:
    """One call of request(). `keys` is the request object (docs/api.md), `timeout` the seconds that
    the client waits for the daemon, `kwargs` the parameters as they were given, `streams` whether
    it uses the daemon's stream route."""

    template: Any = None  # the RequestTemplate that it was made by

    def __init__(
        self, session: "BaseSession[Any]", method: str, url: str, kwargs: Keys
    ) -> None:
        self.kwargs = kwargs
        self.method = method = method.upper()
        self.content_callback = kwargs.get("content_callback")
        self.stream = bool(kwargs.get("stream"))
        self.streams = self.stream or self.content_callback is not None
        self.default_encoding = kwargs.get("default_encoding") or session.default_encoding
        self.keeps_cookies = not (
            session.discard_cookies
            or session.cookie_jar is False
            or session.name is not None
            or kwargs.get("discard_cookies")
        )
        self.body: Optional[request_body.EncodedBody] = None
        self.headers: Optional[Headers] = None
        self.keys: Keys = {"url": self._build_url(session, url), **session.keys()}
        if method != "GET":
            self.keys["method"] = method
        if kwargs or method in request_body.METHODS_WITH_BODY:
            self._set_own_parameters(session)
        elif session.headers:
            self._set_headers(session, None)
        if session.retry.count or "retry" in kwargs:
            self._set_retries(session)
        if session.cookies or kwargs.get("cookies"):
            self._set_cookies(session)
        if session.proxies or kwargs.get("proxies") or kwargs.get("proxy"):
            self._set_proxy(session)
        self._set_timeout(session)
        if session.curl_options:
            self._apply_options(session.curl_options)
        self.curl_infos = session.curl_infos
        if session.debug:
            debug_log.log_request(self.method, self.keys)

    @property
    def idle_timeout(self) -> Optional[float]:
        """The request object's; None: no limit, or the session's."""
        timeout = self.keys.get("timeout")
        return timeout.get("idle") if isinstance(timeout, dict) else None

    @property
    def idempotent(self) -> bool:
        return self.method in daemon.IDEMPOTENT

    @property
    def impersonates(self) -> bool:
        """Is the other side to see another client, by `impersonate` or a fingerprint?"""
        return "impersonate" in self.keys or "fingerprint" in self.keys

    def adds_certificates(self, error_response: Any) -> bool:
        """Does the daemon lack the certificates of `verify`? Then they are among the keys now, and
        the request is to be sent again."""
        return adds_certificates(error_response, [self.keys])

    def to_json(self) -> bytes:
        """The request object."""
        return dumps(self.keys)

    def to_body(self) -> Union[bytes, daemon.Upload]:
        """What is sent to the daemon: the request object, and the body if that follows it."""
        if self.template is not None:
            encoded: bytes = self.template.encode(self.keys["url"])
            return encoded
        if self.body is None or self.body.source is None:
            return dumps(self.keys)
        source = self.body.source
        keys = ca_bundle.in_full(self.keys)  # there may be no second attempt
        return daemon.Upload(source, request_object=keys, dumps=dumps)

    def read_body(self) -> None:
        """Move a body that would follow the request object into it."""
        if self.body is not None and self.body.source is not None:
            self.body = request_body.in_request_object(self.body)
            self.keys = {**self.keys, **self.body.keys}

    @property
    def can_send_body_again(self) -> bool:
        """If curlewd has not kept the body for a redirect: can it be sent again, within the request
        object? Not if it is large, or can be read only once."""
        source = self.body.source if self.body is not None else None
        return source is not None and _is_small(source, daemon.MAX_RETRIED_BYTES)

    def request(self) -> Request:
        """The value of Response.request."""
        headers = Headers(self.headers)
        content = self.body.content if self.body is not None else None
        return Request(self.keys["url"], headers, self.method, content)

    def _build_url(self, session: "BaseSession[Any]", url: str) -> str:
        params, quote = self.kwargs.get("params"), self.kwargs.get("quote", "")
        if params or session.params or session.base_url or quote or "%" in url:
            return urls.build_url(
                url, base_url=session.base_url, params=(session.params, params), quoted=quote
            )
        return urls.build_url(url, quoted=quote)

    def _set_own_parameters(self, session: "BaseSession[Any]") -> None:
        kwargs = self.kwargs
        for name, value in kwargs.items():
            setter = parameters.REQUEST.get(name)
            if setter is not None:
                self._override(name, value, setter)
            elif name not in OWN_PARAMETERS:
                raise TypeError(f"request() got an unexpected keyword argument {name!r}")
        self.body = request_body.encode_body(
            self.method,
            data=kwargs.get("data"),
            content=kwargs.get("content"),
            json=kwargs.get("json"),
            files=kwargs.get("files"),
            multipart=kwargs.get("multipart"),
        )
        if self.body.keys or self.body.source is not None:
            self.keys.update(self.body.keys, method=self.method)
        self._set_headers(session, kwargs.get("headers"))
        if self.streams:
            self.keys.setdefault("decompress", True)

    def _set_retries(self, session: "BaseSession[Any]") -> None:
        strategy = session.retry
        if "retry" in self.kwargs:
            strategy = parameters.normalize_retry(self.kwargs["retry"])
        self.keys["retries"] = (
            parameters.retries(strategy, self.method, session.raise_for_status)
            if strategy.count
            else 0
        )
        source = self.body.source if self.body is not None else None
        if strategy.count and source is not None and _is_small(source, daemon.MAX_RETRIED_BYTES):
            self.read_body()  # what follows the request object is not retried if it is large

    def _override(self, name: str, value: Any, setter: Any) -> None:
        """Apply a request's parameter over its session's. None leaves the session's."""
        if value is None:
            return
        for key in SESSION_KEYS.get(name, ()):
            self.keys.pop(key, None)
        setter(self.keys, value)
        if name in DAEMON_DEFAULTS:
            key, default = DAEMON_DEFAULTS[name]
            self.keys.setdefault(key, default)

    def _set_headers(self, session: "BaseSession[Any]", request_headers: Any) -> None:
        headers = Headers(session.headers)
        if request_headers is not None:
            headers.update(request_headers)
        if self.body is not None and self.body.file_length is not None:
            headers["Content-Length"] = str(self.body.file_length)  # whatever the caller says
        self.headers = headers
        pairs = sent_headers.to_pairs(headers)
        if self.body is not None:
            sent_headers.add_content_type(pairs, self.body)
        pairs += self._shortcut_headers(headers)
        if pairs:
            self.keys["headers"] = pairs

    def _shortcut_headers(self, headers: Headers) -> Any:
        """The headers of the parameters referer and accept_encoding."""
        kwargs, pairs = self.kwargs, []
        if kwargs.get("referer") and "referer" not in headers:
            pairs.append(["Referer", kwargs["referer"]])
        coding = kwargs.get("accept_encoding", DEFAULT_ACCEPT_ENCODING)
        if coding is None:
            self.keys["decompress"] = False
        elif coding is not DEFAULT_ACCEPT_ENCODING and coding and "accept-encoding" not in headers:
            pairs.append(["Accept-Encoding", coding])
        return pairs

    def _set_cookies(self, session: "BaseSession[Any]") -> None:
        cookies = cookie_jar.request_cookies(
            self.keys["url"], session.cookies, self.kwargs.get("cookies")
        )
        if cookies:
            self.keys["cookies"] = cookies

    def _set_proxy(self, session: "BaseSession[Any]") -> None:
        proxy, proxies = self.kwargs.get("proxy"), self.kwargs.get("proxies")
        if proxy and proxies:
            raise TypeError("Cannot specify both 'proxy' and 'proxies'")
        if proxy:
            proxies = {"all": proxy}
        if proxies is None:
            proxies = session.proxies
        proxy_auth = self.kwargs.get("proxy_auth") or session.proxy_auth
        parameters.proxy(self.keys, proxies, proxy_auth, self.keys["url"])

    def _apply_options(self, options: Keys) -> None:
        """libcurl's options win over parameters, as in curl_cffi."""
        option_keys.apply(self.keys, options)
        self.method = self.keys.get("method", self.method)
        self.timeout = parameters.client_timeout(self.keys.get("timeout"))

    def _set_timeout(self, session: "BaseSession[Any]") -> None:
        """The timeouts of a named session of the daemon's apply if neither the request nor the
        session here has one."""
        timeout = self.kwargs.get("timeout", NOT_SET)
        if timeout is NOT_SET:
            timeout = session.timeout
        key: Any = None
        if timeout is not parameters.DEFAULT_TIMEOUT or session.name is None:
            key = self.keys["timeout"] = parameters.timeout_key(timeout, self.streams)
        self.timeout = parameters.client_timeout(key)


def _is_small(source: daemon.BodySource, limit: int) -> bool:
    return source.is_repeatable and source.length is not None and source.length <= limit


def adds_certificates(error_response: Any, all_keys: Iterable[Keys]) -> bool:
    """PreparedRequest.adds_certificates() for the keys of several."""
    document = problem.document_of(error_response) if error_response.status == 404 else None
    if document is None:
        return False
    added = False
    for keys in all_keys:
        if ca_bundle.is_wanted(document["code"], keys):
            keys.update(ca_bundle.in_full(keys))
            added = True
    return added


# The session's keys that a request's parameter replaces.
SESSION_KEYS = {
    "auth": ("auth",),
    "allow_redirects": ("follow_redirects", "redirects_public_only"),
    "max_redirects": ("max_redirects",),
    "verify": ("verify", "ca_pem"),
    "default_headers": ("default_headers",),
    "http_version": ("http_version",),
    "impersonate": ("impersonate",),
}
# Sent explicitly if a request asks for the daemon's default: a named session may have another.
DAEMON_DEFAULTS = {
    "allow_redirects": ("follow_redirects", True),
    "max_redirects": ("max_redirects", 30),
    "verify": ("verify", True),
    "default_headers": ("default_headers", True),
}
