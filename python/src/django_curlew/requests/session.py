"""Session: for views, commands and workers that block."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Iterator, List, Tuple, TypeVar

from .. import context, daemon, record
from . import batch, problem, streaming
from .base import BaseSession, R, Recording, Told
from .parameters import NOT_SET
from .plan import FETCH, FRAMES, JSON, STREAM, Plan
from .types import MoreParams, RequestParams, Requests, SessionParams

if TYPE_CHECKING:
    from typing_extensions import Unpack

S = TypeVar("S", bound="Session[Any]")


class Session(BaseSession[R]):
    """curl_cffi's Session, of which any number of threads may use one. See BaseSession."""

    if TYPE_CHECKING:

        def __init__(self, **params: Unpack[SessionParams]) -> None: ...

    def __enter__(self: S) -> S:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        """Requests raise SessionClosed from now on. There is nothing else to close."""
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
        **how: Unpack[MoreParams],
    ) -> R:
        """Fetch, and return the response; docs/client.md has each parameter."""
        self._check_open()
        positional = (params, data, content, json, headers, cookies, files, auth)
        plan = Plan(self, method, url, batch.named(positional, timeout, how))
        if record.current() is None:
            return self._stream(plan) if plan.streams else self._fetch(plan)
        with Recording(plan) as recording:
            return recording.got(self._stream(plan) if plan.streams else self._fetch(plan))

    def _fetch(self, plan: Plan) -> R:
        try:
            reply = self.asked.exchange(
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

    def _stream(self, plan: Plan) -> R:
        try:
            stream = self.asked.open(
                *("POST", STREAM),
                headers=JSON,
                body=plan.document(),
                trace=context.headers(),
                timeout=plan.patience,
                idempotent=plan.idempotent,
            )
            if not streaming.is_origins(stream):
                with stream:
                    told = Told(stream, b"".join(stream))
                raise problem.of_reply(told, self._empty(plan), "impersonate" in plan.keys)
        except daemon.DaemonError as why:
            raise self._unanswered(plan, why) from why
        response = self._respond_to_stream(plan, stream)
        return self._call_back(plan, response)

    def _call_back(self, plan: Plan, response: R) -> R:
        """Hand the body to content_callback, if there is one; the response then has none."""
        try:
            if plan.callback is not None and not plan.stream:
                for piece in response.iter_content():
                    plan.callback(piece)
                response._body = None
            return self._checked(response)
        except BaseException:
            response.close()
            raise

    @contextlib.contextmanager
    def stream(self, method: str, url: str, **how: Unpack[RequestParams]) -> Iterator[R]:
        """`with session.stream("GET", url) as response:`, closed at the end."""
        how["stream"] = True
        response = self.request(method, url, **how)
        try:
            yield response
        finally:
            response.close()

    # -- many at once -----------------------------------------------------------------------------

    def gather(
        self, requests: Requests, *, max_parallel: int = 32, return_exceptions: bool = False
    ) -> List[R]:
        """Many fetches by one call to the daemon; their responses, in order.

        Each request is a URL, (method, url), (method, url, parameters), or a dict of request()'s
        parameters. One that fails raises, once all are done; with return_exceptions its exception
        stands in the list.
        """
        self._check_open()
        todo = batch.Batch(self, requests, max_parallel)
        if not todo.plans:
            return []
        try:
            reply = self.asked.exchange(*todo.route, **todo.asked())
        except daemon.DaemonError as why:
            raise problem.of_daemon(why) from why
        return todo.results(reply, return_exceptions)

    def as_completed(
        self, requests: Requests, *, max_parallel: int = 32
    ) -> Iterator[Tuple[int, Any]]:
        """(index in requests, response or exception), as each completes. The daemon reads no
        further ahead than a few responses; leaving the loop cancels the rest."""
        self._check_open()
        todo = batch.Batch(self, requests, max_parallel)
        return self._as_completed(todo)

    def _as_completed(self, todo: "batch.Batch[R]") -> Iterator[Tuple[int, Any]]:
        if not todo.plans:
            return
        try:
            with self.asked.open(*todo.route, **todo.asked()) as stream:
                if stream.status != 200:
                    raise problem.of_reply(Told(stream, b"".join(stream)))
                for piece in stream:
                    yield from todo.feed(piece)
        except daemon.DaemonError as why:
            raise problem.of_daemon(why) from why
        todo.check_whole()

    # -- methods ----------------------------------------------------------------------------------

    def get(self, url: str, **how: Unpack[RequestParams]) -> R:
        return self.request("GET", url, **how)

    def head(self, url: str, **how: Unpack[RequestParams]) -> R:
        return self.request("HEAD", url, **how)

    def post(self, url: str, **how: Unpack[RequestParams]) -> R:
        return self.request("POST", url, **how)

    def put(self, url: str, **how: Unpack[RequestParams]) -> R:
        return self.request("PUT", url, **how)

    def patch(self, url: str, **how: Unpack[RequestParams]) -> R:
        return self.request("PATCH", url, **how)

    def delete(self, url: str, **how: Unpack[RequestParams]) -> R:
        return self.request("DELETE", url, **how)

    def options(self, url: str, **how: Unpack[RequestParams]) -> R:
        return self.request("OPTIONS", url, **how)

    def trace(self, url: str, **how: Unpack[RequestParams]) -> R:
        return self.request("TRACE", url, **how)

    def query(self, url: str, **how: Unpack[RequestParams]) -> R:
        return self.request("QUERY", url, **how)

    def upkeep(self) -> int:
        """Nothing to do: the daemon looks after its connections."""
        return 0

    def ws_connect(self, *_: Any, **__: Any) -> Any:
        raise batch.no_websockets()

