"""Hand-off: a view decides, and what it decided on is fetched and delivered without it.

    from django_curlew import HandOff

    def download(request, name):
        if not may_see(request.user, name):
            raise PermissionDenied
        response = HandOff(request, f"https://files.internal/{name}", auth=("site", PASSWORD))
        response["Cache-Control"] = "private, max-age=60"
        return response

The browser gets the status, headers and body that the fetch brings, as they come; what else the
view says in its response (cookies, caching, Content-Disposition, …) is said as well. The origin
gets what the view says and nothing of the browser's request, but for the headers listed in
`forward_headers`: by default those that let downloads resume and stay cached.

nginx delivers it (the location /_handoff/ of examples/nginx/nginx.conf), or the ASGI bridge does
(asgi.py): the view is the same. Anybody else who asks this Django gets an empty page.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, Dict, Iterable, Optional

from django.core.exceptions import SynchronousOnlyOperation
from django.http import HttpRequest, HttpResponse

from . import ahead, conf, context
from .bridge.scope import has_bridge
from .requests.base_session import BaseSession
from .requests.parameters import DEFAULT_TIMEOUT
from .requests.prepared_request import PreparedRequest

RESUMING = ("range", "if-range", "if-none-match", "if-modified-since")

_plain: BaseSession[Any] = BaseSession()


class HandOff(HttpResponse):
    """A response that has `url` fetched and streamed to the browser.

    The keywords are those of Session.request(): `params`, `headers`, `data`, `auth`, `timeout`,
    `allow_redirects`, `tag`, …; `session` is a Session whose defaults apply. Without a time-out
    the daemon's for streams holds: 30 s for the head, none for the body. The body's encoding is
    left as it is.

    `fetch` is Curlew's request object as it is sent. One too large for a header goes ahead to the
    daemon: in async code, `await HandOff.prepared(…)` does that without holding up the event
    loop. Behind the bridge every size fits.
    """

    def __init__(
        self,
        request: HttpRequest,
        url: str,
        *,
        method: str = "GET",
        session: Optional[BaseSession[Any]] = None,
        forward_headers: Iterable[str] = RESUMING,
        reference: Optional[str] = None,
        **how: Any,
    ) -> None:
        super().__init__()
        del self["Content-Type"]  # it is the fetch's to say
        names = list(forward_headers)
        self.fetch = request_object(session or _plain, method, url, names, how)
        told = reference or json.dumps(self.fetch)  # in ASCII: fit for a header
        if not fits(request, told):
            _check_thread()
            told = ahead.keep(told)
        self["X-Accel-Redirect"] = conf.get("HAND_OFF")
        self["X-Curlew-Request"] = told

    @classmethod
    async def prepared(
        cls,
        request: HttpRequest,
        url: str,
        *,
        method: str = "GET",
        session: Optional[BaseSession[Any]] = None,
        forward_headers: Iterable[str] = RESUMING,
        **how: Any,
    ) -> HandOff:
        """HandOff(request, url, …) for async views whose request objects may be large."""
        names = list(forward_headers)
        told = json.dumps(request_object(session or _plain, method, url, names, how))
        reference = None if fits(request, told) else await ahead.keep_async(told)
        said: Any = {"method": method, "session": session, "forward_headers": names}
        return cls(request, url, reference=reference, **said, **how)


def request_object(
    session: BaseSession[Any], method: str, url: str, forward: Iterable[str], how: Dict[str, Any]
) -> Dict[str, Any]:
    """Curlew's request object; the request's id and trace go along, as with any other fetch."""
    told = dict(PreparedRequest(session, method, url, {**how, "stream": True}).keys)
    if "accept_encoding" not in how:
        told.pop("decompress", None)
    if "timeout" not in how and session.timeout is DEFAULT_TIMEOUT:
        told.pop("timeout", None)
    headers = list(told.get("headers", ()))
    given = {name.lower() for name, _ in headers}
    headers += [[n, v] for n, v in context.headers() if n.lower() not in given]
    lists = {"headers": headers, "forward_headers": list(forward)}
    return {**told, **{name: value for name, value in lists.items() if value}}


def fits(request: HttpRequest, told: str) -> bool:
    """May it go in a header?"""
    return len(told) <= conf.get("HAND_OFF_INLINE") or has_bridge(getattr(request, "scope", {}))


def _check_thread() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise SynchronousOnlyOperation(
        "This request object is too large for a header, and sending it ahead would hold up the"
        " event loop: use `await HandOff.prepared(request, url, …)`."
    )
