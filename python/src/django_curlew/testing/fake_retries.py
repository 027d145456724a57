"""Retries as the daemon does them (docs/resilience.md), without the waits and the retry budget."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import Any, Dict, List, Optional

from .fake import FakeResult, RequestObject

METHODS = ("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE")
STATUSES = (429, 502, 503, 504)
MAX_BACKOFF = 10.0  # seconds, as the next one
TOTAL_TIMEOUT = 30.0
KIND_OF_CODE = {
    **dict.fromkeys(("dns_failed", "connect_failed", "connect_timeout", "proxy_failed"), "connect"),
    **dict.fromkeys(("idle_timeout", "send_failed", "recv_failed", "incomplete_body"), "read"),
}
# The request was sent before these; so it was if there is a response.
AFTER_SENDING = ("idle_timeout", "incomplete_body", "recv_failed", "send_failed", "timeout")
# With one of the statuses it does not matter what is wrong with the body.
OF_THE_BODY = ("protocol_error", "response_too_large")


class Retries:
    """Those of one fetch. `attempts`: how often its requests went out, of all hops."""

    def __init__(self, request: RequestObject) -> None:
        given, timeout = request.get("retries", 0), request.get("timeout", TOTAL_TIMEOUT)
        keys: Dict[str, Any] = given if isinstance(given, dict) else {"max": given}
        self.attempts = 1
        self._most = keys["max"]
        self._methods = keys.get("methods", METHODS)
        self._statuses = keys.get("statuses", STATUSES)
        self._kinds = keys.get("on", ("connect", "read", "status"))
        self._heeds_retry_after = keys.get("respect_retry_after", True)
        total = timeout.get("total", TOTAL_TIMEOUT) if isinstance(timeout, dict) else timeout
        self._longest_wait = min(keys.get("max_backoff", MAX_BACKOFF), total)

    def try_again(self, method: str, result: FakeResult) -> bool:
        """Is the hop, whose attempt had this result, sent again? Then it is counted."""
        if self.attempts > self._most or method not in self._methods:
            return False
        if not self._is_retried(result) or self._retry_after(result) > self._longest_wait:
            return False
        self.attempts += 1
        return True

    def counted(self, result: FakeResult) -> FakeResult:
        """The result, with `attempts` in a failure after the request was sent."""
        problem = result.problem
        if problem and (
            result.envelope or "response" in problem or problem["code"] in AFTER_SENDING
        ):
            problem["attempts"] = self.attempts
        return result

    def _is_retried(self, result: FakeResult) -> bool:
        code = result.problem["code"] if result.problem else None
        if code is None or (result.envelope and code in OF_THE_BODY):
            return self._has_retried_status(result)
        return KIND_OF_CODE.get(code) in self._kinds

    def _has_retried_status(self, result: FakeResult) -> bool:
        return "status" in self._kinds and result.envelope.get("status") in self._statuses

    def _retry_after(self, result: FakeResult) -> float:
        """Seconds; 0 if the response does not say, or it does not matter."""
        if not self._has_retried_status(result) or not self._heeds_retry_after:
            return 0
        headers = result.envelope["headers"]
        values = [_seconds(v, headers) for n, v in headers if n.lower() == "retry-after"]
        return next((seconds for seconds in values if seconds is not None), 0)


def _seconds(value: str, headers: List[List[str]]) -> Optional[float]:
    """Of a Retry-After, whose date counts from the response's own; None: malformed."""
    if value.isascii() and value.isdigit():
        return int(value)
    until = _timestamp(value)
    if until is None:
        return None
    sent = next((_timestamp(v) for n, v in headers if n.lower() == "date"), None)
    return max(until - (time.time() if sent is None else sent), 0)


def _timestamp(date: str) -> Optional[float]:
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError):
        return None
