"""Measured places of a star's companions, and where background stars in their place would have gone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from lyot.catalog.motion import fit_backgrounds
from lyot.catalog.positions import columns_of, positions_of_all
from lyot.errors import BadInput
from lyot.site.chart import Subject, finite
from lyot.site.release import Row
from lyot.site.words import day, instrument
from lyot.sky import Drift, Floats, Star, drift_past, julian_year

_POSITIONS = """\
SELECT d.mjd, d.dra, d.dra_error, d.ddec, d.ddec_error, d.dra_ddec_correlation, d.separation, d.separation_error,
       d.position_angle, d.position_angle_error, coalesce(c.name, 'source ' || (d.number + 1)) AS name,
       d.companion_id, c.status, d.observation_id, o.instrument, d.simulated
FROM detection d
LEFT JOIN companion c ON c.companion_id = d.companion_id
LEFT JOIN observation o ON o.observation_id = d.observation_id
WHERE {of} = :target AND d.mjd IS NOT NULL AND d.dra IS NOT NULL AND d.ddec IS NOT NULL
ORDER BY name, d.companion_id, d.mjd"""
#: One row for each measured position of a target's sources, grouped by the object they belong to, or of one object.
SQL, OF_COMPANION = (_POSITIONS.replace("{of}", of) for of in ("d.target_id", "d.companion_id"))
MOST_SAMPLES = 160  # of a track: more would weigh on the page
DAYS_A_SAMPLE = 20.0  # a parallax loop needs at least a dozen a year


@dataclass(frozen=True)
class Track:
    """Where a star far behind would stand, had it been where a source was first seen.

    `epochs` (time,), MJD, are those of the source's rows and `there` (time, 2), mas, the offsets East and North then;
    `years` and `path` are samples between the first and the last, and `polar` is the path as separation (mas) and
    position angle (deg). `fitted` is the path of the background star with a motion of its own that fits best, where
    the verdict is that the source is one.
    """

    name: str
    epochs: Floats
    there: Floats
    years: Floats
    path: Floats
    polar: Floats
    fitted: Floats | None = None
    fitted_polar: Floats | None = None


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
    for (name, _), group in groupby(rows, key=itemgetter("name", "companion_id")):
        yield name, list(group)


def label(row: Row) -> str:
    """When and with what a position was measured."""
    return f"{day(row['mjd'])} {instrument(row['instrument'])}".rstrip()


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
        several = [(name, seen) for name, seen in sources(rows) if seen[-1]["mjd"] > seen[0]["mjd"]]
        star = star_of(target) if several else None
        if star is not None:
            moving += [_Moving(number, name, seen, star, _times(seen)) for name, seen in several]
    fits = _fits(moving)
    made: dict[int, Track] = {}
    order = sorted(range(len(moving)), key=lambda n: len(moving[n].times))
    for _, alike in groupby(order, key=lambda n: len(moving[n].times).bit_length()):
        numbers = list(alike)
        some = _tracks([moving[n] for n in numbers], [fits.get(n) for n in numbers])
        made.update(zip(numbers, some, strict=True))
    found: list[list[Track]] = [[] for _ in targets]
    for n, one in enumerate(moving):
        found[one.target].append(made[n])
    return found


@dataclass(frozen=True)
class _Moving:
    """A source of the target of this number: its rows, its star, and the times (MJD) of samples and of its rows."""

    target: int
    name: str
    seen: list[Row]
    star: Star
    times: Floats


@dataclass(frozen=True)
class _Passing:
    """A background star: the row at whose time it is at `offset` (2,), mas, and its motion (2,), mas/yr."""

    row: int
    offset: Floats
    motion: Floats


def _times(seen: Sequence[Row]) -> Floats:
    """The times at which the track of a source is drawn, and its epochs (MJD)."""
    first, last = seen[0]["mjd"], seen[-1]["mjd"]
    count = min(max(math.ceil((last - first) / DAYS_A_SAMPLE), 24), MOST_SAMPLES)
    return np.concatenate([np.linspace(first, last, count), [row["mjd"] for row in seen]])


def _tracks(moving: Sequence[_Moving], fits: Sequence[_Passing | None]) -> list[Track]:
    """Tracks of sources with about as many times, filled up with the last, and of those that fit best, if any."""
    counts = [len(one.times) - len(one.seen) for one in moving]
    times = np.empty((len(moving), max(len(one.times) for one in moving)))
    for row, one in zip(times, moving, strict=True):
        row[: len(one.times)], row[len(one.times) :] = one.times, one.times[-1]
    sky = drift_past(Star(*np.array([list(vars(one.star).values()) for one in moving]).T), times, times[:, 0])
    offsets = np.array([(one.seen[0]["dra"], one.seen[0]["ddec"]) for one in moving])
    paths = _through(sky, np.zeros(len(moving), int), offsets)
    years, polar = julian_year(times), polar_paths(paths)
    made = [
        Track(one.name, one.times[n:], path[n : len(one.times)], year[:n], path[:n], turned[:n])
        for one, n, path, year, turned in zip(moving, counts, paths, years, polar, strict=True)
    ]
    judged = [number for number, fit in enumerate(fits) if fit]
    if judged:
        known = [fit for fit in fits if fit]
        at = np.array([counts[number] + fit.row for number, fit in zip(judged, known, strict=True)])
        own = Drift(sky.years[judged], sky.drift[judged], sky.turn[judged], sky.factors[judged])
        paths = _through(own, at, np.array([fit.offset for fit in known]), np.array([fit.motion for fit in known]))
        for number, path, turned in zip(judged, paths, polar_paths(paths), strict=True):
            n = counts[number]
            made[number] = replace(made[number], fitted=path[:n], fitted_polar=turned[:n])
    return made


def _through(sky: Drift, at: NDArray[np.int_], offsets: Floats, motions: Floats | None = None) -> Floats:
    """Paths (star, time, 2), mas, of background stars that are at `offsets` (star, 2) at the times of numbers `at`.

    `motions` (star, 2), mas/yr, are their own; without any, they rest.
    """
    one = np.arange(len(at))
    (a, b), (c, d) = np.moveaxis(sky.turn[one, at], 0, -1)
    east, north = (offsets - sky.drift[one, at]).T
    place = np.stack([d * east - b * north, a * north - c * east]) / (a * d - b * c)  # `turn` makes the offset of it
    east, north = place[:, :, None]
    if motions is not None:
        elapsed = sky.years - sky.years[one, at][:, None]
        east, north = east + elapsed * motions[:, :1], north + elapsed * motions[:, 1:]
    return np.asarray(sky.drift + sky.turn[..., 0] * east[..., None] + sky.turn[..., 1] * north[..., None])


def _fits(moving: Sequence[_Moving]) -> dict[int, _Passing]:
    """The background stars that fit best, by number of the sources that are judged to be some."""
    judged = [n for n, one in enumerate(moving) if one.seen[0]["status"] == "BACKGROUND"]
    rows = [row for n in judged for row in moving[n].seen]
    source = np.repeat(np.arange(len(judged)), [len(moving[n].seen) for n in judged])
    _, observation = np.unique([str(row["observation_id"]) for row in rows], return_inverse=True)
    known = positions_of_all(columns_of(rows), source, observation, len(judged))
    found = {}
    fits = fit_backgrounds([(moving[n].star, one, None) for n, one in zip(judged, known, strict=True)])
    for n, one, fit in zip(judged, known, fits, strict=True):
        if fit and fit.degrees >= 2:
            first = next(number for number, row in enumerate(moving[n].seen) if row["mjd"] == one.times[0])
            found[n] = _Passing(first, one.offsets[0] - fit.residuals[0], fit.motion)
    return found


def polar_paths(paths: Floats) -> Floats:
    """Offsets (..., time, 2) of paths as separation (mas) and position angle (deg), which jumps nowhere by 360."""
    east, north = paths[..., 0], paths[..., 1]
    angles = np.degrees(np.arctan2(east, north)) % 360.0
    turns = np.cumsum(np.rint(np.diff(angles, prepend=angles[..., :1]) / 360.0), axis=-1)
    return np.stack([np.hypot(east, north), angles - 360.0 * turns], axis=-1)
