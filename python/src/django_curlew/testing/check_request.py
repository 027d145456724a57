"""What curlewd refuses of a request object before it sends anything, in its words.

Only rules that hold for every daemon: which sessions, hosts, limits, certificates and impersonated
browsers there are, its configuration and its libcurl decide. The rules are those of
src/message/request_json.c and src/engine/prepare.c; test_testing_like_the_daemon.py compares both.
"""

from __future__ import annotations

import base64
import ipaddress
import json
import re
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple
from urllib.parse import unquote

RequestObject = Dict[str, Any]  # docs/api.md
Problem = Tuple[str, str]  # (code, detail)
Check = Callable[[str, Any], None]  # (the key's path, its value)

MAX_URL_BYTES = 65536
MAX_HEADERS_BYTES = 512 << 10
MAX_HEADER_BYTES = 256 << 10
MAX_METHODS = 100
BODY_KEYS = ("body", "body_base64", "json", "form", "multipart")
# Headers of one connection or of the message framing.
FRAMING = (
    "host connection content-length transfer-encoding te trailer upgrade keep-alive"
    " proxy-connection proxy-authorization expect http2-settings"
).split()
_proxy = re.compile(r"(https?|socks4a?|socks5h?)://", re.IGNORECASE)
_token = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_control = re.compile(r"[\x00-\x1f\x7f]")
_host_refused = re.compile(r"""[\s:#?!@{}\[\]\\$'"^`*<>=;,+&()]""")


class _Refused(Exception):
    """The daemon's detail, and its code."""

    def __init__(self, detail: str, code: str = "bad_request") -> None:
        super().__init__(detail)
        self.code = code


def problem_of(request: RequestObject) -> Optional[Problem]:
    """Why the daemon refuses a fetch; None if it would send it."""
    return _failure_of(request, _check_keys, _check_framing, _check_target, _check_proxy_host)


def problem_of_handoff(request: RequestObject) -> Optional[Problem]:
    """Why the daemon does not store it for a handoff; the rest is checked when it is fetched."""
    return _failure_of(request, _check_keys, _check_target)


def problem_of_batch(batch: Dict[str, Any]) -> Optional[Problem]:
    """Why the daemon refuses all of a batch; each of its requests may still be refused."""
    return _failure_of(batch, _check_json, _check_defaults)


def _failure_of(
    request: Dict[str, Any], *checks: Callable[[Dict[str, Any]], None]
) -> Optional[Problem]:
    try:
        for check in checks:
            check(request)
    except _Refused as err:
        return err.code, str(err)
    return None


def _check_json(document: Dict[str, Any]) -> None:
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise _Refused("JSON: not valid UTF-8") from None


def _check_defaults(batch: Dict[str, Any]) -> None:
    for key, value in batch.get("defaults", {}).items():
        CHECKS[key](f"defaults.{key}", value)


def _check_keys(request: RequestObject) -> None:
    _check_json(request)
    for key, value in request.items():
        if key not in CHECKS:
            raise _Refused(f'unknown key "{key}"')
        CHECKS[key](key, value)


# -- values ---------------------------------------------------------------------------------------


def _boolean(at: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise _Refused(f"{at}: expected true or false")


def _integer(least: int, most: int, otherwise: str = "") -> Check:
    def check(at: str, value: Any) -> None:
        if type(value) is not int or not least <= value <= most:
            raise _Refused(f"{at}: expected an integer from {least} to {most}{otherwise}")

    return check


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _seconds(at: str, value: Any) -> None:
    """Of a timeout."""
    if not _is_number(value) or not 0 < value <= 86400:
        raise _Refused(f"{at}: expected a number of seconds above 0 and at most 86400")


def _backoff(at: str, value: Any) -> None:
    if not _is_number(value) or not 0 <= value <= 3600:
        raise _Refused(f"{at}: expected a number of seconds from 0 to 3600")


def _string(at: str, value: Any) -> str:
    if not isinstance(value, str):
        raise _Refused(f"{at}: expected a string")
    if "\0" in value:
        raise _Refused(f"{at}: must not contain NUL")
    return value


def _text(least: int = 0, most: int = 1 << 62) -> Check:
    """Of so many bytes."""

    def check(at: str, value: Any) -> None:
        size = len(value.encode()) if isinstance(value, str) else least
        if size < least == 1:
            raise _Refused(f"{at}: must not be empty")
        if not least <= size <= most:
            raise _Refused(f"{at}: expected a string of {least} to {most} bytes")
        _string(at, value)

    return check


def _choice(*words: str) -> Check:
    def check(at: str, value: Any) -> None:
        if value not in words:
            raise _Refused(f"{at}: expected one of {', '.join(words)}")

    return check


def _each(check: Check, expected: str, at_least: int = 0) -> Check:
    """A list whose items pass `check`."""

    def check_all(at: str, value: Any) -> None:
        if not isinstance(value, list) or len(value) < at_least:
            raise _Refused(f"{at}: expected {expected}")
        for index, item in enumerate(value):
            check(f"{at}[{index}]", item)

    return check_all


def _group(checks: Dict[str, Check]) -> Check:
    def check(at: str, value: Any) -> None:
        for key, item in value.items():
            if key not in checks:
                raise _Refused(f'unknown key "{at}.{key}"')
            checks[key](f"{at}.{key}", item)

    return check


def _object(checks: Dict[str, Check]) -> Check:
    inner = _group(checks)

    def check(at: str, value: Any) -> None:
        if not isinstance(value, dict):
            raise _Refused(f"{at}: expected an object")
        inner(at, value)

    return check


def _any(at: str, value: Any) -> None:
    """Any value."""


# -- method, headers, cookies ---------------------------------------------------------------------


def _method(at: str, value: Any) -> None:
    name = _string(at, value)
    if not _token.fullmatch(name):
        list_at = at.partition("[")[0]
        raise _Refused(f'{list_at}: "{name[:40]}" is not a token')


def _header_bytes(at: str, value: Any) -> bytes:
    if isinstance(value, dict) and list(value) == ["base64"]:
        try:
            return base64.b64decode(value["base64"], validate=True)
        except (ValueError, TypeError):
            detail = "expected base64 (RFC 4648 section 4) of bytes without NUL"
            raise _Refused(f"{at}.base64: {detail}") from None
    if not isinstance(value, str):
        detail = 'expected a string, {"base64": …}, or null to remove the header'
        raise _Refused(f"{at}: {detail}")
    return _string(at, value).encode()


def _headers(at: str, value: Any) -> None:
    for item_at, name, each in _pairs(at, value):
        content = b"" if each is None else _header_bytes(item_at, each)
        if not _token.fullmatch(_string(item_at, name)):
            raise _Refused(f'{at}: "{name[:80]}" is not a header name')
        if re.search(rb"[\r\n\0]", content):
            detail = "CR, LF and NUL are not allowed in a value"
            raise _Refused(f"{at}.{name[:80]}: {detail}")


def _pairs(at: str, value: Any) -> Iterator[Tuple[str, str, Any]]:
    if isinstance(value, dict):
        yield from ((f"{at}.{name}", name, each) for name, each in value.items())
        return
    if not isinstance(value, list):
        raise _Refused(f"{at}: expected an object or a list of [name, value]")
    for index, pair in enumerate(value):
        if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[0], str):
            raise _Refused(f"{at}[{index}]: expected [name, value]")
        yield f"{at}[{index}]", pair[0], pair[1]


def _forwarded(at: str, value: Any) -> None:
    name = _string(at, value)
    if not _token.fullmatch(name):
        raise _Refused(f'forward_headers: "{name[:80]}" is not a header name')
    if name.lower() in FRAMING:
        detail = "cannot be forwarded: it belongs to one connection or message"
        raise _Refused(f'forward_headers: "{name}" {detail}')


def _expires(at: str, value: Any) -> None:
    if not _is_number(value) or not 0 <= value <= 1 << 53:
        raise _Refused(f"{at}: expected seconds since 1970, 0 for a session cookie")


def _path(at: str, value: Any) -> None:
    if isinstance(value, str) and not value.startswith("/"):
        raise _Refused(f"{at}: expected an absolute path")
    _string(at, value)


def _cookie(at: str, value: Any) -> None:
    if not isinstance(value, dict):
        raise _Refused(f"{at}: expected an object with name and value")
    _group(COOKIE)(at, value)
    if not ({"name", "name_base64"} & set(value) and {"value", "value_base64"} & set(value)):
        raise _Refused(f"{at}: name and value are required")
    if not value.get("deleted"):
        _cookie_text(value.get("name", ""), value.get("value", ""), value.get("domain"))


def _cookie_text(name: str, value: str, domain: Optional[str] = None) -> None:
    if re.search(r"[\x00-\x08\x0a-\x1f\x7f=;]", name):
        raise _Refused(f'cookies: "{name[:80]}" is not a cookie name')
    if not name and not value:
        raise _Refused("cookies: one has neither name nor value")
    if re.search(r"[\x00-\x08\x0a-\x1f\x7f;]", value):
        detail = "the value contains a semicolon or control character"
        raise _Refused(f"cookies.{name[:80]}: {detail}")
    if domain is not None and (domain in ("", ".") or re.search(r"[\x00-\x1f\x7f; /#]", domain)):
        raise _Refused(f"cookies.{name[:80]}: invalid domain")


def _cookies(at: str, value: Any) -> None:
    if isinstance(value, dict):
        for name, text in value.items():
            _cookie_text(name, _string(f"{at}.{name}", text))
    elif isinstance(value, list):
        _each(_cookie, "a list")(at, value)
    else:
        raise _Refused(f"{at}: expected an object or a list of cookies")


# -- credentials, body, retries -------------------------------------------------------------------


def _secret(at: str, value: Any) -> None:
    if _control.search(_string(at, value)):
        raise _Refused(f"{at}: must not contain control characters")


def _credentials(at: str, value: Any) -> None:
    if not isinstance(value, list) or len(value) != 2:
        raise _Refused(f"{at}: expected [user, password]")
    _each(_secret, "")(at, value)
    if ":" in value[0]:
        raise _Refused(f"{at}[0]: a user name cannot contain a colon")


def _bearer(at: str, value: Any) -> None:
    if value == "":
        raise _Refused(f"{at}: expected a token")
    _secret(at, value)


def _auth(at: str, value: Any) -> None:
    if not isinstance(value, dict) or len(value) != 1 or not set(value) <= set(AUTH):
        kinds = '{"basic": [user, password]}, {"digest": [user, password]} or {"bearer": token}'
        raise _Refused(f"{at}: expected {kinds}")
    _group(AUTH)(at, value)


def _proxy_url(at: str, value: Any) -> None:
    text = _string(at, value)
    scheme = _proxy.match(text)
    if not scheme or scheme.end() == len(text):
        schemes = "http, https, socks4, socks4a, socks5 or socks5h"
        raise _Refused(f"{at}: expected an {schemes} URL")


def _line(at: str, value: Any) -> None:
    if re.search(r"[\r\n]", _string(at, value)):
        raise _Refused(f"{at}: must not contain CR or LF")


def _part(at: str, value: Any) -> None:
    if not isinstance(value, dict):
        raise _Refused(f"{at}: expected an object with name and value")
    _group(PART)(at, value)
    if "name" not in value or not {"value", "value_base64"} & set(value):
        raise _Refused(f"{at}: name and value (or value_base64) are required")


def _body_text(at: str, value: Any) -> None:
    if not isinstance(value, str):
        raise _Refused(f"{at}: expected a string")


def _timeout(at: str, value: Any) -> None:
    (_group(TIMEOUT) if isinstance(value, dict) else _seconds)(at, value)


def _retries(at: str, value: Any) -> None:
    if not isinstance(value, dict):
        _integer(0, 100, ", or an object")(at, value)
        return
    _group(RETRIES)(at, value)
    if "max" not in value:
        raise _Refused(f"{at}.max: required")


def _retried_kind(at: str, value: Any) -> None:
    if value not in ("connect", "read", "status"):
        raise _Refused(f"{at}: expected one of connect, read, status")


TIMEOUT: Dict[str, Check] = dict.fromkeys(("connect", "total", "idle"), _seconds)
AUTH: Dict[str, Check] = {"basic": _credentials, "digest": _credentials, "bearer": _bearer}
COOKIE: Dict[str, Check] = {
    "name": _text(),
    "value": _text(),
    "domain": _text(1),
    "path": _path,
    "expires": _expires,
    **dict.fromkeys(("name_base64", "value_base64"), _body_text),
    **dict.fromkeys(("host_only", "secure", "http_only", "deleted"), _boolean),
}
PART: Dict[str, Check] = {
    **dict.fromkeys(("name", "filename", "content_type"), _line),
    **dict.fromkeys(("value", "value_base64"), _body_text),
    "headers": lambda at, value: _headers("headers", value),
}
RETRIES: Dict[str, Check] = {
    "max": _integer(0, 100),
    "backoff": _backoff,
    "max_backoff": _backoff,
    "statuses": _each(_integer(400, 599), "a list of statuses"),
    "methods": _each(_method, "a list of at least one method", at_least=1),
    "on": _each(_retried_kind, "a list of connect, read and status", at_least=1),
    "respect_retry_after": _boolean,
}
CHECKS: Dict[str, Check] = {
    "url": _text(1),
    "method": _method,
    "headers": _headers,
    "cookies": _cookies,
    **dict.fromkeys(("body", "body_base64"), _body_text),
    **dict.fromkeys(("params", "json", "form", "body_follows"), _any),
    "multipart": _each(_part, "a list of at least one part", at_least=1),
    "timeout": _timeout,
    "max_redirects": _integer(0, 100),
    "ca_pem": _text(),
    "http_version": _choice("auto", "1.1", "2", "2-prior-knowledge", "3", "3-only"),
    "proxy": _proxy_url,
    "proxy_auth": _credentials,
    "auth": _auth,
    "max_body_bytes": _integer(0, 1 << 53),
    "max_recv_speed": _integer(1, 1 << 53),
    "retries": _retries,
    "session": _text(1, 64),
    "impersonate": _text(),
    "fingerprint": _object(
        {**dict.fromkeys(("ja3", "akamai", "perk"), _text(1)), "extra": _any}
    ),
    "response_body": _choice("auto", "text", "base64", "none"),
    "forward_headers": _each(_forwarded, "a list of header names"),
    "tag": _text(0, 4096),
    **dict.fromkeys(("traceparent", "tracestate"), _text(1, 512)),
    **dict.fromkeys(
        (
            "follow_redirects",
            "redirects_public_only",
            "verify",
            "decompress",
            "coalesce",
            "default_headers",
        ),
        _boolean,
    ),
}


# -- the whole request ----------------------------------------------------------------------------


def _check_framing(request: RequestObject) -> None:
    method, has_body = request.get("method"), any(key in request for key in BODY_KEYS)
    if method == "CONNECT":
        raise _Refused("method: CONNECT is for proxies")
    if method == "HEAD" and has_body:
        raise _Refused("method: HEAD takes no body")
    size = 0
    for at, name, value in _pairs("headers", request.get("headers", [])):
        field = len(name) + (0 if value is None else len(_header_bytes(at, value)))
        size += field
        if field > MAX_HEADER_BYTES:
            raise _Refused(f"headers.{name[:100]}: over {MAX_HEADER_BYTES} bytes")
        if size > MAX_HEADERS_BYTES:
            raise _Refused(f"headers: over {MAX_HEADERS_BYTES} bytes together")
        if name.lower() in ("content-length", "transfer-encoding"):
            raise _Refused(f"headers.{name}: follows from the body")


def _check_target(request: RequestObject) -> None:
    if "url" not in request:
        raise _Refused("url: required")
    detail = _problem_of_url(request["url"])
    if detail:
        raise _Refused(f"url: {detail}", "bad_url")


def _problem_of_url(url: str) -> Optional[str]:
    scheme, _, rest = url.partition("://")
    authority = re.split("[/?#]", rest, maxsplit=1)[0]
    if len(url.encode()) > MAX_URL_BYTES:
        return f"longer than {MAX_URL_BYTES} bytes"
    if scheme.lower() not in ("http", "https"):
        return "must begin with http:// or https://"
    if not authority:
        return "the host name is missing"
    if "\\" in authority:
        return "contains a backslash before the path"
    if re.search(r"[\x00-\x20\x7f]", url):
        return "contains a space or control character"
    user, _, address = authority.rpartition("@")
    return _problem_of_address(address) or (
        "user or password contains a control character" if _control.search(unquote(user)) else None
    )


def _problem_of_address(address: str) -> Optional[str]:
    host, port = _split_address(address)
    if port and not (port.isascii() and port.isdigit() and int(port) <= 65535):
        return "Port number was not a decimal number between 0 and 65535"
    if port and int(port) == 0:
        return "the port must be from 1 to 65535"
    if not host:
        return "the host name is missing or malformed"
    return "Bad hostname" if not _is_host(host) else None


def _split_address(address: str) -> List[str]:
    end = address.rfind("]") + 1 if address.startswith("[") else 0
    host, _, port = address[end:].partition(":")
    return [address[:end] + host, port]


def _is_host(host: str) -> bool:
    if not host.startswith("["):
        return not _host_refused.search(unquote(host))
    try:
        ipaddress.IPv6Address(host[1:-1].partition("%")[0])
    except ValueError:
        return False
    return host.endswith("]")


def _check_proxy_host(request: RequestObject) -> None:
    if "proxy" not in request:
        return
    rest = re.split("[/?#]", request["proxy"].partition("://")[2], maxsplit=1)[0]
    host, port = _split_address(rest.rpartition("@")[2])
    if not host:
        raise _Refused("proxy: the URL has no host")
    if port and port.isdigit() and int(port) == 0:
        raise _Refused("proxy: the port must be from 1 to 65535")
