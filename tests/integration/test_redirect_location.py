"""Locations are read as browsers read them (WHATWG URL), the same by fetch and stream."""

import base64
import json

import pytest

from tests.support.clients import problem
from tests.support.scripted_origin import ScriptedOrigin, answer
from tests.support.streams import open_stream

pytestmark = pytest.mark.libcurl


def redirecting(location):
    """An origin that redirects so; `{host}` in it is its own host and port."""
    def script(request, connection):
        if request.target == "/dir/start":
            value = location.replace(b"{host}", b"127.0.0.1:%d" % origin.port)
            connection.send(b"HTTP/1.1 302 Found\r\nLocation: " + value
                            + b"\r\nContent-Length: 4\r\n\r\nbody")
        else:
            connection.send(answer(request.target))

    origin = ScriptedOrigin(script)
    return origin


FOLLOWED = {
    "a blank": (b"http://{host}/a file.pdf", "/a%20file.pdf"),
    "blanks around": (b"  http://{host}/a  ", "/a"),
    "a blank in the query": (b"/a?b=c d", "/a?b=c%20d"),
    "a tab": (b"/a\tb", "/ab"),
    "a tab in the scheme": (b"ht\ttp://{host}/x", "/x"),
    "folded": (b"/a\r\n b", "/a%20b"),
    "folded behind the colon": (b"\r\n /a", "/a"),
    "backslashes": (b"\\a\\b", "/a/b"),
    "backslashes in the authority": (b"http:\\\\{host}\\a", "/a"),
    "a backslash in the query stays": (b"/a?b=\\c", "/a?b=\\c"),
    "one slash": (b"http:/a", "/a"),
    "no slash": (b"http:a", "/dir/a"),
    "relative": (b"a/../b", "/dir/b"),
    "only a query": (b"?x=1", "/dir/start?x=1"),
    "only a fragment": (b"/a#frag", "/a"),
    "an empty query": (b"/a?", "/a?"),
    "a query that ends in a question mark": (b"/a?b=c?", "/a?b=c?"),
    "without scheme": (b"//{host}/a", "/a"),
    "upper case": (b"HTTP://{host}/a", "/a"),
    "quotes": (b"/a\"b<c>", "/a%22b%3Cc%3E"),
    "bytes that are no UTF-8": (b"/caf\xe9", "/caf%E9"),
    "UTF-8": (b"/caf\xc3\xa9", "/caf%C3%A9"),
    "already encoded": (b"/a%20b%2Fc", "/a%20b%2Fc"),  # libcurl 8.23 writes %2f so, too
    "a bare percent sign": (b"/100%", "/100%"),
    "dots above the root": (b"/../../a", "/a"),
}


@pytest.mark.parametrize("name", FOLLOWED)
def test_a_location_is_followed_as_browsers_do(client, name):
    location, target = FOLLOWED[name]
    with redirecting(location) as origin:
        e = client.fetch(origin.url("/dir/start"))
        assert (e["body"], len(e["history"])) == (target, 1)
        with open_stream(client, url=origin.url("/dir/start")) as s:
            assert s.read_all().decode() == target


def test_a_location_with_control_characters_is_no_egress_refusal(client):
    with redirecting(b"/a\tb") as origin:
        before = client.ask("GET", "/metrics").body
        client.fetch(origin.url("/dir/start"))
        after = client.ask("GET", "/metrics").body
        assert [line for line in before.split(b"\n") if b"guard_refusals" in line] == \
               [line for line in after.split(b"\n") if b"guard_refusals" in line]


@pytest.mark.parametrize("location", [b"ftp://127.0.0.1/x", b"file:///etc/passwd", b"javascript:1"])
def test_other_schemes_are_refused_and_the_failure_carries_the_response(client, location):
    with redirecting(location) as origin:
        p = client.refused({"url": origin.url("/dir/start")}, 403, "blocked")
        assert p["response"]["status"] == 302
        assert ["Location", location.decode()] in p["response"]["headers"]
        assert p["response"]["history"] == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("keys", [{}, {"coalesce": True}], ids=str)
@pytest.mark.parametrize("route", ["fetch", "stream"])
def test_a_redirect_that_the_guard_refuses_carries_it_too(client, host, keys, route):
    """The address of a host name shows as it is connected to, when the next hop has begun."""
    target = f"http://{host}:9/"
    with redirecting(target.encode()) as origin:
        request = {"url": origin.url("/dir/start"), "redirects_public_only": True, **keys}
        response = client.ask("POST", f"/v1/{route}", body=json.dumps(request).encode())
        p = problem(response, 403, "blocked")
        assert p["response"]["status"] == 302 and p["response"]["history"] == []
        assert ["Location", target] in p["response"]["headers"]


def test_too_many_redirects_carry_the_last_response_and_the_history(client):
    with redirecting(b"/dir/start") as origin:
        p = client.refused({"url": origin.url("/dir/start"), "max_redirects": 3}, 502,
                           "too_many_redirects")
        assert p["response"]["status"] == 302
        assert ["Location", "/dir/start"] in p["response"]["headers"]
        assert [h["status"] for h in p["response"]["history"]] == [302, 302, 302]


@pytest.mark.parametrize("location", [b"http://", b"http://[::1", b"http://a b/"])
def test_a_location_that_is_no_url_is_a_protocol_error(client, location):
    with redirecting(location) as origin:
        client.refused({"url": origin.url("/dir/start")}, 502, "protocol_error")


@pytest.mark.parametrize("status", ["302 Found", "201 Created"])
@pytest.mark.parametrize("keys", [{}, {"follow_redirects": False}], ids=str)
def test_two_locations_that_differ_are_a_protocol_error(client, status, keys):
    """As with browsers, and by libcurl 8.23; earlier ones say nothing."""
    def script(request, connection):
        connection.send(answer("", status, ["Location: /a", f"Location: {request.target[1:]}"]))

    with ScriptedOrigin(script) as origin:
        client.refused({"url": origin.url("//b"), **keys}, 502, "protocol_error")
        if status.startswith("201"):
            assert client.fetch(origin.url("//a"), **keys)["status"] == 201


@pytest.mark.parametrize("url", ["http://a\\@127.0.0.1/", "http:\\\\127.0.0.1/", "http://127.0.0.1\\x"])
def test_a_backslash_before_the_path_of_a_requests_url_is_bad(client, url):
    client.refused({"url": url}, 400, "bad_url")


@pytest.mark.parametrize("keys", [{}, {"params": {}}])
def test_an_empty_query_is_kept(client, keys):
    with ScriptedOrigin(lambda r, c: c.send(answer(r.target))) as origin:
        assert client.fetch(origin.url("/x?"), **keys)["body"] == "/x?"
        assert client.fetch(origin.url("/x"), **keys)["body"] == "/x"


@pytest.mark.parametrize("target", ["/x??", "/x?q=what?", "/x?a?b??", "/??", "/x?q=%3F"])
def test_a_query_may_end_in_a_question_mark(client, target):
    with ScriptedOrigin(lambda r, c: c.send(answer(r.target))) as origin:
        e = client.fetch(origin.url(target))
        assert (e["body"], e["url"]) == (target, origin.url(target))
        e = client.fetch("http://127.0.0.1:1" + target, proxy=origin.url(""))
        assert e["body"] == "http://127.0.0.1:1" + target


def sent_credentials(client, location, first="u:p@"):
    """Authorization of each hop, where `location` comes first; the same by fetch and stream."""
    with redirecting(location) as origin:
        url = origin.url("/dir/start").replace("://", f"://{first}")
        client.fetch(url)
        with open_stream(client, url=url) as s:
            s.read_all()
        sent = [r.header("authorization") for r in origin.requests]
    assert sent[:2] == sent[2:]
    return sent[:2]


def basic(pair):
    return "Basic " + base64.b64encode(pair).decode()


@pytest.mark.parametrize("location", [b"/next", b"next", b"http://{host}/next",
                                      b"http://@{host}/next"])
def test_credentials_of_a_url_stay_at_its_origin(client, location):
    """As with curl, requests and httpx."""
    assert sent_credentials(client, location) == [basic(b"u:p")] * 2


def test_credentials_of_a_url_do_not_leave_its_origin(client):
    with ScriptedOrigin(lambda r, c: c.send(answer(r.header("authorization") or "none"))) as other:
        with redirecting(other.url("/").encode()) as origin:
            url = origin.url("/dir/start").replace("://", "://u:p@")
            assert client.fetch(url)["body"] == "none"


@pytest.mark.parametrize("location, pair", [
    (b"http://x:y@{host}/next", b"x:y"),
    (b"http://me@mail.test:p@w@{host}/next", b"me@mail.test:p@w"),  # the last "@" ends it
    (b"http://a b:c@{host}/next", b"a b:c"),
])
def test_a_location_may_have_credentials(client, location, pair):
    assert sent_credentials(client, location) == [basic(b"u:p"), basic(pair)]


@pytest.mark.parametrize("first", ["@", ":@"])
def test_nobody_is_named_by_an_empty_user_and_password(client, first):
    assert sent_credentials(client, b"/next", first) == [None, None]
