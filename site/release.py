"""The baked database of a release, as the site reads it: a block of targets at a time, so that memory stays small."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from lyot.errors import NotFound

Row = dict[str, Any]
#: Tables whose rows of one target its page shows.
OF_TARGET = (
    "target", "target_alias", "observation", "reduction", "product", "companion", "verdict", "detection", "measurement",
)  # fmt: skip
#: The rows of a block of targets; its ids come as one JSON list.
OF_BLOCK = 'SELECT * FROM "{table}" WHERE "{column}" IN (SELECT value FROM json_each(?))'

SORTED = 20_000  # kB in which rows of all stars are sorted: more go through a file


class Release:
    """One release folder's `lyot.db`: small tables whole, the rest for the block of targets that was loaded.

    Parameters
    ----------
    folder : Path
        Folder of the release, as `out/public`.
    connection : sqlite3.Connection
        Its `lyot.db`, opened for reading.
    """

    def __init__(self, folder: Path, connection: sqlite3.Connection) -> None:
        self.folder = folder
        self._connection = connection
        self._block: dict[str, dict[str, list[Row]]] = {}
        self._products: dict[str, Row] = {}
        self._asked: dict[tuple[str, str], list[Row]] = {}
        self._owners: dict[str, set[str]] = {}
        self._sources: dict[str | None, tuple[str, str]] = {}

    def about(self) -> Row:
        """What the release says of itself (day, audience, version); nothing when it says nothing."""
        there = self.query("SELECT 1 FROM sqlite_master WHERE name = 'release'")
        return next(iter(self.query("SELECT * FROM release")), {}) if there else {}

    @cached_property
    def references(self) -> dict[str, Row]:
        """Publications by their id."""
        return {row["reference_id"]: row for row in self.query("SELECT * FROM reference")}

    @cached_property
    def surveys(self) -> dict[str, Row]:
        """Surveys by their id."""
        return {row["survey_id"]: row for row in self.query("SELECT * FROM survey")}

    def query(self, sql: str, *values: Any, **parameters: Any) -> list[Row]:
        """The rows that `sql` gives, as mappings from column to value."""
        cursor = self._connection.execute(sql, values or parameters)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row)) for row in cursor]  # noqa: B905 - a row has a value for each name

    def each(self, sql: str) -> Iterator[Row]:
        """The rows that `sql` gives, one at a time: for what may be long."""
        cursor = self._connection.execute(sql)
        names = [column[0] for column in cursor.description]
        for row in cursor:
            yield dict(zip(names, row, strict=True))

    def chart_rows(self, sql: str, key: str, *, shared: str = "") -> list[Row]:
        """The rows of a chart's query for a subject; several charts may ask the same, which is asked once.

        A `shared` query gives the same rows for every subject that has any, but for the column `own`: of the subject
        are those whose column of this name says so.
        """
        place = (sql, "" if shared else key)
        if place not in self._asked:
            self._asked[place] = self.query(sql, target=place[1])
        rows = self._asked[place]
        if not shared:
            return rows
        if sql not in self._owners:
            self._owners[sql] = {row[shared] for row in rows}
        if key not in self._owners[sql]:
            return []
        return [{**row, "own": row[shared] == key} for row in rows]

    def ask(self, sql: str, of: str, keys: Sequence[str]) -> None:
        """Ask a chart's query for many subjects at once: `of` is the column that it compares with `:target`."""
        many = sql.replace("SELECT ", f"SELECT {of} AS asked, ", 1)
        many = many.replace(f"{of} = :target", f"{of} IN (SELECT value FROM json_each(:target))")
        self._asked.update(((sql, key), []) for key in keys)
        for row in self.query(many, target=json.dumps(list(keys))):
            self._asked[sql, row.pop("asked")].append(row)

    def forget(self, sql: str) -> None:
        """Let go of the rows of a chart's query, which may be many and are asked for once."""
        self._asked = {place: rows for place, rows in self._asked.items() if place[0] != sql}

    def load(self, target_ids: Sequence[str]) -> list[Row]:
        """Read every row of these targets, in place of those before; the rows of `target`, in the order asked."""
        self._asked = {key: rows for key, rows in self._asked.items() if not key[1]}
        self._block = {name: self._grouped(name, target_ids) for name in OF_TARGET}
        self._products = {row["product_key"]: row for some in self._block["product"].values() for row in some}
        pointed = {
            row["product_key"]
            for name in ("observation", "reduction")
            for some in self._block[name].values()
            for row in some
            if row["product_key"] and row["product_key"] not in self._products
        }
        if pointed:
            found = self.query(OF_BLOCK.format(table="product", column="product_key"), json.dumps(sorted(pointed)))
            self._products |= {row["product_key"]: row for row in found}
        return [row for key in target_ids for row in self._block["target"].get(key, [])]

    def of_target(self, table: str, target_id: str) -> list[Row]:
        """The rows of one table that belong to one target of the block."""
        return self._block[table].get(target_id, [])

    def products(self, target_id: str) -> list[Row]:
        """Files of one target: those that say so, and those that its rows point to."""
        keys = dict.fromkeys(
            row["product_key"]
            for table in ("product", "observation", "reduction")
            for row in self.of_target(table, target_id)
        )
        return [self._products[key] for key in keys if key in self._products]

    def count(self, table: str) -> int:
        """How many rows a table of the catalogue has."""
        return int(self._connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0])  # the name is ours

    def source(self, reference_id: str | None) -> tuple[str, str]:
        """How one cites a reference, and its address; both empty when there is none."""
        if reference_id not in self._sources:
            row = self.references.get(reference_id or "", {})
            url = str(row.get("url") or "")
            cited = str(row.get("citation") or reference_id or "")
            self._sources[reference_id] = (cited, url if url.startswith(("https://", "http://")) else "")
        return self._sources[reference_id]

    def _grouped(self, table: str, target_ids: Sequence[str]) -> dict[str, list[Row]]:
        grouped: dict[str, list[Row]] = defaultdict(list)
        for row in self.query(OF_BLOCK.format(table=table, column="target_id"), json.dumps(list(target_ids))):
            grouped[row["target_id"]].append(row)
        return dict(grouped)


@contextmanager
def opened(folder: Path, noted: set[str] | None = None) -> Iterator[Release]:
    """The release in `folder`.

    Parameters
    ----------
    folder : Path
    noted : set, optional
        Gets the name of every column that is read, as `target.name`, and `target.` where only rows are counted.

    Raises
    ------
    NotFound
        If it has no `lyot.db`.
    """
    database = folder / "lyot.db"
    if not database.is_file():
        raise NotFound(f"{folder} holds no lyot.db", hint="bake the release first: lyot build")
    # a release never changes: no lock is needed; what a statement reads is told when it is compiled, so none is kept
    kept = 128 if noted is None else 0
    address = f"{database.resolve().as_uri()}?mode=ro&immutable=1"
    connection = sqlite3.connect(address, uri=True, cached_statements=kept)
    if noted is not None:
        connection.execute(f"PRAGMA cache_size = -{SORTED}")
        connection.set_authorizer(partial(_note, noted))
    try:
        yield Release(folder, connection)
    finally:
        connection.close()


def _note(noted: set[str], action: int, table: str | None, column: str | None, *_: str | None) -> int:
    """What SQLite asks before it compiles each piece of a statement: all is allowed, and what is read is noted."""
    if action == sqlite3.SQLITE_READ:
        noted.add(f"{table}.{column}")
    return sqlite3.SQLITE_OK
