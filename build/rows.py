"""Rows between DuckDB and Python."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import duckdb
import pyarrow as pa

from lyot.catalog.table import Table

Row = dict[str, Any]

_AT_ONCE = 10_000


def read(
    connection: duckdb.DuckDBPyConnection, query: str, values: Mapping[str, Any] | None = None
) -> Iterator[Row]:
    """The rows of a query as mappings; no other query may run meanwhile."""
    cursor = connection.execute(query, values)
    names = [column[0] for column in cursor.description]
    while batch := cursor.fetchmany(_AT_ONCE):
        yield from (dict(zip(names, row, strict=True)) for row in batch)


def insert(connection: duckdb.DuckDBPyConnection, table: Table, rows: list[Row]) -> None:
    """Add rows to a table of the catalogue."""
    connection.register("_values", table.rows(rows))
    connection.execute(f'INSERT INTO "{table.name}" BY NAME FROM _values')
    connection.unregister("_values")


def columns(connection: duckdb.DuckDBPyConnection, query: str) -> dict[str, pa.ChunkedArray]:
    """The rows of a query as columns, by name."""
    found = connection.sql(query).to_arrow_table()
    return dict(zip(found.column_names, found.columns, strict=True))
