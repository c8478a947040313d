"""Time for queries: each has so much, few are at work at once, and short ones never wait for long ones."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lyot.datasette.vo.dialect import QueryError
from lyot.datasette.vo.turns import Turns

SHORT = 0.2  # seconds after which a query is a long one
LONG_AT_ONCE = 2
#: Others at once, who may get many rows and who ask for few: each more keeps the loop, through which every answer
#: goes, waiting for Python.
MANY_AT_WORK, FEW_AT_WORK = 2, 2
LOOK = 1.0  # seconds after which one who waits sees that he need not any more; a hundred may wait
OPERATIONS = 20_000  # of SQLite's machine, about 2 ms, between two looks at the clock

_long = threading.BoundedSemaphore(LONG_AT_ONCE)
_many, _few = Turns(MANY_AT_WORK), Turns(FEW_AT_WORK)


class Budget:
    """Seconds of SQLite that one query has; a long one waits, in its own thread, until few others are running.

    `reason` says why it was stopped, if it was.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.spent = 0.0
        self.reason = ""
        self._began = 0.0
        self._holds = False
        self._turns = _many
        self._worked = 0.0
        self._turn: float | None = None  # since when it has it

    def cancel(self, reason: str = "the query was cancelled") -> None:
        """Stop at the next look at the clock; may be called from any thread."""
        self.reason = self.reason or reason

    def ask_few(self) -> None:
        """Few rows are asked for: others who may get many are not waited for."""
        self._turns = _few

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Around every piece of an answer: it is made while few others are."""
        self._take()
        try:
            yield
        finally:
            self._leave()

    def each(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Pieces, each made in a turn of its own."""
        while True:
            with self.turn():
                piece = next(pieces, None)
            if piece is None:
                return
            yield piece

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Around waiting for something else than Python: others have the turn meanwhile."""
        had = self._leave()
        try:
            yield
        finally:
            if had:
                self._take()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Around every piece of work in SQLite: only that time counts, not that of readers or of waiting for a turn."""
        had = self._turn is not None
        self._began = time.monotonic()
        try:
            yield
        finally:
            self.spent += time.monotonic() - self._began
            if self._holds:
                self._holds = False
                _long.release()
            if had and self._turn is None:
                self._take()

    def handler(self) -> Callable[[], int]:
        """SQLite's progress handler: 1 stops the query."""
        return self._look

    def refusal(self) -> QueryError:
        """What to tell the client of a query that was stopped."""
        return QueryError(self.reason, hint="narrow it down, or run it under /tap/async")

    def _take(self) -> None:
        self._turns.take(self._worked)
        self._turn = time.monotonic()

    def _leave(self) -> bool:
        """Give the turn back, if it has it; whether it had."""
        if self._turn is None:
            return False
        self._worked += time.monotonic() - self._turn
        self._turn = None
        self._turns.leave()
        return True

    def _look(self) -> int:
        if not self.reason:
            spent = self.spent + time.monotonic() - self._began
            if spent > SHORT and not self._holds:
                self._leave()  # from here on it has a place of another kind
                self._holds = self._wait(self.seconds - spent)
                spent = self.spent + time.monotonic() - self._began
            if spent > self.seconds:
                self.cancel(f"the query was stopped after {self.seconds:g} s")
        return int(bool(self.reason))

    def _wait(self, seconds: float) -> bool:
        """A place among the long ones; given up when time is over or the query cancelled."""
        end = time.monotonic() + seconds
        while not self.reason and time.monotonic() < end:
            if _long.acquire(timeout=min(LOOK, max(0.0, end - time.monotonic()))):
                return True
        return False
