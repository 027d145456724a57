"""Settings: `CURLEW = {"URL": …}` in settings.py, the environment variable CURLEW_URL, defaults.

    conf.daemon_url()     the daemon's URL; raises NotConfigured if it is not set
    conf.get("HANDOFF")   any other setting

Django need not be installed, nor its settings be configured: then only the environment counts.
Settings are read on their first use and cached until a setting changes, so that tests may use
`override_settings`.
"""

from __future__ import annotations

import os
from typing import Any, Dict, Optional

ENV_VAR = "CURLEW_URL"

# Every setting and its default; checks.py reports unknown ones.
DEFAULTS: Dict[str, Any] = {
    # The daemon: "fcgi+unix:/run/curlew/curlew.sock", "fcgi://HOST:PORT", or by HTTP through the
    # web server, "http://127.0.0.1:8080/_fetch", "http+unix:/PATH:/_fetch".
    "URL": None,
    # A bearer token, if the daemon requires one.
    "TOKEN": None,
    # The daemon's FastCGI address for the ASGI bridge, if URL is not one.
    "BRIDGE_URL": None,
    # The web server's internal location for handoffs (examples/nginx/nginx.conf).
    "HANDOFF": "/_handoff/",
    # Largest request object, in bytes, that is sent in a response header; a larger one is stored in
    # the daemon, and the header has a reference to it.
    "HANDOFF_INLINE": 4000,
    # Keep a record of each request's fetches: record.py.
    "RECORD": False,
    # The header with the request id, in requests and in responses.
    "REQUEST_ID_HEADER": "X-Request-ID",
    # With DEBUG, `runserver` starts a curlewd if no URL is set: True, False, or the configuration
    # to start it with (the object of curlewd.json).
    "EMBEDDED": True,
    # The program that it starts.
    "CURLEWD": "curlewd",
    # The site's public URLs, for `check --deploy`: ["https://www.example.org"]. None: made from
    # ALLOWED_HOSTS.
    "SITE_URLS": None,
}

# Former names, which still work until version 0.3; checks.py warns about them.
RENAMED = {"HAND_OFF": "HANDOFF", "HAND_OFF_INLINE": "HANDOFF_INLINE"}

_cached: Optional[Dict[str, Any]] = None


class NotConfigured(RuntimeError):
    """A setting that is needed is not set; the message names it."""


def project_settings() -> Dict[str, Any]:
    """The project's CURLEW as it is written, with former names replaced. Empty if there is none."""
    try:
        from django.conf import settings
        from django.core.exceptions import ImproperlyConfigured
    except ImportError:
        return {}
    try:
        found = dict(getattr(settings, "CURLEW", None) or {})
    except ImproperlyConfigured:  # no settings module: not a Django process
        if os.environ.get("DJANGO_SETTINGS_MODULE"):
            raise
        return {}
    for old, new in RENAMED.items():
        if old in found:
            found.setdefault(new, found.pop(old))
    return found


def reload(**_: Any) -> None:
    """Forget the cached settings. Called when a Django setting changes."""
    global _cached
    _cached = None


def settings() -> Dict[str, Any]:
    """All settings with their values. The dict is cached: do not change it."""
    global _cached
    current = _cached
    if current is None:
        current = {**DEFAULTS, **project_settings()}
        _cached = current
    return current


def get(name: str) -> Any:
    """The value of a setting, by its name in CURLEW."""
    return settings()[name]


def configured_url() -> Optional[str]:
    """The daemon's URL; None if it is not set."""
    return settings()["URL"] or os.environ.get(ENV_VAR) or None


def daemon_url() -> str:
    """The daemon's URL. Raises NotConfigured if it is not set."""
    url = configured_url()
    if not url:
        raise NotConfigured(
            'CURLEW["URL"] is not set: set CURLEW = {"URL": "fcgi+unix:/run/curlew/curlew.sock"}'
            f" in settings.py, or the environment variable {ENV_VAR}."
        )
    return url


def bridge_url() -> str:
    """The daemon's FastCGI address for the ASGI bridge. Raises NotConfigured if there is none."""
    return settings()["BRIDGE_URL"] or daemon_url()
