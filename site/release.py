"""The baked database of a release, as the site reads it."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lyot.catalog.table import tables
from lyot.errors import NotFound

Row = dict[str, Any]


class Release:
    """Rows of one release folder's `lyot.db`, read once, grouped as the pages need them.

    `about` is what the release says of itself (day, audience, version); empty when it says nothing.

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
        connection.row_factory = sqlite3.Row
        self.tables: dict[str, list[Row]] = {name: self._rows(name) for name in tables()}
        self.references = {row["reference_id"]: row for row in self.tables["reference"]}
        self.about: Row = next(iter(self._rows("release")), {})
        self._products = {row["product_key"]: row for row in self.tables["product"]}
        self._by_target = {name: self._group(name) for name in tables() if "target_id" in tables()[name].names}

    def query(self, sql: str, **parameters: Any) -> list[Row]:
        """The rows that `sql` gives, as mappings from column to value."""
        return [dict(row) for row in self._connection.execute(sql, parameters)]

    def of_target(self, table: str, target_id: str) -> list[Row]:
        """The rows of one table that belong to one target."""
        return self._by_target[table].get(target_id, [])

    def products(self, target_id: str) -> list[Row]:
        """Files of one target: those that say so, and those that its rows point to."""
        keys = dict.fromkeys(
            row["product_key"]
            for table in ("product", "observation", "reduction")
            for row in self.of_target(table, target_id)
        )
        return [self._products[key] for key in keys if key in self._products]

    def count(self, table: str) -> int:
        """How many rows a table has."""
        return len(self.tables[table])

    def citation(self, reference_id: str | None) -> str:
        """How one cites a reference; empty when there is none."""
        return str(self.references.get(reference_id or "", {}).get("citation") or reference_id or "")

    def _rows(self, name: str) -> list[Row]:
        """All rows of a table; none when the release does not hold it."""
        there = self._connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (name,)).fetchone()
        return self.query(f'SELECT * FROM "{name}"') if there else []  # the name is one of ours

    def _group(self, name: str) -> dict[str, list[Row]]:
        grouped: dict[str, list[Row]] = defaultdict(list)
        for row in self.tables[name]:
            if row["target_id"]:
                grouped[row["target_id"]].append(row)
        return dict(grouped)


@contextmanager
def opened(folder: Path) -> Iterator[Release]:
    """The release in `folder`.

    Raises
    ------
    NotFound
        If it has no `lyot.db`.
    """
    database = folder / "lyot.db"
    if not database.is_file():
        raise NotFound(f"{folder} holds no lyot.db", hint="bake the release first: lyot build")
    connection = sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)
    try:
        yield Release(folder, connection)
    finally:
        connection.close()
