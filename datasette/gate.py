"""A gate before Datasette, which makes whole answers in memory: a few at once, and their readers must read.

What may be much, as all rows of a table or the result of any SQL, stands in a line of its own with few places: who
asks for one row, one page or a query of ours never waits for those who ask for thousands.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from lyot.datasette.files import Receive, Scope, Send

SMALL_AT_ONCE, LARGE_AT_ONCE = 6, 1  # answers that are being made
MOST_OPEN = 100  # answers of each kind being made or read
MOST_PENDING = 60_000_000  # bytes that wait for their readers
WAIT = 20.0  # seconds in line
PATIENCE = 30.0  # seconds that a reader may take for a piece
PIECE = 65_536  # bytes
PAGE = 100  # rows of a page that is a small answer
PASSING = 0.01, 20  # s for which a large answer waits, and how often at most, while small ones are being made
LARGE = ("sql", "_facet", "_facet_array", "_facet_date", "_stream", "_format")  # parameters of large answers


class Left(BaseException):
    """A reader who is not waited for any longer; no handler of errors shall try to tell him."""


@dataclass
class Line:
    """Requests of one kind: `places` for those whose answers are `making`, and how many are `open` in all."""

    places: asyncio.Semaphore
    open: int = 0
    making: int = 0


@dataclass
class Held:
    """A place in a line while one answer is made, and what is made of it but not sent yet."""

    line: Line
    holds: bool = False
    made: bytearray = field(default_factory=bytearray)

    async def take(self) -> None:
        """Wait for a place."""
        await self.line.places.acquire()
        self.line.making += 1
        self.holds = True

    def leave(self) -> None:
        """Give it back, if it is held."""
        if self.holds:
            self.holds = False
            self.line.making -= 1
            self.line.places.release()


class Gate:
    """An application of which few requests are under way at once; the others wait, and are turned away in the end."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self._small = Line(asyncio.Semaphore(SMALL_AT_ONCE))
        self._large = Line(asyncio.Semaphore(LARGE_AT_ONCE))
        self._pending = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        line = self._large if is_large(scope) else self._small
        if line.open >= MOST_OPEN:
            await _busy(send)
            return
        line.open += 1
        try:
            await self._answer(line, scope, receive, send)
        except Left:
            return
        finally:
            line.open -= 1

    async def _answer(self, line: Line, scope: Scope, receive: Receive, send: Send) -> None:
        held = Held(line)
        try:
            async with asyncio.timeout(WAIT):
                await held.take()
        except TimeoutError:
            await _busy(send)
            return

        async def sending(message: Any) -> None:
            if message["type"] != "http.response.body":
                await self._send(send, message)
                return
            held.made += message.get("body", b"")
            more = message.get("more_body", False)
            if more and len(held.made) < PIECE:
                return
            body, held.made = bytes(held.made), bytearray()
            held.leave()  # making an answer takes a place, reading it does not
            await self._send(send, {**message, "body": body})
            if more:
                await held.take()

        try:
            if line is self._large:
                await self._let_pass()
            await self._application(scope, receive, sending)
        finally:
            held.leave()

    async def _let_pass(self) -> None:
        """Wait a little for small answers: Datasette writes a thousand rows in one go, and nobody is served beside."""
        seconds, times = PASSING
        while self._small.making and times > 0:
            times -= 1
            await asyncio.sleep(seconds)

    async def _send(self, send: Send, message: Any) -> None:
        """Send in pieces, each when the reader has taken the one before."""
        body = message.get("body", b"")
        if len(body) > PIECE and self._pending + len(body) > MOST_PENDING:
            raise Left
        self._pending += len(body)
        size, rest = len(body), memoryview(body)
        try:
            async with asyncio.timeout(None) as patience:
                while len(rest) > PIECE:
                    patience.reschedule(asyncio.get_running_loop().time() + PATIENCE)
                    await send({**message, "body": bytes(rest[:PIECE]), "more_body": True})
                    await asyncio.sleep(0)  # others first
                    rest = rest[PIECE:]
                patience.reschedule(asyncio.get_running_loop().time() + PATIENCE)
                await send({**message, "body": bytes(rest)} if size else message)
        except TimeoutError as error:
            raise Left from error
        finally:
            self._pending -= size


def is_large(scope: Scope) -> bool:
    """Whether an answer may have more than a page of rows, or take long to find."""
    said = parse_qs(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    sizes = said.get("_size", [])
    return (
        scope["path"].endswith(".csv")
        or not said.keys().isdisjoint(LARGE)
        or any(not one.isdecimal() or int(one[:9]) > PAGE for one in sizes)
    )


async def _busy(send: Send) -> None:
    headers = [(b"retry-after", b"10"), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
