"""Handoff: a view responds, and nginx streams what curlewd fetches; nobody else can start one.

Where a view can be anything, the origin plays Django: nginx passes it the browser's requests.
"""

import http.client
import json
import sys
import time
from urllib.parse import urlencode

import pytest

from tests.support.clients import problem
from tests.support.concurrency import BackgroundCalls, timed
from tests.support.origin.client import now
from tests.support.procs import connects, free_port
from tests.support.response import Response
from tests.support.web_servers import EXAMPLES, PACKAGE

GUNICORN = ["gunicorn", "--log-level", "warning", "--workers", "1", "--worker-class", "sync",
            "--bind", "127.0.0.1:{port}", "project.wsgi:application"]


def browse(port, path, method="GET", headers=(), body=None):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        c.request(method, path, body, dict(headers))
        r = c.getresponse()
        return Response(r.status, r.getheaders(), r.read())
    finally:
        c.close()


@pytest.fixture
def site(nginx, daemon, origin):
    """site(request object, headers…) → the path of a view that hands it off and says these."""
    def view(request, *headers):
        told = ["X-Accel-Redirect:/_handoff/", f"X-Curlew-Request:{json.dumps(request)}", *headers]
        return "/say?" + urlencode([("h", h) for h in told])

    view.port = nginx(daemon, origin.ports["http"]).port
    return view


def handed(site, request, *headers, method="GET", browser=(), body=None):
    """What a browser gets that asks for such a view."""
    return browse(site.port, site(request, *headers), method, browser, body)


def said(origin, *headers, status=200):
    return origin.url("/say?" + urlencode([("status", status), *(("h", h) for h in headers)]))


# -- the example -------------------------------------------------------------


class Django:
    """The example project under one sync worker, behind nginx."""

    def __init__(self, nginx, daemon, spawn, origin):
        own = free_port()
        self.web_server = nginx(daemon, own)
        self.process = spawn(
            "gunicorn",
            [sys.executable, "-W", "error", "-m", *(word.format(port=own) for word in GUNICORN)],
            cwd=EXAMPLES / "django",
            env={"ORIGIN": origin.url(""), "CURLEW_URL": f"{self.web_server.url}/_fetch",
                 "PYTHONPATH": str(PACKAGE)})
        self.process.wait_ready(lambda: connects(("127.0.0.1", own)))

    def get(self, path, **headers):
        return browse(self.web_server.port, path, headers=headers)

    def link(self, page):
        return self.get(f"/links/{page}").body.decode()


@pytest.fixture
def django(nginx, daemon, spawn, origin):
    django = Django(nginx, daemon, spawn, origin)
    yield django
    assert django.process.running()
    complaints = [line for line in django.process.err.splitlines() if "Forbidden" not in line]
    assert not complaints, complaints
    assert django.web_server.error_log() == ""


def test_a_signed_link_gives_the_file(django):
    response = django.get(django.link("bytes/3000000"))
    assert (response.status, len(response.body)) == (200, 3000000)
    assert response.header("content-type") == "application/octet-stream"
    assert [v for n,
            v in response.headers if n.lower() == "cache-control"] == ["private, max-age=60"]
    assert not [n for n, _ in response.headers if "curlew" in n.lower() or "accel" in n.lower()]


def test_without_a_valid_link_there_is_no_file(django, origin):
    for path in ("/files/WyJieXRlcy8zIl0:1abcde:forged", "/files/x", django.link("hello")[:-1]):
        assert django.get(path).status == 403
    assert origin.stats()["requests"] == 0


def test_a_browser_resumes_where_it_was_cut_off(django):
    link = django.link("ranges")
    first = django.get(link, Range="bytes=0-99")
    rest = django.get(link, Range="bytes=100-", **{"If-Range": first.header("etag")})
    assert (first.status, rest.status) == (206, 206)
    assert first.body + rest.body == b"0123456789" * 100
    assert django.get(link, **{"If-None-Match": '"v1"'}).status == 304


def test_one_worker_serves_twenty_slow_files_and_other_pages(django, origin):
    link = django.link("drip?n=50&every=0.1")
    start = time.monotonic()
    with BackgroundCalls(20) as browsers:
        for _ in range(20):
            browsers.start(django.get, link)
        slowest = 0.0
        while not all(f.done() for f in browsers.futures):
            response, took = timed(django.get, "/")
            slowest = max(slowest, took)
            assert response.status == 200
            time.sleep(0.05)
        responses = browsers.results()
    assert [a.body for a in responses] == [b"x" * 50] * 20
    assert 4.9 < time.monotonic() - start < 10  # one after the other they take a hundred
    assert origin.stats()["max_in_flight"] == 20
    assert slowest < 1


def test_a_request_too_large_for_a_header_is_sent_ahead(django):
    long = "\1" * 700  # three bytes each in the URL, six in a header
    link = django.link("echo?" + urlencode({"a": long}))
    for _ in range(2):  # each time under a reference of its own
        assert json.loads(django.get(link).body)["query"] == [["a", long]]


def test_without_nginx_the_bridge_delivers_the_file(daemon, spawn, origin):
    port = free_port()
    argv = [sys.executable, "-W", "error", "-m", "uvicorn", "--log-level", "warning",
            "--port", port, "project.bridge:application"]
    process = spawn("uvicorn", argv, cwd=EXAMPLES / "django",
                    env={"ORIGIN": origin.url(""), "CURLEW_URL": f"fcgi+unix:{daemon.socket}",
                         "PYTHONPATH": str(PACKAGE)})
    process.wait_ready(lambda: connects(("127.0.0.1", port)))
    link = browse(port, "/links/ranges").body.decode()
    response = browse(port, link, headers={"Range": "bytes=10-19"})
    assert (response.status, response.body) == (206, b"0123456789")
    assert response.header("cache-control") == "private, max-age=60"
    assert browse(port, link[:-1]).status == 403
    assert browse(port, "/_fetch/healthz").status == 404  # no mount
    expected = ("Forbidden", "Not Found")
    assert not [n for n in process.err.splitlines() if not any(word in n for word in expected)]


# -- what the browser gets ---------------------------------------------------


def test_the_views_caching_headers_and_cookies_are_kept(site, origin):
    page = said(origin, "Set-Cookie:spy=1", "Set-Cookie2:old=1", "Cache-Control:public, max-age=9",
                "Expires:Thu, 01 Jan 2037 00:00:00 GMT", "Pragma:cache", "Age:77", "ETag:\"o\"",
                "X-Kept:1")
    response = handed(site, {"url": page}, "Cache-Control:private", "Set-Cookie:view=1")
    assert (response.status, response.body) == (200, b"said\n")
    assert (response.header("x-kept"), response.header("etag")) == ("1", '"o"')
    assert [v for n, v in response.headers if n.lower() == "cache-control"] == ["private"]
    assert [v for n, v in response.headers if n.lower() == "set-cookie"] == ["view=1"]
    names = {n.lower() for n, _ in response.headers}
    assert not names & {"expires", "pragma", "age", "set-cookie2"}
    assert handed(site, {"url": page}).header("cache-control") is None


def test_no_origin_speaks_for_the_site_as_a_whole(site, origin, daemon):
    """A browser would keep it for other pages. A stream has it: no browser reads that."""
    fields = ["Clear-Site-Data:\"cookies\"", "Strict-Transport-Security:max-age=9",
              "Alt-Svc:h2=\":9\"", "NEL:{}", "Report-To:{}"]
    names = {field.partition(":")[0].lower() for field in fields}
    response = handed(site, {"url": said(origin, *fields, "X-Kept:1")})
    assert response.header("x-kept") == "1"
    assert not names & {n.lower() for n, _ in response.headers}
    body = json.dumps({"url": said(origin, *fields)}).encode()
    stream = daemon.client.ask("POST", "/v1/stream", body=body)
    assert names <= {n.lower() for n, _ in stream.headers}


def test_no_header_about_the_fetch_reaches_the_browser(site, origin):
    response = handed(site, {"url": origin.url("/redirect/1")})
    assert response.body == b"hello\n"
    assert not [n for n, _ in response.headers if "curlew" in n.lower() or "accel" in n.lower()]


def test_a_view_without_the_redirect_reveals_no_request(nginx, daemon, origin):
    web_server = nginx(daemon, origin.ports["http"])
    response = browse(web_server.port,
                      "/say?" + urlencode({"h": "X-Curlew-Request:{\"secret\": 1}"}))
    assert response.body == b"said\n" and response.header("x-curlew-request") is None


@pytest.mark.parametrize("status", [201, 204, 302, 304, 401, 404, 500, 503])
def test_the_origins_status_is_passed_on(site, origin, status):
    page = said(origin, "Location:/x", status=status)
    response = handed(site, {"url": page, "follow_redirects": False})
    assert (response.status, response.header("location")) == (status, "/x")
    assert response.body == (b"" if status in (204, 304) else b"said\n")


def test_an_origin_cannot_start_a_handoff(site, origin):
    page = said(origin, "X-Accel-Redirect:/_handoff/",
                "X-Curlew-Request:" + json.dumps({"url": origin.url("/stolen")}))
    assert handed(site, {"url": page}).body == b"said\n"
    assert not origin.events("/stolen")


def test_a_head_request_gets_the_head_alone(site, origin):
    response = handed(site, {"url": origin.url("/bytes/100000")}, method="HEAD")
    assert (response.status, response.header("content-length"), response.body) == (200, "100000",
                                                                                   b"")


@pytest.mark.parametrize("page", ["/cut?n=10", "/cut?framing=chunked", "/reset?after=10"])
def test_a_broken_transfer_looks_broken(site, origin, page):
    with pytest.raises((http.client.IncompleteRead, http.client.RemoteDisconnected)):
        handed(site, {"url": origin.url(page)})


def test_a_browser_that_disconnects_cancels_the_fetch(site, origin):
    target = "/pour?leaves"
    c = http.client.HTTPConnection("127.0.0.1", site.port, timeout=10)
    c.request("GET", site({"url": origin.url(target)}))
    c.getresponse().read(100000)
    left = now()
    c.sock.close()
    c.close()
    assert origin.wait_for("left", target) - left < 0.5


@pytest.mark.parametrize("request_object, status, code", [
    ({"url": "http://10.1.2.3/"}, 403, "blocked"),
    ({"url": "nonsense"}, 400, "bad_url"),
    ({"surprise": 1}, 400, "bad_request"),
    ({"url": "{origin}/hang-up"}, 502, "recv_failed"),
    ({"url": "{origin}/silent", "timeout": 0.2}, 504, "timeout"),
])
def test_a_failure_before_the_head_is_a_problem_document(site, origin, request_object, status,
                                                         code):
    request_object = {k: v.replace("{origin}", origin.url("")) if isinstance(v, str) else v
                      for k, v in request_object.items()}
    response = handed(site, request_object, "Cache-Control:max-age=60")
    problem(response, status, code)
    assert "no-store" in [v for n, v in response.headers if n.lower() == "cache-control"]


# -- what the origin gets ----------------------------------------------------


BROWSER = {"Range": "bytes=0-4", "If-None-Match": '"v1"', "Cookie": "s=1",
           "Authorization": "Basic eA==", "Referer": "http://x/", "X-Own": "1",
           "Accept-Language": "de"}


def seen(response):
    assert response.status == 200, response
    return {n.lower(): v for n, v in json.loads(response.body)["headers"]}


def test_no_header_of_the_browser_is_forwarded(site, origin):
    request = {"url": origin.url("/echo")}
    assert seen(handed(site, request, browser=BROWSER)) == seen(handed(site, request))


def test_only_listed_headers_are_forwarded(site, origin):
    request = {"url": origin.url("/echo"),
               "forward_headers": ["range", "If-None-Match", "x-own", "x-absent"]}
    got = seen(handed(site, request, browser=BROWSER))
    assert set(got) & {n.lower() for n in BROWSER} == {"range", "if-none-match", "x-own"}
    assert (got["range"], got["x-own"]) == ("bytes=0-4", "1")


def test_the_views_headers_win_over_forwarded_ones(site, origin):
    request = {"url": origin.url("/echo"), "headers": {"Accept-Language": "en"},
               "forward_headers": ["accept-language"]}
    got = seen(handed(site, request, browser={"Accept-Language": "de"}))
    assert got["accept-language"] == "en"


def test_without_a_forwarded_range_the_whole_body_comes(site, origin):
    response = handed(site, {"url": origin.url("/ranges")}, browser={"Range": "bytes=0-4"})
    assert (response.status, len(response.body)) == (200, 1000)


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("size", [1, 900000])  # nginx' own limit is a mebibyte
def test_the_browsers_method_and_body_are_not_forwarded(site, origin, method, size):
    response = handed(site, {"url": origin.url("/echo")}, method=method, body=b"b" * size)
    echo = json.loads(response.body)
    assert (echo["method"], echo["body_base64"]) == ("GET", "")
    assert not {n.lower() for n, _ in echo["headers"]} & {"content-length", "content-type"}


def test_the_views_method_and_body_are_sent(site, origin):
    request = {"url": origin.url("/echo"), "method": "PATCH", "json": [1]}
    echo = json.loads(handed(site, request, method="POST", body=b"b").body)
    assert (echo["method"], echo["body_base64"]) == ("PATCH", "WzFd")
