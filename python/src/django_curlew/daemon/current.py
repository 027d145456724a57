"""Which daemon to ask, where the caller names none.

    daemon.current()      what the settings or CURLEW_URL name; NotConfigured where nobody did
    daemon.using(other)   for a `with` block, something else: a test's replayer, another address

Settings are read by django_curlew.conf; this module keeps the Daemon made from them.
"""

from __future__ import annotations

import contextlib
from typing import Any, Iterator, List, Optional, Tuple, TypeVar

from .. import conf
from .client import Daemon

D = TypeVar("D", bound=Daemon)

_made: Optional[Tuple[Tuple[str, Optional[str]], Daemon]] = None
_made_of: Any = None  # conf's settings as they stood then, where these named the daemon
_instead: List[Daemon] = []


def current() -> Daemon:
    """The daemon to ask."""
    global _made, _made_of
    if _instead:
        return _instead[-1]
    if _made_of is not None and _made_of is conf.settings() and _made is not None:
        return _made[1]
    wanted = (conf.daemon_url(), conf.get("TOKEN"))
    made = _made
    if made is None or made[0] != wanted:
        _made = made = (wanted, Daemon(*wanted))
    settings = conf.settings()
    _made_of = settings if settings["URL"] else None  # else the environment may change its mind
    return made[1]


@contextlib.contextmanager
def using(other: D) -> Iterator[D]:
    """All threads and tasks of this process ask `other` meanwhile: a Daemon, or an object of a
    subclass whose exchange, open, aexchange and aopen do something else."""
    _instead.append(other)
    try:
        yield other
    finally:
        _instead.remove(other)
