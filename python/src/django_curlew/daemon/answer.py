"""An answer as it comes in: what both codecs, FastCGI and HTTP/1.1, have in common.

Bytes go in by feed(), in pieces of any size; status, headers and body come out. Nothing here does
I/O, so that one codec serves threads, gevent and every event loop.
"""

from __future__ import annotations

from typing import List, Optional, Tuple

from .errors import IncompleteResponse, ProtocolError, NoResponse

Headers = List[Tuple[bytes, bytes]]

LONGEST_HEAD = 1 << 20  # bytes; curlewd passes on at most 256 KiB of an origin's head


class Answer:
    """status is 0 until the head is whole."""

    __slots__ = (
        *("status", "head", "asked", "started", "finished", "reusable", "held"),
        *("_pieces", "_head", "_headers"),
    )

    def __init__(self) -> None:
        self.status = 0
        self.head = b""  # once it is whole; without its status line and the empty line
        self.asked = False  # the whole request was handed to the kernel
        self.started = False  # a byte of the answer has come
        self.finished = False  # all of it has come
        self.reusable = False  # … and the connection may carry another request
        self.held = 0  # bytes of body that nobody has taken yet
        self._pieces: List[bytes] = []
        self._head = b""  # as far as it has come
        self._headers: Optional[Headers] = None

    @property
    def headers(self) -> Headers:
        """In order and in their case; ProtocolError where the head has a line that is none."""
        if self._headers is None:
            self._headers = fields(self.head.split(b"\n")) if self.head else []
        return self._headers

    @headers.setter
    def headers(self, pairs: Headers) -> None:
        """For answers that come from elsewhere: a test's."""
        self._headers = pairs
        self.head = b"\r\n".join([name + b": " + value for name, value in pairs])

    def feed(self, data: bytes) -> None:
        """The next bytes of the connection, one at least; ProtocolError where they can't be."""
        raise NotImplementedError

    def ended(self) -> None:
        """The connection has ended. Whether that is an answer is the codec's to say."""
        if not self.started:
            raise NoResponse("curlewd closed the connection without an answer")
        raise IncompleteResponse("the connection to curlewd ended within the answer")

    def take(self) -> bytes:
        """What has come of the body since the last call."""
        pieces, self._pieces, self.held = self._pieces, [], 0
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def header(self, name: str) -> Optional[str]:
        """The first header of that name."""
        wanted = name.lower().encode("latin-1")
        for each, value in self.headers:
            if each.lower() == wanted:
                return value.decode("latin-1")
        return None

    def _keep(self, piece: bytes) -> None:
        if piece:
            self._pieces.append(piece)
            self.held += len(piece)

    def _find_head(self, data: bytes) -> Optional[Tuple[bytes, bytes]]:
        """(the head, what follows it) once it is whole; its lines end in CRLF, or in LF alone."""
        held = len(self._head)
        if held:
            data = self._head + data
        start = max(0, held - 3)
        crlf, lf = data.find(b"\r\n\r\n", start), data.find(b"\n\n", start)
        at, width = (lf, 2) if crlf < 0 or 0 <= lf < crlf else (crlf, 4)
        if max(at, 0) > LONGEST_HEAD or (at < 0 and len(data) > LONGEST_HEAD):
            raise ProtocolError(f"the head of an answer has more than {LONGEST_HEAD} bytes")
        if at < 0:
            self._head = data
            return None
        self._head = b""
        return data[:at], data[at + width :]


def until_head(answer: Answer) -> bool:
    return answer.status != 0


def until_piece(answer: Answer) -> bool:
    return answer.held > 0 or answer.finished


def fields(lines: List[bytes]) -> Headers:
    """Header lines as pairs; a folded one, obsolete as it is, joins the one before."""
    pairs: Headers = []
    for line in lines:
        if line[:1] in (b" ", b"\t") and pairs:
            pairs[-1] = (pairs[-1][0], pairs[-1][1] + b" " + line.strip())
            continue
        name, colon, value = line.rstrip(b"\r").partition(b":")
        if not colon or not name or name != name.strip():
            raise ProtocolError(f"not a header: {line[:80]!r}")
        pairs.append((name, value.strip(b" \t")))
    return pairs
