"""Addresses of the database that name what is in it: what they lead to never changes, so that caches keep it for ever.

`/lyot/…` and `/lyot-<digest>/…` are the same. The first is what people and scripts write: it is asked for again each
time, and answered by 304 while the release is the same. The second is what pages of Datasette lead to.
"""

from __future__ import annotations

import hashlib
import json
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

from datasette.app import Datasette

import lyot
from lyot.datasette.files import Headers, Receive, Scope, Send

FOREVER = "public, max-age=31536000, immutable"
AGAIN = "no-cache"
LENGTH = 12  # characters of the digest in an address
_FIRST = re.compile(r"/[^/.]*")  # the name of a database, without the format that may follow
_OTHER = re.compile(rf"-[0-9a-f]{{{LENGTH}}}")


class Fixed:
    """Datasette on one public database under both addresses.

    Parameters
    ----------
    portal : Datasette
        Its database of that `name` gets the address with the digest.
    name : str
    sources : files and folders
        Templates and plugins, on which pages depend as well as on the database.
    extra : headers
        Of every answer that is given here.
    """

    def __init__(self, portal: Datasette, name: str, sources: tuple[Path, ...], extra: Headers) -> None:
        database = portal.get_database(name)
        self._plain = f"/{name}"
        self._digest = _digest(str(database.hash), portal, sources)
        database.route = f"{name}-{self._digest}"
        self._named = f"/{database.route}"
        self._extra = extra
        self._application = portal.app()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        found = _FIRST.match(scope["path"]) if scope["type"] == "http" else None
        name = found.group() if found else ""
        if self._is_old(name):
            query = scope["query_string"].decode("latin-1")
            place = self._plain + scope["path"].removeprefix(name) + (f"?{query}" if query else "")
            await self._answer(send, 302, [("location", scope.get("root_path", "") + quote(place, safe="/?&=%~"))])
            return
        if name not in (self._plain, self._named):
            await self._application(scope, receive, send)
            return
        headers = [("etag", f'"{self._digest}"'), ("cache-control", FOREVER if name == self._named else AGAIN)]
        asked = dict(scope["headers"]).get(b"if-none-match", b"").decode("latin-1")
        if f'"{self._digest}"' in (one.strip().removeprefix("W/") for one in asked.split(",")):
            await self._answer(send, 304, headers)
            return
        await self._application(self._renamed(scope, name), receive, _with(send, headers))

    def _is_old(self, name: str) -> bool:
        """Whether it names this database as it was at another time."""
        end = name.removeprefix(self._plain)
        return name not in (self._named, end) and bool(_OTHER.fullmatch(end))

    def _renamed(self, scope: Scope, name: str) -> Scope:
        """The same request, of the address that Datasette knows."""
        raw = scope.get("raw_path") or scope["path"].encode()
        return {
            **scope,
            "path": self._named + scope["path"].removeprefix(name),
            "raw_path": self._named.encode() + raw.removeprefix(name.encode()),
        }

    async def _answer(self, send: Send, status: int, headers: Headers) -> None:
        raw = [(name.encode(), value.encode("latin-1", "replace")) for name, value in (*headers, *self._extra)]
        await send({"type": "http.response.start", "status": status, "headers": [*raw, (b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


def _with(send: Send, headers: Headers) -> Send:
    """What is sent, with these headers where the answer is a good one."""

    async def sending(message: Any) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:
            names = {name.encode() for name, _ in headers}
            kept = [pair for pair in message["headers"] if pair[0].lower() not in names]
            message = {**message, "headers": [*kept, *((name.encode(), value.encode()) for name, value in headers)]}
        await send(message)

    return sending


def _digest(content: str, portal: Datasette, sources: tuple[Path, ...]) -> str:
    made = hashlib.sha256()
    for word in (content, lyot.__version__, version("datasette"), json.dumps(portal.settings_dict(), sort_keys=True)):
        made.update(word.encode() + b"\0")
    for source in sources:
        for file in sorted(source.rglob("*.*")) if source.is_dir() else [source]:
            if file.suffix in (".html", ".py", ".css"):
                made.update(file.read_bytes())
    return made.hexdigest()[:LENGTH]
