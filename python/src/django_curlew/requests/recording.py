"""Telling django_curlew.record of each fetch, if somebody reads a record or the log."""

from __future__ import annotations

import time
from typing import Any, TypeVar

from .. import record
from .prepared_request import PreparedRequest

T = TypeVar("T")


class FetchRecorder:
    """Records one fetch: `with FetchRecorder(prepared) as recorder: recorder.finish(response)`. An
    exception in the block is recorded as the fetch's error."""

    __slots__ = ("_prepared", "_record", "_start", "_response")

    def __init__(self, prepared: PreparedRequest) -> None:
        self._prepared = prepared
        self._record = record.current()
        self._start = time.perf_counter() if self._record is not None else 0.0
        self._response: Any = None

    def __enter__(self) -> "FetchRecorder":
        return self

    def finish(self, response: T) -> T:
        """The response to record; it is returned."""
        self._response = response
        return response

    def __exit__(self, _: Any, err: Any, __: Any) -> None:
        if self._record is not None:
            record_fetch(self._record, self._prepared, self._start, self._response, err)


def record_fetch(
    target: record.Record, prepared: PreparedRequest, start: float, response: Any, err: Any
) -> None:
    """Add a fetch to a record. `start`: time.perf_counter() when it started; `err`: the exception
    if there is no response."""
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
