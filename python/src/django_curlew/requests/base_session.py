"""BaseSession: what Session and AsyncSession share, their defaults and the making of responses."""

from __future__ import annotations

from typing import Any, Dict, Generic, List, Optional, Tuple, Type, TypeVar, Union
from urllib.parse import urlsplit

from .. import ca_bundle, route
from .. import daemon as daemon_client
from ..json_codec import loads
from . import cookie_jar, debug_log, parameters, problem, streaming
from .cookies import Cookies, CookieTypes, NoCookieJar
from .exceptions import DaemonError, SessionClosed
from .headers import Headers
from .models import Response
from .prepared_request import PreparedRequest
from .shared_jar import JarWatch

FRAMES = daemon_client.FRAMES.encode()

R = TypeVar("R", bound=Response)
Keys = Dict[str, Any]


class BaseSession(Generic[R]):
    """Defaults for requests, as attributes; and cookies. It holds no connection, so it may live in
    a module and be used by any thread, event loop and child process.

    The parameters are curl_cffi's, and: `cookie_jar`; `name`, a session of the daemon's, whose
    defaults and cookie jar are shared by all processes that name it; `coalesce`; `daemon`, a Daemon
    or its URL, in place of the one in the settings. Raises Unsupported for a parameter that can't
    work in another process.

    `cookie_jar`: True keeps the cookies of responses and sends them with later requests; so does
    None, the default, with a SharedJarWarning once several Django requests share them. False keeps
    none and sends only those given with a request: `cookies` stays empty, and to set one there is a
    TypeError.
    """

    curl_options: Dict[Any, Any]
    curl_infos: List[Any]
    debug: bool

    def __init__(
        self,
        *,
        headers: Any = None,
        cookies: Optional[CookieTypes] = None,
        proxies: Any = None,
        proxy: Optional[str] = None,
        proxy_auth: Any = None,
        base_url: Optional[str] = None,
        params: Any = None,
        timeout: Any = parameters.DEFAULT_TIMEOUT,
        retry: Any = 0,
        default_encoding: Any = "utf-8",
        response_class: Optional[Type[R]] = None,
        discard_cookies: bool = False,
        cookie_jar: Optional[bool] = None,
        raise_for_status: bool = False,
        name: Optional[str] = None,
        daemon: Union[daemon_client.Daemon, str, None] = None,
        **others: Any,
    ) -> None:
        if proxy and proxies:
            raise TypeError("Cannot specify both 'proxy' and 'proxies'")
        if base_url and not (urlsplit(base_url).scheme and urlsplit(base_url).hostname):
            raise ValueError("You need to provide an absolute url for 'base_url'")
        if response_class is not None and not issubclass(response_class, Response):
            raise TypeError(
                f"response_class must be a subclass of Response, not {response_class!r}"
            )
        self.headers = Headers(headers)
        self.cookie_jar = cookie_jar
        self._cookies = Cookies(NoCookieJar())
        if cookie_jar is not False or cookies:
            self.cookies = {} if cookies is None else cookies
        self.proxies = {"all": proxy} if proxy else dict(proxies or {})
        self.proxy_auth = proxy_auth
        self.base_url = base_url
        self.params = params
        self.timeout = timeout
        self.retry = parameters.normalize_retry(retry)
        self.default_encoding = default_encoding
        self.response_class: Type[Any] = response_class or Response
        self.discard_cookies = discard_cookies
        self.raise_for_status = raise_for_status
        self.name = name
        self._closed = False
        self._daemon = daemon_client.Daemon(daemon) if isinstance(daemon, str) else daemon
        self._set_others(others)

    def _set_others(self, others: Keys) -> None:
        """The parameters of parameters.SESSION, as attributes; their defaults are curl_cffi's."""
        for name in others:
            if name not in parameters.SESSION:
                raise TypeError(f"{type(self).__name__}() got an unexpected parameter {name!r}")
        for name, value in {**DEFAULTS, **others}.items():
            setattr(self, name, value)
        self.curl_options = dict(self.curl_options or {})
        self.curl_infos = list(self.curl_infos or ())
        self.keys()  # raises Unsupported now, not at the first request

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name in CACHED_ATTRIBUTES:
            self.__dict__["_keys"], self.__dict__["_keys_version"] = None, object()
        if name != "_closed":
            self.__dict__["_templates"] = None

    def keys(self) -> Keys:
        """The keys of the request object that this session's attributes make. They are cached: do
        not change them."""
        cached: Optional[Tuple[Any, Keys]] = self.__dict__.get("_keys")
        version = self.__dict__.get("_keys_version")
        if cached is not None and cached[0] is version:
            keys = cached[1]
        else:
            keys = {}
            for name, setter in parameters.SESSION.items():
                setter(keys, self.__dict__.get(name))
            if self.name is not None:
                keys["session"] = self.name
            if ca_bundle.KEY not in keys:  # its file may change
                self.__dict__["_keys"] = version, keys
        return keys

    @property
    def cookies(self) -> Cookies:
        """The session's own cookies. Those of a named session are in the daemon. With
        cookie_jar=False it is empty, and setting it, or a cookie in it, raises TypeError."""
        return self._cookies

    @cookies.setter
    def cookies(self, cookies: CookieTypes) -> None:
        if self.cookie_jar is False:
            raise TypeError("cookies of a session need a jar, which cookie_jar=False excludes")
        self._cookies = jar = Cookies(cookies)
        if self.cookie_jar is None:
            jar.watch = JarWatch()
            if jar:
                jar.watch.on_write(was_empty=True)

    @property
    def cache_backend(self) -> None:
        """None: responses are not cached."""
        return None

    @property
    def daemon(self) -> daemon_client.Daemon:
        """The Daemon that this session uses. Raises conf.NotConfigured if there is none."""
        return self._daemon or daemon_client.current()

    def _route(self, prepared: PreparedRequest) -> route.Pairs:
        """The header with the request's key, for a Daemon that sends_route."""
        return route.headers(self.route_key(prepared.keys))

    def route_key(self, keys: Keys) -> Optional[str]:
        """The key of a request object of this session's: see django_curlew.route."""
        return route.key_of(keys, shared_jar=self.cookie_jar is not False)

    def _check_open(self) -> None:
        if self._closed:
            raise SessionClosed("Session is closed, cannot send request.")


# -- making responses -----------------------------------------------------------------------------


def make_response(
    session: BaseSession[R],
    prepared: PreparedRequest,
    envelope: Keys,
    content: bytes = b"",
    stream_body: Optional[streaming.StreamBody] = None,
) -> R:
    """The response for an envelope. The session's cookies are updated."""
    response: Any
    if session.response_class is Response and stream_body is None:
        response = Response.loaded(envelope, prepared, content)
    else:
        response = session.response_class()
        response.load(envelope, prepared, content=content, stream_body=stream_body)
    if prepared.keeps_cookies and envelope.get("cookies"):
        cookie_jar.update_jar(session.cookies, envelope)
    if session.debug:
        debug_log.log_response(envelope)
    return response  # type: ignore[no-any-return]


def empty_response(session: BaseSession[R], prepared: PreparedRequest) -> R:
    """The `response` of an exception if there was none."""
    response: R = session.response_class()
    envelope = {"status": 0, "reason": "", "url": prepared.keys["url"], "headers": ()}
    response.load(envelope, prepared)
    return response


def response_from_fetch(
    session: BaseSession[R], prepared: PreparedRequest, fetched: daemon_client.Response
) -> R:
    """The response for what the daemon's fetch route has sent. Raises what that reports."""
    if fetched.status != 200 or FRAMES not in fetched.head:
        raise error_from_response(session, prepared, fetched)
    envelope, content = split_frame(fetched.body)
    response = make_response(session, prepared, envelope, content)
    return check_status(session, response) if session.raise_for_status else response


def response_from_stream(
    session: BaseSession[R], prepared: PreparedRequest, envelope: Keys, stream: Any
) -> R:
    """The response for a stream, whose body is still to be read."""
    timing = envelope.setdefault("timing", {})
    timing["total"] = timing.get("first_byte", 0.0)
    has_timeout = prepared.kwargs.get("timeout", 1)
    body = streaming.StreamBody(stream, prepared.timeout if has_timeout else None)
    return make_response(session, prepared, envelope, stream_body=body)


def error_from_response(
    session: BaseSession[R], prepared: PreparedRequest, error_response: Any
) -> Any:
    """The exception for a response of the daemon's, or a web server's, that is not the origin's."""
    empty = empty_response(session, prepared)
    return _logged(session, problem.from_response(error_response, empty, prepared.impersonates))


def error_from_daemon(
    session: BaseSession[R], prepared: PreparedRequest, err: daemon_client.DaemonError
) -> Any:
    """The exception for a daemon that gave no response."""
    return _logged(session, problem.from_daemon_error(err, empty_response(session, prepared)))


def error_from_problem(
    session: BaseSession[R], prepared: PreparedRequest, document: Keys
) -> Any:
    """The exception for a problem document, as in a line of a batch."""
    empty = empty_response(session, prepared)
    return _logged(session, problem.to_exception(document, empty, prepared.impersonates))


def _logged(session: BaseSession[R], err: Any) -> Any:
    if session.debug:
        debug_log.log_failure(err)
    return err


def check_status(session: BaseSession[R], response: R) -> R:
    """Raise HTTPError for an error status, if the session has raise_for_status."""
    if session.raise_for_status:
        response.raise_for_status()
    return response


def split_frame(data: bytes) -> Tuple[Keys, bytes]:
    """(envelope, body) of a response that is one frame. Raises DaemonError if it is incomplete, or
    is none."""
    end = data.find(b"\n")
    content = data[end + 1 : -1]
    try:
        envelope: Keys = loads(data[: max(end, 0)])
        is_whole = envelope["body_bytes"] == len(content)
    except (ValueError, TypeError, LookupError):
        is_whole = False
    if not is_whole:
        raise DaemonError("invalid response of curlewd: body_bytes is not the body's length")
    return envelope, content


DEFAULTS: Keys = {
    "auth": None,
    "verify": True,
    "cert": None,
    "allow_redirects": True,
    "max_redirects": 30,
    "http_version": None,
    "impersonate": None,
    "ja3": None,
    "akamai": None,
    "perk": None,
    "extra_fp": None,
    "default_headers": True,
    "curl_options": None,
    "curl_infos": None,
    "debug": False,
    "interface": None,
    "dns": None,
    "doh_url": None,
    "trust_env": True,
    "coalesce": None,
}
CACHED_ATTRIBUTES = frozenset((*parameters.SESSION, "name"))  # keys() depends on them
