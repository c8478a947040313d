"""Functions of ADQL: the list of those there are, and how each is called in SQLite."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from astropy import units
from sqlglot import exp

from lyot.datasette.vo.dialect import QueryError
from lyot.datasette.vo.schema import Field, nearest
from lyot.datasette.vo.scope import Value, only, text
from lyot.datasette.vo.sphere import Circle, NotAShape, Polygon, box, check_place

DOUBLE, LONG, TEXT = Field("", "double"), Field("", "long"), Field("", "unicodeChar", "*")
REGION, POINT = Field("", "char", "*", xtype="adql:REGION"), Field("", "char", "*", xtype="adql:POINT")
COORDINATES = {"POINT": 2, "CIRCLE": 3, "BOX": 4}

Compile = Callable[[exp.Expr], Value]


@dataclass(frozen=True)
class Simple:
    """A function of numbers (or of texts): how many it takes, and what it gives."""

    least: int
    most: int
    field: Field = DOUBLE
    of_text: bool = False


ONE, TWO = Simple(1, 1), Simple(2, 2)
SIMPLE = {
    **dict.fromkeys(
        ("ABS", "CEILING", "DEGREES", "EXP", "FLOOR", "LOG", "LOG10", "RADIANS", "SQRT", "ACOS", "ASIN", "ATAN",
         "COS", "COT", "SIN", "TAN"), ONE),
    "ATAN2": TWO, "MOD": TWO, "POWER": TWO, "PI": Simple(0, 0), "RAND": Simple(0, 1),
    "ROUND": Simple(1, 2), "TRUNCATE": Simple(1, 2),
    "LOWER": Simple(1, 1, TEXT, of_text=True), "UPPER": Simple(1, 1, TEXT, of_text=True),
}  # fmt: skip
KEEP_WHOLE = ("ABS", "MOD")  # of whole numbers they give whole numbers
KEEP_UNIT = ("ABS", "CEILING", "FLOOR", "ROUND", "TRUNCATE")
AGGREGATES = ("AVG", "COUNT", "MAX", "MIN", "SUM")


def call(node: exp.Anonymous, compile_: Compile) -> Value:
    """A call of a function.

    Raises
    ------
    QueryError
        If there is no such function, or it does not take these arguments.
    """
    name = str(node.this).upper()
    if name in AGGREGATES:
        return _aggregate(name, node, compile_)
    if name in _SPECIAL:
        found = _SPECIAL[name](name, node, [compile_(one) for one in node.expressions])
    elif name in SIMPLE:
        found = _simple(name, node, [compile_(one) for one in node.expressions])
    else:
        hint = nearest(name, FUNCTIONS) or "portal documentation lists the functions of ADQL"
        raise QueryError(f"there is no function {node.this}", node, hint=hint)
    return found


def _all(sql: str, field: Field, values: list[Value], **more: object) -> Value:
    free = frozenset().union(*(one.free for one in values))
    return Value(sql, field, free=free, aggregate=any(one.aggregate for one in values), **more)  # type: ignore[arg-type]


def _simple(name: str, node: exp.Anonymous, values: list[Value]) -> Value:
    said = SIMPLE[name]
    _check_count(name, node, values, said.least, said.most)
    for one in values:
        if one.field.is_text != said.of_text:
            raise QueryError(f"{name} takes {'texts' if said.of_text else 'numbers'}", node)
    field = LONG if name in KEEP_WHOLE and all(one.field.is_whole for one in values) else said.field
    if name in KEEP_UNIT:
        field = replace(field, unit=values[0].field.unit)
    return _all(f"adql_{name.lower()}({', '.join(one.sql for one in values)})", field, values)


def _aggregate(name: str, node: exp.Anonymous, compile_: Compile) -> Value:
    inner = node.expressions
    if name == "COUNT" and len(inner) == 1 and isinstance(inner[0], exp.Star):
        only(inner[0])
        return Value("COUNT(*)", LONG, aggregate=True)
    distinct = len(inner) == 1 and isinstance(inner[0], exp.Distinct)
    if distinct:
        only(inner[0], "expressions")
        inner = inner[0].expressions
    if len(inner) != 1:
        raise QueryError(f"{name} takes one argument, not {len(inner)}", node)
    of = compile_(inner[0])
    if of.aggregate:
        raise QueryError(f"{name} of an aggregate", node, hint="put the inner one in a subquery of FROM")
    if name in ("AVG", "SUM") and of.field.is_text:
        raise QueryError(f"{name} takes numbers", node)
    field = {"COUNT": LONG, "AVG": replace(DOUBLE, unit=of.field.unit)}.get(name, replace(of.field, utype="", doc=""))
    if name == "SUM" and of.field.is_whole:
        field = replace(LONG, unit=of.field.unit)
    return Value(f"{name}({'DISTINCT ' if distinct else ''}{of.sql})", field, aggregate=True)


def _coalesce(name: str, node: exp.Anonymous, values: list[Value]) -> Value:
    _check_count(name, node, values, 2, 100)
    if len({one.field.is_text for one in values}) > 1:
        raise QueryError("COALESCE of texts and numbers", node, hint="CAST one of them")
    whole = all(one.field.is_whole for one in values)
    field = TEXT if values[0].field.is_text else LONG if whole else DOUBLE
    same_unit = len({one.field.unit for one in values if one.number is None}) == 1
    field = replace(field, unit=values[0].field.unit if same_unit else "")
    return _all(f"coalesce({', '.join(one.sql for one in values)})", field, values)


def _in_unit(name: str, node: exp.Anonymous, values: list[Value]) -> Value:
    _check_count(name, node, values, 2, 2)
    wanted = node.expressions[1]
    if not (isinstance(wanted, exp.Literal) and wanted.is_string):
        raise QueryError("IN_UNIT takes the unit as text between quotes", node)
    if not values[0].field.unit:
        raise QueryError("IN_UNIT of a value without a unit", node, hint="it takes a column that has one")
    try:
        factor = units.Unit(values[0].field.unit, format="vounit").to(units.Unit(wanted.this, format="vounit"))
    except (ValueError, TypeError) as error:  # astropy's UnitsError is a ValueError
        there = values[0].field.unit
        raise QueryError(f"{there} cannot be given in {wanted.this[:40]!r}", node) from error
    return _all(f"({values[0].sql} * {factor!r})", replace(DOUBLE, unit=wanted.this), values)


def _shape(name: str, node: exp.Anonymous, values: list[Value]) -> Value:
    """POINT, CIRCLE, BOX, POLYGON: of numbers, or of points that were written as such."""
    given = _without_frame(name, node, values)
    parts = [part for one in given for part in (one.parts if one.shape == "POINT" else [one])]
    needed = COORDINATES.get(name)
    if needed is not None and len(parts) != needed:
        raise QueryError(f"{name} takes {needed} numbers, not {len(parts)}", node)
    if needed is None and (len(parts) < 6 or len(parts) % 2):
        raise QueryError(f"POLYGON takes three or more pairs of numbers, not {len(parts)} numbers", node)
    if any(one.field.is_text for one in parts):
        raise QueryError(f"{name} takes numbers", node)
    field = POINT if name == "POINT" else REGION
    numbers = [one.number for one in parts]
    sql = f"adql_{name.lower()}({', '.join(one.sql for one in parts)})"
    if None not in numbers:
        sql = text(_written(name, node, [float(one) for one in numbers if one is not None]))
    return _all(sql, field, values, shape=name, parts=tuple(parts))


def _written(name: str, node: exp.Anonymous, numbers: list[float]) -> str:
    """A shape of constants as text, once it is known to be one."""
    try:
        if name == "POINT":
            check_place(*numbers)
        elif name == "CIRCLE":
            Circle(*numbers)
        else:
            polygon = box(*numbers) if name == "BOX" else None
            corners = polygon.corners if polygon else tuple(zip(numbers[::2], numbers[1::2], strict=True))
            Polygon(corners)
            return written("POLYGON", [part for corner in corners for part in corner])
    except NotAShape as error:
        raise QueryError(f"{name} is given {error}", node) from error
    return written(name, numbers)


def written(kind: str, numbers: list[float]) -> str:
    """A shape in the words of STC-S."""
    word = "POSITION" if kind == "POINT" else kind
    return f"{word} ICRS {' '.join(map(repr, numbers))}"


def _without_frame(name: str, node: exp.Anonymous, values: list[Value]) -> list[Value]:
    """The arguments without the name of a frame, which older queries give first; only ICRS is known."""
    first = node.expressions[0] if node.expressions else None
    if isinstance(first, exp.Literal) and first.is_string:
        frame = str(first.this).split()[:1] or [""]
        if frame[0].upper() not in ("", "ICRS", "UNKNOWNFRAME"):
            raise QueryError(f"{name} in {first.this[:40]!r}; positions are in ICRS", node)
        return values[1:]
    return values


def _relation(name: str, node: exp.Anonymous, values: list[Value]) -> Value:
    _check_count(name, node, values, 2, 2)
    _check_shapes(name, node, values)
    sql = f"adql_{name.lower()}({values[0].sql}, {values[1].sql})"
    return _all(sql, LONG, values, shape=name, parts=tuple(values))


def _distance(name: str, node: exp.Anonymous, values: list[Value]) -> Value:
    _check_count(name, node, values, 2, 4)
    degrees = replace(DOUBLE, unit="deg", ucd="pos.angDistance")
    if len(values) == 2:
        _check_shapes(name, node, values)
        if not all(one.shape == "POINT" for one in values):
            return _all(f"adql_apart({values[0].sql}, {values[1].sql})", degrees, values)
    parts = values if len(values) == 4 else [part for one in values for part in one.parts]
    if len(parts) != 4 or any(one.field.is_text for one in parts):
        raise QueryError("DISTANCE takes two points or four numbers", node)
    sql = f"adql_distance({', '.join(one.sql for one in parts)})"
    return _all(sql, degrees, values, shape=name, parts=tuple(parts))


def _of_shape(name: str, node: exp.Anonymous, values: list[Value]) -> Value:
    _check_count(name, node, values, 1, 1)
    _check_shapes(name, node, values)
    field = {"AREA": replace(DOUBLE, unit="deg**2"), "CENTROID": POINT, "COORDSYS": TEXT}.get(
        name, replace(DOUBLE, unit="deg")
    )
    if name in ("COORD1", "COORD2") and values[0].shape == "POINT":
        return replace(values[0].parts[name == "COORD2"], is_column=False)
    return _all(f"adql_{name.lower()}({values[0].sql})", field, values)


def _check_shapes(name: str, node: exp.Anonymous, values: list[Value]) -> None:
    if not all(one.shape in ("POINT", "CIRCLE", "BOX", "POLYGON") or one.field.is_text for one in values):
        raise QueryError(f"{name} takes geometry: POINT, CIRCLE, BOX, POLYGON, or a column of it", node)


def _check_count(name: str, node: exp.Anonymous, values: list[Value], least: int, most: int) -> None:
    if not least <= len(values) <= most:
        needed = str(least) if least == most else f"{least} to {most}"
        raise QueryError(f"{name} takes {needed} arguments, not {len(values)}", node)


_SPECIAL: dict[str, Callable[[str, exp.Anonymous, list[Value]], Value]] = {
    "COALESCE": _coalesce,
    "IN_UNIT": _in_unit,
    **dict.fromkeys(("POINT", "CIRCLE", "BOX", "POLYGON"), _shape),
    **dict.fromkeys(("CONTAINS", "INTERSECTS"), _relation),
    "DISTANCE": _distance,
    **dict.fromkeys(("AREA", "CENTROID", "COORD1", "COORD2", "COORDSYS"), _of_shape),
}
FUNCTIONS = (*AGGREGATES, *SIMPLE, *_SPECIAL)
