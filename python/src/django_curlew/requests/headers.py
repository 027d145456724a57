"""Headers: a case-insensitive mapping that keeps order, case and repetition.

Names and values are text. Bytes are accepted, too, and decoded by `encoding`; without one as UTF-8,
or as ISO-8859-1 if they are not UTF-8, which is what the daemon does with an origin's headers. Then
`raw` still has the bytes as they are, and so they are sent.
"""

from __future__ import annotations

from collections.abc import Mapping as AbstractMapping
from collections.abc import MutableMapping
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple, Union

from . import header_value

Text = Union[str, bytes]
HeaderTypes = Union[
    "Headers",
    Mapping[str, Optional[str]],
    Mapping[bytes, Optional[bytes]],
    Sequence[Tuple[str, Optional[str]]],
    Sequence[Tuple[bytes, Optional[bytes]]],
    Sequence[Text],
]
Item = Tuple[str, str, Optional[str]]  # name, name in lower case, value

SECRET_HEADERS = ("authorization", "proxy-authorization")  # repr() hides their values


def _text(value: Any, encoding: Optional[str]) -> str:
    if isinstance(value, str):
        return header_value.from_text(value)
    if isinstance(value, (list, tuple, dict, set)):
        raise TypeError(f"a header has one text as its value, not a {type(value).__name__}")
    if not isinstance(value, (bytes, bytearray)):
        return str(value)
    return value.decode(encoding) if encoding else header_value.from_bytes(bytes(value))


def _pairs(headers: Any) -> Iterable[Tuple[Any, Any]]:
    """The pairs of headers given as a mapping, as pairs, or as "Name: value" lines."""
    if isinstance(headers, AbstractMapping):
        return headers.items()
    pairs = []
    for each in headers:
        if isinstance(each, (str, bytes)):
            name, colon, value = _text(each, None).partition(":")
            if not colon:
                raise ValueError(f"not a header line: {each!r}")
            each = (name, value.strip())
        pairs.append((each[0], each[1]))
    return pairs


class Headers(MutableMapping):  # type: ignore[type-arg]
    """Case-insensitive headers. Repeated ones are one value, joined by commas; get_list() has each
    by itself."""

    def __init__(
        self, headers: Optional[HeaderTypes] = None, encoding: Optional[str] = None
    ) -> None:
        self._encoding = encoding
        self._items: List[Item]
        if isinstance(headers, Headers):
            self._items = list(headers._items)
            self._encoding = encoding or headers._encoding
        elif not headers:
            self._items = []
        else:
            self._items = [self._item(name, value) for name, value in _pairs(headers)]

    @classmethod
    def of_envelope(cls, envelope: Dict[str, Any]) -> "Headers":
        """The headers of an envelope, or of an entry of its history."""
        headers, pairs = cls(), envelope.get("headers", ())
        if "headers_base64" in envelope:
            pairs = header_value.from_envelope(pairs, envelope["headers_base64"])
        headers._items = [(name, name.lower(), value) for name, value in pairs]
        return headers

    def _item(self, name: Any, value: Any) -> Item:
        name = _text(name, self._encoding)
        return name, name.lower(), None if value is None else _text(value, self._encoding)

    @property
    def encoding(self) -> str:
        """The encoding of `raw`: what was set, else "ascii" if that is enough, else "utf-8", or
        "iso-8859-1" if there are bytes that are not UTF-8."""
        if self._encoding:
            return self._encoding
        if any(isinstance(v, header_value.RawText) for _, _, v in self._items):
            return "iso-8859-1"
        ascii_only = all(n.isascii() and (v is None or v.isascii()) for n, _, v in self._items)
        return "ascii" if ascii_only else "utf-8"

    @encoding.setter
    def encoding(self, value: str) -> None:
        self._encoding = value

    @property
    def version(self) -> Any:
        """Another object after each change."""
        return self._items

    @property
    def raw(self) -> List[Tuple[bytes, Optional[bytes]]]:
        """(name, value) pairs of bytes, as they are sent, or were received."""
        e = self._encoding or "utf-8"
        return [
            (name.encode(e), None if value is None else header_value.to_bytes(value, e))
            for name, _, value in self._items
        ]

    def multi_items(self) -> List[Tuple[str, Optional[str]]]:
        """All (name, value) pairs, in order, repeated ones too, names in their own case."""
        return [(name, value) for name, _, value in self._items]

    def _merged(self) -> Dict[str, Optional[str]]:
        merged: Dict[str, Optional[str]] = {}
        for _, key, value in self._items:
            if key in merged and value is not None:
                before = merged[key]
                merged[key] = value if before is None else f"{before}, {value}"
            else:
                merged[key] = value
        return merged

    def keys(self) -> Any:
        """The names in lower case, each once."""
        return self._merged().keys()

    def values(self) -> Any:
        return self._merged().values()

    def items(self) -> Any:
        """Pairs of a name in lower case and all its values, joined by commas."""
        return self._merged().items()

    def get(self, key: str, default: Any = None) -> Any:
        """All values of that name, joined by commas."""
        found = self._found(key)
        if not found:
            return default
        return found[0] if len(found) == 1 else ", ".join([v or "" for v in found])

    def get_list(self, key: str, split_commas: bool = False) -> List[Optional[str]]:
        """Each value of that name; with split_commas, those within one header, too."""
        found = self._found(key)
        if not split_commas:
            return found
        return [part.strip() for value in found for part in (value or "").split(",")]

    def update(self, headers: Optional[HeaderTypes] = None) -> None:  # type: ignore[override]
        """Replace all values of each name in `headers`, whose encoding counts if it has one."""
        new = Headers(headers)
        self._encoding = new._encoding or self._encoding
        names = {key for _, key, _ in new._items}
        self._items = [item for item in self._items if item[1] not in names] + new._items

    def copy(self) -> "Headers":
        return Headers(self)

    def _found(self, key: Any) -> List[Optional[str]]:
        wanted = _text(key, self._encoding).lower()
        return [value for _, each, value in self._items if each == wanted]

    def __getitem__(self, key: str) -> Optional[str]:
        if key not in self:
            raise KeyError(key)
        return self.get(key)  # type: ignore[no-any-return]

    def __setitem__(self, key: str, value: Optional[str]) -> None:
        """Replace all values of that name by one, at the position of the first."""
        item, items = self._item(key, value), []
        at = None
        for each in self._items:
            if each[1] != item[1]:
                items.append(each)
            elif at is None:
                at = len(items)
                items.append(item)
        if at is None:
            items.append(item)
        self._items = items

    def __delitem__(self, key: str) -> None:
        if key not in self:
            raise KeyError(key)
        wanted = _text(key, self._encoding).lower()
        self._items = [item for item in self._items if item[1] != wanted]

    def __contains__(self, key: Any) -> bool:
        wanted = _text(key, self._encoding).lower()
        return any(each == wanted for _, each, _ in self._items)

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self._items)

    def __eq__(self, other: Any) -> bool:
        try:
            items = Headers(other)._items
        except (ValueError, TypeError):
            return False

        def comparable(items: List[Item]) -> List[Tuple[str, str]]:
            return sorted((key, "" if value is None else ":" + value) for _, key, value in items)

        return comparable(self._items) == comparable(items)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        pairs = [(n, "[secure]" if k in SECRET_HEADERS else v) for n, k, v in self._items]
        as_dict = dict(pairs)
        shown = repr(as_dict if len(as_dict) == len(pairs) else pairs)
        more = "" if self.encoding == "ascii" else f", encoding={self.encoding!r}"
        return f"{type(self).__name__}({shown}{more})"
