"""request(), get(), post() …: for a fetch that needs no session.

Each call has cookies of its own. There is no cost in that: the warm connections are the daemon's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .models import Response
from .session import Session
from .types import RequestParams

if TYPE_CHECKING:
    from typing_extensions import Unpack


def request(
    method: str,
    url: str,
    thread: Any = None,
    curl_options: Any = None,
    debug: Any = None,
    **how: Unpack[RequestParams],
) -> Response:
    """Fetch, and return the response; docs/client.md has each parameter."""
    session: Session[Response] = Session(curl_options=curl_options, debug=bool(debug))
    return session.request(method, url, **how)


def get(url: str, **how: Any) -> Response:
    return request("GET", url, **how)


def head(url: str, **how: Any) -> Response:
    return request("HEAD", url, **how)


def post(url: str, **how: Any) -> Response:
    return request("POST", url, **how)


def put(url: str, **how: Any) -> Response:
    return request("PUT", url, **how)


def patch(url: str, **how: Any) -> Response:
    return request("PATCH", url, **how)


def delete(url: str, **how: Any) -> Response:
    return request("DELETE", url, **how)


def options(url: str, **how: Any) -> Response:
    return request("OPTIONS", url, **how)


def trace(url: str, **how: Any) -> Response:
    return request("TRACE", url, **how)


def query(url: str, **how: Any) -> Response:
    return request("QUERY", url, **how)
