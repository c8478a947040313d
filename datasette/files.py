"""Files of the static site over ASGI: nothing outside its folder, revalidated by ETag, in ranges when asked."""

from __future__ import annotations

import asyncio
import mimetypes
import os
import re
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import quote

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[str, str]]

CHUNK = 131_072  # bytes sent at once
LONGEST = 255  # bytes of a file's name, on the disks there are
#: What pages of the site may do: nothing from elsewhere, no script or style that is not a file of the site.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
#: The one page that runs a database in the browser, and its engine, may compile WebAssembly.
POLICY_SQL = POLICY.replace("script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'")
SQL = ("/sql/", "/static/sqlite/")
TYPES = {
    ".fits": "application/fits",
    ".parquet": "application/vnd.apache.parquet",
    ".db": "application/vnd.sqlite3",
    ".duckdb": "application/octet-stream",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".json": "application/json",
    ".webp": "image/webp",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".xml": "application/xml",
    ".bib": "application/x-bibtex",
    ".csv": "text/csv",
    ".woff2": "font/woff2",
}
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def find(folder: Path, path: str) -> Path | None:
    """The file or folder of the site at `path` of an address; None if there is none, or it may not be served."""
    parts = [part for part in path.split("/") if part]
    if any(part.startswith(".") or "\\" in part or "\0" in part for part in parts):
        return None
    if is_too_long(path) or not os.path.lexists(os.path.join(folder, *parts)):
        return None  # as for every page of Datasette, after one look at the disk: resolving takes a dozen
    root = folder.resolve()
    found = root.joinpath(*parts).resolve()
    if not found.is_relative_to(root):
        return None
    if found.is_dir():
        return found if (found / "index.html").is_file() else None
    return found if found.is_file() and not path.endswith("/") else None


def is_too_long(path: str) -> bool:
    """Whether a part of the path cannot be the name of a file."""
    return any(len(part.encode("utf-8", "surrogateescape")) > LONGEST for part in path.split("/"))


async def respond(scope: Scope, send: Send, found: Path, extra: Headers) -> None:
    """Answer a GET or HEAD request with the file `found`; a folder by its index.html, under an address ending in /."""
    if found.is_dir():
        if not scope["path"].endswith("/"):
            await _redirect(scope, send)
            return
        found = found / "index.html"
    status = found.stat()
    tag = f'"{status.st_mtime_ns:x}-{status.st_size:x}"'
    headers: Headers = [
        ("etag", tag),
        ("last-modified", formatdate(status.st_mtime, usegmt=True)),
        ("cache-control", "no-cache"),
        ("accept-ranges", "bytes"),
        ("content-security-policy", POLICY_SQL if scope["path"].startswith(SQL) else POLICY),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "strict-origin-when-cross-origin"),
        *extra,
    ]
    asked = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    if _matches(asked.get("if-none-match", ""), tag):
        await _send(send, 304, headers)
        return
    headers.append(("content-type", content_type(found)))
    part = _part(asked, tag, status.st_size)
    if part is None:
        await _send(send, 416, [*headers, ("content-range", f"bytes */{status.st_size}"), ("content-length", "0")])
        return
    first, last = part
    partial = (first, last) != (0, status.st_size - 1)
    if partial:
        headers.append(("content-range", f"bytes {first}-{last}/{status.st_size}"))
    headers.append(("content-length", str(last - first + 1)))
    body = found if scope["method"] == "GET" else None
    await _send(send, 206 if partial else 200, headers, body, (first, last))


async def refuse(send: Send, allowed: tuple[str, ...] = ()) -> None:
    """Answer that only the methods `allowed` are; that there is nothing, if none is."""
    more: Headers = [("allow", ", ".join(allowed))] if allowed else []
    await _send(send, 405 if allowed else 404, [*more, ("content-length", "0")])


def content_type(file: Path) -> str:
    """Media type by the name's ending; text is UTF-8."""
    kind = TYPES.get(file.suffix.lower()) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind


def _matches(asked: str, tag: str) -> bool:
    return asked.strip() == "*" or tag in (one.strip().removeprefix("W/") for one in asked.split(","))


def _part(asked: dict[str, str], tag: str, size: int) -> tuple[int, int] | None:
    """First and last byte to send; None if what was asked for is not in the file.

    Several ranges at once, and ranges of another version of the file, are answered by all of it.
    """
    found = _RANGE.fullmatch(asked.get("range", "").strip())
    if not found or not any(found.groups()) or asked.get("if-range", tag) != tag:
        return 0, size - 1
    start, end = found.groups()
    if not start:
        first, last = max(0, size - int(end)), size - 1
    else:
        first, last = int(start), min(int(end), size - 1) if end else size - 1
    return (first, last) if first <= last else None


async def _redirect(scope: Scope, send: Send) -> None:
    query = scope.get("query_string", b"").decode("latin-1")
    path = "/" + scope["path"].strip("/") + "/"  # one slash in front: two would name another host
    place = quote(scope.get("root_path", "") + path) + (f"?{query}" if query else "")
    await _send(send, 301, [("location", place), ("content-length", "0")])


async def _send(
    send: Send, status: int, headers: Headers, body: Path | None = None, part: tuple[int, int] = (0, -1)
) -> None:
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    if body is not None:
        chunks = _chunks(body, *part)
        while chunk := await asyncio.to_thread(next, chunks, b""):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _chunks(file: Path, first: int, last: int) -> Iterator[bytes]:
    with file.open("rb") as opened:
        opened.seek(first, os.SEEK_SET)
        left = last - first + 1
        while left > 0 and (chunk := opened.read(min(CHUNK, left))):
            left -= len(chunk)
            yield chunk
