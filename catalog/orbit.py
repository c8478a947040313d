"""The model of a bound object: where orbits of every size, orientation and phase let a source stand.

Averaged over orientation and phase, an orbit of semi-major axis a and eccentricity e is, to second moments, a
stationary process whose covariance at lag Δt is a²/3 Σₖ sₖ cos(k n Δt) on each axis, with the powers sₖ of the Fourier
series of the Kepler motion (Bessel functions; Murray & Dermott 1999, section 2.4) and the mean motion n from Kepler's
third law. On top stands a free mean offset. Both evidence and foretold places are averages over log a.

Sources are many and have few positions each: they come as flat arrays, the positions of source s from `starts[s]` to
`starts[s + 1]`, and go through compiled loops, on every core there is.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.special import jv, jvp

from lyot.sky import DAYS_PER_YEAR, Floats

ECCENTRICITY = 0.3  # typical of imaged companions
HARMONICS = 5  # at that eccentricity the rest has 1e-4 of the power
AXES = (0.45, 6.0)  # semi-major axis over projected separation
STEPS = 24  # of the average over log a: twice as many change the log-odds by less than 0.1

#: What the compiled `_fit` hands on: roots, whitened columns, places, their covariances, log evidences, by axis.
Fitted = tuple[Floats, Floats, Floats, Floats, Floats]


class Sightings(NamedTuple):
    """Positions of many sources, and the orbits that each may have.

    Parameters
    ----------
    starts : (source + 1,)
        Where the positions of each begin.
    times : (position,), MJD
    offsets : (position, 2), mas
    covariances : (position, 2, 2), mas²
    axes : (source, STEPS), mas
        Semi-major axes.
    motions : (source, STEPS), rad/d
        Mean motions on them.
    """

    starts: NDArray[np.int64]
    times: Floats
    offsets: Floats
    covariances: Floats
    axes: Floats
    motions: Floats


def orbits(separation: Floats, distance: Floats, mass: Floats) -> tuple[Floats, Floats]:
    """Semi-major axes (mas) and mean motions (rad/d), (..., STEPS), of orbits seen at a projected separation.

    Parameters
    ----------
    separation : (...), mas
    distance : (...), pc
    mass : (...), solar masses
        Of star and companion together.
    """
    low, high = np.log(AXES)
    axes = np.asarray(separation)[..., None] * np.exp(np.linspace(low, high, STEPS))
    years = np.sqrt((axes * 1e-3 * np.asarray(distance)[..., None]) ** 3 / np.asarray(mass)[..., None])
    return axes, 2 * np.pi / DAYS_PER_YEAR / years


def harmonic_powers() -> Floats:
    """Power sₖ of each harmonic of a Kepler orbit of unit semi-major axis: both axes of its plane, mean square."""
    k, e = np.arange(1, HARMONICS + 1), ECCENTRICITY
    along = 2 / k * jvp(k, k * e)
    across = np.sqrt(1 - e**2) * 2 / (k * e) * jv(k, k * e)
    return np.asarray((along**2 + across**2) / 2)


def log_evidence(seen: Sightings) -> Floats:
    """Logarithm of the evidence of a bound object for each source, (source,); the flat place is integrated out."""
    return foretell(seen, np.zeros((len(seen.starts) - 1, 0)))[0]


def foretell(seen: Sightings, when: Floats) -> tuple[Floats, Floats, Floats]:
    """Log evidence (source,), and where each source stands at times `when` (source, time), MJD, if it is bound.

    Returns
    -------
    (source,); (source, time, 2), mas; their covariances (source, time, 2, 2), mas²
    """
    count, times = when.shape
    fits, places, spreads = np.empty(count), np.empty((count, times, 2)), np.empty((count, times, 2, 2))
    powers = harmonic_powers()

    def some(first: int, last: int) -> None:
        _foretell(*seen, powers, when, first, last, fits, places, spreads)

    _on_all_cores(some, count)
    return fits, places, spreads


def first_parted(
    seen: Sightings, when: Floats, behind: Floats, spreads: Floats, error: float, sigma: float
) -> NDArray[np.int64]:
    """Place of the first of the times at which a bound object would stand apart from a background star; -1 if none.

    Parameters
    ----------
    seen : Sightings
    when : (source, time), MJD, in order
    behind : (source, time, 2), mas
        Where a background star would stand.
    spreads : (source, time, 2, 2), mas²
        Covariances of that.
    error : mas, of the epoch to come, on each axis
    sigma : how many errors apart
    """
    found = np.full(len(when), -1, np.int64)
    powers = harmonic_powers()

    def some(first: int, last: int) -> None:
        _first_parted(*seen, powers, when, behind, spreads, error**2, sigma**2, first, last, found)

    _on_all_cores(some, len(when))
    return found


def _on_all_cores(some: Callable[[int, int], None], count: int) -> None:
    """Call `some(first, last)` on parts of `count` sources, on threads: the loops let go of the interpreter."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if count < 64 or cores == 1:
        some(0, count)
        return
    edges = np.linspace(0, count, 4 * cores + 1).astype(int)
    with ThreadPoolExecutor(cores) as pool:
        list(pool.map(some, edges[:-1].tolist(), edges[1:].tolist()))


# ---- compiled loops ------------------------------------------------------------------------------------------------


@njit(cache=True, nogil=True)
def covariance_at(phase: float, powers: Floats) -> float:
    """Covariance on one axis of an orbit of unit semi-major axis with itself a phase (rad) later."""
    first = np.cos(phase)
    before, wave = 1.0, first  # cos 0, cos φ; then cos (k+1)φ = 2 cos φ cos kφ − cos (k−1)φ
    total = powers[0] * wave
    for k in range(1, len(powers)):
        before, wave = wave, 2 * first * wave - before
        total += powers[k] * wave
    return total / 3


@njit(cache=True, nogil=True)
def _root(times: Floats, covariances: Floats, axis: float, motion: float, powers: Floats, root: Floats) -> float:
    """Cholesky root of the covariance of all positions, in place (2 time, 2 time); logarithm of its determinant."""
    size = 2 * len(times)
    for i in range(len(times)):
        for j in range(i + 1):
            value = axis**2 * covariance_at(motion * (times[i] - times[j]), powers)
            root[2 * i, 2 * j] = root[2 * i + 1, 2 * j + 1] = value
            root[2 * i + 1, 2 * j] = root[2 * i, 2 * j + 1] = 0.0
        root[2 * i, 2 * i] += covariances[i, 0, 0]
        root[2 * i + 1, 2 * i] += covariances[i, 1, 0]
        root[2 * i + 1, 2 * i + 1] += covariances[i, 1, 1]
    logarithm = 0.0
    for i in range(size):
        for j in range(i + 1):
            value = root[i, j]
            for k in range(j):
                value -= root[i, k] * root[j, k]
            root[i, j] = np.sqrt(value) if i == j else value / root[j, j]
        logarithm += 2 * np.log(root[i, i])
    return logarithm


@njit(cache=True, nogil=True)
def _forward(root: Floats, columns: Floats) -> None:
    """Solve for columns (2 time, column) in place."""
    for i in range(len(root)):
        for c in range(columns.shape[1]):
            value = columns[i, c]
            for k in range(i):
                value -= root[i, k] * columns[k, c]
            columns[i, c] = value / root[i, i]


@njit(cache=True, nogil=True)
def _fit(
    times: Floats, offsets: Floats, covariances: Floats, axes: Floats, motions: Floats, powers: Floats
) -> Fitted:  # fmt: skip
    """For each axis: root, whitened [left of offsets, place East, place North], covariance of the place, the place
    itself, and log evidence."""
    size = 2 * len(times)
    roots, known = np.empty((len(axes), size, size)), np.zeros((len(axes), size, 3))
    means, inverses, fits = np.empty((len(axes), 2)), np.empty((len(axes), 2, 2)), np.empty(len(axes))
    for a in range(len(axes)):
        white = known[a]
        for i in range(len(times)):
            white[2 * i, 0], white[2 * i + 1, 0] = offsets[i, 0], offsets[i, 1]
            white[2 * i, 1] = white[2 * i + 1, 2] = 1.0
        logarithm = _root(times, covariances, axes[a], motions[a], powers, roots[a])
        _forward(roots[a], white)
        products = white.T @ white
        ee, en, nn = products[1, 1], products[1, 2], products[2, 2]
        determinant = ee * nn - en * en
        inverses[a] = np.array([[nn, -en], [-en, ee]]) / determinant
        means[a, 0] = inverses[a, 0, 0] * products[1, 0] + inverses[a, 0, 1] * products[2, 0]
        means[a, 1] = inverses[a, 1, 0] * products[1, 0] + inverses[a, 1, 1] * products[2, 0]
        chi2 = products[0, 0] - means[a, 0] * products[1, 0] - means[a, 1] * products[2, 0]
        fits[a] = -0.5 * (chi2 + logarithm + np.log(determinant) + (size - 2) * np.log(2 * np.pi))
        for i in range(size):
            white[i, 0] -= means[a, 0] * white[i, 1] + means[a, 1] * white[i, 2]
    return roots, known, means, inverses, fits


@njit(cache=True, nogil=True)
def _at(
    time: float, times: Floats, axes: Floats, motions: Floats, powers: Floats, weights: Floats, fitted: Fitted
) -> tuple[Floats, Floats]:  # fmt: skip
    """Place (2,) and covariance (2, 2) at a time, averaged over the axes."""
    roots, known, means, inverses, _ = fitted
    place, second, spread = np.zeros(2), np.zeros((2, 2)), np.zeros((2, 2))
    cross = np.empty((2 * len(times), 2))
    for a in range(len(axes)):
        if weights[a] < 1e-9:
            continue
        cross[:] = 0.0
        for i in range(len(times)):
            cross[2 * i, 0] = cross[2 * i + 1, 1] = axes[a] ** 2 * covariance_at(
                motions[a] * (time - times[i]), powers
            )
        _forward(roots[a], cross)
        pulled = cross.T @ known[a]  # on [left, East, North]
        free = np.eye(2) - pulled[:, 1:]
        here = means[a] + pulled[:, 0]
        alone = axes[a] ** 2 * covariance_at(0.0, powers)
        spread += weights[a] * (alone * np.eye(2) - cross.T @ cross + free @ inverses[a] @ free.T)
        place += weights[a] * here
        second += weights[a] * np.outer(here, here)
    return place, spread + second - np.outer(place, place)


@njit(cache=True, nogil=True)
def _weights(fits: Floats) -> tuple[Floats, float]:
    """Share of each axis, and log evidence of them all."""
    highest = fits.max()
    weights = np.exp(fits - highest)
    total = weights.sum()
    return weights / total, highest + np.log(total / len(fits))


@njit(cache=True, nogil=True)
def _foretell(
    starts: NDArray[np.int64], times: Floats, offsets: Floats, covariances: Floats, axes: Floats, motions: Floats,
    powers: Floats, when: Floats, first: int, last: int, fits: Floats, places: Floats, spreads: Floats,
) -> None:  # fmt: skip
    for s in range(first, last):
        mine = slice(starts[s], starts[s + 1])
        fitted = _fit(times[mine], offsets[mine], covariances[mine], axes[s], motions[s], powers)
        weights, fits[s] = _weights(fitted[4])
        for t in range(when.shape[1]):
            place, spread = _at(when[s, t], times[mine], axes[s], motions[s], powers, weights, fitted)
            places[s, t], spreads[s, t] = place, spread


@njit(cache=True, nogil=True)
def _first_parted(
    starts: NDArray[np.int64], times: Floats, offsets: Floats, covariances: Floats, axes: Floats, motions: Floats,
    powers: Floats, when: Floats, behind: Floats, around: Floats, error2: float, sigma2: float, first: int, last: int,
    found: NDArray[np.int64],
) -> None:  # fmt: skip
    for s in range(first, last):
        mine = slice(starts[s], starts[s + 1])
        fitted = _fit(times[mine], offsets[mine], covariances[mine], axes[s], motions[s], powers)
        weights, _ = _weights(fitted[4])
        for t in range(when.shape[1]):
            place, spread = _at(when[s, t], times[mine], axes[s], motions[s], powers, weights, fitted)
            east, north = place[0] - behind[s, t, 0], place[1] - behind[s, t, 1]
            ee = spread[0, 0] + around[s, t, 0, 0] + error2
            en = spread[0, 1] + around[s, t, 0, 1]
            nn = spread[1, 1] + around[s, t, 1, 1] + error2
            if east**2 * nn - 2 * east * north * en + north**2 * ee >= sigma2 * (ee * nn - en**2):
                found[s] = t
                break
