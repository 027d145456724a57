"""Request objects too large for a header: kept in the daemon first, for one hand-off, a minute."""

from __future__ import annotations

import json
from typing import Any, Optional

from . import daemon

ROUTE = "/v1/handoffs"
PATIENCE = 5.0  # seconds; the daemon only has to store it
JSON = (("Content-Type", "application/json"),)


class Refused(RuntimeError):
    """The daemon did not take it."""


def keep(told: str, asked: Optional[daemon.Daemon] = None) -> str:
    """What to call it by, "@…"."""
    try:
        how = _how(told)
        return _reference((asked or daemon.current()).exchange("POST", ROUTE, **how))
    except daemon.DaemonError as why:
        raise Refused(f"the request object could not be sent ahead: {why}") from why


async def keep_async(told: str, asked: Optional[daemon.Daemon] = None) -> str:
    """Likewise, on an event loop."""
    try:
        how = _how(told)
        return _reference(await (asked or daemon.current()).aexchange("POST", ROUTE, **how))
    except daemon.DaemonError as why:
        raise Refused(f"the request object could not be sent ahead: {why}") from why


def _how(told: str) -> Any:
    return {"headers": JSON, "body": told.encode(), "timeout": PATIENCE}


def _reference(reply: daemon.Response) -> str:
    try:
        said = json.loads(reply.body)
        if reply.status == 200:
            return str(said["reference"])
        raise Refused(f"the request object could not be sent ahead: {said['detail']}")
    except (ValueError, LookupError, TypeError):
        raise Refused(f"the request object was sent ahead, and answered {reply.status}") from None
