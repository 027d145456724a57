"""`impersonate`, with the libcurl-impersonate inside curl_cffi: what an origin sees of a request
is what it sees of curl_cffi's own."""

import gzip
import http.client
import json
import shutil
import zlib
from urllib.parse import urlencode

import brotli
import curl_cffi
import pytest
import zstandard

from tests.support.batch import parse_lines
from tests.support.curlewd import Curlewd
from tests.support.faces import DEPRECATED, FAMILIES, NAMES, TARGETS, OwnFaces, assert_alike
from tests.support.fingerprint import FingerprintOrigin
from tests.support.libcurls import CURL_CFFI, impersonating_env
from tests.support.scripted_origin import ScriptedOrigin, answer
from tests.support.streams import open_stream
from tests.support.web_servers import WebServer


@pytest.fixture(scope="module")
def daemon():
    d = Curlewd({"sessions": {"fox": {"impersonate": "firefox"}}}, env=impersonating_env())
    yield d
    d.stop()
    shutil.rmtree(d.directory, ignore_errors=True)


@pytest.fixture(scope="module")
def own(certs):
    return OwnFaces(certs)


@pytest.fixture(scope="module")
def site(daemon, one_origin):
    """nginx, with a view (of the worker's origin) that hands off what it is told to."""
    web_server = WebServer("nginx", daemon.socket, one_origin.ports["http"])
    yield web_server
    web_server.stop()


# -- the doors: the target that was worn, and the body --------------------------------------


def by_fetch(daemon, site, **keys):
    envelope = daemon.client.fetch(verify=False, **keys)
    return envelope["impersonated"], envelope["body"]


def by_frames(daemon, site, **keys):
    envelope, body = daemon.client.frames(verify=False, **keys)
    return envelope["impersonated"], body.decode()


def by_batch(daemon, site, **keys):
    document = json.dumps({"requests": [{"verify": False, **keys}]})
    envelope, = parse_lines(daemon.client.ask("POST", "/v1/batch", body=document.encode()).body)
    return envelope["impersonated"], envelope["body"]


def by_stream(daemon, site, **keys):
    with open_stream(daemon.client, verify=False, **keys) as stream:
        return stream.header("curlew-impersonated"), stream.read_all().decode()


def by_handoff(daemon, site, **keys):
    told = ["X-Accel-Redirect:/_handoff/",
            f"X-Curlew-Request:{json.dumps({'verify': False, **keys})}"]
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=20)
    connection.request("GET", "/say?" + urlencode([("h", each) for each in told]))
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    assert response.status == 200, body
    return response.getheader("Curlew-Impersonated"), body


# -- the face -----------------------------------------------------------------


@pytest.mark.parametrize("fetch", [by_fetch, by_frames, by_batch, by_stream, by_handoff])
def test_an_origin_sees_what_it_sees_of_curl_cffi(daemon, site, own, certs, fetch):
    """For every name that curl_cffi has, through every door."""
    with FingerprintOrigin(certs, once=True) as origin:
        for name in NAMES:
            target, body = fetch(daemon, site, url=origin.url(), impersonate=name)
            assert_alike(origin.seen[-1], own(name), name)
            assert body == "ok" and target in (TARGETS if fetch != by_handoff else [None]), name
    assert len(origin.seen) == len(NAMES)


def test_an_alias_is_the_newest_of_its_family(daemon):
    targets = daemon.client.get("/v1/status").json()["libraries"]["impersonate"]
    assert set(targets) == {t for t in TARGETS if not DEPRECATED.fullmatch(t)}
    for name in FAMILIES:
        expected = curl_cffi.requests.impersonate.REAL_TARGET_MAP[name]
        with ScriptedOrigin(lambda _, c: c.send(answer())) as origin:
            assert daemon.client.fetch(origin.url(), impersonate=name)["impersonated"] == expected


def test_a_session_may_set_the_browser(daemon):
    with ScriptedOrigin(lambda _, c: c.send(answer())) as origin:
        fetched = daemon.client.fetch(origin.url(), session="fox")
        assert fetched["impersonated"] == "firefox155"
        fetched = daemon.client.fetch(origin.url(), session="fox", impersonate="chrome")
        assert fetched["impersonated"] == "chrome152"
    assert daemon.client.get("/v1/sessions/fox").json()["impersonate"] == "firefox"


def test_the_requests_own_values_win(daemon):
    with ScriptedOrigin(lambda _, c: c.send(answer())) as origin:
        daemon.client.fetch(origin.url(), impersonate="chrome",
                            headers={"User-Agent": "mine", "sec-ch-ua-mobile": None})
        request = origin.requests[0]
    assert request.headers("user-agent") == ["mine"]
    assert request.header("sec-ch-ua-mobile") is None
    assert request.header("sec-ch-ua-platform") is not None


def test_without_a_browser_the_usual_headers_are_sent(daemon):
    """libcurl-impersonate sends no Accept of its own."""
    with ScriptedOrigin(lambda _, c: c.send(answer())) as origin:
        for keys in ({}, {"headers": {"Accept": "text/x"}}, {"headers": {"accept": None}}):
            daemon.client.fetch(origin.url(), **keys)
    assert [r.headers("accept") for r in origin.requests] == [["*/*"], ["text/x"], []]
    assert origin.requests[0].headers("accept-encoding") == ["gzip, deflate, br, zstd"]


def test_no_trace_context_gives_a_browser_away(daemon):
    trace = [("X-Request-ID", "a-1"), ("traceparent", f"00-{'1' * 32}-{'2' * 16}-01")]
    with ScriptedOrigin(lambda _, c: c.send(answer())) as origin:
        for keys in ({"impersonate": "chrome"}, {}):
            daemon.client.post({"url": origin.url(), **keys}, trace)
        browser, plain = origin.requests
    for name, value in trace:
        assert browser.header(name) is None and plain.header(name) == value


# -- bodies --------------------------------------------------------------------


CODINGS = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress,
           "zstd": zstandard.ZstdCompressor().compress}


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("fetch", [by_fetch, by_frames, by_batch, by_stream, by_handoff])
def test_bodies_are_decoded(daemon, site, certs, coding, fetch):
    """Those of a stream where that is asked for."""
    asked = {"decompress": True} if fetch in (by_stream, by_handoff) else {}
    body = CODINGS[coding](b'{"n": 1}' * 100)
    with FingerprintOrigin(certs, [("content-encoding", coding)], body) as origin:
        for name in FAMILIES:
            target, text = fetch(daemon, site, url=origin.url(), impersonate=name, **asked)
            assert text == '{"n": 1}' * 100, name


# -- connections -----------------------------------------------------------------


def test_browsers_do_not_share_connections(daemon):
    with ScriptedOrigin(lambda _, c: c.send(answer())) as origin:
        used = [daemon.client.fetch(origin.url(), **keys)["connection"]["reused"] for keys in (
            {}, {"impersonate": "chrome"}, {"impersonate": "firefox"}, {},
            {"impersonate": "chrome152"}, {"impersonate": "firefox"})]
    assert used == [False, False, False, True, True, True]


@pytest.mark.parametrize("name", FAMILIES)
def test_a_cold_burst_shares_a_connection(daemon, certs, name):
    with FingerprintOrigin(certs) as origin:
        requests = [{"url": origin.url(f"/{i}"), "impersonate": name, "verify": False}
                    for i in range(64)]
        document = json.dumps({"requests": requests, "max_parallel": 64})
        response = daemon.client.ask("POST", "/v1/batch", body=document.encode())
        assert [each["ok"] for each in parse_lines(response.body)] == [True] * 64
        assert len(origin.seen) == 1


def test_a_redirect_wears_the_same_face(daemon, own, certs):
    """Also at another origin, which gets a connection of its own."""
    with FingerprintOrigin(certs) as there:
        moved = lambda _seen, _headers: (302, [("location", there.url())], b"")  # noqa: E731
        with FingerprintOrigin(certs, answer=moved) as here:
            envelope = daemon.client.fetch(here.url(), impersonate="safari", verify=False)
            for origin in (here, there):
                assert_alike(origin.seen[0], own("safari"))
    assert len(envelope["history"]) == 1 and envelope["impersonated"] == "safari270"


# -- refusals ----------------------------------------------------------------------


def test_an_unknown_browser_is_refused(daemon):
    p = daemon.client.refused({"url": "http://127.0.0.1/", "impersonate": "lynx"}, 501,
                              "unsupported")
    assert '"lynx"' in p["detail"] and "impersonate" in p["detail"]


def test_a_session_with_an_unknown_browser_is_refused(daemon):
    response = daemon.client.ask("PUT", "/v1/sessions/x", body=b'{"impersonate": "lynx"}')
    assert response.status == 501 and '"lynx"' in json.loads(response.body)["detail"]


def test_an_environment_that_impersonates_everywhere_is_ignored(curlewd):
    daemon = curlewd({}, env={**impersonating_env(), "CURL_IMPERSONATE": "chrome"})
    with ScriptedOrigin(lambda _, c: c.send(answer())) as origin:
        assert "impersonated" not in daemon.client.fetch(origin.url())
        assert origin.requests[0].header("user-agent").startswith("curlew/")


def test_metrics_tell_of_the_library(daemon):
    targets = daemon.client.get("/v1/status").json()["libraries"]["impersonate"]
    text = daemon.client.ask("GET", "/metrics").body.decode()
    assert f'\ncurlew_libcurl_info{{version="8.23.0-IMPERSONATE",file="{CURL_CFFI}",' in text
    assert 'http2="1",http3="1",impersonate="1"} 1\n' in text
    assert f"\ncurlew_impersonate_targets {len(targets)}\n" in text


def test_status_tells_where_the_library_is(daemon):
    libraries = daemon.client.get("/v1/status").json()["libraries"]
    assert libraries["libcurl_file"] == str(CURL_CFFI)
    assert "IMPERSONATE" in libraries["libcurl"]
