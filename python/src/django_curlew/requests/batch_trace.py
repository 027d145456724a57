"""The spans of a batch: one around it, and one for each of its requests, within it."""

from __future__ import annotations

import threading
from typing import Any, Dict, Optional, Sequence

from .. import context
from .prepared_request import PreparedRequest

LEFT = "cancelled"  # of requests whose results nobody has waited for


class BatchTrace:
    """Threads that send parts of one batch may use it at the same time. It begins with the first
    part that is sent, and ends with the last result."""

    def __init__(self, tracer: Any, requests: Sequence[PreparedRequest], max_parallel: int) -> None:
        self._tracer = tracer
        self._max_parallel = max_parallel
        self._count = len(requests)
        self._left = {id(request) for request in requests}  # without a result
        self._spans: Dict[int, Any] = {}  # those that have begun, of requests without a result
        self._span: Any = None
        self._failed = False
        self._lock = threading.Lock()

    def begin(self, requests: Sequence[PreparedRequest]) -> context.Headers:
        """These are sent now: each gets a span, and its trace context as keys. Returns the headers
        of the request for the batch."""
        with self._lock:
            if not self._left:  # abandoned, as this part was about to be sent
                return context.headers()
            if self._span is None:
                self._span = self._tracer.start_batch(self._count, self._max_parallel)
            for request in requests:
                url = request.keys["url"]
                span = self._tracer.start(request.method, url, parent=self._span)
                self._spans[id(request)] = span
                request.keys.update(self._tracer.trace_headers(span))
            headers: context.Headers = self._tracer.propagated(self._span)
            return headers

    def end(self, request: PreparedRequest, envelope: Dict[str, Any], error: Optional[str]) -> None:
        """There is a response, or an error. Only the first end of a request counts."""
        with self._lock:
            if id(request) not in self._left:
                return
            self._left.discard(id(request))
            span = self._spans.pop(id(request), None)
            if span is not None:
                self._failed |= error is not None
                self._tracer.end(span, envelope, error)
            if not self._left:
                self._end_batch()

    def abandon(self, requests: Sequence[PreparedRequest], error: str = LEFT) -> None:
        """The results that these do not have yet will not come."""
        for request in requests:
            self.end(request, {}, error)

    def _end_batch(self) -> None:
        span, self._span = self._span, None
        if span is not None:
            self._tracer.end_batch(span, self._failed)

    def __del__(self) -> None:
        """An iteration was dropped."""
        for span in self._spans.values():
            self._tracer.end(span, {}, LEFT)
        self._failed |= bool(self._spans)
        self._end_batch()
