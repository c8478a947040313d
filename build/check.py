"""Checks of a consolidated catalogue: queries that must each return no row."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files

import duckdb

from lyot.build.visible import Audience
from lyot.catalog.release import public_sql
from lyot.catalog.table import Table, tables
from lyot.errors import BadInput

#: Rows that an error message names of each check that fails.
SHOWN = 3


def check(connection: duckdb.DuckDBPyConnection, audience: Audience) -> int:
    """Run every check on the tables in `connection`; the number of checks that were run.

    Raises
    ------
    BadInput
        If a check returns rows: names the check and the first rows of each.
    """
    broken = []
    queries = {**dict(declared()), **dict(written()), **dict(rights(audience))}
    for name, query in queries.items():
        found = connection.sql(f"SELECT * FROM ({query}) LIMIT {SHOWN + 1}")
        rows = found.fetchall()
        if rows:
            shown = "; ".join(_words(found.columns, row) for row in rows[:SHOWN])
            broken.append(f"{name}: {shown}{' …' if len(rows) > SHOWN else ''}")
    if broken:
        raise BadInput(
            f"the catalogue fails {len(broken)} of {len(queries)} checks: " + " | ".join(broken),
            hint="correct the source of these rows and import it again; nothing was published",
        )
    return len(queries)


def declared() -> Iterator[tuple[str, str]]:
    """Name and query of what the tables declare: keys, required values, limits, choices, references."""
    for table in tables().values():
        key = ", ".join(f'"{name}"' for name in table.key)
        yield (
            f"{table.name} has a row twice",
            f'SELECT {key}, count(*) AS rows FROM "{table.name}" GROUP BY {key} HAVING count(*) > 1',
        )
        for column in table.columns:
            name = f't."{column.name}"'
            if column.required:
                yield f"{table.name}.{column.name} is missing", _rows(table, column.name, f"{name} IS NULL")
            if column.limits:
                low, high = column.limits
                bounds = f"{name} < {low}" + (f" OR {name} > {high}" if high != float("inf") else "")
                yield f"{table.name}.{column.name} is out of limits", _rows(table, column.name, bounds)
            if column.type == "float":
                yield (
                    f"{table.name}.{column.name} is not finite",
                    _rows(table, column.name, f"isnan({name}) OR isinf({name})"),
                )
            if column.choices:
                choices = ", ".join(f"'{choice}'" for choice in column.choices)
                others = _rows(table, column.name, f"{name} NOT IN ({choices})")
                yield f"{table.name}.{column.name} is no choice", others
            if column.references:
                other, field = column.references.split(".")
                orphan = f'{name} IS NOT NULL AND {name} NOT IN (SELECT "{field}" FROM "{other}")'
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


def _rows(table: Table, column: str, condition: str, joined: str = "t") -> str:
    names = ", ".join(f't."{name}"' for name in dict.fromkeys((*table.key, column)))
    return f'SELECT {names} FROM "{table.name}" {joined} WHERE {condition}'


def _words(columns: list[str], row: tuple[object, ...]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in zip(columns, row, strict=True))
