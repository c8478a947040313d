"""Translated queries on the baked database: read only, within their time, a batch of rows at a time."""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from lyot.catalog import obscore
from lyot.datasette.vo import functions
from lyot.datasette.vo.adql import translate
from lyot.datasette.vo.budget import OPERATIONS, Budget
from lyot.datasette.vo.dialect import QueryError
from lyot.datasette.vo.schema import Field, Schema, load
from lyot.datasette.vo.upload import Upload

BATCH = 1_000  # rows; the first batch is smaller so that the first byte leaves early
CELLS = 10_000  # of a batch: rows of many columns come in smaller ones
FIRST = 100
LARGEST_VALUE = 2_000_000  # bytes of one text
LARGEST_ROW = 2_000_000  # characters of its texts
LARGEST_BATCH = 500_000  # characters of texts, after which a batch has no more rows
HEAP = 192_000_000  # bytes that SQLite may take in this process, of all queries together
CACHE = 512  # kB of pages that a connection keeps: hundreds are open when readers are slow, and share the heap
IDLE = 16  # connections kept open
KEPT = 200  # translations

Row = tuple[float | int | str | None, ...]
_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ}
_FUNCTIONS = {"count", "avg", "sum", "max", "min", "coalesce", "substr"}


@dataclass
class Rows:
    """Rows of one query as they come; `overflow` is known once they have all come."""

    fields: tuple[Field, ...]
    budget: Budget
    most: int
    overflow: bool = False
    count: int = 0
    failure: str = ""  # why it ended half-way, if it did
    _batches: Iterator[list[Row]] = field(default_factory=lambda: iter(()))
    _lease: Lease | None = None

    def __iter__(self) -> Iterator[list[Row]]:
        """Batches of rows.

        Raises
        ------
        QueryError
            If the query was stopped, or SQLite could not go on.
        """
        yield from self._batches

    def close(self) -> None:
        """Give the connection back."""
        if self._lease is not None:
            self._lease.end()
            self._lease = None


class Catalogue:
    """A baked database as the protocols ask it.

    `base` is the address at which the release is served, `authority` the publisher's name in the VO.
    """

    def __init__(self, database: Path, base: str, authority: str) -> None:
        self.database = database
        self.base = base.rstrip("/")
        self.authority = authority
        self._idle: deque[sqlite3.Connection] = deque()
        self._lock = threading.Lock()
        connection = self._connect()
        self.schema: Schema = load(connection)
        self._translated = lru_cache(KEPT)(lambda query: translate(query, self.schema))
        self._restrict(connection)
        self._idle.append(connection)

    def ask(self, query: str, most: int, budget: Budget, uploads: Iterable[Upload] = ()) -> Rows:
        """Begin an ADQL query.

        Parameters
        ----------
        query : str
            ADQL.
        most : int
            Rows to give; that there are more is told by `Rows.overflow`.
        budget : Budget
            Its time.
        uploads : Uploads
            Tables that came with it, as `TAP_UPLOAD.name`.

        Raises
        ------
        QueryError
            If it is not ADQL, names what there is not, or cannot begin.
        """
        uploads = tuple(uploads)
        if uploads:
            found = translate(query, self.schema.with_(upload.relation for upload in uploads))
        else:
            found = self._translated(query)
        return self._begin(found.sql, found.fields, most, budget, uploads)

    def close(self) -> None:
        """Close the connections that nobody uses."""
        with self._lock:
            while self._idle:
                self._idle.pop().close()

    def _begin(
        self, sql: str, fields: tuple[Field, ...], most: int, budget: Budget, uploads: tuple[Upload, ...]
    ) -> Rows:
        lease = Lease(self, keep=not uploads)
        rows = Rows(fields, budget, most, _lease=lease)
        try:
            with _told(budget), budget.running():
                for upload in uploads:
                    upload.store(lease.connection)
                if uploads:
                    self._restrict(lease.connection)
                lease.connection.set_progress_handler(budget.handler(), OPERATIONS)
                cursor = lease.connection.execute(sql)
                first = _some(cursor, min(FIRST, most + 1), fields)
        except BaseException:
            rows.close()
            raise
        rows._batches = self._rest(rows, cursor, *first)
        return rows

    @staticmethod
    def _rest(rows: Rows, cursor: sqlite3.Cursor, batch: list[Row], complete: bool) -> Iterator[list[Row]]:
        while batch:
            left = rows.most - rows.count
            rows.overflow = len(batch) > left
            rows.count += min(len(batch), left)
            if complete or rows.overflow:
                rows.close()
            if left > 0:
                yield batch[:left]
            if complete or rows.overflow:
                return
            asked = min(BATCH, CELLS // len(rows.fields) + 1, rows.most - rows.count + 1)
            with _told(rows.budget), rows.budget.running():
                batch, complete = _some(cursor, asked, rows.fields)
        rows.close()

    def take(self, *, fresh: bool) -> sqlite3.Connection:
        """A connection; a fresh one may still be written to, in its own memory."""
        if not fresh:
            with self._lock:
                if self._idle:
                    return self._idle.pop()
        connection = self._connect()
        if not fresh:
            self._restrict(connection)
        return connection

    def give_back(self, connection: sqlite3.Connection) -> None:
        """Keep a connection for the next query, unless there are enough."""
        connection.set_progress_handler(None, 0)
        with self._lock:
            if len(self._idle) < IDLE:
                self._idle.append(connection)
                return
        connection.close()

    def _connect(self) -> sqlite3.Connection:
        address = f"{self.database.resolve().as_uri()}?mode=ro&immutable=1"
        connection = sqlite3.connect(address, uri=True, check_same_thread=False, isolation_level=None)
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute(f"PRAGMA cache_size = -{CACHE}")  # negative: kB, not pages
        connection.execute(f"PRAGMA hard_heap_limit = {HEAP}")
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST_VALUE)
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        functions.register(connection)
        connection.execute(f"CREATE TEMP VIEW ivoa_obscore AS {obscore.view(self.base, self.authority)}")
        return connection

    @staticmethod
    def _restrict(connection: sqlite3.Connection) -> None:
        """From here on it reads, whatever SQL it is given; a second lock behind that of the translation."""
        connection.execute("PRAGMA query_only = ON")
        connection.set_authorizer(_authorize)


def _some(cursor: sqlite3.Cursor, count: int, fields: tuple[Field, ...]) -> tuple[list[Row], bool]:
    """The next rows, `count` of them unless their texts are long, and whether these were the last."""
    texts = [number for number, field in enumerate(fields) if field.is_text]
    if not texts:
        rows = cursor.fetchmany(count)
        return rows, len(rows) < count
    rows, size = [], 0
    for row in cursor:
        long = 0
        for number in texts:
            text = row[number]
            long += len(text) if isinstance(text, str) else 0
        if long > LARGEST_ROW:
            raise QueryError(f"a row of the result has {long:,} characters; {LARGEST_ROW:,} are allowed")
        rows.append(row)
        size += long
        if len(rows) == count or size > LARGEST_BATCH:
            return rows, False
    return rows, True


class Lease:
    """A connection while one query has it."""

    def __init__(self, catalogue: Catalogue, *, keep: bool) -> None:
        self._catalogue = catalogue
        self._keep = keep
        self._ended = False
        self.connection = catalogue.take(fresh=not keep)

    def end(self) -> None:
        """Give it back, once."""
        if self._ended:
            return
        self._ended = True
        if self._keep:
            self._catalogue.give_back(self.connection)
        else:
            self.connection.close()


class _told:  # noqa: N801 - reads as a word where it is used
    """SQLite's errors in the words of ours."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> None:
        if self.budget.reason and isinstance(error, sqlite3.OperationalError):
            raise self.budget.refusal() from error
        if isinstance(error, MemoryError):
            raise QueryError("the query needs more memory than there is for it") from error
        if isinstance(error, sqlite3.Error):
            raise QueryError(f"the query cannot be run: {error}") from error


def _authorize(action: int, first: str | None, second: str | None, database: str | None, trigger: str | None) -> int:
    if action in _ALLOWED:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_FUNCTION:
        name = (second or "").lower()
        if name.startswith("adql_") or name in _FUNCTIONS:
            return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY
