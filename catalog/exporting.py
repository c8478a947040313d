"""Rows out as documents: the hierarchy that `exchange` reads back without loss, its schema, and flat tables."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

from lyot.catalog.exchange import ABOUT, INHERITED, INSIDE, PARTS
from lyot.catalog.table import Column, Table, tables

Row = Mapping[str, Any]

#: What the build derives, and what is true in one store only: neither is handed on.
DERIVED = {
    "companion": ("status", "epochs"),
    "detection": ("status", "proposed"),
    "detection_limit": ("mass_limit",),
    "observation": ("product_key",),
    "reduction": ("product_key",),
}
DERIVED_QUANTITIES = ("absolute_mag", "isochrone_mass", "sequence_offset", "sequence_type")
OWN = ("workspace",)
#: Columns that lead a flat table of detections; the rest of what is there follows.
FLAT = (
    "target_id", "target_name", "observation_id", "instrument", "date", "reduction_id", "algorithm", "software",
)  # fmt: skip
#: Kinds of values in JSON.
JSON = {"text": "string", "int": "integer", "float": "number", "bool": "boolean", "date": "string", "json": "string"}
_HELD_BY = {"reduction": "observation_id", "detection": "reduction_id", "detection_limit": "reduction_id"}


def document_of(rows: Mapping[str, Iterable[Row]]) -> dict[str, Any]:
    """The document that `exchange.rows_of` reads as these rows.

    A value that a row does not have, but the row that holds it has, is written as null, so that it is not inherited.

    Parameters
    ----------
    rows : by table
    """
    listed = {name: list(some) for name, some in rows.items()}
    held = {name: _by(listed.get(name, []), column) for name, column in _HELD_BY.items()}
    aliases = _by(listed.get("target_alias", []), "target_id")
    document: dict[str, Any] = {}
    for part in INSIDE[""]:
        table = tables()[PARTS[part]]
        for row in listed.get(table.name, []):
            if not _is_given(table, row):
                continue
            said = _written(table, row, {})
            if table.name == "target" and row["target_id"] in aliases:
                said["aliases"] = [alias["alias"] for alias in aliases[row["target_id"]]]
            if table.name == "observation" and row["observation_id"] in held["reduction"]:
                said["reductions"] = _reductions(row, held)
            document.setdefault(part, []).append(said)
    return document


def _is_given(table: Table, row: Row) -> bool:
    """Whether somebody gave the row: the build makes verdicts of astrometry and derived quantities itself."""
    if table.name == "verdict":
        return bool(row.get("origin") == "human")
    if table.name == "measurement":
        derived = str(row.get("preferred_reason") or "").startswith("derived")
        return not (row.get("quantity") in DERIVED_QUANTITIES and derived)
    return True


def _reductions(observation: Row, held: Mapping[str, Mapping[str, list[Row]]]) -> list[dict[str, Any]]:
    found = []
    for reduction in held["reduction"].get(observation["observation_id"], []):
        above = {**observation, **reduction}
        said = _written(tables()["reduction"], reduction, observation)
        for name, part in (("detection", "detections"), ("detection_limit", "detection_limits")):
            inside = held[name].get(reduction["reduction_id"], [])
            if inside:
                said[part] = [_written(tables()[name], row, above) for row in inside]
        found.append(said)
    return found


def _written(table: Table, row: Row, above: Row) -> dict[str, Any]:
    """What a row says itself; null where it would inherit what it does not have."""
    said: dict[str, Any] = {}
    for name in table.names:
        if name in OWN or name in DERIVED.get(table.name, ()):
            continue
        inherited = above.get(name) if name in INHERITED else None
        if row.get(name) != inherited:
            said[name] = row.get(name)
    return said


def csv_of(rows: Mapping[str, Iterable[Row]]) -> str:
    """Detections as one flat table, with what their observations and reductions say; `flat` reads it back."""
    observations = {row["observation_id"]: row for row in rows.get("observation", ())}
    reductions = {row["reduction_id"]: row for row in rows.get("reduction", ())}
    own = [name for name in tables()["detection"].names if name not in (*OWN, *DERIVED["detection"])]
    names = list(dict.fromkeys([*FLAT, *own]))
    flat = []
    for row in rows.get("detection", ()):
        above = {**observations.get(row["observation_id"], {}), **reductions.get(row["reduction_id"], {})}
        flat.append({name: (row if name in own else above).get(name) for name in names})
    used = [name for name in names if any(row[name] is not None for row in flat)]
    text = io.StringIO()
    writer = csv.DictWriter(text, used, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    return text.getvalue()


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the document, made from the tables."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Lyot: observations, their reductions and detections, and what is known of their targets",
        "type": "object",
        "properties": {part: _list_of(part) for part in INSIDE[""]} | {name: {} for name in ABOUT},
        "$defs": {name: _schema_of(tables()[name]) for name in PARTS.values()},
    }


def _schema_of(table: Table) -> dict[str, Any]:
    properties = {column.name: _schema_of_column(column) for column in table.columns if column.name not in OWN}
    properties |= {part: _list_of(part) for part in INSIDE.get(table.name, ())}
    if table.name == "target":
        properties["aliases"] = {"type": "array", "items": {"type": "string"}, "description": "Its other names"}
    return {"type": "object", "description": table.doc, "properties": properties}


def _list_of(part: str) -> dict[str, Any]:
    return {"type": "array", "items": {"$ref": f"#/$defs/{PARTS[part]}"}}


def _schema_of_column(column: Column) -> dict[str, Any]:
    unit = f" [{column.unit}]" if column.unit else ""
    said: dict[str, Any] = {"type": [JSON[column.type], "null"], "description": f"{column.doc}{unit}"}
    if column.choices:
        said["enum"] = [*column.choices, None]
    if column.limits:
        low, high = column.limits
        said["minimum"] = low
        if high != float("inf"):
            said["maximum"] = high
    return said


def _by(rows: Iterable[Row], column: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row[column], []).append(row)
    return found
