"""Evidence of Gaussian models of a source's positions, and the model of a star in the background.

A background star has a free place at a reference time, an own proper motion drawn from N(0, `MOTION`) on each axis and
a parallax from N(0, `PARALLAX`), seen from the moving Earth against the moving star. It is linear in its parameters,
so its evidence is an exact integral, as is that of a bound object (`catalog.orbit`). The free place has the same flat
prior in both, which drops out of their ratio.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lyot.sky import Drift, Floats

MOTION = 6.0  # mas/yr, of faint field stars on each axis; 3 to 20 give the same verdicts
PARALLAX = 1.0  # mas, of the same


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
