"""Lines of a stream: any line break, cut at any byte, of any length."""

import asyncio
import random
import time

import pytest

from django_curlew import AsyncSession, Session
from django_curlew.requests.line_decoder import LineDecoder
from tests.support.scripted_origin import ScriptedOrigin, answer

MIB = 1 << 20


def lines_of(pieces, delimiter=None):
    decoder = LineDecoder(delimiter)
    found = [line for piece in pieces for line in decoder.decode(piece)]
    return found + decoder.flush()


def expected(data, delimiter):
    if delimiter is None:
        return data.splitlines()
    lines = data.split(delimiter)
    return lines if lines[-1] else lines[:-1]


@pytest.mark.parametrize("delimiter", [None, b",", b"\r\n", b"\n\n", b"aba", b"\r"])
def test_any_text_cut_anywhere(delimiter):
    choose = random.Random(7)
    for _ in range(3000):
        data = bytes(choose.choice(b"ab\r\n,") for _ in range(choose.randint(0, 14)))
        cuts = sorted(choose.randint(0, len(data)) for _ in range(choose.randint(0, 5)))
        pieces = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)])]
        assert lines_of(pieces, delimiter) == expected(data, delimiter), (pieces, delimiter)


def test_a_line_comes_out_with_its_break():
    decoder = LineDecoder()
    assert decoder.decode(b"a\nb") == [b"a"]
    assert decoder.decode(b"c\r\n") == [b"bc"]
    assert decoder.decode(b"d\r") == [], "perhaps half of a break"
    assert decoder.decode(b"e") == [b"d"]
    assert decoder.decode(b"\r") == [] and decoder.decode(b"\n") == [b"e"]
    assert decoder.flush() == []


def cpu(run):
    """The lowest of three, which other processes disturb least."""
    times = []
    for _ in range(3):
        start = time.thread_time()
        run()
        times.append(time.thread_time() - start)
    return min(times)


@pytest.mark.parametrize("delimiter", [None, b"|", b"0123456789"])
@pytest.mark.parametrize("end", [b"", b"\r\n", b"\r"])
def test_a_long_line_costs_what_its_bytes_cost(delimiter, end):
    piece = b"x" * 256

    def decode(size):
        lines = lines_of([*[piece] * (size // len(piece)), end], delimiter)
        assert len(lines) == 1 and len(lines[0]) >= size

    assert cpu(lambda: decode(16 * MIB)) < 10 * cpu(lambda: decode(4 * MIB))


def test_many_pieces_that_end_in_half_a_break_cost_what_their_bytes_cost():
    def decode(count):
        assert len(lines_of([b"x" * 64 + b"\r"] * count)) == count

    assert cpu(lambda: decode(80_000)) < 10 * cpu(lambda: decode(20_000))


def long_line(size):
    def script(request, connection):
        connection.send(answer(b"x" * size + b"\nend"))
    return script


def read_lines(url):
    with Session().stream("GET", url) as r:
        return [len(line) for line in r.iter_lines()]


def aread_lines(url):
    async def main():
        async with AsyncSession().stream("GET", url) as r:
            return [len(line) async for line in r.aiter_lines()]
    return asyncio.run(main())


@pytest.mark.parametrize("read", [read_lines, aread_lines])
def test_a_long_line_of_a_stream_costs_what_its_bytes_cost(read):
    def stream(size):
        with ScriptedOrigin(long_line(size)) as origin:
            assert read(origin.url("/")) == [size, 3]

    # It is so little that the kernel's work for fresh memory counts: 0.2 s beside 28 s once.
    assert cpu(lambda: stream(64 * MIB)) < 5 * cpu(lambda: stream(16 * MIB)) + 0.2


def test_the_event_loop_is_let_in_between_the_pieces():
    """Another task runs about as often as there are pieces, also if all of them wait already."""
    async def main(url):
        turns = 0

        async def count():
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        async with AsyncSession().stream("GET", url) as r:
            counter = asyncio.ensure_future(count())
            pieces = 0
            async for _ in r.aiter_content():
                pieces += 1
                time.sleep(0.002)  # so that the next piece waits in the socket
            before = turns
            counter.cancel()
        assert pieces > 100 and before >= pieces - 5, (pieces, before)
        async with AsyncSession().stream("GET", url) as r:
            assert [len(line) async for line in r.aiter_lines()] == [16 * MIB, 3]

    with ScriptedOrigin(long_line(16 * MIB)) as origin:
        asyncio.run(main(origin.url("/")))


def test_an_iterator_of_lines_may_be_closed(origin):
    async def main():
        async with AsyncSession().stream("GET", origin.url("/sse?n=1000&every=0.01")) as r:
            lines = r.aiter_lines()
            await lines.__anext__()
            await lines.aclose()
            assert [line async for line in lines] == []
            assert await r.aiter_content().__anext__(), "the stream goes on"

    asyncio.run(main())
