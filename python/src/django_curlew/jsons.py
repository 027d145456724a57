"""JSON by orjson where it is installed, else by the standard library; bytes on the wire in both.

What orjson does not take (integers beyond 64 bits, keys that are no text, subclasses) the standard
library gets a second time, so that both write the same.
"""

from __future__ import annotations

import json
from typing import Any, Callable

_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _plain_dumps(value: Any) -> bytes:
    return _compact(value).encode("utf-8", "surrogatepass")


try:
    import orjson
except ImportError:
    loads: Callable[[Any], Any] = json.loads
    dumps: Callable[[Any], bytes] = _plain_dumps
else:
    _fast = orjson.dumps
    _fast_errors = (TypeError, orjson.JSONEncodeError)

    def _dumps(value: Any) -> bytes:
        try:
            return _fast(value)
        except _fast_errors:
            return _plain_dumps(value)

    loads, dumps = orjson.loads, _dumps
