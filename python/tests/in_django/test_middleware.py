"""The middleware: request ids, trace context, and the record of a request's fetches."""

import asyncio
import logging

import pytest
from django.http import HttpResponse
from django.test import AsyncRequestFactory, RequestFactory

from django_curlew import context, record
from django_curlew.logs import RequestIdFilter
from django_curlew.middleware import CurlewMiddleware

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def serve_sync(view, **headers):
    request = RequestFactory().get("/page", **{f"HTTP_{n}": v for n, v in headers.items()})
    return CurlewMiddleware(view)(request)


def serve_async(view, **headers):
    async def aview(request):
        await asyncio.sleep(0)
        return await asyncio.to_thread(view, request)

    named = {n.replace("_", "-"): v for n, v in headers.items()}
    request = AsyncRequestFactory().get("/page", headers=named)
    return asyncio.run(CurlewMiddleware(aview)(request))


@pytest.fixture(params=[serve_sync, serve_async], ids=["sync", "async"])
def serve(request):
    return request.param


def seen(serve, **headers):
    """What a fetch in the view would carry, and the response."""
    values = []

    def view(request):
        values.append((context.headers(), context.request_id(), request.curlew_request_id))
        return HttpResponse("ok")

    response = serve(view, **headers)
    assert context.headers() == (), "what one request passes on must end with it"
    (carried, own, requests), = values
    assert own == requests == dict(carried)["X-Request-ID"] == response["X-Request-ID"]
    return dict(carried), response


def test_the_request_id_and_the_trace_are_propagated(serve):
    carried, _ = seen(serve, X_REQUEST_ID="job 7", TRACEPARENT=TRACE, TRACESTATE="a=1")
    assert carried == {"X-Request-ID": "job 7", "traceparent": TRACE, "tracestate": "a=1"}


def test_without_an_id_each_request_gets_its_own(serve):
    first, _ = seen(serve)
    second, _ = seen(serve)
    assert list(first) == ["X-Request-ID"] and first != second


@pytest.mark.parametrize("odd", ["", "a\x01b", "grüße", "x" * 513])
def test_an_odd_id_is_replaced_and_an_odd_trace_left_out(odd):
    carried, _ = seen(serve_sync, X_REQUEST_ID=odd, TRACEPARENT=odd)
    assert len(carried["X-Request-ID"]) == 32 and list(carried) == ["X-Request-ID"]


def test_the_longest_id_passes():
    assert seen(serve_sync, X_REQUEST_ID="x" * 512)[0]["X-Request-ID"] == "x" * 512


def test_the_header_may_have_another_name(curlew, serve):
    curlew(REQUEST_ID_HEADER="X-Trace")
    request_id = []
    response = serve(lambda r: request_id.append(context.request_id()) or HttpResponse(),
                     X_TRACE="7")
    assert (request_id, response["X-Trace"]) == (["7"], "7")


def test_concurrent_requests_do_not_mix():
    async def view(request):
        await asyncio.sleep(0.01)
        return HttpResponse(context.request_id())

    async def main():
        ask = CurlewMiddleware(view)
        requests = [AsyncRequestFactory().get("/", headers={"X-Request-ID": str(i)})
                    for i in range(50)]
        return [r.content for r in await asyncio.gather(*map(ask, requests))]

    assert asyncio.run(main()) == [str(i).encode() for i in range(50)]


def test_an_error_in_the_view_restores_the_context(serve):
    def view(request):
        raise LookupError

    with pytest.raises(LookupError):
        serve(view)
    assert context.headers() == ()


def test_a_task_may_propagate_headers_of_its_own():
    with context.propagate(request_id="job-7", traceparent=TRACE):
        assert context.headers() == (("X-Request-ID", "job-7"), ("traceparent", TRACE))
    for wrong in ({"request_id": "a\nb"}, {"request_id": ""}):
        with pytest.raises(ValueError), context.propagate(**wrong):
            pass
    with pytest.raises(TypeError, match="span"), context.propagate(span="1"):
        pass


def test_a_log_line_has_the_request_id():
    line = logging.LogRecord("a", logging.INFO, "", 0, "", (), None)
    assert RequestIdFilter().filter(line) and line.request_id == "-"
    with context.propagate(request_id="7"):
        RequestIdFilter().filter(line)
    assert line.request_id == "7"


def fetch(start, seconds, **more):
    fields = {"method": "GET", "url": "http://a/", "status": 200, "error": None, **more}
    return record.Fetch(start=start, seconds=seconds, **fields)


def test_a_record_is_kept_if_the_setting_is_on(curlew, serve, caplog):
    def view(request):
        record.current().add(fetch(0.0, 0.5))
        record.current().add(fetch(0.25, 0.5, error="timeout", status=None, tag="slow"))
        return HttpResponse()

    curlew(RECORD=True)
    with caplog.at_level(logging.INFO, "django_curlew.record"):
        response = serve(view)
    assert response["Server-Timing"] == 'curlew;dur=750.0;desc="2 fetches"'
    assert "timeout" in caplog.text and "[slow]" in caplog.text
    assert record.current() is None


def test_without_fetches_there_is_no_header(curlew, serve):
    curlew(RECORD=True)
    assert "Server-Timing" not in serve(lambda request: HttpResponse())


def test_no_record_is_kept_by_default(serve):
    def view(request):
        assert request.curlew is None and record.current() is None
        return HttpResponse()

    assert "Server-Timing" not in serve(view)


def test_a_record_has_a_limit():
    full = record.Record()
    for _ in range(record.MAX_FETCHES + 2):
        full.add(fetch(0.0, 0.1))
    assert (len(full.fetches), full.count) == (record.MAX_FETCHES, record.MAX_FETCHES + 2)
    assert full.table().endswith("… and 2 more")


@pytest.mark.parametrize("start, busy", [([0, 1, 2], 3), ([0, 0, 0], 1), ([0, 0.5, 3], 2.5)])
def test_overlapping_fetches_count_once(start, busy):
    full = record.Record()
    for at in start:
        full.add(fetch(at, 1))
    assert full.busy_seconds == pytest.approx(busy)


@pytest.mark.parametrize("url, redacted", [
    ("https://user:secret@a.example:8/p?key=secret&b#f", "https://a.example:8/p?key=…&b=…"),
    ("http://[::1", "(invalid URL)"),
    ("http:/user:secret@a.example/p", "(invalid URL)"),
    ("http:///user:secret@a.example/p", "(invalid URL)"),
])
def test_a_redacted_url_has_no_secret(url, redacted):
    assert record.redact_url(url) == redacted
