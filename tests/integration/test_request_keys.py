"""What each key of the request object changes in the request that reaches the origin."""

import base64
import json
import time
from urllib.parse import quote

import pytest


def echo(client, origin, path="/echo", **keys):
    """What the origin got."""
    return json.loads(client.fetch(origin.url(path), **keys)["body"])


def header(got, name):
    return [v for n, v in got["headers"] if n.lower() == name.lower()]


# -- url and params --------------------------------------------------------


@pytest.mark.parametrize("written, target", [
    ("/echo?a=%41&b=", "/echo?a=%41&b="),
    ("/echo#fragment", "/echo"),
    ("/echo?q=1#fragment", "/echo?q=1"),
    ("/echo/../echo?dots", "/echo?dots"),
    ("/echo/%2e%2e/x", None),
])
def test_the_path_reaches_the_origin_as_written(client, origin, written, target):
    got = echo(client, origin, written) if target else None
    assert got is None or got["target"] == target


def test_a_url_without_path_means_the_root(client, origin):
    assert client.fetch(origin.url(""))["body"] == "hello\n"


def test_user_and_password_in_the_url_are_basic_credentials(client, origin):
    url = origin.url("/auth/basic").replace("//", "//user:secret@")
    e = client.fetch(url)
    assert e["status"] == 200
    assert "secret" not in json.dumps(e)


@pytest.mark.parametrize("params, query", [
    ({"a": "1"}, "a=1"),
    ({"a": ["1", 2, True]}, "a=1&a=2&a=true"),
    ([["b", "x"], ["a", "y"], ["b", "z"]], "b=x&a=y&b=z"),
    ({"s p": "a b", "p": "50%+/?#&="}, "s%20p=a%20b&p=50%25%2B%2F%3F%23%26%3D"),
    ({"ü": "é"}, "%C3%BC=%C3%A9"),
    ({"empty": ""}, "empty="),
    ({}, ""),
])
def test_params_are_percent_encoded_into_the_query(client, origin, params, query):
    assert echo(client, origin, params=params)["target"] == "/echo" + ("?" + query if query else "")


def test_params_join_the_urls_own_query_before_the_fragment(client, origin):
    got = echo(client, origin, "/echo?own=1#part", params={"more": "2"})
    assert got["target"] == "/echo?own=1&more=2"


# -- method ----------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE",
                                    "M-SEARCH", "get"])
def test_any_token_is_a_method(client, origin, method):
    assert echo(client, origin, method=method)["method"] == method


def test_head_brings_headers_and_no_body(client, origin):
    e = client.fetch(origin.url("/bytes/1000"), method="HEAD")
    assert (e["body"], e["body_bytes"], e["request"]["method"]) == ("", 0, "HEAD")
    assert ["Content-Length", "1000"] in e["headers"]


def test_a_post_without_body_says_that_it_has_none(client, origin):
    assert header(echo(client, origin, method="POST"), "content-length") == ["0"]


def test_a_get_may_have_a_body(client, origin):
    got = echo(client, origin, method="GET", body="query")
    assert got["method"] == "GET" and base64.b64decode(got["body_base64"]) == b"query"


def test_a_head_takes_no_body(client, origin):
    p = client.refused({"url": origin.url("/echo"), "method": "HEAD", "body": "x"}, 400,
                       "bad_request")
    assert "HEAD" in p["detail"]


# -- headers ---------------------------------------------------------------


def test_headers_keep_their_order_case_and_repetition(client, origin):
    sent = [["X-b", "1"], ["x-A", "2"], ["X-b", "3"]]
    got = echo(client, origin, headers=sent)["headers"]
    assert [h for h in got if h[0].lower() in ("x-b", "x-a")] == sent


@pytest.mark.parametrize("value", ["", " ", "\t ", "\f"])
@pytest.mark.parametrize("name", ["X-Empty", "Accept", "User-Agent"])
def test_an_empty_header_is_sent_empty(client, origin, name, value):
    assert header(echo(client, origin, headers={name: value}), name.lower()) == [""]


@pytest.mark.parametrize("name", ["Accept", "User-Agent", "Accept-Encoding"])
def test_null_removes_a_default_header(client, origin, name):
    assert header(echo(client, origin, headers={name: None}), name) == []


def test_a_header_replaces_the_default_of_its_name(client, origin):
    got = echo(client, origin,
               headers={"user-agent": "mine/1", "accept": "text/x", "host": "h.test"})
    assert header(got, "user-agent") == ["mine/1"]
    assert header(got, "accept") == ["text/x"]
    assert header(got, "host") == ["h.test"]


def test_a_content_type_replaces_the_one_of_the_body(client, origin):
    got = echo(client, origin, json={"a": 1}, headers={"content-type": "application/x-mine"})
    assert header(got, "content-type") == ["application/x-mine"]


def test_a_long_header_is_sent_whole_or_refused_by_name(client, origin):
    """libcurl leaves out one with a value of over 300 KiB, and sends the others."""
    longest = "x" * (256 * 1024 - len("X-Long"))
    got = echo(client, origin, headers={"X-Long": longest})
    assert header(got, "x-long") == [longest]
    for value in (longest + "x", "x" * 310 * 1024):
        p = client.refused({"url": origin.url("/echo"), "headers": {"X-Long": value}},
                           400, "bad_request")
        assert p["detail"] == "headers.X-Long: over 262144 bytes"


def test_header_values_may_hold_any_text(client, origin):
    got = echo(client, origin, headers={"X-Text": "grüße; a=\"b\", \t c"})
    assert header(got, "x-text")[0].encode("latin-1").decode() == "grüße; a=\"b\", \t c"


def test_no_header_of_the_callers_request_reaches_the_origin(client, origin):
    response = client.post({"url": origin.url("/echo")}, [("Cookie", "browser=1"), ("X-Own", "1"),
                                                          ("Authorization", "Bearer own")])
    names = {n.lower() for n, _ in json.loads(response.json()["body"])["headers"]}
    assert not names & {"cookie", "x-own", "authorization"}


def test_no_expect_header_delays_a_large_body(client, origin):
    got = echo(client, origin, body="x" * 500000)
    assert header(got, "expect") == [] and len(base64.b64decode(got["body_base64"])) == 500000


# -- cookies ---------------------------------------------------------------


@pytest.mark.parametrize("cookies", [
    {"a": "1", "b": "x=y"},
    [{"name": "a", "value": "1"}, {"name": "b", "value": "x=y", "path": "/", "expires": 2**33}],
])
def test_cookies_are_sent(client, origin, cookies):
    assert json.loads(client.fetch(origin.url("/cookies"), cookies=cookies)["body"]) == {
        "a": "1", "b": "x=y"}


@pytest.mark.parametrize("cookie", [
    {"domain": "elsewhere.example"}, {"path": "/other"}, {"expires": 1},
])
def test_cookies_for_another_host_are_not_sent(client, origin, cookie):
    sent = [{"name": "a", "value": "1", **cookie}]
    assert json.loads(client.fetch(origin.url("/cookies"), cookies=sent)["body"]) == {}


# -- bodies ----------------------------------------------------------------


@pytest.mark.parametrize("value", [{"b": 1, "a": [True, None, 1.5, "ü\n"]}, [], "text", 0, None])
def test_json_bodies_mean_what_was_given(client, origin, value):
    got = echo(client, origin, json=value)
    assert json.loads(base64.b64decode(got["body_base64"])) == value


@pytest.mark.parametrize("body", ["", "\u0000\u0001", "ü" * 1000])
def test_text_bodies_are_sent_as_utf_8(client, origin, body):
    got = echo(client, origin, body=body)
    assert base64.b64decode(got["body_base64"]) == body.encode()
    assert header(got, "content-length") == [str(len(body.encode()))]


def test_an_empty_body_is_a_post(client, origin):
    assert echo(client, origin, body="")["method"] == "POST"


def test_a_multipart_body_names_its_boundary(client, origin):
    got = echo(client, origin, multipart=[{"name": "ü \"q\"", "value": "1", "filename": "a;b.txt"}])
    kind = header(got, "content-type")[0]
    assert kind.startswith("multipart/form-data; boundary=")
    body = base64.b64decode(got["body_base64"])
    assert body.startswith(b"--" + kind.partition("boundary=")[2].encode())
    assert 'filename="a;b.txt"'.encode() in body


# -- auth ------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_digest_authentication_works(client, origin, algorithm):
    e = client.fetch(origin.url(f"/auth/digest?algorithm={algorithm}"),
                     auth={"digest": ["user", "secret"]})
    assert (e["status"], json.loads(e["body"])) == (200, {"user": "user"})


def test_digest_with_a_body_sends_it_in_the_final_request(client, origin):
    e = client.fetch(origin.url("/auth/digest"), auth={"digest": ["user", "secret"]},
                     body="x" * 100)
    assert e["status"] == 200


def test_a_wrong_password_is_the_origins_401(client, origin):
    for auth in ({"basic": ["user", "no"]}, {"digest": ["user", "no"]}):
        kind = next(iter(auth))
        assert client.fetch(origin.url(f"/auth/{kind}"), auth=auth)["status"] == 401


@pytest.mark.parametrize("auth", [{"basic": ["user", "secret"]}, {"bearer": "letmein"}])
def test_credentials_do_not_follow_a_redirect_to_another_origin(client, origin, auth):
    there = origin.url("/echo", host="127.0.0.2")
    got = echo(client, origin, f"/redirect-to?url={quote(there)}", auth=auth)
    assert got["local_ip"] == "127.0.0.2" and header(got, "authorization") == []


def test_secret_headers_do_not_follow_a_redirect_to_another_origin(client, origin):
    there = origin.url("/echo", host="127.0.0.2")
    got = echo(client, origin, f"/redirect-to?url={quote(there)}", cookies={"c": "1"},
               headers={"Authorization": "Bearer x", "Cookie": "d=2", "X-Kept": "1"})
    assert header(got, "authorization") == [] and header(got, "cookie") == []
    assert header(got, "x-kept") == ["1"]


def test_credentials_follow_a_redirect_to_the_same_origin(client, origin):
    e = client.fetch(origin.url("/redirect-to?url=/auth/basic"), auth={"basic": ["user", "secret"]})
    assert e["status"] == 200


# -- the rest --------------------------------------------------------------


def test_compression_is_offered_unless_turned_off(client, origin):
    is_available = header(echo(client, origin), "accept-encoding")[0]
    assert all(coding in is_available for coding in ("gzip", "deflate", "br", "zstd"))
    assert header(echo(client, origin, decompress=False), "accept-encoding") == []


def test_the_tag_comes_back_and_goes_nowhere_else(client, origin):
    e = client.fetch(origin.url("/echo"), tag="täg \" 1")
    assert e["tag"] == "täg \" 1"
    assert "g \\\" 1" not in e["body"]


def test_max_recv_speed_slows_the_transfer(client, origin):
    start = time.monotonic()
    client.fetch(origin.url("/bytes/100000"), max_recv_speed=50000, response_body="none")
    assert 0.8 < time.monotonic() - start < 10


def test_bytes_sent_counts_the_body_of_every_hop(client, origin):
    e = client.fetch(origin.url("/redirect-to?url=/echo&status=307"), body="x" * 50)
    assert e["request"]["bytes_sent"] == 100
