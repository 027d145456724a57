"""URLs as curl_cffi makes them: base_url, params, percent-encoding."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any, Iterable, List, Tuple, Union
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit, urlunsplit

SAFE = "!#$&'()*+,/:;=?@[]~|"  # not to be percent-encoded
UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

_as_it_is = re.compile(r"[A-Za-z0-9\-._~!#$&'()*+,/:;=?@\[\]|]*\Z").match
_escape = re.compile(r"%([0-9A-Za-z]{2})")

Params = Union[None, dict, list, tuple]  # type: ignore[type-arg]


def build(
    url: str, base_url: Any, params: Iterable[Params], quoted: Union[str, bool] = ""
) -> str:
    """`quoted`: characters to encode besides those that must be; False leaves the URL alone."""
    for each in params:
        if each:
            url = with_params(url, each)
    if base_url:
        url = urljoin(base_url, url)
    if quoted and isinstance(quoted, str):
        url = quote_more(url, quoted)
    if quoted is False or _as_it_is(url):
        return url
    return requote(url)


def with_params(url: str, params: Any) -> str:
    """Added to the query; where a name stands there once, and once here, in its place."""
    parts = urlsplit(url)
    there: List[Tuple[str, Any]] = list(parse_qsl(parts.query, keep_blank_values=True))
    given = list(params.items() if isinstance(params, dict) else params)
    before, now = Counter(n for n, _ in there), Counter(n for n, _ in given)
    for name, value in given:
        if isinstance(value, (bool, dict)):
            value = json.dumps(value)
        if before[name] == 1 and now[name] == 1:
            there = [(n, value if n == name else v) for n, v in there]
        else:
            there.append((name, value))
    return urlunsplit(parts._replace(query=urlencode(there, doseq=True)))


def quote_more(url: str, characters: str) -> str:
    safe = "".join(set(SAFE + "%") - set(characters) - {"|"})
    parts = urlsplit(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    query = urlencode(pairs, doseq=True, safe=safe)
    return urlunsplit(parts._replace(path=quote(parts.path, safe=safe), query=query))


def requote(url: str) -> str:
    """Encode what must be, decode what need not be, leave the rest: twice is as good as once."""
    try:
        return quote(_escape.sub(_decode_unreserved, url), safe=SAFE + "%")
    except ValueError:  # a stray %
        return quote(url, safe=SAFE)


def _decode_unreserved(found: "re.Match[str]") -> str:
    character = chr(int(found[1], 16))
    return character if character in UNRESERVED else found[0]
