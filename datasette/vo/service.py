"""The protocols of the Virtual Observatory under one roof: which path is answered by what."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

from lyot.datasette.vo import cone, datalink, formats, healpix, registry, sia, uws, vosi, votable
from lyot.datasette.vo.budget import Budget
from lyot.datasette.vo.dialect import Busy, QueryError
from lyot.datasette.vo.jobs import KEPT, SECONDS, Jobs
from lyot.datasette.vo.run import Catalogue
from lyot.datasette.vo.stream import Streams
from lyot.datasette.vo.task import Task, begin, task
from lyot.datasette.vo.web import Answer, Place, Receive, Request, Scope, Send, TooLarge, plain, read, respond

SYNC_SECONDS = 30.0
FIRST = "SELECT target_id, ra, dec FROM lyot.target"
READERS = 2  # threads that read uploads: more would keep small queries waiting
MOC_ORDER = 8  # cells of 0.23 deg: a field is a few arcsec, so that a cell is a star
#: Circles around stars, as `s_region` of ObsCore has them; the radius is null where no observation says its field.
FIELDS = (
    "SELECT t.ra, t.dec, max(o.field_of_view) / 7200.0 FROM target t JOIN observation o USING (target_id) "
    "WHERE t.ra IS NOT NULL GROUP BY t.target_id"
)
METHODS = ("GET", "HEAD", "POST", "DELETE", "OPTIONS")

Handler = Callable[[Request, Budget], Awaitable[Answer]]


class Service:
    """The protocols on one release.

    Parameters
    ----------
    database : Path
        The baked SQLite.
    base : str
        Address at which the release is served: addresses in answers begin with it, whatever was asked.
    authority : str
        The publisher's naming authority in the VO.
    jobs : Path
        Folder for the jobs of the asynchronous service.
    hosts : names of hosts
        From which tables may be fetched for a query.
    """

    def __init__(self, database: Path, base: str, authority: str, jobs: Path, hosts: tuple[str, ...] = ()) -> None:
        self.catalogue = Catalogue(database, base, authority)
        self.base = self.catalogue.base
        self.hosts = hosts
        self.streams = Streams()
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="lyot-upload")
        self._covered = b""
        self.jobs = Jobs(jobs, self.catalogue, hosts)
        self._routes: dict[str, Handler] = {
            "/tap/sync": self._sync, "/tap/async": self._async, "/tap": self._about, "/scs/target": self._cone,
            "/scs/detection": self._cone, "/sia2": self._images, "/datalink": self._links,
            "/registry/record.xml": self._record, "/registry/moc.fits": self._moc,
        }  # fmt: skip

    def ready(self) -> None:
        """Do what takes long the first time, as threads and imports, before anybody waits for it."""
        self.streams.ready()
        for form in formats.FORMATS:
            rows, pieces = begin(Task(FIRST, 1, form), self.catalogue, Budget(SYNC_SECONDS))
            for _ in pieces:
                pass
            rows.close()

    def serves(self, path: str) -> bool:
        """Whether a path is one of ours."""
        return self._route(path) is not None

    async def __call__(self, scope: Scope, receive: Receive, send: Send, extra: list[tuple[str, str]]) -> None:
        """Answer a request; whoever leaves before the end stops his query."""
        if scope["method"] not in METHODS or scope["method"] == "OPTIONS":
            allowed = Answer(b"", "text/plain", 204, {"allow": ", ".join(METHODS)})
            await respond(send, allowed, scope["method"], extra)
            return
        budget, place = Budget(SYNC_SECONDS), Place()
        watching: list[asyncio.Task[None]] = []
        try:
            try:
                request = await read(scope, receive, place)
                watching.append(asyncio.create_task(_until_left(receive, budget)))
                handler = self._route(request.path)
                answer = await handler(request, budget) if handler else plain("there is nothing here", 404)
            except QueryError as error:
                answer = _refusal(error)
            await self._send(send, answer, scope["method"], budget, extra)
        finally:
            place.leave()
            for one in watching:
                one.cancel()
                with suppress(asyncio.CancelledError):
                    await one

    @staticmethod
    async def _send(send: Send, answer: Answer, method: str, budget: Budget, extra: list[tuple[str, str]]) -> None:
        try:
            await respond(send, answer, method, extra)
        except (TimeoutError, OSError):
            budget.cancel("the reader left")
        finally:
            if not isinstance(answer.body, bytes):
                await answer.body.aclose()  # type: ignore[attr-defined]

    def close(self) -> None:
        """Stop jobs and queries and let go of the database."""
        self.jobs.close()
        self.streams.close()
        self._readers.shutdown(wait=True, cancel_futures=True)
        self.catalogue.close()

    def _route(self, path: str) -> Handler | None:
        for prefix, handler in self._routes.items():
            if path == prefix or path.startswith(f"{prefix}/"):
                return handler
        return None

    async def _sync(self, request: Request, budget: Budget) -> Answer:
        if "UPLOAD" in request.values:
            loop = asyncio.get_running_loop()
            asked = await loop.run_in_executor(self._readers, task, request.values, request.files, self.hosts)
        else:
            asked = task(request.values, {})
        name = {"content-disposition": f'inline; filename="lyot.{asked.format.suffix}"'}
        media = _media(request, asked.format)
        return await self.streams.answer(
            lambda: begin(asked, self.catalogue, budget), media, budget, name, large=asked.is_large
        )

    async def _async(self, request: Request, budget: Budget) -> Answer:
        return await uws.answer(request, self.jobs, f"{self.base}/tap/async")

    async def _about(self, request: Request, budget: Budget) -> Answer:
        what, _, rest = request.path.removeprefix("/tap").strip("/").partition("/")
        if what == "capabilities":
            return Answer(vosi.capabilities(self.base, SECONDS, int(KEPT.total_seconds())))
        if what == "availability":
            return Answer(vosi.availability())
        if what == "examples":
            return Answer(vosi.examples(self.base), "application/xhtml+xml; charset=utf-8")
        if what == "tables":
            said = await self._read(lambda connection: vosi.tables(connection, rest))
            return Answer(said) if said else plain("there is no such table", 404)
        return plain(f"TAP is here: {self.base}/tap\n") if not what else plain("there is nothing here", 404)

    async def _cone(self, request: Request, budget: Budget) -> Answer:
        table, _, what = request.path.removeprefix("/scs/").strip("/").partition("/")
        if what:
            parts = {"ivo://ivoa.net/std/ConeSearch": f"{self.base}/scs/{table}"}
            return _said_of(f"{self.base}/scs/{table}", what, parts)
        wide = cone.is_wide(request)
        return await self.streams.answer(
            lambda: cone.cone(request, self.catalogue, budget, table), votable.MEDIA, budget, large=wide
        )

    async def _images(self, request: Request, budget: Budget) -> Answer:
        what = request.path.removeprefix("/sia2").strip("/")
        if what != "query":
            return _said_of(f"{self.base}/sia2", what, {"ivo://ivoa.net/std/SIA#query-2.0": f"{self.base}/sia2/query"})
        wide = "POS" not in request.values
        return await self.streams.answer(
            lambda: sia.query(request, self.catalogue, budget), votable.MEDIA, budget, large=wide
        )

    async def _links(self, request: Request, budget: Budget) -> Answer:
        what = request.path.removeprefix("/datalink").strip("/")
        if what != "links":
            parts = {"ivo://ivoa.net/std/DataLink#links-1.1": f"{self.base}/datalink/links"}
            return _said_of(f"{self.base}/datalink", what, parts)
        return await asyncio.to_thread(datalink.links, request, self.catalogue)

    async def _record(self, request: Request, budget: Budget) -> Answer:
        limits = (SECONDS, int(KEPT.total_seconds()))
        base, authority = self.base, self.catalogue.authority
        return Answer(await self._read(lambda connection: registry.record(connection, base, authority, limits)))

    async def _moc(self, request: Request, budget: Budget) -> Answer:
        if self._covered:
            return Answer(self._covered, "application/fits")
        self._covered = await self._read(
            lambda connection: healpix.moc(map(tuple, connection.execute(FIELDS)), MOC_ORDER)
        )
        return Answer(self._covered, "application/fits")

    async def _read(self, work: Callable[[sqlite3.Connection], bytes]) -> bytes:
        """Read the database itself, in a thread."""

        def read_() -> bytes:
            address = f"{self.catalogue.database.resolve().as_uri()}?mode=ro&immutable=1"
            with closing(sqlite3.connect(address, uri=True)) as connection:
                connection.row_factory = sqlite3.Row
                return work(connection)

        return await asyncio.to_thread(read_)


def _said_of(address: str, what: str, parts: dict[str, str]) -> Answer:
    """What a simple service says of itself."""
    if what == "capabilities":
        return Answer(vosi.capabilities_of(address, parts))
    return Answer(vosi.availability()) if what == "availability" else plain("there is nothing here", 404)


def _media(request: Request, form: formats.Format) -> str:
    """The media type as it was asked for, where that names one: clients compare."""
    asked = request.get("RESPONSEFORMAT") or request.get("FORMAT")
    same = "/" in asked and asked.lower() in (form.media, *form.aliases) and asked != "votable/td"
    return asked if same else form.media


def _refusal(error: QueryError) -> Answer:
    status = 413 if isinstance(error, TooLarge) else 503 if isinstance(error, Busy) else 400
    headers = {"retry-after": "10"} if status == 503 else {}
    return Answer(votable.error(str(error)), votable.MEDIA, status, headers)


async def _until_left(receive: Receive, budget: Budget) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    budget.cancel("the reader left")
