"""The body of a streamed response, and what a stream's head says."""

from __future__ import annotations

from typing import Any, AsyncIterator, Dict, Iterator, List, Optional, Tuple

from .. import daemon
from . import problem

OURS = b"curlew-"  # headers of the daemon's own, beside the origin's
FOR_THE_WEB_SERVER = b"x-accel-buffering"  # likewise: an origin's own never gets here


class Body:
    """Pieces of a daemon's stream; breaks of it are exceptions as curl_cffi has them."""

    def __init__(self, stream: Any, silence: Optional[float]) -> None:
        self._stream = stream
        self._silence = silence  # seconds without a byte that we wait; the daemon's own is less
        self.response: Any = None

    def pieces(self) -> Iterator[bytes]:
        if not hasattr(self._stream, "__iter__"):
            raise TypeError("a response of AsyncSession: use aiter_content()")
        while True:
            try:
                piece = self._stream.read(self._silence)
            except daemon.DaemonError as why:
                raise problem.of_daemon(why, self.response, streaming=True) from None
            if not piece:
                return
            yield piece

    async def apieces(self) -> AsyncIterator[bytes]:
        if not hasattr(self._stream, "__aiter__"):
            raise TypeError("a response of Session: use iter_content()")
        while True:
            try:
                piece = await self._stream.read(self._silence)
            except daemon.DaemonError as why:
                raise problem.of_daemon(why, self.response, streaming=True) from None
            if not piece:
                return
            yield piece

    def close(self) -> None:
        self._stream.close()


def is_origins(stream: Any) -> bool:
    """Is it the origin's answer, or the daemon's word about why there is none?"""
    return stream.header("curlew-url") is not None


def envelope(stream: Any) -> Dict[str, Any]:
    """What a stream's head says, in an envelope's terms."""
    origins: List[Tuple[str, str]] = []
    ours: Dict[str, str] = {}
    for raw_name, raw_value in stream.headers:
        name, value = _text(raw_name), _text(raw_value)
        if raw_name[:7].lower() == OURS:
            ours[name[7:].lower()] = value
        elif raw_name.lower() != FOR_THE_WEB_SERVER:
            origins.append((name, value))
    where = ours.get("connection", "").rpartition("; ")[2]
    ip, _, port = where.rpartition(":")
    return {
        "status": stream.status,
        "reason": REASONS.get(stream.status, ""),
        "url": ours.get("url", ""),
        "http_version": ours.get("http-version"),
        "headers": origins,
        "redirects": int(ours.get("redirects", 0)),
        "timing": {"total": float(ours.get("first-byte", 0.0))},
        "connection": {"remote_ip": ip.strip("[]"), "remote_port": int(port or 0)},
        "session": ours.get("session", "default"),
    }


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _reasons() -> Dict[int, str]:
    from http import HTTPStatus

    return {status.value: status.phrase for status in HTTPStatus}


REASONS = _reasons()
