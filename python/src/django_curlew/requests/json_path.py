"""Response.json(path=…): JSONPath, by the package jsonpath-ng."""

from __future__ import annotations

from typing import Any


def first_match(data: Any, path: Any, default: Any) -> Any:
    """The first value that `path` selects in `data`, `default` if there is none. A path that begins
    with "." is one from the root, "$"."""
    if not isinstance(path, str):
        raise TypeError("path must be a string")
    expression = path.strip()
    if not expression:
        raise ValueError("path must not be empty")
    try:
        from jsonpath_ng.exceptions import JSONPathError
        from jsonpath_ng.ext import parse
    except ImportError as err:
        raise ImportError(
            "json(path=…) needs the package jsonpath-ng: pip install jsonpath-ng, which is part of"
            " curl_cffi[extra], too"
        ) from err
    try:
        matches = parse("$" + expression if expression[0] == "." else expression).find(data)
    except JSONPathError as err:
        raise ValueError(f"not a JSONPath: {path!r}") from err
    return matches[0].value if matches else default
