"""…/v1/batch: many fetches in one request, one line for each as it completes."""

import json

import pytest

from tests.support.batch import Lines, parse_frames, parse_lines
from tests.support.clients import FRAMES, FastCgiClient, problem
from tests.support.concurrency import BackgroundCalls, HealthProbe, timed
from tests.support.curlewd import SANITIZED
from tests.support.web_servers import WebServer

LINES = "application/x-ndjson"


@pytest.fixture(scope="module", params=["socket", "kept-socket", "nginx", "nginx-no-keep-alive"])
def client(request, one_daemon):
    if request.param.endswith("socket"):
        direct = FastCgiClient(one_daemon.socket, keep=request.param == "kept-socket")
        yield direct
        direct.close()
        return
    web_server = WebServer(request.param, one_daemon.socket)
    yield web_server
    said = web_server.error_log()
    web_server.stop()
    assert said == ""


def batch(client, requests, headers=(), timeout=60, **keys):
    body = json.dumps({"requests": requests, **keys}).encode()
    return client.ask("POST", "/v1/batch", body=body, timeout=timeout, headers=headers)


def results(client, requests, **keys):
    """The lines of a batch that was taken."""
    response = batch(client, requests, **keys)
    assert response.status == 200, response
    assert response.header("content-type") == LINES, response
    lines = parse_lines(response.body)
    assert sorted(e["index"] for e in lines) == list(range(len(requests)))
    return lines


def indexes(lines):
    return [e["index"] for e in lines]


# -- order -----------------------------------------------------------------


def test_results_come_as_they_complete(client, origin):
    pages = ["/delay/0.6", "/hello", "/delay/0.3"]
    lines = results(client, [{"url": origin.url(p)} for p in pages])
    assert indexes(lines) == [1, 2, 0]
    assert [e["body"] for e in lines] == ["hello\n", "late\n", "late\n"]
    assert all(e["ok"] and e["status"] == 200 and e["request"]["method"] == "GET" for e in lines)


def test_results_come_in_the_order_of_input(client, origin):
    pages = ["/delay/0.4", "/hello", "/delay/0.2", "/hello"]
    lines = results(client, [{"url": origin.url(p)} for p in pages], order="input")
    assert indexes(lines) == [0, 1, 2, 3]


@pytest.mark.parametrize("order", ["completed", "input"])
def test_each_line_is_sent_at_once(client, origin, order):
    requests = [{"url": origin.url(p)} for p in ("/hello", "/delay/0.8", "/delay/1.6")]
    with Lines(client, {"requests": requests, "order": order}) as lines:
        at = [(e["index"], seconds) for e, seconds in lines]
    assert [i for i, _ in at] == [0, 1, 2]
    assert at[0][1] < 0.6 and 0.7 < at[1][1] < 1.4 and at[2][1] > 1.5, at


def test_an_empty_batch_gives_an_empty_response(client):
    response = batch(client, [])
    assert (response.status, response.header("content-type"), response.body) == (200, LINES, b"")


def test_one_batch_after_another(client, origin):
    for n in (1, 50, 2):
        results(client, [{"url": origin.url("/hello")}] * n)
    assert client.fetch(origin.url("/hello"))["body"] == "hello\n"


# -- frames ----------------------------------------------------------------


def test_frames_carry_bodies_as_they_are(client, origin):
    pages = ["/binary", "/raw?hex=0a0a7b0a", "/status/204", "/bytes/200000", "/close-early"]
    response = batch(client, [{"url": origin.url(p), "tag": p} for p in pages],
                     [("Accept", FRAMES)], order="input")
    assert response.status == 200 and response.header("content-type") == FRAMES
    frames = parse_frames(response.body)
    assert [e["index"] for e, _ in frames] == [0, 1, 2, 3, 4]
    assert [e["tag"] for e, _ in frames] == pages
    assert [b for _, b in frames[:3]] == [b"\x00\xff\xfe\x80" * 4, b"\n\n{\n", b""]
    assert frames[3][1] == (bytes(range(256)) * 1000)[:200000]
    failed, nothing = frames[4]
    assert failed["error"]["code"] == "incomplete_body" and nothing == b""
    assert all("body" not in e and "body_base64" not in e for e, _ in frames)


# -- failures --------------------------------------------------------------


def test_a_failure_is_a_line_and_not_the_end(client, origin):
    requests = [
        {"url": origin.url("/close-early")}, {"url": "http://10.0.0.1/"}, {"url": "gopher://x/"},
        {"url": origin.url("/silent"), "timeout": 0.2}, {"url": "http://127.0.0.1:1/"},
        {"url": origin.url("/hello"), "session": "nobody's"}, {"url": origin.url("/status/500")}]
    lines = results(client, [{**r, "tag": f"t{i}"} for i, r in enumerate(requests)],
                    order="input")
    assert [e["ok"] for e in lines] == [False] * 6 + [True]
    assert [e["error"]["code"] for e in lines[:6]] == [
        "incomplete_body", "blocked", "bad_url", "timeout", "connect_failed", "unknown_session"]
    for e in lines[:6]:
        assert set(e) == {"ok", "error", "tag", "index"}
        assert e["error"]["type"] and e["error"]["title"] and e["error"]["status"] >= 400
    assert [e["tag"] for e in lines] == [f"t{i}" for i in range(7)]
    assert lines[4]["error"]["curl_code"] == 7
    assert lines[6]["status"] == 500


def test_a_bad_request_is_a_line_that_names_what_is_wrong(client, origin):
    bad = [({}, "url: required"), ({"url": 7}, "url: expected a string"),
           ({"url": "http://a/", "urll": 1, "tag": "x"}, 'unknown key "urll"'),
           ({"url": "http://a/", "headers": {"a": "b\r\nc"}}, "headers.a: "),
           ({"url": "http://a/", "forward_headers": ["range"]}, "forward_headers: "),
           ({"url": "not a url"}, ""), ({"url": "http://a/", "body": "x", "json": 1}, "")]
    good = {"url": origin.url("/hello")}
    lines = results(client, [good, *(r for r, _ in bad), good], order="input")
    assert lines[0]["ok"] and lines[-1]["ok"]
    for e, (request, detail) in zip(lines[1:-1], bad):
        assert e["error"]["code"] in ("bad_request", "bad_url"), e
        assert e["error"]["detail"].startswith(detail), e
        assert e.get("tag") == request.get("tag")


HOSTILE = [
    (b"", "empty"), (b"{", "line 1"), (b"[]", "a batch is a JSON object"),
    (b"{}", "requests: required"),
    (b'{"requests": 7}', "requests: expected"), (b'{"requests": [{}, "x"]}', "requests[1]"),
    (b'{"requests": [], "urls": []}', '"urls"'),
    (b'{"requests": [], "requests": []}', "duplicate key"),
    (b'{"requests": [], "max_parallel": 0}', "max_parallel"),
    (b'{"requests": [], "max_parallel": 1001}', "max_parallel"),
    (b'{"requests": [], "order": "any"}', "order"),
    (b'{"requests": [], "defaults": {"url": "http://a/"}}', "defaults.url"),
    (b'{"requests": [], "defaults": {"timeout": -1}}', "defaults.timeout"),
    (b'{"requests": [], "defaults": {"nope": 1}}', "defaults.nope"),
    (b'{"requests": [' + b"[" * 64 + b"]" * 64 + b"]}", "64 levels"),
    (b'{"requests": ["\xff"]}', "UTF-8"),
    (b'{"requests": [' + b"{}," * 100000 + b"{}]}", "100001 requests, at most 100000 are allowed"),
]


@pytest.mark.parametrize("body, named", HOSTILE, ids=[named for _, named in HOSTILE])
def test_a_malformed_batch_is_refused_as_a_whole(client, body, named):
    p = problem(client.ask("POST", "/v1/batch", body=body), 400, "bad_request")
    assert named in p["detail"], p


def test_only_post_is_allowed(client):
    response = client.ask("GET", "/v1/batch", "url=http://a/")
    problem(response, 405, "method_not_allowed")
    assert response.header("allow") == "POST"


# -- defaults --------------------------------------------------------------


def test_each_request_wins_over_defaults_and_they_over_the_sessions(curlewd, origin):
    daemon = curlewd({"sessions": {
        "s": {"headers": {"X-Session": "s", "X-Both": "s", "X-All": "s"}, "max_redirects": 2}}})
    defaults = {"session": "s", "headers": {"X-Both": "d", "X-All": "d"}, "method": "PUT"}
    echo = origin.url("/echo")
    plain, own, far = results(daemon.client, [
        {"url": echo},
        {"url": echo, "headers": {"X-All": "r"}, "method": "GET", "session": "default"},
        {"url": origin.url("/redirect/3"), "method": "GET"}], defaults=defaults, order="input")
    seen = json.loads(plain["body"])
    headers = dict(seen["headers"])
    assert (headers["X-Session"], headers["X-Both"], headers["X-All"]) == ("s", "d", "d")
    assert seen["method"] == "PUT" and plain["session"] == "s"
    headers = dict(json.loads(own["body"])["headers"])
    assert "X-Session" not in headers and own["session"] == "default"
    assert (headers["X-Both"], headers["X-All"]) == ("d", "r")
    assert far["error"]["code"] == "too_many_redirects"


def test_identical_requests_may_share_a_transfer(daemon, origin):
    requests = [{"url": origin.url("/delay/0.3")}] * 20
    lines = results(daemon.client, requests, defaults={"coalesce": True})
    assert all(e["body"] == "late\n" for e in lines)
    assert origin.stats()["requests"] == 1 and any(e["coalesced"] for e in lines)


def test_the_callers_trace_context_goes_with_every_fetch(daemon, origin):
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    response = batch(daemon.client, [{"url": origin.url("/echo")}] * 3, [("Traceparent", parent)])
    for e in parse_lines(response.body):
        assert ["traceparent", parent] in json.loads(e["body"])["headers"]


# -- limits ----------------------------------------------------------------


@pytest.mark.parametrize("keys, most", [
    ({"max_parallel": 1}, 1), ({"max_parallel": 7}, 7), ({}, 32),
    ({"max_parallel": 5, "order": "input"}, 5)])
def test_no_more_than_max_parallel_are_in_flight(daemon, origin, keys, most):
    n = min(3 * most, 50)
    results(daemon.client, [{"url": origin.url("/delay/0.1")}] * n, **keys)
    assert origin.stats()["max_in_flight"] == most


def test_a_fetch_that_the_queue_refuses_is_a_line(curlewd, origin):
    daemon = curlewd({"limits": {"in_flight": 2, "queue": 3}})
    lines = results(daemon.client, [{"url": origin.url("/delay/0.4")}] * 12, max_parallel=12)
    codes = [e["error"]["code"] for e in lines if not e["ok"]]
    assert codes == ["overloaded"] * 7
    assert "limits.queue" in lines[0]["error"]["detail"]


def test_ten_thousand_fetches_in_one_batch_all_complete(curlewd, origin, record_property):
    daemon = curlewd({"log": {"access": False}, "limits": {"buffered_bytes": 1 << 20}})
    requests = [{"url": origin.url(f"/echo?{i}"), "tag": str(i)} for i in range(10000)]
    before = daemon.rss_kib()
    lines, took = timed(results, daemon.client, requests, max_parallel=100)
    assert all(e["ok"] and e["tag"] == str(e["index"]) for e in lines)
    assert all(e["url"].endswith(f"?{e['index']}") for e in lines)
    assert origin.stats()["requests"] == 10000
    record_property("seconds", took)
    record_property("grown_kib", daemon.peak_kib() - before)
    assert SANITIZED or daemon.peak_kib() - before < 32 * 1024


def test_a_hundred_thousand_bad_requests_delay_no_other_caller(curlewd, record_property):
    daemon = curlewd({"log": {"access": False}})
    with HealthProbe(daemon.socket) as watch:
        response, took = timed(batch, daemon.client, [{}] * 100000)
    assert indexes(parse_lines(response.body)) == list(range(100000))
    record_property("seconds", took)
    record_property("healthz", watch.slowest())
    assert watch.slowest() < 1.0


# -- several threads -------------------------------------------------------


@pytest.mark.parametrize("order", ["completed", "input"])
def test_batches_run_on_several_threads(curlewd, origin, nginx, order):
    daemon = curlewd({"workers": 2, "threads": 3, "log": {"access": False}})
    web_server = nginx(daemon)
    hosts = ["127.0.0.1", "127.0.0.2", "localhost"]
    requests = [{"url": origin.url(f"/echo?{i}", host=hosts[i % 3])} for i in range(600)]
    with BackgroundCalls(8) as b:
        for i in range(16):
            b.start(results, daemon.client if i % 2 else web_server, requests, order=order)
        for lines in b.results(60):
            assert all(e["ok"] and e["url"].endswith(f"?{e['index']}") for e in lines)
            assert order == "completed" or indexes(lines) == list(range(600))
