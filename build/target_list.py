"""Which stars to plan for: those of a release, of a survey, of an SQL query, or of a CSV file."""

from __future__ import annotations

import csv
import json
import math
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lyot.catalog.names import Names, dictionary, normalise
from lyot.catalog.tables.target import BANDS
from lyot.errors import BadInput, NotFound
from lyot.product import slug
from lyot.progress import say

Row = dict[str, Any]

MAGNITUDES = {f"mag_{short}": band for short, band in BANDS.items()}
NUMBERS = ("ra", "dec", "ref_epoch", "pmra", "pmdec", "priority", *MAGNITUDES)
TEXTS = ("target_id", "name")
#: Other headings that people use; a band's name alone is its magnitude.
HEADINGS = {"target": "name", "star": "name", "id": "target_id", "epoch": "ref_epoch",
            **{band.lower(): column for column, band in MAGNITUDES.items()}}  # fmt: skip
LIMITS = {"ra": (0.0, 360.0), "dec": (-90.0, 90.0), "ref_epoch": (1800.0, 2200.0)}
_SEXAGESIMAL = re.compile(r"([+\-−]?)(\d{1,3})[\s:hd°]+(\d{1,2})[\s:m′']+(\d{1,2}(?:\.\d*)?)[s″\"]?")
_TARGET = f"SELECT target_id, name, {', '.join(n for n in NUMBERS if n != 'priority')} FROM target"
_HISTORY = {
    "observation": "observation_id, target_id, date, instrument, filter",
    "reduction": "reduction_id, target_id, validation",
    "detection_limit": "reduction_id, observation_id, target_id, filter, wavelength, noise, separation, contrast, "
                       "delta_mag, sigma",
    "companion": "companion_id, target_id, name, status",
    "verdict": "companion_id, target_id, date, decides_on",
    "detection": "companion_id, target_id, mjd, separation, position_angle, dra, ddec",
}  # fmt: skip


@contextmanager
def opened(folder: Path) -> Iterator[sqlite3.Connection]:
    """The baked database of a release, for reading only.

    Raises
    ------
    NotFound
        If the folder holds none.
    """
    database = folder / "lyot.db"
    if not database.is_file():
        raise NotFound(f"{folder} holds no lyot.db", hint="bake the release first: lyot build")
    connection = sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    try:
        yield connection
    finally:
        connection.close()


def everything(connection: sqlite3.Connection) -> list[Row]:
    """Every star of a release."""
    return [dict(row) for row in connection.execute(f"{_TARGET} ORDER BY target_id")]


def of_survey(connection: sqlite3.Connection, survey: str) -> list[Row]:
    """The stars that a survey observed, by its name or `survey_id`.

    Raises
    ------
    NotFound
        If the release has no such survey; the message lists those it has.
    """
    known = {row["survey_id"]: row["name"] for row in connection.execute("SELECT survey_id, name FROM survey")}
    meant = [key for key, name in known.items() if survey.strip().lower() in (key.lower(), str(name).lower())]
    if not meant:
        raise NotFound(f"no survey is known as {survey!r}; there are {', '.join(map(str, known.values())) or 'none'}")
    chosen = f"{_TARGET} WHERE target_id IN (SELECT target_id FROM observation WHERE survey_id = ?) ORDER BY target_id"
    return [dict(row) for row in connection.execute(chosen, (meant[0],))]


def of_query(connection: sqlite3.Connection, query: str) -> list[Row]:
    """The stars that an SQL query gives: a column `target_id` or `name`, and whatever it says of them otherwise.

    Raises
    ------
    BadInput
        If it is no query, or gives no stars by these columns.
    """
    try:
        cursor = connection.execute(query)
        given = [dict(row) for row in cursor]
    except (sqlite3.Error, sqlite3.Warning) as error:
        raise BadInput(f"the query failed: {error}", hint="one SELECT on the tables of the release is needed") from None
    columns = [column[0] for column in cursor.description or ()]
    if not {"target_id", "name"} & set(columns):
        raise BadInput(f"the query gives {', '.join(columns) or 'nothing'}; a column target_id or name is needed")
    rows = [{name: value for name, value in row.items() if name in (*NUMBERS, *TEXTS)} for row in given]
    for place, row in enumerate(rows, 1):
        for name in set(row) & set(NUMBERS):
            row[name] = _number(name, row[name], f"row {place} of the query")
    return _known(rows, connection, "the query")


def of_file(path: Path, connection: sqlite3.Connection | None) -> list[Row]:
    """The stars of a CSV file with a heading: name, then whatever is known of ra, dec, pmra, pmdec, R, priority…

    Right ascension and declination are degrees, or `05:47:17.1` (hours) and `-51:03:59`. What the file does not say
    of a star that the release knows by that name is taken from there.

    Raises
    ------
    BadInput
        If the file cannot be read; the message names the line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise NotFound(f"there is no file {path}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read as text: {error}") from None
    reader = csv.DictReader(line for line in text.splitlines() if line.strip() and not line.startswith("#"))
    headings = {heading: _column(heading) for heading in reader.fieldnames or ()}
    if not {"name", "target_id"} & set(headings.values()):
        raise BadInput(f"{path} has no column `name`; it has {', '.join(headings) or 'none'}")
    unused = [heading for heading, column in headings.items() if not column and heading]
    if unused:
        say(f"{path}: not used: {', '.join(unused)}")
    rows = []
    for place, line in enumerate(reader, 1):
        row: Row = {}
        for heading, column in headings.items():
            value = (line[heading] or "").strip()
            if column and value:
                row[column] = value if column in TEXTS else _number(column, value, f"{path}, star {place}")
        rows.append(row)
    return _known(rows, connection, str(path))


def history_tables(connection: sqlite3.Connection, target_ids: Sequence[str]) -> dict[str, list[Row]]:
    """What a release knows of these stars, as `catalog.history.histories` wants it."""
    chosen = json.dumps(list(target_ids))
    where = "WHERE target_id IN (SELECT value FROM json_each(?))"
    return {
        table: [dict(row) for row in connection.execute(f"SELECT {columns} FROM {table} {where}", (chosen,))]
        for table, columns in _HISTORY.items()
    }


def _column(heading: str) -> str:
    """The column that a heading means, or nothing."""
    plain = heading.strip().lower()
    plain = HEADINGS.get(plain, plain)
    return plain if plain in (*NUMBERS, *TEXTS) else ""


def _number(name: str, value: Any, where: str) -> float | None:
    """A number of a list.

    Raises
    ------
    BadInput
        If it is none, or out of its range.
    """
    if value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        found = _SEXAGESIMAL.fullmatch(str(value).strip()) if name in ("ra", "dec") else None
        if found is None:
            raise BadInput(f"{where}: {name} is {value!r}, a number is needed") from None
        size = float(found[2]) + float(found[3]) / 60 + float(found[4]) / 3600
        number = size * (15.0 if name == "ra" else 1.0) * (-1.0 if found[1] in ("-", "−") else 1.0)
    low, high = LIMITS.get(name, (-math.inf, math.inf))
    if not math.isfinite(number) or not low <= number <= high:
        raise BadInput(f"{where}: {name} is {value!r}, {low:g} to {high:g} is needed")
    return number


def _known(rows: Sequence[Row], connection: sqlite3.Connection | None, where: str) -> list[Row]:
    """Rows of a list completed by what the release knows of the same stars; each star once, its first row counts."""
    known = {row["target_id"]: row for row in everything(connection)} if connection is not None else {}
    names = Names()
    if connection is not None and any("target_id" not in row for row in rows):
        aliases = connection.execute("SELECT target_id, alias FROM target_alias")
        names = dictionary(known.values(), [dict(row) for row in aliases])
    found: dict[str, Row] = {}
    for place, row in enumerate(rows, 1):
        key = _identity(row, known, names, f"{where}, star {place}")
        found.setdefault(key, _completed({**row, "target_id": key}, known.get(key, {})))
    return list(found.values())


def _identity(row: Row, known: Mapping[str, Row], names: Names, where: str) -> str:
    """The `target_id` of a star of a list."""
    key = row.get("target_id")
    if key is not None and (str(key) in known or not row.get("name")):
        return str(key)
    if not row.get("name"):
        raise BadInput(f"{where} has no name")
    name = str(row["name"])
    try:
        plain = slug(name)
        normalise(name)
    except BadInput:  # a name without a Latin letter is no name that the release can know
        return str(key or name)
    try:
        return names.resolve(name)
    except NotFound:
        return str(key or plain)


def _completed(row: Row, known: Mapping[str, Any]) -> Row:
    """A star of a list with what the release says of it; a place that the list gives comes with its own epoch."""
    said = {name: value for name, value in row.items() if value is not None}
    if {"ra", "dec"} <= said.keys():
        said.setdefault("ref_epoch", 2000.0 if said["ra"] != known.get("ra") else known["ref_epoch"])
    made: Row = dict.fromkeys((*TEXTS, *NUMBERS)) | dict(known) | said
    made["name"] = made["name"] or made["target_id"]
    return made
