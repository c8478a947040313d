"""Evidence of Gaussian models of a source's positions: a star in the background, or an object bound to the star.

Both models are linear in their parameters, so their evidences are exact integrals:

- background: a free place at a reference time, an own proper motion drawn from N(0, `MOTION`) on each axis and a
  parallax from N(0, `PARALLAX`), seen from the moving Earth against the moving star;
- bound: a free mean offset plus a Kepler orbit of unknown orientation and phase. Averaged over both, an orbit of
  semi-major axis a and eccentricity e is, to second moments, a stationary process whose covariance at lag Δt is
  a²/3 Σₖ sₖ cos(k n Δt) on each axis, with the powers sₖ of the Fourier series of the Kepler motion (Bessel
  functions; Murray & Dermott 1999, section 2.4) and the mean motion n from Kepler's third law. The evidence is
  averaged over log a.

The free place has the same flat prior in both, which drops out of their ratio.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import jv, jvp

from lyot.sky import DAYS_PER_YEAR, Drift, Floats

MOTION = 6.0  # mas/yr, of faint field stars on each axis; 3 to 20 give the same verdicts
PARALLAX = 1.0  # mas, of the same
ECCENTRICITY = 0.3  # typical of imaged companions
HARMONICS = 5  # at that eccentricity the rest has 1e-4 of the power
AXES = (0.45, 6.0)  # semi-major axis over projected separation
STEPS = 24  # of the average over log a: twice as many change the log-odds by less than 0.1


@dataclass(frozen=True)
class Gaussian:
    """A Gaussian model of positions: `positions = mean + place @ flat + N(0, covariance)`.

    Parameters
    ----------
    mean : (..., 2 time), mas
    place : (..., 2 time, 2)
        What the free place adds.
    covariance : (..., 2 time, 2 time), mas²
    """

    mean: Floats
    place: Floats
    covariance: Floats


def background(drift: Drift, covariances: Floats) -> Gaussian:
    """The model of a background star.

    Parameters
    ----------
    drift : Drift
        Of the sky past the star; with a leading axis for many stars.
    covariances : (..., time, 2, 2), mas²
        Of the measured offsets (East, North).
    """
    moving = _flat(drift.turn * drift.years[..., None, None])
    shifting = _flat(np.einsum("...tkm,...tm->...tk", drift.turn, drift.factors)[..., None])
    own = MOTION**2 * moving @ _transposed(moving) + PARALLAX**2 * shifting @ _transposed(shifting)
    return Gaussian(_flat(drift.drift[..., None])[..., 0], _flat(drift.turn), own + blocks(covariances))


def bound(times: Floats, covariances: Floats, separation: Floats, distance: Floats, mass: Floats) -> Gaussian:
    """The models of bound objects, (..., axis): one for each of `STEPS` semi-major axes.

    Parameters
    ----------
    times : (..., time), MJD
    covariances : (..., time, 2, 2), mas²
    separation : (...), mas
        Typical projected separation.
    distance : (...), pc
    mass : (...), solar masses
        Of star and companion together.
    """
    process = orbit_covariance(times[..., :, None] - times[..., None, :], separation, distance, mass)
    size = 2 * times.shape[-1]
    covariance = on_both_axes(process) + blocks(covariances)[..., None, :, :]
    return Gaussian(np.zeros(size), np.tile(np.eye(2), (times.shape[-1], 1)), covariance)


def orbit_covariance(lags: Floats, separation: Floats, distance: Floats, mass: Floats) -> Floats:
    """Covariance on each axis, mas², of the place of a bound object at two times, (..., axis, time, time).

    Parameters
    ----------
    lags : (..., time, time), d
        Between the times; the two may be different ones.
    separation, distance, mass
        As for `bound`.
    """
    low, high = np.log(AXES)
    axes = np.asarray(separation)[..., None] * np.exp(np.linspace(low, high, STEPS))
    periods = np.sqrt((axes * 1e-3 * np.asarray(distance)[..., None]) ** 3 / np.asarray(mass)[..., None])
    phase = 2 * np.pi / DAYS_PER_YEAR * lags[..., None, :, :] / periods[..., None, None]
    first = np.cos(phase)
    powers = harmonic_powers()
    before, wave = np.ones_like(first), first  # cos 0, cos φ; then cos (k+1)φ = 2 cos φ cos kφ − cos (k−1)φ
    total = powers[0] * wave
    for power in powers[1:]:
        before, wave = wave, 2 * first * wave - before
        total += power * wave
    covariance: Floats = axes[..., None, None] ** 2 / 3 * total
    return covariance


def on_both_axes(process: Floats) -> Floats:
    """Covariances of one axis (..., time, time) as those of both, independent, (..., 2 time, 2 time)."""
    both = np.zeros((*process.shape[:-1], 2, process.shape[-1], 2))
    both[..., 0, :, 0] = both[..., 1, :, 1] = process
    return both.reshape(*process.shape[:-2], 2 * process.shape[-2], 2 * process.shape[-1])


def log_evidence(model: Gaussian, offsets: Floats) -> Floats:
    """Logarithm of the evidence, the flat place integrated out, for each of the model's covariances, (...).

    Parameters
    ----------
    model : Gaussian
    offsets : (..., time, 2), mas
        With as many axes before these as the model has, or broadcast to them.
    """
    left = _flat(offsets[..., None]) - model.mean[..., None]
    root = np.linalg.cholesky(model.covariance)
    size = root.shape[-1]
    columns = np.broadcast_shapes(left.shape[:-2], root.shape[:-2])
    known = np.concatenate(
        [np.broadcast_to(left, (*columns, size, 1)), np.broadcast_to(model.place, (*columns, size, 2))], axis=-1
    )
    whitened = np.linalg.solve(root, known)
    products = _transposed(whitened) @ whitened  # of residual and place: (..., 3, 3)
    fisher, pull = products[..., 1:, 1:], products[..., 1:, :1]
    chi2 = products[..., 0, 0] - (pull * np.linalg.solve(fisher, pull)).sum(axis=(-2, -1))
    determinant = 2 * np.log(np.diagonal(root, axis1=-2, axis2=-1)).sum(axis=-1) + np.linalg.slogdet(fisher)[1]
    evidence: Floats = -0.5 * (chi2 + determinant + (size - 2) * np.log(2 * np.pi))
    return evidence


def log_odds(drift: Drift, bodies: Gaussian, covariances: Floats, offsets: Floats) -> Floats:
    """Logarithm of the odds of bound against background, (...).

    Parameters
    ----------
    drift : Drift
    bodies : Gaussian
        What `bound` gives.
    covariances : (..., time, 2, 2), mas²
    offsets : (..., time, 2), mas
    """
    orbits = log_evidence(bodies, offsets[..., None, :, :])
    highest = orbits.max(axis=-1)
    mean = highest + np.log(np.mean(np.exp(orbits - highest[..., None]), axis=-1))
    odds: Floats = mean - log_evidence(background(drift, covariances), offsets)
    return odds


def blocks(covariances: Floats) -> Floats:
    """Covariances (..., time, 2, 2) of independent epochs as one matrix (..., 2 time, 2 time)."""
    *before, time, _, _ = covariances.shape
    whole = np.zeros((*before, time, 2, time, 2))
    for epoch in range(time):
        whole[..., epoch, :, epoch, :] = covariances[..., epoch, :, :]
    return whole.reshape(*before, 2 * time, 2 * time)


def _flat(values: Floats) -> Floats:
    """(..., time, 2, columns) as (..., 2 time, columns)."""
    return values.reshape(*values.shape[:-3], 2 * values.shape[-3], values.shape[-1])


def _transposed(matrix: Floats) -> Floats:
    return np.swapaxes(matrix, -1, -2)


def harmonic_powers() -> Floats:
    """Power sₖ of each harmonic of a Kepler orbit of unit semi-major axis: both axes of its plane, mean square."""
    k, e = np.arange(1, HARMONICS + 1), ECCENTRICITY
    along = 2 / k * jvp(k, k * e)
    across = np.sqrt(1 - e**2) * 2 / (k * e) * jv(k, k * e)
    return np.asarray((along**2 + across**2) / 2)
