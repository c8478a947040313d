"""Rows in and out of documents: the hierarchy observation → reductions → detections, and flat tables.

A document is a JSON object. Its parts are lists, each of rows of one table by the names of its columns:
`references`, `surveys`, `field_dwarfs`, `targets` (with `aliases`), `companions`, `measurements`, `verdicts` and
`observations`, whose rows hold `reductions`, whose rows hold `detections` and `detection_limits`. Columns may be
missing; what a row does not say it has from the row that holds it. Names of columns that no table has are told,
never dropped silently. Identifiers may be missing too: they are then made from names and dates.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from lyot.catalog.astrometry import complete
from lyot.catalog.checking import checked_row
from lyot.catalog.identifiers import identified
from lyot.catalog.table import Table, tables
from lyot.errors import BadInput

Row = dict[str, Any]

#: Lists of a document, or of a row, and the table of their rows.
PARTS = {
    "references": "reference",
    "surveys": "survey",
    "field_dwarfs": "field_dwarf",
    "targets": "target",
    "companions": "companion",
    "measurements": "measurement",
    "verdicts": "verdict",
    "observations": "observation",
    "reductions": "reduction",
    "detections": "detection",
    "detection_limits": "detection_limit",
}
#: What each kind of row may hold; "" is the document itself.
INSIDE = {
    "": (
        "references", "surveys", "field_dwarfs", "targets", "companions", "measurements", "verdicts", "observations",
    ),
    "target": ("companions", "measurements", "observations"),
    "companion": ("measurements", "verdicts"),
    "observation": ("reductions",),
    "reduction": ("detections", "detection_limits"),
}
#: Values that a row has from the row that holds it, where it has the column and does not say otherwise.
INHERITED = (
    "target_id", "observation_id", "reduction_id", "companion_id", "reference_id", "survey_id", "mjd", "mjd_error",
    "filter", "wavelength", "release_date", "simulated",
)  # fmt: skip
HOLDERS = ("target_id", "observation_id", "reduction_id", "companion_id")
#: What stands in a document beside its rows.
ABOUT = ("about", "format", "schema", "release_date", "simulated")
DEEPEST = 12  # levels of a document: its own are four


@dataclass
class Rows:
    """Rows by table, and the names in the document that no table has, by their place."""

    tables: dict[str, list[Row]] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)

    def add(self, table: str, row: Row) -> None:
        """One more row."""
        self.tables.setdefault(table, []).append(row)


def rows_of(document: Any) -> Rows:
    """Every row of a document, checked.

    Raises
    ------
    BadInput
        If the document is not of the shape above, or a value is not what its column says; the message begins with
        its place, as `observations[3].reductions[0].detections[1].separation`.
    """
    if not isinstance(document, Mapping):
        raise BadInput(f"the document is {_kind(document)}, an object with {', '.join(INSIDE[''])} is needed")
    if not any(part in document for part in INSIDE[""]):
        raise BadInput(
            f"the document has none of {', '.join(INSIDE[''])}", hint=f"it has {', '.join(list(document)[:8])}"
        )
    _not_too_deep(document)
    rows = Rows()
    above = {name: document[name] for name in ("release_date", "simulated") if document.get(name) is not None}
    _in_its_place(document, "", "")
    rows.unknown += [name for name in document if name not in INSIDE[""] and name not in ABOUT]
    _parts(document, "", "", above, rows)
    _published_values(rows)
    _once_each(rows)
    return rows


def _parts(holder: Mapping[str, Any], kind: str, path: str, above: Row, rows: Rows) -> None:
    """Rows of the lists that a row, or the document, holds."""
    for part in INSIDE.get(kind, ()):
        listed = holder.get(part)
        if listed is None:
            continue
        where = f"{path}.{part}" if path else part
        if not isinstance(listed, list):
            raise BadInput(f"{where}: {_kind(listed)}, a list is needed")
        for number, raw in enumerate(listed):
            _row(tables()[PARTS[part]], raw, number, f"{where}[{number}]", above, rows)


def _row(table: Table, raw: Any, number: int, path: str, above: Row, rows: Rows) -> None:
    if not isinstance(raw, Mapping):
        raise BadInput(f"{path}: {_kind(raw)}, an object is needed")
    _in_its_place(raw, table.name, path)
    inside = INSIDE.get(table.name, ())
    aliases = raw.get("aliases") if table.name == "target" else None
    said = {name: value for name, value in raw.items() if name not in inside and name != "aliases"}
    named = identified(table.name, said, above, number, path)
    rows.unknown += [f"{path}.{name}" for name in named if name not in table.names]
    inherited = {name: value for name, value in above.items() if name in table.names}
    for name in HOLDERS:
        if name in inherited and named.get(name) not in (None, "", inherited[name]):
            raise BadInput(
                f"{path}.{name}: {named[name]!r} is not {inherited[name]!r}, in which the row stands",
                hint="leave it out, or move the row",
            )
    row = checked_row(
        table, inherited | {name: value for name, value in named.items() if name in table.names}, path
    )
    if table.name == "detection":
        row = complete(row, path)
    rows.add(table.name, row)
    if aliases is not None:
        _aliases(aliases, row, path, rows)
    below = above | {name: row[name] for name in INHERITED if name in row}
    _parts(raw, table.name, path, below, rows)


def _in_its_place(holder: Mapping[str, Any], kind: str, path: str) -> None:
    """No list of rows stands where its rows would lack what holds them, as a detection without an observation."""
    for part in PARTS:
        if part in holder and part not in INSIDE.get(kind, ()):
            holders = [f"a row of {name}" if name else "the document" for name in INSIDE if part in INSIDE[name]]
            place = f"{path}.{part}" if path else part
            raise BadInput(f"{place}: {part} stand in {' or in '.join(holders)}, not here")


def _aliases(aliases: Any, target: Row, path: str, rows: Rows) -> None:
    if not isinstance(aliases, list):
        raise BadInput(f"{path}.aliases: {_kind(aliases)}, a list of names is needed")
    rights = {name: target[name] for name in ("release_date", "simulated") if name in target}
    for number, alias in enumerate(aliases):
        row = checked_row(
            tables()["target_alias"],
            {"target_id": target["target_id"], "alias": alias} | rights,
            f"{path}.aliases[{number}]",
        )
        rows.add("target_alias", row)


# ---- the whole document -------------------------------------------------------------------------------------------


def _published_values(rows: Rows) -> None:
    """Every value of a target that has a reference as a measurement too, so that another source's stays beside it."""
    known = {
        (row["target_id"], row["quantity"], row.get("band"))
        for row in rows.tables.get("measurement", ())
        if not row.get("companion_id")
    }
    for target in rows.tables.get("target", ()):
        for column, (quantity, band, unit) in published_columns().items():
            if column not in target or "reference_id" not in target:
                continue
            if (target["target_id"], quantity, band) in known:
                continue
            value: Row = {"quantity": quantity, "value": target[column], "unit": unit, "number": 0}
            for ending in ("error_minus", "error_plus"):
                value[ending] = target.get(f"{column}_error")
            value |= {"band": band} | {name: target[name] for name in _OF_TARGET if name in target}
            rows.add("measurement", {name: given for name, given in value.items() if given is not None})


_OF_TARGET = ("target_id", "reference_id", "release_date", "simulated")


@cache
def published_columns() -> dict[str, tuple[str, str | None, str]]:
    """Columns of `target` that are published values: quantity, band and unit as in `measurement`."""
    table = tables()["target"]
    found: dict[str, tuple[str, str | None, str]] = {}
    for name in table.names:
        if f"{name}_error" in table.names:
            band = name.removeprefix("mag_").upper().replace("LP", "L'") if name.startswith("mag_") else None
            found[name] = ("apparent_mag" if band else name, band, table.column(name).unit)
    return found


def _once_each(rows: Rows) -> None:
    """No two rows of a table with one key, unless they say the same."""
    for name, listed in rows.tables.items():
        table = tables()[name]
        seen: dict[tuple[Any, ...], Row] = {}
        for row in listed:
            key = tuple(row.get(column) for column in table.key)
            if key in seen and seen[key] != row:
                which = ", ".join(f"{column} {value!r}" for column, value in zip(table.key, key, strict=True))
                raise BadInput(f"two rows of {name} have the same {which} and differ", hint="give them numbers")
            seen[key] = row
        rows.tables[name] = list(seen.values())


def _not_too_deep(document: Any, path: str = "", depth: int = 0) -> None:
    """No document of ours nests deeper than `DEEPEST`."""
    if depth > DEEPEST:
        raise BadInput(f"{path[:80]}…: nested more than {DEEPEST} levels deep")
    if isinstance(document, Mapping):
        for name, value in document.items():
            _not_too_deep(value, f"{path}.{name}" if path else str(name), depth + 1)
    elif isinstance(document, list):
        for number, value in enumerate(document):
            _not_too_deep(value, f"{path}[{number}]", depth + 1)


def too_deep(text: str) -> str:
    """The place in a JSON text at which it first nests deeper than `DEEPEST`, without reading it whole."""
    place: list[str | int] = []
    name = ""
    for token in _TOKEN.finditer(text):
        match token[0]:
            case "[" | "{" as opening:
                if len(place) >= DEEPEST:
                    break
                place.append(0 if opening == "[" else "")
            case "]" | "}":
                del place[-1:]
            case ",":
                if place and isinstance(place[-1], int):
                    place[-1] += 1
            case ":":
                place[-1:] = [name]
            case word:
                name = word[1:-1]
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place).lstrip(".")[:80]


_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]')


def _kind(value: Any) -> str:
    """What a JSON value is, in words."""
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
