"""`curl_options`: libcurl's options as keys of the request object.

Options that a parameter of ours has a name for are supported, and those that are a header. For all
others there is no key: they raise Unsupported, which says what is left.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Union

from ..const import CurlHttpVersion, CurlOpt
from .exceptions import Unsupported

Keys = Dict[str, Any]

NO_TIMEOUT = 86400  # seconds: the daemon's longest
HTTP_VERSIONS = {
    CurlHttpVersion.V1_1: "1.1",
    CurlHttpVersion.V2_0: "2",
    CurlHttpVersion.V2TLS: "auto",
    CurlHttpVersion.V2_PRIOR_KNOWLEDGE: "2-prior-knowledge",
    CurlHttpVersion.V3: "3",
    CurlHttpVersion.V3ONLY: "3-only",
}
# What to do instead, where that is not one of our parameters.
WAYS_OUT = {
    CurlOpt.CAINFO: "pass verify='/path/to/ca.pem'",
    **{
        option: f"set `{key}` of a session of the daemon's, and use Session(name=…)"
        for option, key in {
            CurlOpt.INTERFACE: "interface",
            CurlOpt.RESOLVE: "resolve",
            CurlOpt.SSLVERSION: "tls_min",
            CurlOpt.SSL_CIPHER_LIST: "ciphers",
            CurlOpt.SSLCERT: "client_cert",
            CurlOpt.SSLKEY: "client_key",
        }.items()
    },
}
INSTEAD = "the daemon's request object has no key for it (docs/client.md lists those that it has)"


def text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def apply(keys: Keys, options: Dict[Any, Any]) -> None:
    """Write the options to `keys`, over what is there. Raises Unsupported."""
    for number, value in options.items():
        try:
            option = CurlOpt(number)
        except ValueError:
            raise Unsupported(f"curl_options: {number!r} is not an option of libcurl's") from None
        setter = SETTERS.get(option)
        if setter is None:
            instead = WAYS_OUT.get(option, INSTEAD)
            raise Unsupported(f"curl_options: CurlOpt.{option.name} is not supported: {instead}")
        setter(keys, value)


def is_given(keys: Keys, name: str) -> bool:
    """Do the headers have that one?"""
    return any(each[0].lower() == name.lower() for each in keys.get("headers", ()))


def _header(name: str) -> Callable[[Keys, Any], None]:
    """As libcurl: a header that was given by name is not replaced."""

    def add(keys: Keys, value: Any) -> None:
        if not is_given(keys, name):
            keys["headers"] = [*keys.get("headers", ()), [name, text(value)]]

    return add


def _headers(keys: Keys, lines: List[Union[str, bytes]]) -> None:
    pairs = [(*text(line).partition(":")[::2],) for line in lines]
    given = {name.lower() for name, _ in pairs}
    kept = [each for each in keys.get("headers", ()) if each[0].lower() not in given]
    keys["headers"] = [*kept, *([name, value.strip() or None] for name, value in pairs)]


def _range(keys: Keys, value: Any) -> None:
    _header("Range")(keys, f"bytes={text(value)}")


def _key(name: str, convert: Callable[[Any], Any]) -> Callable[[Keys, Any], None]:
    def write(keys: Keys, value: Any) -> None:
        keys[name] = convert(value)

    return write


def _optional(name: str, convert: Callable[[Any], Any]) -> Callable[[Keys, Any], None]:
    """As _key(), for options of which 0 is "no limit"."""

    def write(keys: Keys, value: Any) -> None:
        keys.pop(name, None)
        if value:
            keys[name] = convert(value)

    return write


def _timeout(name: str, unit: float) -> Callable[[Keys, Any], None]:
    def write(keys: Keys, value: Any) -> None:
        timeout = keys.get("timeout", {})
        if not isinstance(timeout, dict):
            timeout = {"total": timeout}
        limits = {**timeout, name: min(value * unit, NO_TIMEOUT) or NO_TIMEOUT}
        if name == "total" and limits.get("connect", 0) > limits["total"]:
            limits["connect"] = limits["total"]
        keys["timeout"] = limits

    return write


def _credentials(key: str, form: Callable[[List[str]], Any]) -> Callable[[Keys, Any], None]:
    def write(keys: Keys, value: Any) -> None:
        user, colon, password = text(value).partition(":")
        if user or colon:  # else nobody, as with libcurl
            keys[key] = form([user, password])

    return write


def _proxy_url(value: Any) -> str:
    """As libcurl, which takes a proxy without a scheme for an http one."""
    url = text(value)
    return url if "://" in url else f"http://{url}"


def _http_version(keys: Keys, value: Any) -> None:
    if value == CurlHttpVersion.NONE:
        return
    if value not in HTTP_VERSIONS:
        raise Unsupported(f"curl_options: HTTP_VERSION {value!r} is not supported")
    keys["http_version"] = HTTP_VERSIONS[value]


def _ignore(keys: Keys, value: Any) -> None:
    """The daemon does that anyway, or it makes no difference to a response."""


SETTERS: Dict[CurlOpt, Callable[[Keys, Any], None]] = {
    CurlOpt.USERAGENT: _header("User-Agent"),
    CurlOpt.REFERER: _header("Referer"),
    CurlOpt.COOKIE: _header("Cookie"),
    CurlOpt.ACCEPT_ENCODING: _header("Accept-Encoding"),
    CurlOpt.RANGE: _range,
    CurlOpt.HTTPHEADER: _headers,
    CurlOpt.CUSTOMREQUEST: _key("method", text),
    CurlOpt.FOLLOWLOCATION: _key("follow_redirects", bool),
    CurlOpt.MAXREDIRS: _key("max_redirects", lambda value: 100 if value < 0 else min(value, 100)),
    CurlOpt.SSL_VERIFYPEER: _key("verify", bool),
    CurlOpt.SSL_VERIFYHOST: _ignore,
    CurlOpt.HTTP_VERSION: _http_version,
    CurlOpt.PROXY: _optional("proxy", _proxy_url),
    CurlOpt.PROXYUSERPWD: _credentials("proxy_auth", lambda pair: pair),
    CurlOpt.USERPWD: _credentials("auth", lambda pair: {"basic": pair}),
    CurlOpt.XOAUTH2_BEARER: _key("auth", lambda value: {"bearer": text(value)}),
    CurlOpt.TIMEOUT: _timeout("total", 1),
    CurlOpt.TIMEOUT_MS: _timeout("total", 0.001),
    CurlOpt.CONNECTTIMEOUT: _timeout("connect", 1),
    CurlOpt.CONNECTTIMEOUT_MS: _timeout("connect", 0.001),
    CurlOpt.MAX_RECV_SPEED_LARGE: _optional("max_recv_speed", int),
    CurlOpt.MAXFILESIZE: _optional("max_body_bytes", int),
    CurlOpt.MAXFILESIZE_LARGE: _optional("max_body_bytes", int),
    CurlOpt.HTTP_CONTENT_DECODING: _key("decompress", bool),
    **dict.fromkeys(
        (
            CurlOpt.NOSIGNAL,
            CurlOpt.TCP_NODELAY,
            CurlOpt.TCP_KEEPALIVE,
            CurlOpt.TCP_FASTOPEN,
            CurlOpt.DNS_CACHE_TIMEOUT,
            CurlOpt.BUFFERSIZE,
            CurlOpt.VERBOSE,
            CurlOpt.NOPROGRESS,
            CurlOpt.PIPEWAIT,
        ),
        _ignore,
    ),
}
