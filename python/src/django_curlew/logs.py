"""Log lines with the id of the request they belong to.

    LOGGING = {
        "filters": {"request_id": {"()": "django_curlew.logs.RequestIdFilter"}},
        "formatters": {"plain": {"format": "%(levelname)s [%(request_id)s] %(message)s"}},
        …
    }

The package's own loggers: `django_curlew.fetch` logs every fetch at level DEBUG, with the
attributes `outcome` (a status, or the code of an error), `url` and `milliseconds`;
`django_curlew.record` the table of a request's fetches at INFO; `django_curlew.bridge` what the
ASGI bridge rejected or aborted, and a daemon that does not respond. URLs are logged without user,
password and the values of the query.
"""

from __future__ import annotations

import logging

from . import context


class RequestIdFilter(logging.Filter):
    """A logging filter that gives each record a `request_id`; "-" outside of a request."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = context.request_id() or "-"
        return True
