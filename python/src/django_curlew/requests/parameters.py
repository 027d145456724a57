"""Parameters, from curl_cffi's names to the keys of the daemon's request object.

A parameter is a function here that takes (keys, value) and writes into `keys`. What can't work in
another process raises Unsupported at once and says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Dict, Optional, Tuple
from urllib.parse import unquote, urlsplit, urlunsplit

from .const import CurlFollow, CurlHttpVersion
from .exceptions import Unsupported

Keys = Dict[str, Any]

LONGEST = 86400  # seconds: what the daemon takes for "for ever"
CONNECT_LONGEST = 300  # libcurl's own limit where nobody sets one
MOST_REDIRECTS = 100
GRACE = 5.0  # seconds that the daemon has to say that time is up
UNKNOWN_WAIT = 3600.0  # our own patience where a named session decides


class NotSet:
    """The type of NOT_SET, which is not None: that means "for ever"."""

    def __repr__(self) -> str:
        return "NOT_SET"

    def __reduce__(self) -> str:
        return "NOT_SET"


NOT_SET = NotSet()


class _Default(int):
    """A number that nobody chose."""


DEFAULT_TIMEOUT = _Default(30)


@dataclass
class RetryStrategy:
    """`count` more tries. The daemon waits: `delay` seconds at most before the first of them, and
    twice as long before each further one; its waits are random ("full jitter")."""

    count: int
    delay: float = 0.0
    jitter: float = 0.0
    backoff: str = "linear"

    def __post_init__(self) -> None:
        if self.count < 0 or self.delay < 0 or self.jitter < 0:
            raise ValueError("retry: count, delay and jitter must be >= 0")
        if self.backoff not in ("linear", "exponential"):
            raise ValueError("retry.backoff must be 'linear' or 'exponential'")


def normalized_retry(retry: Any) -> RetryStrategy:
    if retry is None:
        return RetryStrategy(0)
    if isinstance(retry, RetryStrategy):
        return retry
    if isinstance(retry, int):
        return RetryStrategy(retry)
    raise TypeError("retry must be an int or RetryStrategy")


def retries(strategy: RetryStrategy, method: str, statuses: bool) -> Keys:
    """curl_cffi tries again after any failure, whatever the method; after a status only where
    that raises."""
    wait = max(strategy.delay + strategy.jitter, 0.001)
    said: Keys = {"max": strategy.count, "methods": [method], "backoff": wait}
    said["max_backoff"] = max(wait * 2.0 ** min(strategy.count, 10), 10.0)
    if not statuses:
        said["statuses"] = []
    return said


# -- time -----------------------------------------------------------------------------------------


def timeout_key(timeout: Any, stream: bool) -> Any:
    """The `timeout` of a request object. A number is for the whole, connecting included; a pair is
    for connecting and for the rest. Of a stream both are limits of silence, as in curl_cffi."""
    if timeout is None or timeout == 0:
        return {"connect": CONNECT_LONGEST, **({} if stream else {"total": LONGEST})}
    if isinstance(timeout, (tuple, list)):
        connect, rest = timeout
        total = connect + rest
    elif isinstance(timeout, (int, float)) and not isinstance(timeout, bool):
        connect = total = timeout
    else:
        raise TypeError(f"timeout: seconds, or (connect, read), not {timeout!r}")
    return {"connect": connect, ("idle" if stream else "total"): min(total, LONGEST)}


def patience(key: Any) -> float:
    """How long we wait ourselves for an answer to a request with this `timeout`."""
    if key is None:
        return UNKNOWN_WAIT
    if isinstance(key, dict):
        return float(key.get("total") or key.get("idle") or LONGEST) + GRACE
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
        raise ValueError(f"allow_redirects: a bool, CurlFollow or 'safe', not {value!r}")
    elif value is CurlFollow.FIRSTONLY:
        raise Unsupported("allow_redirects: the daemon has no CurlFollow.FIRSTONLY; "
                          "it changes the method as the status says")


def max_redirects(keys: Keys, value: Any) -> None:
    if value is not None and value != 30:
        keys["max_redirects"] = MOST_REDIRECTS if value < 0 else value


def verify(keys: Keys, value: Any) -> None:
    if isinstance(value, str):
        raise Unsupported(
            "verify: the daemon opens the connection, and reads no file that a request names; "
            "give it the authorities as `ca_file` of a session in its configuration, and name "
            "that session: Session(name=…)"
        )
    if value is False:
        keys["verify"] = False


def cert(keys: Keys, value: Any) -> None:
    if value:
        raise Unsupported(
            "cert: the daemon opens the connection, and reads no file that a request names; give "
            "it `client_cert` and `client_key` of a session in its configuration, and name that "
            "session: Session(name=…)"
        )


def http_version(keys: Keys, value: Any) -> None:
    if not value:
        return
    said = HTTP_VERSIONS.get(value)
    if said is None:
        raise Unsupported(f"http_version: the daemon has no {value!r}; "
                          "it has v1, v2, v2tls, v2_prior_knowledge and v3")
    keys["http_version"] = said


HTTP_VERSIONS: Dict[Any, str] = {
    "v1": "1.1",
    "v2": "2",
    "v2tls": "auto",
    "v2_prior_knowledge": "2-prior-knowledge",
    "v3": "3",
    "v3only": "3",
    CurlHttpVersion.V1_1: "1.1",
    CurlHttpVersion.V2_0: "2",
    CurlHttpVersion.V2TLS: "auto",
    CurlHttpVersion.V2_PRIOR_KNOWLEDGE: "2-prior-knowledge",
    CurlHttpVersion.V3: "3",
    CurlHttpVersion.V3ONLY: "3",
}


def impersonate(keys: Keys, value: Any) -> None:
    if value:
        if not isinstance(value, str):
            raise Unsupported("impersonate: a Fingerprint can't be sent; name a target")
        keys["impersonate"] = getattr(value, "value", value)


def max_recv_speed(keys: Keys, value: Any) -> None:
    if value:
        keys["max_recv_speed"] = value


def _plainly(key: str) -> Callable[[Keys, Any], None]:
    def put(keys: Keys, value: Any) -> None:
        if value is not None:
            keys[key] = value

    return put


def _never(name: str, why: str) -> Callable[[Keys, Any], None]:
    def refuse(keys: Keys, value: Any) -> None:
        if value:
            raise Unsupported(f"{name}: {why}")

    return refuse


def _unread(keys: Keys, value: Any) -> None:
    """Taken for the sake of programs that have it; docs/client.md says why it changes nothing."""


_FINGERPRINT = "TLS and HTTP/2 are the daemon's; it takes no fingerprint of a caller's"
_HANDLE = "curl handles live in the daemon; there is none in this process to use or to set"
_NETWORK = "which network, addresses and names to use is the daemon's; see its configuration"

BOTH: Dict[str, Callable[[Keys, Any], None]] = {
    "auth": auth,
    "allow_redirects": allow_redirects,
    "max_redirects": max_redirects,
    "verify": verify,
    "cert": cert,
    "http_version": http_version,
    "impersonate": impersonate,
    "coalesce": _plainly("coalesce"),
    "default_headers": _unread,
    "ja3": _never("ja3", _FINGERPRINT),
    "akamai": _never("akamai", _FINGERPRINT),
    "perk": _never("perk", _FINGERPRINT),
    "extra_fp": _never("extra_fp", _FINGERPRINT),
    "interface": _never("interface", _NETWORK),
    "dns": _never("dns", _NETWORK),
    "doh_url": _never("doh_url", _NETWORK),
    "curl_options": _never("curl_options", _HANDLE),
    "debug": _never("debug", "libcurl talks in the daemon; set its `log.level` to debug"),
}
REQUEST = {
    **BOTH,
    "max_recv_speed": max_recv_speed,
    "max_body_bytes": _plainly("max_body_bytes"),
    "tag": _plainly("tag"),
}
SESSION = {
    **BOTH,
    "curl": _never("curl", _HANDLE),
    "async_curl": _never("async_curl", _HANDLE),
    "curl_share": _never("curl_share", _HANDLE),
    "curl_infos": _never("curl_infos", _HANDLE),
    "cache": _never("cache", "keep what you fetched in Django's cache"),
    "thread": _unread,
    "use_thread_local_curl": _unread,
    "loop": _unread,
    "trust_env": _unread,
}


# -- proxies --------------------------------------------------------------------------------------


def chosen_proxy(proxies: Any, url: str) -> Optional[str]:
    """Of a dict of proxies, the one for this URL: by scheme and host, by scheme, for all."""
    parts = urlsplit(url)
    names = [parts.scheme, "all"]
    if parts.hostname:
        names = [f"{parts.scheme}://{parts.hostname}", f"all://{parts.hostname}", *names]
    return next((proxies[name] for name in names if proxies.get(name)), None)


def proxy(keys: Keys, proxies: Any, proxy_auth: Optional[Tuple[str, str]], url: str) -> None:
    found = chosen_proxy(proxies, url) if proxies else None
    if not found:
        return
    if "://" not in found:
        found = "http://" + found
    parts = urlsplit(found)
    if parts.username is not None and not proxy_auth:
        proxy_auth = unquote(parts.username), unquote(parts.password or "")
    netloc = parts.netloc.rpartition("@")[2]
    keys["proxy"] = urlunsplit(parts._replace(netloc=netloc))
    if proxy_auth:
        keys["proxy_auth"] = list(proxy_auth)
