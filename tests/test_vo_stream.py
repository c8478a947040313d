"""Answers are begun in two lines: who asks for little never waits for those who ask for much."""

import asyncio
import threading
import time

import pytest

from lyot.datasette.vo import stream
from lyot.datasette.vo.budget import Budget
from lyot.datasette.vo.dialect import Busy, QueryError
from lyot.datasette.vo.formats import find
from lyot.datasette.vo.stream import Line, Streams
from lyot.datasette.vo.task import Task

TABLES = find("votable")


class Nothing:
    """Rows that nobody needs."""

    def close(self):
        pass


@pytest.fixture
def streams():
    streams = Streams()
    yield streams
    streams.close()


def begun(said=b"row"):
    return Nothing(), iter([said])


def test_a_small_answer_does_not_wait_for_the_large_ones_in_line(streams):
    go_on = threading.Event()

    def slow():
        go_on.wait(20)
        return begun(b"much")

    async def ask():
        many = [asyncio.create_task(streams.answer(slow, "text/plain", Budget(30), large=True)) for _ in range(30)]
        await asyncio.sleep(0.01)
        began = time.monotonic()
        small = await streams.answer(begun, "text/plain", Budget(30))
        waited = time.monotonic() - began
        under_way = sum(not one.done() for one in many)
        go_on.set()
        return small.body, waited, under_way, [one.body for one in await asyncio.gather(*many)]

    small, waited, under_way, large = asyncio.run(ask())
    assert small == b"row"
    assert under_way == 30
    assert waited < 1.0  # the thirty before it take 3 s to begin
    assert large == [b"much"] * 30


def test_nor_does_the_rest_of_it_wait_for_theirs(streams):
    go_on = threading.Event()

    def slow_to_go_on():
        def pieces():
            yield b"x" * 9_000
            go_on.wait(20)
            yield b"x"

        return Nothing(), pieces()

    def longer():
        return Nothing(), iter([b"y" * 9_000, b"y" * 9_000])

    async def read(answer):
        return b"".join([piece async for piece in answer.body])

    async def ask():
        large = [await streams.answer(slow_to_go_on, "text/plain", Budget(30), large=True) for _ in range(20)]
        many = [asyncio.create_task(read(one)) for one in large]
        await asyncio.sleep(0.01)
        began = time.monotonic()
        small = await read(await streams.answer(longer, "text/plain", Budget(30)))
        waited = time.monotonic() - began
        go_on.set()
        return small, waited, await asyncio.gather(*many)

    small, waited, large = asyncio.run(ask())
    assert small == b"y" * 18_000
    assert waited < 1.0  # the twenty before it take 2 s
    assert large == [b"x" * 9_001] * 20


def test_who_left_is_not_begun(streams):
    asked = []

    async def ask():
        budget = Budget(30)
        budget.cancel("the reader left")
        with pytest.raises(QueryError, match="left"):
            await streams.answer(lambda: asked.append(1), "text/plain", budget, large=True)

    asyncio.run(ask())
    assert asked == []


def test_the_large_leave_room_for_the_small(streams, monkeypatch):
    monkeypatch.setattr(stream, "MOST_LARGE", 2)
    go_on = threading.Event()

    def slow():
        go_on.wait(20)
        return begun()

    async def ask():
        many = [asyncio.create_task(streams.answer(slow, "text/plain", Budget(30), large=True)) for _ in range(3)]
        await asyncio.sleep(0.01)
        small = await streams.answer(begun, "text/plain", Budget(30))
        go_on.set()
        return small, await asyncio.gather(*many, return_exceptions=True)

    small, many = asyncio.run(ask())
    assert small.body == b"row"
    assert [isinstance(one, Busy) for one in many] == [False, False, True]


def test_who_takes_long_holds_the_next_in_line_for_a_moment_only(streams):
    line, go_on, order = Line(1, 0.05), threading.Event(), []

    def work(name, until=None):
        order.append(name)
        if until:
            until.wait(20)
        return name

    async def ask():
        long = asyncio.create_task(line.work(streams._pool, lambda: work("long", go_on)))
        await asyncio.sleep(0)
        others = await asyncio.gather(*(line.work(streams._pool, lambda n=n: work(n)) for n in range(5)))
        assert not long.done()
        go_on.set()
        return [await long, *others]

    assert asyncio.run(ask()) == ["long", 0, 1, 2, 3, 4]
    assert order == ["long", 0, 1, 2, 3, 4]


def test_who_leaves_the_line_gives_his_place_back(streams):
    line, go_on = Line(1, 20.0), threading.Event()

    async def ask():
        first = asyncio.create_task(line.work(streams._pool, go_on.wait))
        second = asyncio.create_task(line.work(streams._pool, go_on.wait))
        await asyncio.sleep(0.05)
        first.cancel()
        second.cancel()
        await asyncio.gather(first, second, return_exceptions=True)
        async with asyncio.timeout(5):
            return await line.work(streams._pool, lambda: "served")

    try:
        assert asyncio.run(ask()) == "served"
    finally:
        go_on.set()


@pytest.mark.parametrize(
    ("query", "most", "large"),
    [
        ("SELECT TOP 5 a FROM t", 20_000, False),
        ("  select distinct\n top 100 a FROM t", 20_000, False),
        ("SELECT TOP 101 a FROM t", 20_000, True),
        ("SELECT a FROM t", 20_000, True),
        ("SELECT a FROM t", 100, False),
        ("SELECT TOP 5000 a FROM t", 10, False),
        ("SELECT TOP 5 a FROM t UNION ALL SELECT a FROM u", 20_000, True),
        ("SELECT a FROM (SELECT TOP 5 a FROM t) AS x", 20_000, True),
        ("WITH x AS (SELECT TOP 5 a FROM t) SELECT a FROM x", 20_000, True),
    ],
)
def test_what_is_large_is_said_by_top_and_maxrec(query, most, large):
    assert Task(query, most, TABLES).is_large is large
