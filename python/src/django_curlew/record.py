"""A record of the fetches of a request, which shows where its time went.

It is off unless `CURLEW = {"RECORD": True}` is set and the middleware is in use. Then

- `request.curlew` is the Record while the request runs: `[f.url for f in request.curlew.fetches]`;
- the response has a `Server-Timing` header, which browsers show in their developer tools;
- the logger `django_curlew.record` logs them as a table, at level INFO.

Each fetch is logged by `django_curlew.fetch` at level DEBUG, with or without a record.

URLs are recorded without user, password and the values of the query. A record holds MAX_FETCHES
fetches and counts further ones.
"""

from __future__ import annotations

import contextvars
import logging
import re
import time
from dataclasses import dataclass, field
from typing import Any, Dict, List, NamedTuple, Optional
from urllib.parse import urlsplit, urlunsplit

MAX_FETCHES = 1000  # in one record
SECRET_NAME = re.compile(
    r"auth|cookie|token|secret|session|sign|key|passw|pwd|credential|[cx]srf|jwt", re.IGNORECASE
)

log = logging.getLogger("django_curlew.record")
fetch_log = logging.getLogger("django_curlew.fetch")


@dataclass
class Fetch:
    """A fetch that has ended."""

    method: str
    url: str
    status: Optional[int]  # None: no response
    error: Optional[str]  # a code of docs/api.md, or the exception's name, if one was raised
    start: float  # seconds since the start of the record
    seconds: float
    bytes: Optional[int] = None
    reused: Optional[bool] = None  # whether its connection was
    tag: Optional[str] = None
    session: str = "default"  # of the daemon
    attempts: int = 1
    kind: str = "fetch"  # or "stream", or "batch"
    # Seconds in the daemon, as in the envelope: queue, dns, connect, tls, first_byte, total.
    timing: Dict[str, float] = field(default_factory=dict)

    @property
    def outcome(self) -> str:
        """The status or the error."""
        return str(self.status) if self.error is None else self.error


@dataclass
class Record:
    """The fetches of one request."""

    start: float = field(default_factory=time.perf_counter)
    fetches: List[Fetch] = field(default_factory=list)
    omitted: int = 0  # fetches beyond MAX_FETCHES
    shared: bool = False  # start() within it goes on with it, instead of a record of its own

    def add(self, fetch: Fetch) -> None:
        log_fetch(fetch)
        if len(self.fetches) < MAX_FETCHES:
            self.fetches.append(fetch)
        else:
            self.omitted += 1

    @property
    def count(self) -> int:
        return len(self.fetches) + self.omitted

    @property
    def busy_seconds(self) -> float:
        """Seconds during which at least one fetch was in flight."""
        total, until = 0.0, 0.0
        for start, end in sorted((f.start, f.start + f.seconds) for f in self.fetches):
            total += max(0.0, end - max(start, until))
            until = max(until, end)
        return total

    def table(self) -> str:
        """A line for each fetch: start and duration in ms, outcome, method, URL, tag."""
        lines = [
            f"{f.start * 1000:8.1f} {f.seconds * 1000:8.1f} ms  {f.outcome:<16} {f.method} {f.url}"
            + (f"  [{f.tag}]" if f.tag else "")
            for f in self.fetches
        ]
        if self.omitted:
            lines.append(f"… and {self.omitted} more")
        return "\n".join(lines)


class ActiveRecord(NamedTuple):
    """A record that fetches are added to, and the token that stop() needs."""

    record: Record
    token: contextvars.Token[Optional[Record]]


_current: contextvars.ContextVar[Optional[Record]] = contextvars.ContextVar(
    "curlew_record", default=None
)


class _LogOnly(Record):
    """Stores nothing: each fetch goes to the log alone."""

    def __init__(self) -> None:
        super().__init__(start=0.0)

    def add(self, fetch: Fetch) -> None:
        log_fetch(fetch)


_log_only = _LogOnly()


tracer: Optional[Any] = None  # a tracing.Tracer, once tracing.enable() was called


def current() -> Optional[Record]:
    """The record to add fetches to; None if there is none, and neither log nor traces."""
    is_wanted = tracer is not None or fetch_log.isEnabledFor(logging.DEBUG)
    return _current.get() or (_log_only if is_wanted else None)


def log_fetch(fetch: Fetch) -> None:
    milliseconds = fetch.seconds * 1000
    extra = {"outcome": fetch.outcome, "url": fetch.url, "milliseconds": milliseconds}
    fetch_log.debug(
        "%s %s %s %.1f ms", fetch.outcome, fetch.method, fetch.url, milliseconds, extra=extra
    )


def start(shared: bool = False) -> ActiveRecord:
    """Start a record for this context. The caller passes the result to stop(). `shared`: one for
    the same request as that which has begun, or will begin, if there is one."""
    outer = _current.get()
    record = outer if outer is not None and (shared or outer.shared) else Record(shared=shared)
    return ActiveRecord(record, _current.set(record))


def stop(active: ActiveRecord) -> None:
    _current.reset(active.token)


def report(record: Record, request: Any, response: Any) -> None:
    """Add the record to the response's Server-Timing header, and log it."""
    if not record.count:
        return
    noun = "fetch" if record.count == 1 else "fetches"
    milliseconds = record.busy_seconds * 1000
    timing = f'curlew;dur={milliseconds:.1f};desc="{record.count} {noun}"'
    earlier = response.get("Server-Timing")
    response["Server-Timing"] = f"{earlier}, {timing}" if earlier else timing
    log.info(
        "%s %s made %d %s, %.1f ms\n%s",
        request.method,
        request.path,
        record.count,
        noun,
        milliseconds,
        record.table(),
    )


def is_secret_header(name: str) -> bool:
    """May a header of this name have a credential as its value?"""
    return SECRET_NAME.search(name) is not None


def redact_url(url: str) -> str:
    """The URL without user, password and the values of the query."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # ValueError if it is none: it may be a part of a password
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "(invalid URL)"
    if parts.scheme and not host:  # "http:/user:password@host": the path would show them
        return "(invalid URL)"
    names = "&".join(p.partition("=")[0] + "=…" for p in parts.query.split("&") if p)
    return urlunsplit((parts.scheme, host, parts.path, names, ""))
