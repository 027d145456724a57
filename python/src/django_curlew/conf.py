"""Settings: `CURLEW = {"URL": …}` in settings.py, the environment variable CURLEW_URL, defaults.

    conf.daemon_url()     the daemon's URL; raises NotConfigured if it is not set
    conf.get("HANDOFF")   any other setting; raises NotConfigured if its value can't be used

Django need not be installed, nor its settings be configured: then only the environment counts.
Settings are read on their first use and cached until a setting changes, so that tests may use
`override_settings`.
"""

from __future__ import annotations

import os
import warnings
from typing import Any, Dict, NamedTuple, Optional

from . import setting_values
from .not_configured import NotConfigured as NotConfigured

ENV_VAR = "CURLEW_URL"

# Every setting and its default; checks.py reports unknown ones.
DEFAULTS: Dict[str, Any] = {
    # The daemon: "fcgi+unix:/run/curlew/curlew.sock", "fcgi://HOST:PORT", or by HTTP through the
    # web server, "http://127.0.0.1:8080/_fetch", "http+unix:/PATH:/_fetch".
    "URL": None,
    # A bearer token, if the daemon requires one.
    "TOKEN": None,
    # Send Curlew-Route, by which a balancer chooses one of several daemons: docs/scaling.md.
    "ROUTE": False,
    # The daemon's FastCGI address for the ASGI bridge, if URL is not one.
    "BRIDGE_URL": None,
    # The web server's internal location for handoffs (examples/nginx/nginx.conf).
    "HANDOFF": "/_handoff/",
    # Keep a record of each request's fetches: record.py.
    "RECORD": False,
    # The header with the request id, in requests and in responses.
    "REQUEST_ID_HEADER": "X-Request-ID",
    # With DEBUG, a curlewd is started if no URL is set: True, False, or the configuration to start
    # it with (the object of curlewd.json).
    "EMBEDDED": True,
    # The program that it starts.
    "CURLEWD": "curlewd",
    # The site's public URLs, for `check --deploy`: ["https://www.example.org"]. None: made from
    # ALLOWED_HOSTS.
    "SITE_URLS": None,
    # In the settings of a test suite: a fetch that no stub answers is an error (testing/).
    "FORBID_UNSTUBBED": False,
    # Warn if a session's cookies, written in one request, are sent in another: shared_jar.py.
    "SHARED_JAR_WARNING": True,
}

# Former names, which still work until version 0.3; checks.py warns about them.
RENAMED = {"HAND_OFF": "HANDOFF"}

# Former settings without an effect, ignored until version 0.3; checks.py warns about them.
REMOVED = ("HANDOFF_INLINE", "HAND_OFF_INLINE")


class Secret(str):
    """A token. Django hides the setting in its reports of errors, and the variables of tracebacks
    are shown by their repr."""

    def __repr__(self) -> str:
        return "'***'"


class Loaded(NamedTuple):
    """The settings as they were read."""

    values: Dict[str, Any]
    problems: Dict[str, str]  # by key: what is wrong with its value; ANY_KEY: with all of CURLEW


ANY_KEY = ""
cached: Optional[Loaded] = None  # for those who remember what they concluded from it


def project_settings() -> Any:
    """The project's CURLEW as it is written; {} if there is none."""
    try:
        from django.conf import settings
        from django.core.exceptions import ImproperlyConfigured
    except ImportError:
        return {}
    try:
        return getattr(settings, "CURLEW", {})
    except ImproperlyConfigured:  # no settings module: not a Django process
        if os.environ.get("DJANGO_SETTINGS_MODULE"):
            raise
        return {}


def _load() -> Loaded:
    written = project_settings()
    problem = setting_values.problem_of_whole(written)
    if problem:
        return Loaded(dict(DEFAULTS), {ANY_KEY: problem})
    found = dict(written)
    for old, new in RENAMED.items():
        if old in found:
            text = f"CURLEW[{old!r}] is now CURLEW[{new!r}]; the old name works until version 0.3"
            warnings.warn(text, DeprecationWarning, stacklevel=2)
            found.setdefault(new, found.pop(old))
    for name in REMOVED:
        found.pop(name, None)
    if isinstance(found.get("TOKEN"), str):
        found["TOKEN"] = Secret(found["TOKEN"])
    problems = {key: setting_values.problem_of_value(key, value) for key, value in found.items()}
    return Loaded({**DEFAULTS, **found}, {key: text for key, text in problems.items() if text})


def _loaded() -> Loaded:
    global cached
    current = cached
    if current is None:
        cached = current = _load()
    return current


def reload(**_: Any) -> None:
    """Forget the cached settings. Called when a Django setting changes."""
    global cached
    cached = None


def settings() -> Dict[str, Any]:
    """All settings with their values, as they are written: get() checks them. The dict is cached:
    do not change it."""
    return _loaded().values


def get(name: str) -> Any:
    """The value of a setting, by its name in CURLEW. Raises NotConfigured if it can't be used."""
    values, problems = _loaded()
    if problems:
        text = problems.get(ANY_KEY) or problems.get(name)
        if text:
            raise NotConfigured(text)
    return values[name]


def is_valid() -> bool:
    """Can all settings be used? Else check_settings reports those that can't."""
    return not _loaded().problems


def configured_url() -> Optional[str]:
    """The daemon's URL; None if it is not set."""
    return get("URL") or os.environ.get(ENV_VAR) or None


def daemon_url() -> str:
    """The daemon's URL: the one that is set, or that of the curlewd for development, which is
    started if it does not run. Raises NotConfigured if there is none."""
    url = configured_url()
    if not url:
        from . import embedded  # it needs this module

        url = embedded.development_url()
    if not url:
        raise NotConfigured(
            f'CURLEW["URL"] is not set: set {setting_values.EXAMPLE}'
            f" in settings.py, or the environment variable {ENV_VAR}.{_misspelt()}"
        )
    return url


def _misspelt() -> str:
    """A hint, if an unknown key looks like "URL"."""
    unknown = sorted(str(key) for key in settings() if key not in DEFAULTS)
    found = [key for key in unknown if setting_values.similar(key) == "URL"]
    return f' CURLEW[{found[0]!r}] is not known; did you mean "URL"?' if found else ""


def bridge_url() -> str:
    """The daemon's FastCGI address for the ASGI bridge. Raises NotConfigured if there is none."""
    return get("BRIDGE_URL") or daemon_url()
