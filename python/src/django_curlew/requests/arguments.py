"""What Session.request() and AsyncSession.request() do with their arguments."""

from __future__ import annotations

from typing import Any, Dict

from .exceptions import Unsupported
from .parameters import NOT_SET


def collect_arguments(kwargs: Any, *, timeout: Any, **arguments: Any) -> Dict[str, Any]:
    """All arguments of a request by name, without those that were not given: None for most,
    NOT_SET for `timeout`, where None has a meaning."""
    named: Dict[str, Any] = dict(kwargs)
    for name, value in arguments.items():
        if value is not None:
            named[name] = value
    if timeout is not NOT_SET:
        named["timeout"] = timeout
    return named


def websockets_unsupported() -> Unsupported:
    """The exception of ws_connect()."""
    return Unsupported("the daemon does not support WebSockets; use the `websockets` package")
