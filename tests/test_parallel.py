"""Work spread over the cores: every part once, answers in order, errors told, none left running."""

import gc
import threading
import time
import weakref

import pytest

from lyot.reduce import parallel
from lyot.reduce.parallel import each, spread


@pytest.fixture(autouse=True)
def three_cores(monkeypatch):
    monkeypatch.setattr(parallel, "threads", lambda: 3)


def test_parts_cover_everything_once_and_in_order():
    for count in (0, 1, 2, 3, 5, 11, 12, 13, 100):
        parts = spread(lambda start, stop: list(range(start, stop)), count)
        assert [number for part in parts for number in part] == list(range(count))
    assert each(str, range(100)) == [str(number) for number in range(100)]


def test_several_work_at_once_and_none_stays():
    """Three that wait for one another can only end together."""
    before, together = threading.active_count(), threading.Barrier(3, timeout=20)
    assert sorted(each(lambda _: together.wait(), range(3))) == [0, 1, 2]
    assert threading.active_count() == before


def test_work_within_work_is_not_spread_again():
    inner = each(lambda _: spread(lambda start, stop: (start, stop), 50), range(7))
    assert inner == [[(0, 50)]] * 7
    assert len(spread(lambda start, stop: (start, stop), 50)) > 1  # whoever called is free again


def test_an_error_is_told_and_ends_what_has_not_begun():
    begun = []

    def fails_at_once(number):
        begun.append(number)
        raise ValueError(f"number {number}")

    with pytest.raises(ValueError, match="number"):
        each(fails_at_once, range(1000))
    assert len(begun) <= 3
    assert len(spread(lambda start, stop: (start, stop), 50)) > 1


def test_the_first_in_order_is_told():
    together = threading.Barrier(3, timeout=20)

    def fails(number):
        together.wait()
        raise ValueError(f"number {number}")

    with pytest.raises(ValueError, match="number 0"):
        each(fails, range(3))


def test_where_no_thread_can_be_had_nothing_goes_on_in_secret(monkeypatch):
    """One thread starts, the second cannot: what has begun ends before the error is told."""
    start, begun, done = threading.Thread.start, [], []

    def once(thread):
        if begun:
            raise RuntimeError("can't start new thread")
        begun.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", once)
    with pytest.raises(RuntimeError, match="new thread"):
        each(lambda number: (time.sleep(0.01), done.append(number)), range(1000))
    assert not begun[0].is_alive()
    assert len(done) < 1000


def test_an_error_keeps_nothing_alive():
    class Large:
        pass

    def fails(_):
        raise ValueError("no")

    items = [Large() for _ in range(6)]
    seen = weakref.ref(items[0])
    gc.disable()
    try:
        with pytest.raises(ValueError, match="no"):
            each(fails, items)
        del items
        assert seen() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("error", [IndexError, StopIteration, KeyboardInterrupt])
def test_no_error_is_taken_for_the_end(error):
    def fails(number):
        if number == 5:
            raise error

    with pytest.raises(error):
        each(fails, range(20))
