"""One part of a multipart form, as an item of the request object's `multipart`."""

from __future__ import annotations

import base64
from os import PathLike
from pathlib import Path
from typing import Any, Dict, Optional

from . import multipart_stream
from .header_value import to_json
from .headers import Headers

Keys = Dict[str, Any]


def encode_part(
    name: str,
    data: Any,
    filename: Optional[str] = None,
    content_type: Optional[str] = None,
    headers: Any = None,
) -> Keys:
    """The item for a field or a file. `data` may be a file object, or a path: if it is small, it is
    read now; else the item has multipart_stream.SOURCE in place of a value."""
    source = multipart_stream.large_source(data)
    if isinstance(data, PathLike) and source is None:
        data = Path(data).read_bytes()
    if data is None:
        data = b""
    elif source is None and hasattr(data, "read"):
        data = data.read()
    elif source is None and not isinstance(data, (str, bytes, bytearray)):
        data = str(data)
    value = text_or_base64("value", data) if source is None else {multipart_stream.SOURCE: source}
    part = {"name": name, **value}
    if filename is not None:
        part["filename"] = filename
    if content_type is not None:
        part["content_type"] = content_type
    if headers:
        pairs = Headers(headers).multi_items()
        part["headers"] = [[name, to_json(value)] for name, value in pairs if value is not None]
    return part


def text_or_base64(key: str, value: Any) -> Keys:
    """`value` under `key`, or under `key`_base64 if it is not UTF-8."""
    raw = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else bytes(value)
    if b"\0" not in raw:  # the daemon's JSON parser rejects NUL in text
        try:
            return {key: raw.decode("utf-8")}
        except UnicodeDecodeError:
            pass
    return {key + "_base64": base64.b64encode(raw).decode()}
