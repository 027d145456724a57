"""request(), get(), post() …: for a fetch that needs no session.

No cookie is kept from call to call; the redirects of one call keep theirs. Connections are kept: by
the daemon.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .models import Response
from .param_types import RequestParams
from .session import Session

if TYPE_CHECKING:
    from typing_extensions import Unpack

_session: Session[Response] = Session(cookie_jar=False)


def request(
    method: str,
    url: str,
    thread: Any = None,
    curl_options: Any = None,
    debug: Any = None,
    **kwargs: Unpack[RequestParams],
) -> Response:
    """Fetch a URL. docs/client.md lists the parameters. Raises a RequestException if there is no
    response."""
    session = _session
    if curl_options or debug:
        session = Session(curl_options=curl_options, debug=bool(debug), cookie_jar=False)
    return session.request(method, url, **kwargs)


def get(url: str, **kwargs: Any) -> Response:
    return request("GET", url, **kwargs)


def head(url: str, **kwargs: Any) -> Response:
    return request("HEAD", url, **kwargs)


def post(url: str, **kwargs: Any) -> Response:
    return request("POST", url, **kwargs)


def put(url: str, **kwargs: Any) -> Response:
    return request("PUT", url, **kwargs)


def patch(url: str, **kwargs: Any) -> Response:
    return request("PATCH", url, **kwargs)


def delete(url: str, **kwargs: Any) -> Response:
    return request("DELETE", url, **kwargs)


def options(url: str, **kwargs: Any) -> Response:
    return request("OPTIONS", url, **kwargs)


def trace(url: str, **kwargs: Any) -> Response:
    return request("TRACE", url, **kwargs)


def query(url: str, **kwargs: Any) -> Response:
    return request("QUERY", url, **kwargs)
