"""Storing request objects in the daemon: each for one handoff, within a minute. A daemon that
requires tokens delivers only what was stored so, with a token that may use the session."""

from __future__ import annotations

import json
from typing import Optional

from . import daemon as daemon_client
from . import route
from .daemon import foreign_response

ROUTE = "/v1/handoffs"
TIMEOUT = 5.0  # seconds; the daemon only has to store it
JSON = (("Content-Type", "application/json"),)


class HandoffStoreError(RuntimeError):
    """The daemon did not store the request object."""


def store(
    request_object: str,
    daemon: Optional[daemon_client.Daemon] = None,
    route_key: Optional[str] = None,
) -> str:
    """Store a request object (JSON); returns its reference, "@…", for X-Curlew-Request. Without
    `daemon`, that of the settings is used. A daemon that is stopping is asked twice: the second
    connection is its successor's. `route_key`: its key for a Daemon that sends_route, which the
    reference then begins with. Raises HandoffStoreError."""
    current = daemon or daemon_client.current()
    body, trace = request_object.encode(), _route(current, route_key)
    try:
        response = current.exchange(
            "POST", ROUTE, headers=JSON, body=body, trace=trace, timeout=TIMEOUT
        )
        if response.status == 503 and _code(response) == "draining":
            response = current.exchange(
                "POST", ROUTE, headers=JSON, body=body, trace=trace, timeout=TIMEOUT
            )
    except daemon_client.DaemonError as err:
        raise HandoffStoreError(f"the request object could not be stored: {err}") from err
    return _reference(response)


async def astore(
    request_object: str,
    daemon: Optional[daemon_client.Daemon] = None,
    route_key: Optional[str] = None,
) -> str:
    """store() for coroutines."""
    current = daemon or daemon_client.current()
    body, trace = request_object.encode(), _route(current, route_key)
    try:
        response = await current.aexchange(
            "POST", ROUTE, headers=JSON, body=body, trace=trace, timeout=TIMEOUT
        )
        if response.status == 503 and _code(response) == "draining":
            response = await current.aexchange(
                "POST", ROUTE, headers=JSON, body=body, trace=trace, timeout=TIMEOUT
            )
    except daemon_client.DaemonError as err:
        raise HandoffStoreError(f"the request object could not be stored: {err}") from err
    return _reference(response)


def _route(daemon: daemon_client.Daemon, key: Optional[str]) -> route.Pairs:
    return route.headers(key) if daemon.sends_route else ()


def _code(response: daemon_client.Response) -> str:
    """Of a problem document; "" if it is none."""
    try:
        return str(json.loads(response.body)["code"])
    except (ValueError, LookupError, TypeError):
        return ""


def _reference(response: daemon_client.Response) -> str:
    try:
        document = json.loads(response.body)
        if response.status == 200:
            return str(document["reference"])
        detail = document["detail"]
    except (ValueError, LookupError, TypeError):
        detail = foreign_response.explanation_of(response)
    raise HandoffStoreError(f"the request object could not be stored: {detail}")
