"""JSON by orjson if it is installed, else by the standard library. Both write bytes.

What orjson rejects (integers beyond 64 bits, keys that are not text, subclasses) is encoded by the
standard library, so that both accept the same.
"""

from __future__ import annotations

import json
from typing import Any, Callable

_encode_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _stdlib_dumps(value: Any) -> bytes:
    return _encode_compact(value).encode("utf-8", "surrogatepass")


try:
    import orjson
except ImportError:
    loads: Callable[[Any], Any] = json.loads
    dumps: Callable[[Any], bytes] = _stdlib_dumps
else:
    _orjson_dumps = orjson.dumps
    _orjson_errors = (TypeError, orjson.JSONEncodeError)

    def _dumps(value: Any) -> bytes:
        try:
            return _orjson_dumps(value)
        except _orjson_errors:
            return _stdlib_dumps(value)

    loads, dumps = orjson.loads, _dumps
