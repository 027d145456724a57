"""Many at once: gather() and as_completed(), of both sessions."""

import asyncio
import json
import time

import pytest

from django_curlew import AsyncSession, Session, exceptions, record
from django_curlew.requests.batch import MAX_LINE_BYTES, Batch


def gather(kind, requests, session=None, **kwargs):
    if kind == "sync":
        return (session or Session()).gather(requests, **kwargs)
    return asyncio.run((session or AsyncSession()).gather(requests, **kwargs))


def completed(kind, requests, **kwargs):
    if kind == "sync":
        return list(Session().as_completed(requests, **kwargs))

    async def main():
        return [each async for each in AsyncSession().as_completed(requests, **kwargs)]

    return asyncio.run(main())


@pytest.fixture(params=["sync", "async"])
def kind(request):
    return request.param


def test_responses_are_in_the_order_of_the_requests(kind, origin):
    urls = [origin.url(f"/delay/{wait}?n={i}") for i, wait in enumerate([0.2, 0.0, 0.1])]
    start = time.monotonic()
    responses = gather(kind, urls)
    assert [r.url for r in responses] == urls
    assert time.monotonic() - start < 0.5, "together, not one by one"


def test_a_request_may_be_written_in_each_form(kind, origin):
    echo = origin.url("/echo")
    responses = gather(kind, [
        echo, ("PUT", echo), ("POST", echo, {"json": [1]}),
        {"url": echo, "headers": {"X-A": "1"}, "timeout": 3},
        {"method": "post", "url": echo, "data": b"\x00\xff", "cookies": {"a": "b"}}])
    echoes = [r.json() for r in responses]
    assert [s["method"] for s in echoes] == ["GET", "PUT", "POST", "GET", "POST"]
    assert ["X-A", "1"] in echoes[3]["headers"] and ["Cookie", "a=b"] in echoes[4]["headers"]
    assert echoes[4]["body_base64"] == "AP8=" and responses[2].request.body == b"[1]"


def test_an_empty_batch(kind):
    assert gather(kind, []) == [] and completed(kind, []) == []


def test_one_that_fails_raises_or_stands_in_the_list(kind, origin):
    requests = [origin.url("/hello"), "http://127.0.0.1:1/", "no URL", origin.url("/status/404")]
    with pytest.raises(exceptions.ConnectionError) as caught:
        gather(kind, requests)
    assert caught.value.code == 7 and caught.value.response.request.url == requests[1]
    results = gather(kind, requests, return_exceptions=True)
    assert [type(r).__name__ for r in results] == [
        "Response", "ConnectionError", "InvalidURL", "Response"]


def test_raise_for_status_is_the_sessions(kind, origin):
    session = (Session if kind == "sync" else AsyncSession)(raise_for_status=True)
    results = gather(kind, [origin.url("/status/404"), origin.url("/hello")], session,
                     return_exceptions=True)
    assert [type(r).__name__ for r in results] == ["HTTPError", "Response"]


def test_the_session_learns_cookies_from_all_of_them(kind, origin):
    session = (Session if kind == "sync" else AsyncSession)(headers={"X-S": "1"})
    gather(kind, [origin.url("/cookies/set?a=1"), origin.url("/cookies/set?b=2")], session)
    assert session.cookies.get_dict() == {"a": "1", "b": "2"}
    (r,) = gather(kind, [origin.url("/echo")], session)
    assert ["X-S", "1"] in r.json()["headers"]
    assert "Cookie" in dict(r.json()["headers"])


def test_a_limit_in_parallel(kind, origin):
    urls = [origin.url(f"/delay/0.05?{i}") for i in range(6)]
    origin.reset()
    start = time.monotonic()
    gather(kind, urls, max_parallel=2)
    assert time.monotonic() - start > 0.14
    with pytest.raises(ValueError):
        gather(kind, urls, max_parallel=0)


def test_many_large_responses(kind, origin):
    urls = [origin.url(f"/bytes/{70_000 + i}") for i in range(60)]
    assert [len(r.content) for r in gather(kind, urls)] == [70_000 + i for i in range(60)]
    assert sorted((i, len(r.content)) for i, r in completed(kind, urls)) \
        == [(i, 70_000 + i) for i in range(60)]


def test_as_completed_gives_the_quick_ones_first(kind, origin):
    urls = [origin.url("/delay/0.3"), origin.url("/delay/0.1"), "http://127.0.0.1:1/"]
    results = completed(kind, urls)
    assert [i for i, _ in results] == [2, 1, 0]
    assert isinstance(results[0][1], exceptions.ConnectionError) and results[1][1].ok


def test_leaving_the_loop_cancels_the_rest(kind, origin):
    target = f"/silent?{kind}"
    urls = [origin.url("/hello"), origin.url(target)]
    if kind == "sync":
        for _, response in Session().as_completed(urls):
            assert response.text == "hello\n"
            break
    else:
        async def main():
            results = AsyncSession().as_completed(urls)
            async for _, response in results:
                assert response.text == "hello\n"
                break
            await results.aclose()
        asyncio.run(main())
    origin.wait_for("left", target)


def test_cancelling_gather_cancels_all(origin):
    async def main():
        task = asyncio.ensure_future(
            AsyncSession().gather([origin.url(f"/silent?gather{i}") for i in range(2)]))
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, origin.wait_for, "arrived", "/silent?gather1")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    for i in range(2):
        origin.wait_for("left", f"/silent?gather{i}")


@pytest.mark.parametrize("kwargs", [{"stream": True}, {"content_callback": print}])
def test_a_batch_has_no_streams(kind, kwargs):
    with pytest.raises(ValueError, match="streamed"):
        gather(kind, [("GET", "http://x/", kwargs)])


@pytest.mark.parametrize("requests", ["http://a/", b"http://a/", {"url": "http://a/"}])
def test_a_single_request_is_no_list_of_them(kind, requests):
    with pytest.raises(TypeError, match="a list of requests"):
        gather(kind, requests)


def test_a_batch_as_a_whole_may_be_refused(kind):
    with pytest.raises(exceptions.BadRequest, match="requests|bytes|large"):
        gather(kind, [("POST", "http://127.0.0.1:1/", {"data": "x" * (2 << 20)})])


def test_common_keys_of_a_batch_are_sent_once():
    requests = ["http://a/", ("GET", "http://b/", {"timeout": 3}), "http://c/"]
    todo = Batch(Session(verify=False), requests, 5000)
    document = json.loads(todo.to_json())
    assert document["max_parallel"] == 1000 and document["defaults"] == {"verify": False}
    assert document["requests"][0] == {"url": "http://a/", "timeout": {"connect": 30, "total": 30}}
    assert todo.idempotent and todo.timeout > 30


def frame(index, content=b"", **more):
    line = {"ok": True, "status": 200, "url": "http://a/", "headers": [], "index": index,
            "body_bytes": len(content), **more}
    return json.dumps(line).encode() + b"\n" + content + b"\n"


def test_frames_cut_at_any_byte():
    data = frame(1, b"\n{}\n") + frame(0, b"") + frame(2, b"xyz")
    for cut in range(len(data)):
        todo = Batch(Session(), ["http://a/"] * 3, 3)
        got = [*todo.feed(data[:cut]), *todo.feed(data[cut:])]
        assert [(i, r.content) for i, r in got] == [(1, b"\n{}\n"), (0, b""), (2, b"xyz")]
        todo.check_complete()


@pytest.mark.parametrize("data, word", [
    (frame(0), "1 results"), (frame(0) + frame(0), "repeated"), (frame(5), "unknown"),
    (frame(0) + frame(1)[:-1], "1 results"), (frame(0) + frame(1) + b"x", "0 results")])
def test_an_incomplete_batch_is_an_error(data, word):
    todo = Batch(Session(), ["http://a/"] * 2, 2)
    with pytest.raises(exceptions.DaemonError, match=word):
        list(todo.feed(data))
        todo.check_complete()


def test_a_line_has_a_limit():
    todo = Batch(Session(), ["http://a/"], 1)
    assert list(todo.feed(b"x" * MAX_LINE_BYTES)) == []
    with pytest.raises(exceptions.DaemonError, match="a line of more than"):
        list(todo.feed(b"x"))


def test_a_record_has_each_fetch(kind, origin):
    active = record.start()
    try:
        gather(kind, [origin.url("/hello?secret=1"), "http://127.0.0.1:1/"], return_exceptions=True)
        asked = Session().get(origin.url("/status/404"), tag="t") if kind == "sync" else \
            asyncio.run(AsyncSession().get(origin.url("/status/404"), tag="t"))
    finally:
        record.stop(active)
    assert asked.status_code == 404
    assert sorted((f.outcome, f.tag) for f in active.record.fetches) == [
        ("200", None), ("404", "t"), ("connect_failed", None)]
    assert "secret=…" in active.record.table() and "secret=1" not in active.record.table()


def test_no_daemon(kind):
    there = {"daemon": "fcgi+unix:/nowhere/curlew.sock"}
    session = (Session if kind == "sync" else AsyncSession)(**there)
    with pytest.raises(exceptions.DaemonError, match="curlewd is not running"):
        gather(kind, ["http://a/"], session)
