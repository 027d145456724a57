"""What Session and AsyncSession share: the defaults they hold, and what becomes of an answer."""

from __future__ import annotations

import time
from typing import Any, Dict, Generic, Optional, Tuple, Type, TypeVar, Union
from urllib.parse import urlsplit

from .. import daemon, record
from ..jsons import loads
from . import jar, parameters, problem, streaming
from .cookies import Cookies, CookieTypes
from .exceptions import DaemonError, RequestException, SessionClosed
from .headers import Headers
from .models import Response
from .plan import Plan

FRAMES = daemon.FRAMES.encode()

R = TypeVar("R", bound=Response)
Keys = Dict[str, Any]


class Told:
    """A whole answer that came by a stream: what went wrong before the head."""

    def __init__(self, stream: Any, body: bytes) -> None:
        self.status, self.header, self.body = stream.status, stream.header, body


class BaseSession(Generic[R]):
    """Defaults for requests, as attributes; and cookies. It holds no connection: those are the
    process's, so a session may live in a module and be used by threads, loops and children alike.

    Beyond curl_cffi's parameters: `name`, a session of the daemon's, whose defaults and cookie jar
    are there and shared by all who name it; `coalesce`; `daemon`, where not the configured one is
    to be asked (a Daemon, or its URL).
    """

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
        raise_for_status: bool = False,
        name: Optional[str] = None,
        daemon: Union[daemon.Daemon, str, None] = None,
        **others: Any,
    ) -> None:
        if proxy and proxies:
            raise TypeError("Cannot specify both 'proxy' and 'proxies'")
        if base_url and not (urlsplit(base_url).scheme and urlsplit(base_url).hostname):
            raise ValueError("You need to provide an absolute url for 'base_url'")
        if response_class is not None and not issubclass(response_class, Response):
            raise TypeError(f"response_class: a subclass of Response, not {response_class!r}")
        self.headers = Headers(headers)
        self._cookies = Cookies(cookies)
        self.proxies = {"all": proxy} if proxy else dict(proxies or {})
        self.proxy_auth = proxy_auth
        self.base_url = base_url
        self.params = params
        self.timeout = timeout
        self.retry = parameters.normalized_retry(retry)
        self.default_encoding = default_encoding
        self.response_class: Type[Any] = response_class or Response
        self.discard_cookies = discard_cookies
        self.raise_for_status = raise_for_status
        self.name = name
        self._closed = False
        self._set_daemon(daemon)
        self._set_others(others)

    def _set_daemon(self, named: Union[daemon.Daemon, str, None]) -> None:
        self._daemon = daemon.Daemon(named) if isinstance(named, str) else named

    def _set_others(self, others: Keys) -> None:
        """Those that parameters.SESSION knows, as attributes; their defaults are curl_cffi's."""
        for name in others:
            if name not in parameters.SESSION:
                raise TypeError(f"{type(self).__name__}() got an unexpected parameter {name!r}")
        for name, value in {**DEFAULTS, **others}.items():
            setattr(self, name, value)
        self.keys()  # what can't be done is said now, not at the first request

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name in KEPT_IN_KEYS:
            self.__dict__["_keys"] = None

    def keys(self) -> Keys:
        """The request keys that this session's attributes make; not to be changed."""
        keys: Optional[Keys] = self.__dict__.get("_keys")
        if keys is None:
            keys = {}
            for name, put in parameters.SESSION.items():
                put(keys, self.__dict__.get(name))
            if self.name is not None:
                keys["session"] = self.name
            self.__dict__["_keys"] = keys
        return keys

    @property
    def cookies(self) -> Cookies:
        return self._cookies

    @cookies.setter
    def cookies(self, cookies: CookieTypes) -> None:
        self._cookies = Cookies(cookies)

    @property
    def asked(self) -> daemon.Daemon:
        """The daemon that this session asks."""
        return self._daemon or daemon.current()

    def _check_open(self) -> None:
        if self._closed:
            raise SessionClosed("Session is closed, cannot send request.")

    # -- answers ----------------------------------------------------------------------------------

    def _respond(self, plan: Plan, envelope: Keys, content: bytes) -> R:
        """The response for an envelope and its body."""
        response = self.response_class()
        response.envelope = envelope
        response.content = content
        response.default_encoding = plan.default_encoding
        response._plan = plan
        if plan.keeps_cookies:
            jar.keep(self._cookies, envelope)
        return response  # type: ignore[no-any-return]

    def _respond_to_fetch(self, plan: Plan, reply: daemon.Response) -> R:
        if reply.status != 200 or FRAMES not in reply.head:
            raise problem.of_reply(reply, self._empty(plan), "impersonate" in plan.keys)
        return self._checked(self._respond(plan, *frame(reply.body)))

    def _respond_to_stream(self, plan: Plan, stream: Any) -> R:
        body = streaming.Body(stream, plan.patience if plan.how.get("timeout", 1) else None)
        response = self._respond(plan, streaming.envelope(stream), b"")
        response._body = body.response = None
        response._body, body.response = body, response
        return response

    def _checked(self, response: R) -> R:
        if self.raise_for_status:
            response.raise_for_status()
        return response

    def _empty(self, plan: Plan) -> R:
        """What an exception has for a response where there was none."""
        response = self.response_class()
        response.envelope = {"status": 0, "reason": "", "url": plan.keys["url"], "headers": ()}
        response._plan = plan
        return response  # type: ignore[no-any-return]

    def _unanswered(self, plan: Plan, why: daemon.DaemonError) -> RequestException:
        return problem.of_daemon(why, self._empty(plan))  # type: ignore[no-any-return]


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
KEPT_IN_KEYS = frozenset((*parameters.SESSION, "name"))


def frame(data: bytes) -> Tuple[Keys, bytes]:
    """(envelope, body) of an answer that is one frame."""
    end = data.find(b"\n")
    envelope = loads(data[:end]) if end > 0 else {}
    content = data[end + 1 : -1]
    if envelope.get("body_bytes") != len(content):
        raise DaemonError("curlewd's answer has not as many bytes as it says")
    return envelope, content


class Recording:
    """Tells record.py of a fetch, where a record is kept: `with Recording(plan) as r: r.got(…)`."""

    __slots__ = ("_plan", "_record", "_began", "_response")

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._record = record.current()
        self._began = time.perf_counter() if self._record is not None else 0.0
        self._response: Any = None

    def __enter__(self) -> "Recording":
        return self

    def got(self, response: R) -> R:
        self._response = response
        return response

    def __exit__(self, _: Any, why: Any, __: Any) -> None:
        if self._record is not None:
            add(self._record, self._plan, self._began, self._response, why)


def add(kept: Any, plan: Plan, began: float, response: Any, why: Any) -> None:
    """One fetch, into a record that is being kept."""
    envelope = response.envelope if response is not None else {}
    kept.add(
        record.Fetch(
            method=plan.method,
            url=record.shown(plan.keys["url"]),
            status=envelope.get("status"),
            error=None if response is not None else _word(why),
            began=began - kept.began,
            seconds=time.perf_counter() - began,
            bytes=envelope.get("body_bytes"),
            reused=envelope.get("connection", {}).get("reused"),
            tag=plan.keys.get("tag"),
        )
    )


def _word(why: Any) -> str:
    return getattr(why, "reason", None) or type(why).__name__
