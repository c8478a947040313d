"""What ADQL's functions are called as in SQLite, so that every build of SQLite gives the same answers.

Null in, null out; what has no answer (the root of -1, a circle of negative radius) is null, too.
"""

from __future__ import annotations

import math
import random
import re
import sqlite3
from collections.abc import Callable
from functools import lru_cache

from lyot.datasette.vo import sphere
from lyot.datasette.vo.call import written
from lyot.datasette.vo.sphere import Circle, NotAShape, Polygon, Shape

Function = Callable[..., float | int | str | None]


def register(connection: sqlite3.Connection) -> None:
    """Give a connection the functions that translated queries call."""
    for name, (count, function) in {**NUMBERS, **TEXTS, **SKY}.items():
        connection.create_function(f"adql_{name}", count, _null(function), deterministic=name != "rand")


def _null(function: Function) -> Function:
    def guarded(*values: float | str | None) -> float | int | str | None:
        if None in values:
            return None
        try:
            return function(*values)
        except (ValueError, OverflowError, ZeroDivisionError, TypeError):  # NotAShape is a ValueError
            return None

    return guarded


def _truncate(x: float, digits: int = 0) -> float:
    scale = 10.0 ** int(digits)
    return math.trunc(x * scale) / scale


def _round(x: float, digits: int = 0) -> float:
    """Half away from zero, as in SQL; Python's goes to the even."""
    scale = 10.0 ** int(digits)
    return math.copysign(math.floor(abs(x) * scale + 0.5) / scale, x)


def _modulo(x: float, y: float) -> float:
    """The sign is that of the dividend, as in SQL."""
    if isinstance(x, int) and isinstance(y, int):
        return int(math.copysign(abs(x) % abs(y), x)) if abs(x) < 2**53 else x - y * int(x / y)
    return math.fmod(x, y)


NUMBERS: dict[str, tuple[int, Function]] = {
    "abs": (1, abs), "ceiling": (1, lambda x: float(math.ceil(x))), "floor": (1, lambda x: float(math.floor(x))),
    "degrees": (1, math.degrees), "radians": (1, math.radians), "exp": (1, math.exp), "log": (1, math.log),
    "log10": (1, math.log10), "sqrt": (1, math.sqrt), "power": (2, lambda x, y: math.pow(x, y)),
    "mod": (2, _modulo), "pi": (0, lambda: math.pi), "rand": (-1, lambda *seed: random.random()),
    "round": (-1, _round), "truncate": (-1, _truncate), "acos": (1, math.acos), "asin": (1, math.asin),
    "atan": (1, math.atan), "atan2": (2, math.atan2), "cos": (1, math.cos), "sin": (1, math.sin),
    "tan": (1, math.tan), "cot": (1, lambda x: 1.0 / math.tan(x)),
}  # fmt: skip


@lru_cache(256)
def _pattern(pattern: str) -> tuple[bool, bool, tuple[re.Pattern[str], ...]]:
    """A pattern of LIKE as pieces between its %, each of fixed length: matching them takes linear time."""
    pieces = [
        re.compile("".join("." if one == "_" else re.escape(one) for one in piece), re.DOTALL)
        for piece in pattern.split("%")
    ]
    return "%" in pattern, pattern.endswith("%"), tuple(pieces)


def like(text: str, pattern: str) -> int:
    """Whether a text is like a pattern, in which % is any text and _ any character; case counts."""
    text = str(text)
    has_wild, open_end, pieces = _pattern(str(pattern))
    if not has_wild:
        return int(pieces[0].fullmatch(text) is not None)
    first = pieces[0].match(text)
    if first is None:
        return 0
    at = first.end()
    for piece in pieces[1:-1]:
        found = piece.search(text, at)
        if found is None:
            return 0
        at = found.end()
    if open_end:
        return 1
    last = pieces[-1]
    start = len(text) - len(re.sub(r"\\(.)", r"\1", last.pattern, flags=re.DOTALL))
    return int(start >= at and last.fullmatch(text, start) is not None)


TEXTS: dict[str, tuple[int, Function]] = {
    "lower": (1, lambda text: str(text).lower()),
    "upper": (1, lambda text: str(text).upper()),
    "like": (2, like),
    "ilike": (2, lambda text, pattern: like(str(text).lower(), str(pattern).lower())),
}


@lru_cache(1024)
def shape(text: str) -> Shape:
    """A shape from its words, as `CIRCLE ICRS 86.8 -51.1 0.2`; the frame may be left out.

    Raises
    ------
    NotAShape
        If it is none.
    """
    word, *rest = text.split() or [""]
    if rest and rest[0].upper() == "ICRS":
        rest = rest[1:]
    try:
        numbers = [float(one) for one in rest]
    except ValueError as error:
        raise NotAShape(f"{text[:60]!r}, which has a part that is no number") from error
    word = word.upper()
    if word in ("POSITION", "POINT") and len(numbers) == 2:
        sphere.check_place(*numbers)
        return numbers[0], numbers[1]
    if word == "CIRCLE" and len(numbers) == 3:
        return Circle(*numbers)
    if word == "BOX" and len(numbers) == 4:
        return sphere.box(*numbers)
    if word == "POLYGON" and len(numbers) >= 6 and len(numbers) % 2 == 0:
        return Polygon(tuple(zip(numbers[::2], numbers[1::2], strict=True)))
    raise NotAShape(f"{text[:60]!r}, which is no point, circle, box or polygon")


def _box(*numbers: float) -> str:
    corners = sphere.box(*numbers).corners
    return written("POLYGON", [part for corner in corners for part in corner])


def _contains(inner: str, outer: str) -> int:
    region = shape(outer)
    if isinstance(region, tuple):
        return int(shape(inner) == region)
    return int(sphere.contains(region, shape(inner)))


def _intersects(one: str, other: str) -> int:
    first, second = shape(one), shape(other)
    if isinstance(first, tuple):
        first, second = second, first
    return int(first == second) if isinstance(first, tuple) else int(sphere.intersects(first, second))


def _holds(region: str, ra: float, dec: float) -> int:
    outer = shape(region)
    return int(not isinstance(outer, tuple) and sphere.contains(outer, (ra, dec)))


def _area(text: str) -> float:
    found = shape(text)
    return 0.0 if isinstance(found, tuple) else found.area


def _point(text: str) -> tuple[float, float]:
    found = shape(text)
    if not isinstance(found, tuple):
        raise NotAShape("a region where a point must be")
    return found


def _distance(ra: float, dec: float, other_ra: float, other_dec: float) -> float:
    if not (-90.0 <= dec <= 90.0 and -90.0 <= other_dec <= 90.0):
        raise NotAShape("a declination beyond a pole")
    return sphere.distance(ra, dec, other_ra, other_dec)


def _numbers(kind: str) -> Function:
    return lambda *numbers: written(kind, [float(one) for one in numbers])


SKY: dict[str, tuple[int, Function]] = {
    "point": (2, _numbers("POINT")), "circle": (3, _numbers("CIRCLE")), "box": (4, _box),
    "polygon": (-1, _numbers("POLYGON")), "contains": (2, _contains), "intersects": (2, _intersects),
    "holds": (3, _holds), "distance": (4, _distance), "apart": (2, lambda a, b: _distance(*_point(a), *_point(b))),
    "area": (1, _area), "centroid": (1, lambda text: written("POINT", list(sphere.centroid(shape(text))))),
    "coord1": (1, lambda text: _point(text)[0]), "coord2": (1, lambda text: _point(text)[1]),
    "coordsys": (1, lambda text: "ICRS"),
}  # fmt: skip
