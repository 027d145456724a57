"""In a test suite that forbids it, nothing is sent to a daemon.

CURLEW["FORBID_UNSTUBBED"] does so, or pytest's plugin (testing/pytest_plugin.py). A fake daemon of
django_curlew.testing sends nothing, so it is not concerned.

Each request asks whether it is forbidden, so the answer "no" is remembered: `allowed_by` is the
conf.cached that gave it, and what changes the answer replaces one of them.

    if unstubbed.allowed_by is not conf.cached:
        unstubbed.check(…)
"""

from __future__ import annotations

import contextlib
import contextvars
import json
import sys
from typing import Any, Iterator, List, Mapping, Optional

from .. import conf

MAX_REFUSALS = 100  # that are remembered

_forced: Optional[bool] = None  # what forbid() says; None: the setting decides
_UNDECIDED = object()
allowed_by: object = _UNDECIDED
_exempt: contextvars.ContextVar[bool] = contextvars.ContextVar("curlew_exempt", default=False)
_refusals: List[str] = []


class Unstubbed(AssertionError):
    """A fetch of a test that no stub answers."""


def is_forbidden() -> bool:
    """May nothing be sent to a daemon?"""
    if _exempt.get():
        return False
    return _forced if _forced is not None else _is_forbidden_by_setting()


def _is_forbidden_by_setting() -> bool:
    # None also while another thread imports it.
    settings = getattr(sys.modules.get("django.conf"), "settings", None)
    is_configured = settings is not None and settings.configured
    return is_configured and conf.settings()["FORBID_UNSTUBBED"] is True


def check(url: str, route: str, body: Any, params: Optional[Mapping[str, str]]) -> None:
    """Raise Unstubbed if a request to the daemon at `url` is forbidden; it is remembered, because
    the code that is tested may catch it."""
    loaded = conf.cached
    if not is_forbidden():
        _remember(loaded)
        return
    what = _describe(route, body, params)
    if len(_refusals) < MAX_REFUSALS:
        _refusals.append(what)
    raise Unstubbed(
        f"{what}, and no stub answers it: this test suite forbids that (FORBID_UNSTUBBED). Use"
        " `with override_curlew() as curlew: curlew.on(URL, json=…)` of django_curlew.testing. That"
        f" replaces the daemon of the settings; this request was for {url}."
    )


def _remember(loaded: Optional[conf.Loaded]) -> None:
    """Nothing is forbidden, maybe by these settings: then it need not be asked again."""
    global allowed_by
    if loaded is None or _forced is not None or _exempt.get():
        return
    allowed_by = loaded
    if _forced is not None:  # by another thread, meanwhile
        allowed_by = _UNDECIDED


def _describe(route: str, body: Any, params: Optional[Mapping[str, str]]) -> str:
    """What the request is for."""
    text = (params or {}).get("CURLEW_REQUEST") or body
    text = json.dumps(getattr(body, "request_object", None) or {}) if not text else text
    try:
        document = json.loads(text)
        requests = document.get("requests") or [document]
        urls = [f"{each.get('method', 'GET')} {each['url']}" for each in requests]
    except (ValueError, TypeError, LookupError, AttributeError):
        return f"the code under test asks curlewd for {route or 'a handoff'}"
    return f"the code under test fetches {', '.join(urls)}"


@contextlib.contextmanager
def forbid(forbidden: Optional[bool]) -> Iterator[None]:
    """For a block: True or False, whatever the setting says; None leaves it to the setting."""
    before = _forced
    _force(forbidden)
    try:
        yield
    finally:
        _force(before)


def _force(forbidden: Optional[bool]) -> None:
    global _forced, allowed_by
    _forced, allowed_by = forbidden, _UNDECIDED


@contextlib.contextmanager
def exempt() -> Iterator[None]:
    """For a block of one thread or task: it may be sent, for a tape that is recorded."""
    token = _exempt.set(True)
    try:
        yield
    finally:
        _exempt.reset(token)


def take_refusals() -> List[str]:
    """What was refused since the last call."""
    taken = list(_refusals)
    _refusals.clear()
    return taken
