"""Rows of `verdict` from rows of `target` and `detection`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lyot.catalog.forecast import decides_on
from lyot.catalog.motion import judge_all, positions, star_of

Row = dict[str, Any]

UNDECIDED = ("UNDEFINED", "CANDIDATE", "AMBIGUOUS")


def verdicts(targets: Iterable[Mapping[str, Any]], detections: Iterable[Mapping[str, Any]], as_of: str) -> list[Row]:
    """What astrometry says of every companion that has detections: one row each, dated `as_of` (ISO day).

    Parameters
    ----------
    targets : rows of `target`
    detections : rows of `detection`; those without `companion_id` are left out
    as_of : ISO day, UTC
    """
    stars = {target["target_id"]: target for target in targets}
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for row in detections:
        if row.get("companion_id"):
            groups.setdefault(row["companion_id"], []).append(row)
    sources = []
    for rows in groups.values():
        target = stars.get(rows[0]["target_id"], {})
        sources.append((star_of(target), positions(rows), target.get("mass")))
    judged = judge_all(sources)
    found = []
    for (companion, rows), (star, seen, mass), verdict in zip(groups.items(), sources, judged, strict=True):
        said: Row = {name: value for name, value in vars(verdict).items() if value is not None}
        if star is not None and seen.epochs and verdict.status in UNDECIDED:
            said["decides_on"] = decides_on(star, seen, mass)
        found.append(
            {"companion_id": companion, "target_id": rows[0]["target_id"], "origin": "astrometry", "date": as_of}
            | said
            | rights(rows)
        )
    return found


def rights(rows: Iterable[Mapping[str, Any]]) -> Row:
    """Rights of what is derived from rows: as late as the latest of them, private or simulated if any of them is."""
    rows = list(rows)
    dates = [row.get("release_date") for row in rows]
    return {
        "simulated": any(bool(row.get("simulated")) for row in rows),
        "workspace": rows[0].get("workspace"),
        "release_date": None if None in dates else max(str(date) for date in dates),
    }
