"""ADQL 2.1 to SQLite: the one door. What comes out reads known tables and calls known functions, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from lyot.datasette.vo.dialect import QueryError, parse
from lyot.datasette.vo.query import query
from lyot.datasette.vo.schema import Field, Schema
from lyot.datasette.vo.scope import Scope


@dataclass(frozen=True)
class Translated:
    """A query as SQLite takes it, and the columns that come of it."""

    sql: str
    fields: tuple[Field, ...]


def translate(text: str, schema: Schema) -> Translated:
    """An ADQL query as SQL for SQLite.

    Parameters
    ----------
    text : str
        One SELECT of ADQL 2.1 (IVOA Recommendation, December 2023).
    schema : Schema
        The tables it may read.

    Raises
    ------
    QueryError
        If it is anything else; says where and why, and what was perhaps meant.
    """
    tree = parse(text)
    try:
        sql, fields = query(tree, Scope(schema, query))
    except RecursionError as error:
        raise QueryError("the query is nested too deeply") from error
    return Translated(sql, fields)
