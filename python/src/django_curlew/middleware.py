"""Middleware: what a request's fetches pass on to origins, and the record of them.

    MIDDLEWARE = ["django_curlew.middleware.CurlewMiddleware", …]    # early, best first

Each request gets an id, the one it came with or a new one. It and the trace context it came with
(`traceparent`, `tracestate`) go along with every fetch made for it; the answer tells the id, and
so do log lines that use `django_curlew.logging.RequestId`. With `CURLEW = {"RECORD": True}` the
fetches of each request are kept in `request.curlew`: see record.py.

It runs in both kinds of Django, without a change of thread.
"""

from __future__ import annotations

import uuid
from typing import Any, Callable, Tuple

from django.http import HttpRequest
from django.utils.decorators import sync_and_async_middleware

try:  # asgiref 3.7
    from asgiref.sync import iscoroutinefunction
except ImportError:
    from asyncio import iscoroutinefunction  # type: ignore[assignment]

from . import conf, context, record


def passed_on(request: HttpRequest) -> context.Headers:
    """What its fetches shall carry, its id first."""
    given = request.headers.get(conf.get("REQUEST_ID_HEADER"))
    request_id = given if context.is_sane(given) else uuid.uuid4().hex
    trace = ((name, request.headers.get(name)) for name in context.NAMES[1:])
    return ((context.NAMES[0], request_id), *(p for p in trace if context.is_sane(p[1])))


def begin(request: HttpRequest) -> Tuple[Any, Any]:
    headers = passed_on(request)
    request.curlew_request_id = headers[0][1]
    kept = record.begin() if conf.get("RECORD") else None
    request.curlew = kept and kept.record
    return context.enter(headers), kept


def end(state: Tuple[Any, Any]) -> None:
    token, kept = state
    context.leave(token)
    if kept:
        record.end(kept)


def complete(request: HttpRequest, response: Any) -> Any:
    response.setdefault(conf.get("REQUEST_ID_HEADER"), request.curlew_request_id)
    if request.curlew is not None:
        record.tell(request.curlew, request, response)
    return response


@sync_and_async_middleware
def CurlewMiddleware(get_response: Callable[..., Any]) -> Callable[..., Any]:
    if iscoroutinefunction(get_response):

        async def middleware(request: HttpRequest) -> Any:
            state = begin(request)
            try:
                return complete(request, await get_response(request))
            finally:
                end(state)

    else:

        def middleware(request: HttpRequest) -> Any:  # type: ignore[misc]
            state = begin(request)
            try:
                return complete(request, get_response(request))
            finally:
                end(state)

    return middleware
