"""A request's body as a fake daemon has it: an Upload is read, and is then the request object's."""

from __future__ import annotations

import base64
import json
from typing import Any, Dict, Union

from ..daemon import Upload

Body = Union[bytes, Upload]


def read_body(body: Body) -> bytes:
    """The body as bytes."""
    return join(body, b"".join(body.pieces())) if isinstance(body, Upload) else body


async def aread_body(body: Body) -> bytes:
    """read_body() for a coroutine."""
    if not isinstance(body, Upload):
        return body
    return join(body, b"".join([piece async for piece in body.apieces()]))


def join(upload: Upload, content: bytes) -> bytes:
    """The request object with `content` as its body; or both, if the caller has encoded it."""
    if upload.request_object is None:
        return upload.head + content
    return json.dumps({**upload.request_object, **_body_keys(content)}).encode()


def _body_keys(content: bytes) -> Dict[str, Any]:
    try:
        return {"body": content.decode("utf-8")}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(content).decode()}
