"""Hand-off: a view decides, and what it decided on is fetched and delivered without it.

    from django_curlew import HandOff

    def download(request, name):
        if not may_see(request.user, name):
            raise PermissionDenied
        response = HandOff(request, f"https://files.internal/{name}", auth={"bearer": TOKEN})
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
import base64
import json
from typing import Any, Dict, Iterable, List, Optional

from django.core.exceptions import SynchronousOnlyOperation
from django.http import HttpRequest, HttpResponse

from . import ahead, conf, context
from .bridge.scope import has_bridge

RESUMING = ("range", "if-range", "if-none-match", "if-modified-since")


class HandOff(HttpResponse):
    """A response that has `url` fetched and streamed to the browser.

    The keywords are the keys of Curlew's request object (docs/api.md). One too large for a header
    is sent to the daemon first: in async code, `await HandOff.prepared(…)` does so without holding
    up the event loop. Behind the bridge every size fits.
    """

    def __init__(
        self,
        request: HttpRequest,
        url: str,
        *,
        forward_headers: Iterable[str] = RESUMING,
        reference: Optional[str] = None,
        **keys: Any,
    ) -> None:
        super().__init__()
        del self["Content-Type"]  # it is the fetch's to say
        self.fetch = request_object(url, list(forward_headers), keys)
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
        forward_headers: Iterable[str] = RESUMING,
        **keys: Any,
    ) -> HandOff:
        """HandOff(request, url, …) for async views whose request objects may be large."""
        names = list(forward_headers)
        told = json.dumps(request_object(url, names, keys))
        reference = None if fits(request, told) else await ahead.keep_async(told)
        return cls(request, url, forward_headers=names, reference=reference, **keys)


def request_object(url: str, forward_headers: List[str], keys: Dict[str, Any]) -> Dict[str, Any]:
    """Curlew's request object; the request's id and trace go along, as with any other fetch."""
    headers = _pairs(keys.get("headers"))
    given = {name.lower() for name, _ in headers}
    headers += [[n, v] for n, v in context.headers() if n.lower() not in given]
    told = {"url": url, **keys}
    if isinstance(told.get("body"), bytes):  # JSON has none
        told["body_base64"] = base64.b64encode(told.pop("body")).decode()
    if headers:
        told["headers"] = headers
    if forward_headers:
        told["forward_headers"] = forward_headers
    return told


def _pairs(headers: Any) -> List[List[Optional[str]]]:
    return [[n, v] for n, v in (headers.items() if hasattr(headers, "items") else headers or ())]


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
