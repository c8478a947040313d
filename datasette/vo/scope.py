"""Which columns can be seen where in a query, and values made of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sqlglot import exp

from lyot.datasette.vo.dialect import QueryError
from lyot.datasette.vo.schema import Field, Relation, Schema, nearest

MOST_TABLES = 32  # of one query, subqueries and all


@dataclass(frozen=True)
class Value:
    """A piece of SQLite's SQL and what it gives.

    `number` is its value where the query gives it as a number; `shape` is the name of the geometric function it was
    made by and `parts` what that was given; `free` are the columns in it that no aggregate holds.
    """

    sql: str
    field: Field
    number: float | None = None
    shape: str = ""
    parts: tuple[Value, ...] = ()
    free: frozenset[str] = frozenset()
    aggregate: bool = False
    is_column: bool = False


@dataclass(frozen=True)
class Source:
    """A table of FROM under the name it goes by there; `schema` is that of its own name, if it has no other."""

    alias: str
    fields: tuple[Field, ...]
    schema: str = ""


Compiled = tuple[str, tuple[Field, ...]]


@dataclass
class Scope:
    """What the expressions of one SELECT can see."""

    schema: Schema
    query: Callable[[exp.Expr, Scope], Compiled]  # compiles a subquery that sees this scope
    common: dict[str, Relation] = field(default_factory=dict)  # tables of WITH
    outer: Scope | None = None
    sources: list[Source] = field(default_factory=list)
    merged: set[str] = field(default_factory=set)  # columns that USING or NATURAL made one of two
    grouped: frozenset[str] = frozenset()
    count: list[int] = field(default_factory=lambda: [0])  # tables so far, of the whole query

    def inner(self) -> Scope:
        """The scope of a subquery."""
        return Scope(self.schema, self.query, dict(self.common), self, count=self.count)

    def add(self, source: Source, node: exp.Expr) -> None:
        """One more table of FROM."""
        self.count[0] += 1
        if self.count[0] > MOST_TABLES:
            raise QueryError(f"more than {MOST_TABLES} tables in one query", node)
        if any(one.alias.lower() == source.alias.lower() for one in self.sources):
            raise QueryError(f"two tables are called {source.alias}", node, hint="give one another name with AS")
        self.sources.append(source)

    def table(self, node: exp.Table) -> Relation:
        """The table that a name means."""
        parts = [part.name for part in node.parts]
        name = ".".join(parts)
        if len(parts) == 1 and name.lower() in self.common:
            return self.common[name.lower()]
        found = self.schema.find(name) if len(parts) <= 2 else None
        if found is None:
            known = [relation.name for relation in self.schema.relations] + list(self.common)
            shorts = [relation.short for relation in self.schema.relations]
            hint = nearest(name, known) or nearest(parts[-1], shorts)
            raise QueryError(f"there is no table {name}", node, hint=hint or "TAP_SCHEMA.tables lists them")
        return found

    def column(self, node: exp.Column) -> Value:
        """The column that a name means, here or in a query around this one."""
        name, table, schema = node.name, node.table, node.db
        scope: Scope | None = self
        while scope is not None:
            found = scope.here(name, table, schema)
            distinct = {source.alias for source, _ in found}
            if len(distinct) > 1 and not (name.lower() in scope.merged and not table):
                where = " and ".join(sorted(distinct))
                raise QueryError(f"column {name} is in {where}", node, hint="write which: table.column")
            if found:
                source, field_ = found[0]
                found_value = scope.value(source, field_, qualified=not (name.lower() in scope.merged and not table))
                # of a query around this one a column is a constant here
                return found_value if scope is self else replace(found_value, free=frozenset())
            scope = scope.outer
        raise self._unknown(node)

    def here(self, name: str, table: str, schema: str) -> list[tuple[Source, Field]]:
        """Columns of that name among the tables of this scope alone."""
        return [
            (source, field_)
            for source in self.sources
            if not table or source.alias.lower() == table.lower()
            if not schema or source.schema.lower() == schema.lower()
            for field_ in source.fields
            if field_.name.lower() == name.lower()
        ]

    def value(self, source: Source, field_: Field, *, qualified: bool = True) -> Value:
        """A column as a value."""
        sql = f"{quoted(source.alias)}.{quoted(field_.name)}" if qualified else quoted(field_.name)
        return Value(sql, field_, free=frozenset() if sql in self.grouped else frozenset({sql}), is_column=True)

    def _unknown(self, node: exp.Column) -> QueryError:
        tables = [source.alias for source in self.sources]
        if node.table and node.table.lower() not in (alias.lower() for alias in tables):
            return QueryError(f"no table of FROM is called {node.table}", node, hint=nearest(node.table, tables))
        of = [source for source in self.sources if not node.table or source.alias.lower() == node.table.lower()]
        hint = nearest(node.name, (field_.name for source in of for field_ in source.fields))
        where = ", ".join(source.alias for source in of) or "FROM"
        return QueryError(f"there is no column {node.name} in {where}", node, hint=hint)


def quoted(name: str) -> str:
    """An identifier of SQL."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """A text of SQL."""
    return "'" + value.replace("'", "''") + "'"


def only(node: exp.Expr, *known: str) -> None:
    """Refuse a node that says more than what `known` names: what we do not read must not be lost in silence."""
    for name, value in node.args.items():
        if value and name not in known:
            word = name.strip("_").replace("_", " ").upper()
            raise QueryError(f"{word} of {node.key.upper()} is not part of ADQL", value if _has_place(value) else node)


def _has_place(value: object) -> bool:
    return isinstance(value, exp.Expr) and any("line" in one.meta for one in value.walk())
