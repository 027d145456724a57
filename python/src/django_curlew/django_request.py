"""Which Django request this code runs for, without help of a middleware.

    current()    an object that stands for it: another one for each request; None outside of
                 requests, as in commands, tasks and other frameworks

Under ASGI, Django runs each request in a ThreadSensitiveContext of asgiref's, which tasks and
threads of the request inherit. Under WSGI a context variable is set when a request starts: views,
and event loops that Django starts for async views, see it.
"""

from __future__ import annotations

import sys
from contextvars import ContextVar
from typing import Any, Optional


class _WSGIRequest:
    """Stands for a request; unlike object() it can be referred to weakly."""

    __slots__ = ("__weakref__",)


_wsgi_request: ContextVar[Optional[_WSGIRequest]] = ContextVar("curlew_wsgi_request", default=None)
_asgi_request: Optional[ContextVar[Any]] = None  # asgiref's, once Django was found
_is_wanted = False  # was watch() called?


def current() -> Optional[object]:
    """The object for this request; None if there is none, or before watch()."""
    request: Optional[object] = _wsgi_request.get()
    if request is None and _asgi_request is not None:
        request = _asgi_request.get(None)
    return request


def watch() -> None:
    """Follow the requests of Django, if this process has loaded it. It may be called often."""
    global _asgi_request, _is_wanted
    _is_wanted = True
    if _asgi_request is not None or "django.core.signals" not in sys.modules:
        return
    from asgiref.sync import SyncToAsync
    from django.core import signals

    signals.request_started.connect(_on_started, dispatch_uid="django_curlew.request_started")
    signals.request_finished.connect(_on_finished, dispatch_uid="django_curlew.request_finished")
    _asgi_request = SyncToAsync.thread_sensitive_context


def on_django_ready() -> None:
    """Django is loaded now: do what watch() was called for before."""
    if _is_wanted:
        watch()


def _on_started(*, environ: Any = None, **_: object) -> None:
    if environ is not None:  # WSGI, and Django's test client
        _wsgi_request.set(_WSGIRequest())


def _on_finished(**_: object) -> None:
    _wsgi_request.set(None)
