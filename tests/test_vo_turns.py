"""Turns at work: so many at once, those first that have had least, and who asks for few rows waits for few."""

import threading
import time

import pytest

from lyot.datasette.vo import budget, cone, task
from lyot.datasette.vo.budget import Budget
from lyot.datasette.vo.turns import Turns
from lyot.datasette.vo.web import Request


def started(work):
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def until(true):
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_those_come_first_that_have_worked_least():
    turns, order = Turns(1), []
    turns.take(0.0)

    def work(worked):
        turns.take(worked)
        order.append(worked)
        turns.leave()

    threads = []
    for number, worked in enumerate((3.0, 1.0, 2.0, 1.5)):
        threads.append(started(lambda worked=worked: work(worked)))
        until(lambda number=number: len(turns._waiting) == number + 1)
    assert order == []
    turns.leave()
    for thread in threads:
        thread.join(10)
    assert order == [1.0, 1.5, 2.0, 3.0]
    turns.take(9.0)  # it is free again


@pytest.fixture
def busy(monkeypatch):
    """All turns of those who may get many rows are taken."""
    monkeypatch.setattr(budget, "_many", Turns(1))
    other = Budget(10.0)
    with other.turn():
        yield other


def test_who_asks_for_few_rows_does_not_wait_for_those_who_may_get_many(busy):
    few = Budget(10.0)
    few.ask_few()
    with few.turn():  # would never end
        pass


def test_who_waits_for_something_else_lets_others_work(busy):
    many, done = Budget(10.0), threading.Event()

    def work():
        with many.turn():
            done.set()

    thread = started(work)
    assert not done.wait(0.05)
    with busy.aside():
        assert done.wait(10)
    thread.join(10)


def test_an_answer_takes_a_turn_for_every_piece(busy):
    found, many = [], Budget(10.0)
    with busy.aside():
        for piece in many.each(iter([b"a", b"", b"b"])):
            assert many._turn is None
            found.append(piece)
    assert found == [b"a", b"", b"b"]


@pytest.mark.parametrize(
    ("query", "most", "small"),
    [("SELECT TOP 5 target_id FROM lyot.target", 20_000, True), ("select distinct top 1000 ra FROM t", 20_000, True),
     ("SELECT TOP 1001 * FROM t", 20_000, False), ("SELECT * FROM (SELECT TOP 5 * FROM t) AS u", 20_000, False),
     ("SELECT * FROM t", 100, True), ("SELECT * FROM t", 20_000, False)],
)  # fmt: skip
def test_how_many_rows_are_asked_for_is_told_by_the_first_words(query, most, small):
    values = {"LANG": ["ADQL"], "QUERY": [query], "MAXREC": [str(most)]}
    assert task.task(values, {}).is_small is small


@pytest.mark.parametrize(("radius", "small"), [("1", True), ("5", True), ("6", False), ("", True), ("x", True)])
def test_a_small_cone_is_a_small_question(radius, small):
    assert cone.is_small(Request("GET", "/scs/target", {"SR": [radius]})) is small
