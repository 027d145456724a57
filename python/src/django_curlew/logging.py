"""Log lines that tell whose request they belong to.

    LOGGING = {
        "filters": {"request_id": {"()": "django_curlew.logging.RequestId"}},
        "formatters": {"plain": {"format": "%(levelname)s [%(request_id)s] %(message)s"}},
        …
    }

What the package logs itself: `django_curlew.fetch` every fetch at level DEBUG, with `outcome` (a
status, or why there is none), `url` and `milliseconds` as attributes;
`django_curlew.record` the table of a request's fetches at INFO; `django_curlew.bridge` what the
ASGI bridge refused, and a daemon that is down. URLs are logged without user, password and the
query's values.
"""

from __future__ import annotations

import logging

from . import context


class RequestId(logging.Filter):
    """Gives each line a `request_id`; "-" outside of any request."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = context.request_id() or "-"
        return True
