"""AsyncSession: for coroutines, on whatever event loop they happen to run."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import TYPE_CHECKING, Any, AsyncIterator, Coroutine, Deque, List, Tuple, TypeVar

from .. import context, daemon, record
from . import batch, problem, streaming
from .base import BaseSession, R, Recording, Told
from .parameters import NOT_SET
from .plan import FETCH, FRAMES, JSON, STREAM, Plan
from .types import MoreParams, RequestParams, Requests, SessionParams

if TYPE_CHECKING:
    from typing_extensions import Unpack

A = TypeVar("A", bound="AsyncSession[Any]")

MAX_CLIENTS = 100


class Gate:
    """At most so many at once, in order of arrival; on any number of loops, in any thread."""

    def __init__(self, most: int) -> None:
        self._free = most
        self._waiting: "Deque[asyncio.Future[None]]" = deque()

    def is_shut(self) -> bool:
        """False: you are in. True: wait()."""
        if self._free <= 0:
            return True
        self._free -= 1
        return False

    async def wait(self) -> None:
        place = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except BaseException:
            if place.done() and not place.cancelled():  # let in just as we were cancelled
                self.leave()
            raise

    def leave(self) -> None:
        while self._waiting:
            place = self._waiting.popleft()
            loop = place.get_loop()
            if loop.is_closed():  # with its task
                continue
            if loop is _running():
                if not place.done():
                    place.set_result(None)
                    return
            else:
                with contextlib.suppress(RuntimeError):  # closed meanwhile
                    loop.call_soon_threadsafe(self._let_in, place)
                    return
        self._free += 1

    def _let_in(self, place: "asyncio.Future[None]") -> None:
        if place.done():
            self.leave()
        else:
            place.set_result(None)


def _running() -> Any:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


class AsyncSession(BaseSession[R]):
    """curl_cffi's AsyncSession. It belongs to no event loop: make one in a module and use it under
    ASGI, under WSGI's loop for each request, with `asyncio.run` again and again. See BaseSession.

    `max_clients`: how many of its fetches may be under way at once; the others wait. gather() has
    a limit of its own and takes one place.
    """

    def __init__(
        self, *, loop: Any = None, max_clients: int = MAX_CLIENTS, **p: Unpack[SessionParams]
    ) -> None:
        super().__init__(**p)  # type: ignore[arg-type]  # R is bound to Response
        if max_clients < 1:
            raise ValueError("max_clients must be at least 1")
        self.max_clients = max_clients
        self._gate = Gate(max_clients)

    async def __aenter__(self: A) -> A:
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.close()

    async def close(self) -> None:
        """Requests raise SessionClosed from now on. There is nothing else to close."""
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
        **how: Unpack[MoreParams],
    ) -> R:
        """Fetch, and return the response; docs/client.md has each parameter."""
        self._check_open()
        if hasattr(content, "__aiter__"):
            content = b"".join([bytes(piece) async for piece in content])
        positional = (params, data, content, json, headers, cookies, files, auth)
        plan = Plan(self, method, url, batch.named(positional, timeout, how))
        gate = self._gate
        if gate.is_shut():
            await gate.wait()
        try:
            if record.current() is None:
                return await (self._stream(plan) if plan.streams else self._fetch(plan))
            with Recording(plan) as recording:
                answer = self._stream(plan) if plan.streams else self._fetch(plan)
                return recording.got(await answer)
        finally:
            gate.leave()

    async def _fetch(self, plan: Plan) -> R:
        try:
            reply = await self.asked.aexchange(
                *("POST", FETCH),
                headers=FRAMES,
                body=plan.document(),
                trace=context.headers(),
                timeout=plan.patience,
                idempotent=plan.idempotent,
            )
        except daemon.DaemonError as why:
            raise self._unanswered(plan, why) from why
        return self._respond_to_fetch(plan, reply)

    async def _stream(self, plan: Plan) -> R:
        try:
            stream = await self.asked.aopen(
                *("POST", STREAM),
                headers=JSON,
                body=plan.document(),
                trace=context.headers(),
                timeout=plan.patience,
                idempotent=plan.idempotent,
            )
            if not streaming.is_origins(stream):
                async with stream:
                    told = Told(stream, b"".join([piece async for piece in stream]))
                raise problem.of_reply(told, self._empty(plan), "impersonate" in plan.keys)
        except daemon.DaemonError as why:
            raise self._unanswered(plan, why) from why
        response = self._respond_to_stream(plan, stream)
        return await self._call_back(plan, response)

    async def _call_back(self, plan: Plan, response: R) -> R:
        """Hand the body to content_callback, if there is one; the response then has none."""
        try:
            if plan.callback is not None and not plan.stream:
                async for piece in response.aiter_content():
                    plan.callback(piece)
                response._body = None
            return self._checked(response)
        except BaseException:
            response.close()
            raise

    @contextlib.asynccontextmanager
    async def stream(
        self, method: str, url: str, **how: Unpack[RequestParams]
    ) -> AsyncIterator[R]:
        """`async with session.stream("GET", url) as response:`, closed at the end."""
        how["stream"] = True
        response = await self.request(method, url, **how)
        try:
            yield response
        finally:
            response.close()

    # -- many at once -----------------------------------------------------------------------------

    async def gather(
        self, requests: Requests, *, max_parallel: int = 32, return_exceptions: bool = False
    ) -> List[R]:
        """Many fetches by one call to the daemon; their responses, in order.

        Each request is a URL, (method, url), (method, url, parameters), or a dict of request()'s
        parameters. One that fails raises, once all are done; with return_exceptions its exception
        stands in the list. Cancelling cancels all of them.
        """
        self._check_open()
        todo = batch.Batch(self, requests, max_parallel)
        if not todo.plans:
            return []
        if self._gate.is_shut():
            await self._gate.wait()
        try:
            reply = await self.asked.aexchange(*todo.route, **todo.asked())
        except daemon.DaemonError as why:
            raise problem.of_daemon(why) from why
        finally:
            self._gate.leave()
        return todo.results(reply, return_exceptions)

    def as_completed(
        self, requests: Requests, *, max_parallel: int = 32
    ) -> AsyncIterator[Tuple[int, Any]]:
        """`async for index, result in …`: response or exception, as each completes. The daemon
        reads no further ahead than a few responses; leaving the loop cancels the rest."""
        self._check_open()
        return self._as_completed(batch.Batch(self, requests, max_parallel))

    async def _as_completed(self, todo: "batch.Batch[R]") -> AsyncIterator[Tuple[int, Any]]:
        if not todo.plans:
            return
        try:
            async with await self.asked.aopen(*todo.route, **todo.asked()) as stream:
                if stream.status != 200:
                    raise problem.of_reply(Told(stream, b"".join([p async for p in stream])))
                async for piece in stream:
                    for each in todo.feed(piece):
                        yield each
        except daemon.DaemonError as why:
            raise problem.of_daemon(why) from why
        todo.check_whole()

    # -- methods ----------------------------------------------------------------------------------

    def get(self, url: str, **how: Unpack[RequestParams]) -> Coroutine[Any, Any, R]:
        return self.request("GET", url, **how)

    def head(self, url: str, **how: Unpack[RequestParams]) -> Coroutine[Any, Any, R]:
        return self.request("HEAD", url, **how)

    def post(self, url: str, **how: Unpack[RequestParams]) -> Coroutine[Any, Any, R]:
        return self.request("POST", url, **how)

    def put(self, url: str, **how: Unpack[RequestParams]) -> Coroutine[Any, Any, R]:
        return self.request("PUT", url, **how)

    def patch(self, url: str, **how: Unpack[RequestParams]) -> Coroutine[Any, Any, R]:
        return self.request("PATCH", url, **how)

    def delete(self, url: str, **how: Unpack[RequestParams]) -> Coroutine[Any, Any, R]:
        return self.request("DELETE", url, **how)

    def options(self, url: str, **how: Unpack[RequestParams]) -> Coroutine[Any, Any, R]:
        return self.request("OPTIONS", url, **how)

    def trace(self, url: str, **how: Unpack[RequestParams]) -> Coroutine[Any, Any, R]:
        return self.request("TRACE", url, **how)

    def query(self, url: str, **how: Unpack[RequestParams]) -> Coroutine[Any, Any, R]:
        return self.request("QUERY", url, **how)

    async def upkeep(self) -> int:
        """Nothing to do: the daemon looks after its connections."""
        return 0

    async def ws_connect(self, *_: Any, **__: Any) -> Any:
        raise batch.no_websockets()
