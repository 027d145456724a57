"""When a request is sent again, on a new connection.

A connection can end at the moment when it is used: the daemon was restarted, or a web server closed
it because it was idle. curlewd may also decline a request that it has read. The request is sent
again only if it was certainly not processed, which one of these says:

- The kernel has not taken the whole request, so nobody has read all of it. curlewd never acts upon
  a part of a request.
- It went over a UNIX socket and the connection was *reset* before a byte of a response: the kernel
  reports this if the other side closed with unread bytes, and the end of the request was among
  them.
- The response is 503 with the code `draining`, or END_REQUEST with FCGI_OVERLOADED.

On a kept connection that ended before a byte of a response, it is also sent again if it is
idempotent: the caller says so of a fetch whose method is one of IDEMPOTENT (RFC 9110 9.2.2), and of
requests for the daemon's status.

With an Upload it is less simple: curlewd acts upon a request before it has all of it. Then the
first point is about the part before the source's bytes, and the second one does not count. Nor is
it sent again if its source can't be read again.

In all other cases curlewd may have done the fetch, and the caller gets NoResponse. After
MAX_REPEATS the caller gets what the last connection gave.
"""

from __future__ import annotations

import json
import socket
from typing import Callable

from .address import Address
from .errors import DaemonTimeout, IncompleteResponse, NoResponse
from .models import EncodedRequest
from .response_parser import ResponseParser

IDEMPOTENT = frozenset(("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "QUERY"))
CONNECTION_ERRORS = (OSError, NoResponse)  # other exceptions are about the response
MAX_REPEATS = 3  # a daemon that is restarted declines once; the next one takes the request

Condition = Callable[[ResponseParser], bool]


class Attempts:
    """The connections that one request goes out on, one after the other; `kept`: the first is a
    kept one."""

    __slots__ = ("_request", "_kept", "_repeats")

    def __init__(self, request: EncodedRequest, kept: bool) -> None:
        self._request = request
        self._kept = kept
        self._repeats = 0

    def begin(self) -> ResponseParser:
        """A parser for the response on the next connection."""
        request = self._request
        if request.upload is not None:
            request.upload.restart()
        return request.encoder.response_parser(request.method)

    def is_over(self, parser: ResponseParser) -> bool:
        """The connection gave a response: is it the caller's? Else the request goes out again."""
        if parser.status == 200 or not is_declined(parser):
            return True
        if self._repeats < MAX_REPEATS and self._can_restart():
            self._count()
            return False
        if not parser.declined:
            return True
        raise IncompleteResponse(
            f"curlewd at {self._request.address.url} rejected the request: overloaded"
            " (FCGI_OVERLOADED)"
        )

    def on_error(self, err: BaseException, parser: ResponseParser) -> None:
        """The connection failed: return if the request may go out again, else raise."""
        request, upload = self._request, self._request.upload
        if upload is not None and upload.error is err:
            raise err
        error = to_daemon_error(request.address, err, parser)
        was_reset = (
            isinstance(err, ConnectionResetError) and request.address.is_unix and upload is None
        )
        is_safe = not parser.request_sent or was_reset or (self._kept and request.idempotent)
        may_repeat = isinstance(error, NoResponse) and is_safe and self._repeats < MAX_REPEATS
        if not may_repeat or not self._can_restart():
            raise error from (None if error is err else err)
        self._count()

    def _can_restart(self) -> bool:
        return self._request.upload is None or self._request.upload.can_restart

    def _count(self) -> None:
        self._repeats += 1
        self._kept = False


def until_decided(until: Condition) -> Condition:
    """`until`, for a response that is not received to its end, unless it may decline the
    request."""

    def is_met(parser: ResponseParser) -> bool:
        if parser.status == 503 and not parser.finished and _may_decline(parser):
            return False
        return parser.declined or until(parser)

    return is_met


def is_declined(parser: ResponseParser) -> bool:
    """Does the response say that curlewd has not processed the request?"""
    if parser.declined:
        return True
    if parser.status != 503 or not parser.finished or not _may_decline(parser):
        return False
    try:
        problem = json.loads(parser.peek_body())
    except ValueError:
        return False
    return isinstance(problem, dict) and problem.get("code") == "draining"


def _may_decline(parser: ResponseParser) -> bool:
    """A problem document of curlewd's own: what it passes on from an origin has Curlew-Attempts."""
    content_type = parser.header("Content-Type") or ""
    return (
        content_type.startswith("application/problem+json")
        and parser.header("Curlew-Attempts") is None
    )


def to_daemon_error(address: Address, err: BaseException, parser: ResponseParser) -> BaseException:
    """A failure of a connection as a DaemonError."""
    if isinstance(err, (DaemonTimeout, NoResponse)):
        return err
    if isinstance(err, (socket.timeout, TimeoutError)):  # two types before Python 3.10
        return DaemonTimeout(f"curlewd at {address.url} did not respond within the timeout")
    error_class = IncompleteResponse if parser.started else NoResponse
    return error_class(f"the connection to curlewd at {address.url} failed: {err}")
