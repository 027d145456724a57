"""What a request propagates to the fetches made for it: its request id and trace context.

The middleware sets it. It is a context variable, so all code that runs for the request sees it, in
its thread or task and in those that asgiref and asyncio start for it. The client sends these
headers to the daemon, which passes them on to origins and writes them to its log.
"""

from __future__ import annotations

import contextlib
import contextvars
import re
from typing import Iterator, Optional, Tuple

Headers = Tuple[Tuple[str, str], ...]

PROPAGATED_HEADERS = ("X-Request-ID", "traceparent", "tracestate")  # those the daemon passes on
MAX_VALUE_CHARS = 512  # in the daemon, too: W3C Trace Context 3.3.1.5

_headers: contextvars.ContextVar[Headers] = contextvars.ContextVar("curlew", default=())
_valid_value = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")


def headers() -> Headers:
    """The headers to add to a request to the daemon."""
    return _headers.get()


def request_id() -> Optional[str]:
    """The id of the request that this code runs for; None outside of a request."""
    return next((value for name, value in _headers.get() if name == PROPAGATED_HEADERS[0]), None)


def is_valid_value(value: Optional[str]) -> bool:
    """Is it printable ASCII of at most MAX_VALUE_CHARS, with spaces only in between?"""
    return (
        bool(value)
        and len(value or "") <= MAX_VALUE_CHARS
        and bool(_valid_value.fullmatch(value or ""))
    )


def attach(headers: Headers) -> contextvars.Token[Headers]:
    """Set the headers, for code that can't use `with propagate()`. Pass the token to detach()."""
    return _headers.set(headers)


def detach(token: contextvars.Token[Headers]) -> None:
    """Restore what was set before attach()."""
    _headers.reset(token)


@contextlib.contextmanager
def propagate(**values: str) -> Iterator[None]:
    """`with propagate(request_id="job-7", traceparent=…):` in a task, a command, a worker.

    The arguments are request_id, traceparent and tracestate. Raises ValueError if a value is not
    printable ASCII.
    """
    names = {
        "request_id": PROPAGATED_HEADERS[0],
        "traceparent": PROPAGATED_HEADERS[1],
        "tracestate": PROPAGATED_HEADERS[2],
    }
    unknown = set(values) - set(names)
    if unknown:
        raise TypeError(f"propagate() takes {', '.join(names)}, not {', '.join(sorted(unknown))}")
    for name, value in values.items():
        if not is_valid_value(value):
            raise ValueError(f"{name} must be printable ASCII of at most {MAX_VALUE_CHARS} chars")
    token = attach(tuple((names[name], value) for name, value in values.items()))
    try:
        yield
    finally:
        detach(token)
