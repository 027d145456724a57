"""What is only dropped is closed by its reference count: the garbage collector is off here."""

import asyncio
import contextlib
import gc
import weakref

import pytest

from django_curlew import AsyncSession, Session, exceptions


@pytest.fixture(autouse=True)
def no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def started(origin, target, open_stream):
    """A stream that the origin has begun; open_stream(url) makes it."""
    origin.reset()
    opened = open_stream(origin.url(target))
    origin.wait_for("arrived", target)
    assert not [e for e in origin.events(target) if e["event"] == "left"]
    return opened


USES = {
    "not read": lambda r: r,
    "iter_content, not begun": lambda r: r.iter_content(),
    "iter_lines, not begun": lambda r: r.iter_lines(),
    "iter_content, begun": lambda r: begun(r.iter_content()),
    "iter_lines, begun": lambda r: begun(r.iter_lines()),
}
AUSES = {
    "not read": lambda r: r,
    "aiter_content, not begun": lambda r: r.aiter_content(),
    "aiter_lines, not begun": lambda r: r.aiter_lines(),
    "aiter_content, begun": lambda r: abegun(r.aiter_content()),
    "aiter_lines, begun": lambda r: abegun(r.aiter_lines()),
}
ENDLESS = "/sse?n=1000&every=0.05"


def begun(iterator):
    next(iterator)
    return iterator


async def abegun(iterator):
    await iterator.__anext__()
    return iterator


@pytest.mark.parametrize("use", USES)
def test_a_stream(origin, use):
    target = f"{ENDLESS}&{use.replace(' ', '')}"
    response = started(origin, target, lambda url: Session().get(url, stream=True))
    alive = weakref.ref(response)
    used = USES[use](response)
    del response
    assert alive() is not None, "whoever iterates keeps it"
    del used
    assert alive() is None
    origin.wait_for("left", target)


@pytest.mark.parametrize("use", AUSES)
def test_a_stream_of_an_async_session(origin, use):
    target = f"{ENDLESS}&async{use.replace(' ', '')}"

    async def main():
        session = AsyncSession()
        response = await session.get(origin.url(target), stream=True)
        alive = weakref.ref(response)
        used = AUSES[use](response)
        if asyncio.iscoroutine(used):
            used = await used
        del response
        assert alive() is not None, "whoever iterates keeps it"
        del used
        assert alive() is None
        await asyncio.get_running_loop().run_in_executor(None, origin.wait_for, "left", target)

    asyncio.run(main())


@pytest.mark.parametrize("has_begun", [False, True])
def test_as_completed(origin, has_begun):
    target = f"/silent?dropped{has_begun}"
    completed = Session().as_completed([origin.url("/hello"), origin.url(target)])
    if has_begun:
        next(completed)
        origin.wait_for("arrived", target)
    dropped = weakref.ref(completed)
    del completed
    assert dropped() is None
    if has_begun:
        origin.wait_for("left", target)


@pytest.mark.parametrize("has_begun", [False, True])
def test_as_completed_of_an_async_session(origin, has_begun):
    target = f"/silent?async-dropped{has_begun}"

    async def main():
        completed = AsyncSession().as_completed([origin.url("/hello"), origin.url(target)])
        if has_begun:
            await completed.__anext__()
        dropped = weakref.ref(completed)
        del completed
        assert dropped() is None
        if has_begun:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(None, origin.wait_for, "left", target)

    asyncio.run(main())


def test_a_loop_that_is_left_cancels_the_rest_without_aclose(origin):
    target = "/silent?left-loop"

    async def main():
        async for _ in AsyncSession().as_completed([origin.url("/hello"), origin.url(target)]):
            break
        await asyncio.get_running_loop().run_in_executor(None, origin.wait_for, "left", target)

    asyncio.run(main())


def test_a_failed_stream_leaves_no_response_behind(origin):
    session = Session()
    with session.stream("GET", origin.url("/cut?n=1000")) as response:
        with contextlib.suppress(exceptions.RequestException):
            list(response.iter_content())
    alive = weakref.ref(response)
    del response
    assert alive() is None


# -- max_clients: a stream holds its slot until its end -------------------------------------------


async def has_slot(session, url):
    """Does another fetch of a session with max_clients=1 get its turn?"""
    try:
        return (await asyncio.wait_for(session.get(url), 0.4)).ok
    except asyncio.TimeoutError:
        return False


async def read(response):
    assert await response.acontent() == b"hello\n"
    return response


async def close(response):
    response.close()
    return response


async def drop(response):
    return None


async def drop_an_iterator(response):
    await response.aiter_lines().__anext__()
    return None


async def cancel(response):
    task = asyncio.ensure_future(response.acontent())
    await asyncio.sleep(0.1)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    return response


async def fail(response):
    with pytest.raises(exceptions.IncompleteRead):
        await response.acontent()
    return response


@pytest.mark.parametrize("end, page", [
    (read, "/hello"), (close, ENDLESS), (drop, ENDLESS), (drop_an_iterator, ENDLESS),
    (cancel, ENDLESS), (fail, "/cut?n=100000&framing=chunked")],
    ids=lambda each: getattr(each, "__name__", ""))
def test_a_stream_holds_its_slot_until_its_end(origin, end, page):
    async def main():
        session = AsyncSession(max_clients=1)
        response = await session.get(origin.url(page), stream=True)
        assert not await has_slot(session, origin.url("/hello"))
        kept = [response]
        del response
        kept.append(await end(kept.pop()))
        assert await has_slot(session, origin.url("/hello"))
        assert await has_slot(session, origin.url("/hello"))

    asyncio.run(main())


@pytest.mark.parametrize("kwargs, page", [
    ({"stream": True}, "/status/404"), ({"content_callback": print}, "/cut?n=1000"),
    ({"content_callback": lambda _: 1 / 0}, "/hello"), ({"content_callback": len}, "/hello"),
    ({}, "/status/404"), ({"stream": True, "timeout": 0.2}, "/silent?slot"),
    ({"nonsense": 1}, "/hello")])
def test_no_slot_is_lost_by_a_failure(origin, kwargs, page):
    async def main():
        session = AsyncSession(max_clients=1, raise_for_status=True)
        for _ in range(2):
            with contextlib.suppress(exceptions.RequestException, ZeroDivisionError, TypeError):
                await session.get(origin.url(page), **kwargs)
        assert await has_slot(session, origin.url("/hello"))

    asyncio.run(main())


def test_closing_a_session_ends_no_stream(origin):
    """As curl_cffi's, a stream that is open goes on; what begins later is refused."""
    async def main():
        async with AsyncSession() as session:
            response = await session.get(origin.url("/hello"), stream=True)
        assert await response.acontent() == b"hello\n"
        with pytest.raises(exceptions.SessionClosed):
            await session.get(origin.url("/hello"))

    asyncio.run(main())
