"""Origins' responses, and what the daemon makes of them: redirects, retries, cookies, codings,
HEAD."""

from __future__ import annotations

import fnmatch
import http.client
import re
import zlib
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple, Union
from urllib.parse import urldefrag, urlsplit

from ..requests.urls import redirect_target
from .fake import FakeResult, RequestObject, fake_envelope, fake_failure
from .fake_cookies import FakeCookies
from .fake_retries import Retries

Pairs = List[List[str]]
BAD_CONTENT_ENCODING, PARTIAL_FILE, FILESIZE_EXCEEDED = 61, 18, 63  # of libcurl
REDIRECTS = (301, 302, 303, 307, 308)
MAX_REDIRECTS = 30  # the daemon's default
BODY_KEYS = ("body", "body_base64", "json", "form", "multipart")
WBITS = {"gzip": 31, "x-gzip": 31, "deflate": 47}  # of zlib; 47: with either header
GZIP_MAGIC = b"\x1f\x8b"
# As in src/http/content_encoding.c: they change no byte. Most are charsets, put there by mistake.
SKIPPED_CODINGS = (
    " identity none aws-chunked utf-* utf8* ucs-2 us-ascii ascii latin* iso-8859-* iso8859*"
    " windows-* cp125* koi8-* euc-* gb2312 gbk gb18030 big5* shift_jis shift-jis x-sjis sjis"
    " iso-2022-* tis-620"
).split(" ")  # the first one is an empty element
UNDONE_ALREADY = ("br", "zstd")  # not in the standard library: a test gives the decoded body
_charset = re.compile(r"""charset\s*=\s*["']?([\w.:+-]+)""", re.IGNORECASE)


class OriginResponse(NamedTuple):
    """What an origin sends. `fields` replace those of the envelope."""

    status: int
    headers: Pairs
    body: bytes
    fields: Dict[str, Any]


class IncompleteCoding(Exception):
    """The body ends before its coding does. Its argument is what could be decoded."""


Respond = Callable[[RequestObject], Union[OriginResponse, FakeResult]]


def fetch(request: RequestObject, respond: Respond) -> FakeResult:
    """The result of a request to origins that answer by `respond`, which is called for each attempt
    of each hop with the hop's request; it may return a FakeResult that failed."""
    hop, cookies, retries = dict(request), FakeCookies(), Retries(request)
    history: List[Dict[str, Any]] = []
    while True:
        response = respond(hop)
        if isinstance(response, FakeResult):
            result = response
        else:
            _store_cookies(cookies, response, hop["url"])
            if _is_followed(request, response):
                target = _next_hop(request, hop, response, history)
                if isinstance(target, FakeResult):
                    return retries.counted(target)
                history.append(_history_entry(hop, response))
                hop = target
                continue
            result = _complete(request, hop, response, history, cookies, retries.attempts)
        if not retries.try_again(_method(hop), result):
            return retries.counted(result)


def _store_cookies(cookies: FakeCookies, response: OriginResponse, url: str) -> None:
    for name, value in response.headers:
        if name.lower() == "set-cookie":
            cookies.store(value, url)


def _is_followed(request: RequestObject, response: OriginResponse) -> bool:
    is_redirect = response.status in REDIRECTS and bool(_header(response, "location"))
    return is_redirect and request.get("follow_redirects") is not False


def _next_hop(
    request: RequestObject,
    hop: RequestObject,
    response: OriginResponse,
    history: List[Dict[str, Any]],
) -> Union[RequestObject, FakeResult]:
    """The request that follows a redirect; or the failure, if it is refused."""
    limit = request.get("max_redirects", MAX_REDIRECTS)
    if len(history) >= limit:
        detail = f"more than {limit} redirects"
        return _refused_redirect("too_many_redirects", detail, hop, response, history)
    try:
        next_hop = _redirected(hop, response.status, _header(response, "location"))
        target = urlsplit(next_hop["url"])
        _ = target.port  # ValueError if it is none
    except ValueError as err:
        return _refused_redirect("protocol_error", str(err), hop, response, history)
    if target.scheme not in ("http", "https"):
        return _refused_redirect("blocked", "not an http(s) URL", hop, response, history)
    return next_hop


def _refused_redirect(
    code: str,
    detail: str,
    hop: RequestObject,
    response: OriginResponse,
    history: List[Dict[str, Any]],
) -> FakeResult:
    """A failure with the last response, and those before it."""
    failure = fake_failure(code, detail)
    entry = {**_history_entry(hop, response), "history": history}
    (failure.problem or {})["response"] = entry
    return failure


def _redirected(hop: RequestObject, status: int, location: str) -> RequestObject:
    """The request of the next hop."""
    method = _method(hop)
    to_get = (status == 303 and method != "HEAD") or (status in (301, 302) and method == "POST")
    kept = {k: v for k, v in hop.items() if k != "params" and not (to_get and k in BODY_KEYS)}
    url = urldefrag(redirect_target(hop["url"], location.encode())).url
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
    attempts: int,
) -> FakeResult:
    body = response.body
    if _method(hop) == "HEAD" or response.status in (204, 304):
        body = b""
    decoded, remaining, problem = _decoded(request, response, body)
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
        "attempts": attempts,
    }
    if remaining:
        fields["content_encoding"] = remaining
    return FakeResult(fake_envelope(request, {**fields, **response.fields}), decoded, problem)


def _decoded(
    request: RequestObject, response: OriginResponse, body: bytes
) -> Tuple[bytes, Optional[str], Optional[Dict[str, Any]]]:
    """(the body with its known codings undone, the codings that remain, what is wrong with it)"""
    if not body:
        return b"", None, None
    codings, limit = _header(response, "content-encoding"), request.get("max_body_bytes")
    is_cut = False
    try:
        decoded, remaining = _decode(body, codings, request.get("decompress", True))
    except zlib.error as err:
        detail = f"content-encoding {codings}: {err}"
        return b"", None, _body_problem("protocol_error", detail, BAD_CONTENT_ENCODING)
    except IncompleteCoding as err:
        decoded, remaining, is_cut = err.args[0], None, True
    if limit is not None and len(decoded) > limit:
        detail = f"the body is over {limit} bytes"
        return b"", None, _body_problem("response_too_large", detail, FILESIZE_EXCEEDED)
    if is_cut:
        detail = f"content-encoding {codings}: the body ends before its coding does"
        return b"", None, _body_problem("incomplete_body", detail, PARTIAL_FILE)
    return decoded, remaining, None


def _body_problem(code: str, detail: str, curl_code: int) -> Dict[str, Any]:
    return {**(fake_failure(code, detail).problem or {}), "curl_code": curl_code}


def _header(response: OriginResponse, name: str) -> str:
    """All its values, joined; "" if there is none."""
    return ", ".join(value for n, value in response.headers if n.lower() == name)


def _decode(body: bytes, codings: str, undo: bool) -> Tuple[bytes, Optional[str]]:
    """(the body with its known codings undone, the codings that remain)"""
    names = [name.strip().lower() for name in codings.split(",")]
    names = [name for name in names if not _is_skipped(name)]
    while undo and names and (names[-1] in WBITS or names[-1] in UNDONE_ALREADY):
        name = names.pop()
        if name in WBITS:
            body = _inflate(body, WBITS[name])
    return body, ", ".join(names) or None


def _is_skipped(coding: str) -> bool:
    return any(fnmatch.fnmatchcase(coding, each) for each in SKIPPED_CODINGS)


def _inflate(body: bytes, wbits: int) -> bytes:
    """All members of gzip; deflate is also read without its header, as many servers send it. What
    follows the end is ignored."""
    pieces = []
    while body:
        try:
            inflater = zlib.decompressobj(wbits)
            pieces.append(inflater.decompress(body))
        except zlib.error:
            if wbits == WBITS["gzip"]:
                raise
            inflater = zlib.decompressobj(-15)
            pieces.append(inflater.decompress(body))
        if not inflater.eof:
            raise IncompleteCoding(b"".join(pieces))
        body = inflater.unused_data.lstrip(b"\0")
        if wbits != WBITS["gzip"] or not body.startswith(GZIP_MAGIC):
            break
    return b"".join(pieces)
