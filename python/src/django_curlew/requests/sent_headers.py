"""The caller's headers as the request object's."""

from __future__ import annotations

from typing import Any, List

from .header_value import to_json
from .headers import Headers
from .request_body import EncodedBody

# Of the message, not of the caller: the daemon and its libcurl write them as the body and the
# connection need them. Wrong ones would corrupt the next request on a shared connection.
OF_THE_MESSAGE = frozenset(("content-length", "transfer-encoding", "expect"))


def to_pairs(headers: Headers) -> List[List[Any]]:
    """The pairs of `headers` for a request object. Those that are not the caller's to choose are
    left out, also pseudo headers (":authority"), which programs copy from a browser."""
    return [
        [name, to_json(value)]
        for name, value in headers.multi_items()
        if name[:1] != ":" and name.lower() not in OF_THE_MESSAGE
    ]


def add_content_type(pairs: List[List[Any]], body: EncodedBody) -> None:
    """Add the body's Content-Type if the caller has none; to the caller's, as libcurl does, only
    the boundary of a form. Without either, none is sent for a body that follows."""
    own = [pair for pair in pairs if pair[0].lower() == "content-type"]
    if not own:
        if body.content_type or body.source is not None:
            pairs.append(["Content-Type", body.content_type])
    elif body.boundary is not None and isinstance(own[0][1], str):
        own[0][1] += f"; boundary={body.boundary}"
