"""What the lists of the site say: companions, the release in numbers, what is new, tables and columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lyot.catalog.table import tables
from lyot.site.release import Release
from lyot.site.words import STATUSES, number, rank

#: Where a status stands in a list, as SQL.
RANK = " ".join(["CASE c.status", *(f"WHEN '{one}' THEN {rank(one)}" for one in STATUSES), f"ELSE {rank(None)} END"])
COMPANIONS = f"""\
SELECT c.companion_id, c.name, c.status, c.epochs, c.mass, c.mass_error, c.semi_major_axis, c.semi_major_axis_error,
       c.simulated, c.target_id, t.name AS star, v.log_odds, d.separation
FROM companion c
LEFT JOIN target t ON t.target_id = c.target_id
LEFT JOIN (SELECT companion_id, log_odds FROM verdict WHERE origin = 'astrometry' GROUP BY companion_id) v
       ON v.companion_id = c.companion_id
LEFT JOIN (SELECT companion_id, separation, max(coalesce(mjd, 0)) FROM detection
           WHERE separation IS NOT NULL GROUP BY companion_id) d
       ON d.companion_id = c.companion_id
ORDER BY {RANK}, c.name, c.companion_id"""

LATEST = """\
SELECT r.reduction_id, r.target_id, r.date, r.recipe, r.parameters, r.simulated, t.name, o.instrument, o.filter,
       o.date AS observed
FROM reduction r
LEFT JOIN target t ON t.target_id = r.target_id
LEFT JOIN observation o ON o.observation_id = r.observation_id
WHERE r.date IS NOT NULL AND r.product_key IS NOT NULL
ORDER BY r.date DESC, r.reduction_id
LIMIT ?"""


def companions(release: Release, slugs: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Every companion with its star, its status, the odds from astrometry and where it was last seen."""
    for row in release.each(COMPANIONS):
        yield {**row, "slug": slugs.get(row["target_id"])}


def numbers(release: Release) -> list[tuple[int, str]]:
    """The release in numbers."""
    statuses = {row["status"]: row["n"] for row in release.query(
        "SELECT status, count(*) AS n FROM companion GROUP BY status")}  # fmt: skip
    (images,) = release.query("SELECT count(*) AS n FROM reduction WHERE product_key IS NOT NULL")
    (found,) = release.query("SELECT count(*) AS n FROM (SELECT DISTINCT reduction_id, number FROM detection)")
    return [
        (release.count("target"), "stars"),
        (release.count("observation"), "observations"),
        (images["n"], "reduced images"),
        (found["n"], "detections"),
        (statuses.get("COMPANION", 0), "companions"),
        (statuses.get("BACKGROUND", 0), "background stars"),
    ]


def latest(release: Release, slugs: Mapping[str, str], most: int = 6) -> list[dict[str, Any]]:
    """The reductions made last."""
    return [{**row, "slug": slugs.get(row["target_id"])} for row in release.query(LATEST, most)]


def dictionary() -> list[dict[str, Any]]:
    """Every table and column in words: the data dictionary, from the declarations themselves."""
    return [
        {
            "name": table.name,
            "doc": table.doc,
            "key": ", ".join(table.key),
            "columns": [
                {
                    "name": column.name,
                    "type": column.type,
                    "unit": column.unit.replace("'", ""),
                    "ucd": column.ucd,
                    "doc": column.doc,
                    "range": _range(column.limits, column.choices),
                    "references": column.references,
                }
                for column in table.columns
            ],
        }
        for table in tables().values()
    ]


def _range(limits: tuple[float, float] | None, choices: Sequence[str]) -> str:
    if choices:
        return ", ".join(choices)
    if limits is None:
        return ""
    high = number(limits[1], 6) or "∞"
    return f"{number(limits[0], 6)} to {high}"
