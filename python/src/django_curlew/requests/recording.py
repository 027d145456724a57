"""Telling django_curlew.record of each fetch, if somebody reads a record or the log."""

from __future__ import annotations

import time
from typing import Any, Dict, Optional, Tuple, TypeVar

from .. import context, record
from .exceptions import RequestException
from .prepared_request import PreparedRequest

T = TypeVar("T")


class FetchRecorder:
    """Records one fetch: `with FetchRecorder(prepared) as recorder: recorder.finish(response)`. An
    exception in the block is recorded as the fetch's error. A stream goes on after the block."""

    __slots__ = ("_prepared", "_record", "_start", "_response", "_tracer", "_span", "_attached")

    def __init__(self, prepared: PreparedRequest) -> None:
        self._prepared = prepared
        self._record = record.current()
        self._start = time.perf_counter() if self._record is not None else 0.0
        self._response: Any = None
        self._tracer = record.tracer
        self._span: Any = None

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
        response, fetch = self._response, None
        if self._tracer is not None:
            context.detach(self._attached)
        if self._record is not None:
            kind = "stream" if self._prepared.streams else "fetch"
            fetch = _fetch(self._record, self._prepared, self._start, response, err, kind)
        if response is not None and self._prepared.stream:
            end = StreamEnd(self._tracer, self._span, response.envelope, fetch, self._start)
            response.on_stream_end(end)
        elif self._tracer is not None:
            self._tracer.end(self._span, *_outcome(response, err))
        if self._record is not None and fetch is not None:
            self._record.add(fetch)


class StreamEnd:
    """What is known of a stream's fetch once it has ended: by its last byte, a failure, close(), or
    because nobody refers to it any more."""

    __slots__ = ("_tracer", "_span", "_envelope", "_fetch", "_start", "_ended")

    def __init__(
        self,
        tracer: Any,
        span: Any,
        envelope: Dict[str, Any],
        fetch: Optional[record.Fetch],
        start: float,
    ) -> None:
        self._tracer = tracer
        self._span = span
        self._envelope = envelope
        self._fetch = fetch
        self._start = start
        self._ended = False

    def __call__(self, err: Optional[BaseException] = None) -> None:
        if self._ended:
            return
        self._ended = True
        error = error_code(err) if err is not None else None
        if self._fetch is not None:
            self._fetch.seconds = time.perf_counter() - self._start
            self._fetch.error = error
        if self._tracer is not None:
            self._tracer.end(self._span, self._envelope, error)

    def __del__(self) -> None:
        self()


def record_fetch(
    target: record.Record, prepared: PreparedRequest, start: float, response: Any, err: Any
) -> None:
    """Add a fetch of a batch to a record. `start`: time.perf_counter() when it started; `err`: the
    exception if there is no response."""
    target.add(_fetch(target, prepared, start, response, err, "batch"))


def _outcome(response: Any, err: Any) -> Tuple[Dict[str, Any], Optional[str]]:
    """The envelope, and the error if there is no response."""
    if response is not None:
        return response.envelope, None
    return {}, error_code(err)


def _fetch(
    target: record.Record,
    prepared: PreparedRequest,
    start: float,
    response: Any,
    err: Any,
    kind: str,
) -> record.Fetch:
    told = response
    if told is None and isinstance(err, RequestException):  # not another library's, of a callback
        told = err.response
    envelope = getattr(told, "envelope", None) or {}
    return record.Fetch(
        method=prepared.method,
        url=record.redact_url(prepared.keys["url"]),
        status=envelope.get("status") or None,
        error=None if response is not None else error_code(err),
        start=start - target.start,
        seconds=time.perf_counter() - start,
        bytes=envelope.get("body_bytes"),
        reused=envelope.get("connection", {}).get("reused"),
        tag=prepared.keys.get("tag"),
        session=prepared.keys.get("session", "default"),
        attempts=envelope.get("attempts") or 1,
        kind=kind,
        timing=dict(envelope.get("timing") or {}),
    )


def error_code(err: Any) -> str:
    """The code of an exception of ours; the name of another one."""
    code = err.reason if isinstance(err, RequestException) else None
    return code or type(err).__name__
