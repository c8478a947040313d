"""Charts and counts over many stars: how deep a survey went, what was found, how the instrument and the sky were."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from statistics import median
from typing import Any

import numpy as np

from lyot.site.chart import Axis, Chart, Drawing, Layer, Line, Point, Subject, finite
from lyot.site.charts.contrast import DEPTH, RADIUS
from lyot.site.figures import Figure, figure
from lyot.site.release import Release, Row
from lyot.site.words import day
from lyot.sky import julian_year

MOST_POINTS = 1500  # of more, medians of months are drawn
ENOUGH = 3  # stars, for tenths to mean anything

#: The depths between which tenths, halves and nine tenths of the stars lie at each separation, out of the deepest limit
#: of each star; of simulated stars where there are no others. `place` counts them from the shallowest, from 0.
LIMITS = """\
WITH deepest AS (
  SELECT l.target_id, round(l.separation / 100.0) / 10.0 AS separation, max(l.delta_mag) AS delta_mag, l.simulated
  FROM detection_limit l JOIN observation o ON o.observation_id = l.observation_id
  WHERE l.noise = 'mawet' AND l.delta_mag IS NOT NULL
    AND (o.survey_id = :target OR :target = '' AND NOT l.simulated)
  GROUP BY l.target_id, 2, l.simulated
), ranked AS (
  SELECT separation, delta_mag, simulated, count(*) OVER (PARTITION BY separation) AS stars,
         row_number() OVER (PARTITION BY separation ORDER BY delta_mag) - 1 AS place
  FROM deepest WHERE simulated = (SELECT min(simulated) FROM deepest)
)
SELECT separation, stars, place, delta_mag, simulated FROM ranked
WHERE place - CAST(0.1 * (stars - 1) AS INTEGER) IN (0, 1) OR place - CAST(0.5 * (stars - 1) AS INTEGER) IN (0, 1)
   OR place - CAST(0.9 * (stars - 1) AS INTEGER) IN (0, 1)
ORDER BY separation, place"""
FOUND = """\
SELECT c.name, c.status, t.name AS star, median.separation, median.delta_mag
FROM companion c JOIN target t ON t.target_id = c.target_id
JOIN (SELECT companion_id, avg(separation) AS separation, avg(delta_mag) AS delta_mag FROM detection
      WHERE delta_mag IS NOT NULL AND NOT simulated GROUP BY companion_id) median
     ON median.companion_id = c.companion_id
ORDER BY c.status, c.name"""
CONDITIONS = """\
SELECT o.mjd, o.{column} AS value, coalesce(o.target_name, o.target_id) AS star, o.simulated
FROM observation o
WHERE o.instrument = :target AND o.{column} IS NOT NULL AND o.mjd IS NOT NULL AND NOT o.simulated
ORDER BY o.mjd"""


def limits(rows: list[Row], subject: Subject) -> Sequence[Line]:
    """The depth that a tenth, half and nine tenths of the stars reach, at each separation."""
    found: dict[str, list[tuple[float, float]]] = {"tenth": [], "half": [], "most": []}
    for separation, some in groupby(rows, key=itemgetter("separation")):
        known = list(some)
        stars, depths = known[0]["stars"], {row["place"]: row["delta_mag"] for row in known}
        for layer, part in (("tenth", 0.9), ("half", 0.5), ("most", 0.1)):
            if layer == "half" or stars >= ENOUGH:
                found[layer].append((separation, _between(depths, part * (stars - 1))))
    simulated = any(row["simulated"] for row in rows)
    columns = {layer: np.array(places).T for layer, places in found.items() if places}
    return [Line(layer, x, y, simulated=simulated) for layer, (x, y) in columns.items()]


def _between(depths: Mapping[int, float], place: float) -> float:
    """The depth at a place between two."""
    below = int(place)
    return depths[below] + (place - below) * (depths.get(below + 1, depths[below]) - depths[below])


STACKED = Chart(
    name="stacked-limits",
    title="Detection limits of all stars",
    sentence="The deepest 5σ limit of each star, all filters together: how deep one looked around a tenth, half and "
    "nine tenths of them. Lower is deeper.",
    sql=LIMITS,
    points=limits,
    drawing=Drawing(
        x=RADIUS,
        y=DEPTH,
        layers=(
            Layer("tenth", "line", "the deepest tenth of the stars", muted=True),
            Layer("half", "line", "half of the stars"),
            Layer("most", "line", "nine tenths of the stars", muted=True),
        ),
    ),
    absent="No detection limits are known here.",
)


def found_points(rows: list[Row], subject: Subject) -> Sequence[Point]:
    """Every object with a contrast, where it was seen, one series for each status."""
    return [
        Point("found", row["separation"] / 1000.0, row["delta_mag"], series=(row["status"] or "UNDEFINED").capitalize(),
              label=row["name"])
        for row in rows
        if finite(row["separation"], row["delta_mag"])
    ][:MOST_POINTS]  # fmt: skip


COMPANIONS = Chart(
    name="found",
    title="What was found",
    sentence="Objects with a measured contrast, at the mean of their detections.",
    sql=FOUND,
    points=found_points,
    drawing=Drawing(
        x=RADIUS,
        y=DEPTH,
        layers=(Layer("found", "points", "objects near their stars"),),
    ),
    absent="No object with a measured contrast is known.",
)


def against_time(rows: list[Row], subject: Subject) -> Sequence[Point]:
    """Values of observations against the year; medians of months where there are many."""
    known = [row for row in rows if finite(row["value"], row["mjd"])]
    if len({row["mjd"] for row in known}) < 2:
        return []
    if len(known) <= MOST_POINTS:
        return [
            Point("value", float(julian_year(row["mjd"])), row["value"], label=f"{day(row['mjd'])} {row['star']}")
            for row in known
        ]
    months: dict[int, list[Row]] = defaultdict(list)
    for row in known:
        months[int(row["mjd"] // 30.4375)].append(row)
    return [
        Point("value", float(julian_year(median(r["mjd"] for r in some))), median(r["value"] for r in some),
              label=f"median of {len(some)}")
        for _, some in sorted(months.items())
    ]  # fmt: skip


def _conditions(column: str, title: str, axis: Axis, absent: str = "") -> Chart:
    return Chart(
        name=f"conditions-{column.replace('_', '-')}",
        title=title,
        sentence="One point for each observation; medians of months where there are many.",
        sql=CONDITIONS.replace("{column}", column),
        points=against_time,
        drawing=Drawing(x=Axis("Year"), y=axis, layers=(Layer("value", "points", "observations"),)),
        absent=absent,
    )


MONITORED = (
    _conditions("seeing", "Seeing against time", Axis("Seeing at 500 nm", "″"),
                "The seeing of these observations is not known."),
    _conditions("coherence_time", "Coherence time against time", Axis("τ0 at 500 nm", "ms")),
    _conditions("strehl", "Strehl ratio against time", Axis("Strehl ratio at 1.6 µm")),
    _conditions("pixel_scale", "Pixel scale against time", Axis("Pixel scale", "mas")),
    _conditions("true_north", "True North against time", Axis("Correction to true North", "°")),
)  # fmt: skip


def of_survey(release: Release, key: str) -> list[Figure]:
    """Charts of one survey, for a page in `surveys/`."""
    return [_figure(STACKED, release, key, "../../")]


def of_instrument(release: Release, key: str) -> list[Figure]:
    """Charts of the conditions with one instrument, and of its calibration, for a page in `instruments/`."""
    return [_figure(chart, release, key, "../../") for chart in MONITORED]


def of_all(release: Release) -> list[Figure]:
    """Charts over everything, for `statistics/`."""
    return [_figure(chart, release, "", "../") for chart in (STACKED, COMPANIONS)]


def general() -> tuple[Chart, ...]:
    """Charts that are of no single star."""
    return (STACKED, COMPANIONS, *MONITORED)


def _figure(chart: Chart, release: Release, key: str, root: str) -> Figure:
    drawn = figure(chart, release, Subject({}, key), root)
    release.forget(chart.sql)
    return drawn


#: The states of a target in few words.
STATES = {
    "images": "Reduced images", "published": "Published measurements", "observed": "Observed, not reduced",
    "listed": "Listed",
}  # fmt: skip


@dataclass
class Tally:
    """Stars by their state, and by what was found near them."""

    states: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)


def by_survey(overviews: Iterable[dict[str, Any]]) -> Mapping[str, Tally]:
    """The tally of each survey, by its name; of one without stars an empty one."""
    tallies: dict[str, Tally] = defaultdict(Tally)
    for one in overviews:
        for survey in one["surveys"]:
            tallies[survey].states[one["state"][0]] += 1
            tallies[survey].found.update(one["statuses"])
    return tallies


def reached(tally: Tally) -> list[tuple[int, str]]:
    """How far a survey has come: its stars, those of each state, and those near which something was found."""
    states, found = tally.states, tally.found
    count = states.total()
    said = [
        (states["images"], "with reduced images"),
        (states["published"], "with published measurements"),
        (states["observed"], "observed, not reduced"),
        (found["COMPANION"], "with companions"),
        (found["CANDIDATE"] + found["AMBIGUOUS"], "with undecided candidates"),
        (found["BACKGROUND"], "with background stars"),
    ]
    return [(count, "star" if count == 1 else "stars"), *(one for one in said if one[0])]


def counts(overviews: Iterable[dict[str, Any]]) -> list[tuple[str, str, list[tuple[str, int]]]]:
    """How many stars there are of each kind: a heading, the field of the search, and its values with their counts."""
    asked: list[tuple[str, str, Callable[[dict[str, Any]], list[str]]]] = [
        ("State", "state", lambda one: [one["state"][0]]),
        ("Status of what was found", "status", lambda one: one["statuses"]),
        ("Instrument", "instrument", lambda one: one["instruments"]),
        ("Set-up or filter", "setup", lambda one: one["setups"]),
        ("Survey", "survey", lambda one: one["surveys"]),
    ]
    found = [Counter[str]() for _ in asked]
    for one in overviews:
        for (*_, words), counter in zip(asked, found, strict=True):
            counter.update(words(one))
    return [
        (heading, name, counter.most_common(40)) for (heading, name, _), counter in zip(asked, found, strict=True)
    ]
