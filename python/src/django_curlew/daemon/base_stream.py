"""What Stream and AsyncStream share: a response whose head was received, and its socket."""

from __future__ import annotations

import socket
import weakref
from typing import Optional

from . import connection_pool
from .address import Address
from .response_parser import ResponseParser


class BaseStream:
    """A response whose body is read piece by piece. `status` is an int, `headers` are (name,
    value) pairs of bytes.

    It owns its socket until the response is complete, or close() is called, or it is collected.
    """

    def __init__(self, address: Address, sock: socket.socket, parser: ResponseParser) -> None:
        self.status = parser.status
        self.headers = parser.headers
        self._address = address
        self._parser = parser
        self._sock: Optional[socket.socket] = sock
        self._finalizer = weakref.finalize(self, sock.close)
        if parser.finished:
            self._release()

    def header(self, name: str) -> Optional[str]:
        """The value of the first header of that name, in any case; None if there is none."""
        return self._parser.header(name)

    def close(self) -> None:
        """Close the connection; before the end of the response this cancels the fetch. It may be
        called more than once, but not while another task or thread reads."""
        self._sock = None
        self._finalizer()

    def _release(self) -> None:
        """The response is complete: its connection may carry the next request."""
        sock, self._sock = self._sock, None
        self._finalizer.detach()
        if sock is not None:
            connection_pool.release_or_close(self._address, sock, self._parser.reusable)
