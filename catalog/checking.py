"""Is a value what its column says? Errors name its place in the document."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from lyot.catalog.release import release_day
from lyot.catalog.table import Column, Table
from lyot.errors import BadInput

#: Quantities that mean nothing at zero or below, wherever they stand.
POSITIVE = ("parallax", "pixel_scale", "separation", "wavelength", "exposure_time", "age", "mass")
LONGEST = 100_000  # characters of a text: longer ones are files, not values

NEVER = "9999-12-31"


def checked_row(table: Table, row: Mapping[str, Any], path: str) -> dict[str, Any]:
    """The row with every value checked and of its column's type; what it does not say is left out.

    Parameters
    ----------
    table : Table
    row : mapping of column names to values as read; every name must be of the table
    path : str
        Where it stands in the document, as `observations[3].reductions[0]`.

    Raises
    ------
    BadInput
        If a value is not what its column says, or a required one is missing.
    """
    values = {
        name: checked(table.column(name), value, f"{path}.{name}" if path else name)
        for name, value in row.items()
        if value is not None and value != ""
    }
    if "release_date" in row and "release_date" not in values:
        values["release_date"] = NEVER  # a row that says it has none stays private, whatever its file says
    for column in table.columns:
        if column.required and column.name not in values and column.name not in ("simulated", "workspace"):
            raise BadInput(f"{path or table.name}: {column.name} is missing", hint=column.doc)
    return values


def checked(column: Column, value: Any, path: str) -> Any:
    """The value as its column's type.

    Raises
    ------
    BadInput
        If it cannot be that, or lies outside the column's limits or choices.
    """
    match column.type:
        case "float" | "int":
            return _number(column, value, path)
        case "bool":
            return _truth(value, path)
        case "date":
            return _date(column, value, path)
        case "json":
            return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        case _:
            return _text(column, value, path)


def finite(value: Any, path: str) -> float:
    """A finite number, given as one or as text.

    Raises
    ------
    BadInput
        If it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise BadInput(f"{path}: {_shown(value)} is not a number")
    try:
        number = float(value)
    except ValueError:
        hint = "a limit has no place here: give the number, and whether it is a limit in a measurement's `limit`"
        looks_like_limit = isinstance(value, str) and value.strip()[:1] in ("<", ">")
        raise BadInput(f"{path}: {_shown(value)} is not a number", hint=hint if looks_like_limit else "") from None
    except OverflowError:
        raise BadInput(f"{path}: {_shown(value)} is too large") from None
    if not math.isfinite(number):
        raise BadInput(f"{path}: {_shown(value)} is not a finite number", hint="leave out what is not known")
    return number


def _number(column: Column, value: Any, path: str) -> float | int:
    number = finite(value, path)
    unit = f" {column.unit}" if column.unit else ""
    if column.limits and not column.limits[0] <= number <= column.limits[1]:
        low, high = column.limits
        between = f"between {low:g} and {high:g}" if math.isfinite(high) else f"{low:g} or more"
        raise BadInput(f"{path}: {number:g}{unit} is outside what is possible, {between} is needed")
    if column.name in POSITIVE and number <= 0:
        raise BadInput(f"{path}: {number:g}{unit} is not positive", hint="leave it out if it is not known")
    if column.type == "int":
        if number != int(number):
            raise BadInput(f"{path}: {number:g} is not a whole number")
        return int(number)
    return number


def _truth(value: Any, path: str) -> bool:
    if isinstance(value, bool):
        return value
    known = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if str(value).strip().lower() in known:
        return known[str(value).strip().lower()]
    raise BadInput(f"{path}: {_shown(value)} is neither true nor false")


def _date(column: Column, value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise BadInput(f"{path}: {_shown(value)} is no date", hint="ISO 8601 is needed, as 2026-03-01")
    try:
        day = release_day(value)
    except BadInput as error:
        raise BadInput(f"{path}: {error.message}", hint=error.hint) from None
    return day if column.name == "release_date" else value.strip()


def _text(column: Column, value: Any, path: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadInput(f"{path}: {_shown(value)} is not text")
    text = str(value).strip()
    if len(text) > LONGEST:
        raise BadInput(f"{path}: a text of {len(text)} characters, {LONGEST} at most are kept")
    if column.choices and text not in column.choices:
        raise BadInput(f"{path}: {_shown(text)} is none of {', '.join(column.choices)}")
    return text


def _shown(value: Any) -> str:
    """The value as it stands in an error: short."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
