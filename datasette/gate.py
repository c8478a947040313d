"""A gate before Datasette, which makes whole answers in memory: a few at once, and their readers must read."""

from __future__ import annotations

import asyncio
from typing import Any

from lyot.datasette.files import Receive, Scope, Send

AT_ONCE = 8  # answers that are being made
MOST_OPEN = 100  # answers being made or read
MOST_PENDING = 60_000_000  # bytes that wait for their readers
WAIT = 20.0  # seconds in line
PATIENCE = 30.0  # seconds that a reader may take for a piece
PIECE = 65_536  # bytes


class Left(BaseException):
    """A reader who is not waited for any longer; no handler of errors shall try to tell him."""


class Gate:
    """An application of which few requests are under way at once; the others wait, and are turned away in the end."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self._places = asyncio.Semaphore(AT_ONCE)
        self._open = 0
        self._pending = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        if self._open >= MOST_OPEN:
            await _busy(send)
            return
        self._open += 1
        try:
            await self._answer(scope, receive, send)
        except Left:
            return
        finally:
            self._open -= 1

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(WAIT):
                await self._places.acquire()
        except TimeoutError:
            await _busy(send)
            return
        held = [self._places]

        async def sending(message: Any) -> None:
            if message["type"] == "http.response.body" and held:  # it is made; reading it takes no place
                held.pop().release()
            await self._send(send, message)

        try:
            await self._application(scope, receive, sending)
        finally:
            if held:
                held.pop().release()

    async def _send(self, send: Send, message: Any) -> None:
        """Send in pieces, each when the reader has taken the one before."""
        body = message.get("body", b"")
        if self._pending + len(body) > MOST_PENDING:
            raise Left
        self._pending += len(body)
        size, rest = len(body), memoryview(body)
        try:
            async with asyncio.timeout(None) as patience:
                while len(rest) > PIECE:
                    patience.reschedule(asyncio.get_running_loop().time() + PATIENCE)
                    await send({**message, "body": bytes(rest[:PIECE]), "more_body": True})
                    rest = rest[PIECE:]
                patience.reschedule(asyncio.get_running_loop().time() + PATIENCE)
                await send({**message, "body": bytes(rest)} if size else message)
        except TimeoutError as error:
            raise Left from error
        finally:
            self._pending -= size


async def _busy(send: Send) -> None:
    headers = [(b"retry-after", b"10"), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
