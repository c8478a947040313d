"""From queries in threads to answers on the loop: a thread works while a piece is made, not while it is read."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from lyot.datasette.vo.budget import Budget
from lyot.datasette.vo.dialect import Busy
from lyot.datasette.vo.run import Rows
from lyot.datasette.vo.web import Answer

THREADS = 256  # most of them wait for a place among the long ones
MOST_OPEN = THREADS  # answers under way at once, those that nobody reads included
MOST_LARGE = 200  # of them
PIECE = 65_536  # bytes gathered before they are sent
FIRST = 8_192  # bytes of the first piece, so that a reader soon knows that it comes

T = TypeVar("T")
Begin = Callable[[], tuple[Rows, Generator[bytes]]]


class Line:
    """Work that is begun in turn: each in line holds up the next until it is done, but a moment (s) at most.

    Where a hundred threads want the interpreter's lock, each of the dozen times that a small answer wants it takes as
    long as all of them. Who works longer than a moment is mostly in SQLite, which needs no lock.
    """

    def __init__(self, places: int, moment: float) -> None:
        self._places = asyncio.Semaphore(places)
        self._moment = moment

    async def work(self, pool: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        """Have a thread do some work when its turn has come."""
        async with self._places:
            at_work = asyncio.get_running_loop().run_in_executor(pool, work)
            try:
                await asyncio.wait({at_work}, timeout=self._moment)
            except asyncio.CancelledError:
                at_work.cancel()
                raise
        return await at_work


class Streams:
    """Queries under way."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="lyot-vo")
        self._open = 0
        self._small, self._large, self._going_on = Line(4, 0.02), Line(1, 0.1), Line(1, 0.1)

    async def answer(
        self, begin: Begin, media: str, budget: Budget, headers: dict[str, str] | None = None, *, large: bool = False
    ) -> Answer:
        """The answer of a query: whole if it is small, else a stream; a `large` one waits for others like it.

        Raises
        ------
        QueryError
            If the query cannot begin; `Busy` if too many are under way.
        """
        if self._open >= (MOST_LARGE if large else MOST_OPEN):
            raise Busy(f"{self._open} queries are under way", hint="try again in a moment")

        def begun() -> tuple[Rows, Generator[bytes], bytes, bool]:
            if budget.reason:  # who asked left while he stood in line
                raise budget.refusal()
            return _begun(begin)

        self._open += 1
        try:
            rows, pieces, first, complete = await (self._large if large else self._small).work(self._pool, begun)
        except BaseException as error:
            self._open -= 1
            if isinstance(error, asyncio.CancelledError):
                budget.cancel()
            raise
        if complete:
            self._open -= 1
            return Answer(first, media, 200, headers or {})
        line = self._going_on if large else self._small
        return Answer(Pieces(self, line, rows, pieces, first, budget), media, 200, headers or {})

    def ready(self) -> None:
        """Start all threads: the loop would wait for each when it is first needed."""
        started = threading.Barrier(THREADS + 1)
        for _ in range(THREADS):
            self._pool.submit(started.wait)
        started.wait()

    async def go_on(self, line: Line, work: Callable[[], T]) -> T:
        """Have a thread make the next piece of an answer."""
        return await line.work(self._pool, work)

    def end(self, last: Callable[[], None]) -> None:
        """Take back the place of an answer, and do what is left to do."""
        self._open -= 1
        self._pool.submit(last)

    def close(self) -> None:
        """Let no thread stay."""
        self._pool.shutdown(wait=True, cancel_futures=True)


class Pieces:
    """The pieces of an answer as they are sent; `aclose` must follow, whether all were sent, some, or none."""

    def __init__(
        self, streams: Streams, line: Line, rows: Rows, pieces: Generator[bytes], first: bytes, budget: Budget
    ) -> None:
        self._streams = streams
        self._line = line
        self._rows = rows
        self._pieces = pieces
        self._budget = budget
        self._ready: bytes | None = first
        self._complete = False
        self._ended = False
        self._at_work = threading.Lock()  # a connection is given back only once no thread uses it

    def __aiter__(self) -> Pieces:
        return self

    async def __anext__(self) -> bytes:
        if self._ready is not None:
            ready, self._ready = self._ready, None
            return ready
        if self._complete:
            raise StopAsyncIteration
        piece, self._complete = await self._streams.go_on(self._line, self._next)
        return piece

    async def aclose(self) -> None:
        """Let go of the query and its place."""
        if not self._ended:
            self._ended = True
            self._budget.cancel("the reader left")
            self._streams.end(self._last)

    def _next(self) -> tuple[bytes, bool]:
        with self._at_work:
            return _gathered(self._pieces, PIECE)

    def _last(self) -> None:
        with self._at_work:
            self._pieces.close()
            self._rows.close()


def _begun(begin: Begin) -> tuple[Rows, Generator[bytes], bytes, bool]:
    rows, pieces = begin()
    try:
        first, complete = _gathered(pieces, FIRST)
    except BaseException:
        rows.close()
        raise
    return rows, pieces, first, complete


def _gathered(pieces: Generator[bytes], enough: int) -> tuple[bytes, bool]:
    """The next bytes, about as many as are enough, and whether these were the last."""
    made = bytearray()
    for piece in pieces:
        made += piece
        if len(made) >= enough:
            return bytes(made), False
    return bytes(made), True
