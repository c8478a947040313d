"""Columns and tables: what each means, from which every other form of it is derived."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import Any, Literal

import pyarrow as pa
from astropy import units
from astropy.io.votable.ucd import parse_ucd
from pydantic import field_validator, model_validator

from lyot.declaration import Declaration

ColumnType = Literal["text", "int", "float", "bool", "date", "json"]

ARROW: dict[str, pa.DataType] = {
    "text": pa.string(),
    "int": pa.int64(),
    "float": pa.float64(),
    "bool": pa.bool_(),
    "date": pa.string(),  # ISO 8601, UTC
    "json": pa.string(),
}
SQL: dict[str, str] = {
    "text": "VARCHAR", "int": "BIGINT", "float": "DOUBLE", "bool": "BOOLEAN", "date": "VARCHAR", "json": "VARCHAR"
}


class Column(Declaration):
    """A name that means one thing everywhere, with its unit and one sentence.

    `unit` is in VOUnit spelling, checked by astropy; `ucd` is of UCD1+, checked against the IVOA vocabulary.
    A column with `error=True` has a companion `<name>_error` (1σ, same unit), made by `with_errors`.
    """

    name: str
    type: ColumnType
    doc: str
    unit: str = ""
    ucd: str = ""
    required: bool = False
    limits: tuple[float, float] | None = None
    choices: tuple[str, ...] = ()
    references: str = ""  # "table.column" it points to

    @field_validator("unit")
    @classmethod
    def _unit_exists(cls, unit: str) -> str:
        if unit:
            units.Unit(unit, format="vounit")
        return unit

    @field_validator("ucd")
    @classmethod
    def _ucd_exists(cls, ucd: str) -> str:
        if ucd:
            parse_ucd(ucd, check_controlled_vocabulary=True)
        return ucd

    def error(self) -> Column:
        """The column of its 1σ error."""
        return Column(
            name=f"{self.name}_error",
            type="float",
            unit=self.unit,
            ucd=f"stat.error;{self.ucd}" if self.ucd else "stat.error",
            doc=f"1σ error of {self.name}",
            limits=(0.0, float("inf")),
        )


def measured(name: str, doc: str, *, unit: str = "", ucd: str = "", **more: Any) -> tuple[Column, Column]:
    """A measured number and its 1σ error: nothing is measured without its error column."""
    column = Column(name=name, type="float", doc=doc, unit=unit, ucd=ucd, **more)
    return column, column.error()


class Table(Declaration):
    """A name, one sentence, a key, and columns in the order people read them."""

    name: str
    doc: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    derived: bool = False  # made at build, never by a job or an import

    @model_validator(mode="after")
    def _whole(self) -> Table:
        names = [column.name for column in self.columns]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"table {self.name} has {', '.join(sorted(twice))} twice")
        missing = set(self.key) - set(names)
        if missing:
            raise ValueError(f"table {self.name} has no column {', '.join(sorted(missing))} for its key")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """The column of that name."""
        return next(column for column in self.columns if column.name == name)

    def arrow_schema(self) -> pa.Schema:
        """Arrow schema; unit, UCD and description in the metadata of each field."""
        return pa.schema(
            [
                pa.field(
                    c.name,
                    ARROW[c.type],
                    metadata={k: v for k, v in (("unit", c.unit), ("ucd", c.ucd), ("description", c.doc)) if v},
                )
                for c in self.columns
            ],
            metadata={"description": self.doc},
        )

    def rows(self, rows: list[dict[str, Any]]) -> pa.Table:
        """Rows given as mappings, as an Arrow table of this schema; what a row does not say is null.

        Raises
        ------
        ValueError
            If a row names a column that the table does not have.
        """
        for row in rows:
            unknown = set(row) - set(self.names)
            if unknown:
                raise ValueError(f"table {self.name} has no column {', '.join(sorted(unknown))}")
        return pa.Table.from_pylist([{name: row.get(name) for name in self.names} for row in rows], self.arrow_schema())

    def create(self) -> str:
        """`CREATE TABLE` for DuckDB."""
        lines = [f'"{c.name}" {SQL[c.type]}' for c in self.columns]
        return f'CREATE TABLE "{self.name}" ({", ".join(lines)})'


@cache
def tables() -> dict[str, Table]:
    """Every table by name: what the modules of `catalog/tables/` declare."""
    package = importlib.import_module("lyot.catalog.tables")
    found: dict[str, Table] = {}
    for module in sorted(info.name for info in pkgutil.iter_modules(package.__path__)):
        for value in vars(importlib.import_module(f"lyot.catalog.tables.{module}")).values():
            if isinstance(value, Table):
                found[value.name] = value
    return found
