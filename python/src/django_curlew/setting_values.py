"""What the values of CURLEW may be: for the checks, and for the error where one is used."""

from __future__ import annotations

import difflib
import string
from collections.abc import Mapping
from typing import Any, Callable, Dict, NamedTuple

EXAMPLE = 'CURLEW = {"URL": "fcgi+unix:/run/curlew/curlew.sock"}'
TOKEN_CHARS = frozenset(string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~")


class Kind(NamedTuple):
    """A kind of value."""

    expected: str  # in a sentence: "CURLEW["X"] must be …"
    accepts: Callable[[Any], bool]


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_optional_text(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _is_token(value: Any) -> bool:
    """A line break is often left at the end by reading a file; it would be sent."""
    return value is None or (isinstance(value, str) and value.isprintable() and " " not in value)


def _is_location(value: Any) -> bool:
    is_header = isinstance(value, str) and value.isascii() and value.isprintable()
    return is_header and value.startswith("/")


def _is_header_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value) and TOKEN_CHARS.issuperset(value)


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool)


def _is_embedded(value: Any) -> bool:
    return isinstance(value, (bool, Mapping))


def _is_site_list(value: Any) -> bool:
    return value is None or (
        isinstance(value, (list, tuple))
        and all(isinstance(v, str) and v.startswith(("http://", "https://")) for v in value)
    )


ADDRESS = Kind(
    "an address of curlewd, such as 'fcgi+unix:/run/curlew/curlew.sock'", _is_optional_text
)
FLAG = Kind("True or False", _is_bool)

KINDS: Dict[str, Kind] = {
    "URL": ADDRESS,
    "TOKEN": Kind("a bearer token, as a str without spaces and line breaks", _is_token),
    "ROUTE": FLAG,
    "BRIDGE_URL": ADDRESS,
    "HANDOFF": Kind("a location of the web server, such as '/_handoff/'", _is_location),
    "RECORD": FLAG,
    "REQUEST_ID_HEADER": Kind("the name of a header, such as 'X-Request-ID'", _is_header_name),
    "EMBEDDED": Kind("True, False, or a dict: the object of curlewd.json", _is_embedded),
    "CURLEWD": Kind("the name or the path of a program, such as '/usr/sbin/curlewd'", _is_text),
    "SITE_URLS": Kind("a list of URLs, such as ['https://www.example.org']", _is_site_list),
    "FORBID_UNSTUBBED": FLAG,
    "SHARED_JAR_WARNING": FLAG,
}


def problem_of_whole(curlew: Any) -> str:
    """What is wrong with CURLEW as a whole; "" if it is a dict."""
    if isinstance(curlew, Mapping):
        return ""
    return f"CURLEW must be a dict, such as {EXAMPLE}, not {_describe(curlew)}."


def problem_of_value(key: str, value: Any) -> str:
    """What is wrong with the value of CURLEW[key]; "" if nothing is, or if the key is unknown. The
    form of an address is not checked here."""
    kind = KINDS.get(key)
    if kind is None or kind.accepts(value):
        return ""
    secret = f"the {type(value).__name__} that is set"
    described = secret if key == "TOKEN" else _describe(value)
    return f'CURLEW["{key}"] must be {kind.expected}, not {described}.'


def similar(key: Any) -> str:
    """The key that was probably meant; "" if there is none like it."""
    close = difflib.get_close_matches(str(key).upper(), KINDS, 1)
    return close[0] if close else ""


def _describe(value: Any) -> str:
    if value is None:
        return "None"
    shown = repr(value)
    return f"the {type(value).__name__} {shown if len(shown) <= 60 else shown[:57] + '...'}"
