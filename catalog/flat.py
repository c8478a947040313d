"""Flat tables (CSV) as documents: what a table holds is told by its columns."""

from __future__ import annotations

import csv
import io
from typing import Any

from lyot.catalog.table import tables
from lyot.errors import BadInput

Row = dict[str, Any]

#: Columns that tell what a table holds, and the part of the document its rows make; the first that fits counts.
KINDS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("citation",), "references"),
    (("quantity", "value"), "measurements"),
    (("separation", "position_angle"), "observations"),
    (("dra", "ddec"), "observations"),
    (("name", "target_id"), "companions"),
    (("name",), "targets"),
)
LONGEST_LINE = 1_000_000  # characters of a cell


def document_of_csv(text: str) -> dict[str, Any]:
    """The document that a CSV table stands for.

    Detections in one table are put together into observations (same star, instrument, filter and time, or same
    `observation_id`) and reductions. Aliases stand in one cell, between semicolons.

    Raises
    ------
    BadInput
        If it is no table, or its columns do not tell what it holds.
    """
    header, rows = _read(text)
    part = next((part for names, part in KINDS if set(names) <= set(header)), None)
    if part is None:
        needed = "; ".join(" and ".join(names) for names, _ in KINDS)
        raise BadInput(f"its columns ({', '.join(header[:12])}) do not tell what it holds", hint=f"needed: {needed}")
    if part == "observations":
        return {part: _observations(rows)}
    if part == "targets":
        for row in rows:
            if "aliases" in row:
                row["aliases"] = [alias.strip() for alias in str(row["aliases"]).split(";") if alias.strip()]
    return {part: rows}


def _read(text: str) -> tuple[list[str], list[Row]]:
    csv.field_size_limit(LONGEST_LINE)
    lines = csv.reader(io.StringIO(text), strict=True)
    try:
        header = [name.strip() for name in next(lines, [])]
        twice = sorted({name for name in header if header.count(name) > 1})
        if not any(header) or twice:
            raise BadInput(f"its header names {', '.join(twice)} twice" if twice else "it has no header")
        rows = []
        for cells in lines:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                raise BadInput(f"line {lines.line_num} has {len(cells)} cells, the header {len(header)}")
            rows.append({name: cell.strip() for name, cell in zip(header, cells, strict=True) if cell.strip()})
    except csv.Error as error:
        raise BadInput(f"line {lines.line_num} is no CSV: {error}") from None
    return header, rows


def _observations(rows: list[Row]) -> list[Row]:
    """Observations with their reductions and detections, from one row per detection."""
    of_reduction, of_observation = (set(tables()[name].names) for name in ("reduction", "observation"))
    observations: dict[tuple[Any, ...], Row] = {}
    reductions: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        when = tuple(row.get(name) for name in _TELLS_OBSERVATIONS)
        observation = observations.setdefault(when, {"reductions": []})
        observation |= {n: v for n, v in row.items() if n in of_observation - _OF_DETECTIONS or n == "julian_date"}
        which = (*when, *(row.get(name) for name in _TELLS_REDUCTIONS))
        if which not in reductions:
            reductions[which] = {"detections": []}
            observation["reductions"].append(reductions[which])
        own = of_reduction - of_observation
        reductions[which] |= {name: value for name, value in row.items() if name in own}
        elsewhere = (of_observation - _OF_DETECTIONS) | own | {"julian_date"}
        reductions[which]["detections"].append({name: v for name, v in row.items() if name not in elsewhere})
    for observation in observations.values():
        _as_private_as_its_rows(observation)
    return list(observations.values())


def _as_private_as_its_rows(observation: Row) -> None:
    """An observation is public no sooner than the first of its detections, nor is a reduction."""
    everything: list[Row] = []
    for reduction in observation["reductions"]:
        everything += reduction["detections"]
        _from_the_first_day_of(reduction["detections"], reduction)
    _from_the_first_day_of(everything, observation)


def _from_the_first_day_of(detections: list[Row], whole: Row) -> None:
    days = [row.get("release_date") for row in detections]
    if days and all(days):
        whole["release_date"] = min(str(day) for day in days)


_TELLS_OBSERVATIONS = ("observation_id", "target_id", "target_name", "instrument", "mjd", "julian_date", "date")
_TELLS_REDUCTIONS = ("reduction_id", "recipe", "algorithm", "strategy", "parameters", "software", "version")
_OF_DETECTIONS = {"filter", "wavelength", "reference_id", "product_key", "release_date", "simulated"}
