"""Points in time until which the blocking client waits: time.monotonic(), or None for no limit."""

from __future__ import annotations

import time
from typing import Optional

from .errors import DaemonTimeout


def deadline_after(timeout: Optional[float]) -> Optional[float]:
    """The deadline in `timeout` seconds."""
    return None if timeout is None else time.monotonic() + timeout


def remaining(deadline: Optional[float]) -> Optional[float]:
    """Seconds until the deadline. Raises DaemonTimeout once it has passed."""
    if deadline is None:
        return None
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise DaemonTimeout("curlewd did not respond within the timeout")
    return seconds
