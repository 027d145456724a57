"""Parsing one response, without I/O: what the FastCGI and the HTTP/1.1 parser have in common.

Bytes go in by feed(), in pieces of any size; status, headers and body come out. Because nothing
here does I/O, one parser serves threads, gevent and every event loop.
"""

from __future__ import annotations

import re
from typing import List, Optional, Tuple

from .errors import IncompleteResponse, NoResponse, ProtocolError

Headers = List[Tuple[bytes, bytes]]

find_head_end = re.compile(rb"\n\r?\n").search

MAX_HEAD_BYTES = 1 << 20  # curlewd passes on at most 256 KiB of an origin's head


class ResponseParser:
    """The parent of the parsers. `status` is 0 until the whole head was received.

    What a parser begins with stands in its class: there is one for each request, and most of it
    never changes.
    """

    is_by_http = False  # from a web server, and not by FastCGI
    status = 0
    head = b""  # the header lines, without the status line and the empty line
    request_sent = False  # the kernel has taken the whole request, or an upload's head
    is_cut = False  # the rest of an upload was not sent: the connection is of no more use
    started = False  # the first byte of the response was received
    finished = False  # the whole response was received
    reusable = False  # … and the connection may carry another request
    declined = False  # the server has not processed the request, by the protocol's word
    buffered_bytes = 0  # of the body: received, and not taken yet
    _pieces: Optional[List[bytes]] = None
    _partial_head = b""
    _headers: Optional[Headers] = None

    @property
    def headers(self) -> Headers:
        """(name, value) pairs, in order and in their own case. Raises ProtocolError if a line of
        the head is not a header."""
        if self._headers is None:
            self._headers = parse_header_lines(self.head.split(b"\n")) if self.head else []
        return self._headers

    def feed(self, data: bytes) -> None:
        """Parse the next bytes of the connection, at least one. Raises ProtocolError if they are
        not valid."""
        raise NotImplementedError

    def feed_eof(self) -> None:
        """The connection has ended. Raises NoResponse or IncompleteResponse, unless the protocol
        allows a response to end like this."""
        if not self.started:
            raise NoResponse("curlewd closed the connection without a response")
        raise IncompleteResponse("the connection to curlewd ended in the middle of the response")

    def cut_request(self) -> None:
        """The rest of the request will not be sent."""
        self.is_cut, self.reusable = True, False

    def append_body(self, piece: bytes) -> None:
        """Add to the body that take_body() returns."""
        if piece:
            if self._pieces is None:
                self._pieces = [piece]
            else:
                self._pieces.append(piece)
            self.buffered_bytes += len(piece)

    def take_body(self) -> bytes:
        """The part of the body that was received since the last call."""
        pieces, self._pieces, self.buffered_bytes = self._pieces, None, 0
        if not pieces:
            return b""
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def peek_body(self) -> bytes:
        """What take_body() would return; it stays."""
        return b"".join(self._pieces or ())

    def header(self, name: str) -> Optional[str]:
        """The value of the first header of that name, in any case; None if there is none."""
        wanted = name.lower().encode("latin-1")
        for each, value in self.headers:
            if each.lower() == wanted:
                return value.decode("latin-1")
        return None

    def _split_head(self, data: bytes) -> Optional[Tuple[bytes, bytes]]:
        """(head, rest) once the head is whole. Its lines end in CRLF, or in LF alone."""
        held = len(self._partial_head)
        if held:
            data = self._partial_head + data
        end = find_head_end(data, max(0, held - 2))
        size = len(data) if end is None else end.start()
        if end is not None and data[size - 1 : size] == b"\r":
            size -= 1
        if size > MAX_HEAD_BYTES:
            raise ProtocolError(f"the head of the response has more than {MAX_HEAD_BYTES} bytes")
        if end is None:
            self._partial_head = data
            return None
        self._partial_head = b""
        return data[:size], data[end.end() :]


def has_head(parser: ResponseParser) -> bool:
    return parser.status != 0


def has_body_data(parser: ResponseParser) -> bool:
    """Is there a piece of the body to take, or is the end reached?"""
    return parser.buffered_bytes > 0 or parser.finished


def parse_header_lines(lines: List[bytes]) -> Headers:
    """Header lines as pairs. A folded line (obsolete, RFC 9112 5.2) continues the one before."""
    pairs: Headers = []
    for line in lines:
        if line[:1] in (b" ", b"\t") and pairs:
            pairs[-1] = (pairs[-1][0], (pairs[-1][1] + b" " + line.strip()).strip())
            continue
        name, colon, value = line.rstrip(b"\r").partition(b":")
        if not colon or not name or name != name.strip():
            raise ProtocolError(f"not a header line: {line[:80]!r}")
        pairs.append((name, value.strip(b" \t")))
    return pairs
