"""Origins' responses, and what the daemon makes of them: redirects, cookies, codings, HEAD."""

from __future__ import annotations

import http.client
import re
import zlib
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple, Union
from urllib.parse import urldefrag, urljoin

from .fake import FakeResult, RequestObject, fake_envelope, fake_failure
from .fake_cookies import FakeCookies

Pairs = List[List[str]]
BAD_CONTENT_ENCODING = 61  # of libcurl
REDIRECTS = (301, 302, 303, 307, 308)
MAX_REDIRECTS = 30  # the daemon's default
BODY_KEYS = ("body", "body_base64", "json", "form", "multipart")
WBITS = {"gzip": 31, "x-gzip": 31, "deflate": 47}  # of zlib; 47: with either header
SKIPPED_CODINGS = ("", "identity", "aws-chunked")
UNDONE_ALREADY = ("br", "zstd")  # not in the standard library: a test gives the decoded body
_charset = re.compile(r"""charset\s*=\s*["']?([\w.:+-]+)""", re.IGNORECASE)


class OriginResponse(NamedTuple):
    """What an origin sends. `fields` replace those of the envelope."""

    status: int
    headers: Pairs
    body: bytes
    fields: Dict[str, Any]


Respond = Callable[[RequestObject], Union[OriginResponse, FakeResult]]


def fetch(request: RequestObject, respond: Respond) -> FakeResult:
    """The result of a request to origins that answer by `respond`, which is called for each hop
    with the hop's request; it may return a FakeResult that failed."""
    hop, cookies = dict(request), FakeCookies()
    history: List[Dict[str, Any]] = []
    while True:
        response = respond(hop)
        if isinstance(response, FakeResult):
            return response
        for name, value in response.headers:
            if name.lower() == "set-cookie":
                cookies.store(value, hop["url"])
        location = _header(response, "location")
        if response.status not in REDIRECTS or not location:
            return _complete(request, hop, response, history, cookies)
        if request.get("follow_redirects") is False:
            return _complete(request, hop, response, history, cookies)
        limit = request.get("max_redirects", MAX_REDIRECTS)
        if len(history) >= limit:
            failure = fake_failure("too_many_redirects", f"more than {limit} redirects")
            (failure.problem or {})["response"] = {
                **_history_entry(hop, response),
                "history": history,
            }
            return failure
        history.append(_history_entry(hop, response))
        hop = _redirected(hop, response.status, location)


def _redirected(hop: RequestObject, status: int, location: str) -> RequestObject:
    """The request of the next hop."""
    method = _method(hop)
    to_get = (status == 303 and method != "HEAD") or (status in (301, 302) and method == "POST")
    kept = {k: v for k, v in hop.items() if k != "params" and not (to_get and k in BODY_KEYS)}
    url = urldefrag(urljoin(hop["url"], location)).url
    return {**kept, "url": url, **({"method": "GET"} if to_get else {"method": method})}


def _method(request: RequestObject) -> str:
    default = "POST" if any(key in request for key in BODY_KEYS) else "GET"
    return str(request.get("method", default))


def _history_entry(hop: RequestObject, response: OriginResponse) -> Dict[str, Any]:
    return {
        "status": response.status,
        "reason": _reason(response),
        "url": hop["url"],
        "headers": response.headers,
    }


def _reason(response: OriginResponse) -> str:
    return str(response.fields.get("reason", http.client.responses.get(response.status, "")))


def _complete(
    request: RequestObject,
    hop: RequestObject,
    response: OriginResponse,
    history: List[Dict[str, Any]],
    cookies: FakeCookies,
) -> FakeResult:
    body = response.body
    if _method(hop) == "HEAD" or response.status in (204, 304):
        body = b""
    decoded, remaining, problem = body, None, None
    if body:
        codings = _header(response, "content-encoding")
        try:
            decoded, remaining = _decode(body, codings, request.get("decompress", True))
        except zlib.error as err:
            decoded = b""
            problem = fake_failure("protocol_error", f"content-encoding {codings}: {err}").problem
            (problem or {})["curl_code"] = BAD_CONTENT_ENCODING
    charset = _charset.search(_header(response, "content-type"))
    fields: Dict[str, Any] = {
        "status": response.status,
        "reason": _reason(response),
        "url": hop["url"],
        "headers": response.headers,
        "cookies": cookies.entries(),
        "encoding": charset.group(1).lower() if charset else None,
        "body_bytes": len(decoded),
        "history": history,
        "request": {"method": _method(hop), "bytes_sent": 0},
    }
    if remaining:
        fields["content_encoding"] = remaining
    return FakeResult(fake_envelope(request, {**fields, **response.fields}), decoded, problem)


def _header(response: OriginResponse, name: str) -> str:
    """All its values, joined; "" if there is none."""
    return ", ".join(value for n, value in response.headers if n.lower() == name)


def _decode(body: bytes, codings: str, undo: bool) -> Tuple[bytes, Optional[str]]:
    """(the body with its known codings undone, the codings that remain)"""
    names = [name.strip().lower() for name in codings.split(",")]
    names = [name for name in names if name not in SKIPPED_CODINGS]
    while undo and names and (names[-1] in WBITS or names[-1] in UNDONE_ALREADY):
        name = names.pop()
        if name in WBITS:
            body = _inflate(body, WBITS[name])
    return body, ", ".join(names) or None


def _inflate(body: bytes, wbits: int) -> bytes:
    """All members; deflate is also read without its header, as many servers send it."""
    pieces = []
    while body:
        try:
            inflater = zlib.decompressobj(wbits)
            pieces.append(inflater.decompress(body))
        except zlib.error:
            if wbits == 31 or pieces:
                raise
            inflater = zlib.decompressobj(-15)
            pieces.append(inflater.decompress(body))
        if not inflater.eof:
            raise zlib.error("it is incomplete")
        body = inflater.unused_data
    return b"".join(pieces)
