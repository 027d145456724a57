"""What can go wrong between this process and curlewd.

    DaemonError
    ├── AddressError (ValueError)       the daemon's URL is not valid
    ├── Unreachable                     no connection could be made
    ├── NoResponse                      the connection ended before the first byte of the response
    ├── IncompleteResponse              the connection ended in the middle of the response
    ├── DaemonTimeout (TimeoutError)    no response within the timeout
    ├── ProtocolError                   the bytes are not valid FastCGI or HTTP
    ├── ResponseTooLarge                the response is over max_response_bytes
    └── UploadError (ValueError)        the body has not the length that was announced

A fetch that curlewd tried and that failed raises none of these: curlewd answers it with a problem
document (RFC 9457), which is a response like any other.
"""

from __future__ import annotations

from typing import Optional


class DaemonError(Exception):
    """curlewd gave no response, or only a part of one. The parent of all errors of this package.

    `code`: one of docs/api.md, if curlewd said why it aborted a response that had begun."""

    def __init__(self, message: str = "", code: Optional[str] = None) -> None:
        super().__init__(message)
        self.code = code


class AddressError(DaemonError, ValueError):
    """The URL of the daemon is not valid: a mistake in the settings, nothing was sent."""


class Unreachable(DaemonError):
    """No connection to curlewd could be made: it is not running, or this user has no access to its
    socket. Nothing was sent."""


class NoResponse(DaemonError):
    """The connection ended before the first byte of a response. curlewd may have done the fetch."""


class IncompleteResponse(DaemonError):
    """The connection ended in the middle of a response. For a stream this is how curlewd reports
    a fetch that failed after its head was sent."""


class DaemonTimeout(DaemonError, TimeoutError):
    """No response, or no further byte of one, within the timeout that the caller gave; or curlewd
    aborted a stream because the timeout that its request has expired."""


class ProtocolError(DaemonError):
    """What was received is not valid FastCGI or HTTP: often another server's address."""


class ResponseTooLarge(DaemonError):
    """The body has more bytes than `max_response_bytes` of Daemon."""


class UploadError(DaemonError, ValueError):
    """The source of an Upload has more or fewer bytes than its length. The connection was aborted,
    so that the origin has seen no whole request."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message, "bad_request")
