"""Measured places of a star's companions, and where background stars in their place would have gone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from lyot.catalog.motion import BackgroundFit, fit_backgrounds
from lyot.catalog.positions import Positions, positions
from lyot.errors import BadInput
from lyot.site.chart import Subject, finite
from lyot.site.release import Row
from lyot.sky import Drift, Floats, Star, drift_past

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

    The charts of a page ask for the same tracks, which are kept with its subject.
    """
    if "tracks" not in subject.kept:
        subject.kept["tracks"] = tracks_of_all([(subject.target, rows)])[0]
    found: list[Track] = subject.kept["tracks"]
    return found


def tracks_of_all(targets: Sequence[tuple[Row, Sequence[Row]]]) -> list[list[Track]]:
    """Tracks around many targets, each with the rows of `SQL`: much quicker than one after the other."""
    moving: list[_Moving] = []
    for number, (target, rows) in enumerate(targets):
        star = star_of(target)
        several = [(name, seen) for name, seen in sources(rows) if seen[-1]["mjd"] > seen[0]["mjd"]]
        if star is not None:
            moving += [_Moving(number, name, seen, star, _times(seen)) for name, seen in several]
    found: list[list[Track]] = [[] for _ in targets]
    judged = [n for n, one in enumerate(moving) if one.seen[0]["status"] == "BACKGROUND"]
    known = [positions(moving[n].seen) for n in judged]
    fits = fit_backgrounds([(moving[n].star, one, None) for n, one in zip(judged, known, strict=True)])
    fit_of = {n: (one, fit) for n, one, fit in zip(judged, known, fits, strict=True) if fit and fit.degrees >= 2}
    for n, sky in enumerate(_drifts(moving)):
        one, count = moving[n], len(moving[n].seen)
        path = _through(sky, 0, (one.seen[0]["dra"], one.seen[0]["ddec"]), np.zeros(2))
        fitted = _fitted(one, sky, *fit_of[n]) if n in fit_of else None
        found[one.target].append(
            Track(one.name, one.times[:count], path[:count], one.times[count:], path[count:],
                  None if fitted is None else fitted[count:])
        )  # fmt: skip
    return found


@dataclass(frozen=True)
class _Moving:
    """A source of the target of this number: its rows, its star, and the times of these and of the samples (MJD)."""

    target: int
    name: str
    seen: list[Row]
    star: Star
    times: Floats


def _drifts(moving: Sequence[_Moving]) -> list[Drift]:
    """How the sky drifts past the star of each; those of about as many times go together, filled up with the last."""
    found: dict[int, Drift] = {}
    order = sorted(range(len(moving)), key=lambda n: len(moving[n].times))
    for _, alike in groupby(order, key=lambda n: len(moving[n].times).bit_length()):
        numbers = list(alike)
        longest = len(moving[numbers[-1]].times)
        times = np.array([np.pad(moving[n].times, (0, longest - len(moving[n].times)), "edge") for n in numbers])
        star = Star(*np.array([list(vars(moving[n].star).values()) for n in numbers]).T)
        sky = drift_past(star, times, times[:, 0])
        for place, n in enumerate(numbers):
            own = slice(len(moving[n].times))
            found[n] = Drift(*(values[place, own] for values in (sky.years, sky.drift, sky.turn, sky.factors)))
    return [found[n] for n in range(len(moving))]


def _times(seen: Sequence[Row]) -> Floats:
    """The epochs of a source, and the times at which its track is drawn (MJD)."""
    first, last = seen[0]["mjd"], seen[-1]["mjd"]
    count = min(max(math.ceil((last - first) / DAYS_A_SAMPLE), 24), MOST_SAMPLES)
    return np.concatenate([[row["mjd"] for row in seen], np.linspace(first, last, count)])


def _through(sky: Drift, number: int, offset: Sequence[float] | Floats, motion: Floats) -> Floats:
    """Path (time, 2), mas, of a background star that moves by `motion` (mas/yr) and is at `offset` at time `number`."""
    own = np.outer(sky.years, motion)
    place = np.linalg.solve(sky.turn[number], np.asarray(offset, float) - sky.drift[number]) - own[number]
    path: Floats = sky.drift + np.einsum("tkm,tm->tk", sky.turn, place + own)
    return path


def _fitted(one: _Moving, sky: Drift, known: Positions, fit: BackgroundFit) -> Floats:
    """Path of the background star that fits the known positions best; (time, 2), mas."""
    first = next(number for number, row in enumerate(one.seen) if row["mjd"] == known.times[0])
    return _through(sky, first, known.offsets[0] - fit.residuals[0], fit.motion)


def polar_path(path: Floats) -> Floats:
    """Offsets (time, 2) as separation (mas) and position angle (deg), the angle without jumps from 360 to 0."""
    east, north = path.T
    angles = np.unwrap(np.degrees(np.arctan2(east, north)) % 360.0, period=360.0)
    return np.column_stack([np.hypot(east, north), angles])
