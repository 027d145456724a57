"""A panel of Django Debug Toolbar: the fetches that were made for the request being shown.

    DEBUG_TOOLBAR_PANELS = [*debug_toolbar.settings.PANELS_DEFAULTS,
                            "django_curlew.debug_toolbar.CurlewPanel"]

It shows what a record does (record.py), with the times that curlewd has measured. Without the
toolbar, or with the panel turned off, nothing is recorded for it. Views may be sync or async.

URLs are shown without user, password and the values of the query. Nothing of headers, cookies and
bodies is kept.
"""

from __future__ import annotations

from typing import Any, Dict, Optional

from debug_toolbar.panels import Panel

from . import record

MAX_SHOWN = 200  # fetches
MAX_URL_CHARS = 500
TIMES = ("queue", "dns", "connect", "tls", "first_byte", "total")


class CurlewPanel(Panel):
    """For DEBUG_TOOLBAR_PANELS; the module's documentation says how."""

    nav_title = "Curlew"
    title = "Fetches by curlewd"
    template = "django_curlew/debug_toolbar.html"
    is_async = True

    _active: Optional[record.ActiveRecord] = None
    _record: Optional[record.Record] = None

    @property
    def nav_subtitle(self) -> str:
        stats = self.get_stats()
        return f"{stats['summary']} in {stats['milliseconds']:.1f} ms" if stats else ""

    def enable_instrumentation(self) -> None:
        if self._active is None:
            self._active = record.start(shared=True)
            self._record = self._active.record

    def disable_instrumentation(self) -> None:
        active, self._active = self._active, None
        if active is not None:
            record.stop(active)

    def generate_stats(self, request: Any, response: Any) -> None:
        if self._record is not None:
            self.record_stats(stats_of(self._record))

    def generate_server_timing(self, request: Any, response: Any) -> None:
        stats = self.get_stats()
        if stats:
            self.record_server_timing("fetches", stats["summary"], stats["milliseconds"])


def stats_of(found: record.Record) -> Dict[str, Any]:
    """What the panel's template shows, as JSON can hold it."""
    fetches = found.fetches[:]
    count = len(fetches) + found.omitted
    connected = [f for f in fetches if f.reused is not None]
    return {
        "summary": f"{count} fetch" if count == 1 else f"{count} fetches",
        "count": count,
        "milliseconds": found.busy_seconds * 1000,
        "failures": sum(1 for f in fetches if f.error is not None),
        "reused": sum(1 for f in connected if f.reused),
        "connected": len(connected),
        "retried": sum(f.attempts - 1 for f in fetches),
        "fetches": [_row(fetch) for fetch in fetches[:MAX_SHOWN]],
        "not_shown": max(0, count - MAX_SHOWN),
    }


def _row(fetch: record.Fetch) -> Dict[str, Any]:
    url = fetch.url
    return {
        "start": fetch.start * 1000,
        "milliseconds": fetch.seconds * 1000,
        "kind": fetch.kind,
        "method": fetch.method,
        "url": url if len(url) <= MAX_URL_CHARS else url[:MAX_URL_CHARS] + "…",
        "session": fetch.session,
        "outcome": fetch.outcome,
        "failed": fetch.error is not None or (fetch.status or 0) >= 400,
        "times": [_milliseconds(fetch.timing.get(name)) for name in TIMES],
        "reused": fetch.reused,
        "attempts": fetch.attempts,
        "bytes": fetch.bytes,
        "tag": fetch.tag,
    }


def _milliseconds(seconds: Optional[float]) -> Optional[float]:
    return None if seconds is None else seconds * 1000
