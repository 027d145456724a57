"""Sending an Upload from a thread or greenlet, while its response may already be received.

It waits by select.poll or select.select, which gevent and eventlet patch, as they do sockets.
"""

from __future__ import annotations

import select
import socket
from typing import Any, Callable, Iterator, Optional

from . import sockets
from .deadlines import remaining
from .models import EncodedRequest
from .response_parser import ResponseParser
from .upload import BodyFraming, Upload, stops_upload

Condition = Callable[[ResponseParser], bool]


def send_upload(
    sock: socket.socket,
    request: EncodedRequest,
    parser: ResponseParser,
    deadline: Optional[float],
) -> Optional[float]:
    """Send the request and its upload, or as much of it as curlewd wants. The new deadline: the
    time that the source has taken does not count. The caller receives the rest of the response,
    and closes the socket if this fails."""
    upload, framing = request.upload, request.framing
    assert upload is not None and framing is not None
    sock.settimeout(0)
    sender = _Sender(sock, parser, deadline)
    if sender.send(request.data):
        parser.request_sent = True
        if all(sender.send(data, upload) for data in framed(upload, framing)):
            return sender.deadline
    parser.cut_request()
    return sender.deadline


def framed(upload: Upload, framing: BodyFraming) -> Iterator[Any]:
    """What is to be sent after the head."""
    for piece in upload.pieces():
        yield framing.frame(piece)
    if framing.end:
        yield framing.end


class _Sender:
    """Sends, and feeds the parser with what is received meanwhile."""

    def __init__(
        self, sock: socket.socket, parser: ResponseParser, deadline: Optional[float]
    ) -> None:
        self._sock = sock
        self._parser = parser
        self._counted = 0.0  # of the source's seconds, in the deadline
        self.deadline = deadline

    def send(self, data: Any, upload: Optional[Upload] = None) -> bool:
        """Send all of `data`; False if the rest of the request is not to be sent."""
        if upload is not None and self.deadline is not None:
            self.deadline += upload.source_seconds - self._counted
            self._counted = upload.source_seconds
        unsent = memoryview(data)
        while unsent:
            self._receive()
            if stops_upload(self._parser):
                return False
            try:
                unsent = unsent[self._sock.send(unsent) :]
            except (BlockingIOError, InterruptedError):
                wait(self._sock, remaining(self.deadline))
            except (BrokenPipeError, ConnectionResetError):
                return False  # a response may have been received before
        return True

    def _receive(self) -> None:
        """Read what the socket has, without waiting."""
        try:
            data = self._sock.recv(sockets.RECV_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        if data:
            self._parser.feed(data)
        else:
            self._parser.feed_eof()


def wait(sock: socket.socket, timeout: Optional[float]) -> None:
    """Wait until the socket is readable or writable, or `timeout` seconds have passed."""
    if hasattr(select, "poll"):  # not with eventlet
        poll = select.poll()
        poll.register(sock, select.POLLIN | select.POLLOUT)
        poll.poll(None if timeout is None else timeout * 1000)
    else:
        select.select([sock], [sock], [], timeout)
