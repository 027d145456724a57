"""Storing request objects that are too large for a header: in the daemon, for one handoff, for a
minute."""

from __future__ import annotations

import json
from typing import Optional

from . import daemon as daemon_client

ROUTE = "/v1/handoffs"
TIMEOUT = 5.0  # seconds; the daemon only has to store it
JSON = (("Content-Type", "application/json"),)


class HandoffStoreError(RuntimeError):
    """The daemon did not store the request object."""


def store(request_object: str, daemon: Optional[daemon_client.Daemon] = None) -> str:
    """Store a request object (JSON); returns its reference, "@…", for X-Curlew-Request. Without
    `daemon`, that of the settings is used. Raises HandoffStoreError."""
    try:
        response = (daemon or daemon_client.current()).exchange(
            "POST", ROUTE, headers=JSON, body=request_object.encode(), timeout=TIMEOUT
        )
    except daemon_client.DaemonError as err:
        raise HandoffStoreError(f"the request object could not be stored: {err}") from err
    return _reference(response)


async def astore(request_object: str, daemon: Optional[daemon_client.Daemon] = None) -> str:
    """store() for coroutines."""
    try:
        response = await (daemon or daemon_client.current()).aexchange(
            "POST", ROUTE, headers=JSON, body=request_object.encode(), timeout=TIMEOUT
        )
    except daemon_client.DaemonError as err:
        raise HandoffStoreError(f"the request object could not be stored: {err}") from err
    return _reference(response)


def _reference(response: daemon_client.Response) -> str:
    try:
        document = json.loads(response.body)
        if response.status == 200:
            return str(document["reference"])
        detail = document["detail"]
    except (ValueError, LookupError, TypeError):
        detail = f"HTTP {response.status}"
    raise HandoffStoreError(f"the request object could not be stored: {detail}")
