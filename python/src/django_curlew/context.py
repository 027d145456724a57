"""What a request passes on to the fetches it makes: its id and its trace context.

The middleware sets it, and whatever runs for that request sees it, in its thread or task and in
those that asgiref and asyncio start for it: it is a context variable. The client adds these
headers to what it asks the daemon, which passes them on to origins and writes them in its log.
"""

from __future__ import annotations

import contextlib
import contextvars
import re
from typing import Iterator, Optional, Tuple

Headers = Tuple[Tuple[str, str], ...]

NAMES = ("X-Request-ID", "traceparent", "tracestate")  # all that the daemon passes on
LONGEST = 512  # of a value, in the daemon too: W3C Trace Context 3.3.1.5

_passed_on: contextvars.ContextVar[Headers] = contextvars.ContextVar("curlew", default=())
_sane = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")


def headers() -> Headers:
    """The headers to add to what is asked of the daemon."""
    return _passed_on.get()


def request_id() -> Optional[str]:
    """The id of the request that this runs for."""
    return next((value for name, value in _passed_on.get() if name == NAMES[0]), None)


def is_sane(value: Optional[str]) -> bool:
    """Is it visible ASCII, with blanks only between, and not too long?"""
    return bool(value) and len(value or "") <= LONGEST and bool(_sane.fullmatch(value or ""))


def enter(passed_on: Headers) -> contextvars.Token[Headers]:
    """For code that can't use `with`; hand the token to leave()."""
    return _passed_on.set(passed_on)


def leave(token: contextvars.Token[Headers]) -> None:
    _passed_on.reset(token)


@contextlib.contextmanager
def passing_on(**values: str) -> Iterator[None]:
    """`with passing_on(request_id="job-7", traceparent=…):` in a task, a command, a worker."""
    names = {"request_id": NAMES[0], "traceparent": NAMES[1], "tracestate": NAMES[2]}
    unknown = set(values) - set(names)
    if unknown:
        raise TypeError(f"passing_on() takes {', '.join(names)}, not {', '.join(sorted(unknown))}")
    given = tuple((names[name], value) for name, value in values.items())
    for name, value in given:
        if not is_sane(value):
            raise ValueError(f"{name}: not visible ASCII of at most {LONGEST} characters")
    token = enter(given)
    try:
        yield
    finally:
        leave(token)
