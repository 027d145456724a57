"""HandOff: a view decides, and the web server streams what the daemon fetches, without the view.

    from django_curlew import HandOff

    def download(request, name):
        if not may_see(request.user, name):
            raise PermissionDenied
        response = HandOff(request, f"https://files.internal/{name}", auth=("site", PASSWORD))
        response["Cache-Control"] = "private, max-age=60"
        return response

    async def download(request, name):
        …
        return await HandOff.prepared(request, f"https://files.internal/{name}")

The browser receives the status, headers and body of the fetch as they arrive, and the view's own
headers (cookies, caching, Content-Disposition, …). The origin receives what the view passes, and
of the browser's request only the headers listed in `forward_headers`: by default those that resume
a download or keep it cached.

nginx delivers it (the location /_handoff/ of examples/nginx/nginx.conf), or the ASGI bridge does
(asgi.py); the view is the same. Without either, the client receives the response itself: a 501
whose text says so, and a reference that is of no use to it.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, Dict, Iterable, List, Optional

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.exceptions import SynchronousOnlyOperation
from django.http import HttpRequest, HttpResponse
from django.utils.module_loading import import_string

from . import conf, context, handoff_store
from .bridge.scope import is_bridged
from .requests.base_session import BaseSession
from .requests.parameters import DEFAULT_TIMEOUT
from .requests.prepared_request import PreparedRequest

RESUME_HEADERS = ("range", "if-range", "if-none-match", "if-modified-since")

# The body, if nothing delivers the handoff. Under 200 bytes, so that Django does not compress it.
NOT_DELIVERED = (
    "This handoff was not delivered: no web server acts on X-Accel-Redirect: {location}\n"
    "Configure nginx, or use CurlewBridge: docs/django.md, Handoff.\n"
)

_default_session: BaseSession[Any] = BaseSession()


class HandOff(HttpResponse):
    """A response that has `url` fetched and streamed to the browser.

    `kwargs` are those of Session.request(): `params`, `headers`, `data`, `auth`, `timeout`,
    `allow_redirects`, `tag`, …; `session` is a Session whose defaults apply. Without `timeout`, the
    daemon's for streams apply: 30 s for the head, none for the body. The body's encoding is left
    as it is.

    `fetch` is Curlew's request object. It is stored in the daemon, for one use within a minute, and
    the response has a reference to it, so that it shows nothing wherever it ends up. Storing is a
    short request to the daemon: in async code use `await HandOff.prepared(…)`, which does not block
    the event loop. Behind the bridge nothing is stored, and both work anywhere. `reference` is one
    that was made before, by handoff_store.

    The response is a 501 until it is delivered, behind the bridge a 202: Django's cache stores
    neither. Django saves no session for a 5xx: what the view has changed in `request.session`
    before is saved here; make changes before the HandOff.

    Raises HandoffStoreError if the daemon does not store the request object,
    SynchronousOnlyOperation if this would block an event loop.
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
        names = _names(forward_headers)
        self.fetch = request_object(session or _default_session, method, url, names, kwargs)
        if not needs_reference(request):  # the bridge takes the object, and replaces the response
            self._start(reference or json.dumps(self.fetch))
            self.status_code = 202  # Django's cache middleware stores 200 and 304, in every version
            return
        if reference is None:
            _check_not_on_event_loop()
            key = (session or _default_session).route_key(self.fetch)
            reference = handoff_store.store(json.dumps(self.fetch), route_key=key)
        self._start(reference)
        if not _is_on_event_loop():
            _save_session(request, self)
        self._refuse_until_delivered()

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
        """HandOff(request, url, …) for async views: the daemon stores the request object while the
        event loop goes on."""
        names = _names(forward_headers)
        if not needs_reference(request):
            return cls(
                request, url, method=method, session=session, forward_headers=names, **kwargs
            )
        fetch = request_object(session or _default_session, method, url, names, kwargs)
        key = (session or _default_session).route_key(fetch)
        reference = await handoff_store.astore(json.dumps(fetch), route_key=key)
        cookies = HttpResponse()
        if _has_session_to_save(request):
            await sync_to_async(_save_session)(request, cookies)
        response = cls(
            request,
            url,
            method=method,
            session=session,
            forward_headers=names,
            reference=reference,
        )
        response.fetch = fetch  # made once: a file in kwargs can't be read again
        response.cookies.update(cookies.cookies)
        return response

    def _start(self, value: str) -> None:
        self["X-Accel-Redirect"] = conf.get("HANDOFF")
        self["X-Curlew-Request"] = value  # ASCII, as headers must be

    def _refuse_until_delivered(self) -> None:
        """What is seen where nothing delivers it: nginx passes on neither status, body nor Vary."""
        self.status_code = 501
        self.content = NOT_DELIVERED.format(location=conf.get("HANDOFF")).encode()
        self["Vary"] = "*"  # no cache may use it again, whatever Cache-Control the view sets
        self._has_been_logged = True  # Django would mail it to ADMINS, as any 5xx


def request_object(
    session: BaseSession[Any],
    method: str,
    url: str,
    forward_headers: Iterable[str],
    kwargs: Dict[str, Any],
) -> Dict[str, Any]:
    """The request object of a handoff, with the request id and trace context of this request."""
    prepared = PreparedRequest(session, method, url, {**kwargs, "stream": True})
    prepared.read_body()  # what is stored is the request object alone
    keys = dict(prepared.keys)
    if "accept_encoding" not in kwargs:
        keys.pop("decompress", None)
    if "timeout" not in kwargs and session.timeout is DEFAULT_TIMEOUT:
        keys.pop("timeout", None)
    headers = list(keys.get("headers", ()))
    present = {name.lower() for name, _ in headers}
    headers += [[n, v] for n, v in context.headers() if n.lower() not in present]
    lists = {"headers": headers, "forward_headers": list(forward_headers)}
    return {**keys, **{name: value for name, value in lists.items() if value}}


def _names(forward_headers: Iterable[str]) -> List[str]:
    """The names as a list. Raises TypeError for one name in place of it: its letters would be
    names of headers that no browser sends."""
    if isinstance(forward_headers, (str, bytes)):
        raise TypeError(f"forward_headers must be a list of names: [{forward_headers!r}]")
    return list(forward_headers)


def needs_reference(request: HttpRequest) -> bool:
    """Could a browser see the response? Not behind the bridge, which removes the object."""
    return not is_bridged(getattr(request, "scope", {}))


# -- sessions -------------------------------------------------------------------------------------


def _has_session_to_save(request: HttpRequest) -> bool:
    """A test may put a dict there, which SessionMiddleware ignores, too."""
    session = getattr(request, "session", None)
    modified = getattr(session, "modified", None)
    return modified is not None and (modified or settings.SESSION_SAVE_EVERY_REQUEST)


def _save_session(request: HttpRequest, response: HttpResponse) -> None:
    """What SessionMiddleware does for a response that is no 5xx: save, and set the cookie."""
    if _has_session_to_save(request):
        for middleware in _session_middleware():
            middleware.process_response(request, response)


def _session_middleware() -> List[SessionMiddleware]:
    """The project's, which may be a subclass."""
    found = [import_string(name) for name in settings.MIDDLEWARE]
    return [
        each(lambda request: HttpResponse())
        for each in found
        if isinstance(each, type) and issubclass(each, SessionMiddleware)
    ]


# -- event loops ----------------------------------------------------------------------------------


def _is_on_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _check_not_on_event_loop() -> None:
    if _is_on_event_loop():
        raise SynchronousOnlyOperation(
            "HandOff(…) stores the request object in the daemon, which would block the event loop:"
            " use `await HandOff.prepared(request, url, …)`."
        )
