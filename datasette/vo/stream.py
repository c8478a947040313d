"""From queries in threads to answers on the loop: a thread works while a piece is made, not while it is read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from lyot.datasette.vo.budget import Budget
from lyot.datasette.vo.run import Rows
from lyot.datasette.vo.web import Answer, Busy

THREADS = 64
MOST_OPEN = 256  # answers under way at once, those that nobody reads included
PIECE = 65_536  # bytes gathered before they are sent

T = TypeVar("T")
Begin = Callable[[], tuple[Rows, Iterator[bytes]]]


class Streams:
    """Queries under way."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="lyot-vo")
        self._open = 0

    async def answer(self, begin: Begin, media: str, budget: Budget, headers: dict[str, str] | None = None) -> Answer:
        """The answer of a query: whole if it is small, else a stream.

        Raises
        ------
        QueryError
            If the query cannot begin; `Busy` if too many are under way.
        """
        if self._open >= MOST_OPEN:
            raise Busy(f"{MOST_OPEN} queries are under way", hint="try again in a moment")
        self._open += 1
        try:
            rows, pieces, first, complete = await self._work(lambda: _begun(begin))
        except BaseException as error:
            self._open -= 1
            if isinstance(error, asyncio.CancelledError):
                budget.cancel()
            raise
        if complete:
            self._open -= 1
            return Answer(first, media, 200, headers or {})
        return Answer(self._rest(rows, pieces, first, budget), media, 200, headers or {})

    async def _rest(self, rows: Rows, pieces: Iterator[bytes], first: bytes, budget: Budget) -> AsyncIterator[bytes]:
        try:
            yield first
            complete = False
            while not complete:
                piece, complete = await self._work(lambda: _gathered(pieces))
                yield piece
        finally:
            self._open -= 1
            budget.cancel("the reader left")
            self._pool.submit(rows.close)

    async def _work(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def close(self) -> None:
        """Let no thread stay."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def _begun(begin: Begin) -> tuple[Rows, Iterator[bytes], bytes, bool]:
    rows, pieces = begin()
    try:
        first, complete = _gathered(pieces)
    except BaseException:
        rows.close()
        raise
    return rows, pieces, first, complete


def _gathered(pieces: Iterator[bytes]) -> tuple[bytes, bool]:
    """The next bytes, about `PIECE` of them, and whether these were the last."""
    made = bytearray()
    for piece in pieces:
        made += piece
        if len(made) >= PIECE:
            return bytes(made), False
    return bytes(made), True
