"""Telling django_curlew.record of each fetch, if somebody reads a record or the log."""

from __future__ import annotations

import time
from typing import Any, Dict, Optional, Tuple, TypeVar

from .. import context, record
from .prepared_request import PreparedRequest

T = TypeVar("T")


class FetchRecorder:
    """Records one fetch: `with FetchRecorder(prepared) as recorder: recorder.finish(response)`. An
    exception in the block is recorded as the fetch's error."""

    __slots__ = ("_prepared", "_record", "_start", "_response", "_tracer", "_span", "_attached")

    def __init__(self, prepared: PreparedRequest) -> None:
        self._prepared = prepared
        self._record = record.current()
        self._start = time.perf_counter() if self._record is not None else 0.0
        self._response: Any = None
        self._tracer = record.tracer

    def __enter__(self) -> "FetchRecorder":
        if self._tracer is not None:
            self._span = self._tracer.start(self._prepared.method, self._prepared.keys["url"])
            self._attached = self._tracer.attach(self._span)
        return self

    def finish(self, response: T) -> T:
        """The response to record; it is returned."""
        self._response = response
        return response

    def __exit__(self, _: Any, err: Any, __: Any) -> None:
        if self._tracer is not None:
            context.detach(self._attached)
            self._tracer.end(self._span, *_outcome(self._response, err))
        if self._record is not None:
            _add(self._record, self._prepared, self._start, self._response, err)


def record_fetch(
    target: record.Record, prepared: PreparedRequest, start: float, response: Any, err: Any
) -> None:
    """Add a fetch of a batch to a record, and to the trace. `start`: time.perf_counter() when it
    started; `err`: the exception if there is no response."""
    if record.tracer is not None:
        seconds_ago = time.perf_counter() - start
        span = record.tracer.start(prepared.method, prepared.keys["url"], seconds_ago)
        record.tracer.end(span, *_outcome(response, err))
    _add(target, prepared, start, response, err)


def _outcome(response: Any, err: Any) -> Tuple[Dict[str, Any], Optional[str]]:
    """The envelope, and the error if there is no response."""
    if response is not None:
        return response.envelope, None
    return {}, _error_code(err)


def _add(
    target: record.Record, prepared: PreparedRequest, start: float, response: Any, err: Any
) -> None:
    envelope = response.envelope if response is not None else {}
    target.add(
        record.Fetch(
            method=prepared.method,
            url=record.redact_url(prepared.keys["url"]),
            status=envelope.get("status"),
            error=None if response is not None else _error_code(err),
            start=start - target.start,
            seconds=time.perf_counter() - start,
            bytes=envelope.get("body_bytes"),
            reused=envelope.get("connection", {}).get("reused"),
            tag=prepared.keys.get("tag"),
        )
    )


def _error_code(err: Any) -> str:
    return getattr(err, "reason", None) or type(err).__name__
