"""Types of the parameters of sessions and requests, for type checkers and editors."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, Type, TypedDict, Union

from ..const import CurlFollow, CurlHttpVersion
from .cookies import CookieTypes
from .headers import HeaderTypes
from .impersonate import ExtraFingerprints, ExtraFpDict
from .models import Response
from .parameters import NotSet, RetryStrategy
from .request_body import CurlMime

Timeout = Union[float, Tuple[float, float], None, NotSet]
HttpVersion = Union[CurlHttpVersion, str, None]
Encoding = Union[str, Callable[[bytes], str]]
Credentials = Optional[Tuple[str, str]]
Params = Union[Dict[str, Any], List[Any], Tuple[Any, ...], None]


class ProxySpec(TypedDict, total=False):
    """Proxies by the URL's scheme. Keys by host, {"https://example.org": …}, work, too; a TypedDict
    can't declare them."""

    all: str
    http: str
    https: str


class CommonParams(TypedDict, total=False):
    """Parameters that a session and a request have."""

    proxies: Union[ProxySpec, Dict[str, str], None]
    proxy: Optional[str]
    proxy_auth: Credentials
    verify: Union[bool, str, None]
    allow_redirects: Union[bool, CurlFollow, str, None]
    max_redirects: Optional[int]
    impersonate: Optional[str]
    ja3: Optional[str]
    akamai: Optional[str]
    perk: Optional[str]
    extra_fp: Union[ExtraFingerprints, ExtraFpDict, None]
    default_headers: Optional[bool]
    default_encoding: Encoding
    http_version: HttpVersion
    interface: Optional[str]
    dns: Union[str, List[str], None]
    doh_url: Optional[str]
    cert: Union[str, Tuple[str, str], None]
    discard_cookies: bool
    retry: Union[int, RetryStrategy, None]
    coalesce: Optional[bool]


class SessionParams(CommonParams, total=False):
    """Parameters of Session() and AsyncSession()."""

    headers: Optional[HeaderTypes]
    cookies: Optional[CookieTypes]
    auth: Credentials
    timeout: Timeout
    name: Optional[str]
    daemon: Any
    cookie_jar: Optional[bool]
    base_url: Optional[str]
    params: Params
    response_class: Optional[Type[Response]]
    raise_for_status: bool
    trust_env: bool
    curl_options: Optional[Dict[Any, Any]]
    curl_infos: Optional[List[Any]]
    debug: bool
    cache: Any


class KeywordParams(CommonParams, total=False):
    """Parameters of request() that are keyword arguments only."""

    referer: Optional[str]
    accept_encoding: Optional[str]
    content_callback: Optional[Callable[[bytes], Any]]
    quote: Union[str, bool]
    stream: Optional[bool]
    max_recv_speed: int
    multipart: Optional[CurlMime]
    max_body_bytes: Optional[int]
    tag: Optional[str]


class RequestParams(KeywordParams, total=False):
    """All parameters of request()."""

    params: Params
    data: Any
    content: Any
    json: Any
    headers: Optional[HeaderTypes]
    cookies: Optional[CookieTypes]
    files: Any
    auth: Credentials
    timeout: Timeout


Requests = Sequence[Any]  # URLs; (method, url); (method, url, parameters); {"url": …, …}
