"""What a query may ask of: tables and columns, as TAP_SCHEMA in the baked database says, and uploaded ones."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches


@dataclass(frozen=True)
class Field:
    """A column of a table or of a result, in the words of VOTable; `arraysize` is empty for a single number."""

    name: str
    datatype: str = "unicodeChar"
    arraysize: str = ""
    unit: str = ""
    ucd: str = ""
    utype: str = ""
    xtype: str = ""
    doc: str = ""

    @property
    def is_text(self) -> bool:
        """Whether values are text."""
        return self.datatype in ("char", "unicodeChar")

    @property
    def is_whole(self) -> bool:
        """Whether values are whole numbers."""
        return self.datatype in ("short", "int", "long", "unsignedByte", "boolean")

    def named(self, name: str) -> Field:
        """The same column under another name."""
        return replace(self, name=name)


@dataclass(frozen=True)
class Relation:
    """A table: its name in ADQL, its name in SQLite, its columns."""

    name: str
    physical: str
    fields: tuple[Field, ...] = field(repr=False)

    @property
    def short(self) -> str:
        """Name without that of the schema."""
        return self.name.rpartition(".")[2]


@dataclass(frozen=True)
class Schema:
    """Tables by their name in ADQL."""

    relations: tuple[Relation, ...]

    def find(self, name: str) -> Relation | None:
        """The table of that name, with or without its schema, whatever its case."""
        low = name.lower()
        exact = [relation for relation in self.relations if relation.name.lower() == low]
        short = [relation for relation in self.relations if relation.short.lower() == low]
        return next(iter(exact or short), None)

    def with_(self, more: Iterable[Relation]) -> Schema:
        """The same, with some more tables."""
        return Schema((*self.relations, *more))


def load(connection: sqlite3.Connection) -> Schema:
    """The schema that a baked database says it has."""
    columns: dict[str, list[Field]] = {}
    for table, name, *rest in connection.execute(
        "SELECT table_name, column_name, datatype, arraysize, unit, ucd, utype, xtype, description "
        "FROM tap_schema_columns ORDER BY table_name, column_index"
    ):
        columns.setdefault(table, []).append(Field(name.strip('"'), *(value or "" for value in rest)))
    return Schema(tuple(Relation(name, physical(name), tuple(fields)) for name, fields in columns.items()))


def physical(name: str) -> str:
    """Name of a table in SQLite: in the catalogue its own, in the standards its schema's before it."""
    schema, _, table = name.partition(".")
    return table if schema == "lyot" else f"{schema}_{table}".lower()


def nearest(name: str, known: Iterable[str]) -> str:
    """Words that suggest the known name most like `name`; nothing if none is."""
    names: Mapping[str, str] = {one.lower(): one for one in known}
    found = get_close_matches(name.lower(), list(names), n=1, cutoff=0.6)
    return f"did you mean {names[found[0]]}?" if found else ""
