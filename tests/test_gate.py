"""The gate before Datasette: few answers are made at once, and who does not read is left."""

import asyncio

from lyot.datasette import gate
from lyot.datasette.gate import Gate

SCOPE = {"type": "http", "path": "/", "method": "GET", "headers": []}


def answering(size, made=None):
    """An application that answers with so many bytes."""

    async def application(scope, receive, send):
        if made is not None:
            made.append(len(made))
            await asyncio.sleep(0.01)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x" * size})

    return application


async def ask(gated, take):
    """The messages that a reader gets; `take` waits as long as he does."""
    got = []

    async def send(message):
        got.append(message)
        await take()

    await gated(SCOPE, None, send)
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
        assert gated._open == 16
        assert len(await asyncio.wait_for(ask(gated, at_once), 0.2)) == 5
        await asyncio.gather(*slow)
        assert (gated._open, gated._pending) == (0, 0)

    asyncio.run(crowd())


def test_a_reader_who_never_reads_on_is_left(monkeypatch):
    monkeypatch.setattr(gate, "PATIENCE", 0.05)

    async def one():
        gated = Gate(answering(200_000))
        got = await asyncio.wait_for(ask(gated, lambda: asyncio.sleep(60)), 5)
        assert len(got) == 1
        assert (gated._open, gated._pending, gated._places._value) == (0, 0, gate.AT_ONCE)

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
