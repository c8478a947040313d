"""What was already observed of a star, how deep, and which of its candidates wait for a second epoch."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Row = Mapping[str, Any]

DEPTH_AT = 500.0  # mas from the star
SIGMA = 5.0
UNDECIDED = ("UNDEFINED", "CANDIDATE", "AMBIGUOUS")


@dataclass(frozen=True)
class Pending:
    """An object whose nature one more epoch would decide, from the ISO date `decides_on` on (none: not foreseen)."""

    name: str
    status: str
    decides_on: str | None


@dataclass(frozen=True)
class History:
    """What the catalogue knows of one star.

    Parameters
    ----------
    observations : how many
    last : ISO date of the latest, empty if there is none
    depth : 5σ limit at 0.5″, mag fainter than the star, of the deepest reduction; none if no limit reaches there
    depth_of : where that was reached, in words
    pending : objects that were seen and wait for one more epoch
    known : last positions of every object near the star: rows with `name`, `status`, `dra`, `ddec` (mas), `mjd`
    """

    observations: int = 0
    last: str = ""
    depth: float | None = None
    depth_of: str = ""
    pending: tuple[Pending, ...] = ()
    known: tuple[Row, ...] = field(default=(), repr=False)

    def decides(self, day: str) -> tuple[Pending, ...]:
        """The objects that an epoch on that day would decide."""
        return tuple(one for one in self.pending if one.decides_on is not None and one.decides_on <= day)


def histories(tables: Mapping[str, Iterable[Row]]) -> dict[str, History]:
    """The history of every target that has one, by `target_id`.

    Parameters
    ----------
    tables : rows of `observation`, `reduction`, `detection_limit`, `companion`, `verdict` and `detection`, by table
    """
    observations = _by(tables["observation"], "target_id")
    limits, companions = _by(tables["detection_limit"], "target_id"), _by(tables["companion"], "target_id")
    rejected = {row["reduction_id"] for row in tables["reduction"] if row.get("validation") == "rejected"}
    seen = {row["observation_id"]: row for rows in observations.values() for row in rows}
    dates = _foretold(tables["verdict"])
    places = _by((row for row in tables["detection"] if row.get("companion_id")), "companion_id")
    found = {}
    for key in observations.keys() | limits.keys() | companions.keys():
        depth, of = _deepest((row for row in limits[key] if row["reduction_id"] not in rejected), seen)
        found[key] = History(
            observations=len(observations[key]),
            last=max((str(row["date"])[:10] for row in observations[key] if row.get("date")), default=""),
            depth=depth,
            depth_of=of,
            pending=tuple(
                Pending(row["name"], row["status"], dates.get(row["companion_id"]))
                for row in companions[key]
                if row.get("status") in UNDECIDED and places[row["companion_id"]]
            ),
            known=tuple(one for row in companions[key] if (one := _last_place(row, places[row["companion_id"]]))),
        )
    return found


def depth_at(limits: Iterable[Row], separation: float = DEPTH_AT) -> float | None:
    """5σ limit (mag) of one reduction, wavelength and noise at a separation (mas), linear between those measured.

    None where the separation is outside of what was measured: a limit is not drawn out.
    """
    points = sorted((row["separation"], value) for row in limits if (value := _limit(row)) is not None)
    if not points or not points[0][0] <= separation <= points[-1][0]:
        return None
    separations, values = zip(*points, strict=True)
    return float(np.interp(separation, separations, values))


def _limit(row: Row) -> float | None:
    """A detection limit as a difference of magnitudes, for 5σ."""
    value, contrast = row.get("delta_mag"), row.get("contrast")
    if value is None:
        if contrast is None or contrast <= 0:
            return None
        value = -2.5 * math.log10(contrast)
    asked = row.get("sigma") or SIGMA
    return float(value - 2.5 * math.log10(SIGMA / asked))


def _deepest(limits: Iterable[Row], observations: Mapping[str, Row]) -> tuple[float | None, str]:
    """The deepest limit at 0.5″, and its observation in words; where a curve has both noises, Mawet's counts."""
    curves: dict[tuple[Any, ...], dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in limits:
        curves[row["reduction_id"], row.get("wavelength")][row["noise"]].append(row)
    best, of = None, ""
    for noises in curves.values():
        rows = noises.get("mawet") or next(iter(noises.values()))
        depth = depth_at(rows)
        if depth is not None and (best is None or depth > best):
            seen = observations.get(str(rows[0].get("observation_id")), {})
            date, filter_name = str(seen.get("date") or "")[:10], rows[0].get("filter") or seen.get("filter")
            best, of = depth, " ".join(str(word) for word in (seen.get("instrument"), filter_name, date) if word)
    return best, of


def _foretold(verdicts: Iterable[Row]) -> dict[str, str]:
    """Day from which one more epoch would decide, by companion, as the latest verdict has it."""
    latest: dict[str, tuple[str, str]] = {}
    for row in verdicts:
        if row.get("decides_on"):
            said = (str(row.get("date") or ""), str(row["decides_on"])[:10])
            latest[row["companion_id"]] = max(latest.get(row["companion_id"], said), said)
    return {name: day for name, (_, day) in latest.items()}


def _last_place(companion: Row, detections: Iterable[Row]) -> Row | None:
    """Where an object was seen last, East and North of its star in mas."""
    placed = []
    for row in detections:
        east, north = row.get("dra"), row.get("ddec")
        if (east is None or north is None) and None not in (row.get("separation"), row.get("position_angle")):
            angle = math.radians(row["position_angle"])
            east, north = row["separation"] * math.sin(angle), row["separation"] * math.cos(angle)
        if east is not None and north is not None:
            placed.append((row.get("mjd") or 0.0, float(east), float(north)))
    if not placed:
        return None
    mjd, east, north = max(placed)
    return {"name": companion["name"], "status": companion.get("status"), "dra": east, "ddec": north, "mjd": mjd}


def _by(rows: Iterable[Row], column: str) -> defaultdict[Any, list[Row]]:
    grouped: defaultdict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row[column]].append(row)
    return grouped
