"""Many fetches by one request to the daemon: `…/v1/batch`, and the frames of its response."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any, Dict, Generic, Iterator, List, Tuple

from .. import daemon, record
from ..json_codec import dumps, loads
from . import problem
from .base_session import R, check_status, empty_response, make_response
from .exceptions import DaemonError, RequestException
from .parameters import GRACE
from .prepared_request import PreparedRequest
from .recording import record_fetch

if TYPE_CHECKING:
    from .base_session import BaseSession

Keys = Dict[str, Any]

MAX_PARALLEL = 1000  # the daemon's limit
MAX_LINE_BYTES = 8 << 20  # an envelope without its body: heads of at most 100 hops of 256 KiB

# The keys that may stand in a batch's `defaults`: not URL, body and others of a single request.
COMMON_KEYS = frozenset(
    (
        "timeout",
        "session",
        "follow_redirects",
        "max_redirects",
        "verify",
        "http_version",
        "auth",
        "proxy",
        "proxy_auth",
        "impersonate",
        "coalesce",
        "decompress",
    )
)


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
    return prepared


def prepare_all(session: "BaseSession[Any]", requests: Any) -> List[PreparedRequest]:
    """All requests of the list. Plain URLs are copies of the first one, if that makes no
    difference, which saves most of the time."""
    all_prepared: List[PreparedRequest] = []
    model = None
    for request in requests:
        if model is not None and isinstance(request, str):
            all_prepared.append(model.copy(request))
            continue
        all_prepared.append(prepare_one(session, request))
        if isinstance(request, str) and all_prepared[-1].can_be_copied(session):
            model = all_prepared[-1]
    return all_prepared


class Batch(Generic[R]):
    """The request for a batch, and a parser for its response. `timeout` is in seconds."""

    def __init__(self, session: "BaseSession[R]", requests: Any, max_parallel: int) -> None:
        if max_parallel < 1:
            raise ValueError("max_parallel must be at least 1")
        self._session = session
        self.requests = prepare_all(session, requests)
        self._max_parallel = min(max_parallel, MAX_PARALLEL)
        self._pieces: List[bytes] = []  # of an incomplete frame
        self._buffered_bytes = 0
        self._needed_bytes = 1  # parse again once so many are buffered
        self._envelope: Keys = {}  # of the incomplete frame, once its line is complete
        self._missing = set(range(len(self.requests)))
        self._record = record.current()
        self._start = time.perf_counter()

    def to_json(self) -> bytes:
        """The body of the request to the daemon."""
        first = self.requests[0].keys
        defaults = {k: v for k, v in first.items() if k in COMMON_KEYS and self._all_have(k, v)}
        document = {
            "requests": [
                {k: v for k, v in request.keys.items() if k not in defaults}
                for request in self.requests
            ],
            "defaults": defaults,
            "max_parallel": self._max_parallel,
        }
        return dumps(document)

    @property
    def timeout(self) -> float:
        rounds = math.ceil(len(self.requests) / self._max_parallel)
        return max(request.timeout for request in self.requests) * rounds + GRACE

    @property
    def idempotent(self) -> bool:
        return all(request.idempotent for request in self.requests)

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
                self._envelope = loads(data[at:end])
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
        if index not in self._missing:
            raise DaemonError(
                f"invalid response of curlewd: request {index} of the batch is unknown or repeated"
            )
        self._missing.discard(index)
        request, session, response = self.requests[index], self._session, None
        try:
            if not envelope["ok"]:
                empty = empty_response(session, request)
                raise problem.to_exception(envelope["error"], empty, request.impersonates)
            response = make_response(session, request, envelope, content=content)
            check_status(session, response)
        except RequestException as err:
            if self._record is not None:
                record_fetch(self._record, request, self._start, response, err)
            return index, err
        if self._record is not None:
            record_fetch(self._record, request, self._start, response, None)
        return index, response

    def check_complete(self) -> None:
        """The response has ended: raise DaemonError if a result is missing."""
        if self._missing or self._buffered_bytes:
            raise DaemonError(
                f"incomplete response of curlewd: {len(self._missing)} results of the batch are"
                " missing"
            )

    def results(self, response: daemon.Response, return_exceptions: bool) -> List[R]:
        """The responses of gather(), in order."""
        if response.status != 200:
            raise problem.from_response(response)
        results: List[Any] = [None] * len(self.requests)
        for index, result in self.feed(response.body):
            results[index] = result
        self.check_complete()
        if not return_exceptions:
            for result in results:
                if isinstance(result, BaseException):
                    raise result
        return results
