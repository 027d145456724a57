"""URLs as curl_cffi builds them: base_url, params, percent-encoding."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any, Iterable, List, Tuple, Union
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit, urlunsplit

from .pairs import is_text, pairs_of

SAFE = "!#$&'()*+,/:;=?@[]~|"  # not percent-encoded
UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

GRAPHIC = "".join(map(chr, range(0x21, 0x7F)))
C0_AND_BLANK = bytes(range(0x21))

_needs_no_quoting = re.compile(r"[A-Za-z0-9\-._~!#$&'()*+,/:;=?@\[\]|]*\Z").match
# An URL that build_url() returns as it is; lines of them.
is_plain = re.compile(r"https?://[A-Za-z0-9\-._~!#$&'()*+,/:;=?@\[\]|]*\Z").match
_are_plain = re.compile(r"(?:https?://[A-Za-z0-9\-._~!#$&'()*+,/:;=?@\[\]|]*\n)*\Z").match
_has_scheme = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:/").match
_escape = re.compile(r"%([0-9A-Za-z]{2})")

Params = Union[None, dict, list, tuple]  # type: ignore[type-arg]


def build_url(
    url: str,
    base_url: Any = None,
    params: Iterable[Params] = (),
    quoted: Union[str, bool] = "",
) -> str:
    """`url`, relative to `base_url`, with the params added to its query. `quoted`: characters to
    percent-encode besides those that must be; False: encode none."""
    for each in params:
        if each:
            url = add_params(url, each)
    if base_url:
        url = urljoin(base_url, url)
    if quoted and isinstance(quoted, str):
        url = quote_more(url, quoted)
    if not url.startswith(("http://", "https://")):
        url = add_scheme(url)
    if quoted is False or _needs_no_quoting(url):
        return url
    return requote(url)


def build_urls(urls: List[str]) -> List[str]:
    """build_url() of each: at once if it would change none of them, as is usual."""
    lines = "\n".join(urls) + "\n"
    if _are_plain(lines) and lines.count("\n") == len(urls):
        return urls
    return [build_url(url) for url in urls]


def add_scheme(url: str) -> str:
    """"http://" before a URL that begins with its host, as in libcurl: "127.0.0.1:80/path"."""
    return url if not url or url[0] == "/" or _has_scheme(url) else "http://" + url


def add_params(url: str, params: Any) -> str:
    """Add to the query. A name that the query has once, and `params` once, is replaced."""
    parts = urlsplit(url)
    query: List[Tuple[str, Any]] = list(parse_qsl(parts.query, keep_blank_values=True))
    added = list(pairs_of(params))
    in_query, in_params = Counter(n for n, _ in query), Counter(n for n, _ in added)
    for name, value in added:
        if isinstance(value, (bool, dict)):
            value = json.dumps(value)
        elif is_text(value):
            value = str(value)
        if in_query[name] == 1 and in_params[name] == 1:
            query = [(n, value if n == name else v) for n, v in query]
        else:
            query.append((name, value))
    return urlunsplit(parts._replace(query=urlencode(query, doseq=True)))


def quote_more(url: str, characters: str) -> str:
    """Percent-encode these characters, too, in the path and in the query's values."""
    safe = "".join(set(SAFE + "%") - set(characters) - {"|"})
    parts = urlsplit(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    query = urlencode(pairs, doseq=True, safe=safe)
    return urlunsplit(parts._replace(path=quote(parts.path, safe=safe), query=query))


def requote(url: str) -> str:
    """Encode what must be, decode what need not be, leave the rest. Doing it again changes
    nothing."""
    try:
        return quote(_escape.sub(_decode_unreserved, url), safe=SAFE + "%")
    except ValueError:  # a single %
        return quote(url, safe=SAFE)


def _decode_unreserved(found: "re.Match[str]") -> str:
    character = chr(int(found[1], 16))
    return character if character in UNRESERVED else found[0]


def redirect_target(url: str, location: bytes) -> str:
    """Where a Location in the response for `url` leads, as the daemon reads it (docs/api.md). What
    is no URL is returned as it is, as libcurl does."""
    cleaned = re.sub(rb"[\t\r\n]", b"", location.strip(C0_AND_BLANK))
    path = re.split(rb"[?#]", cleaned, maxsplit=1)[0]
    cleaned = path.replace(b"\\", b"/") + cleaned[len(path) :]
    try:
        parts = urlsplit(urljoin(url, quote(cleaned, safe=GRAPHIC)))
        return urlunsplit(parts._replace(path="/") if parts.netloc and not parts.path else parts)
    except ValueError:
        return location.decode("utf-8", "replace")
