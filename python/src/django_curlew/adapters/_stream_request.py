"""A request to …/v1/stream and its response, as both adapters use them."""

from __future__ import annotations

import base64
import json
from typing import Any, Dict, Iterable, List, Optional, Tuple, Union

from .. import ca_bundle, daemon
from ..daemon import foreign_response

ROUTE = "/v1/stream"
JSON = (("Content-Type", "application/json"),)
MAX_TIMEOUT = 86400  # seconds: the daemon's largest
MIN_TIMEOUT = 0.001  # seconds: the daemon rejects 0

CURLEW_PREFIX = b"curlew-"  # of the daemon's own headers, beside the origin's

# The daemon makes these itself: from the URL, the body and the connection.
MESSAGE_HEADERS = {
    "connection",
    "content-length",
    "keep-alive",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
    "trailer",
    "expect",
}
DEFAULT_HEADERS = ("user-agent", "accept", "content-type")  # added by the daemon, if not disabled


class FetchError(Exception):
    """The fetch failed before its head. `code` is one of docs/api.md, or "unreachable" if there was
    no response of the daemon's. `attempts`: how often its request went out. `curl_code`: libcurl's,
    if it reported the failure."""

    def __init__(self, code: str, detail: str, attempts: int = 0, curl_code: int = 0) -> None:
        super().__init__(detail)
        self.code = code
        self.attempts = attempts
        self.curl_code = curl_code


Body = Union[None, bytes, daemon.BodySource]


def encode_request(
    method: str,
    url: str,
    headers: Iterable[Tuple[str, Any]],
    body: Body,
    timeout: Dict[str, Optional[float]],
    request_keys: Dict[str, Any],
) -> Any:
    """The request object as bytes, or as an Upload with its body. A header's value is text, or an
    object as in docs/api.md. `timeout`: `connect` and `idle` in seconds, None: no limit.
    `request_keys`: further keys; None leaves one out."""
    pairs: List[List[Any]] = [
        [n, v] for n, v in headers if n.lower() not in MESSAGE_HEADERS
    ]
    present = {str(name).lower() for name, _ in pairs}
    pairs += [[name, None] for name in DEFAULT_HEADERS if name not in present]
    document: Dict[str, Any] = {
        "url": url,
        "method": method,
        "headers": pairs,
        "timeout": _encode_timeout(timeout),
        "follow_redirects": False,
        **{name: value for name, value in request_keys.items() if value is not None},
    }
    if isinstance(body, daemon.BodySource):  # there may be no second attempt
        return daemon.Upload(body, request_object=ca_bundle.in_full(document))
    if body is not None and not daemon.is_inline(len(body), document):
        return daemon.Upload([body], request_object=document, length=len(body))
    if body is not None:
        document["body_base64"] = base64.b64encode(body).decode()
    return json.dumps(document).encode()


def content_length(headers: Iterable[Tuple[str, Any]]) -> Optional[int]:
    """The length of the body that the headers announce."""
    for name, value in headers:
        if name.lower() == "content-length" and _is_length(str(value)):
            return int(value)
    return None


def _is_length(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 20


def _encode_timeout(timeout: Dict[str, Optional[float]]) -> Dict[str, float]:
    limits = {name: max(MIN_TIMEOUT, value) for name, value in timeout.items() if value is not None}
    limits.setdefault("connect", MAX_TIMEOUT)
    limits.setdefault("total", MAX_TIMEOUT)
    return {name: min(value, MAX_TIMEOUT) for name, value in limits.items()}


def split_headers(stream: Any) -> Tuple[List[Tuple[bytes, bytes]], Dict[str, str]]:
    """(the origin's headers, the daemon's facts about the fetch: the `Curlew-*` headers, in lower
    case and without the prefix). A response to HEAD and a 304 have their Content-Length back.

    Without facts the response is not the origin's, and its body is for error_from_response().
    """
    headers = []
    facts: Dict[str, str] = {}
    for name, value in stream.headers:
        lower = name.lower()
        if lower.startswith(CURLEW_PREFIX):
            facts[lower[len(CURLEW_PREFIX) :].decode()] = value.decode("latin-1")
        elif lower != b"x-accel-buffering":
            headers.append((name, value))
    length = facts.pop("content-length", None)
    if length is not None:  # of a response without a body: web servers must not see it
        headers = [(n, v) for n, v in headers if n.lower() != b"content-length"]
        headers.append((b"Content-Length", length.encode()))
    return headers, facts


def response_headers(envelope: Dict[str, Any]) -> List[Tuple[bytes, bytes]]:
    """The origin's headers as it sent them: an envelope's `headers`, with the bytes of values that
    are not UTF-8."""
    raw = [
        (name.encode("latin-1", "replace"), value.encode()) for name, value in envelope["headers"]
    ]
    for index, value in envelope.get("headers_base64", ()):
        raw[index] = (raw[index][0], base64.b64decode(value))
    return raw


def error_from_response(failed: daemon.FetchFailed) -> FetchError:
    """The error for a response of the daemon's, or of a web server's before it."""
    try:
        problem = json.loads(failed.body)
        return FetchError(
            problem["code"],
            f"{problem['code']}: {problem['detail']}",
            attempts=problem.get("attempts", 0),
            curl_code=problem.get("curl_code", 0),
        )
    except (ValueError, LookupError, TypeError):
        return FetchError("unreachable", foreign_response.explanation_of(failed))


def error_from_daemon(err: Exception) -> FetchError:
    """The error for a DaemonError, or a FetchFailed, of Daemon.open_fetch()."""
    if isinstance(err, daemon.FetchFailed):
        return error_from_response(err)
    code = getattr(err, "code", None)
    if not code:
        code = "timeout" if isinstance(err, daemon.DaemonTimeout) else "unreachable"
    return FetchError(code, str(err))
