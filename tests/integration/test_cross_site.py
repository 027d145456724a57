"""Requests that a web page of another site has a browser make (CSRF), by each web server.

What browsers send was taken from their specifications: Sec-Fetch-Site (Fetch Metadata) over HTTPS
and to loopback, Origin with every POST (RFC 6454, Fetch).
"""

import http.client
import json
import ssl

import pytest

from tests.support import fcgi, streams
from tests.support.clients import problem
from tests.support.procs import wait_until
from tests.support.web_servers import WEB_SERVERS

FORM = ("Content-Type", "text/plain")
IMAGE = [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "no-cors"),
         ("Sec-Fetch-Dest", "image"), ("Accept", "image/avif,image/webp")]
FOREIGN = "https://evil.example"
# Each as a list of headers that a browser sends for a page elsewhere.
PAGES = {
    "a form": [FORM, ("Origin", FOREIGN), ("Sec-Fetch-Site", "cross-site"),
               ("Sec-Fetch-Mode", "navigate")],
    "a form of an old browser": [FORM, ("Origin", FOREIGN)],
    "a sandboxed frame": [FORM, ("Origin", "null"), ("Sec-Fetch-Site", "cross-site")],
    "a sandboxed frame of an old browser": [FORM, ("Origin", "null")],
    "a site next door": [FORM, ("Origin", "https://blog.site.example"),
                         ("Sec-Fetch-Site", "same-site")],
    "an image": IMAGE,
}
ACTING = [("POST", "/v1/fetch"), ("GET", "/v1/fetch"), ("POST", streams.ROUTE),
          ("GET", streams.ROUTE), ("POST", "/v1/batch"), ("POST", "/v1/handoffs"),
          ("GET", "/v1/sessions"), ("GET", "/v1/sessions/default"), ("PUT", "/v1/sessions/stolen"),
          ("DELETE", "/v1/sessions/jar"), ("POST", "/v1/sessions/jar/reset")]


@pytest.mark.parametrize("page", PAGES)
def test_no_route_that_acts_answers_a_page_of_another_site(daemon, origin, page):
    url = origin.url("/stolen")
    for method, path in ACTING:
        query = f"url={url}" if method == "GET" else ""
        body = b"" if method == "GET" else json.dumps({"url": url}).encode()
        response = daemon.client.ask(method, path, query, body, PAGES[page])
        assert "auth.origins" in problem(response, 403, "forbidden")["detail"]
    assert not origin.events("/stolen")
    sessions = daemon.client.ask("GET", "/v1/sessions").json()["sessions"]
    assert {s["name"] for s in sessions} == {"default", "jar", "other-jar"}


@pytest.mark.parametrize("page", PAGES)
def test_what_only_shows_is_not_concerned(daemon, page):
    for path in ("/v1/status", "/status", "/metrics", "/healthz"):
        assert daemon.client.ask("GET", path, headers=PAGES[page]).status == 200


@pytest.mark.parametrize("web_server", WEB_SERVERS)
def test_web_servers_pass_on_what_the_browser_says(daemon, origin, nginx, web_server):
    client = nginx(daemon, name=web_server)
    own = f"http://127.0.0.1:{client.port}"
    body = json.dumps({"url": origin.url("/hello")}).encode()
    for page in PAGES.values():
        problem(client.ask("POST", "/v1/fetch", body=body, headers=page), 403, "forbidden")
    for page in ([FORM, ("Origin", own)], [FORM, ("Sec-Fetch-Site", "same-origin")],
                 [("Sec-Fetch-Site", "none")], [FORM]):
        assert client.ask("POST", "/v1/fetch", body=body, headers=page).status == 200, page
    image = client.ask("GET", "/v1/fetch", f"url={origin.url('/stolen')}", headers=IMAGE)
    problem(image, 403, "forbidden")
    assert not origin.events("/stolen")


def test_a_page_without_tls_is_another_site_for_one_with_it(daemon, origin):
    body = json.dumps({"url": origin.url("/hello")}).encode()
    headers = [("Host", "site.example"), ("Origin", "http://site.example")]
    for tls, status in (({"HTTPS": "on"}, 403), ({"REQUEST_SCHEME": "https"}, 403), ({}, 200)):
        params = {**fcgi.cgi_params("POST", "/v1/fetch", "", body, headers), **tls}
        with fcgi.Connection(daemon.socket) as c:
            c.send(fcgi.request(params, body))
            assert c.read_response().status == status, tls


def test_nginxs_example_says_that_a_request_came_by_tls(daemon, origin, nginx, certs):
    client = nginx(daemon, more=[
        ("default_server;", "default_server ssl;"),
        ("http {\n", f"http {{\nssl_certificate {certs}/server.pem;\n"
         f"ssl_certificate_key {certs}/server.key;\n")])
    body = json.dumps({"url": origin.url("/hello")})
    trusting = ssl.create_default_context(cafile=certs / "ca.pem")
    for scheme, status in (("http", 403), ("https", 200)):
        connection = http.client.HTTPSConnection("127.0.0.1", client.port, context=trusting)
        connection.request("POST", "/_fetch/v1/fetch", body,
                           {"Origin": f"{scheme}://127.0.0.1:{client.port}"})
        assert connection.getresponse().status == status
        connection.close()


def test_origins_of_the_setting_may_ask_and_a_reload_changes_them(curlewd, origin):
    daemon = curlewd({"auth": {"origins": ["https://app.example"]}})
    body = json.dumps({"url": origin.url("/hello")}).encode()

    def ask(page_origin, *more):
        headers = [("Origin", page_origin), ("Sec-Fetch-Site", "cross-site"), *more]
        return daemon.client.ask("POST", "/v1/fetch", body=body, headers=headers).status

    assert ask("https://app.example") == 200
    assert ask("http://app.example") == ask("https://app.example.evil.example") == 403
    daemon.reload({**daemon.config, "auth": {"origins": ["https://other.example"]}})
    wait_until("the reload", lambda: ask("https://other.example") == 200)
    assert ask("https://app.example") == 403
    daemon.reload({**daemon.config, "auth": {"origins": []}})
    wait_until("the reload", lambda: ask("https://other.example") == 403)


def test_an_environment_variable_lists_origins_too(curlewd, origin):
    daemon = curlewd(env={"CURLEW_AUTH_ORIGINS": "https://a.example,https://b.example:8443"})
    for page in ("https://a.example", "https://b.example:8443"):
        response = daemon.client.ask("POST", "/v1/fetch", headers=[("Origin", page)],
                                     body=json.dumps({"url": origin.url("/hello")}).encode())
        assert response.status == 200


@pytest.mark.parametrize("page", PAGES)
def test_a_page_may_link_to_a_view_that_makes_a_handoff(daemon, origin, page):
    """The browser's headers are those of its request to the view."""
    params = {**fcgi.cgi_params("GET", "/report", "", b"", PAGES[page]),
              "CURLEW_REQUEST": json.dumps({"url": origin.url("/hello")})}
    with fcgi.Connection(daemon.socket) as c:
        c.send(fcgi.request(params))
        assert c.read_response().body == b"hello\n"
