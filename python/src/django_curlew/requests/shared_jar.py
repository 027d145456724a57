"""A session's cookies that were written in one Django request and are sent in another.

Such a session is shared by visitors: what an origin set for one of them is sent for the next. It is
reported once for each session and each line of code, as a SharedJarWarning and by the logger
`django_curlew.cookies`.
"""

from __future__ import annotations

import inspect
import logging
import warnings
import weakref
from types import FrameType
from typing import Any, Optional, Set, Tuple

from .. import conf, django_request

log = logging.getLogger("django_curlew.cookies")

MESSAGE = (
    "This session keeps cookies, and is used by several Django requests: cookies that it got while"
    " it served one visitor are now sent for another. Use django_curlew.client (or aclient, or the"
    " functions of django_curlew.requests), or Session(cookie_jar=False), which keep no cookies; or"
    " make a Session() in each request. If all visitors may share them, as those of the site's own"
    ' account, say so: Session(cookie_jar=True). CURLEW["SHARED_JAR_WARNING"] = False silences'
    " this."
)
PACKAGE = __name__.partition(".")[0]

_reported: Set[Tuple[str, int]] = set()  # lines of code


class SharedJarWarning(UserWarning):
    """A session's cookies, written in one Django request, are sent in another."""


class JarWatch:
    """Of one session, for as long as it lives. `written`: is there anything that was written in a
    Django request, so that on_read() must be called?"""

    __slots__ = ("written", "_writer")

    def __init__(self) -> None:
        self.written = False
        self._writer: Optional["weakref.ref[Any]"] = None
        django_request.watch()

    def on_write(self, was_empty: bool) -> None:
        """The jar gets a cookie. The first request that writes into an empty jar counts."""
        django_request.watch()  # the session may be older than Django in this process
        if self._writer is None or (was_empty and self.written):
            request = django_request.current()
            if request is not None:
                self._writer, self.written = weakref.ref(request), True

    def on_read(self) -> None:
        """The jar's cookies go into a request."""
        request = django_request.current()
        if request is None or self._writer is None or self._writer() is request:
            return
        self.written = False  # _writer stays: this session is not reported again
        if conf.get("SHARED_JAR_WARNING"):
            _report()


def _report() -> None:
    """Warn at the line that called the package."""
    depth, place = _calling_line()
    if place in _reported:
        return
    _reported.add(place)
    log.warning("%s:%d: %s", *place, MESSAGE)
    warnings.warn(MESSAGE, SharedJarWarning, stacklevel=depth)


def _calling_line() -> Tuple[int, Tuple[str, int]]:
    """The `stacklevel` for _report(), and (file, line), of the code that called the package."""
    depth = 0
    frame: Optional[FrameType] = inspect.currentframe()
    while frame is not None and frame.f_back is not None:
        if frame.f_globals.get("__name__", "").partition(".")[0] != PACKAGE:
            return depth, (frame.f_code.co_filename, frame.f_lineno)
        depth, frame = depth + 1, frame.f_back
    return depth, ("", 0)
