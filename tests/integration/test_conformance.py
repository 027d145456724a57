"""Each route and key of the API through every web server.

What a key does in detail is tested on the daemon's own socket, in the other files. These tests
check that requests and responses pass through the web server unchanged.
"""

import base64
import concurrent.futures
import json
from ipaddress import ip_address
from urllib.parse import parse_qsl

import pytest

from tests.support import clients

ENVELOPE = {"ok", "status", "reason", "url", "http_version", "headers", "cookies", "encoding",
            "body", "body_bytes", "history", "timing", "connection", "request", "session",
            "attempts", "coalesced"}


@pytest.fixture
def client(conformance_client):
    return conformance_client


@pytest.fixture
def url(origin):
    return origin.url


def echoed(envelope):
    return json.loads(envelope["body"])


def sent_body(envelope):
    return base64.b64decode(echoed(envelope)["body_base64"])


# -- the envelope ----------------------------------------------------------


def test_a_fetch_returns_the_whole_envelope(client, url):
    e = client.fetch(url("/hello"))
    assert set(e) == ENVELOPE
    assert (e["status"], e["reason"], e["http_version"]) == (200, "OK", "1.1")
    assert e["url"] == url("/hello")
    assert ["Content-Length", "6"] in e["headers"]
    assert (e["encoding"], e["body"], e["body_bytes"]) == ("utf-8", "hello\n", 6)
    assert (e["cookies"], e["history"]) == ([], [])
    assert e["request"] == {"method": "GET", "bytes_sent": 0}
    assert (e["session"], e["attempts"], e["coalesced"]) == ("default", 1, False)


def test_the_envelope_tells_how_long_it_took_and_where_it_went(client, url, origin):
    e = client.fetch(url("/delay/0.05"))
    timing = e["timing"]
    assert set(timing) == {"queue", "dns", "connect", "tls", "first_byte", "total"}
    assert all(seconds >= 0 for seconds in timing.values())
    assert 0.05 <= timing["first_byte"] <= timing["total"] < 5
    connection = e["connection"]
    assert (connection["remote_ip"], connection["remote_port"]) == (origin.address,
                                                                    origin.ports["http"])
    near, far = ip_address(connection["local_ip"]), ip_address(connection["remote_ip"])
    assert near.is_loopback == far.is_loopback and connection["local_port"] > 0
    assert client.fetch(url("/hello"))["connection"]["reused"] is True


def test_get_reads_scalar_keys_from_the_query(client, url):
    response = client.get(query={"url": url("/echo?a=1&b=%20x"), "method": "PUT", "body": "grüße",
                                 "tag": "t 1", "timeout": "7.5", "follow_redirects": "false",
                                 "response_body": "text"})
    assert response.status == 200, response
    e = response.json()
    assert e["tag"] == "t 1"
    assert echoed(e)["method"] == "PUT" and echoed(e)["target"] == "/echo?a=1&b=%20x"
    assert sent_body(e) == "grüße".encode()


@pytest.mark.parametrize("status", [201, 204, 301, 304, 404, 418, 500, 503])
def test_a_completed_fetch_is_200_whatever_the_origins_status(client, url, status):
    e = client.fetch(url(f"/status/{status}"))
    assert e["status"] == status
    assert e["body"] == ("" if status in (204, 304) else f"status {status}\n")


# -- every key -------------------------------------------------------------


def test_the_method_and_the_body_are_sent(client, url):
    e = client.fetch(url("/echo"), method="PATCH", body="übung")
    assert echoed(e)["method"] == "PATCH" and sent_body(e) == "übung".encode()
    assert e["request"] == {"method": "PATCH", "bytes_sent": 6}


def test_params_are_added_to_the_query(client, url):
    e = client.fetch(url("/echo?z=0"), params=[["a", "x y"], ["b", [1, 2]], ["c", "&=ü"]])
    query = [["z", "0"], ["a", "x y"], ["b", "1"], ["b", "2"], ["c", "&=ü"]]
    assert echoed(e)["query"] == query


def test_headers_are_sent(client, url):
    e = client.fetch(url("/echo"), headers=[["X-Two", "1"], ["x-two", "2"], ["Accept", None]])
    got = echoed(e)["headers"]
    assert [h for h in got if h[0].lower() == "x-two"] == [["X-Two", "1"], ["x-two", "2"]]
    assert not [h for h in got if h[0].lower() == "accept"]


def test_cookies_are_sent(client, url):
    e = client.fetch(url("/cookies"), cookies={"a": "1", "b": "2"})
    assert echoed(e) == {"a": "1", "b": "2"}


@pytest.mark.parametrize("key, value, body, kind", [
    ("body", "text", b"text", "text/plain; charset=utf-8"),
    ("body_base64", base64.b64encode(bytes(range(256))).decode(), bytes(range(256)),
     "application/octet-stream"),
    ("json", {"a": [1, None, "ü"]}, '{"a":[1,null,"ü"]}'.encode(), "application/json"),
    ("form", [["a", "1 2"], ["b", "ü&"]], b"a=1+2&b=%C3%BC%26",
     "application/x-www-form-urlencoded"),
])
def test_each_form_of_a_body_is_sent(client, url, key, value, body, kind):
    e = client.fetch(url("/echo"), **{key: value})
    assert echoed(e)["method"] == "POST" and sent_body(e) == body
    assert ["content-type", kind] in [[n.lower(), v] for n, v in echoed(e)["headers"]]
    assert e["request"]["bytes_sent"] == len(body)


def test_a_multipart_body_is_sent(client, url):
    e = client.fetch(url("/echo"), multipart=[
        {"name": "a", "value": "1"},
        {"name": "f", "value_base64": "AP8=", "filename": "x.bin", "content_type": "image/x"}])
    sent = sent_body(e)
    assert b'name="a"\r\n\r\n1\r\n' in sent
    assert b'name="f"; filename="x.bin"\r\nContent-Type: image/x\r\n\r\n\x00\xff\r\n' in sent


def test_timeouts_are_problems(client, url):
    client.refused({"url": url("/silent"), "timeout": 0.2}, 504, "timeout")
    client.refused({"url": url("/stall?n=3"), "timeout": {"idle": 0.2}}, 504, "idle_timeout")
    client.refused({"url": url(port="never"), "timeout": {"connect": 0.2}}, 504, "connect_timeout")


def test_redirects_are_followed_and_listed(client, url):
    e = client.fetch(url("/redirect/2"))
    assert (e["status"], e["url"]) == (200, url("/hello"))
    assert [(h["status"], h["reason"], h["url"]) for h in e["history"]] == [
        (302, "Found", url("/redirect/2")), (302, "Found", url("/redirect/1"))]
    assert ["Location", "/redirect/1"] in e["history"][0]["headers"]
    assert client.fetch(url("/redirect/1"), follow_redirects=False)["status"] == 302
    client.refused({"url": url("/redirect/3"), "max_redirects": 2}, 502, "too_many_redirects")


def test_certificates_are_verified_unless_turned_off(client, url):
    assert echoed(client.fetch(url("/echo", port="https")))["tls"] is True
    client.refused({"url": url("/echo", port="elsewhere")}, 502, "tls_failed")
    assert client.fetch(url("/hello", port="elsewhere"), verify=False)["status"] == 200


def test_each_http_version_is_used(client, url):
    assert client.fetch(url("/hello", port="h2"))["http_version"] == "2"
    assert client.fetch(url("/hello", port="h2"), http_version="1.1")["http_version"] == "1.1"
    e = client.fetch(url("/hello", port="h2c"), http_version="2-prior-knowledge")
    assert e["http_version"] == "2" and e["reason"] == ""


def test_a_missing_proxy_is_a_problem(client, url):
    target = "http://1.1.1.1/"  # not asked; a name is only for proxies that the operator has named
    client.refused({"url": target, "proxy": url("", port="closed")}, 502, "proxy_failed")


def test_credentials_are_sent(client, url):
    assert client.fetch(url("/auth/basic"), auth={"basic": ["user", "secret"]})["status"] == 200
    assert client.fetch(url("/auth/digest"), auth={"digest": ["user", "secret"]})["status"] == 200
    assert client.fetch(url("/auth/bearer"), auth={"bearer": "letmein"})["status"] == 200
    assert client.fetch(url("/auth/basic"), auth={"basic": ["user", "wrong"]})["status"] == 401


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_bodies_are_decoded_unless_turned_off(client, url, coding):
    e = client.fetch(url(f"/{coding}"))
    assert e["body"] == f"this was {coding}\n"
    raw = client.fetch(url(f"/{coding}"), decompress=False, response_body="base64")
    assert base64.b64decode(raw["body_base64"]) != e["body"].encode()


def test_max_body_bytes_allows_exactly_its_size(client, url):
    assert client.fetch(url("/bytes/1000"), max_body_bytes=1000)["body_bytes"] == 1000
    client.refused({"url": url("/bytes/1000"), "max_body_bytes": 999}, 502, "response_too_large")


def test_sessions_have_their_own_jars(client, url):
    client.fetch(url("/cookies/set?kept=1"), session="jar")
    assert echoed(client.fetch(url("/cookies"), session="jar")) == {"kept": "1"}
    assert echoed(client.fetch(url("/cookies"))) == {}
    client.refused({"url": url("/hello"), "session": "nobody"}, 404, "unknown_session")


def test_response_body_chooses_the_form(client, url):
    assert client.fetch(url("/binary"))["body_base64"] == base64.b64encode(
        b"\x00\xff\xfe\x80" * 4).decode()
    assert client.fetch(url("/hello"), response_body="base64")["body_base64"] == "aGVsbG8K"
    none = client.fetch(url("/hello"), response_body="none")
    assert "body" not in none and "body_base64" not in none and none["body_bytes"] == 6
    assert client.fetch(url("/charset/shift_jis"))["body"] == "日本語です"


def test_max_recv_speed_limits_the_rate(client, url):
    e = client.fetch(url("/bytes/60000"), max_recv_speed=40000, response_body="none")
    assert e["timing"]["total"] > 0.3


def test_what_this_libcurl_lacks_is_refused_clearly(client, url):
    p = client.refused({"url": url("/hello"), "impersonate": "mosaic93"}, 501, "unsupported")
    assert "impersonate" in p["detail"]


# -- frames ----------------------------------------------------------------


def test_frames_carry_the_body_as_it_is(client, url):
    e, body = client.frames(url("/bytes/100000"), tag="t")
    assert set(e) == ENVELOPE - {"body"} | {"tag"}
    assert (len(body), body[:300]) == (100000, (bytes(range(256)) * 2)[:300])


def test_frames_of_a_failure_are_a_problem(client, url):
    response = client.post({"url": url("/redirect/9"), "max_redirects": 1},
                           [("Accept", clients.FRAMES)])
    clients.problem(response, 502, "too_many_redirects")


# -- routes ----------------------------------------------------------------


def test_unknown_routes_and_wrong_methods_are_refused(client):
    clients.problem(client.ask("GET", "/v1/nothing"), 404, "not_found")
    clients.problem(client.ask("GET", "/"), 404, "not_found")
    for method, path in (("PUT", "/v1/fetch"), ("POST", "/healthz"), ("DELETE", "/metrics")):
        response = client.ask(method, path)
        clients.problem(response, 405, "method_not_allowed")
        assert "GET" in response.header("allow")


def test_healthz_says_ok(client):
    response = client.ask("GET", "/healthz")
    assert response.status == 200 and response.json() == {"status": "ok"}
    assert response.header("content-type") == "application/json"


def test_metrics_are_in_prometheus_text(client, url):
    client.fetch(url("/hello"))
    response = client.ask("GET", "/metrics")
    assert response.status == 200
    assert response.header("content-type").startswith("text/plain; version=0.0.4")
    text = response.body.decode()
    for name in ("curlew_in_flight", "curlew_queued", "curlew_connections"):
        assert f"# TYPE {name} gauge\n" in text
    for name in ("curlew_fetches_total", "curlew_connections_opened_total",
                 "curlew_guard_refusals_total"):
        assert f"# TYPE {name} counter\n" in text
    for name in ("curlew_queue_seconds", "curlew_first_byte_seconds", "curlew_fetch_seconds"):
        assert f"# TYPE {name} histogram\n" in text
    assert 'curlew_fetches_total{session="default",outcome="ok"}' in text


def test_the_status_comes_as_json_and_as_a_page(client):
    response = client.ask("GET", "/v1/status")
    assert response.status == 200 and response.header("content-type") == "application/json"
    assert "version" in response.json() and "default" in json.dumps(response.json()["sessions"])
    page = client.ask("GET", "/status")
    assert page.status == 200 and page.header("content-type").startswith("text/html")
    assert b"<html" in page.body


# -- size and number -------------------------------------------------------


def test_five_megabytes_pass_unchanged(client, url):
    e = client.fetch(url("/bytes/5000000?type=text/plain"), response_body="base64")
    body = base64.b64decode(e["body_base64"])
    assert (len(body), e["body_bytes"]) == (5000000, 5000000)
    assert body == (bytes(range(256)) * 19532)[:5000000]


def test_twenty_at_once_each_get_their_own_response(client, url):
    if isinstance(client, clients.FastCgiClient) and client.keep:
        pytest.skip("one connection carries one request at a time")

    def ask(i):
        e = client.fetch(url(f"/echo?i={i}"), tag=str(i))
        return parse_qsl(echoed(e)["target"].partition("?")[2]), e["tag"]

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        assert list(pool.map(ask, range(20))) == [([("i", str(i))], str(i)) for i in range(20)]
