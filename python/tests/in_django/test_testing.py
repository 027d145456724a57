"""The helpers for a site's own tests."""

import asyncio
import json
import re
import unittest

import httpx
import pytest
import requests as plain_requests
from django.test import RequestFactory, SimpleTestCase

from django_curlew import AsyncSession, HandOff, Session, conf, daemon, requests
from django_curlew.adapters.httpx import AsyncCurlewTransport, CurlewTransport
from django_curlew.adapters.requests import CurlewAdapter
from django_curlew.requests import exceptions
from django_curlew.testing import Stub, Tape, TapeError, Unexpected, override_curlew

URL = "https://api.example/price/1"


def test_a_response_as_it_was_defined():
    with override_curlew() as curlew:
        curlew.on("https://api.example/price/*", status=201, json={"price": "7 €"},
                  headers={"X-A": "1"}, http_version="2")
        response = requests.get(URL, params={"q": "a b"}, headers={"X-B": "2"}, timeout=3)
    assert (response.status_code, response.json()) == (201, {"price": "7 €"})
    assert (response.headers["x-a"], response.headers["content-type"]) == ("1", "application/json")
    assert response.http_version == 3 and response.url == URL + "?q=a+b"
    (request,) = curlew.requests
    assert request["url"] == URL + "?q=a+b" and ["X-B", "2"] in request["headers"]


def test_outside_of_it_nothing_is_left():
    with override_curlew():
        assert daemon.current().url.startswith("fcgi+unix:/nowhere/")
    with pytest.raises(Exception, match="CURLEW_URL"):
        requests.get(URL)


def test_one_object_may_be_used_within_itself():
    override = override_curlew()
    with override as outer:
        with override as inner:
            assert daemon.current() is inner
        assert daemon.current() is outer
    with override as again:
        assert daemon.current() is again is not outer
    test_outside_of_it_nothing_is_left()


def test_functions_that_a_decorator_can_do_nothing_for():
    def generator(curlew):
        yield curlew

    async def async_generator(curlew):
        yield curlew

    for each in (generator, async_generator):
        with pytest.raises(TypeError, match="use `with override_curlew"):
            override_curlew()(each)
    with pytest.raises(TypeError, match="needs an argument for the stub"):
        override_curlew()(lambda: None)


def test_a_fetch_without_a_definition_fails_the_test():
    with override_curlew() as curlew:
        curlew.on(URL, method="POST")
        with pytest.raises(Unexpected, match="GET https://api.example/price/1"):
            requests.get(URL)
        assert requests.post(URL, json=[1]).status_code == 200


@pytest.mark.parametrize("url", [URL, "https://*/price/1", re.compile("price/[0-9]"),
                                 lambda request: request["url"].endswith("1")],
                         ids=["whole", "star", "pattern", "function"])
def test_urls_may_be_given_in_several_ways(url):
    with override_curlew() as curlew:
        curlew.on(url, text="yes")
        assert requests.get(URL).text == "yes"
        with pytest.raises(Unexpected):
            requests.get("https://api.example/stock/?")


def test_a_question_mark_is_itself():
    with override_curlew() as curlew:
        curlew.on("https://a.example/?q=[1]*", text="yes")
        assert requests.get("https://a.example/?q=[1]2", quote=False).text == "yes"
        with pytest.raises(Unexpected):
            requests.get("https://a.example/xq=[1]2", quote=False)


@pytest.mark.parametrize("arguments, words", [
    ({"headers": {"Vary": ["a", "b"]}}, "repeat it in pairs"),
    ({"headers": {"A": None}}, "one str"),
    ({"content": "text"}, "content is bytes"), ({"text": b"bytes"}, "text is a str")])
def test_values_that_no_response_has_are_refused_where_they_are_written(arguments, words):
    with pytest.raises(TypeError, match=words):
        Stub().on("*", **arguments)


def test_headers_may_be_bytes_and_numbers():
    with override_curlew() as curlew:
        curlew.on("*", headers={b"X-A": b"\xe4", "X-Count": 3})
        headers = Session().get("http://a.example/").headers
        assert (headers["X-A"], headers["X-Count"]) == ("\xe4", "3")


def test_later_definitions_take_precedence_and_responses_take_turns():
    with override_curlew() as curlew:
        curlew.on("*", text="all")
        curlew.on(URL, responses=[{"status": 503}, {"error": "timeout"}, {"text": "at last"}])
        assert requests.get("https://b.example/").text == "all"
        assert requests.get(URL).status_code == 503
        with pytest.raises(exceptions.Timeout):
            requests.get(URL)
        assert [requests.get(URL).text for _ in range(2)] == ["at last"] * 2
    with pytest.raises(ValueError, match="responses"):
        curlew.on(URL, responses=[])


@pytest.mark.parametrize("code, raised", [("dns_failed", exceptions.DNSError),
                                          ("blocked", exceptions.Blocked),
                                          ("idle_timeout", exceptions.Timeout)])
def test_failures(code, raised):
    with override_curlew() as curlew:
        curlew.on(URL, error=code)
        with pytest.raises(raised):
            requests.get(URL)
        with pytest.raises(raised):
            requests.get(URL, stream=True)


def test_streams_and_gather():
    with override_curlew() as curlew:
        curlew.on(URL, content=b"\x00\xff\n" * 3).on("*/b", error="timeout")
        session = Session()
        with session.stream("GET", URL) as response:
            assert b"".join(response.iter_content()) == b"\x00\xff\n" * 3
        one, two = session.gather([URL, "https://a.example/b"], return_exceptions=True)
        assert one.content == b"\x00\xff\n" * 3 and isinstance(two, exceptions.Timeout)
        assert dict(session.as_completed([URL]))[0].status_code == 200
    assert len(curlew.requests) == 4


def test_async_code():
    async def main():
        with override_curlew() as curlew:
            curlew.on(URL, text="a")
            session = AsyncSession()
            response = await session.get(URL, stream=True)
            assert await response.atext() == "a"
            assert [r.text for r in await session.gather([URL, URL])] == ["a", "a"]
            async with httpx.AsyncClient(transport=AsyncCurlewTransport()) as client:
                assert (await client.get(URL)).text == "a"

    asyncio.run(main(), debug=True)


def test_the_adapters():
    with override_curlew() as curlew:
        curlew.on(URL, text="a").on("*/b", error="timeout")
        with httpx.Client(transport=CurlewTransport()) as client:
            assert client.get(URL).text == "a"
            with pytest.raises(httpx.ReadTimeout):
                client.get("https://a.example/b")
        with plain_requests.Session() as session:
            session.mount("https://", CurlewAdapter())
            assert session.get(URL).text == "a"


def handed(value):
    """What the web server's location would get for it."""
    params = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "/_handoff/", "CURLEW_REQUEST": value}
    with daemon.current().open("", "", params=params) as stream:
        return stream.status, stream.read()


def test_a_handoff_has_the_request_object_and_its_reference_gives_the_response():
    with override_curlew() as curlew:
        curlew.on(URL, text="a file")
        response = HandOff(RequestFactory().get("/"), URL, headers={"X-A": "1"})
        assert response.fetch["url"] == URL and not curlew.requests
        reference = response["X-Curlew-Request"]
        assert handed(reference) == (200, b"a file") and curlew.requests == [response.fetch]
        assert handed(reference)[0] == 400
        assert handed(json.dumps(response.fetch)) == (200, b"a file")


@override_curlew()
def test_as_a_decorator(curlew):
    curlew.on(URL, text="a")
    assert requests.get(URL).text == "a"


@pytest.mark.parametrize("text", ["a", "b"])
@override_curlew()
def test_as_a_decorator_with_other_arguments(text, curlew):
    curlew.on(URL, text=text)
    assert requests.get(URL).text == text


@override_curlew()
class OfAClass(SimpleTestCase):
    def setUp(self):
        self.curlew.on(URL, text="from setUp")

    def test_one(self):
        assert requests.get(URL).text == "from setUp" and len(self.curlew.requests) == 1

    def test_two(self):
        assert self.curlew.requests == []

    @override_curlew()
    async def test_three(self, curlew):
        curlew.on(URL, text="the inner one")
        assert (await AsyncSession().get(URL)).text == "the inner one"


def test_a_class_of_tests_leaves_nothing_either():
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(OfAClass).run(result)
    assert result.wasSuccessful() and result.testsRun == 3
    with pytest.raises(conf.NotConfigured):
        daemon.current()


# -- tapes --------------------------------------------------------------------------------------


@pytest.fixture
def real(daemon, curlew):
    curlew(URL=f"fcgi+unix:{daemon.socket}")
    return daemon


def make_requests(origin):
    """Some of everything; what came back."""
    session = Session(headers={"Authorization": "Bearer secret"})
    responses = [
        session.get(origin.url("/hello")), session.post(origin.url("/upload"), json={"a": 1}),
        session.get(origin.url("/binary")), *session.gather([origin.url("/status/404")] * 2)]
    with session.stream("GET", origin.url("/bytes/1000")) as response:
        responses.append(response)
        body = b"".join(response.iter_content())
    with pytest.raises(exceptions.Blocked):
        session.get("http://10.1.2.3/")
    return [(r.status_code, r.content, r.url) for r in responses] + [body]


def test_what_was_recorded_is_replayed_without_a_daemon(real, origin, tmp_path, curlew):
    tape = str(tmp_path / "tapes" / "one.json")
    with override_curlew(tape=tape):
        first = make_requests(origin)
    assert "secret" not in (tmp_path / "tapes" / "one.json").read_text()
    curlew(URL="fcgi+unix:/nowhere")
    seen = origin.stats()["requests"]
    with override_curlew(tape=tape) as replayed:
        assert make_requests(origin) == first
        with pytest.raises(TapeError, match="CURLEW_RECORD"):
            requests.get(origin.url("/elsewhere"))
    assert origin.stats()["requests"] == seen and len(replayed.requests) == 8


def test_responses_come_in_their_order(real, origin, tmp_path):
    tape, url = str(tmp_path / "two.json"), origin.url("/etag")
    with override_curlew(tape=tape):
        recorded = [requests.get(url, headers=h).status_code
                    for h in ({}, {"If-None-Match": '"v1"'})]
    with override_curlew(tape=tape):
        assert [requests.get(url).status_code for _ in range(3)] == [*recorded, recorded[-1]]
    assert recorded == [200, 304]


def test_no_credentials_of_a_request_are_on_a_tape(real, origin, tmp_path):
    tape = tmp_path / "secrets.json"
    url = origin.url("/hello").replace("://", "://me:s3cret@")
    names = ("Authorization", "X-Auth-Token", "Ocp-Apim-Subscription-Key", "X-Amz-Credential")

    def ask():
        return requests.get(url, headers={**dict.fromkeys(names, "s3cret"), "X-A": "shown"},
                            cookies={"sid": "s3cret"}).text

    with override_curlew(tape=str(tape)):
        told = ask()
    assert "s3cret" not in tape.read_text() and "shown" in tape.read_text()
    with override_curlew(tape=str(tape)):
        assert ask() == told


def test_a_tape_can_be_recorded_anew(real, origin, tmp_path, monkeypatch):
    tape = tmp_path / "three.json"
    tape.write_text("[]")
    with override_curlew(tape=str(tape)), pytest.raises(TapeError):
        requests.get(origin.url("/hello"))
    monkeypatch.setenv("CURLEW_RECORD", "1")
    with override_curlew(tape=str(tape)):
        requests.get(origin.url("/hello"))
    assert len(json.loads(tape.read_text())) == 1


def test_what_a_daemon_would_refuse_is_not_replayed(real, origin, tmp_path):
    tape, url = str(tmp_path / "refused.json"), origin.url("/etag")
    for kwargs in ({}, {"headers": {"X-A": "1\r\n"}}):
        with override_curlew(tape=tape):
            if not kwargs:
                assert requests.get(url).ok
                continue
            with pytest.raises(exceptions.BadRequest, match="CR, LF and NUL"):
                requests.get(url, **kwargs)


def test_a_broken_tape_is_named(tmp_path):
    path = tmp_path / "broken.json"
    path.write_text("{")
    with pytest.raises(TapeError, match="broken.json"):
        Tape(str(path))
