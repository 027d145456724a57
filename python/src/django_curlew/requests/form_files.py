"""`files=` and the `data` beside it as parts of a multipart form, as the `requests` package does
it."""

from __future__ import annotations

from os import PathLike, fsdecode
from pathlib import Path
from typing import Any, Dict, Iterable, List, Optional, Tuple

from .headers import Headers
from .multipart_part import encode_part
from .pairs import is_text, pairs_of

Part = Dict[str, Any]


def parts_of_fields(data: Any) -> List[Part]:
    """Parts of the fields. A list as a value is a part for each item; None is none."""
    return [
        encode_part(name, each if isinstance(each, bytes) else str(each))
        for name, value in _pairs(data)
        for each in _values(value)
        if each is not None
    ]


def parts_of_files(files: Any) -> List[Part]:
    """Parts of the files. Each is bytes, text, a file object or a path, or (filename, one of
    these[, content type[, headers of the part]]); None in place of a file leaves the part out."""
    found = (_part(name, file) for name, file in _pairs(files))
    return [part for part in found if part is not None]


def _part(name: str, file: Any) -> Optional[Part]:
    content_type = headers = None
    if isinstance(file, (tuple, list)):
        filename, file, *rest = file
        content_type, headers, *_ = [*rest, None, None]
    else:
        filename = _filename(file) or name
    if file is None:
        return None
    return encode_part(
        _text(name), _content(file), _text(filename), content_type or None, _own_headers(headers)
    )


def _text(name: Any) -> Any:
    return name.decode() if isinstance(name, bytes) else name


def _content(file: Any) -> Any:
    """Raises TypeError for what is neither text, bytes, a number, a file nor a path."""
    if isinstance(file, (str, bytes, bytearray, int, PathLike)) or hasattr(file, "read"):
        return file
    return bytes(memoryview(file))


def _own_headers(headers: Any) -> Headers:
    """Without those that the other items say, which win in `requests`, too."""
    own = Headers(headers)
    for name in ("Content-Disposition", "Content-Type"):
        own.pop(name, None)
    return own


def _filename(file: Any) -> Optional[str]:
    """The name of a file object's file, or of a path; None for the likes of "<stdin>"."""
    path = file if isinstance(file, PathLike) else getattr(file, "name", None)
    path = fsdecode(path) if isinstance(path, bytes) else path
    if not isinstance(path, (str, PathLike)) or not str(path) or str(path)[0] == "<":
        return None
    return Path(path).name


def _pairs(given: Any) -> Iterable[Tuple[str, Any]]:
    if isinstance(given, (str, bytes)):
        raise ValueError("data must not be text or bytes beside files")
    return pairs_of(given)


def _values(value: Any) -> Iterable[Any]:
    is_one = is_text(value) or isinstance(value, bytes) or not hasattr(value, "__iter__")
    return [value] if is_one else value
