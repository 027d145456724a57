"""Many fetches by one request to the daemon: `…/v1/batch`, and the frames of its response."""

from __future__ import annotations

import copy
import math
import time
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Dict,
    Generic,
    Iterator,
    List,
    Optional,
    Sequence,
    Tuple,
)

from .. import ca_bundle, context, daemon, record
from ..json_codec import dumps, loads
from . import problem
from .base_session import FRAMES as FRAMES_TYPE
from .base_session import R, check_status, error_from_problem, make_response
from .batch_trace import BatchTrace
from .exceptions import DaemonError, RequestException
from .models import Response
from .parameters import GRACE
from .prepared_request import BATCH, COMMON_KEYS, FRAMES, PreparedRequest
from .recording import error_code, record_fetch
from .request_template import RequestsOfUrls, RequestTemplate, template_of

if TYPE_CHECKING:
    from .base_session import BaseSession

Keys = Dict[str, Any]

MAX_PARALLEL = 1000  # the daemon's limit
MAX_LINE_BYTES = 8 << 20  # an envelope without its body: heads of at most 100 hops of 256 KiB


def prepare_one(session: "BaseSession[Any]", request: Any) -> PreparedRequest:
    """A request of gather()'s list: a URL, (method, url[, parameters]) or a dict."""
    if isinstance(request, str):
        return PreparedRequest(session, "GET", request, {})
    if isinstance(request, dict):
        kwargs = dict(request)
        method, url = kwargs.pop("method", "GET"), kwargs.pop("url")
    else:
        method, url, *rest = request
        kwargs = dict(rest[0]) if rest else {}
    prepared = PreparedRequest(session, method, url, kwargs)
    if prepared.streams:
        raise ValueError("a request of a batch can't be streamed")
    prepared.read_body()
    return prepared


def prepare_all(
    session: "BaseSession[Any]", requests: Any
) -> Tuple[Sequence[PreparedRequest], Optional[RequestTemplate]]:
    """All requests of the list, and their template, if they all have one. Raises TypeError for a
    single URL."""
    if isinstance(requests, (str, bytes, dict)):  # else each of its letters would be fetched
        raise TypeError(f"a list of requests is needed, not the {type(requests).__name__}")
    template = template_of(session, {})
    requests = list(requests)
    if template is not None and set(map(type, requests)) == {str}:
        return RequestsOfUrls(template, requests), template
    all_prepared: List[PreparedRequest] = []
    of_all = template
    for request in requests:
        if template is not None and isinstance(request, str):
            all_prepared.append(template.prepare(request))
        else:
            of_all = None
            all_prepared.append(prepare_one(session, request))
    return all_prepared, of_all


class Batch(Generic[R]):
    """The request for a batch, and a parser for its response. `timeout` is in seconds."""

    def __init__(self, session: "BaseSession[R]", requests: Any, max_parallel: int) -> None:
        if max_parallel < 1:
            raise ValueError("max_parallel must be at least 1")
        self._session = session
        self.requests, self._template = prepare_all(session, requests)
        self.max_parallel = min(max_parallel, MAX_PARALLEL)
        self.route: Tuple[Tuple[str, str], ...] = ()  # the header, if all have the same key
        self._pieces: List[bytes] = []  # of an incomplete frame
        self._buffered_bytes = 0
        self._needed_bytes = 1  # parse again once so many are buffered
        self._envelope: Keys = {}  # of the incomplete frame, once its line is complete
        self._missing = set(range(len(self.requests)))
        self._failures = 0
        self._record = record.current()
        # Then a response needs nothing but Response.loaded(), unless it sets cookies.
        self._is_plain = (
            self._record is None
            and session.response_class is Response
            and not session.debug
            and not session.raise_for_status
            and record.tracer is None
        )
        self._start = time.perf_counter()
        self._trace: Optional[BatchTrace] = None
        if record.tracer is not None and self.requests:
            self.requests = list(self.requests)
            self._trace = BatchTrace(record.tracer, self.requests, self.max_parallel)
            self._template = None  # each request has a trace context of its own
        self._of_response = _of_response(self.requests)

    def part(self, indices: List[int], max_parallel: int) -> "Batch[R]":
        """A batch of these requests alone, as indices of this one's. Before either is sent."""
        part = copy.copy(self)
        part.requests = [self.requests[index] for index in indices]
        part._of_response = _of_response(part.requests)
        part.max_parallel, part._pieces, part._envelope = max_parallel, [], {}
        part._missing = set(range(len(indices)))
        return part

    @property
    def missing(self) -> List[int]:
        """The indices of the requests that have no result yet."""
        return sorted(self._missing)

    def to_json(self) -> bytes:
        """The body of the request to the daemon."""
        if self._template is not None:
            encoded: bytes = self._template.batch(self.requests, self.max_parallel)
            return encoded
        first = self.requests[0].keys
        defaults = {k: v for k, v in first.items() if k in COMMON_KEYS and self._all_have(k, v)}
        # Certificates are sent in full: a batch is read while it is answered, too late to ask.
        document = {
            "requests": [
                ca_bundle.in_full({k: v for k, v in request.keys.items() if k not in defaults})
                for request in self.requests
            ],
            "defaults": ca_bundle.in_full(defaults),
            "max_parallel": self.max_parallel,
        }
        return dumps(document)

    @property
    def timeout(self) -> float:
        rounds = math.ceil(len(self.requests) / self.max_parallel)
        return max(request.timeout for request in self._alike()) * rounds + GRACE

    @property
    def idempotent(self) -> bool:
        return all(request.idempotent for request in self._alike())

    def _alike(self) -> Sequence[PreparedRequest]:
        """Those to look at for what may differ: one of a template's."""
        return self.requests if self._template is None else [self.requests[0]]

    def _all_have(self, key: str, value: Any) -> bool:
        return all(request.keys.get(key) == value for request in self.requests)

    def feed(self, piece: bytes) -> Iterator[Tuple[int, Any]]:
        """Parse the next bytes of the response: (index, response or exception) of each frame that
        is complete now."""
        self._pieces.append(piece)
        self._buffered_bytes += len(piece)
        if self._buffered_bytes < self._needed_bytes:
            return
        data = piece if len(self._pieces) == 1 else b"".join(self._pieces)
        at = 0
        while True:
            if not self._envelope:
                end = data.find(b"\n", at)
                if end < 0:
                    self._needed_bytes = len(data) - at + 1
                    break
                self._envelope = _parse_envelope(data[at:end])
                at = end + 1
            end = at + self._envelope["body_bytes"]
            if len(data) <= end:
                self._needed_bytes = end + 1 - at
                break
            envelope, self._envelope = self._envelope, {}
            yield self._result(envelope, data[at:end])
            at = end + 1
        self._pieces, self._buffered_bytes = [data[at:]], len(data) - at
        if not self._envelope and self._buffered_bytes > MAX_LINE_BYTES:
            raise DaemonError(
                f"invalid response of curlewd: a line of more than {MAX_LINE_BYTES} bytes"
            )

    def _result(self, envelope: Keys, content: bytes) -> Tuple[int, Any]:
        index = envelope["index"]
        try:
            self._missing.remove(index)
        except KeyError:
            raise DaemonError(
                f"invalid response of curlewd: request {index} of the batch is unknown or repeated"
            ) from None
        if self._is_plain and envelope["ok"] and not envelope.get("cookies"):
            return index, Response.loaded(envelope, self._of_response(index), content)
        request, session, response = self.requests[index], self._session, None
        try:
            if not envelope["ok"]:
                raise error_from_problem(session, request, envelope["error"])
            response = make_response(session, request, envelope, content)
            if session.raise_for_status:
                check_status(session, response)
        except RequestException as err:
            self._failures += 1
            self._ended(request, response, err)
            return index, err
        self._ended(request, response, None)
        return index, response

    def _ended(self, request: PreparedRequest, response: Any, err: Any) -> None:
        if self._trace is not None:
            envelope = response.envelope if response is not None else {}
            self._trace.end(request, envelope, None if response is not None else error_code(err))
        if self._record is not None:
            record_fetch(self._record, request, self._start, response, err)

    def __enter__(self) -> "Batch[R]":
        return self

    def __exit__(self, _: Any, err: Optional[BaseException], __: Any) -> None:
        self.abandon(err)

    def abandon(self, err: Optional[BaseException] = None) -> None:
        """There will be no more results: of an error, or because nobody waits for them."""
        if self._trace is not None and self._missing:
            names = (error_code(err),) if isinstance(err, Exception) else ()
            self._trace.abandon([self.requests[index] for index in self.missing], *names)

    def options(self) -> Any:
        """The arguments of Daemon.open() and aopen(), beside method and route: it is sent now."""
        trace = context.headers() if self._trace is None else self._trace.begin(self.requests)
        return {
            "headers": FRAMES,
            "body": self.to_json(),
            "trace": trace + self.route,
            "timeout": self.timeout,
            "idempotent": self.idempotent,
        }

    def check_complete(self) -> None:
        """The response has ended: raise DaemonError if a result is missing."""
        if self._missing or self._buffered_bytes:
            raise DaemonError(
                f"incomplete response of curlewd: {len(self._missing)} results of the batch are"
                " missing"
            )

    def results(self, response: daemon.Response, return_exceptions: bool) -> List[R]:
        """The responses of gather(), in order."""
        if response.status != 200 or FRAMES_TYPE not in response.head:
            raise problem.from_response(response)
        results: List[Any] = [None] * len(self.requests)
        at, data, size = 0, response.body, len(response.body)
        while (end := data.find(b"\n", at)) >= 0:  # as feed(), for a whole response
            envelope = _parse_envelope(data[at:end])
            at = end + 1
            end = at + envelope["body_bytes"]
            if end >= size:
                break
            index, results[index] = self._result(envelope, data[at:end])
            at = end + 1
        self._buffered_bytes = size - at
        self.check_complete()
        return checked(results, return_exceptions or not self._failures)


def _of_response(requests: Sequence[PreparedRequest]) -> Callable[[int], Any]:
    """By the index: what the response keeps of its request."""
    if isinstance(requests, RequestsOfUrls):
        return requests.of_response
    return requests.__getitem__


def in_order(found: Dict[int, Any], return_exceptions: bool) -> List[Any]:
    """gather()'s results, by their index. Raises the first exception, unless return_exceptions."""
    return checked([found[index] for index in sorted(found)], return_exceptions)


def checked(results: List[Any], return_exceptions: bool) -> List[Any]:
    """gather()'s results. Raises the first exception, unless return_exceptions."""
    if not return_exceptions:
        for result in results:
            if isinstance(result, BaseException):
                raise result
    return results


def _is_batch(response: Any) -> bool:
    """Else it is an error of the daemon's, or of another server."""
    return bool(response.status == 200 and response.header("content-type") == daemon.FRAMES)


def _parse_envelope(line: bytes) -> Keys:
    try:
        envelope = loads(line)
        if envelope["body_bytes"] >= 0:
            return envelope  # type: ignore[no-any-return]
    except (ValueError, TypeError, LookupError):
        pass
    raise DaemonError("invalid response of curlewd: a frame of the batch has no envelope")


def completed(
    curlewd: daemon.Daemon,
    todo: Batch[R],
    on_open: Callable[[daemon.Stream], None] = lambda stream: None,
) -> Iterator[Tuple[int, Any]]:
    """as_completed() of a Session: (index, response or exception) of each request. `on_open` is
    called once with the stream."""
    if not todo.requests:
        return
    with todo:
        try:
            with curlewd.open("POST", BATCH, **todo.options()) as stream:
                on_open(stream)
                if not _is_batch(stream):
                    raise problem.from_response(daemon.FetchFailed(stream, b"".join(stream)))
                for piece in stream:
                    yield from todo.feed(piece)
        except daemon.DaemonError as err:
            raise problem.from_daemon_error(err) from err
        todo.check_complete()


class AsyncCompleted(Generic[R]):
    """as_completed() of an AsyncSession, for `async for`. Not an async generator: one that is
    dropped stays alive until its event loop has closed it, and so would the fetches."""

    def __init__(self, curlewd: daemon.Daemon, todo: Batch[R]) -> None:
        self._daemon = curlewd
        self._todo = todo
        self._stream: Optional[daemon.AsyncStream] = None  # before the beginning, and at the end
        self._results: Iterator[Tuple[int, Any]] = iter(())  # of the last piece
        self._ended = not todo.requests

    def __aiter__(self) -> "AsyncCompleted[R]":
        return self

    async def __anext__(self) -> Tuple[int, Any]:
        try:
            for result in self._results:
                return result
            while not self._ended:
                self._results = self._todo.feed(await self._read())
                for result in self._results:
                    return result
        except daemon.DaemonError as err:
            translated = problem.from_daemon_error(err)
            self._todo.abandon(translated)
            await self.aclose()
            raise translated from err
        except BaseException as err:
            self._todo.abandon(err)
            await self.aclose()
            raise
        raise StopAsyncIteration

    async def _read(self) -> bytes:
        if self._stream is None:
            self._stream = await self._open()
        piece = await self._stream.read()
        if not piece:
            self._todo.check_complete()
            await self.aclose()
        return piece

    async def _open(self) -> daemon.AsyncStream:
        stream = await self._daemon.aopen("POST", BATCH, **self._todo.options())
        if _is_batch(stream):
            return stream
        async with stream:
            body = b"".join([piece async for piece in stream])
        raise problem.from_response(daemon.FetchFailed(stream, body))

    async def aclose(self) -> None:
        """End the iteration, and cancel the fetches that are not complete."""
        self._ended, self._results = True, iter(())
        self._todo.abandon()
        if self._stream is not None:
            self._stream.close()
