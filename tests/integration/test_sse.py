"""Server-sent events arrive one by one and at once, behind every web server in every mode."""

import json
import statistics
import time
from urllib.parse import urlencode

import pytest

from tests.support import streams
from tests.support.streams import open_stream, request_stream

EVENTS = 30
EVERY = 0.03  # seconds
MEDIAN = 0.005  # the aim
SLACK = 0.015  # for a machine that is busy with other tests; less than the next event takes


def lateness(stream):
    """Seconds from its leaving the origin to its arrival here, of every event, in order."""
    late, buffer = [], b""
    while piece := stream.read():
        at = time.monotonic()
        *events, buffer = (buffer + piece).split(b"\n\n")
        late += [at - float(e.removeprefix(b"data: ")) for e in events]
    assert buffer == b""
    return late


def check(stream, record_property):
    assert stream.header("content-type") == "text/event-stream"
    late = lateness(stream)
    assert len(late) == EVENTS
    median = statistics.median(late)
    record_property("median_ms", round(median * 1e3, 3))
    record_property("slowest_ms", round(max(late) * 1e3, 3))
    assert median < MEDIAN + SLACK, [round(s * 1e3, 1) for s in late]


@pytest.fixture
def page(origin):
    return origin.url(f"/ticks?n={EVENTS}&every={EVERY}")


@pytest.mark.quiet
@pytest.mark.parametrize("name", streams.CLIENTS)
def test_each_event_arrives_at_once(curlewd, page, record_property, name):
    with streams.connected(name, curlewd()) as client, open_stream(client, url=page) as s:
        check(s, record_property)


@pytest.mark.parametrize("name", ["socket", *streams.NGINX_MODES])
def test_the_head_comes_before_the_first_event(curlewd, origin, name):
    with streams.connected(name, curlewd()) as client:
        start = time.monotonic()
        with open_stream(client, url=origin.url("/ticks?n=1&every=2")) as s:
            assert time.monotonic() - start < 1
            assert s.read_all().startswith(b"data: ")


@pytest.mark.quiet
def test_events_arrive_over_http2(curlewd, origin, certs, record_property):
    daemon = curlewd({"sessions": {"default": {"ca_file": str(certs / "ca.pem")}}})
    page = origin.url(f"/ticks?n={EVENTS}&every={EVERY}", port="h2")
    with open_stream(daemon.client, url=page, http_version="2") as s:
        check(s, record_property)


@pytest.mark.quiet
@pytest.mark.parametrize("name", streams.NGINX_MODES)
def test_events_arrive_by_handoff(curlewd, nginx, origin, page, record_property, name):
    """A sync view is done at once, and the browser goes on listening."""
    _, changes = streams.MODES[name]
    web_server = nginx(curlewd(), origin.ports["http"], more=changes)
    web_server.prefix = ""
    headers = ["X-Accel-Redirect:/_handoff/", "X-Curlew-Request:" + json.dumps({"url": page})]
    with request_stream(web_server, "GET", "/say?" + urlencode([("h", h) for h in headers])) as s:
        check(s, record_property)


def test_twenty_listeners_at_once(curlewd, nginx, page):
    web_server = nginx(curlewd())
    listeners = [open_stream(web_server, url=page + f"&listener={i}") for i in range(20)]
    for s in listeners:
        assert s.read_all().count(b"data: ") == EVENTS
        s.close()


def test_a_listener_outlasts_the_default_timeout_and_silence(curlewd, nginx, origin):
    web_server = nginx(curlewd())
    with open_stream(web_server, client_timeout=40, url=origin.url("/ticks?n=3&every=11")) as s:
        assert s.read_all().count(b"data: ") == 3
