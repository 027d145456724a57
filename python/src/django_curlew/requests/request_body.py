"""Encoding a request's body: data, content, json, files or multipart as keys of the request object.

A body is sent to the daemon as text, or as base64 if it is not UTF-8. A file or an iterable is read
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
METHODS_WITH_BODY = ("POST", "PUT", "PATCH")  # an empty body is sent as Content-Length: 0

Keys = Dict[str, Any]


class EncodedBody(NamedTuple):
    """What encode_body() returns."""

    keys: Keys  # of the request object
    content_type: Optional[str]  # used if the headers have none
    content: Optional[bytes]  # for Response.request


class CurlMime:
    """The parts of a multipart form, with curl_cffi's methods."""

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
        """Add a field from `data`, or the file at `local_path`, which is read now."""
        if local_path is not None and data is not None:
            raise ValueError("addpart() takes data or local_path, not both")
        if local_path is not None:
            path = Path(local_path.decode() if isinstance(local_path, bytes) else local_path)
            if not path.exists():
                raise FileNotFoundError(f"File not found at {path}")
            data, filename = path.read_bytes(), filename or path.name
        self.parts.append(encode_part(name, data, filename, content_type))

    @classmethod
    def from_list(cls, files: List[Keys]) -> "CurlMime":
        """A form of these parts: each is a dict of addpart()'s arguments."""
        form = cls()
        for each in files:
            form.addpart(**each)
        return form

    def attach(self, curl: Any = None) -> None:
        """Does nothing: the daemon has the curl handles."""

    def close(self) -> None:
        """Does nothing: there is nothing to close."""


def encode_part(
    name: str, data: Any, filename: Optional[str] = None, content_type: Optional[str] = None
) -> Keys:
    """One item of the request object's `multipart`. `data` may be a file object."""
    if data is None:
        data = b""
    elif hasattr(data, "read"):
        data = data.read()
    elif not isinstance(data, (str, bytes, bytearray)):
        data = str(data)
    part = {"name": name, **_text_or_base64("value", data)}
    if filename is not None:
        part["filename"] = filename
    if content_type is not None:
        part["content_type"] = content_type
    return part


def encode_body(
    method: str,
    data: Any = None,
    content: Any = None,
    json: Any = None,
    files: Any = None,
    multipart: Any = None,
) -> EncodedBody:
    """The arguments are those of Session.request(). Without a body there are no keys."""
    if files or multipart:
        return _encode_multipart(data, files, multipart)
    if json is not None:
        text = json_module.dumps(json, separators=(",", ":")).encode()
        keys = {"body": text.decode()}
        return EncodedBody(keys=keys, content_type="application/json", content=text)
    raw = _read_content(content) if content is not None else _encode_data(data)
    if not raw:
        if method in METHODS_WITH_BODY:  # as libcurl sends an empty body
            return EncodedBody(keys={"body": ""}, content_type=FORM, content=raw)
        return EncodedBody(keys={}, content_type=None, content=raw)
    plain = isinstance(data if content is None else content, (str, bytes, bytearray))
    return EncodedBody(
        keys=_text_or_base64("body", raw),
        content_type=BYTES if plain or content is not None else FORM,
        content=raw if plain or content is None else None,  # None: curl_cffi would stream it
    )


def _encode_data(data: Any) -> Optional[bytes]:
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


def _read_content(content: Any) -> bytes:
    if isinstance(content, str):
        return content.encode()
    if isinstance(content, (bytes, bytearray, memoryview)):
        return bytes(content)
    if hasattr(content, "read"):
        read = content.read()
        return read.encode() if isinstance(read, str) else bytes(read)
    if hasattr(content, "__aiter__"):
        raise TypeError("content: only AsyncSession takes an async iterable")
    return b"".join(_pieces(content))


def _pieces(content: Iterable[Any]) -> Iterable[bytes]:
    for each in content:
        if not isinstance(each, (bytes, bytearray, memoryview)):
            raise TypeError(f"content: must be an iterable of bytes, not of {type(each).__name__}")
        yield bytes(each)


def _encode_multipart(data: Any, files: Any, multipart: Any) -> EncodedBody:
    """Fields of `data`, `files` as in the `requests` package, parts of a CurlMime."""
    if multipart is not None and not isinstance(multipart, CurlMime):
        raise TypeError(
            "multipart: must be a django_curlew.CurlMime; curl_cffi's needs a curl handle"
        )
    fields = data.items() if isinstance(data, dict) else data or ()
    parts = list(multipart.parts) if multipart else []
    parts += [encode_part(name, value) for name, value in fields]
    for name, file in files.items() if isinstance(files, dict) else files or ():
        parts.append(_encode_file(name, file))
    return EncodedBody(keys={"multipart": parts}, content_type=None, content=None)


def _encode_file(name: str, file: Any) -> Keys:
    """`file` is a file object or bytes, or (filename, one of these[, content type])."""
    if isinstance(file, (tuple, list)):
        filename, data, *rest = file
        return encode_part(name, data, filename, rest[0] if rest else None)
    path = getattr(file, "name", None)
    return encode_part(name, file, Path(path).name if isinstance(path, str) else name)


def _text_or_base64(key: str, value: Any) -> Keys:
    raw = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else bytes(value)
    if b"\0" not in raw:  # the daemon's JSON parser rejects NUL in text
        try:
            return {key: raw.decode("utf-8")}
        except UnicodeDecodeError:
            pass
    return {key + "_base64": base64.b64encode(raw).decode()}
