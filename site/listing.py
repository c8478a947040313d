"""The lists of the site: targets to search in, surveys, companions, files, tables."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from lyot.catalog.table import tables
from lyot.site.figures import inert
from lyot.site.release import Release, Row
from lyot.site.target_page import rank, reference_of
from lyot.site.words import number

STATUS_WORDS = {
    "COMPANION": "Companion",
    "AMBIGUOUS": "Ambiguous",
    "CANDIDATE": "Candidate",
    "BACKGROUND": "Background star",
    "UNDEFINED": "Undefined",
}


def search_index(targets: Sequence[Row], overviews: Mapping[str, dict[str, Any]], slugs: Mapping[str, str]) -> str:
    """What the search needs of every target, as JSON: names, aliases and the values it sorts by."""
    rows = [
        {
            "slug": slugs[target["target_id"]],
            "name": target["name"],
            "aliases": overviews[target["target_id"]]["aliases"],
            "ra": target.get("ra"),
            "dec": target.get("dec"),
        }
        for target in targets
    ]
    return inert(json.dumps(rows, separators=(",", ":"), ensure_ascii=False))


def surveys(release: Release, slugs: Mapping[str, str]) -> list[dict[str, Any]]:
    """Surveys with what was observed in each."""
    names = {row["target_id"]: row["name"] for row in release.tables["target"]}
    found = []
    for survey in release.tables["survey"]:
        observed = [row for row in release.tables["observation"] if row["survey_id"] == survey["survey_id"]]
        keys = sorted({row["target_id"] for row in observed if row["target_id"] in slugs})
        found.append(
            {
                **survey,
                "observations": len(observed),
                "instruments": sorted({row["instrument"] for row in observed if row["instrument"]}),
                "dates": sorted(row["date"] for row in observed if row["date"]),
                "targets": [(names[key], slugs[key]) for key in keys],
                "source": reference_of(release, survey),
                "simulated": bool(observed) and all(row["simulated"] for row in observed),
            }
        )
    return sorted(found, key=lambda one: (-one["observations"], one["name"]))


def companions(release: Release, slugs: Mapping[str, str]) -> list[dict[str, Any]]:
    """Every companion with its star, its status and the last verdict's odds."""
    names = {row["target_id"]: row["name"] for row in release.tables["target"]}
    odds = {row["companion_id"]: row["log_odds"] for row in release.tables["verdict"] if row["log_odds"] is not None}
    separations: dict[str, tuple[float, float]] = {}
    for row in release.tables["detection"]:
        if row["companion_id"] and row["separation"] is not None:
            last = separations.get(row["companion_id"], (-1.0, 0.0))
            separations[row["companion_id"]] = max(last, (row["mjd"] or 0.0, row["separation"]))
    found = [
        {
            **row,
            "star": names.get(row["target_id"], row["target_id"]),
            "slug": slugs.get(row["target_id"]),
            "log_odds": odds.get(row["companion_id"]),
            "separation": separations.get(row["companion_id"], (0.0, None))[1],
        }
        for row in release.tables["companion"]
    ]
    return sorted(found, key=lambda one: (rank(one["status"]), one["name"]))


def numbers(release: Release) -> list[tuple[int, str]]:
    """The release in numbers."""
    statuses = Counter(row["status"] for row in release.tables["companion"])
    images = len(release.tables["reduction"]) and sum(1 for row in release.tables["reduction"] if row["product_key"])
    found = len({(row["reduction_id"], row["number"]) for row in release.tables["detection"]})
    return [
        (release.count("target"), "stars"),
        (release.count("observation"), "observations"),
        (images, "reduced images"),
        (found, "detections"),
        (statuses["COMPANION"], "companions"),
        (statuses["BACKGROUND"], "background stars"),
    ]


def latest(release: Release, slugs: Mapping[str, str], most: int = 6) -> list[dict[str, Any]]:
    """The reductions made last."""
    names = {row["target_id"]: row["name"] for row in release.tables["target"]}
    observations = {row["observation_id"]: row for row in release.tables["observation"]}
    made = [row for row in release.tables["reduction"] if row["date"] and row["product_key"]]
    return [
        {
            **row,
            "name": names.get(row["target_id"], row["target_id"]),
            "slug": slugs.get(row["target_id"]),
            "observation": observations.get(row["observation_id"], {}),
        }
        for row in sorted(made, key=lambda row: row["date"], reverse=True)[:most]
    ]


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
