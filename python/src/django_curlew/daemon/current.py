"""Which daemon to use if the caller names none.

    daemon.current()      that of the settings or CURLEW_URL; raises NotConfigured if neither is set
    daemon.using(other)   for a `with` block, another one: a fake in a test, another address

Settings are read by django_curlew.conf; this module caches the Daemon made from them.
"""

from __future__ import annotations

import contextlib
import os
from typing import Any, Iterator, List, NamedTuple, Optional, Tuple, TypeVar

from .. import conf
from . import unstubbed
from .client import Daemon
from .errors import AddressError

UNSTUBBED_URL = "fcgi+unix:/no-curlewd-is-set"

D = TypeVar("D", bound=Daemon)


class _Cached(NamedTuple):
    daemon: Daemon
    key: Tuple[str, Optional[str], bool]  # (URL, token, ROUTE)
    settings: Any  # the conf.settings() that it was made from; None: ask again
    variable: Optional[str]  # the URL of the environment; None: that of the settings


_cached: Optional[_Cached] = None
_overrides: List[Daemon] = []


def current() -> Daemon:
    """The Daemon of the settings. Raises conf.NotConfigured if there is no URL, or if it is not
    valid."""
    global _cached
    if _overrides:
        return _overrides[-1]
    cached = _cached
    if cached is not None and cached.settings is conf.settings():
        if cached.variable is None or cached.variable == os.environ.get(conf.ENV_VAR):
            return cached.daemon
    if unstubbed.allowed_by is not conf.cached and unstubbed.is_forbidden():
        return _make(conf.configured_url() or UNSTUBBED_URL)  # which says so when it is used
    settings: Any = conf.settings()
    variable = None if settings["URL"] else os.environ.get(conf.ENV_VAR)
    if not settings["URL"] and not variable:
        settings = None  # a daemon for development, which may end
    key = conf.daemon_url(), conf.get("TOKEN"), conf.get("ROUTE")
    daemon = cached.daemon if cached is not None and cached.key == key else _make(*key)
    _cached = _Cached(daemon, key, settings, variable)
    return daemon


def is_replaced() -> bool:
    """Does current() return a fake? It is meant for every request, to whatever address."""
    return bool(_overrides) and type(_overrides[-1]) is not Daemon


def _make(url: str, token: Optional[str] = None, sends_route: bool = False) -> Daemon:
    try:
        return Daemon(url, token, sends_route=sends_route)
    except AddressError as err:
        name = 'CURLEW["URL"]' if conf.get("URL") else conf.ENV_VAR
        raise conf.NotConfigured(f"{name}: {err}") from err


@contextlib.contextmanager
def using(other: D) -> Iterator[D]:
    """Within the block, current() returns `other`, in all threads and tasks of this process. It is
    a Daemon, or a subclass whose exchange, open, aexchange and aopen do something else."""
    _overrides.append(other)
    try:
        yield other
    finally:
        _overrides.remove(other)
