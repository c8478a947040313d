"""Time for queries: each has so much, few long ones run at once, and short ones never wait for them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lyot.datasette.vo.dialect import QueryError

SHORT = 0.2  # seconds after which a query is a long one
LONG_AT_ONCE = 2
LOOK = 1.0  # seconds after which one who waits sees that he need not any more; a hundred may wait
OPERATIONS = 20_000  # of SQLite's machine, about 2 ms, between two looks at the clock

_long = threading.BoundedSemaphore(LONG_AT_ONCE)


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

    def cancel(self, reason: str = "the query was cancelled") -> None:
        """Stop at the next look at the clock; may be called from any thread."""
        self.reason = self.reason or reason

    @contextmanager
    def running(self) -> Iterator[None]:
        """Around every piece of work in SQLite: only that time counts, not a reader's."""
        self._began = time.monotonic()
        try:
            yield
        finally:
            self.spent += time.monotonic() - self._began
            if self._holds:
                self._holds = False
                _long.release()

    def handler(self) -> Callable[[], int]:
        """SQLite's progress handler: 1 stops the query."""
        return self._look

    def refusal(self) -> QueryError:
        """What to tell the client of a query that was stopped."""
        return QueryError(self.reason, hint="narrow it down, or run it under /tap/async")

    def _look(self) -> int:
        if not self.reason:
            spent = self.spent + time.monotonic() - self._began
            if spent > SHORT and not self._holds:
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
