"""Settings: `CURLEW = {"URL": …}` of the project, the environment's CURLEW_URL, or the defaults.

    conf.daemon_url()     where curlewd answers; NotConfigured where nobody said
    conf.get("HAND_OFF")  any other setting

Django need not be installed, nor its settings be configured: then the environment alone counts.
Nothing is read before it is asked for, and what was read is kept until a setting changes, so that
tests may use `override_settings`.
"""

from __future__ import annotations

import os
from typing import Any, Dict, Optional

ENVIRONMENT = "CURLEW_URL"

# Every setting and its default; checks.py finds those that do not exist.
DEFAULTS: Dict[str, Any] = {
    # Where curlewd answers: "fcgi+unix:/run/curlew/curlew.sock", "fcgi://HOST:PORT", or by HTTP
    # through the web server, "http://127.0.0.1:8080/_fetch", "http+unix:/PATH:/_fetch".
    "URL": None,
    # A bearer token, where the daemon asks for one.
    "TOKEN": None,
    # The bridge's own way to the daemon, where URL is not its FastCGI socket.
    "BRIDGE_URL": None,
    # The web server's internal location for hand-off (examples/nginx/nginx.conf).
    "HAND_OFF": "/_handoff/",
    # Bytes of a request object that go in a header; larger ones are sent ahead, by reference.
    "HAND_OFF_INLINE": 4000,
    # Keep a record of each request's fetches: record.py.
    "RECORD": False,
    # Name of the request id's header, in requests and in answers.
    "REQUEST_ID_HEADER": "X-Request-ID",
    # `runserver` starts a curlewd where none is configured and DEBUG is on: True, False, or the
    # configuration to start it with (curlewd.json's object).
    "EMBEDDED": True,
    # The program to start then.
    "CURLEWD": "curlewd",
    # The site as outsiders call it, for `check --deploy`: ["https://www.example.org"]; None: what
    # ALLOWED_HOSTS names.
    "SITE_URLS": None,
}

_cached: Optional[Dict[str, Any]] = None


class NotConfigured(RuntimeError):
    """Nobody said where curlewd is."""


def project() -> Dict[str, Any]:
    """The project's CURLEW as it stands; empty outside Django and where it is absent."""
    try:
        from django.conf import settings
        from django.core.exceptions import ImproperlyConfigured
    except ImportError:
        return {}
    try:
        return dict(getattr(settings, "CURLEW", None) or {})
    except ImproperlyConfigured:  # no settings module: not a Django process
        if os.environ.get("DJANGO_SETTINGS_MODULE"):
            raise
        return {}


def reload(**_: Any) -> None:
    """Forget what was read: settings have changed."""
    global _cached
    _cached = None


def settings() -> Dict[str, Any]:
    """All settings with their values; not to be changed."""
    global _cached
    read = _cached
    if read is None:
        read = {**DEFAULTS, **project()}
        _cached = read
    return read


def get(name: str) -> Any:
    """One setting, by the name it has in CURLEW."""
    return settings()[name]


def configured_url() -> Optional[str]:
    """Where curlewd is said to answer; None where nobody said."""
    return settings()["URL"] or os.environ.get(ENVIRONMENT) or None


def daemon_url() -> str:
    """Where curlewd answers."""
    url = configured_url()
    if not url:
        raise NotConfigured(
            'Nobody said where curlewd is: set CURLEW = {"URL": "fcgi+unix:/run/curlew/curlew.sock"'
            f"}} in settings.py, or the environment variable {ENVIRONMENT}."
        )
    return url


def bridge_url() -> str:
    """The daemon's FastCGI address, for the ASGI bridge."""
    return settings()["BRIDGE_URL"] or daemon_url()
