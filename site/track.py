"""Measured places of a star's companions, and where background stars in their place would have gone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

import numpy as np

from lyot.catalog.motion import fit_backgrounds
from lyot.catalog.positions import columns_of, positions_of_all
from lyot.errors import BadInput
from lyot.site.chart import Subject, finite
from lyot.site.release import Row
from lyot.site.words import day, instrument
from lyot.sky import Drift, Floats, Star, drift_past

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
    `times` and `path` are samples between the first and the last, and `polar` is the path as separation (mas) and
    position angle (deg). `fitted` is the path of the background star with a motion of its own that fits best, where
    the verdict is that the source is one.
    """

    name: str
    epochs: Floats
    there: Floats
    times: Floats
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
        star = star_of(target)
        several = [(name, seen) for name, seen in sources(rows) if seen[-1]["mjd"] > seen[0]["mjd"]]
        if star is not None:
            moving += [_Moving(number, name, seen, star, _times(seen)) for name, seen in several]
    drifts = _drifts(moving)
    firsts = [(one.seen[0]["dra"], one.seen[0]["ddec"]) for one in moving]
    paths = [_through(sky, 0, first) for sky, first in zip(drifts, firsts, strict=True)]
    fitted = _fitted(moving, drifts)
    counts = [len(one.seen) for one in moving]
    polar = polar_paths([path[count:] for path, count in zip(paths, counts, strict=True)])
    fitted_polar = dict(zip(fitted, polar_paths(list(fitted.values())), strict=True))
    found: list[list[Track]] = [[] for _ in targets]
    for n, (one, path, count) in enumerate(zip(moving, paths, counts, strict=True)):
        found[one.target].append(
            Track(one.name, one.times[:count], path[:count], one.times[count:], path[count:], polar[n],
                  fitted.get(n), fitted_polar.get(n))
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
        times = np.empty((len(numbers), longest))
        for row, n in zip(times, numbers, strict=True):
            row[: len(moving[n].times)] = moving[n].times
            row[len(moving[n].times) :] = moving[n].times[-1]
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


def _through(sky: Drift, number: int, offset: Sequence[float] | Floats, motion: Floats | None = None) -> Floats:
    """Path (time, 2), mas, of a background star that moves by `motion` (mas/yr) and is at `offset` at time `number`."""
    (a, b), (c, d) = sky.turn[number].tolist()
    east, north = (np.asarray(offset, float) - sky.drift[number]).tolist()
    place = np.array([d * east - b * north, a * north - c * east]) / (a * d - b * c)  # what `turn` makes the offset of
    if motion is None:
        return np.asarray(sky.drift + sky.turn @ place)
    moved = place + (sky.years - sky.years[number])[:, None] * motion
    return np.asarray(sky.drift + (sky.turn @ moved[:, :, None])[:, :, 0])


def _fitted(moving: Sequence[_Moving], drifts: Sequence[Drift]) -> dict[int, Floats]:
    """Paths (time, 2), mas, of the background stars that fit best, by number of the sources judged to be some."""
    judged = [n for n, one in enumerate(moving) if one.seen[0]["status"] == "BACKGROUND"]
    rows = [row for n in judged for row in moving[n].seen]
    source = np.repeat(np.arange(len(judged)), [len(moving[n].seen) for n in judged])
    _, observation = np.unique([str(row["observation_id"]) for row in rows], return_inverse=True)
    known = positions_of_all(columns_of(rows), source, observation, len(judged))
    found = {}
    fits = fit_backgrounds([(moving[n].star, one, None) for n, one in zip(judged, known, strict=True)])
    for n, one, fit in zip(judged, known, fits, strict=True):
        if fit and fit.degrees >= 2:
            seen = moving[n].seen
            first = next(number for number, row in enumerate(seen) if row["mjd"] == one.times[0])
            path = _through(drifts[n], first, one.offsets[0] - fit.residuals[0], fit.motion)
            found[n] = path[len(seen) :]
    return found


def polar_paths(paths: Sequence[Floats]) -> list[Floats]:
    """Offsets (time, 2) of each path as separation (mas) and position angle (deg), which jumps nowhere by 360."""
    if not paths:
        return []
    east, north = np.concatenate(paths).T
    starts = np.cumsum([0, *map(len, paths)])[:-1]
    angles = np.degrees(np.arctan2(east, north)) % 360.0
    turns = np.zeros(len(angles))
    turns[1:] = np.rint(np.diff(angles) / 360.0)  # full turns from each place to the next
    turns[starts] = 0.0
    turned = np.cumsum(turns)
    turned -= np.repeat(turned[starts], [len(path) for path in paths])
    polar = np.column_stack([np.hypot(east, north), angles - 360.0 * turned])
    return np.split(polar, starts[1:])
