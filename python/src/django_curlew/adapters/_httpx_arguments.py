"""The arguments of httpx.HTTPTransport as keys of Curlew's request object.

    verify, proxy, retries, http1, http2, limits       mean what they mean in httpx
    trust_env, socket_options                          accepted, without an effect
    cert, uds, local_address                           not possible: ValueError, with the reason
"""

from __future__ import annotations

import functools
import ssl
from typing import Any, Dict, FrozenSet, Iterator, Optional

from .. import ca_bundle

Keys = Dict[str, Any]

RETRY_BACKOFF = 0.5  # seconds, doubled each time: httpx's own

# A transport may set these for all its requests. The others are the request's own, or would
# change what it is: redirects, cookies, authentication and decoding are httpx's.
REQUEST_KEYS = frozenset(
    {
        "ca_pem",
        "coalesce",
        "default_headers",
        "http_version",
        "impersonate",
        "max_body_bytes",
        "max_recv_speed",
        "proxy_auth",
        "session",
        "tag",
    }
)


def check_request_keys(transport: str, keys: Keys) -> None:
    """Raises TypeError for a keyword that is neither httpx's nor the request object's."""
    for name in keys:
        if name not in REQUEST_KEYS:
            raise TypeError(
                f"{transport}() got an unexpected keyword argument {name!r}. Keys of Curlew's"
                f" request object that it takes: {', '.join(sorted(REQUEST_KEYS))}."
            )


def refuse(transport: str, cert: Any, uds: Any, local_address: Any) -> None:
    """Raises ValueError for what another process can't do for the caller."""
    reasons = {
        "cert": (cert, "set client_cert and client_key of a session of the daemon's"),
        "uds": (uds, "the daemon connects to origins by TCP; use httpx's own transport"),
        "local_address": (local_address, "set interface of a session of the daemon's"),
    }
    for name, (value, advice) in reasons.items():
        if value is not None:
            session = ", and name it in session=" if "session" in advice else ""
            raise ValueError(f"{transport}({name}=): {advice}{session}")


def http_version_keys(http1: Optional[bool], http2: Optional[bool]) -> Keys:
    """None for both: the session decides."""
    if http1 is None and http2 is None:
        return {}
    if http1 is False:
        if not http2:
            raise ValueError("http1=False without http2=True leaves no version of HTTP")
        return {"http_version": "2-prior-knowledge"}
    return {"http_version": "2" if http2 else "1.1"}


def check_retries(retries: Any) -> None:
    """Raises TypeError and ValueError for what retry_keys() has no keys for."""
    if retries is None or isinstance(retries, dict):
        return
    if isinstance(retries, bool) or not isinstance(retries, int):
        raise TypeError(f"retries must be a number, not {type(retries).__name__}")
    if not 0 <= retries <= 100:
        raise ValueError(f"retries must be 0 to 100, not {retries}")


def retry_keys(retries: Any, method: str) -> Keys:
    """A number: httpx repeats what could not connect, whatever the method. An object is `retries`
    of the request object."""
    if retries is None:
        return {}
    if not retries or isinstance(retries, dict):
        return {"retries": retries}
    on_connect = {"on": ["connect"], "methods": [method]}
    return {"retries": {"max": retries, "backoff": RETRY_BACKOFF, **on_connect}}


def proxy_keys(package: Any, proxy: Any) -> Keys:
    """A URL as text or httpx.URL, or an httpx.Proxy. Raises ValueError for a scheme that httpx
    does not know, and for what can't cross: headers and an SSLContext."""
    if proxy is None:
        return {}
    if not isinstance(proxy, package.Proxy):
        proxy = package.Proxy(url=proxy)
    if proxy.headers:
        raise ValueError("proxy: headers for the proxy can't cross to the daemon")
    if proxy.ssl_context is not None:
        raise ValueError("proxy: an SSLContext for the proxy can't cross to the daemon")
    keys: Keys = {"proxy": str(proxy.url)}
    if proxy.auth is not None:
        keys["proxy_auth"] = list(proxy.auth)
    return keys


def max_connections(limits: Any) -> Optional[int]:
    """How many responses may be open at once; None: no limit."""
    if limits is None:
        return None
    try:
        maximum: Optional[int] = limits.max_connections
    except AttributeError:
        raise TypeError(f"limits must be a Limits, not {type(limits).__name__}") from None
    if maximum is not None and maximum < 1:
        raise ValueError(f"limits.max_connections must be at least 1, not {maximum}")
    return maximum


# -- verify ---------------------------------------------------------------------------------------


def verify_keys(verify: Any) -> Keys:
    """True, False, the path of certificates, or an SSLContext: its certificates, unless they are
    those that the daemon trusts anyway."""
    if isinstance(verify, ssl.SSLContext):
        return _context_keys(verify)
    return ca_bundle.keys(verify)


def _context_keys(context: ssl.SSLContext) -> Keys:
    if context.verify_mode == ssl.CERT_NONE:
        return {"verify": False}
    if not context.check_hostname:
        raise ValueError(
            "verify: an SSLContext that checks certificates, but not the host's name, can't cross"
            " to the daemon: it checks both, or with verify=False none"
        )
    certificates = frozenset(context.get_ca_certs(binary_form=True))
    # None: they are in a directory, which OpenSSL reads when it needs one; the system's, mostly.
    if not certificates or certificates in _default_certificates():
        return {}
    return ca_bundle.from_pem(ca_bundle.pem_of(context))


@functools.lru_cache(maxsize=1)
def _default_certificates() -> FrozenSet[FrozenSet[bytes]]:
    """What a context has that was made without certificates of its own."""
    return frozenset(_read_default_certificates())


def _read_default_certificates() -> Iterator[FrozenSet[bytes]]:
    for path in ca_bundle.default_bundles():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            context.load_verify_locations(path)
        except OSError:  # ssl.SSLError, too
            continue
        yield frozenset(context.get_ca_certs(binary_form=True))
