"""Credentials stay with the origin and the proxy that they were given for.

libcurl's handles are used again, and have carried credentials from one transfer to the next:
CVE-2026-11856, CVE-2026-7168 (digest), CVE-2026-9079 (a proxy's password), CVE-2026-3784 (a
proxy's tunnel), CVE-2026-6276 (a Host header's cookies).
"""

import base64
import contextlib
import hashlib
import re

import pytest

from tests.support.scripted_origin import ScriptedOrigin, answer

pytestmark = pytest.mark.libcurl

CREDENTIALS = ("authorization", "proxy-authorization", "cookie")


def digest_origin(after=b""):
    """Asks for digest authentication, then answers; `after` is a header of that answer."""
    def script(request, connection):
        if request.header("authorization") is None:
            connection.send(b'HTTP/1.1 401 x\r\nWWW-Authenticate: Digest realm="r", nonce="n", '
                            b'qop="auth", algorithm=MD5\r\nContent-Length: 0\r\n\r\n')
        elif after:
            connection.send(b"HTTP/1.1 302 x\r\n" + after + b"\r\nContent-Length: 0\r\n\r\n")
        else:
            connection.send(answer("in"))

    return ScriptedOrigin(script)


def plain_origin():
    return ScriptedOrigin(lambda request, connection: connection.send(answer("out")))


def credentials(origin):
    return [(n, request.header(n)) for request in origin.requests for n in CREDENTIALS
            if request.header(n) is not None]


@pytest.mark.parametrize("fetches", [1, 5])
def test_a_digest_does_not_go_to_the_next_origin(client, fetches):
    with digest_origin() as asks, plain_origin() as other:
        for _ in range(fetches):
            e = client.fetch(asks.url("/"), auth={"digest": ["u", "secret"]})
            assert e["body"] == "in"
            assert client.fetch(other.url("/"))["body"] == "out"
        assert credentials(other) == []


def test_a_digest_does_not_follow_a_redirect(client):
    with plain_origin() as other:
        with digest_origin(b"Location: " + other.url("/").encode()) as asks:
            assert client.fetch(asks.url("/"), auth={"digest": ["u", "p"]})["body"] == "out"
        assert credentials(other) == []


def test_a_digest_does_not_serve_the_next_caller(client):
    with digest_origin() as asks:
        assert client.fetch(asks.url("/"), auth={"digest": ["u", "p"]})["status"] == 200
        assert client.fetch(asks.url("/"))["status"] == 401


def test_a_digest_of_one_user_is_not_that_of_the_next(client):
    with digest_origin() as asks:
        for user in ("first", "second", "first"):
            client.fetch(asks.url("/"), auth={"digest": [user, "p"]})
            header = [r.header("authorization") for r in asks.requests][-1]
            assert re.search(r'username="(\w+)"', header)[1] == user
            nonce, nc, cnonce, response = (re.search(rf'\b{n}="?([^",]+)', header)[1] for n in
                                           ("nonce", "nc", "cnonce", "response"))
            ha1, ha2 = (hashlib.md5(t.encode()).hexdigest() for t in (f"{user}:r:p", "GET:/"))
            right = hashlib.md5(f"{ha1}:{nonce}:{nc}:{cnonce}:auth:{ha2}".encode()).hexdigest()
            assert response == right


@pytest.fixture
def proxies():
    """Two forward proxies that answer by themselves."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(plain_origin()) for _ in range(2)]


def basic(name, password):
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def test_a_proxys_password_does_not_go_to_the_next_proxy(client, proxies):
    first, second = proxies
    for _ in range(3):
        client.fetch("http://1.1.1.1/", proxy=first.url("/").rstrip("/"),
                     proxy_auth=["u", "secret"])
        client.fetch("http://1.1.1.1/", proxy=second.url("/").rstrip("/"))
        client.fetch(second.url("/direct"))
    assert credentials(first) == [("proxy-authorization", basic("u", "secret"))] * 3
    assert credentials(second) == []


def test_a_password_in_a_proxys_url_does_not_go_to_the_next_proxy(curlewd, proxies):
    first, second = (p.url("/").rstrip("/") for p in proxies)
    one = first.replace("//", "//u:secret@")
    client = curlewd({"sessions": {"default": {"proxies": [one, second]}}}).client
    for _ in range(6):
        client.fetch("http://1.1.1.1/")
    assert credentials(proxies[0]) == [("proxy-authorization", basic("u", "secret"))] * 3
    assert len(proxies[1].requests) == 3 and credentials(proxies[1]) == []


def test_a_retry_through_the_next_proxy_takes_no_password_along(curlewd, proxies):
    second = proxies[1]
    with plain_origin() as first:
        first.refuse()
        one = first.url("/").rstrip("/").replace("//", "//u:secret@")
        client = curlewd({"sessions": {"default": {
            "proxies": [one, second.url("/").rstrip("/")],
            "retries": {"max": 2, "backoff": 0.01}}}}).client
        attempts = [client.fetch("http://1.1.1.1/")["attempts"] for _ in range(4)]
    assert max(attempts) == 2
    assert len(second.requests) == 4 and credentials(second) == []


def test_a_tunnel_is_not_lent_to_other_credentials(client, origin, proxy):
    port, process = proxy(user="pu", password="hidden")
    url = origin.url("/hello", port="https")
    right = {"proxy": f"http://127.0.0.1:{port}", "proxy_auth": ["pu", "hidden"]}
    assert client.fetch(url, **right)["body"] == "hello\n"
    client.refused({"url": url, **right, "proxy_auth": ["pu", "wrong"]}, 502, "proxy_failed")
    client.refused({"url": url, "proxy": right["proxy"]}, 502, "proxy_failed")
    assert client.fetch(url, **right)["connection"]["reused"] is True


def test_the_cookies_of_a_host_header_do_not_stay(client):
    def script(request, connection):
        connection.send(b"HTTP/1.1 200 x\r\nSet-Cookie: seen=1; Path=/\r\n"
                        b"Content-Length: 0\r\n\r\n")

    with ScriptedOrigin(script) as first, plain_origin() as second:
        client.fetch(first.url("/"), headers={"Host": "bank.test"}, cookies={"sid": "secret"})
        client.fetch(second.url("/"))
        client.fetch(first.url("/"))
        assert credentials(second) == []
        assert [r.header("cookie") for r in first.requests] == ["sid=secret", None]
