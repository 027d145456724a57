"""A stream of the daemon's as a urllib3.HTTPResponse."""

from __future__ import annotations

import http.client
import inspect
import socket
import sys
from typing import Any, Dict, Iterator, List, Optional, Tuple

from urllib3.exceptions import IncompleteRead, ResponseNotChunked
from urllib3.response import HTTPHeaderDict, HTTPResponse

from .. import daemon as daemon_client
from . import _stream_request as stream_request

VERSIONS = {"1.0": 10, "1.1": 11, "2": 20, "3": 30}  # as in http.client
PIECE_BYTES = 2**16
HAS_VERSION_STRING = "version_string" in inspect.signature(HTTPResponse).parameters
HAS_READ1 = hasattr(HTTPResponse, "read1")  # not before urllib3 2.1

Pairs = List[Tuple[str, str]]


def from_stream(
    envelope: Dict[str, Any], stream: daemon_client.Stream, **arguments: Any
) -> "CurlewResponse":
    """`envelope`: of the stream, without a body. `arguments`: those of HTTPResponse that are about
    the request."""
    pairs = _pairs(envelope)
    version = envelope.get("http_version") or "1.1"
    if HAS_VERSION_STRING:
        arguments["version_string"] = f"HTTP/{version}"
    return CurlewResponse(
        stream,
        envelope,
        headers=_header_dict(pairs),
        status=envelope["status"],
        version=VERSIONS.get(version, 11),
        reason=envelope.get("reason", ""),
        original_response=_OriginalResponse(pairs),
        **arguments,
    )


def _pairs(envelope: Dict[str, Any]) -> Pairs:
    """The headers as http.client has them: their bytes, read as ISO-8859-1."""
    headers = stream_request.response_headers(envelope)
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]


def _header_dict(pairs: Pairs) -> Any:
    headers = HTTPHeaderDict()
    for name, value in pairs:
        headers.add(name, value)
    return headers


class CurlewResponse(HTTPResponse):
    """A urllib3 response. `curlew`: the envelope of its fetch, as in docs/api.md."""

    def __init__(
        self, stream: daemon_client.Stream, envelope: Dict[str, Any], **arguments: Any
    ) -> None:
        self.curlew = envelope
        self._file = _StreamFile(stream)
        preload_content = arguments.pop("preload_content", True)
        super().__init__(body=self._file, preload_content=False, **arguments)
        self._file.expected = self.length_remaining
        if preload_content:
            self.data  # noqa: B018  (reads and keeps it)

    def stream(
        self, amt: Optional[int] = PIECE_BYTES, decode_content: Any = None
    ) -> Iterator[bytes]:
        """Pieces of `amt` bytes. Those of a chunked response, or of one by HTTP/2 without a length,
        come as they are received, with at most `amt` bytes: server-sent events need that."""
        if self.chunked or (self.version >= VERSIONS["2"] and self.length_remaining is None):
            yield from self._received_pieces(amt, decode_content)
        else:
            yield from super().stream(amt, decode_content)

    def read_chunked(
        self, amt: Optional[int] = None, decode_content: Any = None
    ) -> Iterator[bytes]:
        if not self.chunked:
            raise ResponseNotChunked("Response is not chunked: it has no Transfer-Encoding")
        yield from self._received_pieces(amt, decode_content)

    def _received_pieces(self, amt: Optional[int], decode_content: Any) -> Iterator[bytes]:
        if not HAS_READ1 and self.headers.get("content-encoding"):
            yield from super().stream(amt, decode_content)
            return
        read = self.read1 if HAS_READ1 else self._read_file
        while True:
            piece = read(amt or PIECE_BYTES, decode_content)
            if piece:
                yield piece
            elif self._file.closed:  # else nothing has been decoded yet
                return

    def _read_file(self, amt: int, decode_content: Any) -> bytes:
        with self._error_catcher():
            return self._file.read1(amt)


class _StreamFile:
    """A stream of the daemon's as the file that a HTTPResponse reads: of http.client's, with its
    exceptions. `expected`: how many bytes there are to come in all, if that is known."""

    def __init__(self, stream: daemon_client.Stream) -> None:
        self.closed = False
        self.expected: Optional[int] = None
        self._stream = stream
        self._piece = b""
        self._at = 0  # what of _piece has been read
        self._received = 0

    def read(self, amt: Optional[int] = None) -> bytes:
        """`amt` bytes, fewer only at the end."""
        missing = sys.maxsize if amt is None or amt < 0 else amt
        pieces: List[bytes] = []
        while missing > 0:
            piece = self.read1(missing)
            if not piece:
                break
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)

    def read1(self, amt: int = -1) -> bytes:
        """What has been received, at least one byte and at most `amt`; b"" at the end."""
        if self._at == len(self._piece):
            self._receive()
        end = len(self._piece) if amt < 0 else self._at + amt
        piece = self._piece[self._at : end]
        self._at += len(piece)
        return piece

    def _receive(self) -> None:
        if self.closed:
            return
        try:
            self._piece, self._at = self._stream.read(), 0
        except daemon_client.DaemonTimeout as err:
            raise socket.timeout(str(err)) from err  # noqa: UP041 (not the same before 3.10)
        except daemon_client.DaemonError as err:
            raise self._to_error(err) from err
        self._received += len(self._piece)
        if not self._piece:
            self.close()

    def _to_error(self, err: daemon_client.DaemonError) -> Exception:
        if err.code in (None, "incomplete_body") and self.expected is not None:
            error: Exception = IncompleteRead(self._received, self.expected - self._received)
            return error
        return ConnectionError(str(err))

    def isclosed(self) -> bool:
        return self.closed

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True
        self._stream.close()


class _OriginalResponse:
    """The part of an http.client.HTTPResponse that requests reads cookies from."""

    def __init__(self, headers: Pairs) -> None:
        self.msg = http.client.HTTPMessage()
        for name, value in headers:
            self.msg[name] = value

    def isclosed(self) -> bool:
        return False

    def close(self) -> None:
        pass
