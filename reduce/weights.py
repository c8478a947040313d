"""Weight matrices from scalar products: the algebra that linear starlight models share."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from lyot.cube import Floats
from lyot.errors import Unprocessable
from lyot.reduce.eigen import leading_modes
from lyot.reduce.eigen_without import modes_without, multiply_rows, subtract_rows
from lyot.reduce.parallel import single_blas_thread, spread
from lyot.reduce.shears import SUMS_MAY_BE_REORDERED

NOISE_FLOOR = 1e-12  # of the largest eigenvalue; modes below it are rounding
ROUNDING = 1e-8  # of the library's power; scalar products are no better
SMALL = 500  # frames up to which our own decomposition takes less time than LAPACK's and importing it
SEVERAL = 12  # libraries to be decomposed that are worth decomposing the whole one first
FEW = 0.3  # of the library, up to which leaving frames out is quicker than decomposing the rest


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
        values, modes = leading_modes(gram.copy(), ncomp)
    else:
        from scipy.linalg import eigh  # slow to import

        values, columns = eigh(gram, subset_by_index=[nref - ncomp, nref - 1], check_finite=False)
        modes = columns.T
    solid = values > NOISE_FLOOR * values.max()
    values, modes = values[solid], modes[solid]
    weights: Floats = (cross @ (modes.T / values)) @ modes
    return weights


def principal_weights_each(gram: Floats, cross: Floats, allowed: NDArray[np.bool_], ncomp: int) -> Floats:
    """As `principal_weights`, each science frame on the components of those library frames only that it may use.

    Parameters
    ----------
    gram : (nref, nref)
    cross : (nframe, nref)
    allowed : (nframe, nref), bool
    ncomp : int

    Returns
    -------
    (nframe, nref)
        Zero where not allowed; a row of NaN for a frame with fewer than `ncomp` others.

    Raises
    ------
    Unprocessable
        If the whole library has fewer than `ncomp` frames.
    """
    if len(gram) < ncomp:
        raise Unprocessable(f"{ncomp} components asked of {len(gram)} frames", hint="lower ncomp")
    weights = np.zeros(cross.shape)
    excluded = (~allowed).sum(axis=1)
    few = (excluded <= FEW * len(gram)) & (excluded <= len(gram) - ncomp)
    libraries = 1 + (allowed[1:] != allowed[:-1])[few[1:]].any(axis=1).sum()
    with single_blas_thread():
        values, modes = np.linalg.eigh(gram) if libraries >= SEVERAL else (np.empty(0), np.empty((0, 0)))
    values, modes = values[::-1].copy(), np.ascontiguousarray(modes[:, ::-1])

    def rows(start: int, stop: int) -> None:
        todo = np.ones(stop - start, dtype=np.bool_)
        ours, may, science = weights[start:stop], allowed[start:stop], cross[start:stop]
        if len(values):
            along = np.zeros(ours.shape)
            todo = ~_rows_without_few(values, modes, science @ modes, may, few[start:stop], ncomp, along)
            np.matmul(along, modes.T, out=ours)
            ours[~may | todo[:, None]] = 0.0
        _principal_rows(gram, science, may, ncomp, todo, ours)

    spread(rows, len(cross))
    return weights


def least_squares_weights_each(gram: Floats, cross: Floats, allowed: NDArray[np.bool_], ridge: float) -> Floats:
    """Weights that leave the least sum of squares, each science frame on those library frames only that it may use.

    Minimised is |x − wX|² + λ |w − 1/nref|², with λ `ridge` times the power in which library frames differ from their
    mean: what never changes vanishes whatever `ridge`, and a large one gives classical ADI.

    Parameters
    ----------
    gram : (nref, nref)
    cross : (nframe, nref)
    allowed : (nframe, nref), bool
    ridge : float
        Keeps nearly equal frames from large weights of opposite sign, and a bright planet from being fitted away.

    Returns
    -------
    (nframe, nref), dimensionless
        Zero where not allowed; a row of NaN for a frame that may use none.

    Raises
    ------
    Unprocessable
        If the library frames are too alike for so small a `ridge`.
    """
    weights = np.zeros(cross.shape)

    def rows(start: int, stop: int) -> bool:
        return bool(_least_squares_rows(gram, cross[start:stop], allowed[start:stop], ridge, weights[start:stop]))

    if not all(spread(rows, len(cross))):
        raise Unprocessable(
            f"{len(gram)} library frames are too alike to be told apart at ridge {ridge:g}", hint="raise ridge"
        )
    return weights


@numba.njit(cache=True, nogil=True)
def _principal_rows(gram, cross, allowed, ncomp, todo, weights):  # type: ignore[no-untyped-def]
    last = -1
    for t in range(len(cross)):
        if not todo[t]:
            continue
        # What one frame may use, the next most often may not; but all may use the same other stars.
        if last < 0 or (allowed[t] != allowed[last]).any():
            columns = np.flatnonzero(allowed[t])
            if len(columns) >= ncomp:
                values, modes = leading_modes(_among(gram, columns), ncomp)
        last = t
        if len(columns) < ncomp:
            weights[t] = np.nan
            continue
        for value, mode in zip(values, modes):  # noqa: B905  numba knows no `strict`
            if value > NOISE_FLOOR * values[0]:
                part = 0.0
                for i in range(len(columns)):
                    part += cross[t, columns[i]] * mode[i]
                for i in range(len(columns)):
                    weights[t, columns[i]] += part / value * mode[i]


@numba.njit(cache=True, nogil=True)
def _rows_without_few(values, modes, seen, allowed, few, ncomp, along):  # type: ignore[no-untyped-def]
    """Put weights of the library's modes in `along`, of frames that may not use few; for which that is certain."""
    certain = np.zeros(len(seen), np.bool_)
    gone, parts = np.empty(modes.shape), np.empty(ncomp)
    for t in np.flatnonzero(few):
        count = 0
        for i in range(len(modes)):
            if not allowed[t, i]:
                gone[count] = modes[i]
                count += 1
        certain[t], found, leading = modes_without(values, gone[:count], ncomp)
        if certain[t]:
            multiply_rows(leading, seen[t], parts)
            parts /= found
            subtract_rows(along[t], -parts, leading)
    return certain


@numba.njit(cache=True, nogil=True)
def _least_squares_rows(gram, cross, allowed, ridge, weights):  # type: ignore[no-untyped-def]
    """Fill `weights`; whether all could be found."""
    for t in range(len(cross)):
        if t == 0 or (allowed[t] != allowed[t - 1]).any():
            columns = np.flatnonzero(allowed[t])
            count = len(columns)
            damped = _among(gram, columns)
            mean, power, common = np.zeros(count), 0.0, 0.0
            for i in range(count):
                mean += damped[i]
                power += damped[i, i]
            mean /= max(count, 1)
            common = mean.sum()
            for i in range(count):
                damped[i, i] += ridge * max(power - common, 0.0) + ROUNDING * power
            if not _to_triangle(damped):
                return False
        if count == 0:
            weights[t] = np.nan
            continue
        change = np.empty(count)
        for i in range(count):
            change[i] = cross[t, columns[i]] - mean[i]
        _solve_triangles(damped, change)
        for i in range(count):
            weights[t, columns[i]] = change[i] + 1.0 / count
    return True


@numba.njit(cache=True, nogil=True)
def _among(gram, columns):  # type: ignore[no-untyped-def]
    """The scalar products of some frames with one another."""
    count = len(columns)
    part = np.empty((count, count))
    for i in range(count):
        row = gram[columns[i]]
        for j in range(count):
            part[i, j] = row[columns[j]]
    return part


@numba.njit(cache=True, nogil=True, fastmath=SUMS_MAY_BE_REORDERED)
def _to_triangle(matrix):  # type: ignore[no-untyped-def]
    """Cholesky's triangle in place of the lower half of a matrix; whether it has one, that is, is positive definite."""
    for i in range(len(matrix)):
        row = matrix[i]
        for j in range(i + 1):
            other, total = matrix[j], row[j]
            for k in range(j):
                total -= row[k] * other[k]
            if j < i:
                row[j] = total / other[j]
            elif total > 0:
                row[i] = np.sqrt(total)
            else:
                return False
    return True


@numba.njit(cache=True, nogil=True, fastmath=SUMS_MAY_BE_REORDERED)
def _solve_triangles(triangle, vector):  # type: ignore[no-untyped-def]
    """Solve triangle · triangleᵀ · answer = vector, the answer in place of the vector."""
    for i in range(len(vector)):
        row, total = triangle[i], vector[i]
        for k in range(i):
            total -= row[k] * vector[k]
        vector[i] = total / row[i]
    for i in range(len(vector) - 1, -1, -1):
        row = triangle[i]
        vector[i] /= row[i]
        for k in range(i):
            vector[k] -= row[k] * vector[i]
