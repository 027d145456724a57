"""Session(debug=True): heads in the log `django_curlew.debug`, without secrets."""

import asyncio
import logging

import pytest

from django_curlew import AsyncSession, CurlOpt, Session, exceptions, requests


@pytest.fixture
def lines(caplog):
    """All lines that were logged, once the test asks for them."""
    caplog.set_level(logging.INFO, logger="django_curlew.debug")
    return lambda: [line for record in caplog.records if record.name == "django_curlew.debug"
                    for line in record.getMessage().split("\n")]


SECRETS = {"headers": {"Authorization": "Bearer s3cret", "X-Api-Key": "s3cret", "X-A": "shown",
                       "X-Auth-Token": "s3cret", "X-Bytes": b"caf\xe9", "X-None": None},
           "cookies": {"sid": "s3cret"}, "auth": ("me", "s3cret")}


def test_heads_of_the_request_and_the_response(origin, lines):
    Session(debug=True).get(origin.url("/cookies/set?a=s3cret"), **SECRETS)
    told = lines()
    host = origin.url("")
    assert f"> GET {host}/cookies/set?a=…" in told
    assert "> X-A: shown" in told and "> X-Bytes: (bytes)" in told and "> X-None: (removed)" in told
    assert "> Authorization: Basic ***" in told and "> Cookie: sid=***" in told
    assert "< HTTP/1.1 200 OK" in told and "< Set-Cookie: ***" in told
    assert "s3cret" not in "\n".join(told)


def test_a_url_shows_no_password_and_no_values(origin, lines):
    url = origin.url("/redirect-to?url=/hello%3Ftoken=s3cret").replace("://", "://me:s3cret@")
    Session(debug=True).get(url)
    told = lines()
    assert "< HTTP/1.1 302 Found" in told and "< Location: /hello?token=…" in told
    assert "s3cret" not in "\n".join(told)


@pytest.mark.parametrize("name", [
    "Ocp-Apim-Subscription-Key", "X-Functions-Key", "X-API_KEY", "X-Amz-Credential", "X-Passwd",
    "X-CSRF", "X-JWT", "X-Pwd", "X-Signature-Ed25519"])
def test_a_header_that_may_be_a_secret_is_not_shown(name, origin, lines):
    Session(debug=True).get(origin.url("/hello"), headers={name: "s3cret"})
    assert f"> {name}: ***" in lines() and "s3cret" not in "\n".join(lines())


@pytest.mark.parametrize("name, value, shown", [
    ("X-Original-Url", "https://me:s3cret@a.example/?b=s3cret", "https://a.example/?b=…"),
    ("Link", "<https://me:s3cret@a.example/?b=s3cret>; rel=next", "<https://a.example/?b=…"),
    ("Refresh", "0; url=/?b=s3cret", "0; url=/?b=…"),
    ("Refresh", "0; url=https://me:s3cret@a.example/", "0; url=https://a.example/"),
    ("Location", "https://me:s3cr/et@a.example/", "(invalid URL)"),  # a slash, not quoted
    ("Via", "1.1 a.example:80, http://b.example: c", "1.1 a.example:80, http://b.example: c")])
def test_urls_in_any_header_show_no_secrets(name, value, shown, origin, lines):
    Session(debug=True).get(origin.url("/hello"), headers={name: value})
    assert f"> {name}: {shown}" in lines()


def test_a_proxy_shows_no_password(lines):
    for proxy in ("http://me:s3cret@127.0.0.1:9", "me:s3cret@127.0.0.1:9"):
        for session in (Session(debug=True, proxy=proxy),
                        Session(debug=True, curl_options={CurlOpt.PROXY: proxy})):
            with pytest.raises(exceptions.ConnectionError, match="Failed to connect"):
                session.get("http://127.0.0.1:1/")
            assert "* through the proxy http://127.0.0.1:9" in lines()
    assert "s3cret" not in "\n".join(lines())


def test_a_failure_is_told(origin, lines):
    with pytest.raises(exceptions.Timeout):
        Session(debug=True).get(origin.url("/silent"), timeout=0.2)
    assert lines()[-1].startswith("* Timeout: curl: (28) ") and "timed out" in lines()[-1]


@pytest.mark.parametrize("ask", [
    lambda url: requests.get(url, debug=True),
    lambda url: Session(debug=True).get(url, stream=True).close(),
    lambda url: Session(debug=True).gather([url]),
    lambda url: asyncio.run(AsyncSession(debug=True).get(url)),
    lambda url: asyncio.run(AsyncSession(debug=True).gather([url]))])
def test_each_way_of_asking_is_logged_once(origin, lines, ask):
    ask(origin.url("/hello"))
    assert [line for line in lines() if "HTTP/1.1" in line] == ["< HTTP/1.1 200 OK"]
    assert [line for line in lines() if line[0] == ">"] == [f"> GET {origin.url('/hello')}"]


def test_each_url_of_a_gather_is_logged(origin, lines):
    urls = [origin.url(f"/hello?{n}=") for n in range(3)]
    Session(debug=True).gather(urls)
    assert len([line for line in lines() if line[0] == ">"]) == 3


def test_other_sessions_log_nothing(origin, lines):
    Session().get(origin.url("/hello"))
    assert lines() == []


class OtherLibrarysError(Exception):
    """As botocore's ClientError, and urllib's URLError."""

    response = {"Error": {}}
    reason = OSError("refused")


def test_a_callbacks_own_exception_comes_through_where_fetches_are_logged(origin, caplog):
    def refuse(_):
        raise OtherLibrarysError

    caplog.set_level(logging.DEBUG, logger="django_curlew.fetch")
    with pytest.raises(OtherLibrarysError):
        Session().get(origin.url("/hello"), content_callback=refuse)
    assert any("OtherLibrarysError" in record.getMessage() for record in caplog.records)
