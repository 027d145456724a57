"""AsyncSession: fetches for coroutines, on any event loop."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, AsyncIterator, Coroutine, List, Tuple, TypeVar

from .. import context, daemon, record
from ..cross_loop_semaphore import CrossLoopSemaphore
from . import batch, problem, request_template, split_batch
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
from .prepared_request import BATCH, FETCH, FRAMES, PreparedRequest
from .recording import FetchRecorder
from .streaming import Slot

if TYPE_CHECKING:
    from typing_extensions import Unpack

A = TypeVar("A", bound="AsyncSession[Any]")

MAX_CLIENTS = 100


class AsyncSession(BaseSession[R]):
    """curl_cffi's AsyncSession. It belongs to no event loop: make one in a module and use it under
    ASGI, under WSGI with a loop for each request, and in repeated `asyncio.run` calls. BaseSession
    explains the parameters.

    `max_clients`: how many of its requests to the daemon may be in flight at once; further ones
    wait. A stream counts until it was read to its end, closed, or dropped. A gather() counts as
    one, and has `max_parallel`; an as_completed() does not count.
    """

    def __init__(
        self, *, loop: Any = None, max_clients: int = MAX_CLIENTS, **params: Unpack[SessionParams]
    ) -> None:
        super().__init__(**params)  # type: ignore[arg-type]  # R is bound to Response
        if max_clients < 1:
            raise ValueError("max_clients must be at least 1")
        self.max_clients = max_clients
        self._semaphore = CrossLoopSemaphore(max_clients)

    async def __aenter__(self: A) -> A:
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.close()

    async def close(self) -> None:
        """Make later requests raise SessionClosed. There is nothing else to close."""
        self._closed = True

    async def request(
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
        semaphore = self._semaphore
        if not semaphore.try_acquire():
            await semaphore.wait()
        try:
            if record.current() is None:
                response = await self._send(prepared)
            else:
                with FetchRecorder(prepared) as recorder:
                    response = recorder.finish(await self._send(prepared))
        except BaseException:
            semaphore.release()
            raise
        if prepared.stream:
            response.hold_until_end(Slot(semaphore))
        else:
            semaphore.release()
        return response

    def _send(self, prepared: PreparedRequest) -> Coroutine[Any, Any, R]:
        return self._stream(prepared) if prepared.streams else self._fetch(prepared)

    async def _fetch(self, prepared: PreparedRequest) -> R:
        try:
            curlewd, trace = self.daemon, context.headers()
            if curlewd.sends_route:
                trace += self._route(prepared)
            fetched = await curlewd.aexchange(
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
            return await self._fetch(prepared)
        response = response_from_fetch(self, prepared, fetched)
        if "body_not_replayed" in response.envelope and prepared.can_send_body_again:
            prepared.read_body()
            return await self._fetch(prepared)
        return response

    async def _stream(self, prepared: PreparedRequest) -> R:
        try:
            curlewd, trace = self.daemon, context.headers()
            if curlewd.sends_route:
                trace += self._route(prepared)
            envelope, stream = await curlewd.aopen_fetch(
                body=prepared.to_body(),
                trace=trace,
                timeout=prepared.timeout,
                idle_timeout=prepared.idle_timeout,
                idempotent=prepared.idempotent,
            )
        except daemon.FetchFailed as failed:
            if prepared.adds_certificates(failed):
                return await self._stream(prepared)
            raise error_from_response(self, prepared, failed) from None
        except daemon.DaemonError as err:
            raise error_from_daemon(self, prepared, err) from err
        if "body_not_replayed" in envelope and prepared.can_send_body_again:
            stream.close()
            prepared.read_body()
            return await self._stream(prepared)
        response = response_from_stream(self, prepared, envelope, stream)
        return await self._run_callback(prepared, response)

    async def _run_callback(self, prepared: PreparedRequest, response: R) -> R:
        """Pass the body to content_callback, if there is one; the response then has no body."""
        try:
            if prepared.content_callback is not None and not prepared.stream:
                async for piece in response.aiter_content():
                    prepared.content_callback(piece)
                response.detach_stream()
            return check_status(self, response)
        except BaseException:
            response.close()
            raise

    @contextlib.asynccontextmanager
    async def stream(
        self, method: str, url: str, **kwargs: Unpack[RequestParams]
    ) -> AsyncIterator[R]:
        """A streamed response for an `async with` block, which closes it."""
        kwargs["stream"] = True
        response = await self.request(method, url, **kwargs)
        try:
            yield response
        finally:
            response.close()

    # -- many at once -----------------------------------------------------------------------------

    async def gather(
        self, requests: Requests, *, max_parallel: int = 32, return_exceptions: bool = False
    ) -> List[R]:
        """Many fetches by one request to the daemon; their responses, in order.

        Each request is a URL, (method, url), (method, url, parameters), or a dict of request()'s
        parameters. `max_parallel`: how many the daemon does at once. Once all have ended, the first
        exception is raised; with `return_exceptions`, exceptions are in the list instead.
        Cancelling cancels all fetches.
        """
        self._check_open()
        todo = batch.Batch(self, requests, max_parallel)
        if not todo.requests:
            return []
        if not self._semaphore.try_acquire():
            await self._semaphore.wait()
        with todo:
            try:
                parts = split_batch.split(self, todo) if self.daemon.sends_route else ()
                if parts:
                    results = split_batch.AsyncCompletedParts(self.daemon, parts, todo.max_parallel)
                    found = {index: result async for index, result in results}
                    return batch.in_order(found, return_exceptions)
                response = await self.daemon.aexchange("POST", BATCH, **todo.options())
            except daemon.DaemonError as err:
                raise problem.from_daemon_error(err) from err
            finally:
                self._semaphore.release()
            return todo.results(response, return_exceptions)

    def as_completed(
        self, requests: Requests, *, max_parallel: int = 32
    ) -> AsyncIterator[Tuple[int, Any]]:
        """Like gather(), but (index in requests, response or exception) of each as it completes:
        `async for index, result in …`. The daemon reads only a few responses ahead; leaving the
        loop cancels the other fetches."""
        self._check_open()
        todo = batch.Batch(self, requests, max_parallel)
        parts = split_batch.split(self, todo) if self.daemon.sends_route else ()
        if parts:
            return split_batch.AsyncCompletedParts(self.daemon, parts, todo.max_parallel)
        return batch.AsyncCompleted(self.daemon, todo)

    # -- methods ----------------------------------------------------------------------------------

    def get(self, url: str, **kwargs: Unpack[RequestParams]) -> Coroutine[Any, Any, R]:
        return self.request("GET", url, **kwargs)

    def head(self, url: str, **kwargs: Unpack[RequestParams]) -> Coroutine[Any, Any, R]:
        return self.request("HEAD", url, **kwargs)

    def post(self, url: str, **kwargs: Unpack[RequestParams]) -> Coroutine[Any, Any, R]:
        return self.request("POST", url, **kwargs)

    def put(self, url: str, **kwargs: Unpack[RequestParams]) -> Coroutine[Any, Any, R]:
        return self.request("PUT", url, **kwargs)

    def patch(self, url: str, **kwargs: Unpack[RequestParams]) -> Coroutine[Any, Any, R]:
        return self.request("PATCH", url, **kwargs)

    def delete(self, url: str, **kwargs: Unpack[RequestParams]) -> Coroutine[Any, Any, R]:
        return self.request("DELETE", url, **kwargs)

    def options(self, url: str, **kwargs: Unpack[RequestParams]) -> Coroutine[Any, Any, R]:
        return self.request("OPTIONS", url, **kwargs)

    def trace(self, url: str, **kwargs: Unpack[RequestParams]) -> Coroutine[Any, Any, R]:
        return self.request("TRACE", url, **kwargs)

    def query(self, url: str, **kwargs: Unpack[RequestParams]) -> Coroutine[Any, Any, R]:
        return self.request("QUERY", url, **kwargs)

    async def upkeep(self) -> int:
        """Does nothing, and returns 0: the daemon keeps its connections alive."""
        return 0

    async def ws_connect(self, *_: Any, **__: Any) -> Any:
        self._check_open()
        raise websockets_unsupported()
