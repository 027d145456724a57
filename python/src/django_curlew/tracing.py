"""OpenTelemetry: a span for each fetch (`pip install django-curlew[opentelemetry]`).

    from django_curlew import tracing
    tracing.enable()    # once, in settings.py or AppConfig.ready()

The span has the attributes of OpenTelemetry's conventions for HTTP clients. Its trace context goes
to the daemon, which passes it on to the origin and writes it to its log. A stream's span ends when
its head has come. The requests of a batch have a span each; the origin sees the span around them.

Until enable() is called, nothing of this is imported and a fetch pays nothing for it.
"""

from __future__ import annotations

import time
from typing import Any, Dict, Optional
from urllib.parse import urlsplit

from opentelemetry import propagate, trace

from . import context, record

METHODS = frozenset("GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH QUERY".split())
PORTS = {"http": 80, "https": 443}


def enable(tracer_provider: Optional[Any] = None) -> None:
    """Make a span for each fetch from now on, of this provider or of the global one."""
    record.tracer = Tracer(tracer_provider)


def disable() -> None:
    """Make no more spans."""
    record.tracer = None


class Tracer:
    """What record.tracer is; recording.py alone calls it."""

    def __init__(self, provider: Optional[Any]) -> None:
        self._tracer = trace.get_tracer("django_curlew", tracer_provider=provider)

    def start(self, method: str, url: str, seconds_ago: float = 0.0) -> Any:
        """A span that began so long ago."""
        known = method in METHODS
        return self._tracer.start_span(
            method if known else "HTTP",
            kind=trace.SpanKind.CLIENT,
            attributes=request_attributes(method if known else "_OTHER", method, url),
            start_time=time.time_ns() - int(seconds_ago * 1e9),
        )

    def attach(self, span: Any) -> Any:
        """The fetch is a part of the span's trace. The result is for context.detach()."""
        carrier: Dict[str, str] = {}
        propagate.inject(carrier, trace.set_span_in_context(span))
        own = ("traceparent", "tracestate")
        new = tuple((name, carrier[name]) for name in own if name in carrier)
        kept = tuple(pair for pair in context.headers() if not new or pair[0] not in own)
        return context.attach(kept + new)

    def end(self, span: Any, envelope: Dict[str, Any], error: Optional[str]) -> None:
        """With the response's envelope, or what went wrong."""
        for name, value in response_attributes(envelope).items():
            span.set_attribute(name, value)
        status = envelope.get("status") or 0
        error = error or (str(status) if status >= 400 else None)
        if error is not None:
            span.set_attribute("error.type", error)
            span.set_status(trace.Status(trace.StatusCode.ERROR))
        span.end()


def request_attributes(name: str, method: str, url: str) -> Dict[str, Any]:
    """url.full is without user and password, and without the values of the query."""
    shown = record.redact_url(url)
    attributes: Dict[str, Any] = {"http.request.method": name, "url.full": shown}
    if name == "_OTHER":
        attributes["http.request.method_original"] = method
    parts = urlsplit(shown) if "://" in shown else None
    if parts is not None and parts.hostname:
        attributes["server.address"] = parts.hostname
        attributes["server.port"] = parts.port or PORTS.get(parts.scheme, 0)
    return attributes


def response_attributes(envelope: Dict[str, Any]) -> Dict[str, Any]:
    """What is known once there is a response."""
    attributes: Dict[str, Any] = {}
    if envelope.get("status"):
        attributes["http.response.status_code"] = envelope["status"]
    if envelope.get("http_version"):
        attributes["network.protocol.version"] = envelope["http_version"]
    if (envelope.get("attempts") or 1) > 1:
        attributes["http.request.resend_count"] = envelope["attempts"] - 1
    return attributes
