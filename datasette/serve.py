"""One port: the static site of a release, and Datasette on its database for everything else."""

from __future__ import annotations

import gc
import json
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow
import uvicorn
from datasette.app import Datasette, pm

import lyot
from lyot.catalog.metadata import DATABASE, INSPECTED, metadata
from lyot.datasette import rights
from lyot.datasette.files import Receive, Scope, Send, find, is_too_long, refuse, respond
from lyot.datasette.fixed import Fixed
from lyot.datasette.gate import LARGE_AT_ONCE, SMALL_AT_ONCE, Gate
from lyot.datasette.rights import Door, Members, ask_to_wait
from lyot.datasette.vo.service import Service
from lyot.errors import BadInput, NotFound
from lyot.heaps import share_heaps

SETTINGS: dict[str, Any] = {
    "allow_csv_stream": True,
    "default_page_size": 30,
    "facet_time_limit_ms": 500,
    "max_csv_mb": 100,
    "max_returned_rows": 1_000,
    "num_sql_threads": SMALL_AT_ONCE + LARGE_AT_ONCE,  # so that no query waits for that of another answer
    "sql_time_limit_ms": 2_000,
    "suggest_facets": False,  # suggesting them takes a facet page from 50 ms to 2 s
    "template_debug": False,
}
READING = ("GET", "HEAD", "OPTIONS")  # a release is read, never written
#: Where files lie on this machine is nobody's business, and no member sees the tokens of the others.
HIDDEN = ("/-/databases", "/-/threads", "/-/plugins", "/-/metadata", "/-/config", "/-/settings", "/-/password-tool")
MOST_CONNECTIONS = 1_000
HEAPS = 2  # shared by all threads: one each would keep what a storm of requests once needed
#: Where rich is installed Datasette prints every refused query with all local variables around it.
pm.get_plugin("datasette.handle_exception").rich = None
_HERE = Path(lyot.__file__).parent


class Application:
    """ASGI application of a release: a path that is a file of the site is served from it, Datasette has the rest.

    Without a `door` everybody may read it, from other sites, too.
    """

    def __init__(self, site: Path, portal: Datasette, observatory: Service, door: Door | None, *, public: bool) -> None:
        self.site = site
        self.datasette = portal
        self.observatory = observatory
        self._door = door
        self._extra = [("access-control-allow-origin", "*")] if public else []
        sources = (_HERE / "templates" / "datasette", _HERE / "datasette", _HERE / "bar.py")
        self._portal = Gate(Fixed(portal, DATABASE, sources, self._extra) if public else portal.app())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] != "http":
            await self._portal(scope, receive, send)
            return
        if self._door is not None:
            if not (self._door.is_open(scope) or await self._door.lets_in(scope)):
                await self._door.turn_away(scope, send)
                return
            if self._door.is_too_soon(scope):
                await ask_to_wait(send)
                return
            send = self._door.sealed(send)
        await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if self.observatory.serves(path):
            await self.observatory(scope, receive, send, self._extra)
            return
        if scope["method"] not in READING and not (self._door and self._door.takes(scope)):
            await refuse(send, READING)
            return
        found = find(self.site, path)
        if path.split(".")[0].rstrip("/") in HIDDEN or is_too_long(path):
            await refuse(send)
        elif found is not None and scope["method"] != "OPTIONS":
            await respond(scope, send, found, self._extra)
        else:
            await self._portal(scope, receive, send)


def application(folder: Path | str, base: str = "", *, local: bool = False) -> Application:
    """The application of the release in `folder`, as `out/public`.

    Other sites' scripts may read a public release (CORS), and nothing of a private one.

    Parameters
    ----------
    folder : Path
    base : str
        Address at which it is served, which addresses in answers begin with; default `$LYOT_BASE_URL`.
    local : bool
        Whether only this machine can reach it: then a private release needs no token.

    Raises
    ------
    NotFound
        If the folder has no database or no site; says which command makes it.
    BadInput
        If the release is private and nobody has a token for it.
    """
    folder = Path(folder)
    database = folder / f"{DATABASE}.db"
    if not database.is_file():
        raise NotFound(f"{folder} holds no release", hint=f"make one: lyot build{_option(folder)}")
    if not (folder / "site" / "index.html").is_file():
        raise NotFound(f"the release in {folder} has no site", hint=f"render it: lyot site{_option(folder)}")
    public = _is_public(database)
    members = Members() if public else rights.members()
    if not (public or members or local):
        raise BadInput(
            f"the release in {folder} is private and nobody has a token or password for it",
            hint=f"set ${rights.TOKENS_VARIABLE} or ${rights.PASSWORDS_VARIABLE}, or serve it to this machine alone",
        )
    base = base or os.environ.get("LYOT_BASE_URL", "http://127.0.0.1:8001")
    observatory = Service(
        database,
        base,
        os.environ.get("LYOT_AUTHORITY", "lyot.invalid"),
        folder.with_name(f".{folder.name}.jobs"),
        tuple(os.environ.get("LYOT_UPLOAD_HOSTS", "").lower().split()),
    )
    datasette = portal(database, public=public, members=members)
    door = Door(datasette, members, base) if members else None
    return Application(folder / "site", datasette, observatory, door, public=public)


def portal(database: Path, *, public: bool, members: Members | None = None) -> Datasette:
    """Datasette on one baked database, which nothing may change; with members, for those alone."""
    inspected = database.with_name(INSPECTED)
    said, more = metadata(), dict[str, Any]()
    databases = said.pop("databases")  # which a plugin tells Datasette before 1.0
    if hasattr(Datasette, "list_queries"):  # 1.0, in which queries are configuration
        said["databases"] = databases
        more["config"] = {"databases": {DATABASE: {"queries": databases[DATABASE]["queries"]}}}
    if members:
        said |= members.configuration()
        more["secret"] = members.secret
    return Datasette(
        immutables=[str(database)],
        cors=public,
        inspect_data=json.loads(inspected.read_text()) if inspected.is_file() else None,
        metadata=said,
        settings=SETTINGS,
        template_dir=str(_HERE / "templates" / "datasette"),
        plugins_dir=str(_HERE / "datasette" / "plugins"),
        static_mounts=[("lyot-theme", str(_HERE / "datasette" / "static"))],
        **more,
    )


def serve(folder: Path | str, port: int = 8001, host: str = "127.0.0.1") -> None:
    """Serve the release in `folder` until interrupted; port 0 takes a free one.

    Raises
    ------
    NotFound
        As `application` does.
    """
    here = "127.0.0.1" if host in ("0.0.0.0", "::") else host
    base = os.environ.get("LYOT_BASE_URL") or f"http://{here}:{port}"
    local = host in ("127.0.0.1", "::1", "localhost")
    pyarrow.set_memory_pool(pyarrow.system_memory_pool())  # its own keeps what every thread ever had
    share_heaps(HEAPS)
    sys.setswitchinterval(0.001)  # s: who has a short question does not wait long for who has a long one
    served = application(folder, base, local=local)
    served.observatory.ready()
    gc.collect()
    gc.freeze()  # what is there now stays: looking through all of it again and again would stop every answer
    uvicorn.run(
        served, host=host, port=port, log_level="info", server_header=False, limit_concurrency=MOST_CONNECTIONS
    )


def _is_public(database: Path) -> bool:
    with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        return bool(connection.execute("SELECT workspace IS NULL FROM release").fetchone()[0])


def _option(folder: Path) -> str:
    return "" if folder.name in ("public", "") else f" --workspace {folder.name}"
