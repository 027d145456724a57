"""The parameters of sessions and requests: from curl_cffi's names to keys of the request object.

Each parameter has a function that takes (keys, value) and writes to `keys`. One that can't work in
another process raises Unsupported, with the reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Dict, Optional, Tuple
from urllib.parse import unquote, urlsplit, urlunsplit

from .. import ca_bundle
from ..const import CurlECode, CurlFollow, CurlHttpVersion
from . import fingerprint_keys, info_values, option_keys
from .exceptions import CertificateVerifyError, Unsupported

Keys = Dict[str, Any]

MAX_TIMEOUT = 86400  # seconds: the daemon's largest, which stands for "no timeout"
NO_TIMEOUT_CONNECT = 300  # seconds for connecting, without a timeout: libcurl's default
MAX_REDIRECTS = 100  # the daemon's most, as the next two
MAX_RETRIES = 100
MAX_BACKOFF = 3600  # seconds
ERROR_STATUSES = list(range(400, 600))
GRACE = 5.0  # seconds that the client waits longer than the daemon, for its error response
NAMED_SESSION_TIMEOUT = 3600.0  # seconds that the client waits if a named session has the timeout


class NotSet:
    """The type of NOT_SET, which differs from None: None is "no timeout"."""

    def __repr__(self) -> str:
        return "NOT_SET"

    def __reduce__(self) -> str:
        return "NOT_SET"


NOT_SET = NotSet()


class _DefaultTimeout(int):
    """Distinguishes the default from a 30 that the caller passed."""

    def __reduce__(self) -> str:
        return "DEFAULT_TIMEOUT"


DEFAULT_TIMEOUT = _DefaultTimeout(30)  # seconds


@dataclass
class RetryStrategy:
    """`count` retries, which the daemon does. It waits at most `delay` plus `jitter` seconds before
    the first and twice as long before each further one; the waits are random ("full jitter"), so
    `backoff` has no effect."""

    count: int
    delay: float = 0.0
    jitter: float = 0.0
    backoff: str = "linear"

    def __post_init__(self) -> None:
        if self.count < 0 or self.delay < 0 or self.jitter < 0:
            raise ValueError("retry: count, delay and jitter must be >= 0")
        if self.backoff not in ("linear", "exponential"):
            raise ValueError("retry.backoff must be 'linear' or 'exponential'")


def normalize_retry(retry: Any) -> RetryStrategy:
    """The strategy for a `retry` parameter: a number of retries, a RetryStrategy, or None."""
    if retry is None:
        return RetryStrategy(0)
    if isinstance(retry, RetryStrategy):
        return retry
    if isinstance(retry, int):
        return RetryStrategy(retry)
    raise TypeError("retry must be an int or RetryStrategy")


def retries(strategy: RetryStrategy, method: str, retry_statuses: bool) -> Keys:
    """The request object's `retries`. As in curl_cffi the method does not matter, and a status is a
    failure only if raise_for_status makes it one: then each of 400 to 599 is."""
    wait = min(max(strategy.delay + strategy.jitter, 0.001), MAX_BACKOFF)
    keys: Keys = {
        "max": min(strategy.count, MAX_RETRIES),
        "methods": [method],
        "backoff": wait,
        "max_backoff": min(max(wait * 2.0 ** min(strategy.count, 10), 10.0), MAX_BACKOFF),
    }
    keys["statuses"] = ERROR_STATUSES if retry_statuses else []
    return keys


# -- timeouts -------------------------------------------------------------------------------------


def timeout_key(timeout: Any, stream: bool) -> Any:
    """The request object's `timeout`. A number limits the whole fetch, connecting included; a pair
    limits connecting, and the rest. For a stream, as in curl_cffi, they limit the time without a
    byte."""
    connect: Any
    total: Any
    if timeout is None or timeout == 0:
        connect = total = 0
    elif isinstance(timeout, (tuple, list)):
        connect, rest = timeout
        total = connect + rest
    elif isinstance(timeout, (int, float)) and not isinstance(timeout, bool):
        connect = total = timeout
    else:
        raise TypeError(f"timeout must be seconds or (connect, read), not {timeout!r}")
    keys = {"connect": min(connect or NO_TIMEOUT_CONNECT, MAX_TIMEOUT)}  # 0: as libcurl has it
    if total or not stream:
        keys["idle" if stream else "total"] = min(total or MAX_TIMEOUT, MAX_TIMEOUT)
    return keys


def client_timeout(key: Any) -> float:
    """Seconds that the client waits for the response to a request with this `timeout` key. It is
    longer than the daemon's timeout, so that normally the daemon reports it."""
    if key is None:
        return NAMED_SESSION_TIMEOUT
    if isinstance(key, dict):
        return float(key.get("total") or key.get("idle") or MAX_TIMEOUT) + GRACE
    return float(key) + GRACE


# -- parameters of a request and of a session ----------------------------------------------------


def auth(keys: Keys, value: Any) -> None:
    if value:
        user, password = value
        keys["auth"] = {"basic": [user, password]}


def allow_redirects(keys: Keys, value: Any) -> None:
    if value is None or value is True:
        return
    if value is False or (isinstance(value, int) and not isinstance(value, CurlFollow)):
        keys["follow_redirects"] = bool(value)
    elif value != "safe" and not isinstance(value, CurlFollow):
        raise ValueError(f"allow_redirects must be a bool, CurlFollow or 'safe', not {value!r}")
    elif value == "safe" or value is CurlFollow.SAFE:
        keys["redirects_public_only"] = True
    elif value is CurlFollow.FIRSTONLY:
        raise Unsupported(
            "allow_redirects: CurlFollow.FIRSTONLY is not supported; the daemon changes the method"
            " as RFC 9110 15.4 says for the status"
        )


def max_redirects(keys: Keys, value: Any) -> None:
    if value is not None and value != 30:
        keys["max_redirects"] = MAX_REDIRECTS if value < 0 else min(value, MAX_REDIRECTS)


def verify(keys: Keys, value: Any) -> None:
    try:
        keys.update(ca_bundle.keys(value))
    except OSError as err:
        raise CertificateVerifyError(str(err), int(CurlECode.SSL_CACERT_BADFILE)) from err


def default_headers(keys: Keys, value: Any) -> None:
    if value is False:
        keys["default_headers"] = False


def cert(keys: Keys, value: Any) -> None:
    if value:
        raise Unsupported(
            "cert: the daemon makes the connection, and a request can't name a file; configure "
            "`client_cert` and `client_key` for a session of the daemon's and use it: "
            "Session(name=…)"
        )


def http_version(keys: Keys, value: Any) -> None:
    if not value:
        return
    version = HTTP_VERSIONS.get(value)
    if version is None:
        raise Unsupported(
            f"http_version: {value!r} is not supported; use v1, v2, v2tls, v2_prior_knowledge, v3"
            " or v3only"
        )
    keys["http_version"] = version


HTTP_VERSIONS: Dict[Any, str] = {
    "v1": "1.1",
    "v2": "2",
    "v2tls": "auto",
    "v2_prior_knowledge": "2-prior-knowledge",
    "v3": "3",
    "v3only": "3-only",
    CurlHttpVersion.V1_1: "1.1",
    CurlHttpVersion.V2_0: "2",
    CurlHttpVersion.V2TLS: "auto",
    CurlHttpVersion.V2_PRIOR_KNOWLEDGE: "2-prior-knowledge",
    CurlHttpVersion.V3: "3",
    CurlHttpVersion.V3ONLY: "3-only",
}


def impersonate(keys: Keys, value: Any) -> None:
    if value:
        if not isinstance(value, str):
            raise Unsupported(
                "impersonate: a Fingerprint is not supported; pass the name of a target, 'chrome'"
            )
        keys["impersonate"] = getattr(value, "value", value)


def max_recv_speed(keys: Keys, value: Any) -> None:
    if value:
        keys["max_recv_speed"] = value


def _copied(key: str) -> Callable[[Keys, Any], None]:
    """The function of a parameter that is the request key `key`, as it is."""

    def copy(keys: Keys, value: Any) -> None:
        if value is not None:
            keys[key] = value

    return copy


def _unsupported(name: str, reason: str) -> Callable[[Keys, Any], None]:
    """The function of a parameter that raises Unsupported unless it is left at its default."""

    def refuse(keys: Keys, value: Any) -> None:
        if value:
            raise Unsupported(f"{name} is not supported: {reason}")

    return refuse


def _ignored(keys: Keys, value: Any) -> None:
    """The function of a parameter that is accepted and has no effect; docs/client.md says why."""


def curl_options(keys: Keys, value: Any) -> None:
    """They are applied after all other parameters; here only Unsupported is raised."""
    option_keys.apply({}, value or {})


def curl_infos(keys: Keys, value: Any) -> None:
    info_values.check(value or ())


_HANDLE = "curl handles live in the daemon; leave it out: all sessions share its connections"
_NAMES = (
    "the daemon resolves names, by the name servers of its machine; for single names set `resolve`"
    " of a session in the daemon's configuration, and use Session(name=…)"
)
_INTERFACE = (
    "the daemon makes the connection; set `interface` of a session in its configuration, and use"
    " Session(name=…)"
)

COMMON: Dict[str, Callable[[Keys, Any], None]] = {
    "auth": auth,
    "allow_redirects": allow_redirects,
    "max_redirects": max_redirects,
    "verify": verify,
    "cert": cert,
    "http_version": http_version,
    "impersonate": impersonate,
    "coalesce": _copied("coalesce"),
    "default_headers": default_headers,
    "ja3": fingerprint_keys.text_setter("ja3"),
    "akamai": fingerprint_keys.text_setter("akamai"),
    "perk": fingerprint_keys.text_setter("perk"),
    "extra_fp": fingerprint_keys.extra_fp,
    "interface": _unsupported("interface", _INTERFACE),
    "dns": _unsupported("dns", _NAMES),
    "doh_url": _unsupported("doh_url", _NAMES),
}
REQUEST = {
    **COMMON,
    "max_recv_speed": max_recv_speed,
    "max_body_bytes": _copied("max_body_bytes"),
    "tag": _copied("tag"),
}
SESSION = {
    **COMMON,
    "curl": _unsupported("curl", _HANDLE),
    "async_curl": _unsupported("async_curl", _HANDLE),
    "curl_share": _unsupported("curl_share", _HANDLE),
    "curl_options": curl_options,
    "curl_infos": curl_infos,
    "debug": _ignored,  # by the request object: debug_log.py does it
    "cache": _unsupported("cache", "use Django's cache (django.core.cache)"),
    "thread": _ignored,
    "use_thread_local_curl": _ignored,
    "loop": _ignored,
    "trust_env": _ignored,
}


# -- proxies --------------------------------------------------------------------------------------


def choose_proxy(proxies: Any, url: str) -> Optional[str]:
    """The proxy of a `proxies` dict for this URL: by scheme and host, by scheme, or "all"."""
    parts = urlsplit(url)
    names = [parts.scheme, "all"]
    if parts.hostname:
        names = [f"{parts.scheme}://{parts.hostname}", f"all://{parts.hostname}", *names]
    return next((proxies[name] for name in names if proxies.get(name)), None)


def proxy(keys: Keys, proxies: Any, proxy_auth: Optional[Tuple[str, str]], url: str) -> None:
    """Write `proxy` and `proxy_auth` for a request to `url`. Credentials in the proxy's URL count
    if there is no proxy_auth."""
    chosen = choose_proxy(proxies, url) if proxies else None
    if not chosen:
        return
    if "://" not in chosen:
        chosen = "http://" + chosen
    parts = urlsplit(chosen)
    if parts.username is not None and not proxy_auth:
        proxy_auth = unquote(parts.username), unquote(parts.password or "")
    netloc = parts.netloc.rpartition("@")[2]
    keys["proxy"] = urlunsplit(parts._replace(netloc=netloc))
    if proxy_auth:
        keys["proxy_auth"] = list(proxy_auth)
