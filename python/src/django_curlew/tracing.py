"""OpenTelemetry: a span for each fetch (`pip install django-curlew[opentelemetry]`).

    from django_curlew import tracing
    tracing.enable()    # once, in settings.py or AppConfig.ready()

The span has the attributes of OpenTelemetry's conventions for HTTP clients. Its trace context goes
to the daemon, which passes it on to the origin and writes it to its log. A stream's span ends with
its body: when that was read, failed, or was closed or dropped. A batch is a span, too, and each of
its requests is a span within it, whose trace context the request's origin sees.

Until enable() is called, nothing of this is imported and a fetch pays nothing for it.
"""

from __future__ import annotations

from typing import Any, Dict, Optional
from urllib.parse import urlsplit

from opentelemetry import propagate, trace

from . import context, record

METHODS = frozenset("GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH QUERY".split())
TRACE_CONTEXT = ("traceparent", "tracestate")
PORTS = {"http": 80, "https": 443}


def enable(tracer_provider: Optional[Any] = None) -> None:
    """Make a span for each fetch from now on, of this provider or of the global one."""
    record.tracer = Tracer(tracer_provider)


def disable() -> None:
    """Make no more spans."""
    record.tracer = None


class Tracer:
    """What record.tracer is; requests/recording.py and batch_trace.py call it."""

    def __init__(self, provider: Optional[Any]) -> None:
        self._tracer = trace.get_tracer("django_curlew", tracer_provider=provider)

    def start(self, method: str, url: str, parent: Optional[Any] = None) -> Any:
        """The span of one fetch, within the current one or within `parent`."""
        known = method in METHODS
        return self._tracer.start_span(
            method if known else "HTTP",
            context=trace.set_span_in_context(parent) if parent is not None else None,
            kind=trace.SpanKind.CLIENT,
            attributes=request_attributes(method if known else "_OTHER", method, url),
        )

    def start_batch(self, requests: int, max_parallel: int) -> Any:
        """The span around a batch: no request of HTTP itself, so it has attributes of our own."""
        sizes = {"curlew.batch.requests": requests, "curlew.batch.max_parallel": max_parallel}
        return self._tracer.start_span("curlew.batch", attributes=sizes)

    def trace_headers(self, span: Any) -> Dict[str, str]:
        """The span's trace context. {} if a propagator without traceparent is configured."""
        carrier: Dict[str, str] = {}
        propagate.inject(carrier, trace.set_span_in_context(span))
        # A tracestate may come from a visitor: the daemon would refuse one that is too long.
        return {n: carrier[n] for n in TRACE_CONTEXT if context.is_valid_value(carrier.get(n))}

    def propagated(self, span: Any) -> context.Headers:
        """context.headers() for what is a part of the span's trace."""
        new = tuple(self.trace_headers(span).items())
        return new + tuple(p for p in context.headers() if not new or p[0] not in TRACE_CONTEXT)

    def attach(self, span: Any) -> Any:
        """The fetch is a part of the span's trace. The result is for context.detach()."""
        return context.attach(self.propagated(span))

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

    def end_batch(self, span: Any, failed: bool) -> None:
        """All its requests have ended; or there will be no more results."""
        if failed:
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
