"""What the page of a companion says: all its epochs, its verdicts with their evidence, its published values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from lyot.site.chart import Chart, Drawing
from lyot.site.charts.astrometry import ASTROMETRY
from lyot.site.charts.colour_magnitude import COLOUR_MAGNITUDE
from lyot.site.charts.motion import POSITION_ANGLE, SEPARATION
from lyot.site.feeds import entry
from lyot.site.release import Release, Row
from lyot.site.target_page import companions, described, detections, numbered
from lyot.site.target_tables import of_detections, of_values
from lyot.site.track import OF_COMPANION
from lyot.site.values import published, references

#: Companions that have a page: what is no mere source seen once, and no star behind unless people speak of it.
PAGED = """\
SELECT c.companion_id, c.target_id FROM companion c
WHERE c.status IN ('COMPANION', 'AMBIGUOUS', 'CANDIDATE')
   OR c.companion_id IN (SELECT companion_id FROM verdict WHERE origin = 'human')
   OR c.companion_id IN (SELECT companion_id FROM measurement)
ORDER BY c.companion_id"""


@cache
def charts() -> tuple[Chart, ...]:
    """The charts of a companion alone: those of its star, asked for it."""
    moving = [
        replace(chart, sql=OF_COMPANION, of="d.companion_id") for chart in (ASTROMETRY, SEPARATION, POSITION_ANGLE)
    ]
    coloured = (
        replace(chart, sql=chart.sql.replace("c.target_id = :target", "c.companion_id = :target"),
                shared="companion_id", absent="", drawing=alone(chart.drawing))
        for chart in COLOUR_MAGNITUDE
    )  # fmt: skip
    return (*moving, *coloured)


def alone(drawing: Drawing) -> Drawing:
    """A drawing whose points of the page's own are one companion."""
    layers = (replace(one, doc="this companion") if one.name == "own" else one for one in drawing.layers)
    return replace(drawing, layers=tuple(layers))


def context(release: Release, target: Row, companion_id: str, overview: Mapping[str, Any]) -> dict[str, Any]:
    """All that the template of a companion's page says but its charts; `overview` is that of its star."""
    key = target["target_id"]
    row = next(one for one in companions(release, key) if one["companion_id"] == companion_id)
    seen = [one for one in detections(release, key) if one["companion_id"] == companion_id]
    values = [one for one in published(release, key) if one["companion_id"] == companion_id]
    rests = [row, *seen, *(v for v in release.of_target("measurement", key) if v["companion_id"] == companion_id)]
    keys = sorted({one["reference_id"] for one in rests if one["reference_id"]})
    cited = [release.references.get(one, {"reference_id": one, "citation": one}) for one in keys]
    listed = references(release, cited)
    for some in ([row], seen, values):
        numbered(some, listed)
    return {
        "title": row["name"],
        "target": target,
        "overview": overview,
        "companion": row,
        "last": max((one for one in seen if one["separation"] is not None), key=_when, default=None),
        "instruments": sorted({one["instrument"] for one in seen if one["instrument"]}),
        "detection_table": of_detections(seen, named=False),
        "values_table": of_values(row["name"], values) if values else "",
        "references": listed,
        "bibtex": "\n".join(entry(one) for one in cited),
        "described": described(
            f"Astrometry and photometry of {row['name']}",
            f"Detections, astrometry, verdicts and published values of {row['name']}, near {target['name']}.",
            {"name": row["name"]},
            [target["name"], row["name"]],
            listed,
        ),
    }


def _when(detection: Row) -> float:
    return float(detection["mjd"] or 0.0)
