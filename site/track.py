"""Measured places of a star's companions, and where background stars in their place would have gone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from lyot.catalog.motion import fit_background
from lyot.catalog.positions import positions
from lyot.errors import BadInput
from lyot.site.chart import Subject, finite
from lyot.site.release import Row
from lyot.sky import Floats, Star, background_track, drift_past

#: One row for each measured position of a target's sources, grouped by the object they belong to.
SQL = """\
SELECT d.mjd, d.dra, d.dra_error, d.ddec, d.ddec_error, d.dra_ddec_correlation, d.separation, d.separation_error,
       d.position_angle, d.position_angle_error, coalesce(c.name, 'source ' || (d.number + 1)) AS name,
       d.companion_id, c.status, d.observation_id, o.instrument, d.simulated
FROM detection d
LEFT JOIN companion c ON c.companion_id = d.companion_id
LEFT JOIN observation o ON o.observation_id = d.observation_id
WHERE d.target_id = :target AND d.mjd IS NOT NULL AND d.dra IS NOT NULL AND d.ddec IS NOT NULL
ORDER BY name, d.companion_id, d.mjd"""
MOST_SAMPLES = 160  # of a track: more would weigh on the page
DAYS_A_SAMPLE = 20.0  # a parallax loop needs at least a dozen a year


@dataclass(frozen=True)
class Track:
    """Where a star far behind would stand, had it been where a source was first seen.

    `epochs` (time,), MJD, are those of the source's rows and `there` (time, 2), mas, the offsets East and North then;
    `times` and `path` are samples between the first and the last. `fitted` is the path of the background star with
    a motion of its own that fits best, where the verdict is that the source is one.
    """

    name: str
    epochs: Floats
    there: Floats
    times: Floats
    path: Floats
    fitted: Floats | None = None


def star_of(target: Row) -> Star | None:
    """The target as a star that moves; None when its place, motion or parallax is not known."""
    names = ("ra", "dec", "ref_epoch", "pmra", "pmdec", "parallax")
    if not finite(*(target.get(name) for name in names)):
        return None
    try:
        return Star(**{name: target[name] for name in names}, radial_velocity=target.get("radial_velocity") or 0.0)
    except BadInput:  # a negative parallax is a fair measurement, but no distance
        return None


def sources(rows: Sequence[Row]) -> Iterator[tuple[str, list[Row]]]:
    """Rows of each source, in the order of time."""
    for (name, _), group in groupby(rows, key=lambda row: (row["name"], row["companion_id"])):
        yield name, list(group)


def tracks(rows: Sequence[Row], subject: Subject) -> list[Track]:
    """A track for each source that was seen more than once, where the star's motion is known.

    The charts of a page ask for the same tracks: they are kept with its subject.
    """
    if "tracks" not in subject.kept:
        subject.kept["tracks"] = _tracks(rows, subject)
    found: list[Track] = subject.kept["tracks"]
    return found


def _tracks(rows: Sequence[Row], subject: Subject) -> list[Track]:
    star = star_of(subject.target)
    if star is None:
        return []
    found = []
    for name, seen in sources(rows):
        epochs = np.array([row["mjd"] for row in seen])
        span = float(np.ptp(epochs))
        if span <= 0:
            continue
        count = min(max(math.ceil(span / DAYS_A_SAMPLE), 24), MOST_SAMPLES)
        times = np.linspace(epochs[0], epochs[-1], count)
        start = (seen[0]["dra"], seen[0]["ddec"])
        both = background_track(star, np.concatenate([epochs, times]), start, float(epochs[0]))
        fitted = _fitted(star, seen, times) if seen[0]["status"] == "BACKGROUND" else None
        found.append(Track(name, epochs, both[: len(epochs)], times, both[len(epochs) :], fitted))
    return found


def _fitted(star: Star, seen: Sequence[Row], times: Floats) -> Floats | None:
    """Path of the background star, its own motion fitted to at least three epochs, at `times`; (time, 2), mas."""
    known = positions(seen)
    if known.epochs < 3:
        return None
    fit = fit_background(star, known)
    sky = drift_past(star, times, fit.epoch)
    path: Floats = sky.drift + np.einsum("tkm,tm->tk", sky.turn, fit.place + np.outer(sky.years, fit.motion))
    return path


def polar_path(path: Floats) -> Floats:
    """Offsets (time, 2) as separation (mas) and position angle (deg), the angle without jumps from 360 to 0."""
    east, north = path.T
    angles = np.unwrap(np.degrees(np.arctan2(east, north)) % 360.0, period=360.0)
    return np.column_stack([np.hypot(east, north), angles])
