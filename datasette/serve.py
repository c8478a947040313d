"""One port: the static site of a release, and Datasette on its database for everything else."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import uvicorn
from datasette.app import Datasette, pm

import lyot
from lyot.catalog.metadata import DATABASE, metadata
from lyot.datasette import rights
from lyot.datasette.files import Receive, Scope, Send, find, is_too_long, refuse, respond
from lyot.datasette.vo.service import Service
from lyot.errors import BadInput, NotFound

SETTINGS: dict[str, Any] = {
    "allow_csv_stream": True,
    "default_page_size": 50,
    "facet_time_limit_ms": 500,
    "max_csv_mb": 100,
    "max_returned_rows": 10_000,
    "num_sql_threads": 4,
    "sql_time_limit_ms": 2_000,
    "suggest_facets": False,  # suggesting them takes a facet page from 50 ms to 2 s
    "template_debug": False,
}
READING = ("GET", "HEAD", "OPTIONS")  # a release is read, never written
HIDDEN = ("/-/databases", "/-/threads", "/-/plugins")  # where files lie on this machine is nobody's business
SECRET = ("/-/metadata", "/-/config", "/-/settings")  # a member must not see the tokens of the others
#: Where rich is installed Datasette prints every refused query with all local variables around it.
pm.get_plugin("datasette.handle_exception").rich = None
_HERE = Path(lyot.__file__).parent


class Application:
    """ASGI application of a release: a path that is a file of the site is served from it, Datasette has the rest."""

    def __init__(
        self, site: Path, portal: Datasette, observatory: Service, *, public: bool, locked: bool = False
    ) -> None:
        self.site = site
        self.locked = locked
        self.datasette = portal
        self.observatory = observatory
        self._portal = portal.app()
        self._extra = [("access-control-allow-origin", "*")] if public else []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] == "http":
            if self.locked and not await rights.is_known(scope, self.datasette):
                await rights.turn_away(scope, receive, send)
                return
            if self.observatory.serves(scope["path"]):
                await self.observatory(scope, receive, send, self._extra)
                return
            if scope["method"] not in READING:
                await refuse(send, READING)
                return
            found = find(self.site, scope["path"])
            hidden = (*HIDDEN, *SECRET) if self.locked else HIDDEN
            if scope["path"].split(".")[0].rstrip("/") in hidden or is_too_long(scope["path"]):
                await refuse(send)
                return
            if found is not None and scope["method"] != "OPTIONS":
                await respond(scope, send, found, self._extra)
                return
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
    tokens = () if public else rights.tokens()
    if not (public or tokens or local):
        raise BadInput(
            f"the release in {folder} is private and nobody has a token for it",
            hint=f"set ${rights.VARIABLE}, or serve it to this machine alone",
        )
    observatory = Service(
        database,
        base or os.environ.get("LYOT_BASE_URL", "http://127.0.0.1:8001"),
        os.environ.get("LYOT_AUTHORITY", "lyot.invalid"),
        folder.with_name(f".{folder.name}.jobs"),
        tuple(os.environ.get("LYOT_UPLOAD_HOSTS", "").lower().split()),
    )
    datasette = portal(database, public=public, tokens=tokens)
    return Application(folder / "site", datasette, observatory, public=public, locked=bool(tokens))


def portal(database: Path, *, public: bool, tokens: tuple[str, ...] = ()) -> Datasette:
    """Datasette on one baked database, which nothing may change; with tokens, for those alone who show one."""
    return Datasette(
        immutables=[str(database)],
        cors=public,
        metadata={**metadata(), **(rights.configuration(tokens) if tokens else {})},
        settings=SETTINGS,
        template_dir=str(_HERE / "templates" / "datasette"),
        plugins_dir=str(_HERE / "datasette" / "plugins"),
        static_mounts=[("lyot-theme", str(_HERE / "datasette" / "static"))],
    )


def serve(folder: Path | str, port: int = 8001, host: str = "127.0.0.1") -> None:
    """Serve the release in `folder` until interrupted; port 0 takes a free one.

    Raises
    ------
    NotFound
        As `application` does.
    """
    base = os.environ.get("LYOT_BASE_URL") or f"http://{host}:{port}"
    local = host in ("127.0.0.1", "::1", "localhost")
    uvicorn.run(application(folder, base, local=local), host=host, port=port, log_level="info", server_header=False)


def _is_public(database: Path) -> bool:
    with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        return bool(connection.execute("SELECT workspace IS NULL FROM release").fetchone()[0])


def _option(folder: Path) -> str:
    return "" if folder.name in ("public", "") else f" --workspace {folder.name}"
