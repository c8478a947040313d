"""The gate before Datasette: few answers are made at once, and who does not read is left."""

import asyncio

import pytest

from lyot.datasette import gate
from lyot.datasette.gate import Gate, is_large

SCOPE = {"type": "http", "path": "/", "method": "GET", "headers": [], "query_string": b""}
MUCH = {**SCOPE, "query_string": b"sql=SELECT"}


def answering(size, made=None):
    """An application that answers with so many bytes."""

    async def application(scope, receive, send):
        if made is not None:
            made.append(len(made))
            await asyncio.sleep(0.01)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x" * size})

    return application


async def ask(gated, take, scope=SCOPE):
    """The messages that a reader gets; `take` waits as long as he does."""
    got = []

    async def send(message):
        got.append(message)
        await take()

    await gated(scope, None, send)
    return got


async def at_once():
    return None


def test_an_answer_comes_in_pieces_and_is_whole():
    got = asyncio.run(ask(Gate(answering(200_000)), at_once))
    assert [message["type"] for message in got] == ["http.response.start"] + 4 * ["http.response.body"]
    assert sum(len(message["body"]) for message in got[1:]) == 200_000
    assert [bool(message.get("more_body")) for message in got[1:]] == [True, True, True, False]


def test_readers_who_do_not_read_keep_no_place(monkeypatch):
    """Twice as many of them as there are places, and everybody else is still answered."""
    monkeypatch.setattr(gate, "PATIENCE", 0.3)

    async def crowd():
        gated = Gate(answering(200_000))
        slow = [asyncio.create_task(ask(gated, lambda: asyncio.sleep(0.2))) for _ in range(16)]
        await asyncio.sleep(0.45)
        assert gated._small.open == 16
        assert len(await asyncio.wait_for(ask(gated, at_once), 0.2)) == 5
        await asyncio.gather(*slow)
        assert (gated._small.open, gated._pending) == (0, 0)

    asyncio.run(crowd())


def test_a_reader_who_never_reads_on_is_left(monkeypatch):
    monkeypatch.setattr(gate, "PATIENCE", 0.05)

    async def one():
        gated = Gate(answering(200_000))
        got = await asyncio.wait_for(ask(gated, lambda: asyncio.sleep(60)), 5)
        assert len(got) == 1
        assert (gated._small.open, gated._pending, gated._small.places._value) == (0, 0, gate.SMALL_AT_ONCE)

    asyncio.run(one())


def test_too_many_are_turned_away(monkeypatch):
    monkeypatch.setattr(gate, "MOST_OPEN", 3)

    async def crowd():
        gated = Gate(answering(10, []))
        answers = await asyncio.gather(*(ask(gated, at_once) for _ in range(5)))
        return sorted(answer[0]["status"] for answer in answers)

    assert asyncio.run(crowd()) == [200, 200, 200, 503, 503]


def test_what_waits_for_readers_is_bounded(monkeypatch):
    monkeypatch.setattr(gate, "MOST_PENDING", 500_000)

    async def crowd():
        gated = Gate(answering(300_000))
        answers = await asyncio.gather(*(ask(gated, lambda: asyncio.sleep(0.01)) for _ in range(2)))
        return sorted(len(answer) for answer in answers)

    assert asyncio.run(crowd()) == [1, 6]  # one got the head of an answer only


@pytest.mark.parametrize(
    ("path", "query", "large"),
    [("/lyot/target/star-7.json", "", False), ("/lyot/target.json", "_shape=array&_size=3", False),
     ("/lyot/target", "_search=beta&_sort=ra", False), ("/lyot/deepest.json", "name=x", False),
     ("/lyot/target.json", "_size=max", True), ("/lyot/target.json", "%5fsize=1000", True),
     ("/lyot/target.json", "_size=%C2%B2", True), ("/lyot.json", "sql=SELECT+1", True),
     ("/lyot/target.csv", "", True), ("/lyot/target", "_format=csv", True), ("/lyot/target", "_facet=instrument", True),
     ("/lyot/target.csv", "_stream=on", True), ("/lyot/target.json", "_size=" + "9" * 5000, True)],
)  # fmt: skip
def test_what_may_be_much_is_known_by_its_address(path, query, large):
    assert is_large({**SCOPE, "path": path, "query_string": query.encode()}) is large


def test_who_asks_for_little_never_waits_for_those_who_ask_for_much():
    async def crowd():
        released = asyncio.Event()

        async def application(scope, receive, send):
            if scope["query_string"]:
                await released.wait()
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"x"})

        gated = Gate(application)
        flood = [asyncio.create_task(ask(gated, at_once, MUCH)) for _ in range(200)]
        await asyncio.sleep(0)
        little = await asyncio.wait_for(asyncio.gather(*(ask(gated, at_once) for _ in range(100))), 5)
        assert {answer[0]["status"] for answer in little} == {200}
        released.set()
        much = [answer[0]["status"] for answer in await asyncio.gather(*flood)]
        assert (much.count(200), much.count(503)) == (gate.MOST_OPEN, 200 - gate.MOST_OPEN)

    asyncio.run(crowd())


def test_an_answer_that_comes_in_lines_holds_its_place_while_it_is_made_and_not_while_it_is_read():
    """As Datasette makes CSV: more of them than places, of which no more are made at a time."""

    async def crowd():
        making = [0, 0]

        async def application(scope, receive, send):
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for _ in range(40):
                making[0] += 1
                making[1] = max(making)
                await asyncio.sleep(0)
                making[0] -= 1
                await send({"type": "http.response.body", "body": b"y" * 10_000, "more_body": True})
            await send({"type": "http.response.body", "body": b""})

        gated = Gate(application)
        answers = await asyncio.gather(*(ask(gated, lambda: asyncio.sleep(0.001), MUCH) for _ in range(12)))
        assert {sum(len(message.get("body", b"")) for message in answer) for answer in answers} == {400_000}
        assert all(len(answer) < 20 for answer in answers)  # lines are sent together
        assert making[1] == gate.LARGE_AT_ONCE
        assert (gated._large.open, gated._pending, gated._large.places._value) == (0, 0, gate.LARGE_AT_ONCE)

    asyncio.run(crowd())
