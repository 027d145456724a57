"""Requests of a session that differ in their URL alone, as nearly all do: encoded once.

    prepared = prepare(session, "GET", url, kwargs)     # as PreparedRequest(session, "GET", url, …)
    template = template_of(session, kwargs)             # None: they differ in more

These are functions because a session is subclassed: its methods' names are its users'.

The parts of a session that can be changed in place are looked at for each request; the session
drops its templates when one of its attributes is set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Optional, Sequence

from .. import ca_bundle
from ..json_codec import dumps
from . import urls
from .headers import Headers
from .models import Request
from .parameters import NOT_SET
from .prepared_request import COMMON_KEYS, PreparedRequest

if TYPE_CHECKING:
    from .base_session import BaseSession

Keys = Dict[str, Any]

MAX_TEMPLATES = 64  # of a session: it has one for each timeout
PARAMETERS = frozenset(("timeout", "stream"))  # those that a template may have
SECONDS = (int, float, type(None), type(NOT_SET))
STREAM = (bool, type(None))
# Keys that no template has. A file of certificates may change. The others depend on the URL, and
# another thread may give the session a cookie, or a proxy, while a template is made.
VARYING = frozenset((ca_bundle.KEY, "cookies", "proxy", "proxy_auth", "retries"))
NO_URL = b'{"url":"'


class RequestTemplate:
    """GET requests with the same parameters."""

    def __init__(self, session: "BaseSession[Any]", kwargs: Keys) -> None:
        # First: if a thread changes the headers meanwhile, the template is of a former version.
        self.headers_version = session.headers.version
        model = PreparedRequest(session, "GET", "http://a/", kwargs)
        self._shared = {**model.__dict__, "template": self}
        self.default_encoding = model.default_encoding
        # A list could be changed.
        self.is_usable = VARYING.isdisjoint(model.keys) and not isinstance(session.timeout, list)
        self._rest = {k: v for k, v in model.keys.items() if k != "url"}
        self._after_url = dumps({"url": "", **self._rest})[len(NO_URL) :]
        own = {k: v for k, v in self._rest.items() if k not in COMMON_KEYS}
        self._after_url_in_batch = dumps({"url": "", **own})[len(NO_URL) :]
        self._between_urls = (self._after_url_in_batch + b"," + NO_URL).decode()
        self._defaults = dumps({k: v for k, v in self._rest.items() if k in COMMON_KEYS})

    def prepare(self, url: str) -> PreparedRequest:
        return self.prepare_built(url if urls.is_plain(url) else urls.build_url(url))

    def prepare_built(self, url: str) -> PreparedRequest:
        """The request for what build_url() has returned."""
        prepared = PreparedRequest.__new__(PreparedRequest)
        prepared.__dict__ = {**self._shared, "keys": {"url": url, **self._rest}}
        return prepared

    def encode(self, url: str) -> bytes:
        """The request object for what build_url() has returned, which needs no escape in JSON."""
        return b"".join((NO_URL, url.encode(), self._after_url))

    def batch(self, requests: Sequence[PreparedRequest], max_parallel: int) -> bytes:
        """The request object of a batch of such requests, at least one."""
        if isinstance(requests, RequestsOfUrls):
            built = requests.urls
        else:
            built = [each.keys["url"] for each in requests]
        all_urls = self._between_urls.join(built)
        return b'{"requests":[%b%b%b],"defaults":%b,"max_parallel":%d}' % (
            NO_URL,
            all_urls.encode(),
            self._after_url_in_batch,
            self._defaults,
            max_parallel,
        )


class RequestOfUrl:
    """What a Response needs of its PreparedRequest, which is made when it is asked for."""

    __slots__ = ("_template", "_url", "default_encoding")

    def __init__(self, template: RequestTemplate, url: str) -> None:
        self._template = template
        self._url = url
        self.default_encoding: Any = template.default_encoding

    @property
    def curl_infos(self) -> List[Any]:
        return self._template.prepare_built(self._url).curl_infos

    def request(self) -> Request:
        return self._template.prepare_built(self._url).request()


class RequestsOfUrls(Sequence[PreparedRequest]):
    """A template's requests for these URLs. Each is made when it is asked for: few are, and to make
    them all costs more than the rest of a batch's preparation."""

    def __init__(self, template: RequestTemplate, given: List[str]) -> None:
        self.template = template
        self.urls = urls.build_urls(given)

    def __len__(self) -> int:
        return len(self.urls)

    def __getitem__(self, index: Any) -> Any:
        return self.template.prepare_built(self.urls[index])

    def of_response(self, index: int) -> RequestOfUrl:
        return RequestOfUrl(self.template, self.urls[index])


class TemplateCache:
    """The templates of one session."""

    def __init__(self) -> None:
        self._templates: Dict[Any, RequestTemplate] = {}

    def get(self, session: "BaseSession[Any]", kwargs: Keys) -> Optional[RequestTemplate]:
        """The template for GET requests with these parameters; None: there can be none."""
        headers = session.headers
        if (
            type(headers) is not Headers
            or session.params
            or session.proxies
            or session.base_url
            or session.curl_options
            or session.debug
            or session.retry.count
            or (session.cookie_jar is not False and session.cookies)
        ):
            return None
        key: Any = None
        if kwargs:
            timeout, stream = kwargs.get("timeout", NOT_SET), kwargs.get("stream")
            if type(timeout) not in SECONDS or type(stream) not in STREAM:
                return None
            key = (timeout, stream)
        found = self._templates.get(key)
        if found is None or found.headers_version is not headers.version:
            found = RequestTemplate(session, kwargs)
            if len(self._templates) >= MAX_TEMPLATES:
                self._templates.clear()
            self._templates[key] = found
        return found if found.is_usable else None


def template_of(session: "BaseSession[Any]", kwargs: Keys) -> Optional[RequestTemplate]:
    """For GET requests with these parameters; None: they differ in more than their URL."""
    templates: Optional[TemplateCache] = session.__dict__.get("_templates")
    if templates is None:
        session.__dict__["_templates"] = templates = TemplateCache()
    return templates.get(session, kwargs)


def prepare(session: "BaseSession[Any]", method: str, url: str, kwargs: Keys) -> PreparedRequest:
    """A call of request()."""
    if method == "GET" and (not kwargs or kwargs.keys() <= PARAMETERS):
        template = template_of(session, kwargs)
        if template is not None:
            return template.prepare(url)
    return PreparedRequest(session, method, url, kwargs)
