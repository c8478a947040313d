"""A gate before Datasette, which holds a whole answer in memory: a few at once, sent in pieces, readers must read."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from lyot.datasette.files import Receive, Scope, Send

AT_ONCE = 8
WAIT = 20.0  # seconds in line
PATIENCE = 30.0  # seconds that a reader may take for a piece
PIECE = 65_536  # bytes


class Gate:
    """An application of which few requests are under way at once; the others wait, and are turned away in the end."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self._places = asyncio.Semaphore(AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        try:
            async with asyncio.timeout(WAIT):
                await self._places.acquire()
        except TimeoutError:
            await _busy(send)
            return
        try:
            with suppress(TimeoutError):
                await self._application(scope, receive, _in_pieces(send))
        finally:
            self._places.release()


def _in_pieces(send: Send) -> Send:
    """Every piece waits until the reader has taken the one before, so that no more than two are in memory."""

    async def sending(message: Any) -> None:
        body = message.get("body", b"")
        while len(body) > PIECE:
            await asyncio.wait_for(send({**message, "body": body[:PIECE], "more_body": True}), PATIENCE)
            body = body[PIECE:]
        await asyncio.wait_for(send({**message, "body": body} if body else message), PATIENCE)

    return sending


async def _busy(send: Send) -> None:
    headers = [(b"retry-after", b"10"), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
