"""Session(debug=True): each request and response of that session as lines of a log.

The logger is `django_curlew.debug`, the level INFO. Bodies are not logged. Values that may be
secrets are "***": credentials, cookies, headers whose names suggest keys or tokens. URLs have no
user, no password and no values of the query, wherever they stand.
"""

from __future__ import annotations

import logging
import re
from typing import Any, Dict, Iterable, List, Optional

from ..record import is_secret_header, redact_url

log = logging.getLogger("django_curlew.debug")

MASK = "***"
URLS = ("location", "content-location", "referer", "link", "refresh")  # maybe without a host
ABSOLUTE_URL = re.compile(r"""https?://[^\s<>"']*[^\s<>"':;,.)]""", re.IGNORECASE)

Keys = Dict[str, Any]


def log_request(method: str, keys: Keys) -> None:
    """Log a request object that is about to be sent."""
    lines = [f"> {method} {redact_url(keys['url'])}"]
    lines += _lines(">", keys.get("headers") or ())
    if keys.get("cookies"):
        names = [each.get("name", "") for each in _cookie_entries(keys["cookies"])]
        lines.append("> Cookie: " + "; ".join(f"{name}={MASK}" for name in names))
    if keys.get("auth"):
        lines.append(f"> Authorization: {next(iter(keys['auth'])).capitalize()} {MASK}")
    if keys.get("proxy"):
        lines.append(f"* through the proxy {redact_url(keys['proxy'])}")
    log.info("%s", "\n".join(lines))


def log_response(envelope: Keys) -> None:
    """Log a response's head, after those of the redirects that led to it."""
    version = envelope.get("http_version") or "1.1"
    lines: List[str] = []
    for each in (*envelope.get("history", ()), envelope):
        status_line = f"< HTTP/{version} {each.get('status')} {each.get('reason', '')}"
        lines += [f"* {redact_url(each.get('url', ''))}", status_line.rstrip()]
        lines += _lines("<", each.get("headers") or ())
    log.info("%s", "\n".join(lines))


def log_failure(err: BaseException) -> None:
    """Log an exception that there is instead of a response."""
    log.info("* %s: %s", type(err).__name__, _redact_urls(str(err)))


def _cookie_entries(cookies: Any) -> Iterable[Keys]:
    return [{"name": name} for name in cookies] if isinstance(cookies, dict) else cookies


def _lines(mark: str, headers: Iterable[Any]) -> List[str]:
    return [f"{mark} {name}: {_shown(name, value)}" for name, value in headers]


def _shown(name: str, value: Optional[Any]) -> str:
    if value is None:
        return "(removed)"
    if is_secret_header(name):
        return MASK
    if not isinstance(value, str):
        return "(bytes)"
    return _redact_urls(redact_url(value) if name.lower() in URLS else value)


def _redact_urls(text: str) -> str:
    """The text, whose absolute URLs show no secrets."""
    return ABSOLUTE_URL.sub(lambda found: redact_url(found[0]), text)
