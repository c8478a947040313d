"""Checks of a consolidated catalogue: conditions and queries that must each find no row."""

from __future__ import annotations

import math
from collections.abc import Iterator
from importlib.resources import files
from typing import NamedTuple

import duckdb

from lyot.build.visible import Audience
from lyot.catalog.release import public_sql
from lyot.catalog.table import Column, Table, tables
from lyot.errors import BadInput

#: Rows that an error message names of each check that fails.
SHOWN = 3


class Condition(NamedTuple):
    """What no row of a table may be: `name` in words, `where` in SQL."""

    name: str
    column: str
    where: str


def check(connection: duckdb.DuckDBPyConnection, audience: Audience) -> int:
    """Run every check on the tables in `connection`; how many there were.

    Raises
    ------
    BadInput
        If any finds rows: names each such check and its first rows.
    """
    queries = {**dict(written()), **dict(across_rows()), **dict(rights(audience))}
    count = len(queries)
    for table in tables().values():  # one look at a table says which of its conditions have rows
        conditions = list(of_each_row(table))
        counts = ", ".join(f"count(*) FILTER (WHERE {one.where})" for one in conditions)
        numbers = connection.execute(f'SELECT {counts} FROM "{table.name}" t').fetchall()[0]
        failing = [one for one, number in zip(conditions, numbers, strict=True) if number]
        queries |= {one.name: _rows(table, one.column, one.where) for one in failing}
        count += len(conditions)
    broken = [words for name, query in queries.items() if (words := _found(connection, name, query))]
    if broken:
        raise BadInput(
            f"the catalogue fails {len(broken)} of {count} checks: " + " | ".join(broken),
            hint="correct the source of these rows and import it again; nothing was published",
        )
    return count


def of_each_row(table: Table) -> Iterator[Condition]:
    """What the columns of a table declare of each value: required, finite, within limits, one of the choices."""
    for column in table.columns:
        name, value = f"{table.name}.{column.name}", f't."{column.name}"'
        if column.required:
            yield Condition(f"{name} is missing", column.name, f"{value} IS NULL")
        if column.type == "float":
            yield Condition(f"{name} is not finite", column.name, f"NOT isfinite({value})")
        if column.limits:
            yield Condition(f"{name} is out of limits", column.name, _outside(column, value))
        if column.choices:
            choices = ", ".join(f"'{choice}'" for choice in column.choices)
            yield Condition(f"{name} is no choice", column.name, f"{value} NOT IN ({choices})")
        if column.name.endswith("_error") and column.name.removesuffix("_error") in table.names:
            measured = f't."{column.name.removesuffix("_error")}"'
            yield Condition(f"{name} is the error of no value", column.name, f"{value} >= 0 AND {measured} IS NULL")


def across_rows() -> Iterator[tuple[str, str]]:
    """Name and query of what the tables declare of rows together: keys are unique, references lead somewhere."""
    for table in tables().values():
        key = ", ".join(f'"{name}"' for name in table.key)
        yield (
            f"{table.name} has a row twice",
            f'SELECT {key}, count(*) AS rows FROM "{table.name}" GROUP BY {key} HAVING count(*) > 1',
        )
        for column in table.columns:
            if column.references:
                other, field = column.references.split(".")
                value = f't."{column.name}"'
                orphan = f'{value} IS NOT NULL AND {value} NOT IN (SELECT "{field}" FROM "{other}")'
                yield f"{table.name}.{column.name} points nowhere", _rows(table, column.name, orphan)


def written() -> Iterator[tuple[str, str]]:
    """Name and query of each file of `checks/`: its first line, a comment, is its name."""
    for file in sorted(files("lyot.build").joinpath("checks").iterdir(), key=lambda file: file.name):
        if file.name.endswith(".sql"):
            text = file.read_text(encoding="utf-8")
            yield text.splitlines()[0].removeprefix("-- "), text.rstrip().rstrip(";")


def rights(audience: Audience) -> Iterator[tuple[str, str]]:
    """Name and query of what the audience may not see."""
    for table in tables().values():
        if "release_date" not in table.names:
            continue
        hidden = f"NOT {public_sql(audience.as_of, audience.with_simulated, 't', 'w')}"
        if audience.workspace is not None:
            hidden += f" AND t.workspace <> '{audience.workspace}'"
        private = _rows(table, "release_date", hidden, "t LEFT JOIN workspace w USING (workspace)")
        yield f"{table.name} has private rows", private
        if not audience.with_simulated:
            yield f"{table.name} has simulated rows", _rows(table, "simulated", "t.simulated")


def _outside(column: Column, value: str) -> str:
    low, high = column.limits or (-math.inf, math.inf)
    bounds = [f"{value} < {low}"] if math.isfinite(low) else []
    if math.isfinite(high):
        bounds.append(f"{value} > {high}")
    return f"({' OR '.join(bounds)})"


def _found(connection: duckdb.DuckDBPyConnection, name: str, query: str) -> str:
    """A sentence with the first rows that a query finds; empty when it finds none."""
    cursor = connection.execute(f"SELECT * FROM ({query}) LIMIT {SHOWN + 1}")
    columns = [column[0] for column in cursor.description]
    rows = cursor.fetchall()
    if not rows:
        return ""
    words = [", ".join(f"{c} = {value}" for c, value in zip(columns, row, strict=True)) for row in rows[:SHOWN]]
    return f"{name}: {'; '.join(words)}{' …' if len(rows) > SHOWN else ''}"


def _rows(table: Table, column: str, condition: str, joined: str = "t") -> str:
    names = ", ".join(f't."{name}"' for name in dict.fromkeys((*table.key, column)))
    return f'SELECT {names} FROM "{table.name}" {joined} WHERE {condition}'
