"""Spans of fetches: their attributes, and the trace that goes on at the origin."""

import asyncio

import pytest
from opentelemetry import context as otel_context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import (NonRecordingSpan, SpanContext, SpanKind, StatusCode, TraceFlags,
                                 TraceState, set_span_in_context)

from django_curlew import context, record, requests, tracing
from django_curlew.daemon import Daemon


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


def read_stream(url, kind, read):
    if kind == "sync":
        with requests.Session() as session, session.stream("GET", url) as response:
            read(response.iter_content())
        return

    async def fetch():
        async with requests.AsyncSession() as session:
            async with session.stream("GET", url) as response:
                read([piece async for piece in response.aiter_content()])

    asyncio.run(fetch())


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_streams_span_ends_with_its_body(exporter, origin, kind):
    seen = []

    def read(pieces):
        for _ in pieces:
            if kind == "sync":
                seen.append(len(exporter.get_finished_spans()))

    read_stream(origin.url("/drip?n=3&every=0.06"), kind, read)
    span, = exporter.get_finished_spans()
    assert set(seen) <= {0} and (seen or kind == "async")
    assert span.attributes["http.response.status_code"] == 200
    assert span.status.status_code is StatusCode.UNSET
    assert span.end_time - span.start_time > 100_000_000


def test_a_stream_that_is_closed_or_dropped_has_ended(exporter, origin):
    session = requests.Session()
    for number, leave in enumerate((lambda response: response.close(), lambda response: None), 1):
        response = session.get(origin.url("/drip?n=50"), stream=True)
        assert len(exporter.get_finished_spans()) == number - 1
        leave(response)
        del response
        assert len(exporter.get_finished_spans()) == number
    assert {s.status.status_code for s in exporter.get_finished_spans()} == {StatusCode.UNSET}


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_stream_that_breaks_off_has_its_code(exporter, origin, kind):
    with pytest.raises(requests.RequestsError):
        read_stream(origin.url("/close-early"), kind, lambda pieces: list(pieces))
    span, = exporter.get_finished_spans()
    assert span.attributes["error.type"] == "incomplete_body"
    assert span.attributes["http.response.status_code"] == 200


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


# -- batches --------------------------------------------------------------------------------------


def gather(kind, urls, curlewd=None):
    if kind == "sync":
        return requests.Session(daemon=curlewd).gather(urls, return_exceptions=True)
    session = requests.AsyncSession(daemon=curlewd)
    return asyncio.run(session.gather(urls, return_exceptions=True))


def completed(kind, urls, curlewd=None):
    if kind == "sync":
        return [result for _, result in requests.Session(daemon=curlewd).as_completed(urls)]

    async def collect():
        results = requests.AsyncSession(daemon=curlewd).as_completed(urls)
        return [result async for _, result in results]

    return asyncio.run(collect())


def batch_and_children(exporter):
    """The span around a batch, and those within it by their URL."""
    spans = exporter.get_finished_spans()
    around, = (s for s in spans if s.name == "curlew.batch")
    inner = {s.attributes["url.full"]: s for s in spans if s is not around}
    assert len(inner) == len(spans) - 1
    for span in inner.values():
        assert span.parent.span_id == around.context.span_id
        assert span.context.trace_id == around.context.trace_id
        assert around.start_time <= span.start_time < span.end_time <= around.end_time
    return around, inner


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("fetch", [gather, completed])
def test_each_request_of_a_batch_is_a_span_whose_trace_its_origin_sees(
        exporter, origin, kind, fetch):
    urls = [origin.url(f"/echo/{i}") for i in range(3)]
    responses = {r.url: r for r in fetch(kind, urls)}
    around, inner = batch_and_children(exporter)
    assert around.kind is SpanKind.INTERNAL and around.status.status_code is StatusCode.UNSET
    assert around.attributes["curlew.batch.requests"] == 3
    assert set(inner) == set(urls)
    for url, span in inner.items():
        check(span, responses[url], origin)


def test_a_batch_is_within_the_span_of_its_caller(exporter, origin):
    provider = record.tracer._tracer
    with provider.start_as_current_span("view") as view:
        gather("sync", [origin.url("/echo")])
    around, = (s for s in exporter.get_finished_spans() if s.name == "curlew.batch")
    assert around.parent.span_id == view.get_span_context().span_id


def test_a_batch_without_tracing_has_the_trace_of_its_caller(origin):
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with context.propagate(traceparent=parent):
        response, = gather("sync", [origin.url("/echo")])
    assert dict(response.json()["headers"])["traceparent"] == parent


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_failed_request_of_a_batch_has_its_code(exporter, origin, kind):
    bad = origin.url("/", port="closed")
    gather(kind, [origin.url("/hello"), bad])
    around, inner = batch_and_children(exporter)
    assert inner[bad].attributes["error.type"] == "connect_failed"
    assert around.status.status_code is StatusCode.ERROR
    assert inner[origin.url("/hello")].status.status_code is StatusCode.UNSET


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_batch_that_reaches_no_daemon_ends_too(exporter, kind, tmp_path):
    with pytest.raises(requests.RequestsError):
        gather(kind, ["http://a.example/", "http://b.example/"],
               Daemon(f"fcgi+unix:{tmp_path}/none.sock"))
    around, inner = batch_and_children(exporter)
    assert {s.attributes["error.type"] for s in inner.values()} == {"unreachable"}
    assert len(inner) == 2 and around.status.status_code is StatusCode.ERROR


@pytest.mark.parametrize("leave", ["break", "drop", "cancel"])
def test_what_a_left_iteration_has_not_taken_is_cancelled(exporter, origin, leave):
    urls = [origin.url("/hello"), origin.url("/delay/20")]

    async def take_one():
        results = requests.AsyncSession().as_completed(urls)
        async for _ in results:
            break
        if leave == "cancel":
            await results.aclose()

    if leave == "break":
        for _ in requests.Session().as_completed(urls):
            break
    else:
        asyncio.run(take_one())
    around, inner = batch_and_children(exporter)
    assert inner[urls[0]].status.status_code is StatusCode.UNSET
    assert inner[urls[1]].attributes["error.type"] == "cancelled"


def test_an_iteration_that_never_began_is_no_span(exporter, origin):
    requests.Session().as_completed([origin.url("/hello")])
    assert exporter.get_finished_spans() == ()


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("fetch", [gather, completed])
def test_a_batch_in_parts_is_one_span(exporter, origin, daemon, kind, fetch):
    """One part for each key of Curlew-Route."""
    curlewd = Daemon(f"fcgi+unix:{daemon.socket}", sends_route=True)
    urls = [origin.url("/echo"), origin.url("/echo", host="localhost"),
            origin.url("/", port="closed")]
    results = fetch(kind, urls, curlewd)
    assert len(results) == 3
    _, inner = batch_and_children(exporter)
    assert set(inner) == set(urls)
    assert inner[urls[2]].attributes["error.type"] == "connect_failed"
    for response in results:
        if not isinstance(response, Exception):
            assert trace_at_origin(response)[2] == inner[response.url].context.span_id


def test_an_unknown_method_is_no_name(exporter, origin):
    requests.request("MELT", origin.url("/echo"))
    span, = exporter.get_finished_spans()
    assert span.name == "HTTP" and span.attributes["http.request.method"] == "_OTHER"
    assert span.attributes["http.request.method_original"] == "MELT"


def test_without_enable_nobody_records():
    assert record.tracer is None and record.current() is None


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_tracestate_that_is_too_long_stays_behind(exporter, origin, kind):
    """A visitor may have sent it; the daemon takes 512 bytes."""
    state = TraceState([(f"member{i}", "x" * 20) for i in range(30)])
    parent = SpanContext(7, 8, is_remote=True, trace_flags=TraceFlags(1), trace_state=state)
    token = otel_context.attach(set_span_in_context(NonRecordingSpan(parent)))
    try:
        response, = gather(kind, [origin.url("/echo")])
    finally:
        otel_context.detach(token)
    assert trace_at_origin(response)[1] == 7
    assert "tracestate" not in {name.lower() for name, _ in response.json()["headers"]}
