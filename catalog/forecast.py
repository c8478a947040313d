"""When would one more epoch tell a background star from a bound object?

Given the positions so far, each hypothesis foretells where the source will stand, with a covariance. The hypotheses
have parted at the first day on which the distance between the two foretold places is `SIGMA` times its error, which
comprises both covariances and that of the epoch to come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lyot.catalog.evidence import MOTION, PARALLAX, bound, log_evidence, on_both_axes, orbit_covariance
from lyot.catalog.motion import MASS, Positions
from lyot.sky import Drift, Floats, Star, day_of, drift_past

SIGMA = 5.0
ERROR = 5.0  # mas, of an epoch to come: a typical one of an imager behind adaptive optics
STEPS = np.concatenate([np.full(73, 10.0), np.full(97, 30.0)])  # d, of the first search: two years, then eight


@dataclass(frozen=True)
class Foretold:
    """Where a hypothesis puts the source: `places` (time, 2), mas, with `covariances` (time, 2, 2), mas²."""

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
    start = float(seen.times[-1]) if after is None else max(after, float(seen.times[-1]))
    coarse = start + np.cumsum(STEPS)
    parted = _parted(star, seen, mass or MASS, error, coarse)
    if not parted.any():
        return None
    found = int(np.argmax(parted))
    fine = coarse[found] - np.arange(STEPS[found])[::-1]
    first = fine[int(np.argmax(_parted(star, seen, mass or MASS, error, fine)))]
    return day_of(float(np.ceil(first)))


def _parted(star: Star, seen: Positions, mass: float, error: float, times: Floats) -> Floats:
    """Which times part the hypotheses, (time,), bool."""
    behind, around = foretell_background(star, seen, times), foretell_bound(star, seen, mass, times)
    apart = behind.places - around.places
    spread = behind.covariances + around.covariances + error**2 * np.eye(2)
    squared = (apart * np.linalg.solve(spread, apart[..., None])[..., 0]).sum(axis=-1)
    return np.asarray(squared >= SIGMA**2)


def foretell_background(star: Star, seen: Positions, times: Floats) -> Foretold:
    """Where a background star would stand at `times`, (time,), MJD."""
    epoch = float(seen.times.mean())
    sky = drift_past(star, np.concatenate([seen.times, times]), epoch)
    design, known = _design(sky), len(seen.times)
    precision = np.linalg.inv(seen.covariances)
    prior = np.diag([0, 0, MOTION**-2, MOTION**-2, PARALLAX**-2])
    normal = np.einsum("tka,tkm,tmb->ab", design[:known], precision, design[:known]) + prior
    data = np.einsum("tka,tkm,tm->a", design[:known], precision, seen.offsets - sky.drift[:known])
    new = design[known:]
    covariance = np.linalg.inv(normal)
    return Foretold(sky.drift[known:] + new @ (covariance @ data), new @ covariance @ np.swapaxes(new, -1, -2))


def foretell_bound(star: Star, seen: Positions, mass: float, times: Floats) -> Foretold:
    """Where a bound object would stand at `times`, (time,), MJD: the mean over orbits, by how well they fit."""
    about = (np.asarray(seen.separation), np.asarray(1000 / star.parallax), np.asarray(mass))
    model = bound(seen.times, seen.covariances, *about)
    fit = log_evidence(model, seen.offsets[None])
    weights = np.exp(fit - fit.max())
    weights /= weights.sum()
    alone = orbit_covariance(np.zeros((1, 1)), *about)[:, 0, 0]
    cross = on_both_axes(orbit_covariance(times[:, None] - seen.times, *about))  # (axis, 2 new, 2 seen)
    size = len(times)
    inverse = np.linalg.inv(model.covariance)
    fisher = np.linalg.inv(np.swapaxes(model.place, -1, -2) @ inverse @ model.place)
    data = seen.offsets.reshape(-1)
    mean = fisher @ np.swapaxes(model.place, -1, -2) @ inverse @ data
    left = data - mean @ model.place.T
    gain = cross @ inverse
    places = mean[:, None] + (gain @ left[..., None]).reshape(-1, size, 2)
    free = (np.tile(np.eye(2), (size, 1)) - gain @ model.place).reshape(-1, size, 2, 2)
    kept = np.einsum("atkm,atnm->atkn", gain.reshape(-1, size, 2, gain.shape[-1]), _by_time(cross, size))
    covariances = alone[:, None, None, None] * np.eye(2) - kept + free @ fisher[:, None] @ np.swapaxes(free, -1, -2)
    place = np.einsum("a,atk->tk", weights, places)
    off = places - place
    spread = np.einsum("a,atkm->tkm", weights, covariances + off[..., :, None] * off[..., None, :])
    return Foretold(place, spread)


def _by_time(cross: Floats, size: int) -> Floats:
    """(axis, 2 new, 2 seen) as (axis, new, 2, 2 seen)."""
    return cross.reshape(-1, size, 2, cross.shape[-1])


def _design(sky: Drift) -> Floats:
    """What place, motion and parallax of a background star do to its offset, (time, 2, 5)."""
    parts: Sequence[Floats] = (
        sky.turn,
        sky.turn * sky.years[:, None, None],
        np.einsum("tkm,tm->tk", sky.turn, sky.factors)[..., None],
    )
    return np.concatenate(parts, axis=2)
