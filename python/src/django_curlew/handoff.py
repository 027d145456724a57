"""HandOff: a view decides, and the web server streams what the daemon fetches, without the view.

    from django_curlew import HandOff

    def download(request, name):
        if not may_see(request.user, name):
            raise PermissionDenied
        response = HandOff(request, f"https://files.internal/{name}", auth=("site", PASSWORD))
        response["Cache-Control"] = "private, max-age=60"
        return response

The browser receives the status, headers and body of the fetch as they arrive, and the view's own
headers (cookies, caching, Content-Disposition, …). The origin receives what the view passes, and
of the browser's request only the headers listed in `forward_headers`: by default those that resume
a download or keep it cached.

nginx delivers it (the location /_handoff/ of examples/nginx/nginx.conf), or the ASGI bridge does
(asgi.py); the view is the same. Without either, the client receives an empty response.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, Dict, Iterable, Optional

from django.core.exceptions import SynchronousOnlyOperation
from django.http import HttpRequest, HttpResponse

from . import conf, context, handoff_store
from .bridge.scope import is_bridged
from .requests.base_session import BaseSession
from .requests.parameters import DEFAULT_TIMEOUT
from .requests.prepared_request import PreparedRequest

RESUME_HEADERS = ("range", "if-range", "if-none-match", "if-modified-since")

_default_session: BaseSession[Any] = BaseSession()


class HandOff(HttpResponse):
    """A response that has `url` fetched and streamed to the browser.

    `kwargs` are those of Session.request(): `params`, `headers`, `data`, `auth`, `timeout`,
    `allow_redirects`, `tag`, …; `session` is a Session whose defaults apply. Without `timeout`, the
    daemon's for streams apply: 30 s for the head, none for the body. The body's encoding is left
    as it is.

    `fetch` is Curlew's request object, as it is sent. One that is too large for a header is stored
    in the daemon first: in async code use `await HandOff.prepared(…)`, which does not block the
    event loop. With the bridge, every size fits. Raises HandoffStoreError if the daemon does not
    store it, SynchronousOnlyOperation if this would block an event loop.
    """

    def __init__(
        self,
        request: HttpRequest,
        url: str,
        *,
        method: str = "GET",
        session: Optional[BaseSession[Any]] = None,
        forward_headers: Iterable[str] = RESUME_HEADERS,
        reference: Optional[str] = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        del self["Content-Type"]  # the fetch has it
        names = list(forward_headers)
        self.fetch = request_object(session or _default_session, method, url, names, kwargs)
        header = reference or json.dumps(self.fetch)  # ASCII, as headers must be
        if not fits_in_header(request, header):
            _check_not_on_event_loop()
            header = handoff_store.store(header)
        self["X-Accel-Redirect"] = conf.get("HANDOFF")
        self["X-Curlew-Request"] = header

    @classmethod
    async def prepared(
        cls,
        request: HttpRequest,
        url: str,
        *,
        method: str = "GET",
        session: Optional[BaseSession[Any]] = None,
        forward_headers: Iterable[str] = RESUME_HEADERS,
        **kwargs: Any,
    ) -> HandOff:
        """HandOff(request, url, …) for async views whose request objects may be large."""
        names = list(forward_headers)
        fetch = request_object(session or _default_session, method, url, names, kwargs)
        header, reference = json.dumps(fetch), None
        if not fits_in_header(request, header):
            reference = await handoff_store.astore(header)
        return cls(
            request,
            url,
            method=method,
            session=session,
            forward_headers=names,
            reference=reference,
            **kwargs,
        )


def request_object(
    session: BaseSession[Any],
    method: str,
    url: str,
    forward_headers: Iterable[str],
    kwargs: Dict[str, Any],
) -> Dict[str, Any]:
    """The request object of a handoff, with the request id and trace context of this request."""
    keys = dict(PreparedRequest(session, method, url, {**kwargs, "stream": True}).keys)
    if "accept_encoding" not in kwargs:
        keys.pop("decompress", None)
    if "timeout" not in kwargs and session.timeout is DEFAULT_TIMEOUT:
        keys.pop("timeout", None)
    headers = list(keys.get("headers", ()))
    present = {name.lower() for name, _ in headers}
    headers += [[n, v] for n, v in context.headers() if n.lower() not in present]
    lists = {"headers": headers, "forward_headers": list(forward_headers)}
    return {**keys, **{name: value for name, value in lists.items() if value}}


def fits_in_header(request: HttpRequest, value: str) -> bool:
    """May a request object of this size be sent in a response header?"""
    return len(value) <= conf.get("HANDOFF_INLINE") or is_bridged(getattr(request, "scope", {}))


def _check_not_on_event_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise SynchronousOnlyOperation(
        "This request object is too large for a header, and storing it in the daemon would block"
        " the event loop: use `await HandOff.prepared(request, url, …)`."
    )
