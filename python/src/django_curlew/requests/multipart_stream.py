"""A multipart form that is sent piece by piece: files are read as they are sent.

Forms with little content are the daemon's to write (the request object's `multipart`). One with
large files, or with files of unknown size, is written here, in the same format: libcurl's.
"""

from __future__ import annotations

import base64
import io
import re
import secrets
from os import PathLike, path
from typing import Any, Dict, Iterator, List, Optional, Tuple, Union

from .. import daemon
from .exceptions import BadRequest

Part = Dict[str, Any]  # an item of the request object's `multipart`, or one with SOURCE

SOURCE = "source"  # in place of `value`: the PartSource of a part that is sent piece by piece
LARGE_BYTES = daemon.MAX_INLINE_BYTES  # a part, or a form, of more is sent piece by piece
PIECE_BYTES = 64 << 10  # read from a file at once

# What libcurl makes of a file name's end (lib/mime.c).
CONTENT_TYPES = {
    ".gif": "image/gif",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".htm": "text/html",
    ".html": "text/html",
    ".pdf": "application/pdf",
    ".xml": "application/xml",
}


class PartSource:
    """The content of a part: bytes, a file from where it stands, or the path of a file."""

    def __init__(self, data: Any) -> None:
        self._data = data
        self._position = daemon.file_position(data)
        self.length = _length_of(data)

    @property
    def is_repeatable(self) -> bool:
        """Can it be read again?"""
        return not hasattr(self._data, "read") or self._position is not None

    def pieces(self) -> Iterator[Any]:
        """Its bytes, from the beginning."""
        if isinstance(self._data, PathLike):
            with open(self._data, "rb") as file:
                yield from _read_file(file, self.length)
        elif hasattr(self._data, "read"):
            if self._position is not None:
                self._data.seek(self._position)
            yield from _read_file(self._data, self.length)
        else:
            yield self._data


def large_source(data: Any) -> Optional[PartSource]:
    """The source of a part that is to be sent piece by piece; None of a small one, and of text."""
    if isinstance(data, (bytes, bytearray)):
        return PartSource(data) if len(data) > LARGE_BYTES else None
    if isinstance(data, io.TextIOBase) or not (hasattr(data, "read") or isinstance(data, PathLike)):
        return None
    source = PartSource(data)
    return source if source.length is None or source.length > LARGE_BYTES else None


class MultipartStream:
    """The body of a form: an iterable of bytes. `length` is None if a file's is unknown."""

    def __init__(self, parts: List[Part], boundary: Optional[str] = None) -> None:
        self.boundary = boundary or "-" * 24 + secrets.token_hex(11)
        self._parts = [(_head(self.boundary, part), _content(part)) for part in parts]
        self._end = f"--{self.boundary}--\r\n".encode()
        self.length: Optional[int] = len(self._end)
        for head, content in self._parts:
            size = content.length if isinstance(content, PartSource) else len(content)
            if self.length is not None:
                self.length = None if size is None else self.length + len(head) + size + 2

    @property
    def is_repeatable(self) -> bool:
        """Can all of its files be read again?"""
        contents = (content for _, content in self._parts)
        return all(c.is_repeatable for c in contents if isinstance(c, PartSource))

    def content_type(self) -> str:
        return f"multipart/form-data; boundary={self.boundary}"

    def __iter__(self) -> Iterator[Any]:
        for head, content in self._parts:
            if isinstance(content, PartSource):
                yield head
                yield from content.pieces()
                yield b"\r\n"
            else:
                yield head + content + b"\r\n"
        yield self._end


def is_large(parts: List[Part]) -> bool:
    """Is the form one to be sent piece by piece?"""
    size = 0
    for part in parts:
        size += len(part.get("value") or part.get("value_base64") or "")
    return size > LARGE_BYTES * 4 // 3 or any(SOURCE in part for part in parts)


def content_type_of_file(*names: str) -> str:
    """The Content-Type that libcurl gives a file: by the first of these names that has one."""
    found = (CONTENT_TYPES.get(path.splitext(name)[1].lower()) for name in names)
    return next((each for each in found if each), "application/octet-stream")


def _content(part: Part) -> Union[bytes, PartSource]:
    source: Optional[PartSource] = part.get(SOURCE)
    if source is not None:
        return source
    return _from_json(part, "value")


def _from_json(keys: Dict[str, Any], key: str) -> bytes:
    if key + "_base64" in keys:
        return base64.b64decode(keys[key + "_base64"])
    return str(keys.get(key, "")).encode()


def _head(boundary: str, part: Part) -> bytes:
    """The delimiter and the headers of a part, as libcurl writes them. Raises BadRequest for what
    the daemon refuses, too."""
    for key in ("name", "filename", "content_type"):
        if re.search("[\r\n\0]", part.get(key) or ""):
            raise BadRequest(f"multipart: {key} must not contain CR, LF or NUL")
    filename = part.get("filename")
    line = f'Content-Disposition: form-data; name="{_escape(part["name"])}"'
    line += "" if filename is None else f'; filename="{_escape(filename)}"'
    lines = [f"--{boundary}", line]
    content_type = part.get("content_type")
    if not content_type:
        content_type = CONTENT_TYPES.get(path.splitext(filename or "")[1].lower())
    if content_type:
        lines.append(f"Content-Type: {content_type}")
    encoded = [line.encode("utf-8", "surrogateescape") for line in lines]
    encoded += [name.encode() + b": " + value for name, value in _own_headers(part)]
    return b"\r\n".join(encoded) + b"\r\n\r\n"


def _own_headers(part: Part) -> List[Tuple[str, bytes]]:
    found = []
    for name, value in part.get("headers") or ():
        raw = base64.b64decode(value["base64"]) if isinstance(value, dict) else value.encode()
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) or re.search(b"[\r\n\0]", raw):
            raise BadRequest(f"multipart: a part has an invalid header {name[:80]!r}")
        if name.lower() in ("content-disposition", "content-type"):
            raise BadRequest(f"multipart: {name} follows from the part's other keys")
        found.append((name, raw))
    return found


def _escape(text: str) -> str:
    """As browsers do in a form (WHATWG HTML 4.10.21.8)."""
    return text.replace('"', "%22")


def _length_of(data: Any) -> Optional[int]:
    if isinstance(data, PathLike):
        return path.getsize(data) if path.isfile(data) else None
    return daemon.file_length(data) if hasattr(data, "read") else len(data)


def _read_file(file: Any, length: Optional[int]) -> Iterator[bytes]:
    """A file's bytes, and no more than it had when its length was found out."""
    while length is None or length > 0:
        piece = file.read(PIECE_BYTES if length is None else min(length, PIECE_BYTES))
        if not piece:
            return
        yield piece
        length = None if length is None else length - len(piece)
