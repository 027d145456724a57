"""What Stream and AsyncStream share: an answer whose head is there, and the socket it comes on."""

from __future__ import annotations

import socket
import weakref
from typing import Optional

from . import sockets
from .address import Address
from .response_parser import ResponseParser


class Opened:
    """Owns its socket until the answer is whole, or close() is called, or it is collected."""

    def __init__(self, address: Address, sock: socket.socket, parser: ResponseParser) -> None:
        self.status = parser.status
        self.headers = parser.headers
        self._address = address
        self._parser = parser
        self._sock: Optional[socket.socket] = sock
        self._closer = weakref.finalize(self, sock.close)
        if parser.finished:
            self._release()

    def header(self, name: str) -> Optional[str]:
        """The first header of that name."""
        return self._parser.header(name)

    def close(self) -> None:
        """May be called at any time but while another task or thread reads, and more than once."""
        self._sock = None
        self._closer()

    def _release(self) -> None:
        """The answer is whole: its connection may serve the next."""
        sock, self._sock = self._sock, None
        self._closer.detach()
        if sock is not None:
            sockets.finished(self._address, sock, self._parser.reusable)
