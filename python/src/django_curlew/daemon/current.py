"""Which daemon to use if the caller names none.

    daemon.current()      that of the settings or CURLEW_URL; raises NotConfigured if neither is set
    daemon.using(other)   for a `with` block, another one: a fake in a test, another address

Settings are read by django_curlew.conf; this module caches the Daemon made from them.
"""

from __future__ import annotations

import contextlib
from typing import Any, Iterator, List, Optional, Tuple, TypeVar

from .. import conf
from .client import Daemon

D = TypeVar("D", bound=Daemon)

_cached: Optional[Tuple[Tuple[str, Optional[str]], Daemon]] = None  # ((URL, token), Daemon)
_cached_settings: Any = None  # the conf.settings() it was made from, if these have the URL
_overrides: List[Daemon] = []


def current() -> Daemon:
    """The Daemon of the settings. Raises conf.NotConfigured if there is no URL, AddressError if it
    is not valid."""
    global _cached, _cached_settings
    if _overrides:
        return _overrides[-1]
    if (
        _cached_settings is not None
        and _cached_settings is conf.settings()
        and _cached is not None
    ):
        return _cached[1]
    url, token = conf.daemon_url(), conf.get("TOKEN")
    cached = _cached
    if cached is None or cached[0] != (url, token):
        _cached = cached = ((url, token), Daemon(url, token))
    settings = conf.settings()
    _cached_settings = settings if settings["URL"] else None  # else the environment may change
    return cached[1]


@contextlib.contextmanager
def using(other: D) -> Iterator[D]:
    """Within the block, current() returns `other`, in all threads and tasks of this process. It is
    a Daemon, or a subclass whose exchange, open, aexchange and aopen do something else."""
    _overrides.append(other)
    try:
        yield other
    finally:
        _overrides.remove(other)
