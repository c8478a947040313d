"""Requests and answers of the protocols: parameters of any case, bodies of bounded size, streams that can end."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import python_multipart

from lyot.datasette.vo.dialect import Busy, QueryError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

LARGEST_BODY = 10_000_000  # bytes, uploads and all
MOST_PARAMETERS = 200
LARGE = 100_000  # bytes of a body that needs a place of its own
LARGE_AT_ONCE = 2
SLOWEST = 120.0  # seconds that a client may take to send a body
PATIENCE = 30.0  # seconds that a client may take to read what fits into its connection, or to send the next piece


class TooLarge(QueryError):
    """More was sent than is taken."""


class Place:
    """A place among the few large requests that are in memory at once; `leave` must follow."""

    _taken: ClassVar[int] = 0

    def __init__(self) -> None:
        self._held = False

    def take(self) -> None:
        """Take it, unless this request has it.

        Raises
        ------
        Busy
            If none is free.
        """
        if self._held:
            return
        if Place._taken >= LARGE_AT_ONCE:
            raise Busy(f"{LARGE_AT_ONCE} uploads are under way", hint="try again in a moment")
        Place._taken += 1
        self._held = True

    def leave(self) -> None:
        """Give it back."""
        Place._taken -= self._held
        self._held = False


@dataclass(frozen=True)
class Request:
    """What was asked: parameters by upper-case name with all their values, and files that came with them."""

    method: str
    path: str
    values: dict[str, list[str]]
    files: dict[str, bytes] = field(default_factory=dict)

    def get(self, name: str, otherwise: str = "") -> str:
        """The last value of a parameter."""
        return self.values.get(name, [otherwise])[-1]


@dataclass(frozen=True)
class Answer:
    """What is answered: bytes, or a stream of them."""

    body: bytes | AsyncIterator[bytes]
    content_type: str = "text/xml; charset=utf-8"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


def see_other(address: str) -> Answer:
    """An answer that leads elsewhere."""
    return Answer(b"", "text/plain; charset=utf-8", 303, {"location": address})


def plain(text: object, status: int = 200) -> Answer:
    """A few words."""
    return Answer(str(text).encode(), "text/plain; charset=utf-8", status)


async def read(scope: Scope, receive: Receive, place: Place) -> Request:
    """The request of a connection; one with a large body takes the `place`.

    Raises
    ------
    QueryError
        If its body cannot be read; `TooLarge` if it is larger than 10 MB, `Busy` if there is no place for it.
    """
    pairs = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    files: dict[str, bytes] = {}
    if scope["method"] == "POST":
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            async with asyncio.timeout(SLOWEST):
                body = await _body(receive, headers.get("content-length", ""), place)
        except TimeoutError as error:
            raise QueryError("the rest of the request did not come") from error
        kind = headers.get("content-type", "")
        if kind.startswith("multipart/form-data"):
            parts, files = await asyncio.to_thread(_multipart, kind, body)
            pairs += parts
        elif body:
            pairs += parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    if len(pairs) > MOST_PARAMETERS:
        raise QueryError(f"{len(pairs)} parameters; {MOST_PARAMETERS} are allowed")
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name.upper(), []).append(value)
    return Request(scope["method"], scope["path"], values, files)


async def _body(receive: Receive, said: str, place: Place) -> bytes:
    if said.isdigit() and int(said) > LARGEST_BODY:
        raise TooLarge(f"{int(said):,} bytes were sent; {LARGEST_BODY:,} are allowed")
    body = bytearray()
    while True:
        message = await asyncio.wait_for(receive(), PATIENCE)
        if message["type"] == "http.disconnect":
            raise QueryError("the client left before it had asked")
        body += message.get("body", b"")
        if len(body) > LARGEST_BODY:
            raise TooLarge(f"more than {LARGEST_BODY:,} bytes were sent")
        if len(body) > LARGE:
            place.take()
        if not message.get("more_body"):
            return bytes(body)


def _multipart(kind: str, body: bytes) -> tuple[list[tuple[str, str]], dict[str, bytes]]:
    pairs: list[tuple[str, str]] = []
    files: dict[str, bytes] = {}

    def on_field(one: Any) -> None:
        pairs.append((one.field_name.decode("utf-8", "replace"), (one.value or b"").decode("utf-8", "replace")))

    def on_file(one: Any) -> None:
        one.file_object.seek(0)
        files[one.field_name.decode("utf-8", "replace")] = one.file_object.read()

    config = {"MAX_MEMORY_FILE_SIZE": 2 * LARGEST_BODY, "MAX_BODY_SIZE": 2 * LARGEST_BODY}
    try:
        parser = python_multipart.create_form_parser(
            {"Content-Type": kind.encode(), "Content-Length": str(len(body)).encode()}, on_field, on_file, config=config
        )
        source = io.BytesIO(body)
        while piece := source.read(262_144):
            parser.write(piece)
        parser.finalize()
    except (python_multipart.exceptions.FormParserError, ValueError) as error:
        raise QueryError(f"the form cannot be read: {error}") from error
    # a field that was sent without a file name may be the table of an upload, too
    return pairs, {**{name: value.encode() for name, value in pairs}, **files}


async def respond(send: Send, answer: Answer, method: str, extra: list[tuple[str, str]]) -> None:
    """Send an answer; a client that does not read is left."""
    headers = [("content-type", answer.content_type), *answer.headers.items(), *extra]
    if isinstance(answer.body, bytes):
        headers.append(("content-length", str(len(answer.body))))
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    if isinstance(answer.body, bytes):
        await send({"type": "http.response.body", "body": answer.body if method != "HEAD" else b""})
        return
    if method == "HEAD":
        await send({"type": "http.response.body", "body": b""})
        return
    async for chunk in answer.body:
        message = {"type": "http.response.body", "body": chunk, "more_body": True}
        await asyncio.wait_for(send(message), PATIENCE)
    await send({"type": "http.response.body", "body": b""})
