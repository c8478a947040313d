"""SIA 2.0: images and cubes by position, wavelength, time and all else that ObsCore says of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator

from lyot.catalog import obscore
from lyot.datasette.vo import formats, task, votable
from lyot.datasette.vo.budget import Budget
from lyot.datasette.vo.datalink import descriptor
from lyot.datasette.vo.dialect import QueryError
from lyot.datasette.vo.run import Catalogue, Rows
from lyot.datasette.vo.scope import text
from lyot.datasette.vo.web import Request

#: Parameters that give an interval, and the columns that say where a product's interval begins and ends.
INTERVALS = {
    "BAND": ("em_min", "em_max"), "TIME": ("t_min", "t_max"), "FOV": ("s_fov", "s_fov"),
    "SPATRES": ("s_resolution", "s_resolution"), "EXPTIME": ("t_exptime", "t_exptime"),
    "SPECRP": ("em_res_power", "em_res_power"), "TIMERES": ("t_resolution", "t_resolution"),
}  # fmt: skip
#: Parameters that give a word, and the column that holds it.
WORDS = {
    "ID": "obs_publisher_did", "COLLECTION": "obs_collection", "FACILITY": "facility_name",
    "INSTRUMENT": "instrument_name", "DPTYPE": "dataproduct_type", "TARGET": "target_name", "FORMAT": "access_format",
    "POL": "pol_states",
}  # fmt: skip
PIXELS = ("image", "cube")  # what SIA is about


def query(request: Request, catalogue: Catalogue, budget: Budget) -> tuple[Rows, Generator[bytes]]:
    """Begin a search.

    Raises
    ------
    QueryError
        If a parameter is wrong.
    """
    if request.get("RESPONSEFORMAT") and formats.find(request.get("RESPONSEFORMAT")).write is not votable.tabledata:
        raise QueryError("SIA answers with a VOTable")
    columns = ", ".join(column.name for column in obscore.COLUMNS)
    conditions = " AND ".join(f"({one})" for one in _conditions(request))
    most = task.count(request.get("MAXREC"))
    rows = catalogue.ask(f"SELECT {columns} FROM {obscore.NAME} WHERE {conditions}", most, budget)
    if most == 0:
        rows.overflow = True
    return rows, votable.tabledata(rows, {"SERVICE_PROTOCOL": "SIA 2.0"}, descriptor(catalogue.base))


def _conditions(request: Request) -> Iterator[str]:
    """Of several values of one parameter any may be met; of several parameters all must be."""
    yield f"dataproduct_type IN ({', '.join(map(text, PIXELS))})"
    for name, values in request.values.items():
        if name == "POS":
            yield " OR ".join(map(_position, values))
        elif name in INTERVALS:
            first, last = INTERVALS[name]
            yield " OR ".join(_overlap(first, last, *_interval(name, value)) for value in values)
        elif name == "CALIB":
            yield f"calib_level IN ({', '.join(_level(value) for value in values)})"
        elif name in WORDS:
            yield f"{WORDS[name]} IN ({', '.join(map(text, values))})"


def _position(said: str) -> str:
    """Whether a star is in a shape: fields are of a few seconds of arc, so that a product stands at its star."""
    word, *rest = said.split() or [""]
    numbers = [_finite("POS", one) for one in rest]
    made = _SHAPES.get(word.upper())
    if made is None:
        raise QueryError(f"POS is {said[:60]!r}", hint="CIRCLE ra dec radius, RANGE ra1 ra2 dec1 dec2, POLYGON …")
    return made(numbers)


def _circle(numbers: list[float]) -> str:
    if len(numbers) != 3:
        raise QueryError(f"POS=CIRCLE takes 3 numbers, not {len(numbers)}")
    return f"1 = CONTAINS(POINT(s_ra, s_dec), CIRCLE({_listed(numbers)}))"


def _polygon(numbers: list[float]) -> str:
    return f"1 = CONTAINS(POINT(s_ra, s_dec), POLYGON({_listed(numbers)}))"


def _range(numbers: list[float]) -> str:
    if len(numbers) != 4:
        raise QueryError(f"POS=RANGE takes 4 numbers, not {len(numbers)}")
    return f"{_overlap('s_ra', 's_ra', *numbers[:2])} AND {_overlap('s_dec', 's_dec', *numbers[2:])}"


_SHAPES: dict[str, Callable[[list[float]], str]] = {"CIRCLE": _circle, "POLYGON": _polygon, "RANGE": _range}


def _overlap(first: str, last: str, low: float, high: float) -> str:
    limits = [f"{last} >= {low!r}"] if math.isfinite(low) else []
    limits += [f"{first} <= {high!r}"] if math.isfinite(high) else []
    return f"({' AND '.join(limits) or '1 = 1'})"


def _interval(name: str, said: str) -> tuple[float, float]:
    """A number, or two; -Inf and +Inf leave an end open."""
    numbers = [_number(name, one) for one in said.split()]
    if len(numbers) not in (1, 2):
        raise QueryError(f"{name} is {said[:60]!r}; it is a number, or two")
    return numbers[0], numbers[-1]


def _number(name: str, said: str) -> float:
    try:
        number = float(said)
    except ValueError as error:
        raise QueryError(f"{name} has {said[:40]!r}, which is no number") from error
    if math.isnan(number):
        raise QueryError(f"{name} has {said[:40]!r}, which is no number")
    return number


def _finite(name: str, said: str) -> float:
    number = _number(name, said)
    return number if math.isfinite(number) else math.copysign(1e9, number)


def _level(said: str) -> str:
    if said not in ("0", "1", "2", "3", "4"):
        raise QueryError(f"CALIB is {said[:40]!r}; it is from 0 to 4")
    return said


def _listed(numbers: list[float]) -> str:
    return ", ".join(map(repr, numbers))
