"""The body of a streamed response, and the envelope that a stream's headers make."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, AsyncIterator, Dict, Iterator, List, Optional, Tuple

from .. import daemon
from . import problem

CURLEW_PREFIX = b"curlew-"  # of the daemon's own headers, beside the origin's
WEB_SERVER_HEADER = b"x-accel-buffering"  # the daemon's, too: it never passes on an origin's

REASONS: Dict[int, str] = {status.value: status.phrase for status in HTTPStatus}


class StreamBody:
    """The pieces of a daemon's stream. Its errors are raised as curl_cffi's exceptions.

    `idle_timeout`: seconds without a byte before Timeout is raised; None: no limit. The daemon's
    own is shorter.
    """

    def __init__(self, stream: Any, idle_timeout: Optional[float]) -> None:
        self._stream = stream
        self._idle_timeout = idle_timeout
        self.response: Any = None  # for exceptions

    def iter_bytes(self) -> Iterator[bytes]:
        if not hasattr(self._stream, "__iter__"):
            raise TypeError("a response of AsyncSession: use aiter_content()")
        while True:
            try:
                piece = self._stream.read(self._idle_timeout)
            except daemon.DaemonError as err:
                raise problem.from_daemon_error(err, self.response, streaming=True) from None
            if not piece:
                return
            yield piece

    async def aiter_bytes(self) -> AsyncIterator[bytes]:
        if not hasattr(self._stream, "__aiter__"):
            raise TypeError("a response of Session: use iter_content()")
        while True:
            try:
                piece = await self._stream.read(self._idle_timeout)
            except daemon.DaemonError as err:
                raise problem.from_daemon_error(err, self.response, streaming=True) from None
            if not piece:
                return
            yield piece

    def close(self) -> None:
        """Close the stream; before its end this cancels the fetch."""
        self._stream.close()


def is_from_origin(stream: Any) -> bool:
    """Is this the origin's response, or an error of the daemon's or of a web server's?"""
    return stream.header("curlew-url") is not None


def envelope_of(stream: Any) -> Dict[str, Any]:
    """The stream's status and headers as an envelope."""
    headers: List[Tuple[str, str]] = []
    curlew: Dict[str, str] = {}
    for raw_name, raw_value in stream.headers:
        name, value = _decode(raw_name), _decode(raw_value)
        if raw_name[:7].lower() == CURLEW_PREFIX:
            curlew[name[7:].lower()] = value
        elif raw_name.lower() != WEB_SERVER_HEADER:
            headers.append((name, value))
    if "content-length" in curlew:  # of a response without a body
        headers = [(n, v) for n, v in headers if n.lower() != "content-length"]
        headers.append(("Content-Length", curlew["content-length"]))
    remote = curlew.get("connection", "").rpartition("; ")[2]
    ip, _, port = remote.rpartition(":")
    return {
        "status": stream.status,
        "reason": REASONS.get(stream.status, ""),
        "url": curlew.get("url", ""),
        "http_version": curlew.get("http-version"),
        "headers": headers,
        "redirects": int(curlew.get("redirects", 0)),
        "timing": {"total": float(curlew.get("first-byte", 0.0))},
        "connection": {"remote_ip": ip.strip("[]"), "remote_port": int(port or 0)},
        "session": curlew.get("session", "default"),
    }


def _decode(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
