"""One SELECT of ADQL, and what is made of several, as SQL for SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sqlglot import exp

from lyot.datasette.vo.dialect import Query, QueryError
from lyot.datasette.vo.expression import condition, value
from lyot.datasette.vo.schema import Field, Relation
from lyot.datasette.vo.scope import Compiled, Scope, Source, Value, only, quoted

WORDS = {exp.Union: "UNION", exp.Intersect: "INTERSECT", exp.Except: "EXCEPT"}
#: Arguments of nodes that say nothing we need.
_WITH, _FROM = ("with_", "with"), ("from_", "from")


def query(node: exp.Expr, scope: Scope) -> Compiled:
    """SQL of a query and the columns it gives.

    Raises
    ------
    QueryError
        If it is not ADQL, or names what there is not.
    """
    if isinstance(node, exp.Subquery) and not node.alias:
        only(node, "this", *_WITH)
        return query(node.this, scope)
    if not isinstance(node, Query):
        raise QueryError("a SELECT must stand here", node)
    head = _with(node, scope)
    sql, fields = _select(node, scope) if isinstance(node, exp.Select) else _set(node, scope)
    return head + sql, fields


def _with(node: exp.Expr, scope: Scope) -> str:
    """The tables of WITH, which the rest of the query sees."""
    clause = _part(node, _WITH)
    if clause is None:
        return ""
    if clause.args.get("recursive"):
        raise QueryError("WITH RECURSIVE is not part of ADQL", clause)
    only(clause, "expressions")
    made: list[str] = []
    for one in clause.expressions:
        only(one, "this", "alias")
        sql, fields = query(one.this, scope.inner())
        alias = one.args["alias"]
        fields = _renamed(fields, alias)
        name = alias.name
        if name.lower() in scope.common and any(quoted(f"with_{name.lower()}") in said for said in made):
            raise QueryError(f"two tables of WITH are called {name}", one)
        columns = ", ".join(quoted(field.name) for field in fields)
        made.append(f"{quoted(f'with_{name.lower()}')} ({columns}) AS ({sql})")
        scope.common[name.lower()] = Relation(name, f"with_{name.lower()}", fields)
    return f"WITH {', '.join(made)} "


def _renamed(fields: tuple[Field, ...], alias: exp.TableAlias) -> tuple[Field, ...]:
    names = [column.name for column in alias.args.get("columns") or []]
    if names and len(names) != len(fields):
        raise QueryError(f"{alias.name} names {len(names)} columns of a query of {len(fields)}", alias)
    return tuple(field.named(name) for field, name in zip(fields, names, strict=True)) if names else fields


def _select(node: exp.Select, scope: Scope) -> Compiled:
    only(node, "expressions", "distinct", "limit", "offset", "joins", "where", "group", "having", "order", "hint",
         *_WITH, *_FROM)  # fmt: skip
    tables = _from(node, scope)
    where = node.args.get("where")
    filters = _where(where.this, scope) if where else ""
    groups = _groups(node, scope)
    outputs = list(_outputs(node, scope))
    having = node.args.get("having")
    kept = condition(having.this, scope) if having else None
    order, ordered = _order(node, scope, [field for _, field in outputs])
    if groups or having or any(one.aggregate for one, _ in outputs):
        _check_grouped(node, [*(one for one, _ in outputs), *([kept] if kept else []), *ordered])
    names = [f"{one.sql} AS {quoted(field.name)}" for one, field in outputs]
    distinct = node.args.get("distinct")
    if distinct:
        only(distinct)
    sql = f"SELECT {'DISTINCT ' if distinct else ''}{', '.join(names)} FROM {tables}{filters}"
    sql += f" GROUP BY {', '.join(groups)}" if groups else ""
    sql += f" HAVING {kept.sql}" if kept else ""
    return sql + order + _limits(node), tuple(field for _, field in outputs)


def _where(node: exp.Expr, scope: Scope) -> str:
    found = condition(node, scope)
    if found.aggregate:
        raise QueryError("an aggregate in WHERE", node, hint="HAVING is for conditions on aggregates")
    return f" WHERE {found.sql}"


def _groups(node: exp.Select, scope: Scope) -> list[str]:
    group = node.args.get("group")
    if group is None:
        return []
    only(group, "expressions")
    values = [value(one, scope) for one in group.expressions]
    for one, written in zip(values, group.expressions, strict=True):
        if one.aggregate or one.number is not None:
            raise QueryError("GROUP BY goes by columns and expressions of them", written)
    scope.grouped = frozenset(one.sql for one in values)
    return [one.sql for one in values]


def _check_grouped(node: exp.Select, values: list[Value]) -> None:
    for one in values:
        if one.free:
            column = min(one.free).rpartition(".")[2].strip('"')
            places = [found for found in node.find_all(exp.Column) if found.name.lower() == column.lower()]
            raise QueryError(
                f"{column} is neither grouped nor in an aggregate", places[0] if places else node,
                hint=f"add it to GROUP BY, or write MIN({column})",
            )  # fmt: skip


def _outputs(node: exp.Select, scope: Scope) -> Iterator[tuple[Value, Field]]:
    """The columns that a SELECT gives, stars written out."""
    taken: set[str] = set()
    for number, one in enumerate(node.expressions, 1):
        if isinstance(one, exp.Star) or (isinstance(one, exp.Column) and isinstance(one.this, exp.Star)):
            found = list(_star(one, scope))
        else:
            inner = one.this if isinstance(one, exp.Alias) else one
            made = value(inner, scope)
            found = [(made, made.field.named(_output_name(one, made, number)))]
        for value_, field in found:
            name, count = field.name, 1
            while name.lower() in taken:  # results need names that differ
                count += 1
                name = f"{field.name}_{count}"
            taken.add(name.lower())
            yield value_, field.named(name)


def _output_name(node: exp.Expr, made: Value, number: int) -> str:
    if isinstance(node, exp.Alias):
        return node.alias
    if made.is_column:
        return made.field.name
    return str(node.this).lower() if isinstance(node, exp.Anonymous) else f"column_{number}"


def _star(node: exp.Expr, scope: Scope) -> Iterator[tuple[Value, Field]]:
    """Every column of the tables of FROM, or of one of them; those that a join made one, once."""
    only(node, "this", "table", "db")
    table = node.args.get("table")
    sources = [one for one in scope.sources if table is None or one.alias.lower() == table.name.lower()]
    if table is not None and not sources:
        raise QueryError(f"no table of FROM is called {table.name}", node)
    once: set[str] = set()
    for source in sources:
        for field in source.fields:
            merged = table is None and field.name.lower() in scope.merged
            if merged and field.name.lower() in once:
                continue
            once.add(field.name.lower())
            yield scope.value(source, field, qualified=not merged), field


def _from(node: exp.Select, scope: Scope) -> str:
    clause = _part(node, _FROM)
    if clause is None:
        raise QueryError("a SELECT without FROM", node, hint="name a table; TAP_SCHEMA.tables lists them")
    sql = _table(clause.this, scope)
    for join in node.args.get("joins") or []:
        sql += _join(join, scope)
    return sql


def _table(node: exp.Expr, scope: Scope) -> str:
    """One table of FROM: a name, a subquery, or a join in brackets."""
    if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table) and not node.alias:
        only(node, "this", "joins")
        return _table(node.this, scope) + "".join(_join(join, scope) for join in node.args.get("joins") or [])
    if isinstance(node, exp.Subquery):
        only(node, "this", "alias")
        if not node.alias:
            raise QueryError("a subquery of FROM without a name", node, hint="(SELECT …) AS name")
        inner, fields = query(node.this, scope.inner())
        fields = _renamed(fields, node.args["alias"])
        scope.add(Source(node.alias, fields), node)
        columns = ", ".join(quoted(field.name) for field in fields)
        name = quoted(f"sub_{node.alias.lower()}")
        return f"(WITH {name} ({columns}) AS ({inner}) SELECT * FROM {name}) AS {quoted(node.alias)}"
    if not isinstance(node, exp.Table) or not isinstance(node.this, exp.Identifier):
        raise QueryError("a table or a subquery must stand here", node)
    only(node, "this", "db", "catalog", "alias", "joins")
    relation = scope.table(node)
    alias = node.alias or node.name
    if node.args.get("alias") is not None and node.args["alias"].args.get("columns"):
        raise QueryError("columns of a table cannot be named anew in FROM", node)
    scope.add(Source(alias, relation.fields, "" if node.alias else node.db), node)
    nested = "".join(_join(join, scope) for join in node.args.get("joins") or [])
    return f"{quoted(relation.physical)} AS {quoted(alias)}{nested}"


def _join(node: exp.Join, scope: Scope) -> str:
    only(node, "this", "method", "side", "kind", "on", "using")
    method, side, kind = (str(node.args.get(name) or "").upper() for name in ("method", "side", "kind"))
    if method not in ("", "NATURAL") or kind not in ("", "INNER", "OUTER"):
        raise QueryError(f"{method or kind} JOIN is not part of ADQL", node, hint="a comma joins all with all")
    before = {field.name.lower() for source in scope.sources for field in source.fields}
    count = len(scope.sources)
    table = _table(node.this, scope)
    after = {field.name.lower() for source in scope.sources[count:] for field in source.fields}
    on, using = node.args.get("on"), [one.name for one in node.args.get("using") or []]
    if not (method or side or kind or on or using):
        return f", {table}"
    sql = f" {method} {side} JOIN {table}" if side else f" {method} JOIN {table}"
    if method:
        scope.merged |= before & after
    for name in using:
        if name.lower() not in before & after:
            raise QueryError(f"USING names {name}, which is not in both tables", node)
        scope.merged.add(name.lower())
    if on:
        found = condition(on, scope)
        return f"{sql} ON {found.sql}"
    return f"{sql} USING ({', '.join(map(quoted, using))})" if using else sql


def _set(node: exp.SetOperation, scope: Scope) -> Compiled:
    """UNION, INTERSECT, EXCEPT; each side is a query of its own, whatever SQLite's rules of precedence are."""
    only(node, "this", "expression", "distinct", "order", "limit", "offset", *_WITH)
    word = WORDS[type(node)]
    if not node.args.get("distinct"):
        if word != "UNION":
            raise QueryError(f"{word} ALL is not served", node, hint=f"{word} alone is")
        word = "UNION ALL"
    inner = [scope.inner(), scope.inner()]
    (left, fields), (right, others) = (query(one, s) for one, s in zip((node.left, node.right), inner, strict=True))
    if len(fields) != len(others):
        raise QueryError(f"{word} of {len(fields)} and {len(others)} columns", node)
    fields = tuple(_common(one, other) for one, other in zip(fields, others, strict=True))
    order, _ = _order(node, scope, list(fields))
    return f"SELECT * FROM ({left}) {word} SELECT * FROM ({right}){order}{_limits(node)}", fields


def _common(one: Field, other: Field) -> Field:
    """The column that holds values of both; what they do not agree on is not said."""
    order = ("short", "int", "long", "float", "double", "char", "unicodeChar")
    rank = max(order.index(field.datatype) if field.datatype in order else len(order) - 1 for field in (one, other))
    size = one.arraysize if one.arraysize == other.arraysize else "*"
    unit = one.unit if one.unit == other.unit else ""
    return replace(one, datatype=order[rank], arraysize=size, unit=unit)


def _order(node: Query, scope: Scope, outputs: list[Field]) -> tuple[str, list[Value]]:
    """ORDER BY: by number or name of what comes out, or by any expression of what went in."""
    order = node.args.get("order")
    if order is None:
        return "", []
    only(order, "expressions")
    names = [field.name.lower() for field in outputs]
    said: list[str] = []
    values: list[Value] = []
    for one in order.expressions:
        only(one, "this", "desc", "nulls_first")
        by = one.this
        if isinstance(by, exp.Literal) and not by.is_string:
            if not by.this.isdigit() or not 1 <= int(by.this) <= len(outputs):
                raise QueryError(f"ORDER BY {by.this} of {len(outputs)} columns", by)
            sql = by.this
        elif isinstance(by, exp.Column) and not by.table and by.name.lower() in names:
            sql = str(names.index(by.name.lower()) + 1)
        elif isinstance(node, exp.SetOperation):
            raise QueryError("a combined query is ordered by the names or numbers of its columns", by)
        else:
            values.append(value(by, scope))
            sql = values[-1].sql
        said.append(f"{sql}{' DESC' if one.args.get('desc') else ''}")
    return f" ORDER BY {', '.join(said)}", values


def _limits(node: Query) -> str:
    limit, offset = node.args.get("limit"), node.args.get("offset")
    if limit is not None and not limit.meta.get("top"):
        raise QueryError("LIMIT is not part of ADQL", limit, hint="SELECT TOP n …")
    counts = [None if one is None else one.expression for one in (limit, offset)]
    for count in counts:
        if count is not None and not (isinstance(count, exp.Literal) and str(count.this).isdigit()):
            raise QueryError("TOP and OFFSET take a whole number", count)
    top, skipped = counts
    if top is None and skipped is None:
        return ""
    return f" LIMIT {top.this if top is not None else -1}" + (f" OFFSET {skipped.this}" if skipped is not None else "")


def _part(node: exp.Expr, names: tuple[str, ...]) -> exp.Expr | None:
    return next((node.args[name] for name in names if node.args.get(name) is not None), None)
