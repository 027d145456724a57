"""Encoding a request's body: data, content, json, files or multipart as keys of the request object.

A small body is sent to the daemon as text, or as base64 if it is not UTF-8. A file, an iterable,
and what is large, is sent after the request object, piece by piece. Content-Type is what curl_cffi,
and libcurl below it, would send.
"""

from __future__ import annotations

import json as json_module
from io import BytesIO
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Union
from urllib.parse import urlencode

from .. import daemon
from . import form_files, multipart_stream
from .multipart_part import encode_part, text_or_base64
from .pairs import pairs_of

FORM = "application/x-www-form-urlencoded"
BYTES = "application/octet-stream"
METHODS_WITH_BODY = ("POST", "PUT", "PATCH")  # an empty body is sent as Content-Length: 0

Keys = Dict[str, Any]


class EncodedBody(NamedTuple):
    """What encode_body() returns."""

    keys: Keys  # of the request object
    content_type: Optional[str]  # used if the headers have none
    content: Optional[bytes]  # for Response.request
    source: Optional[daemon.BodySource] = None  # of a body that follows the request object
    boundary: Optional[str] = None  # of a form that follows it

    @property
    def file_length(self) -> Optional[int]:
        """The bytes of a file that was given as `content`; None: it is none, or has no length."""
        is_file = self.source is not None and self.content is None and self.boundary is None
        return self.source.length if is_file and self.source is not None else None


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
        """Add a field from `data`, or the file at `local_path`. A large file is read when it is
        sent."""
        if local_path is not None and data is not None:
            raise ValueError("addpart() takes data or local_path, not both")
        if local_path is not None:
            path = Path(local_path.decode() if isinstance(local_path, bytes) else local_path)
            if not path.exists():
                raise FileNotFoundError(f"File not found at {path}")
            data, filename = path, filename or path.name
            if content_type is None:
                content_type = multipart_stream.content_type_of_file(filename, str(path))
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
        return _encode_multipart(method, data, files, multipart)
    if json is not None:
        text = json_module.dumps(json, separators=(",", ":")).encode()
        return _encode_bytes(text, "application/json", text)
    if content is not None and not isinstance(content, (str, bytes, bytearray, memoryview)):
        source = daemon.BodySource(content, length=daemon.file_length(content))
        return EncodedBody(keys={}, content_type=None, content=None, source=source)
    raw = _bytes_of(content) if content is not None else _encode_data(data)
    if not raw:
        if method in METHODS_WITH_BODY:  # as libcurl sends an empty body
            return EncodedBody(keys={"body": ""}, content_type=FORM, content=raw)
        return EncodedBody(keys={}, content_type=None, content=raw)
    plain = isinstance(data if content is None else content, (str, bytes, bytearray))
    return _encode_bytes(raw, BYTES if plain or content is not None else FORM, raw)


def in_request_object(body: EncodedBody) -> EncodedBody:
    """The same body, read to its end and encoded as keys of the request object."""
    if body.source is None:
        return body
    raw = body.source.read()
    return body._replace(keys=text_or_base64("body", raw), source=None)


def _encode_bytes(raw: bytes, content_type: str, content: Optional[bytes]) -> EncodedBody:
    if len(raw) <= daemon.MAX_INLINE_BYTES:
        return EncodedBody(text_or_base64("body", raw), content_type, content)
    source = daemon.BodySource([raw], length=len(raw))
    return EncodedBody({}, content_type, content, source)


def _bytes_of(content: Any) -> bytes:
    return content.encode() if isinstance(content, str) else bytes(content)


def _encode_data(data: Any) -> Optional[bytes]:
    if data is None:
        return None
    if isinstance(data, (dict, list, tuple)):
        return urlencode(list(pairs_of(data))).encode()
    if isinstance(data, str):
        return data.encode()
    if isinstance(data, BytesIO):
        return data.read()
    if isinstance(data, bytes):
        return data
    raise TypeError("data must be dict/list/tuple, str, BytesIO or bytes")


def _encode_multipart(method: str, data: Any, files: Any, multipart: Any) -> EncodedBody:
    """Fields of `data`, `files` as in the `requests` package, parts of a CurlMime."""
    if multipart is not None and not isinstance(multipart, CurlMime):
        raise TypeError(
            "multipart: must be a django_curlew.CurlMime; curl_cffi's needs a curl handle"
        )
    parts = list(multipart.parts) if multipart else []
    if files:
        parts += form_files.parts_of_fields(data) + form_files.parts_of_files(files)
    else:  # libcurl's: as text, whatever they are
        parts += [encode_part(name, value) for name, value in pairs_of(data)]
    if not parts:  # all files are None
        return encode_body(method, data)
    if not multipart_stream.is_large(parts):
        return EncodedBody(keys={"multipart": parts}, content_type=None, content=None)
    form = multipart_stream.MultipartStream(parts)
    return EncodedBody(
        keys={},
        content_type=form.content_type(),
        content=None,
        source=daemon.BodySource(form, length=form.length, repeatable=form.is_repeatable),
        boundary=form.boundary,
    )
