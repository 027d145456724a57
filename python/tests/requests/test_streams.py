"""Streams: their head is that of a fetch, cookies and redirects included; and how they end."""

import asyncio
import pickle
import time

import pytest
from parity import OURS, THEIRS, cookie_facts, facts, run_sync

from django_curlew import AsyncSession, Session, exceptions
from tests.support.scripted_origin import ScriptedOrigin, answer


def read_stream(session, url, **kwargs):
    with session.stream("GET", url, **kwargs) as r:
        return r, b"".join(r.iter_content())


def read_by_parameter(session, url, **kwargs):
    r = session.get(url, stream=True, **kwargs)
    body = b"".join(r.iter_content())
    r.close()
    return r, body


def read_by_callback(session, url, **kwargs):
    pieces = []
    r = session.get(url, content_callback=pieces.append, **kwargs)
    return r, b"".join(pieces)


def read_async(session, url, **kwargs):
    async def main():
        async with session.stream("GET", url, **kwargs) as r:
            return r, await r.acontent()
    return asyncio.run(main())


def read_async_by_callback(session, url, **kwargs):
    pieces = []
    r = asyncio.run(session.get(url, content_callback=pieces.append, **kwargs))
    return r, b"".join(pieces)


SYNC = [read_stream, read_by_parameter, read_by_callback]
ASYNC = [read_async, read_async_by_callback]


@pytest.fixture(params=[*SYNC, *ASYNC], ids=lambda way: way.__name__)
def read(request):
    """read(url, …) → (response, body), by a session that is read.session."""
    def one(url, **kwargs):
        return request.param(one.session, url, **kwargs)
    one.session = (AsyncSession if request.param in ASYNC else Session)()
    return one


@pytest.fixture(params=["fcgi", "http"])
def by(request, daemon, nginx):
    """The daemon's URL: its socket, and nginx' mount."""
    if request.param == "fcgi":
        return f"fcgi+unix:{daemon.socket}"
    return f"{nginx(daemon).url}/_fetch"


def test_cookies_of_the_response_and_of_redirects_are_kept(read, origin):
    r, body = read(origin.url("/cookies/set?a=1"))
    assert body == b'{"a": "1"}'
    assert cookie_facts(read.session.cookies) == [("a", "1", "127.0.0.1", "/", False, False)]
    assert read(origin.url("/cookies"))[1] == b'{"a": "1"}'
    read(origin.url("/cookies/delete?a=1"))
    assert not read.session.cookies


def test_cookies_are_kept_before_the_body_is_read(origin):
    with Session() as s, s.stream("GET", origin.url("/cookies/set?a=1")):
        assert s.cookies["a"] == "1"


def test_the_history_is_filled(read, origin):
    r, body = read(origin.url("/redirect/2"))
    assert body == b"hello\n" and r.redirect_count == 2 and r.url == origin.url("/hello")
    assert [(h.status_code, h.url, h.headers["x-left"]) for h in r.history] == [
        (302, origin.url("/redirect/2"), "2"), (302, origin.url("/redirect/1"), "1")]


@pytest.mark.parametrize(
    "page", ["/cookies/set?a=1", "/redirect/2", "/status/404?reason=Gone+Fishing"])
def test_a_streams_head_is_that_of_curl_cffis(origin, page):
    def program(lib, s, url):
        with s.stream("GET", url(page)) as r:
            body = b"".join(r.iter_content())
            told = facts(r)
        return body, cookie_facts(s.cookies), {name: told[name] for name in told if name not in
                                               ("elapsed", "download_size", "response_size")}
    ours, theirs = run_sync(OURS, program, origin.url), run_sync(THEIRS, program, origin.url)
    assert ours == theirs


def test_reason_case_and_bytes_of_the_head(read):
    def script(request, connection):
        connection.send(b"HTTP/1.1 299 Quite Fine\r\nX-MiXed: a\r\nX-Bytes: caf\xe9\r\n"
                        b"Content-Length: 2\r\n\r\nok")

    with ScriptedOrigin(script) as origin:
        r, body = read(origin.url("/"))
    assert (r.status_code, r.reason, body) == (299, "Quite Fine", b"ok")
    assert ("X-MiXed", "a") in r.headers.multi_items() and r.headers["x-bytes"] == "caf\u00e9"


def test_a_head_request_has_its_length_and_no_body(origin, by):
    with Session(daemon=by).stream("HEAD", origin.url("/bytes/12345")) as r:
        assert r.headers["content-length"] == "12345" and b"".join(r.iter_content()) == b""


def test_a_problem_before_the_head(read):
    with pytest.raises(exceptions.ConnectionError) as caught:
        read("http://127.0.0.1:1/")
    assert caught.value.reason == "connect_failed"


# -- how a stream ends before its end ------------------------------------------------------------


def stall(request, connection):
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
    connection.hold()


def cut(request, connection):
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
    time.sleep(0.3)  # else the daemon may see the end before it has passed on the head
    connection.close()


def mute(request, connection):
    connection.hold()


def catch(script, by, kind, **kwargs):
    """(exception, body up to it, response) of a stream from an origin with this script."""
    pieces, responses = [], []

    def read(url):
        with Session(daemon=by).stream("GET", url, **kwargs) as r:
            responses.append(r)
            pieces.extend(r.iter_content())

    async def aread(url):
        async with AsyncSession(daemon=by).stream("GET", url, **kwargs) as r:
            responses.append(r)
            async for piece in r.aiter_content():
                pieces.append(piece)

    with ScriptedOrigin(script) as origin:
        with pytest.raises(exceptions.RequestException) as caught:
            if kind == "sync":
                read(origin.url("/"))
            else:
                asyncio.run(aread(origin.url("/")))
    return caught.value, b"".join(pieces), responses[0] if responses else None


@pytest.fixture(params=["sync", "async"])
def kind(request):
    return request.param


def test_one_that_stalls_is_a_timeout(by, kind):
    start = time.monotonic()
    error, body, response = catch(stall, by, kind, timeout=1)
    assert 0.9 < time.monotonic() - start < 4
    assert isinstance(error, exceptions.Timeout) and error.code == 28
    assert error.reason == "idle_timeout" and "timed out" in str(error)
    assert body == b"half" and error.response is response


def test_one_that_is_cut_is_an_incomplete_read(by, kind):
    error, body, response = catch(cut, by, kind, timeout=5)
    assert type(error) is exceptions.IncompleteRead and error.code == 18
    assert error.response is response and "timed out" not in str(error)
    again = pickle.loads(pickle.dumps(error))  # as workers send it to each other
    assert (type(again), str(again)) == (type(error), str(error))
    assert again.response.status_code == 200
    # nginx may drop what it has when the stream breaks.
    assert body == b"half" or (by.startswith("http") and not body)


def test_one_without_a_head_is_a_timeout(by, kind):
    error, body, response = catch(mute, by, kind, timeout=0.5)
    assert isinstance(error, exceptions.Timeout) and "timed out" in str(error)
    assert error.reason == "idle_timeout" and response is None


def test_connecting_has_its_own_timeout(by, kind, origin):
    url = origin.url("/", port="never")
    with pytest.raises(exceptions.Timeout, match="timed out") as caught:
        if kind == "sync":
            Session(daemon=by).get(url, stream=True, timeout=(0.5, 5))
        else:
            asyncio.run(AsyncSession(daemon=by).get(url, stream=True, timeout=(0.5, 5)))
    assert caught.value.reason == "connect_timeout"


@pytest.mark.parametrize("page, kwargs, reason", [
    ({"port": "never"}, {"timeout": (0.5, 5)}, "connect_timeout"),
    ({"path": "/silent?fetch"}, {"timeout": 0.5}, "timeout")])
def test_a_fetchs_timeouts_are_told_apart(by, kind, origin, page, kwargs, reason):
    with pytest.raises(exceptions.Timeout, match="timed out") as caught:
        if kind == "sync":
            Session(daemon=by).get(origin.url(**page), **kwargs)
        else:
            asyncio.run(AsyncSession(daemon=by).get(origin.url(**page), **kwargs))
    assert caught.value.reason == reason and caught.value.code == 28


def test_an_answer_in_time_is_none(by, kind):
    def slow(request, connection):
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n")
        connection.send(b"abc", pause=0.4)

    with ScriptedOrigin(slow) as origin:
        if kind == "sync":
            with Session(daemon=by).stream("GET", origin.url("/"), timeout=1) as r:
                assert b"".join(r.iter_content()) == b"abc"
        else:
            async def main():
                async with AsyncSession(daemon=by).stream("GET", origin.url("/"), timeout=1) as r:
                    return await r.acontent()
            assert asyncio.run(main()) == b"abc"


def test_the_wrong_kind_of_iterator_is_a_type_error(origin):
    with Session().stream("GET", origin.url("/hello")) as r:
        with pytest.raises(TypeError, match="iter_content"):
            asyncio.run(r.acontent())

    async def main():
        async with AsyncSession().stream("GET", origin.url("/hello")) as r:
            with pytest.raises(TypeError, match="aiter_content"):
                list(r.iter_content())
    asyncio.run(main())


def test_a_body_in_small_pieces_is_whole(read):
    with ScriptedOrigin(lambda _, c: c.send(answer(b"x" * 300_000))) as origin:
        assert read(origin.url("/"))[1] == b"x" * 300_000


def test_a_body_that_can_not_be_decoded_is_the_same_error_as_without_a_stream(origin):
    url = origin.url("/bad-gzip")
    for ask in (Session().get, lambda url: list(Session().get(url, stream=True).iter_content())):
        with pytest.raises(exceptions.HTTPError, match=r"curl: \(61\) .*content-encoding") as e:
            ask(url)
        assert (e.value.code, e.value.reason) == (61, "protocol_error")
