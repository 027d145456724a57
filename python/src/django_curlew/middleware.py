"""Middleware: the request id and trace context of a request's fetches, and the record of them.

    MIDDLEWARE = ["django_curlew.middleware.CurlewMiddleware", …]    # first, or near the beginning

Each request gets an id: that of its X-Request-ID header, or a new one. The id and the trace context
(`traceparent`, `tracestate`) are sent with every fetch made for the request. The response has the
id, and log lines have it with `django_curlew.logs.RequestIdFilter`. With `CURLEW = {"RECORD":
True}` the fetches of each request are recorded in `request.curlew`: see record.py.

It works in sync and async Django, without a change of thread.
"""

from __future__ import annotations

import uuid
from typing import Any, Callable, Optional, Tuple

from django.http import HttpRequest
from django.utils.decorators import sync_and_async_middleware

try:  # asgiref 3.7
    from asgiref.sync import iscoroutinefunction
except ImportError:
    from asyncio import iscoroutinefunction  # type: ignore[assignment]

from . import conf, context, record

State = Tuple[Any, Optional[record.ActiveRecord]]


def propagated_headers(request: HttpRequest) -> context.Headers:
    """The headers that the fetches of a request carry, its id first."""
    received = request.headers.get(conf.get("REQUEST_ID_HEADER"))
    request_id = received if context.is_valid_value(received) else uuid.uuid4().hex
    id_name, *trace_names = context.PROPAGATED_HEADERS
    trace = ((name, request.headers.get(name)) for name in trace_names)
    return ((id_name, request_id), *(p for p in trace if context.is_valid_value(p[1])))


def _start(request: HttpRequest) -> State:
    headers = propagated_headers(request)
    request.curlew_request_id = headers[0][1]
    active = record.start() if conf.get("RECORD") else None
    request.curlew = active and active.record
    return context.attach(headers), active


def _stop(state: State) -> None:
    token, active = state
    context.detach(token)
    if active:
        record.stop(active)


def _complete(request: HttpRequest, response: Any) -> Any:
    response.setdefault(conf.get("REQUEST_ID_HEADER"), request.curlew_request_id)
    if request.curlew is not None:
        record.report(request.curlew, request, response)
    return response


@sync_and_async_middleware
def CurlewMiddleware(get_response: Callable[..., Any]) -> Callable[..., Any]:
    """For MIDDLEWARE; the module's documentation says what it does."""
    if iscoroutinefunction(get_response):

        async def middleware(request: HttpRequest) -> Any:
            state = _start(request)
            try:
                return _complete(request, await get_response(request))
            finally:
                _stop(state)

    else:

        def middleware(request: HttpRequest) -> Any:  # type: ignore[misc]
            state = _start(request)
            try:
                return _complete(request, get_response(request))
            finally:
                _stop(state)

    return middleware
