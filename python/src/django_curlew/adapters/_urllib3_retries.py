"""A urllib3.Retry as the `retries` of a request object: the daemon retries.

Differences: waits are random, at most as long as urllib3's; a Retry-After over backoff_max ends the
retries; statuses outside of status_forcelist are not retried, also with a Retry-After.

The daemon is not asked for what it has no words for: different counts for connecting, reading and
statuses, statuses that are no errors, and subclasses of Retry, whose own methods decide. The pool
then retries by itself, as urllib3's does.
"""

from __future__ import annotations

from typing import Any, Dict, Optional

from urllib3.util.retry import Retry

MAX_RETRIES = 100  # the daemon's most
MAX_SECONDS = 3600  # likewise
STATUSES = frozenset(range(400, 600))  # after which the daemon can retry
NONE = {"max": 0}
KINDS = ("connect", "read", "status")


def to_keys(retries: Any, method: str) -> Optional[Dict[str, Any]]:
    """The value of `retries`. None: nobody asked for any, so the daemon's session decides. NONE:
    there are none, or the pool makes them."""
    if type(retries) is not Retry:
        return NONE
    if retries.total == 0 and retries.read is False:
        return None  # what HTTPAdapter() makes of its default
    counts = {kind: _count(retries.total, getattr(retries, kind)) for kind in KINDS}
    statuses = sorted(set(retries.status_forcelist or ()))
    if not statuses:
        counts["status"] = 0
    if retries.allowed_methods and method.upper() not in retries.allowed_methods:
        counts["read"] = counts["status"] = 0
    kinds = [kind for kind in KINDS if counts[kind] > 0]
    if len({counts[kind] for kind in kinds}) != 1:
        return NONE
    if "status" in kinds and not STATUSES.issuperset(statuses):
        return NONE  # 202, say: not ready yet
    return {
        "max": counts[kinds[0]],
        "on": kinds,
        "statuses": statuses,
        "methods": [method],
        "backoff": _seconds(retries.backoff_factor),
        "max_backoff": _seconds(getattr(retries, "backoff_max", 120)),  # urllib3 1.26 has none
        "respect_retry_after": bool(retries.respect_retry_after_header),
    }


def used_up(retries: Any) -> Retry:
    """The same after the last retry, so that increment() raises as urllib3 would then."""
    names = ("connect", "read", "status", "other")
    counts = {name: 0 for name in names if getattr(retries, name) not in (None, False)}
    total = False if retries.total is False else 0
    return retries.new(total=total, **counts)


def _count(total: Any, count: Any) -> int:
    """Of one kind; None is no limit."""
    known = [int(value) for value in (total, count) if value is not None]
    return max(0, min([MAX_RETRIES, *known]))


def _seconds(value: float) -> float:
    return min(max(0.0, float(value)), MAX_SECONDS)
