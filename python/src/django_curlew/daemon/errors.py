"""What can go wrong between this process and curlewd.

A fetch that curlewd could not do is none of these: that is an answer, a problem document. These
say that there was no answer, or only part of one.

    DaemonError
    ├── AddressError (ValueError)     the URL of the daemon is no URL we know
    ├── Unreachable                   nobody listens there, or we may not connect
    ├── NoAnswer                      the connection ended before a byte of the answer
    ├── Broken                        … and within it: what came is not the whole
    ├── Late (TimeoutError)           no answer within the time allowed
    ├── Malformed                     the bytes are no FastCGI, or no HTTP
    └── TooLarge                      an answer over the client's own limit
"""

from __future__ import annotations


class DaemonError(Exception):
    """The parent of all of them."""


class AddressError(DaemonError, ValueError):
    pass


class Unreachable(DaemonError):
    pass


class NoAnswer(DaemonError):
    pass


class Broken(DaemonError):
    pass


class Late(DaemonError, TimeoutError):
    pass


class Malformed(DaemonError):
    pass


class TooLarge(DaemonError):
    pass
