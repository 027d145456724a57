"""A request's body: from data, content, json, files and multipart to the keys of a request object.

The daemon takes text, or bytes in base64; so does a body that is a file or an iterable: it is read
to its end first. Content-Type is what curl_cffi, and libcurl below it, would send.
"""

from __future__ import annotations

import base64
import json as json_module
from io import BytesIO
from pathlib import Path
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Union
from urllib.parse import urlencode

FORM = "application/x-www-form-urlencoded"
BYTES = "application/octet-stream"
BODIED = ("POST", "PUT", "PATCH")  # these say so where they have no body

Keys = Dict[str, Any]


class Body(NamedTuple):
    keys: Keys  # of the request object
    content_type: Optional[str]  # where the headers name none
    sent: Optional[bytes]  # for Response.request


class CurlMime:
    """The parts of a multipart form: the same calls as curl_cffi's."""

    def __init__(self, curl: Any = None) -> None:
        self.parts: List[Keys] = []

    def addpart(
        self,
        name: str,
        *,
        content_type: Optional[str] = None,
        filename: Optional[str] = None,
        local_path: Union[str, bytes, Path, None] = None,
        data: Any = None,
    ) -> None:
        """A field from `data`, or a file that is read when this is called."""
        if local_path is not None and data is not None:
            raise ValueError("a part has data or local_path, not both")
        if local_path is not None:
            path = Path(local_path.decode() if isinstance(local_path, bytes) else local_path)
            if not path.exists():
                raise FileNotFoundError(f"File not found at {path}")
            data, filename = path.read_bytes(), filename or path.name
        self.parts.append(part(name, data, filename, content_type))

    @classmethod
    def from_list(cls, files: List[Keys]) -> "CurlMime":
        """Each a dict of addpart()'s arguments."""
        form = cls()
        for each in files:
            form.addpart(**each)
        return form

    def attach(self, curl: Any = None) -> None:
        """Nothing to do: the daemon has the curl handles."""

    def close(self) -> None:
        """Nothing to do."""


def part(name: str, data: Any, filename: Optional[str], content_type: Optional[str]) -> Keys:
    """One item of the request object's `multipart`."""
    if data is None:
        data = b""
    elif hasattr(data, "read"):
        data = data.read()
    elif not isinstance(data, (str, bytes, bytearray)):
        data = str(data)
    said = {"name": name, **_text_or_bytes("value", data)}
    if filename is not None:
        said["filename"] = filename
    if content_type is not None:
        said["content_type"] = content_type
    return said


def build(
    method: str, data: Any, content: Any, json: Any, files: Any, multipart: Any
) -> Body:
    """No keys where there is no body."""
    if files or multipart:
        return _multipart(data, files, multipart)
    if json is not None:
        text = json_module.dumps(json, separators=(",", ":")).encode()
        return Body({"body": text.decode()}, "application/json", text)
    raw = _content(content) if content is not None else _data(data)
    if not raw:  # libcurl's own way of saying that there is nothing
        return Body({"body": ""}, FORM, raw) if method in BODIED else Body({}, None, raw)
    plain = isinstance(data if content is None else content, (str, bytes, bytearray))
    kind = BYTES if plain or content is not None else FORM
    sent = raw if plain or content is None else None  # curl_cffi would have streamed it
    return Body(_text_or_bytes("body", raw), kind, sent)


def _data(data: Any) -> Optional[bytes]:
    if data is None:
        return None
    if isinstance(data, (dict, list, tuple)):
        return urlencode(data).encode()
    if isinstance(data, str):
        return data.encode()
    if isinstance(data, BytesIO):
        return data.read()
    if isinstance(data, bytes):
        return data
    raise TypeError("data must be dict/list/tuple, str, BytesIO or bytes")


def _content(content: Any) -> bytes:
    if isinstance(content, str):
        return content.encode()
    if isinstance(content, (bytes, bytearray, memoryview)):
        return bytes(content)
    if hasattr(content, "read"):
        read = content.read()
        return read.encode() if isinstance(read, str) else bytes(read)
    if hasattr(content, "__aiter__"):
        raise TypeError("an async iterable is content for AsyncSession alone")
    return b"".join(_pieces(content))


def _pieces(content: Iterable[Any]) -> Iterable[bytes]:
    for each in content:
        if not isinstance(each, (bytes, bytearray, memoryview)):
            raise TypeError(f"content: an iterable of bytes, not of {type(each).__name__}")
        yield bytes(each)


def _multipart(data: Any, files: Any, multipart: Any) -> Body:
    """Fields from `data`, files as in `requests`, parts of a CurlMime."""
    if multipart is not None and not isinstance(multipart, CurlMime):
        raise TypeError("multipart: django_curlew's CurlMime; curl_cffi's own needs its curl")
    fields = data.items() if isinstance(data, dict) else data or ()
    parts = list(multipart.parts) if multipart else []
    parts += [part(name, value, None, None) for name, value in fields]
    for name, file in files.items() if isinstance(files, dict) else files or ():
        parts.append(_file(name, file))
    return Body({"multipart": parts}, None, None)


def _file(name: str, file: Any) -> Keys:
    """A file object or bytes, or (filename, those[, content type])."""
    if isinstance(file, (tuple, list)):
        filename, data, *kind = file
        return part(name, data, filename, kind[0] if kind else None)
    given = getattr(file, "name", None)
    filename = Path(given).name if isinstance(given, str) else name
    return part(name, file, filename, None)


def _text_or_bytes(key: str, value: Any) -> Keys:
    raw = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else bytes(value)
    if b"\0" not in raw:  # which the daemon's JSON does not take in text
        try:
            return {key: raw.decode("utf-8")}
        except UnicodeDecodeError:
            pass
    return {key + "_base64": base64.b64encode(raw).decode()}
