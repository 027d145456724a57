"""Redirects: the method that is used next, the history, and the limits."""

import json
from urllib.parse import quote

import pytest

from tests.support.scripted_origin import ScriptedOrigin, answer

pytestmark = pytest.mark.libcurl


def follow(client, origin, status, method, **keys):
    """The method that arrived behind a redirect of this status."""
    e = client.fetch(origin.url(f"/redirect-to?url=/echo&status={status}"), method=method, **keys)
    assert [h["status"] for h in e["history"]] == [status]
    return json.loads(e["body"]) if e["body"] else None


@pytest.mark.parametrize("status, method, then", [
    (301, "GET", "GET"), (302, "GET", "GET"), (303, "GET", "GET"), (307, "GET", "GET"),
    (301, "POST", "GET"), (302, "POST", "GET"), (303, "POST", "GET"),
    (307, "POST", "POST"), (308, "POST", "POST"),
    (301, "PUT", "PUT"), (303, "PUT", "GET"), (308, "DELETE", "DELETE"),
])
def test_the_method_changes_as_browsers_do_it(client, origin, status, method, then):
    got = follow(client, origin, status, method, **({"body": "b"} if method != "GET" else {}))
    assert got["method"] == then
    kept = then == method and method != "GET"
    assert got["body_base64"] == ("Yg==" if kept else "")
    names = [n.lower() for n, _ in got["headers"]]
    assert kept or "content-type" not in names and "content-length" not in names


def test_head_stays_head(client, origin):
    e = client.fetch(origin.url("/redirect/2"), method="HEAD")
    assert (e["status"], len(e["history"]), e["request"]["method"]) == (200, 2, "HEAD")
    assert origin.stats()["requests"] == 3


@pytest.mark.parametrize("status", [300, 304, 305])
def test_other_3xx_responses_are_not_followed(client, origin, status):
    assert client.fetch(origin.url(f"/redirect-to?url=/hello&status={status}"))["status"] == status


def test_a_redirect_without_location_is_the_response(client, origin):
    e = client.fetch(origin.url("/status/302"))
    assert (e["status"], e["history"]) == (302, [])


def test_max_redirects_at_the_limit(client, origin):
    assert client.fetch(origin.url("/redirect/3"), max_redirects=3)["status"] == 200
    p = client.refused({"url": origin.url("/redirect/3"), "max_redirects": 2}, 502,
                       "too_many_redirects")
    assert "2" in p["detail"]
    assert client.refused({"url": origin.url("/redirect/1"), "max_redirects": 0}, 502,
                          "too_many_redirects")


def test_the_default_limit_is_thirty(client, origin):
    assert len(client.fetch(origin.url("/redirect/30"))["history"]) == 30
    client.refused({"url": origin.url("/redirect/31")}, 502, "too_many_redirects")


@pytest.mark.parametrize("size, code", [(200, None), (100_000, "response_too_large")])
def test_the_limit_of_the_body_is_not_for_those_of_redirects(client, size, code):
    """Nobody gets them; up to 64 KiB are read, so that the connection can be kept."""
    def script(request, connection):
        fields = ["Location: /end"] if request.target == "/" else []
        connection.send(answer("x" * (size if fields else 2), "302 Found" if fields else "200 OK",
                               fields))

    with ScriptedOrigin(script) as origin:
        if code is None:
            assert client.fetch(origin.url("/"), max_body_bytes=2)["body"] == "xx"
        else:
            client.refused({"url": origin.url("/"), "max_body_bytes": 2}, 502, code)


def test_not_following_gives_the_redirect_itself(client, origin):
    e = client.fetch(origin.url("/redirect/1"), follow_redirects=False)
    assert (e["status"], e["body"], e["history"]) == (302, "moved\n", [])
    assert e["url"] == origin.url("/redirect/1")


def test_a_redirect_may_lead_to_tls_and_to_another_host(client, origin):
    there = origin.url("/echo", host="localhost", port="https")
    e = client.fetch(origin.url(f"/redirect-to?url={quote(there)}"))
    assert e["url"] == there and json.loads(e["body"])["tls"] is True


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://127.0.0.1/", "gopher://x/",
                                      "javascript:alert(1)"])
def test_a_redirect_out_of_http_is_refused(client, origin, location):
    client.refused({"url": origin.url(f"/redirect-to?url={quote(location)}")}, 403, "blocked")


def test_a_redirect_to_a_forbidden_address_is_refused(client, origin):
    p = client.refused({"url": origin.url("/redirect-to?url=http://169.254.169.254/latest/")}, 403,
                       "blocked")
    assert "169.254.169.254" in p["detail"] and "egress.allow" in p["detail"]


def test_the_timeout_covers_all_hops(client, origin):
    slow = quote(origin.url("/delay/0.3"))
    url = origin.url(f"/redirect-to?url={slow}")
    client.refused({"url": url, "timeout": 0.15}, 504, "timeout")
