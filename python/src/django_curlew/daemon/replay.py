"""When a request may be sent a second time, on a new connection.

A kept connection can end just as it is used: the daemon was restarted, a web server grew tired of
it. Then, and only then (a new connection that fails is an error), the request is sent once more,
if no byte of an answer has come and one of these holds:

- Not all of it was handed to the kernel, so nobody has read all of it. A part of a request is
  never acted upon.
- It went over a UNIX socket and the connection was *reset*: the kernel says so where the other
  side closed with bytes unread. The end of the request was among them.
- Doing it twice does no harm: the caller says so of a fetch whose method is GET, HEAD, OPTIONS,
  TRACE, PUT or DELETE (RFC 9110 9.2.2), and of questions about the daemon itself.

In all other cases the fetch may have been made, and the caller is told: NoResponse.
"""

from __future__ import annotations

import socket

from .address import Address
from .response_parser import ResponseParser
from .call import Call
from .errors import IncompleteResponse, DaemonTimeout, NoResponse

IDEMPOTENT = frozenset(("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "QUERY"))
FAILURES = (OSError, NoResponse)  # of a connection; what else is raised is about the answer


def check(call: Call, why: BaseException, parser: ResponseParser) -> None:
    """A kept connection failed with `why`: return where the request may be replayed, else raise."""
    named = name(call.address, why, parser)
    reset = isinstance(why, ConnectionResetError) and call.address.is_unix
    harmless = not parser.request_sent or reset or call.idempotent
    if not (isinstance(named, NoResponse) and harmless):
        raise named from (None if named is why else why)


def name(address: Address, why: BaseException, parser: ResponseParser) -> BaseException:
    """A connection's failure, as one of our errors."""
    if isinstance(why, (DaemonTimeout, NoResponse)):
        return why
    if isinstance(why, (socket.timeout, TimeoutError)):  # two types before Python 3.10
        return DaemonTimeout(f"curlewd at {address.url} did not answer in time")
    kind = IncompleteResponse if parser.started else NoResponse
    return kind(f"the connection to curlewd at {address.url} broke: {why}")
