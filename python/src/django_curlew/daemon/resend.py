"""When a request may be sent a second time, on a new connection.

A kept connection can end at the moment when it is used again: the daemon was restarted, or a web
server closed it because it was idle. Only then (a new connection that fails is an error) is the
request sent again, once, if no byte of a response was received and one of these holds:

- The kernel has not taken the whole request, so nobody has read all of it. curlewd never acts upon
  a part of a request.
- It went over a UNIX socket and the connection was *reset*: the kernel reports this if the other
  side closed with unread bytes, and the end of the request was among them.
- The request is idempotent: the caller says so of a fetch whose method is one of IDEMPOTENT
  (RFC 9110 9.2.2), and of requests for the daemon's status.

In all other cases curlewd may have done the fetch, and the caller gets NoResponse.
"""

from __future__ import annotations

import socket

from .address import Address
from .errors import DaemonTimeout, IncompleteResponse, NoResponse
from .models import EncodedRequest
from .response_parser import ResponseParser

IDEMPOTENT = frozenset(("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "QUERY"))
CONNECTION_ERRORS = (OSError, NoResponse)  # other exceptions are about the response


def raise_unless_resendable(
    request: EncodedRequest, err: BaseException, parser: ResponseParser
) -> None:
    """A kept connection failed with `err`: return if the request may be sent again, else raise."""
    error = to_daemon_error(request.address, err, parser)
    was_reset = isinstance(err, ConnectionResetError) and request.address.is_unix
    is_safe = not parser.request_sent or was_reset or request.idempotent
    if not (isinstance(error, NoResponse) and is_safe):
        raise error from (None if error is err else err)


def to_daemon_error(
    address: Address, err: BaseException, parser: ResponseParser
) -> BaseException:
    """A failure of a connection as a DaemonError."""
    if isinstance(err, (DaemonTimeout, NoResponse)):
        return err
    if isinstance(err, (socket.timeout, TimeoutError)):  # two types before Python 3.10
        return DaemonTimeout(f"curlewd at {address.url} did not respond within the timeout")
    error_class = IncompleteResponse if parser.started else NoResponse
    return error_class(f"the connection to curlewd at {address.url} failed: {err}")
