"""The fetches of a request, for people who wonder where its time went.

Off unless `CURLEW = {"RECORD": True}` and the middleware is in use. Then

- `request.curlew` lists them while the request runs: `[f.url for f in request.curlew.fetches]`;
- the answer has a `Server-Timing` header, which browsers show in their developer tools;
- the logger `django_curlew.record` gets them as a table, at level INFO.

Each fetch is logged by `django_curlew.fetch` at level DEBUG, with or without a record.

URLs stand in a record as they were asked for, but for user, password and query values. A record
holds LARGEST fetches and counts the rest.
"""

from __future__ import annotations

import contextvars
import logging
import time
from dataclasses import dataclass, field
from typing import Any, List, NamedTuple, Optional
from urllib.parse import urlsplit, urlunsplit

LARGEST = 1000  # fetches in one record

log = logging.getLogger("django_curlew.record")
fetch_log = logging.getLogger("django_curlew.fetch")


@dataclass
class Fetch:
    """One of them, once it has ended."""

    method: str
    url: str
    status: Optional[int]  # None: no answer
    error: Optional[str]  # why not: a code of docs/api.md
    start: float  # seconds after the record did
    seconds: float
    bytes: Optional[int] = None
    reused: Optional[bool] = None
    tag: Optional[str] = None

    @property
    def outcome(self) -> str:
        return str(self.status) if self.error is None else self.error


@dataclass
class Record:
    start: float = field(default_factory=time.perf_counter)
    fetches: List[Fetch] = field(default_factory=list)
    left_out: int = 0

    def add(self, fetch: Fetch) -> None:
        log_fetch(fetch)
        if len(self.fetches) < LARGEST:
            self.fetches.append(fetch)
        else:
            self.left_out += 1

    @property
    def count(self) -> int:
        return len(self.fetches) + self.left_out

    @property
    def busy(self) -> float:
        """Seconds in which at least one was under way."""
        total, until = 0.0, 0.0
        for start, ended in sorted((f.start, f.start + f.seconds) for f in self.fetches):
            total += max(0.0, ended - max(start, until))
            until = max(until, ended)
        return total

    def table(self) -> str:
        lines = [
            f"{f.start * 1000:8.1f} {f.seconds * 1000:8.1f} ms  {f.outcome:<16} {f.method} {f.url}"
            + (f"  [{f.tag}]" if f.tag else "")
            for f in self.fetches
        ]
        if self.left_out:
            lines.append(f"… and {self.left_out} more")
        return "\n".join(lines)


class Kept(NamedTuple):
    """A record that is being kept, and how to stop."""

    record: Record
    token: contextvars.Token[Optional[Record]]


_current: contextvars.ContextVar[Optional[Record]] = contextvars.ContextVar(
    "curlew_record", default=None
)


class Logged(Record):
    """No record: each fetch goes to the log alone."""

    def __init__(self) -> None:
        super().__init__(start=0.0)

    def add(self, fetch: Fetch) -> None:
        log_fetch(fetch)


_logged = Logged()


def current() -> Optional[Record]:
    """Where to tell of a fetch, if anybody wants to know."""
    return _current.get() or (_logged if fetch_log.isEnabledFor(logging.DEBUG) else None)


def log_fetch(fetch: Fetch) -> None:
    told = (fetch.outcome, fetch.method, fetch.url, fetch.seconds * 1000)
    extra = {"outcome": fetch.outcome, "url": fetch.url, "milliseconds": fetch.seconds * 1000}
    fetch_log.debug("%s %s %s %.1f ms", *told, extra=extra)


def begin() -> Kept:
    record = Record()
    return Kept(record, _current.set(record))


def end(kept: Kept) -> None:
    _current.reset(kept.token)


def tell(record: Record, request: Any, response: Any) -> None:
    """Show what was kept, in the answer and in the log."""
    if not record.count:
        return
    word = "fetch" if record.count == 1 else "fetches"
    timing = f'curlew;dur={record.busy * 1000:.1f};desc="{record.count} {word}"'
    earlier = response.get("Server-Timing")
    response["Server-Timing"] = f"{earlier}, {timing}" if earlier else timing
    log.info(
        "%s %s made %d %s, %.1f ms\n%s",
        *(request.method, request.path, record.count, word, record.busy * 1000, record.table()),
    )


def redact_url(url: str) -> str:
    """A URL that may be shown: without user, password and the query's values."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "(no URL)"
    names = "&".join(p.partition("=")[0] + "=…" for p in parts.query.split("&") if p)
    return urlunsplit((parts.scheme, host, parts.path, names, ""))
