"""Values of headers that are not UTF-8: as text in Python, as base64 in the daemon's JSON."""

from __future__ import annotations

import base64
from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple, Union

JsonValue = Union[str, Dict[str, str], None]
Pair = Tuple[str, Optional[str]]


class RawText(str):
    """Bytes that are not UTF-8, as ISO-8859-1 text; `raw` is the bytes."""

    raw: bytes

    @classmethod
    def of(cls, raw: bytes) -> "RawText":
        text = cls(raw.decode("latin-1"))
        text.raw = raw
        return text


def from_bytes(raw: bytes) -> str:
    """The text of a value."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return RawText.of(raw)


def from_text(text: str) -> str:
    """The value that the caller's text means. Surrogates are bytes, as of os.fsdecode()."""
    if text.isascii() or not any("\udc80" <= each <= "\udcff" for each in text):
        return text
    return from_bytes(text.encode("utf-8", "surrogateescape"))


def to_bytes(text: str, encoding: str) -> bytes:
    """The value as it is sent, or was received."""
    return text.raw if isinstance(text, RawText) else text.encode(encoding)


def to_json(value: Optional[str]) -> JsonValue:
    """The value in a request object (docs/api.md, headers)."""
    if isinstance(value, RawText):
        return {"base64": base64.b64encode(value.raw).decode()}
    return value


def from_envelope(pairs: Sequence[Any], in_base64: Iterable[Any]) -> List[Pair]:
    """The pairs of an envelope's `headers` and `headers_base64`."""
    headers: List[Pair] = [(name, value) for name, value in pairs]
    for index, encoded in in_base64:
        headers[index] = (headers[index][0], RawText.of(base64.b64decode(encoded)))
    return headers
