"""Session: fetches that block the thread or greenlet until there is a response."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Iterator, List, Tuple, TypeVar

from .. import context, daemon, record
from . import batch, problem, request_template, split_batch
from .async_session import AsyncSession as AsyncSession  # curl_cffi has it here, too
from .arguments import collect_arguments, websockets_unsupported
from .base_session import (
    BaseSession,
    R,
    check_status,
    error_from_daemon,
    error_from_response,
    response_from_fetch,
    response_from_stream,
)
from .param_types import KeywordParams, RequestParams, Requests, SessionParams
from .parameters import NOT_SET
from .parameters import RetryStrategy as RetryStrategy
from .prepared_request import BATCH, FETCH, FRAMES, PreparedRequest
from .recording import FetchRecorder

if TYPE_CHECKING:
    from typing_extensions import Unpack

S = TypeVar("S", bound="Session[Any]")


class Session(BaseSession[R]):
    """curl_cffi's Session. Threads may use one at the same time. BaseSession explains the
    parameters."""

    if TYPE_CHECKING:

        def __init__(self, **params: Unpack[SessionParams]) -> None: ...

    def __enter__(self: S) -> S:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        """Make later requests raise SessionClosed. There is nothing else to close."""
        self._closed = True

    def request(
        self,
        method: str,
        url: str,
        params: Any = None,
        data: Any = None,
        content: Any = None,
        json: Any = None,
        headers: Any = None,
        cookies: Any = None,
        files: Any = None,
        auth: Any = None,
        timeout: Any = NOT_SET,
        **kwargs: Unpack[KeywordParams],
    ) -> R:
        """Fetch a URL. docs/client.md lists the parameters. Raises a RequestException if there is
        no response, TypeError for a parameter that does not exist."""
        self._check_open()
        named: Any = kwargs
        # Few requests have any of these, and each costs.
        none = params is data is content is json is headers is cookies is files is auth is None
        if not none or timeout is not NOT_SET:
            named = collect_arguments(
                kwargs,
                params=params,
                data=data,
                content=content,
                json=json,
                headers=headers,
                cookies=cookies,
                files=files,
                auth=auth,
                timeout=timeout,
            )
        prepared = request_template.prepare(self, method, url, named)
        if record.current() is None:
            return self._send(prepared)
        with FetchRecorder(prepared) as recorder:
            return recorder.finish(self._send(prepared))

    def _send(self, prepared: PreparedRequest) -> R:
        return self._stream(prepared) if prepared.streams else self._fetch(prepared)

    def _fetch(self, prepared: PreparedRequest) -> R:
        try:
            curlewd, trace = self.daemon, context.headers()
            if curlewd.sends_route:
                trace += self._route(prepared)
            fetched = curlewd.exchange(
                "POST",
                FETCH,
                headers=FRAMES,
                body=prepared.to_body(),
                trace=trace,
                timeout=prepared.timeout,
                idempotent=prepared.idempotent,
            )
        except daemon.DaemonError as err:
            raise error_from_daemon(self, prepared, err) from err
        if fetched.status != 200 and prepared.adds_certificates(fetched):
            return self._fetch(prepared)
        response = response_from_fetch(self, prepared, fetched)
        if "body_not_replayed" in response.envelope and prepared.can_send_body_again:
            prepared.read_body()
            return self._fetch(prepared)
        return response

    def _stream(self, prepared: PreparedRequest) -> R:
        try:
            curlewd, trace = self.daemon, context.headers()
            if curlewd.sends_route:
                trace += self._route(prepared)
            envelope, stream = curlewd.open_fetch(
                body=prepared.to_body(),
                trace=trace,
                timeout=prepared.timeout,
                idle_timeout=prepared.idle_timeout,
                idempotent=prepared.idempotent,
            )
        except daemon.FetchFailed as failed:
            if prepared.adds_certificates(failed):
                return self._stream(prepared)
            raise error_from_response(self, prepared, failed) from None
        except daemon.DaemonError as err:
            raise error_from_daemon(self, prepared, err) from err
        if "body_not_replayed" in envelope and prepared.can_send_body_again:
            stream.close()
            prepared.read_body()
            return self._stream(prepared)
        response = response_from_stream(self, prepared, envelope, stream)
        return self._run_callback(prepared, response)

    def _run_callback(self, prepared: PreparedRequest, response: R) -> R:
        """Pass the body to content_callback, if there is one; the response then has no body."""
        try:
            if prepared.content_callback is not None and not prepared.stream:
                for piece in response.iter_content():
                    prepared.content_callback(piece)
                response.detach_stream()
            return check_status(self, response)
        except BaseException:
            response.close()
            raise

    @contextlib.contextmanager
    def stream(self, method: str, url: str, **kwargs: Unpack[RequestParams]) -> Iterator[R]:
        """A streamed response for a `with` block, which closes it: request(…, stream=True)."""
        kwargs["stream"] = True
        response = self.request(method, url, **kwargs)
        try:
            yield response
        finally:
            response.close()

    # -- many at once -----------------------------------------------------------------------------

    def gather(
        self, requests: Requests, *, max_parallel: int = 32, return_exceptions: bool = False
    ) -> List[R]:
        """Many fetches by one request to the daemon; their responses, in order.

        Each request is a URL, (method, url), (method, url, parameters), or a dict of request()'s
        parameters. `max_parallel`: how many the daemon does at once. Once all have ended, the first
        exception is raised; with `return_exceptions`, exceptions are in the list instead.
        """
        self._check_open()
        todo = batch.Batch(self, requests, max_parallel)
        if not todo.requests:
            return []
        with todo:
            try:
                parts = split_batch.split(self, todo) if self.daemon.sends_route else ()
                if parts:
                    found = dict(split_batch.completed_parts(self.daemon, parts, todo.max_parallel))
                    return batch.in_order(found, return_exceptions)
                response = self.daemon.exchange("POST", BATCH, **todo.options())
            except daemon.DaemonError as err:
                raise problem.from_daemon_error(err) from err
            return todo.results(response, return_exceptions)

    def as_completed(
        self, requests: Requests, *, max_parallel: int = 32
    ) -> Iterator[Tuple[int, Any]]:
        """Like gather(), but (index in requests, response or exception) of each as it completes.
        The daemon reads only a few responses ahead; leaving the loop cancels the other fetches."""
        self._check_open()
        todo = batch.Batch(self, requests, max_parallel)
        parts = split_batch.split(self, todo) if self.daemon.sends_route else ()
        if parts:
            return split_batch.completed_parts(self.daemon, parts, todo.max_parallel)
        return batch.completed(self.daemon, todo)

    # -- methods ----------------------------------------------------------------------------------

    def get(self, url: str, **kwargs: Unpack[RequestParams]) -> R:
        return self.request("GET", url, **kwargs)

    def head(self, url: str, **kwargs: Unpack[RequestParams]) -> R:
        return self.request("HEAD", url, **kwargs)

    def post(self, url: str, **kwargs: Unpack[RequestParams]) -> R:
        return self.request("POST", url, **kwargs)

    def put(self, url: str, **kwargs: Unpack[RequestParams]) -> R:
        return self.request("PUT", url, **kwargs)

    def patch(self, url: str, **kwargs: Unpack[RequestParams]) -> R:
        return self.request("PATCH", url, **kwargs)

    def delete(self, url: str, **kwargs: Unpack[RequestParams]) -> R:
        return self.request("DELETE", url, **kwargs)

    def options(self, url: str, **kwargs: Unpack[RequestParams]) -> R:
        return self.request("OPTIONS", url, **kwargs)

    def trace(self, url: str, **kwargs: Unpack[RequestParams]) -> R:
        return self.request("TRACE", url, **kwargs)

    def query(self, url: str, **kwargs: Unpack[RequestParams]) -> R:
        return self.request("QUERY", url, **kwargs)

    def upkeep(self) -> int:
        """Does nothing, and returns 0: the daemon keeps its connections alive."""
        return 0

    def ws_connect(self, *_: Any, **__: Any) -> Any:
        self._check_open()
        raise websockets_unsupported()
