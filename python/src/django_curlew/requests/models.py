"""Request and Response.

A Response holds the daemon's envelope and computes an attribute on its first use, because most
programs read two or three of them. From then on it is a plain attribute, which may be set like any
other.
"""

from __future__ import annotations

import json
import re
from datetime import timedelta
from http.cookies import CookieError, SimpleCookie
from typing import (
    TYPE_CHECKING,
    Any,
    AsyncIterator,
    Callable,
    Dict,
    Iterator,
    List,
    Optional,
    Union,
)

from ..const import CurlHttpVersion
from ..json_codec import loads
from . import info_values, json_path, markdown
from .cookies import Cookies
from .exceptions import HTTPError
from .header_value import to_bytes
from .headers import Headers
from .line_decoder import LineDecoder
from .streaming import Slot, StreamBody
from .urls import redirect_target

if TYPE_CHECKING:
    from .prepared_request import PreparedRequest

REDIRECTS = (301, 302, 303, 307, 308)
# RFC 8259 8.1 and what its predecessors allowed: a JSON decoder detects these by itself.
JSON_CHARSETS = re.compile(r"utf[-_]?(8([-_]sig)?|(16|32)([-_]?[bl]e)?)\Z", re.IGNORECASE)

_charset = re.compile(r"""charset\s*=\s*["']?([\w-]+)["']?""", re.IGNORECASE)
_versions = {
    "1.0": CurlHttpVersion.V1_0,
    "1.1": CurlHttpVersion.V1_1,
    "2": CurlHttpVersion.V2_0,
    "3": CurlHttpVersion.V3,
}


class Request:
    """The request that was made. `body` is None unless it was bytes or text."""

    def __init__(
        self, url: str, headers: Headers, method: str, body: Optional[bytes] = None
    ) -> None:
        self.url = url
        self.headers = headers
        self.method = method
        self.body = body


class Response:
    """The response of a fetch, with curl_cffi's attributes and methods. `envelope` is the daemon's
    description of it (docs/api.md): timings, attempts, the connection.

    `request` and the attributes below it are computed on their first use.
    """

    # Here and not in __init__(), as there is a response for each fetch; load() sets them.
    content: bytes = b""
    default_encoding: Union[str, Callable[[bytes], str]] = "utf-8"
    _prepared: Any = None  # PreparedRequest, or RequestOfUrl
    _stream_body: Optional[StreamBody] = None

    request: Optional[Request]
    url: str
    status_code: int
    reason: str
    ok: bool
    headers: Headers
    cookies: Cookies
    history: List["Response"]
    elapsed: timedelta
    redirect_count: int
    redirect_url: str
    http_version: int
    primary_ip: str
    primary_port: int
    local_ip: str
    local_port: int
    download_size: int
    upload_size: int
    header_size: int
    request_size: int
    response_size: int
    infos: Dict[Any, Any]

    curl: Any = None  # curl_cffi has its handle here, and the next four for its streams
    queue: Any = None
    stream_task: Any = None
    astream_task: Any = None
    quit_now: Any = None

    def __init__(self, curl: Any = None, request: Optional[Request] = None) -> None:
        if request is not None:
            self.request = request
        self.envelope: Dict[str, Any] = {}

    def load(
        self,
        envelope: Dict[str, Any],
        prepared: PreparedRequest,
        content: bytes = b"",
        stream_body: Optional[StreamBody] = None,
    ) -> None:
        """For sessions: fill a new response from the daemon's envelope. `stream_body` is given if
        the body is still to be read, else `content` is the whole body."""
        self.envelope = envelope
        self.content = content
        self.default_encoding = prepared.default_encoding
        self._prepared = prepared
        self._stream_body = stream_body

    @staticmethod
    def loaded(
        envelope: Dict[str, Any], prepared: Any, content: bytes
    ) -> "Response":
        """A new one, after load(): in one step, as a batch makes many."""
        response = Response.__new__(Response)
        response.__dict__ = {
            "envelope": envelope,
            "content": content,
            "default_encoding": prepared.default_encoding,
            "_prepared": prepared,
            "_stream_body": None,
        }
        return response

    def hold_until_end(self, slot: Slot) -> None:
        """For sessions: release this once the stream was read, closed or dropped."""
        self._stream.hold(slot)

    def on_stream_end(self, call: Callable[[Optional[BaseException]], None]) -> None:
        """For sessions: call this once the stream was read or closed, or has failed."""
        self._stream.on_end(call)

    def detach_stream(self) -> None:
        """For sessions: the body was read by a callback, and is not available any more."""
        self._stream_body = None

    def __getattr__(self, name: str) -> Any:
        """Called for attributes that were not computed yet."""
        compute = LAZY_ATTRIBUTES.get(name)
        if compute is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        value = self.__dict__[name] = compute(self, self.__dict__.get("envelope") or {})
        return value

    def __getstate__(self) -> Dict[str, Any]:
        # One that has failed is the `response` of its exception, which workers send to each other.
        if self._stream_body is not None and not self._stream_body.has_failed:
            raise TypeError(
                "Streaming responses cannot be pickled; make the request without stream=True."
            )
        state = {**self.__dict__, "request": self.request, "infos": self.infos}
        state["_prepared"] = state["_stream_body"] = None
        return state

    def __setstate__(self, state: Dict[str, Any]) -> None:
        self.__dict__.update(state)

    def __repr__(self) -> str:
        return f"<Response [{self.status_code}]>"

    # -- text -------------------------------------------------------------------------------------

    @property
    def encoding(self) -> str:
        """The encoding of `text`: what was set, else Content-Type's charset, else
        default_encoding."""
        if "_encoding" not in self.__dict__:
            found = self.charset_encoding
            if found is None:
                default = self.default_encoding
                found = default if isinstance(default, str) else default(self.content)
            self._encoding = found or "utf-8"
        return self._encoding

    @encoding.setter
    def encoding(self, value: str) -> None:
        if "_text" in self.__dict__:
            raise ValueError("Cannot set encoding after text has been accessed")
        self._encoding = value

    @property
    def charset(self) -> str:
        """The same as encoding."""
        return self.encoding

    @property
    def charset_encoding(self) -> Optional[str]:
        """The charset of Content-Type; None if it has none."""
        found = _charset.search(self.headers.get("Content-Type") or "")
        return found[1] if found else None

    @property
    def text(self) -> str:
        """The content, decoded by `encoding`; bytes that can't be decoded become U+FFFD."""
        if "_text" not in self.__dict__:
            self._text = self._decode(self.content) if self.content else ""
        return self._text

    def _decode(self, content: bytes) -> str:
        try:
            return content.decode(self.encoding, errors="replace")
        except (UnicodeDecodeError, LookupError):
            return content.decode("utf-8-sig")

    def json(self, *, path: Optional[str] = None, default: Any = None, **kwargs: Any) -> Any:
        """The content as JSON. `path`: return the first match of this JSONPath, or `default`;
        it needs the package jsonpath-ng. `kwargs` are passed to json.loads."""
        charset = self.charset_encoding
        content: Union[str, bytes] = self.content
        if charset is not None and not JSON_CHARSETS.match(charset):
            content = self.text
        data = json.loads(content, **kwargs) if kwargs else loads(content)
        return data if path is None else json_path.first_match(data, path, default)

    def markdown(self) -> str:
        """The article of an HTML page, as Markdown. It needs the packages readability-lxml,
        lxml_html_clean and markdownify."""
        return markdown.from_html(self.content)

    # -- status -----------------------------------------------------------------------------------

    def raise_for_status(self) -> None:
        """Raise HTTPError unless the status is 200 to 399."""
        if not self.ok:
            raise HTTPError(f"HTTP Error {self.status_code}: {self.reason}", 0, self)

    @property
    def is_redirect(self) -> bool:
        """Is it a redirect that was not followed?"""
        return self.status_code in REDIRECTS and "location" in self.headers

    # -- streams ----------------------------------------------------------------------------------

    @property
    def _stream(self) -> StreamBody:
        if self._stream_body is None:
            raise AssertionError("stream mode is not enabled.")
        return self._stream_body

    def iter_content(self, chunk_size: Any = None, decode_unicode: bool = False) -> Iterator[bytes]:
        """The body of a stream in pieces, as they are received. `chunk_size` has no effect."""
        if decode_unicode:
            raise NotImplementedError("decode_unicode")
        return self._stream.iter_bytes(self)

    def iter_lines(
        self, chunk_size: Any = None, decode_unicode: bool = False, delimiter: Any = None
    ) -> Iterator[bytes]:
        """The body of a stream in lines, without their line breaks."""
        return LineDecoder(delimiter).iter_lines(self.iter_content(chunk_size, decode_unicode))

    def aiter_content(
        self, chunk_size: Any = None, decode_unicode: bool = False
    ) -> AsyncIterator[bytes]:
        """iter_content() for AsyncSession."""
        if decode_unicode:
            raise NotImplementedError("decode_unicode")
        return self._stream.aiter_bytes(self)

    def aiter_lines(
        self, chunk_size: Any = None, decode_unicode: bool = False, delimiter: Any = None
    ) -> AsyncIterator[bytes]:
        """iter_lines() for AsyncSession."""
        return LineDecoder(delimiter).aiter_lines(self.aiter_content(chunk_size, decode_unicode))

    async def acontent(self) -> bytes:
        """The rest of a stream's body."""
        return b"".join([piece async for piece in self.aiter_content()])

    async def atext(self) -> str:
        """The rest of a stream's body, decoded by `encoding`."""
        return self._decode(await self.acontent())

    def close(self) -> None:
        """Close a stream; before its end this cancels the fetch."""
        if self._stream_body is not None:
            self._stream_body.close()

    async def aclose(self) -> None:
        """The same as close()."""
        self.close()


# -- attributes that are computed on their first use ---------------------------------------------

Envelope = Dict[str, Any]
LAZY_ATTRIBUTES: Dict[str, Callable[[Response, Envelope], Any]] = {
    "request": lambda r, e: _request(r),
    "url": lambda r, e: e.get("url", ""),
    "status_code": lambda r, e: e.get("status", 200),
    "reason": lambda r, e: e.get("reason", "OK"),
    "ok": lambda r, e: 200 <= r.status_code < 400,
    "headers": lambda r, e: Headers.of_envelope(e),
    "cookies": lambda r, e: _cookies(r.headers),
    "history": lambda r, e: [_redirect(r, each) for each in e.get("history", ())],
    "elapsed": lambda r, e: timedelta(seconds=e.get("timing", {}).get("total", 0.0)),
    "redirect_count": lambda r, e: e.get("redirects", len(e.get("history", ()))),
    "redirect_url": lambda r, e: _redirect_url(r),
    "http_version": lambda r, e: int(_versions.get(e.get("http_version") or "", 0)),
    "primary_ip": lambda r, e: e.get("connection", {}).get("remote_ip", ""),
    "primary_port": lambda r, e: e.get("connection", {}).get("remote_port", 0),
    "local_ip": lambda r, e: e.get("connection", {}).get("local_ip", ""),
    "local_port": lambda r, e: e.get("connection", {}).get("local_port", 0),
    "download_size": lambda r, e: _download_size(r, e),
    "upload_size": lambda r, e: e.get("request", {}).get("bytes_sent", 0),
    "header_size": lambda r, e: _header_size(e),
    "request_size": lambda r, e: _request_size(r),
    "response_size": lambda r, e: r.download_size + r.header_size,
    "infos": lambda r, e: _infos(r),
}


def _request(response: Response) -> Optional[Request]:
    prepared = response._prepared
    return prepared.request() if prepared is not None else None


def _infos(response: Response) -> Dict[Any, Any]:
    prepared = response._prepared
    if prepared is None or not prepared.curl_infos:
        return {}
    return info_values.values(response, prepared.curl_infos)


def _cookies(headers: Headers) -> Cookies:
    """The cookies of this response's own Set-Cookie headers."""
    cookies = Cookies()
    for line in headers.get_list("set-cookie"):
        try:
            parsed: SimpleCookie = SimpleCookie(line)
        except CookieError:
            continue
        for name, morsel in parsed.items():
            cookies.set(
                name=name,
                value=morsel.coded_value,
                domain=morsel["domain"],
                path=morsel["path"],
                secure=bool(morsel["secure"]),
            )
    return cookies


def _redirect(response: Response, entry: Envelope) -> Response:
    """A response of the history, without a body. Its class is that of the last response."""
    earlier = type(response)(None)
    earlier.envelope = {"reason": "", **entry}
    earlier.default_encoding = response.default_encoding
    return earlier


def _redirect_url(response: Response) -> str:
    """The target of a redirect that was not followed."""
    if response.status_code not in REDIRECTS:
        return ""
    location = response.headers.get("location")
    return redirect_target(response.url, to_bytes(location, "utf-8")) if location else ""


def _download_size(response: Response, envelope: Envelope) -> int:
    """Content-Length, if there is one; else the bytes of the decoded body."""
    length = response.headers.get("content-length") or ""
    if length.isdigit() and "head" != getattr(response.request, "method", "").lower():
        return int(length)
    return int(envelope.get("body_bytes", len(response.content)))


def _header_size(envelope: Envelope) -> int:
    """Bytes of the status lines, headers and empty lines of the whole chain, as libcurl counts."""
    size, version = 0, envelope.get("http_version") or "1.1"
    for each in (*envelope.get("history", ()), envelope):
        if "status" in each:
            size += len(f"HTTP/{version} {each['status']} {each.get('reason', '')}\r\n\r\n")
            size += sum(len(name) + len(value) + 4 for name, value in each["headers"])
    return size


def _request_size(response: Response) -> int:
    """Approximate bytes of the request's head and body: the daemon adds headers of its own."""
    request = response.request
    if request is None:
        return 0
    head = sum(len(n) + len(v or "") + 4 for n, v in request.headers.multi_items())
    return len(request.method) + len(request.url) + 13 + head + len(request.body or b"")
