"""Values and conditions of ADQL as SQL for SQLite: what is not in the tables below is not ADQL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sqlglot import exp

from lyot.datasette.vo import near
from lyot.datasette.vo.call import call
from lyot.datasette.vo.dialect import Query, QueryError
from lyot.datasette.vo.schema import Field
from lyot.datasette.vo.scope import Scope, Value, only, text

DOUBLE, LONG, TEXT = Field("", "double"), Field("", "long"), Field("", "unicodeChar", "*")
STAMP = Field("", "char", "*", xtype="timestamp")

ARITHMETIC = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/"}
COMPARISONS = {exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">="}
#: Names of types, the type in SQLite, and the column that comes of it.
CASTS = {
    "SMALLINT": ("INTEGER", Field("", "short")),
    "INT": ("INTEGER", Field("", "int")),
    "BIGINT": ("INTEGER", LONG),
    "FLOAT": ("REAL", Field("", "float")),
    "DOUBLE": ("REAL", DOUBLE),
    "CHAR": ("TEXT", TEXT),
    "VARCHAR": ("TEXT", TEXT),
    "TIMESTAMP": ("TEXT", STAMP),
}
NOT_ADQL: dict[type, str] = {
    exp.Case: "COALESCE may do",
    exp.Mod: "write MOD(a, b)",
    exp.Pow: "write POWER(a, b)",
    exp.Star: "* stands alone, or in COUNT(*)",
}


def value(node: exp.Expr, scope: Scope) -> Value:
    """An expression that gives a number, a text or a shape.

    Raises
    ------
    QueryError
        If it is not ADQL, or names what there is not.
    """
    for kind, compiled in _VALUES.items():
        if isinstance(node, kind):
            found = compiled(node, scope)
            return replace(found, free=frozenset()) if found.sql in scope.grouped else found
    if type(node) in (*COMPARISONS, exp.And, exp.Or, exp.Not, exp.In, exp.Like, exp.Is, exp.Between):
        raise QueryError("a condition stands where a value must", node)
    raise QueryError(f"{node.key.upper()} is not part of ADQL", node, hint=NOT_ADQL.get(type(node), ""))


def condition(node: exp.Expr, scope: Scope) -> Value:
    """An expression that is true or not.

    Raises
    ------
    QueryError
        If it is not ADQL, or names what there is not.
    """
    for kind, compiled in _CONDITIONS.items():
        if isinstance(node, kind):
            return compiled(node, scope)
    raise QueryError(
        "a value stands where a condition must", node, hint="a geometric function is compared: CONTAINS(…) = 1"
    )


def made(sql: str, field: Field, *of: Value) -> Value:
    """A value made of others."""
    return Value(
        sql, field, free=frozenset().union(*(one.free for one in of)), aggregate=any(one.aggregate for one in of)
    )


def _literal(node: exp.Literal, scope: Scope) -> Value:
    if node.is_string:
        return Value(text(node.this), TEXT)
    written = str(node.this)
    try:
        number = float(written)
    except ValueError as error:
        raise QueryError(f"{written[:40]} is not a number", node) from error
    if number == float("inf"):
        raise QueryError(f"{written[:40]} is larger than numbers can be", node)
    if written.isdigit() and int(written) < 2**63:
        return Value(str(int(written)), LONG, number)
    return Value(repr(number), DOUBLE, number)


def _column(node: exp.Column, scope: Scope) -> Value:
    if isinstance(node.this, exp.Star):
        raise QueryError("* stands alone, or in COUNT(*)", node)
    only(node, "this", "table", "db")
    return scope.column(node)


def _arithmetic(node: exp.Binary, scope: Scope) -> Value:
    only(node, "this", "expression", "typed", "safe")
    left, right = (_number(side, scope) for side in (node.left, node.right))
    field = LONG if left.field.is_whole and right.field.is_whole else DOUBLE
    return made(f"({left.sql} {ARITHMETIC[type(node)]} {right.sql})", field, left, right)


def _negative(node: exp.Neg, scope: Scope) -> Value:
    inner = _number(node.this, scope)
    number = None if inner.number is None else -inner.number
    return replace(made(f"(- {inner.sql})", inner.field.named(""), inner), number=number)


def _joined(node: exp.DPipe, scope: Scope) -> Value:
    sides = [value(side, scope) for side in (node.left, node.right)]
    return made(f"({sides[0].sql} || {sides[1].sql})", TEXT, *sides)


def _number(node: exp.Expr, scope: Scope) -> Value:
    found = value(node, scope)
    if found.field.is_text:
        raise QueryError("a text stands where a number must", node, hint="CAST(… AS DOUBLE PRECISION)")
    return found


def _bracket(node: exp.Paren, scope: Scope) -> Value:
    inner = value(node.this, scope)
    return replace(inner, sql=f"({inner.sql})", is_column=False)


def _scalar(node: exp.Subquery, scope: Scope) -> Value:
    only(node, "this")
    sql, fields = scope.query(node.this, scope.inner())
    if len(fields) != 1:
        raise QueryError(f"a subquery of {len(fields)} columns stands where one value must", node)
    return Value(f"({sql})", fields[0])


def _cast(node: exp.Cast, scope: Scope) -> Value:
    only(node, "this", "to")
    inner, kind = value(node.this, scope), node.args["to"]
    name = kind.this.name if hasattr(kind.this, "name") else str(kind.this)
    if not isinstance(kind, exp.DataType) or name not in CASTS:
        raise QueryError(f"there is no type {kind.sql()[:40]} to cast to", node, hint=f"one of {', '.join(CASTS)}")
    lite, field = CASTS[name]
    sql = f"CAST({inner.sql} AS {lite})"
    size = [one.name for one in kind.expressions]
    if size and (len(size) > 1 or not size[0].isdigit() or not field.is_text):
        raise QueryError(f"{kind.sql()[:40]} has a size that it cannot have", node)
    return made(f"substr({sql}, 1, {int(size[0])})" if size else sql, field, inner)


def _function(node: exp.Anonymous, scope: Scope) -> Value:
    return call(node, lambda argument: value(argument, scope))


def _logic(node: exp.Connector, scope: Scope) -> Value:
    """A chain of AND, or of OR, without descending once for each link of it."""
    kind, links = type(node), list[Value]()
    rest: list[exp.Expr] = [node]
    while rest:
        one = rest.pop()
        if type(one) is kind:
            rest += [one.right, one.left]
        else:
            links.append(condition(one, scope))
    word = " AND " if kind is exp.And else " OR "
    return made(f"({word.join(link.sql for link in links)})", LONG, *links)


def _not(node: exp.Not, scope: Scope) -> Value:
    inner = condition(node.this, scope)
    return made(f"(NOT {inner.sql})", LONG, inner)


def _condition_bracket(node: exp.Paren, scope: Scope) -> Value:
    inner = condition(node.this, scope)
    return made(f"({inner.sql})", LONG, inner)


def _comparison(node: exp.Binary, scope: Scope) -> Value:
    only(node, "this", "expression")
    left, right = value(node.left, scope), value(node.right, scope)
    sign = COMPARISONS[type(node)]
    _check_alike(node, left, right)
    found = near.comparison(left, sign, right)
    return made(found or f"({left.sql} {sign} {right.sql})", LONG, left, right)


def _check_alike(node: exp.Expr, left: Value, right: Value) -> None:
    if left.field.is_text != right.field.is_text:
        raise QueryError("a text is compared with a number", node, hint="CAST one of them")


def _between(node: exp.Between, scope: Scope) -> Value:
    only(node, "this", "low", "high")
    three = [value(node.args[name], scope) for name in ("this", "low", "high")]
    for limit in three[1:]:
        _check_alike(node, three[0], limit)
    return made("({} BETWEEN {} AND {})".format(*(one.sql for one in three)), LONG, *three)


def _in(node: exp.In, scope: Scope) -> Value:
    only(node, "this", "expressions", "query")
    tested = value(node.this, scope)
    query = node.args.get("query")
    if query is None:
        listed = [value(one, scope) for one in node.expressions]
        for one in listed:
            _check_alike(node, tested, one)
        return made(f"({tested.sql} IN ({', '.join(one.sql for one in listed)}))", LONG, tested, *listed)
    sql, fields = scope.query(query.this if isinstance(query, exp.Subquery) else query, scope.inner())
    if len(fields) != 1:
        raise QueryError(f"IN with a subquery of {len(fields)} columns; it must have one", node)
    return made(f"({tested.sql} IN ({sql}))", LONG, tested)


def _like(node: exp.Like | exp.ILike, scope: Scope) -> Value:
    only(node, "this", "expression")
    both = [value(side, scope) for side in (node.this, node.expression)]
    if not all(one.field.is_text for one in both):
        raise QueryError("LIKE compares texts", node)
    name = "adql_ilike" if isinstance(node, exp.ILike) else "adql_like"
    return made(f"{name}({both[0].sql}, {both[1].sql})", LONG, *both)


def _is(node: exp.Is, scope: Scope) -> Value:
    if not isinstance(node.expression, exp.Null):
        raise QueryError("IS goes with NULL or NOT NULL only", node)
    inner = value(node.this, scope)
    return made(f"({inner.sql} IS NULL)", LONG, inner)


def _exists(node: exp.Exists, scope: Scope) -> Value:
    inner = node.this.this if isinstance(node.this, exp.Subquery) else node.this
    if not isinstance(inner, Query):
        raise QueryError("EXISTS goes with a subquery", node)
    return Value(f"EXISTS ({scope.query(inner, scope.inner())[0]})", LONG)


_VALUES: dict[type, Callable[..., Value]] = {
    exp.Column: _column,
    exp.Literal: _literal,
    exp.Paren: _bracket,
    exp.Neg: _negative,
    **dict.fromkeys(ARITHMETIC, _arithmetic),
    exp.DPipe: _joined,
    exp.Cast: _cast,
    exp.Anonymous: _function,
    exp.Subquery: _scalar,
}
_CONDITIONS: dict[type, Callable[..., Value]] = {
    exp.And: _logic,
    exp.Or: _logic,
    exp.Not: _not,
    exp.Paren: _condition_bracket,
    **dict.fromkeys(COMPARISONS, _comparison),
    exp.Between: _between,
    exp.In: _in,
    exp.Like: _like,
    exp.ILike: _like,
    exp.Is: _is,
    exp.Exists: _exists,
}
