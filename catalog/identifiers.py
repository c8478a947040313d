"""What a row of a document need not say: identifiers made from names and dates, and times one from the other."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from astropy import units

from lyot.catalog.checking import finite
from lyot.catalog.names import target_id_of
from lyot.catalog.table import tables
from lyot.errors import BadInput
from lyot.product import slug
from lyot.sky import day_of, mjd_error_of, mjd_of

Row = dict[str, Any]


def identified(table: str, said: Row, above: Row, number: int, path: str) -> Row:
    """A row with the identifiers and times that follow from what it says.

    Parameters
    ----------
    table : str
        Whose row it is.
    said : mapping of column names to values, as read
    above : what it may inherit
    number : int
        Its place in its list.
    path : str
        Its place in the document.

    Raises
    ------
    BadInput
        If nothing can be made of what it says.
    """
    tell = _BY_TABLE.get(table)
    return tell(dict(said), above, number, path) if tell else dict(said)


def _by_name(identifier: str) -> Callable[[Row, Row, int, str], Row]:
    """Make the identifier from the name."""

    def named(said: Row, above: Row, number: int, path: str) -> Row:
        if said.get("name") and not said.get(identifier):
            made = target_id_of if identifier == "target_id" else slug
            said[identifier] = made(str(said["name"]))
        return said

    return named


def _measurement(said: Row, above: Row, number: int, path: str) -> Row:
    said.setdefault("number", 0)
    value = said.get("value")
    if isinstance(value, str) and value.strip()[:1] in ("<", ">") and not said.get("limit"):
        said["limit"], said["value"] = value.strip()[0], value.strip()[1:].lstrip("=").strip()
        if not said["value"]:
            raise BadInput(f"{path}.value: {value!r} is a limit without a number")
    _in_known_unit(said, bool(said.get("companion_id") or above.get("companion_id")), path)
    if said.get("quantity") == "parallax" and value is not None and finite(said["value"], f"{path}.value") <= 0:
        raise BadInput(f"{path}.value: a parallax of {said['value']} is not positive")
    return said


def _in_known_unit(said: Row, of_companion: bool, path: str) -> None:
    """A unit must be one, and that of the column where the catalogue has one for the quantity: nothing is converted.

    Raises
    ------
    BadInput
        If it is not.
    """
    quantity, unit = str(said.get("quantity")), said.get("unit")
    needed = _units("companion" if of_companion else "target").get(quantity)
    if unit in (None, ""):
        if needed:
            said["unit"] = needed
        return
    if unit not in (needed, "Mjup"):
        try:
            units.Unit(str(unit), format="vounit")
        except ValueError:
            raise BadInput(f"{path}.unit: {unit!r} is no unit", hint="VOUnit spells them, as mas/yr") from None
    if needed and unit != needed:
        raise BadInput(f"{path}.unit: {unit!r}, but {quantity} is kept in {needed}", hint="convert the value")


@cache
def _units(table: str) -> dict[str, str]:
    """Units of measured quantities, by the columns that a table has for them."""
    own = tables()[table]
    found = {name: own.column(name).unit.strip("'") for name in own.names if f"{name}_error" in own.names}
    return found | {"apparent_mag": "mag", "absolute_mag": "mag"}


def _judgement(said: Row, above: Row, number: int, path: str) -> Row:
    """People judge with who, when and why; what astrometry says is derived, never imported."""
    said.setdefault("origin", "human")
    if said["origin"] != "human":
        raise BadInput(f"{path}.origin: only verdicts of people are imported", hint="those of astrometry are derived")
    for name in ("author", "date", "reason"):
        if not said.get(name):
            raise BadInput(f"{path}: {name} is missing", hint="a verdict says who judged, when and why")
    return said


def _observation(said: Row, above: Row, number: int, path: str) -> Row:
    if said.get("target_name") and not said.get("target_id"):
        said["target_id"] = target_id_of(str(said["target_name"]))
    if said.get("julian_date") is not None and said.get("mjd") is None:
        said["mjd"] = finite(said.pop("julian_date"), f"{path}.julian_date") - 2_400_000.5
    if said.get("mjd") is None and said.get("date"):
        said["mjd"] = _at(f"{path}.date", mjd_of, str(said["date"]))
        said.setdefault("mjd_error", mjd_error_of(str(said["date"])))
    if said.get("mjd") is not None and not said.get("date"):
        said["date"] = _at(f"{path}.mjd", day_of, finite(said["mjd"], f"{path}.mjd"))
    if not said.get("observation_id"):
        target = said.get("target_id") or above.get("target_id")
        if not target:
            raise BadInput(f"{path}: neither target_id nor target_name is given")
        when = f"{finite(said['mjd'], f'{path}.mjd'):.3f}" if said.get("mjd") is not None else "undated"
        said["observation_id"] = f"import/{target}/{slug(str(said.get('instrument') or 'unknown'))}-{when}"
    return said


def _reduction(said: Row, above: Row, number: int, path: str) -> Row:
    if not said.get("reduction_id"):
        said["reduction_id"] = f"{above['observation_id']}/{number}"
    return said


def _detection(said: Row, above: Row, number: int, path: str) -> Row:
    if said.get("number") is None:
        said["number"] = number
    return said


_BY_TABLE: dict[str, Callable[[Row, Row, int, str], Row]] = {
    "target": _by_name("target_id"),
    "companion": _by_name("companion_id"),
    "survey": _by_name("survey_id"),
    "measurement": _measurement,
    "verdict": _judgement,
    "observation": _observation,
    "reduction": _reduction,
    "detection": _detection,
}


def _at(path: str, tell: Callable[[Any], Any], value: Any) -> Any:
    """What `tell` says of a value; its error with the place of the value."""
    try:
        return tell(value)
    except BadInput as error:
        raise BadInput(f"{path}: {error.message}", hint=error.hint) from None
