"""Upload: a request's body that is sent piece by piece, so that it is never in memory as a whole.

    upload = Upload(file, request_object={"url": …, "method": "PUT"}, length=1 << 30)
    daemon.exchange("POST", "/v1/fetch", headers=…, body=upload)

The source is a file (anything with read(size)), an iterable of bytes, or for aexchange() and
aopen() also an async iterable. It is read only as fast as curlewd takes the pieces (back-pressure),
in pieces of at most PIECE_BYTES if it is a file. A file is read by blocking calls, in coroutines,
too, as httpx does: these take microseconds on a disk.

- An exception of the source aborts the connection, so that the origin never sees a request that is
  short and looks whole. It reaches the caller unchanged, and is `error`.
- curlewd may respond before it has received everything. Then no more is read from the source, and
  the connection is not used again (stops_upload).
- With a length, the source must have exactly so many bytes, else UploadError is raised. Of a file
  only so many are read.
- The time that the source takes does not count as time that curlewd takes (source_seconds).
- A request is sent again (resend.py) only if the source can be read again: a file that can seek, an
  iterable that is not an iterator; and an iterator of which nothing was read.
"""

from __future__ import annotations

import json
import time
from typing import (
    Any,
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Dict,
    Iterator,
    NamedTuple,
    Optional,
)

from .body_source import PIECE_BYTES, BodySource, to_view
from .errors import UploadError
from .response_parser import ResponseParser

MAX_INLINE_BYTES = 256 << 10  # of a body in memory that is sent within the request object
MAX_RETRIED_BYTES = 8 << 20  # the same if the request may be retried: curlewd must have it whole
MAX_EARLY_BYTES = 8 << 20  # of a response, received while the upload is sent


class BodyFraming(NamedTuple):
    """How a protocol sends a body whose pieces come one by one."""

    frame: Callable[[Any], Any]  # the bytes to send for a piece, which is not empty
    end: bytes  # to send after the last piece


class Upload:
    """A body to be sent piece by piece; the module's documentation says how.

    source: a file, an iterable of bytes, an async iterable of bytes, or a BodySource.
    request_object: the keys of a fetch (docs/api.md), which the source is the body of. They are
        sent before it, with `body_follows`; the Content-Type of the request to curlewd is then
        application/vnd.curlew.frames.
    head: bytes to send before the source; not with `request_object`.
    length: how many bytes the source has; None: unknown, or the BodySource's.
    """

    def __init__(
        self,
        source: Any,
        *,
        request_object: Optional[Dict[str, Any]] = None,
        head: bytes = b"",
        length: Optional[int] = None,
        dumps: Callable[[Any], bytes] = lambda value: json.dumps(value).encode(),
    ) -> None:
        self._source = source if isinstance(source, BodySource) else BodySource(source, length)
        self.length = self._source.length
        self.request_object = request_object
        if request_object is not None:
            follows = True if self.length is None else self.length
            head = dumps({**request_object, "body_follows": follows}) + b"\n"
        self.head = head
        self.error: Optional[BaseException] = None  # that the source has raised
        self._waited = 0.0
        self._waiting_since: Optional[float] = None

    @property
    def content_length(self) -> Optional[int]:
        """Of the whole body, with its head; None: unknown."""
        return None if self.length is None else len(self.head) + self.length

    @property
    def can_restart(self) -> bool:
        """May the body be sent from its beginning (again)?"""
        return not self._source.is_used or self._source.is_repeatable

    def restart(self) -> None:
        """Go back to the beginning. Raises UploadError unless can_restart."""
        self._source.rewind()

    @property
    def source_seconds(self) -> float:
        """How long the source has been waited for."""
        since = self._waiting_since
        return self._waited + (0.0 if since is None else time.monotonic() - since)

    def pieces(self) -> Iterator[memoryview]:
        """The source's bytes, in pieces of at most PIECE_BYTES, none of them empty."""
        self.restart()
        check, iterator = LengthCheck(self.length), self._source.iterate()
        while (piece := self._next_piece(iterator)) is not None:
            yield from check.pass_on(piece)
        yield from check.end()

    async def apieces(self) -> AsyncGenerator[memoryview, None]:
        """pieces() for a coroutine."""
        if not self._source.is_async:
            for sync_piece in self.pieces():
                yield sync_piece
            return
        self.restart()
        check, iterator = LengthCheck(self.length), self._source.aiterate()
        while (piece := await self._anext_piece(iterator)) is not None:
            for each in check.pass_on(piece):
                yield each
        for each in check.end():
            yield each

    def _next_piece(self, iterator: Iterator[Any]) -> Optional[memoryview]:
        self._waiting_since = time.monotonic()
        try:
            return to_view(next(iterator))
        except StopIteration:
            return None
        except BaseException as err:
            self.error = err
            raise
        finally:
            self._waited, self._waiting_since = self.source_seconds, None

    async def _anext_piece(self, iterator: AsyncIterator[Any]) -> Optional[memoryview]:
        self._waiting_since = time.monotonic()
        try:
            return to_view(await iterator.__anext__())
        except StopAsyncIteration:
            return None
        except BaseException as err:
            self.error = err
            raise
        finally:
            self._waited, self._waiting_since = self.source_seconds, None


class LengthCheck:
    """Passes pieces on, and checks that they are as many bytes as announced. The last one waits
    until the source has ended: else a body that is too long would look whole to the origin."""

    def __init__(self, length: Optional[int]) -> None:
        self._length = length
        self._left = length
        self._held = memoryview(b"")

    def pass_on(self, piece: memoryview) -> Iterator[memoryview]:
        if self._left is None:
            return cut(piece)
        self._left -= len(piece)
        if self._left < 0:
            raise UploadError(f"the body has more than the {self._length} bytes announced")
        if self._left:
            return cut(piece)
        self._held = self._held or piece
        return cut(memoryview(b""))

    def end(self) -> Iterator[memoryview]:
        if self._left:
            raise UploadError(
                f"the body has {self._left} bytes fewer than the {self._length} announced"
            )
        return cut(self._held)


def cut(piece: memoryview) -> Iterator[memoryview]:
    for at in range(0, len(piece), PIECE_BYTES):
        yield piece[at : at + PIECE_BYTES]


def is_inline(size: int, request_object: Dict[str, Any]) -> bool:
    """Is a body in memory sent within the request object? curlewd retries uploads of no more than
    MAX_INLINE_BYTES."""
    retries = request_object.get("retries") or 0
    count = retries.get("max", 1) if isinstance(retries, dict) else retries
    return size <= (MAX_RETRIED_BYTES if count else MAX_INLINE_BYTES)


def stops_upload(parser: ResponseParser) -> bool:
    """Does the response say that the rest of the body is not wanted? An origin that responds with
    less than 300 may still read its request, so the rest is sent first, as other clients do."""
    return (
        parser.finished
        or parser.declined
        or parser.status >= 300
        or parser.buffered_bytes > MAX_EARLY_BYTES
    )
