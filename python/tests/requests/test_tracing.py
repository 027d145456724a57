"""Spans of fetches: their attributes, and the trace that goes on at the origin."""

import asyncio

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from django_curlew import record, requests, tracing


@pytest.fixture
def exporter():
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing.enable(provider)
    yield exporter
    tracing.disable()
    provider.shutdown()


def trace_at_origin(response):
    headers = {name.lower(): value for name, value in response.json()["headers"]}
    version, trace_id, span_id, _ = headers["traceparent"].split("-")
    return version, int(trace_id, 16), int(span_id, 16)


def check(span, response, origin):
    assert span.name == "GET" and span.kind is SpanKind.CLIENT
    attributes = dict(span.attributes)
    assert attributes.pop("url.full").startswith(origin.url("/echo"))
    assert attributes == {
        "http.request.method": "GET", "server.address": "127.0.0.1",
        "server.port": origin.ports["http"], "http.response.status_code": 200,
        "network.protocol.version": response.envelope["http_version"],
    }
    assert trace_at_origin(response)[1:] == (span.context.trace_id, span.context.span_id)


def test_a_fetch_is_a_span_whose_trace_the_origin_sees(exporter, origin):
    secret = origin.url("/echo?key=s3cret").replace("//", "//user:s3cret@")
    response = requests.get(secret)
    span, = exporter.get_finished_spans()
    check(span, response, origin)
    assert "s3cret" not in span.attributes["url.full"] and "user" not in str(span.attributes)


def test_a_coroutines_fetch_too(exporter, origin):
    async def fetch():
        async with requests.AsyncSession() as session:
            return await session.get(origin.url("/echo"))

    response = asyncio.run(fetch())
    check(exporter.get_finished_spans()[0], response, origin)


def test_a_streams_span_ends_with_its_head(exporter, origin):
    with requests.Session() as session, session.stream("GET", origin.url("/echo")) as response:
        span, = exporter.get_finished_spans()
        assert span.attributes["http.response.status_code"] == 200 == response.status_code


def test_a_failure_has_its_code(exporter, origin):
    with pytest.raises(requests.RequestsError):
        requests.get(origin.url("/close-early"))
    span, = exporter.get_finished_spans()
    assert span.attributes["error.type"] == "incomplete_body"
    assert span.status.status_code is StatusCode.ERROR


def test_an_error_of_the_origin_is_one_of_the_span(exporter, origin):
    requests.get(origin.url("/status/503"))
    span, = exporter.get_finished_spans()
    assert span.attributes["error.type"] == "503"
    assert span.status.status_code is StatusCode.ERROR


def test_each_request_of_a_batch_has_a_span(exporter, origin):
    with requests.Session() as session:
        session.gather([origin.url("/hello")] * 3)
    spans = exporter.get_finished_spans()
    assert [span.name for span in spans] == ["GET"] * 3
    assert all(span.start_time < span.end_time for span in spans)


def test_an_unknown_method_is_no_name(exporter, origin):
    requests.request("MELT", origin.url("/echo"))
    span, = exporter.get_finished_spans()
    assert span.name == "HTTP" and span.attributes["http.request.method"] == "_OTHER"
    assert span.attributes["http.request.method_original"] == "MELT"


def test_without_enable_nobody_records():
    assert record.tracer is None and record.current() is None
