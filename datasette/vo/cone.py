"""Simple Cone Search 1.03: stars, and sources seen near them, within a radius of a place."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import replace

from lyot.catalog.table import tables
from lyot.datasette.vo import task, votable
from lyot.datasette.vo.budget import Budget
from lyot.datasette.vo.dialect import QueryError
from lyot.datasette.vo.run import Catalogue, Rows
from lyot.datasette.vo.web import Request

#: Words of the first UCDs, by which clients of SCS 1.03 know the columns that they need.
OLD_WORDS = {"id": "ID_MAIN", "ra": "POS_EQ_RA_MAIN", "dec": "POS_EQ_DEC_MAIN"}
#: Columns of each service; VERB=3 gives all.
FEW = {
    "target": ("target_id", "ra", "dec", "name", "parallax", "spectral_type", "age", "mag_h"),
    "detection": ("detection_id", "ra", "dec", "target_id", "companion_id", "mjd", "filter", "separation",
                  "position_angle", "contrast", "delta_mag", "status"),
}  # fmt: skip
#: The farthest that a source of the catalogue may be from its star, deg: the limit of its separation.
FARTHEST = 100_000 / 3.6e6
WIDE = 5.0  # deg
#: A source stands where its star is at the star's epoch, moved by its offsets in the tangent plane: their sum is good
#: to 1 mas within 20″ of a star that is not within a degree of a pole.
EAST = "COALESCE(d.dra, d.separation * SIN(RADIANS(d.position_angle)))"
NORTH = "COALESCE(d.ddec, d.separation * COS(RADIANS(d.position_angle)))"
RA = f"MOD(t.ra + {EAST} / 3600000.0 / COS(RADIANS(t.dec)) + 360, 360)"
DEC = f"t.dec + {NORTH} / 3600000.0"


def cone(request: Request, catalogue: Catalogue, budget: Budget, table: str) -> tuple[Rows, Generator[bytes]]:
    """Begin a search of `target` or `detection`.

    Raises
    ------
    QueryError
        If RA, DEC, SR or VERB are missing or wrong.
    """
    ra, dec, radius = (_number(request, name) for name in ("RA", "DEC", "SR"))
    if not (0.0 <= ra <= 360.0 and -90.0 <= dec <= 90.0 and 0.0 <= radius <= 180.0):
        raise QueryError(f"RA={ra:g}, DEC={dec:g}, SR={radius:g}: outside 0 to 360, -90 to 90, 0 to 180")
    verb = request.get("VERB", "2")
    if verb not in ("1", "2", "3"):
        raise QueryError(f"VERB is {verb[:40]!r}; it is 1, 2 or 3")
    # a radius of 0 asks for the columns alone
    most = 0 if radius == 0.0 else task.count(request.get("MAXREC"), task.MOST_ROWS)
    names = _names(table, everything=verb == "3")
    query = _stars(names, ra, dec, radius) if table == "target" else _sources(names, ra, dec, radius)
    rows = catalogue.ask(query, most, budget)
    words = {**OLD_WORDS, f"{table}_id": OLD_WORDS["id"]}
    rows.fields = tuple(replace(field, ucd=words.get(field.name, field.ucd)) for field in rows.fields)
    return rows, votable.tabledata(rows, {})


def is_wide(request: Request) -> bool:
    """Whether a search may find much."""
    try:
        return float(request.get("SR")) > WIDE
    except ValueError:
        return False  # which is soon said


def _names(table: str, *, everything: bool) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*FEW[table], *tables()[table].names))) if everything else FEW[table]


def _stars(names: tuple[str, ...], ra: float, dec: float, radius: float) -> str:
    columns = ", ".join(f'"{name}"' for name in names)
    return f"SELECT {columns} FROM lyot.target WHERE DISTANCE(ra, dec, {ra!r}, {dec!r}) <= {radius!r}"


def _sources(names: tuple[str, ...], ra: float, dec: float, radius: float) -> str:
    """Sources of the stars that are near enough, which an index finds, and of these those that are in the cone."""
    made = {
        "detection_id": "d.reduction_id || '#' || CAST(d.number AS VARCHAR)"
        " || COALESCE('@' || CAST(d.wavelength AS VARCHAR), '') AS detection_id",
        "ra": f"{RA} AS ra",
        "dec": f"{DEC} AS dec",
    }
    columns = ", ".join(made.get(name, f'd."{name}"') for name in names)
    near = min(180.0, radius + FARTHEST)
    return (
        f"SELECT {columns} FROM lyot.target AS t JOIN lyot.detection AS d ON d.target_id = t.target_id "
        f"WHERE DISTANCE(t.ra, t.dec, {ra!r}, {dec!r}) <= {near!r} "
        f"AND DISTANCE({RA}, {DEC}, {ra!r}, {dec!r}) <= {radius!r}"
    )


def _number(request: Request, name: str) -> float:
    said = request.get(name)
    try:
        number = float(said)
    except ValueError as error:
        raise QueryError(f"{name} is {said[:40]!r}" if said else f"{name} is missing", hint="degrees, ICRS") from error
    if not math.isfinite(number):
        raise QueryError(f"{name} is {said[:40]!r}", hint="degrees, ICRS")
    return number
