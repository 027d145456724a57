"""Bad requests: each is refused with the name of the wrong key, and harms no other request."""

import re

import pytest

from tests.support import clients
from tests.support.curlewd import ROOT

URL = "http://127.0.0.1:1/"


@pytest.fixture(autouse=True)
def nobody_else_is_disturbed(client, origin):
    yield
    assert client.fetch(origin.url("/hello"))["body"] == "hello\n"


def detail_of(client, request, status=400, code="bad_request"):
    return client.refused(request, status, code)["detail"]


# -- keys ------------------------------------------------------------------


@pytest.mark.parametrize("key, value", [
    ("urll", "x"), ("URL", "x"), ("", 1), ("timeout", {"connekt": 1}), ("auth", {"ntlm": []}),
    ("cookies", [{"name": "a", "value": "1", "colour": "red"}]),
    ("multipart", [{"name": "a", "value": "1", "type": "x"}]),
])
def test_an_unknown_key_is_named(client, key, value):
    assert (key or "key") in detail_of(client, {"url": URL, key: value})


@pytest.mark.parametrize("key, value", [
    ("url", 7), ("url", None), ("method", 1), ("method", ""), ("method", "GE T"),
    ("params", "a=b"), ("params", [["a"]]), ("params", {"a": None}), ("params", {"a": {"b": 1}}),
    ("headers", "A: b"), ("headers", {"A": 1}), ("headers", [["A", "b", "c"]]),
    ("headers", {"": "x"}), ("headers", {"A B": "x"}), ("headers", {"A:": "x"}),
    ("cookies", "a=b"), ("cookies", {"a": 1}), ("cookies", [{"name": "a"}]),
    ("body", {"a": 1}), ("body_base64", "no base64!"), ("form", "a=b"), ("multipart", {}),
    ("multipart", []), ("multipart", [{"value": "x"}]),
    ("timeout", 0), ("timeout", -1), ("timeout", "5"), ("timeout", {"total": 0}),
    ("timeout", {"idle": "1"}), ("timeout", 1e9),
    ("follow_redirects", 1), ("max_redirects", -1), ("max_redirects", 1.5), ("verify", "no"),
    ("http_version", "1.2"), ("http_version", 2), ("proxy", "ftp://x/"), ("proxy", ""),
    ("proxy_auth", ["one"]), ("proxy_auth", {"u": "p"}), ("auth", {}), ("auth", {"basic": "x"}),
    ("auth", {"basic": ["a", "b"], "bearer": "t"}), ("auth", {"bearer": ""}),
    ("decompress", 0), ("max_body_bytes", -1), ("max_body_bytes", "1"), ("retries", -1),
    ("retries", "2"), ("retries", 101), ("retries", {}), ("retries", {"max": 1, "statuses": [200]}),
    ("retries", {"max": 1, "methods": []}), ("session", 1), ("session", ""), ("coalesce", "yes"),
    ("impersonate", 1),
    ("response_body", "json"), ("max_recv_speed", 0), ("max_recv_speed", -5), ("tag", 5),
    ("forward_headers", "range"),
])
def test_a_wrong_type_or_range_names_its_key(client, key, value):
    assert key in detail_of(client, {"url": URL, key: value})


@pytest.mark.parametrize("bad", ["a\r\nB: c", "a\nb", "a\rb", "a\u0000b"])
def test_no_line_break_or_nul_gets_into_a_header(client, bad):
    for key, value in (("headers", {"X-A": bad}), ("headers", [[bad, "x"]]), ("method", bad),
                       ("cookies", {"c": bad}), ("auth", {"bearer": bad}),
                       ("auth", {"basic": [bad, "x"]}), ("auth", {"basic": ["x", bad]})):
        assert key in detail_of(client, {"url": URL, key: value})


def test_only_one_form_of_body_is_allowed(client):
    detail = detail_of(client, {"url": URL, "body": "a", "json": {}})
    assert "body" in detail and "json" in detail


def test_url_is_required(client):
    assert "url" in detail_of(client, {})
    assert "url" in detail_of(client, {"tag": "x"})


# -- JSON ------------------------------------------------------------------


@pytest.mark.parametrize("text, line", [
    (b"", None), (b"{", 1), (b'{"url": "x",}', 1), (b'{"url":\n\n oops}', 3), (b"{} {}", 1),
    (b'{"url": "\xff"}', 1), (b'{\n"url": "\xc3\x28"}', 2), (b'{"url": "\xed\xa0\x80"}', 1),
    (b"\xff\xfe{\x00}\x00", 1), (b'{"url": "x"} trailing', 1), (b"{'url': 1}", 1),
])
def test_malformed_json_is_reported_by_line_and_column(client, text, line):
    detail = detail_of(client, text)
    if line:
        assert f"line {line}" in detail and "column" in detail


@pytest.mark.parametrize("text", [b"[]", b"null", b'"x"', b"7"])
def test_a_request_is_an_object(client, text):
    assert "object" in detail_of(client, text)


def test_a_key_given_twice_is_refused(client):
    assert "url" in detail_of(client, b'{"url": "http://a.test/", "url": "http://b.test/"}')


def test_nesting_is_accepted_up_to_the_limit(client, origin):
    def nested(levels):
        inner = b"[" * (levels - 1) + b"]" * (levels - 1)
        return b'{"url": "%b", "json": %b}' % (origin.url("/echo").encode(), inner)

    assert client.post(nested(64)).status == 200
    detail = detail_of(client, nested(65))
    assert "line 1" in detail and "column" in detail
    detail_of(client, nested(100000))


# -- URLs ------------------------------------------------------------------


@pytest.mark.parametrize("url", [
    "example.org", "//example.org/", "/path", "http://", "http:///x", "http:/x", "ftp://x.test/",
    "file:///etc/passwd", "gopher://x.test/", "http://a b/", "http://x.test:0/",
    "http://x.test:65536/", "http://x.test:port/", "http://[::1/", "http://x.test/\r\nX: y",
    "http://x.test/a b", "http://x.test/" + "a" * 70000, "javascript:alert(1)", " ",
    "http://user@:80/", "ws://x.test/",
])
def test_an_invalid_url_is_refused(client, url):
    assert client.post({"url": url}).json()["code"] == "bad_url", url


def test_the_longest_url_passes(client, origin):
    start = origin.url("/hello?")
    assert client.fetch(start + "a" * (64 * 1024 - len(start)))["status"] == 200
    client.refused({"url": start + "a" * (64 * 1024 - len(start) + 1)}, 400, "bad_url")


# -- GET -------------------------------------------------------------------


@pytest.mark.parametrize("query, named", [
    ("", "url"), ("tag=x", "url"), ("url=http://x.test/&surprise=1", "surprise"),
    ("url=http://x.test/&headers=a", "headers"), ("url=http://x.test/&timeout=soon", "timeout"),
    ("url=http://x.test/&verify=maybe", "verify"), ("url=a&url=b", "url"),
    ("url=http://x.test/&max_redirects=1x", "max_redirects"), ("url=%ff", "url"),
    ("url=http://x.test/&tag=%zz", "tag"),
])
def test_an_invalid_query_key_is_named(client, query, named):
    response = client.ask("GET", "/v1/fetch", query)
    assert named in clients.problem(response, 400, "bad_request")["detail"]


def test_the_documents_list_the_keys_that_a_query_may_hold(client):
    table = (ROOT / "src/http/request.h").read_text()
    keys = set(re.findall(r'X\([A-Z_0-9]+, "(\w+)"', table))
    taken = {key for key in keys
             if "not allowed in a query" not in
             client.ask("GET", "/v1/fetch", f"{key}=1").json()["detail"]}
    page = (ROOT / "docs/api.md").read_text()
    sentence = re.search(r"The query may hold (.*?)\. Names", page, re.S)[1]
    assert set(re.findall(r"`(\w+)`", sentence)) == taken


# -- routes ----------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/", "/v1/fetch/", "/v1/fetch/x", "/v2/fetch",
                                  "/v1/fetchx", "/V1/fetch", "/healthz/", "/%00", "/" + "a" * 5000])
def test_an_unknown_route_is_404(client, path):
    clients.problem(client.ask("GET", path, "url=http://127.0.0.1:1/"), 404, "not_found")


@pytest.mark.parametrize("method, path, allowed", [
    ("PUT", "/v1/fetch", {"GET", "POST"}), ("DELETE", "/v1/fetch", {"GET", "POST"}),
    ("POST", "/healthz", {"GET"}), ("POST", "/metrics", {"GET"}), ("POST", "/v1/status", {"GET"}),
    ("POST", "/status", {"GET"}), ("BREW", "/v1/fetch", {"GET", "POST"}),
])
def test_a_wrong_method_gets_the_allowed_ones(client, method, path, allowed):
    response = client.ask(method, path)
    clients.problem(response, 405, "method_not_allowed")
    assert allowed <= {m.strip() for m in response.header("allow").split(",")}
