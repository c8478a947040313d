"""Weight matrices from scalar products: the algebra that linear starlight models share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.linalg.lapack import dposv

from lyot.cube import Floats
from lyot.errors import Unprocessable

NOISE_FLOOR = 1e-12  # of the largest eigenvalue; modes below it are rounding

ROUNDING = 1e-8  # of the library's power; scalar products are no better

SMALL = 128  # frames up to which all modes cost what a few do, by a routine that lets other threads go on

Solver = Callable[[Floats, Floats], Floats]


def principal_weights(gram: Floats, cross: Floats, ncomp: int) -> Floats:
    """Weights whose product with the library frames is the projection on their leading principal components.

    Parameters
    ----------
    gram : (nref, nref)
    cross : (nframe, nref)
    ncomp : int

    Returns
    -------
    (nframe, nref), dimensionless

    Raises
    ------
    Unprocessable
        If the library has fewer than `ncomp` frames.

    References
    ----------
    Soummer, Pueyo & Larkin 2012, ApJL 755, L28.
    """
    nref = len(gram)
    if nref < ncomp:
        raise Unprocessable(
            f"{ncomp} components asked of {nref} frames", hint="lower ncomp, or widen the reference library"
        )
    if nref <= SMALL:
        values, modes = np.linalg.eigh(gram)
        values, modes = values[nref - ncomp :], modes[:, nref - ncomp :]
    else:
        values, modes = eigh(gram, subset_by_index=[nref - ncomp, nref - 1], check_finite=False)
    solid = values > NOISE_FLOOR * values[-1]
    values, modes = values[solid], modes[:, solid]
    weights: Floats = (cross @ (modes / values)) @ modes.T
    return weights


def least_squares_weights(gram: Floats, cross: Floats, ridge: float) -> Floats:
    """Weights that leave the least sum of squares, drawn a little towards the plain mean of the library.

    Minimised is |x − wX|² + λ |w − 1/nref|², with λ `ridge` times the power in which library frames differ from their
    mean: what never changes vanishes whatever `ridge`, and a large one gives classical ADI.

    Parameters
    ----------
    gram : (nref, nref)
    cross : (nframe, nref)
    ridge : float
        Keeps nearly equal frames from large weights of opposite sign, and a bright planet from being fitted away.

    Returns
    -------
    (nframe, nref), dimensionless

    Raises
    ------
    Unprocessable
        If the library frames are too alike for so small a `ridge`.
    """
    nref = len(gram)
    mean = gram.sum(axis=0) / nref
    power = float(gram.trace())
    damped = gram.copy()
    damped.flat[:: nref + 1] += ridge * max(power - float(mean.sum()), 0.0) + ROUNDING * power
    _, change, failed = dposv(damped, (cross - mean).T)
    if failed:
        raise Unprocessable(
            f"{nref} library frames are too alike to be told apart at ridge {ridge:g}", hint="raise ridge"
        )
    weights: Floats = change.T + 1.0 / nref
    return weights


def each_from_its_own(
    gram: Floats, cross: Floats, allowed: NDArray[np.bool_], solve: Solver, fewest: int = 1
) -> Floats:
    """Weights of each science frame found on those library frames only that it may use.

    Frames that may use the same ones are solved for together.

    Parameters
    ----------
    gram : (nref, nref)
    cross : (nframe, nref)
    allowed : (nframe, nref), bool
    solve : (gram, cross) → weights
    fewest : int
        Library frames that a science frame wants at least.

    Returns
    -------
    (nframe, nref)
        Zero where not allowed; a row of NaN for a frame with fewer than `fewest`.
    """
    weights = np.zeros(cross.shape)
    choices, which = np.unique(allowed, axis=0, return_inverse=True)
    for number, choice in enumerate(choices):
        rows, columns = np.flatnonzero(which.ravel() == number), np.flatnonzero(choice)
        if len(columns) < fewest:
            weights[rows] = np.nan
        else:
            weights[np.ix_(rows, columns)] = solve(gram[np.ix_(columns, columns)], cross[np.ix_(rows, columns)])
    return weights
