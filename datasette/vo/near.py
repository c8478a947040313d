"""Conditions on the sky that an index serves: a box in declination and right ascension first, then the exact test."""

from __future__ import annotations

from lyot.datasette.vo import sphere
from lyot.datasette.vo.scope import Value
from lyot.datasette.vo.sphere import Circle, Polygon

SPARE = 1e-7  # deg, by which a strip is wider than it need be
_TURNED = {">": "<", ">=": "<="}


def comparison(left: Value, sign: str, right: Value) -> str | None:
    """SQL of a comparison of a distance or of CONTAINS that an index can serve; None if it is none.

    DISTANCE(…) < radius and CONTAINS(POINT, CIRCLE | BOX | POLYGON) = 1, either way round.
    """
    if left.number is not None or sign in _TURNED:
        left, right, sign = right, left, _TURNED.get(sign, sign)
    if left.shape == "DISTANCE" and sign in ("<", "<="):
        return _within(left.parts, right, sign)
    if left.shape != "CONTAINS" or sign != "=" or right.number not in (0.0, 1.0):
        return None
    point, region = left.parts
    found = _contains(point, region) if point.shape == "POINT" else None
    return found if found is None or right.number == 1.0 else f"(NOT {found})"


def _contains(point: Value, region: Value) -> str | None:
    if region.shape == "CIRCLE":
        *centre, radius = region.parts
        return _within((*point.parts, *centre), radius, "<=")
    numbers = [part.number for part in region.parts]
    if region.shape not in ("BOX", "POLYGON") or any(number is None for number in numbers):
        return None
    known = [float(number) for number in numbers if number is not None]
    polygon = sphere.box(*known) if region.shape == "BOX" else Polygon(tuple(zip(known[::2], known[1::2], strict=True)))
    exact = f"adql_holds({region.sql}, {point.parts[0].sql}, {point.parts[1].sql})"
    return _all(_inside_box(point.parts, sphere.bounds(polygon)), exact)


def _within(four: tuple[Value, ...], radius: Value, sign: str) -> str:
    """Two places less than a radius apart."""
    first, second = four[:2], four[2:]
    exact = f"adql_distance({', '.join(part.sql for part in four)}) {sign} {radius.sql}"
    strips: list[str] = []
    for point, other in ((first, second), (second, first)):
        if not any(part.is_column for part in point):
            continue
        ra, dec, reach = other[0].number, other[1].number, radius.number
        if ra is not None and dec is not None and reach is not None and abs(dec) <= 90.0 and 0.0 <= reach <= 180.0:
            strips += _inside_box(point, sphere.bounds(Circle(ra, dec, reach)))
        elif point[1].is_column:
            middle, half = other[1].sql, f"({radius.sql} + {SPARE})"
            strips.append(f"{point[1].sql} BETWEEN {middle} - {half} AND {middle} + {half}")
    return _all(strips, exact)


def _inside_box(point: tuple[Value, ...], box: tuple[float, float, float, float]) -> list[str]:
    """A box around a shape; right ascensions that are not from 0 to 360, as people may upload, are left in."""
    ra, dec = (part.sql for part in point)
    low, high, first, width = box
    conditions = [f"{dec} BETWEEN {low!r} AND {high!r}"]
    if width < 360.0 and point[0].is_column:
        last = first + width
        inside = (
            f"{ra} BETWEEN {first!r} AND {last!r}"
            if first >= 0.0 and last <= 360.0
            else f"{ra} >= {first % 360.0!r} OR {ra} <= {last % 360.0!r}"
        )
        conditions.append(f"({inside} OR {ra} < 0 OR {ra} > 360)")
    return conditions


def _all(conditions: list[str], exact: str) -> str:
    return f"({' AND '.join([*conditions, exact])})"
