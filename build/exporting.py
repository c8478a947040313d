"""Rows of a release out again, as the documents that `lyot import` reads."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import duckdb

from lyot.build.rows import read
from lyot.catalog.exporting import csv_of, document_of
from lyot.catalog.names import dictionary
from lyot.catalog.table import tables
from lyot.errors import NotFound, Unprocessable
from lyot.store import Store

Rows = dict[str, list[dict[str, Any]]]

#: Tables whose rows are not of one target: those that the others point to are taken.
_SHARED = {"survey": "survey_id", "reference": "reference_id"}


def rows_of_release(folder: Path, target: str | None = None) -> Rows:
    """The rows of a release, of one target (by any of its names) or of all.

    Raises
    ------
    NotFound
        If there is no such release, or it knows no target of that name.
    """
    path = folder / "lyot.duckdb"
    if not path.is_file():
        raise NotFound(f"there is no release in {folder}", hint="`lyot build` makes one")
    with duckdb.connect(str(path), read_only=True) as connection:
        target_id = None if target is None else _target(connection, target)
        found = {name: _rows(connection, name, target_id) for name in tables() if name not in _SHARED}
        for name, key in _SHARED.items():  # surveys first: they have references too
            wanted = {row.get(key) for rows in found.values() for row in rows}
            found[name] = [row for row in _rows(connection, name, None) if target_id is None or row[key] in wanted]
    return found


def json_of_release(folder: Path, target: str | None = None) -> str:
    """The hierarchical document (`catalog.exchange`)."""
    return json.dumps(document_of(rows_of_release(folder, target)), indent=1, ensure_ascii=False, allow_nan=False)


def csv_of_release(folder: Path, target: str | None = None) -> str:
    """Detections as a flat table (`catalog.flat`)."""
    return csv_of(rows_of_release(folder, target))


def files_of_release(store: Store, folder: Path, into: Path, target: str | None = None) -> list[Path]:
    """Copy the HCI-FITS files of the released reductions into a folder; what is there already stays.

    Raises
    ------
    Unprocessable
        If a file in the store is not the one that was released.
    """
    written = []
    for row in rows_of_release(folder, target)["product"]:
        if row["kind"] != "reduction" or not row["path"]:
            continue
        data = bytes(store.fs.cat_file(store.path(row["path"])))
        if hashlib.sha256(data).hexdigest() != row["sha256"]:
            raise Unprocessable(f"{row['path']} is not the file that was released: its SHA-256 differs")
        path = into / str(row["path"]).replace("/", "_")
        into.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        written.append(path)
    return written


def _target(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    targets = list(read(connection, "SELECT target_id, name FROM target"))
    if any(row["target_id"] == name for row in targets):
        return name
    return dictionary(targets, list(read(connection, "SELECT target_id, alias FROM target_alias"))).resolve(name)


def _rows(connection: duckdb.DuckDBPyConnection, table: str, target_id: str | None) -> list[dict[str, Any]]:
    """Rows of one table, in the order of its key."""
    declared = tables()[table]
    if target_id is not None and "target_id" not in declared.names:
        return []
    if not connection.execute("FROM duckdb_tables() WHERE table_name = ?", [table]).fetchone():
        return []  # the release was baked before this table was declared
    where = "" if target_id is None else "WHERE target_id = $target"
    order = ", ".join(f'"{name}"' for name in declared.key)
    cursor = connection.execute(f'FROM "{table}" {where} ORDER BY {order}', {"target": target_id} if where else {})
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
