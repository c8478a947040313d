"""When would one more epoch tell a background star from a bound object?

Given the positions so far, each hypothesis foretells where the source will stand, with a covariance. The hypotheses
have parted at the first day on which the distance between the two foretold places is `SIGMA` times its error, which
comprises both covariances and that of the epoch to come. The days of the first search are the same for everybody,
multiples of `STEP`: who looks again on another day finds the same, as long as that day is still to come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lyot.catalog.evidence import MOTION, PARALLAX, background, log_evidence
from lyot.catalog.motion import Batch, Source, batches
from lyot.catalog.orbit import first_parted, foretell
from lyot.catalog.positions import Positions
from lyot.sky import Drift, Floats, Star, day_of, drift_past, earth_position

SIGMA = 5.0
ERROR = 5.0  # mas, of an epoch to come: a typical one of an imager behind adaptive optics
STEP = 30  # d, of the first search: a twelfth of the year in which parallaxes repeat
STEPS = 122  # of ten years
AT_ONCE = 500  # sources of which the coming years are looked at together


@dataclass(frozen=True)
class Foretold:
    """Where a hypothesis puts the source: `places` (time, 2), mas, with `covariances` (time, 2, 2), mas².

    Those of many sources have an axis (source) before the others.
    """

    places: Floats
    covariances: Floats


def decides_on(
    star: Star, seen: Positions, mass: float | None = None, error: float = ERROR, after: float | None = None
) -> str | None:
    """First day (ISO, UTC) on which one more epoch would part the hypotheses by 5σ, if any within ten years.

    Parameters
    ----------
    star : Star
    seen : Positions
    mass : solar masses, of the star
    error : mas, of the epoch to come
    after : MJD
        Days before it are not looked at; the last epoch when not given.
    """
    return decide_on([(star, seen, mass)], error, after)[0]


def decide_on(sources: Sequence[Source], error: float = ERROR, after: float | None = None) -> list[str | None]:
    """`decides_on` of many sources; None also where the star's motion or every position is unknown."""
    days: list[str | None] = [None] * len(sources)
    for whole in batches(sources):
        for first in range(0, len(whole.numbers), AT_ONCE):
            batch = _some(whole, slice(first, first + AT_ONCE))
            for number, day in _decide(batch, error, after).items():
                days[number] = day_of(day)
    return days


def _decide(batch: Batch, error: float, after: float | None) -> dict[int, float]:
    """First MJD that decides, by the number of the source, where one does."""
    last = batch.times[:, -1]
    start = np.floor(last if after is None else np.maximum(last, after))[:, None]
    coarse = (start // STEP + np.arange(1.0, STEPS + 1.0)) * STEP
    found = _parted(batch, coarse, error)
    these = np.flatnonzero(found >= 0)
    if not len(these):
        return {}
    fine = np.maximum(coarse[these, found[these]][:, None] - np.arange(float(STEP))[::-1], start[these] + 1)
    days = fine[np.arange(len(these)), _parted(_some(batch, these), fine, error)]
    return dict(zip((batch.numbers[n] for n in these), days.tolist(), strict=True))


def _parted(batch: Batch, when: Floats, error: float) -> np.ndarray:
    behind = _background(batch, when)
    return first_parted(batch.sightings(), when, behind.places, behind.covariances, error, SIGMA)


def _some(batch: Batch, which: slice | np.ndarray) -> Batch:
    """A part of a batch."""
    star = Star(*(np.asarray(value)[which] for value in vars(batch.star).values()))
    numbers = np.asarray(batch.numbers)[which].tolist()
    return Batch(numbers, star, *(values[which] for values in batch[2:]))


def foretell_background(star: Star, seen: Positions, times: Floats) -> Foretold:
    """Where a background star would stand at `times`, (time,), MJD."""
    (batch,) = batches([(star, seen, None)])
    foretold = _background(batch, np.asarray(times)[None])
    return Foretold(foretold.places[0], foretold.covariances[0])


def foretell_bound(star: Star, seen: Positions, mass: float, times: Floats) -> Foretold:
    """Where a bound object would stand at `times`, (time,), MJD: the mean over orbits, by how well they fit."""
    (batch,) = batches([(star, seen, mass)])
    _, places, covariances = foretell(batch.sightings(), np.asarray(times, float)[None])
    return Foretold(places[0], covariances[0])


def foretell_both(batch: Batch, when: Floats) -> tuple[Floats, Foretold, Foretold]:
    """Log-odds of bound against background (source,), and where each would stand if it was bound, and if it was not.

    Parameters
    ----------
    batch : Batch
    when : (source, time), MJD
    """
    around, *places = foretell(batch.sightings(), when)
    sky = drift_past(batch.star, batch.times, batch.times.mean(axis=1), earth_position(batch.times))
    odds = around - log_evidence(background(sky, batch.covariances), batch.offsets)
    return odds, Foretold(*places), _background(batch, when)


def _background(batch: Batch, when: Floats) -> Foretold:
    """Where background stars would stand at `when`, (source, time)."""
    known = batch.times.shape[1]
    times = np.concatenate([batch.times, when], axis=1)
    sky = drift_past(batch.star, times, batch.times.mean(axis=1), earth_position(times))
    design = _design(sky)
    precision = np.linalg.inv(batch.covariances)
    weighted = np.einsum("stka,stkm->stam", design[:, :known], precision)
    prior = np.diag([0, 0, MOTION**-2, MOTION**-2, PARALLAX**-2])
    normal = np.einsum("stam,stmb->sab", weighted, design[:, :known]) + prior
    data = np.einsum("stam,stm->sa", weighted, batch.offsets - sky.drift[:, :known])
    new, covariance = design[:, known:], np.linalg.inv(normal)
    values = np.einsum("sab,sb->sa", covariance, data)
    spread = (new @ covariance[:, None]) @ np.swapaxes(new, -1, -2)
    return Foretold(sky.drift[:, known:] + np.einsum("stka,sa->stk", new, values), spread)


def _design(sky: Drift) -> Floats:
    """What place, motion and parallax of a background star do to its offset, (..., time, 2, 5)."""
    shift = np.einsum("...tkm,...tm->...tk", sky.turn, sky.factors)[..., None]
    return np.concatenate([sky.turn, sky.turn * sky.years[..., None, None], shift], axis=-1)
