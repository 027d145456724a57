"""BodySource: where the bytes of a request's body come from, if it is sent piece by piece."""

from __future__ import annotations

import io
from typing import Any, AsyncIterator, Iterator, Optional

from .errors import UploadError

PIECE_BYTES = 65528  # a FastCGI record of 64 KiB, with its head of 8 bytes


class BodySource:
    """A file from where it stands (anything with read(size)), an iterable of bytes, or for
    coroutines an async iterable of bytes.

    length: how many bytes it has; None: unknown.
    repeatable: whether it may be read again; None: found out. A file that can seek may, and an
        iterable that is not an iterator.
    """

    def __init__(
        self, source: Any, length: Optional[int] = None, repeatable: Optional[bool] = None
    ) -> None:
        self.source = source
        self.length = length
        self.is_used = False  # something may have been read
        self._position = None if repeatable is False else file_position(source)
        self._repeatable = repeatable

    @property
    def is_async(self) -> bool:
        """Can only a coroutine read it?"""
        return hasattr(self.source, "__aiter__")

    @property
    def is_repeatable(self) -> bool:
        """May it be read again?"""
        if self._repeatable is not None:
            return self._repeatable
        if hasattr(self.source, "read"):
            return self._position is not None
        return not hasattr(self.source, "__next__") and not hasattr(self.source, "__anext__")

    def rewind(self) -> None:
        """Go back to the beginning, if it was used. Raises UploadError if it is not repeatable."""
        if not self.is_used:
            return
        if not self.is_repeatable:
            raise UploadError("the body can't be sent again: its source can be read only once")
        if self._position is not None:
            self.source.seek(self._position)
        self.is_used = False

    def iterate(self) -> Iterator[Any]:
        """Its pieces, as they come. Raises TypeError for an async iterable."""
        if self.is_async:
            raise TypeError("only a coroutine, as of AsyncSession, can send an async iterable")
        self.is_used = True
        return self._read_file() if hasattr(self.source, "read") else iter(self.source)

    def aiterate(self) -> AsyncIterator[Any]:
        """The pieces of an async iterable."""
        self.is_used = True
        iterator: AsyncIterator[Any] = self.source.__aiter__()
        return iterator

    def read(self) -> bytes:
        """All of it."""
        self.rewind()
        return b"".join([to_view(piece) for piece in self.iterate()])

    def _read_file(self) -> Iterator[Any]:
        """A file's pieces; what was appended to it since its length was found out is left."""
        left = self.length
        while left is None or left > 0:
            piece = self.source.read(PIECE_BYTES if left is None else min(left, PIECE_BYTES))
            if not piece:
                return
            piece = piece.encode() if isinstance(piece, str) else piece
            yield piece
            left = None if left is None else left - len(piece)


def to_view(piece: Any) -> memoryview:
    """A piece of a source, as bytes."""
    if isinstance(piece, (bytes, bytearray, memoryview)):
        return memoryview(piece).cast("B")
    raise TypeError(f"the body must be an iterable of bytes, not of {type(piece).__name__}")


def file_position(source: Any) -> Optional[int]:
    """Where a file stands, if it can seek back to it; None of anything else."""
    if not hasattr(source, "read") or not hasattr(source, "seek"):
        return None
    try:
        if hasattr(source, "seekable") and not source.seekable():
            return None
        return int(source.tell())
    except (AttributeError, OSError):
        return None


def file_length(source: Any) -> Optional[int]:
    """How many bytes a file has from where it stands; None if that is unknown, as of a pipe, of a
    text file, and of what is no file."""
    start = None if isinstance(source, io.TextIOBase) else file_position(source)
    if start is None:
        return None
    try:
        end = source.seek(0, io.SEEK_END)
        end = source.tell() if end is None else end
        source.seek(start)
    except (AttributeError, OSError):
        return None
    return max(0, int(end) - start)
