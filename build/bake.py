"""Bake a checked catalogue: a DuckDB, an SQLite with full-text search, and Parquet files, all read-only from then on.

Every file is written anew from the rows that are to be in it: a database out of which rows were deleted still holds
them in its free pages.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import adbc_driver_sqlite.dbapi as adbc
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from lyot.catalog import tap_schema
from lyot.catalog.indices import has_full_key, indices
from lyot.catalog.metadata import DATABASE, INSPECTED
from lyot.catalog.table import Column, Table, tables

SQLITE = {"text": "TEXT", "int": "INTEGER", "float": "REAL", "bool": "INTEGER", "date": "TEXT", "json": "TEXT"}
#: Rows of a Parquet row group: what a filter on one target or position must read at least.
ROW_GROUP = 16_384
_UNSAFE = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"  # a half database is thrown away whole
_CACHE = 262_144  # kB: what is indexed is sorted in memory


def bake(
    connection: duckdb.DuckDBPyConnection, folder: Path, about: dict[str, Any], check: Callable[[], object]
) -> dict[str, int]:
    """Write `lyot.duckdb`, `lyot.db` with its `inspect.json`, and `parquet/`; the number of rows of each table.

    Parameters
    ----------
    connection : DuckDB connection
        Holds the consolidated tables; their rows are put in the order of the release.
    folder : Path
        An empty folder.
    about : names and values
        What the release says of itself: the one row of its table `release`.
    check : what raises if the tables are not sound
        It is asked while SQLite writes; if it raises, what was written so far is of no use.
    """
    for table in tables().values():  # once: each of the three reads them in this order
        connection.execute(f"CREATE OR REPLACE TABLE {_name(table.name)} AS {_sorted(table)}")
    with ThreadPoolExecutor(1) as pool:  # SQLite writes with one core; the others meanwhile
        lite = pool.submit(bake_sqlite, connection.cursor(), folder / "lyot.db", about)
        check()
        bake_duckdb(connection, folder / "lyot.duckdb", about)
        (folder / "parquet").mkdir()
        for table in tables().values():
            bake_parquet(connection, table, folder / "parquet" / f"{table.name}.parquet")
        lite.result()
    return {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchall()[0][0] for name in tables()}


def bake_duckdb(connection: duckdb.DuckDBPyConnection, path: Path, about: dict[str, Any]) -> None:
    """All tables as a DuckDB database; descriptions and units are its comments."""
    connection.execute(f"ATTACH '{_quoted(path)}' AS baked; BEGIN")
    for table in tables().values():
        connection.execute(f'CREATE TABLE baked."{table.name}" AS FROM {_name(table.name)}')
        connection.execute(f"COMMENT ON TABLE baked.\"{table.name}\" IS '{_quoted(table.doc)}'")
        for column in table.columns:
            text = _quoted(f"{column.doc} [{column.unit}]" if column.unit else column.doc)
            connection.execute(f"COMMENT ON COLUMN baked.\"{table.name}\".\"{column.name}\" IS '{text}'")
    for name, values in (("column_description", _descriptions()), ("release", pa.Table.from_pylist([about]))):
        connection.register("_values", values)
        connection.execute(f"CREATE TABLE baked.{name} AS FROM _values")
        connection.unregister("_values")
    connection.execute("COMMIT; DETACH baked")


def bake_parquet(connection: duckdb.DuckDBPyConnection, table: Table, path: Path) -> None:
    """One table as a Parquet file: units and descriptions in its fields."""
    schema = table.arrow_schema()
    words = [column.name for column in table.columns if column.type != "float"]  # numbers seldom come twice
    with pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=words) as writer:
        for batch in _batches(connection, f"FROM {_name(table.name)}"):
            writer.write_table(pa.Table.from_batches([batch]).cast(schema), row_group_size=ROW_GROUP)


def bake_sqlite(connection: duckdb.DuckDBPyConnection, path: Path, about: dict[str, Any]) -> None:
    """All tables as an SQLite database with keys, indices, descriptions and full-text search."""
    with closing(sqlite3.connect(path)) as lite:
        lite.executescript(f"PRAGMA page_size = 8192; {_UNSAFE}")
        for table in tables().values():
            lite.execute(_create(table))
    with adbc.connect(str(path)) as target, target.cursor() as cursor:
        for table in tables().values():
            columns = ", ".join(_plain(column) for column in _filled(connection, table))
            for batch in _batches(connection, f"SELECT {columns} FROM {_name(table.name)}") if columns else ():
                cursor.adbc_ingest(table.name, batch, mode="append")
        cursor.adbc_ingest("column_description", _descriptions(), mode="create")
        cursor.adbc_ingest("release", pa.Table.from_pylist([about]), mode="create")
        target.commit()
    with closing(sqlite3.connect(path)) as lite:
        lite.executescript(f"{_UNSAFE} PRAGMA cache_size = -{_cache(lite)}; PRAGMA mmap_size = {2**40};")
        for table in tables().values():
            for statement in _indices(table):
                lite.execute(statement)
        lite.executescript(SEARCH)
        tap_schema.bake(lite)
        lite.executescript("PRAGMA analysis_limit = 1000; ANALYZE;")  # a thousand rows of each index tell enough
        lite.commit()
    path.with_name(INSPECTED).write_text(json.dumps({DATABASE: inspect(path)}, indent=1))


def _cache(lite: sqlite3.Connection) -> int:
    """Memory (kB) to index in: a process that serves, too, has bounded what SQLite may take of it."""
    bound = int(lite.execute("PRAGMA hard_heap_limit").fetchone()[0])  # bytes; 0: none
    return min(_CACHE, bound // 4096) if bound else _CACHE


def inspect(path: Path) -> dict[str, Any]:
    """What Datasette would find out at every start: digest and size of a database, and the rows of its tables."""
    with closing(sqlite3.connect(path)) as lite:
        names = [name for (name,) in lite.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
                 if not name.startswith(("sqlite_", "target_fts"))]  # fmt: skip
        counts = {name: lite.execute(f"SELECT count(*) FROM {_name(name)}").fetchone()[0] for name in names}
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    tables_ = {name: {"count": count} for name, count in counts.items()}
    return {"hash": digest, "size": path.stat().st_size, "file": path.name, "tables": tables_}


#: Names of a star, of its companions, and every alias; `rowid` is that of the target.
SEARCH = """
CREATE VIRTUAL TABLE target_fts USING fts5(
    name, aliases, companions, content = '', prefix = '2 3', tokenize = "unicode61 remove_diacritics 2"
);
INSERT INTO target_fts (rowid, name, aliases, companions)
SELECT rowid, name || ' ' || target_id,
    (SELECT group_concat(alias, ' · ') FROM target_alias a WHERE a.target_id = target.target_id),
    (SELECT group_concat(name, ' · ') FROM companion c WHERE c.target_id = target.target_id)
FROM target;
"""


def _create(table: Table) -> str:
    """`CREATE TABLE` for SQLite. A key that may be partly null is an index only: SQLite could not hold it as one."""
    lines = [f'"{c.name}" {SQLITE[c.type]}{" NOT NULL" if c.required else ""}' for c in table.columns]
    if has_full_key(table):
        lines.append(f"PRIMARY KEY ({', '.join(_name(name) for name in table.key)})")
    for column in table.columns:
        if column.references:
            other, field = column.references.split(".")
            lines.append(f"FOREIGN KEY ({_name(column.name)}) REFERENCES {_name(other)} ({_name(field)})")
    return f"CREATE TABLE {_name(table.name)} ({', '.join(lines)})"


def _indices(table: Table) -> Iterator[str]:
    """Of rows that point nowhere an index knows nothing: nobody joins by them."""
    for name, columns in indices(table):
        first = table.column(columns[0])
        known = f" WHERE {_name(first.name)} IS NOT NULL" if first.references and not first.required else ""
        yield f"CREATE INDEX {_name(name)} ON {_name(table.name)} ({', '.join(map(_name, columns))}){known}"


def _descriptions() -> pa.Table:
    """What every column of every table means: the dictionary that travels with the data."""
    return pa.Table.from_pylist(
        [
            {
                "table_name": table.name,
                "column_name": column.name,
                "type": column.type,
                "unit": column.unit or None,
                "ucd": column.ucd or None,
                "description": column.doc,
                "points_to": column.references or None,
            }
            for table in tables().values()
            for column in table.columns
        ]
    )


def _sorted(table: Table) -> str:
    """Query of the rows in the order of the release: targets by declination, the rest by target, then by key."""
    first = ["dec", "ra"] if table.name == "target" else ["target_id"] if "target_id" in table.names else []
    order = ", ".join(_name(name) for name in dict.fromkeys((*first, *table.key)))
    return f"FROM {_name(table.name)} ORDER BY {order}"


def _filled(connection: duckdb.DuckDBPyConnection, table: Table) -> list[Column]:
    """The columns in which some row has a value: a null is what SQLite puts into the others by itself."""
    counts = ", ".join(f"count({_name(column.name)})" for column in table.columns)
    (found,) = connection.execute(f"SELECT {counts} FROM {_name(table.name)}").fetchall()
    return [column for column, count in zip(table.columns, found, strict=True) if count]


def _plain(column: Column) -> str:
    """A column as SQLite stores it: it has no booleans."""
    return f"{_name(column.name)}::BIGINT AS {_name(column.name)}" if column.type == "bool" else _name(column.name)


def _batches(connection: duckdb.DuckDBPyConnection, query: str) -> Iterator[pa.RecordBatch]:
    yield from pa.RecordBatchReader.from_stream(connection.sql(query))


def _name(name: str) -> str:
    return f'"{name}"'


def _quoted(text: object) -> str:
    return str(text).replace("'", "''")
