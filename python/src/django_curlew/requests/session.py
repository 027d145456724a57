"""Session: fetches that block the thread or greenlet until there is a response."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Iterator, List, Tuple, TypeVar

from .. import context, daemon, record
from . import batch, problem, streaming
from .arguments import collect_arguments, websockets_unsupported
from .base_session import (
    BaseSession,
    BufferedResponse,
    R,
    check_status,
    error_from_daemon,
    error_from_stream,
    response_from_fetch,
    response_from_stream,
)
from .param_types import KeywordParams, RequestParams, Requests, SessionParams
from .parameters import NOT_SET
from .prepared_request import BATCH, FETCH, FRAMES, JSON, STREAM, PreparedRequest
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
        prepared = PreparedRequest(self, method, url, named)
        if record.current() is None:
            return self._send(prepared)
        with FetchRecorder(prepared) as recorder:
            return recorder.finish(self._send(prepared))

    def _send(self, prepared: PreparedRequest) -> R:
        return self._stream(prepared) if prepared.streams else self._fetch(prepared)

    def _fetch(self, prepared: PreparedRequest) -> R:
        try:
            fetched = self.daemon.exchange(
                "POST",
                FETCH,
                headers=FRAMES,
                body=prepared.to_json(),
                trace=context.headers(),
                timeout=prepared.timeout,
                idempotent=prepared.idempotent,
            )
        except daemon.DaemonError as err:
            raise error_from_daemon(self, prepared, err) from err
        return response_from_fetch(self, prepared, fetched)

    def _stream(self, prepared: PreparedRequest) -> R:
        try:
            stream = self.daemon.open(
                "POST",
                STREAM,
                headers=JSON,
                body=prepared.to_json(),
                trace=context.headers(),
                timeout=prepared.timeout,
                idle_timeout=prepared.idle_timeout,
                idempotent=prepared.idempotent,
            )
            if not streaming.is_from_origin(stream):
                with stream:
                    buffered = BufferedResponse(stream, b"".join(stream))
                raise error_from_stream(self, prepared, buffered)
        except daemon.DaemonError as err:
            raise error_from_daemon(self, prepared, err) from err
        response = response_from_stream(self, prepared, stream)
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
        try:
            response = self.daemon.exchange(
                "POST",
                BATCH,
                headers=FRAMES,
                body=todo.to_json(),
                trace=context.headers(),
                timeout=todo.timeout,
                idempotent=todo.idempotent,
            )
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
        return self._as_completed(todo)

    def _as_completed(self, todo: "batch.Batch[R]") -> Iterator[Tuple[int, Any]]:
        if not todo.requests:
            return
        try:
            with self._open_batch(todo) as stream:
                if stream.status != 200:
                    raise problem.from_response(BufferedResponse(stream, b"".join(stream)))
                for piece in stream:
                    yield from todo.feed(piece)
        except daemon.DaemonError as err:
            raise problem.from_daemon_error(err) from err
        todo.check_complete()

    def _open_batch(self, todo: "batch.Batch[R]") -> daemon.Stream:
        return self.daemon.open(
            "POST",
            BATCH,
            headers=FRAMES,
            body=todo.to_json(),
            trace=context.headers(),
            timeout=todo.timeout,
            idempotent=todo.idempotent,
        )

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
        raise websockets_unsupported()
