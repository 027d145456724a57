"""What Stream and AsyncStream share: a response whose head was received, and its socket."""

from __future__ import annotations

import contextlib
import socket
import time
import weakref
from typing import Optional

from . import connection_pool, resend
from .errors import DaemonTimeout, IncompleteResponse
from .models import EncodedRequest
from .response_parser import ResponseParser

RECEIVE_ERRORS = (IncompleteResponse, *resend.CONNECTION_ERRORS)
# The last byte may have come to us later than to curlewd: a break so much earlier is in time.
IDLE_TOLERANCE = 0.1  # of the idle timeout, and at most so many seconds


class BaseStream:
    """A response whose body is read piece by piece. `status` is an int, `headers` are (name,
    value) pairs of bytes, `is_by_http`: it is from a web server, and did not come by FastCGI.

    It owns its socket until the response is complete, or close() is called, or it is collected.
    """

    def __init__(
        self, request: EncodedRequest, sock: socket.socket, parser: ResponseParser
    ) -> None:
        self.status = parser.status
        self.headers = parser.headers
        self.is_by_http = parser.is_by_http
        self._address = request.address
        self._idle_timeout = request.idle_timeout
        self._received_at = time.monotonic()
        self._parser = parser
        self._sock: Optional[socket.socket] = sock
        self._finalizer = weakref.finalize(self, sock.close)
        if parser.finished:
            self._release()

    def header(self, name: str) -> Optional[str]:
        """The value of the first header of that name, in any case; None if there is none."""
        return self._parser.header(name)

    def unread(self, data: bytes) -> None:
        """The next read() returns `data`, which the last one returned the end of."""
        self._parser.append_body(data)

    def abort(self) -> None:
        """Cancel the fetch from another thread than the one that reads: its read() raises, and it
        closes the stream."""
        sock = self._sock
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection; before the end of the response this cancels the fetch. It may be
        called more than once, but not while another task or thread reads."""
        self._sock = None
        self._finalizer()

    def _to_error(self, err: BaseException) -> BaseException:
        """A failure to receive as a DaemonError. A break says no reason over HTTP: it is taken for
        the idle timeout of the request if it comes no earlier."""
        idle_timeout = self._idle_timeout
        error = err
        if not isinstance(err, IncompleteResponse):
            error = resend.to_daemon_error(self._address, err, self._parser)
        if (
            isinstance(error, IncompleteResponse)
            and self._address.protocol != "fcgi"
            and idle_timeout is not None
            and time.monotonic() - self._received_at
            >= idle_timeout - IDLE_TOLERANCE * min(1.0, idle_timeout)
        ):
            return DaemonTimeout(f"no bytes for {idle_timeout:g} s: {error}", "idle_timeout")
        return error

    def _release(self) -> None:
        """The response is complete: its connection may carry the next request."""
        sock, self._sock = self._sock, None
        self._finalizer.detach()
        if sock is not None:
            connection_pool.release_or_close(self._address, sock, self._parser.reusable)
