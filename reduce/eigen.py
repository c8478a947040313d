"""The largest eigenvalues of small symmetric matrices, without the interpreter: many zones at once, one on each core.

LAPACK's routines, as Python has them, hold the interpreter's lock, so that threads wait for one another; and a ring of
a few hundred pixels wants a few modes of each of its frames' own libraries. The steps are those of LAPACK's `dsyevx`:
to tridiagonal form by reflections, bisection, inverse iteration (Golub & Van Loan, Matrix Computations 4, 8.3–8.4).
"""

from __future__ import annotations

import numba
import numpy as np

from lyot.reduce.shears import SUMS_MAY_BE_REORDERED

HALVINGS = 44  # of an interval as wide as the spectrum: 6e-14 of it, which inverse iteration then sharpens
TURNS = 3  # of inverse iteration; one suffices for an eigenvalue that stands apart
TINY = 1e-290


@numba.njit(cache=True, nogil=True)
def leading_modes(matrix, count):  # type: ignore[no-untyped-def]
    """The largest eigenvalues of a symmetric matrix, and their eigenvectors.

    Parameters
    ----------
    matrix : (n, n)
        Is overwritten.
    count : int
        At most `n`.

    Returns
    -------
    values : (count,), largest first
    modes : (count, n), orthonormal rows
    """
    size = len(matrix)
    diagonal, beside = np.empty(size), np.zeros(size)
    reflections, strengths = np.zeros((size, size)), np.zeros(size)
    _to_tridiagonal(matrix, diagonal, beside, reflections, strengths)
    values = _largest(diagonal, beside, count)
    modes = np.empty((count, size))
    for number in range(count):
        _inverse_iteration(diagonal, beside, values, modes, number)
    for number in range(count):
        for step in range(size - 3, -1, -1):
            _reflect(modes[number], reflections[step], step + 1, strengths[step])
    return values, modes


@numba.njit(cache=True, nogil=True, fastmath=SUMS_MAY_BE_REORDERED)
def _reflect(vector, normal, start, strength):  # type: ignore[no-untyped-def]
    seen, along = vector[start:], normal[start:]
    total = 0.0
    for i in range(len(seen)):
        total += seen[i] * along[i]
    total *= strength
    for i in range(len(seen)):
        seen[i] -= total * along[i]


@numba.njit(cache=True, nogil=True, fastmath=SUMS_MAY_BE_REORDERED)
def _to_tridiagonal(matrix, diagonal, beside, reflections, strengths):  # type: ignore[no-untyped-def]
    """Householder's reflections: `beside[i]` couples i and i + 1; reflection i is 1 − strength · normal normalᵀ.

    What a reflection changes in the rest of the matrix is made good when the next one reads it: it is read once a step.
    """
    size = len(matrix)
    before, move, product = np.zeros(size), np.zeros(size), np.zeros(size)
    for step in range(size):
        for j in range(step, size):
            matrix[step, j] -= before[step] * move[j] + move[step] * before[j]
        diagonal[step] = matrix[step, step]
        if step >= size - 2:
            if step == size - 2:
                beside[step] = matrix[step, step + 1]
                matrix[step + 1, step + 1] -= 2 * before[step + 1] * move[step + 1]
                diagonal[step + 1] = matrix[step + 1, step + 1]
            break
        normal = reflections[step]
        beside[step], strengths[step] = _mirror(matrix[step], normal, step + 1)
        here, there, along = before[step + 1 :], move[step + 1 :], normal[step + 1 :]
        together = 0.0
        for i in range(step + 1, size):
            row, a, b, total = matrix[i, step + 1 :], before[i], move[i], 0.0
            for j in range(len(row)):
                row[j] -= a * there[j] + b * here[j]
                total += row[j] * along[j]
            product[i] = strengths[step] * total
            together += product[i] * normal[i]
        together *= 0.5 * strengths[step]
        for i in range(step + 1, size):
            move[i], before[i] = product[i] - together * normal[i], normal[i]


@numba.njit(cache=True, nogil=True)
def _mirror(row, normal, start):  # type: ignore[no-untyped-def]
    """Put in `normal` what mirrors a row from `start` on into its first element; that element, and the strength."""
    length = 0.0
    for i in range(start, len(row)):
        normal[i] = row[i]
        length += row[i] * row[i]
    if length - row[start] * row[start] <= TINY:
        normal[start:] = 0.0
        return row[start], 0.0
    length = np.sqrt(length)
    end = -length if row[start] > 0 else length
    normal[start] -= end
    return end, 1.0 / (length * length + length * abs(row[start]))


@numba.njit(cache=True, nogil=True)
def _largest(diagonal, beside, count):  # type: ignore[no-untyped-def]
    """The largest eigenvalues of a tridiagonal matrix by bisection, all side by side, largest first."""
    size = len(diagonal)
    low, high = np.inf, -np.inf
    squared, largest = np.empty(size), 0.0
    for i in range(size):
        reach = abs(beside[i]) + (abs(beside[i - 1]) if i > 0 else 0.0)
        low, high = min(low, diagonal[i] - reach), max(high, diagonal[i] + reach)
        squared[i] = beside[i - 1] * beside[i - 1] if i > 0 else 0.0
        largest = max(largest, squared[i])
    pivot = max(TINY, 1e-300 * largest)
    below, above = np.full(count, low), np.full(count, high)
    middle, left, negative = np.empty(count), np.empty(count), np.empty(count)
    for _ in range(HALVINGS):
        for lane in range(count):
            middle[lane], left[lane], negative[lane] = 0.5 * (below[lane] + above[lane]), 1.0, 0.0
        for i in range(size):
            for lane in range(count):
                rest = diagonal[i] - middle[lane] - squared[i] / left[lane]
                rest = -pivot if abs(rest) < pivot else rest
                left[lane] = rest
                negative[lane] += 1.0 if rest < 0 else 0.0
        for lane in range(count):  # `negative` is the number of eigenvalues below the middle
            enough = negative[lane] <= size - 1 - lane
            below[lane], above[lane] = (middle[lane], above[lane]) if enough else (below[lane], middle[lane])
    return 0.5 * (below + above)


@numba.njit(cache=True, nogil=True)
def _inverse_iteration(diagonal, beside, values, modes, number):  # type: ignore[no-untyped-def]
    """The eigenvector of a tridiagonal matrix next to an eigenvalue, orthogonal to those before; sharpens the value."""
    size = len(diagonal)
    first, second, third, ratio = np.empty(size), np.empty(size), np.zeros(size), np.empty(size)
    swapped = np.zeros(size, np.bool_)
    _factor(diagonal, beside, values[number], first, second, third, ratio, swapped)
    mode = modes[number]
    for i in range(size):  # a start that is nearly orthogonal to nothing, another for each
        mode[i] = 1.0 + 0.5 * np.sin(1.0 + i * (number + 1.7))
    for _ in range(TURNS):
        _solve(first, second, third, ratio, swapped, mode)
        mode /= np.abs(mode).max()
        for before in range(number):
            mode -= (mode * modes[before]).sum() * modes[before]
        mode /= np.sqrt((mode * mode).sum())
    quotient = 0.0
    for i in range(size):
        quotient += diagonal[i] * mode[i] * mode[i]
        if i + 1 < size:
            quotient += 2.0 * beside[i] * mode[i] * mode[i + 1]
    values[number] = quotient


@numba.njit(cache=True, nogil=True)
def _factor(diagonal, beside, shift, first, second, third, ratio, swapped):  # type: ignore[no-untyped-def]
    """Tridiagonal matrix − shift into triangles, rows exchanged where that makes the larger pivot."""
    size = len(diagonal)
    small = 1e-16 * max(np.abs(diagonal).max(), np.abs(beside).max(), TINY)
    first[0] = diagonal[0] - shift
    second[0] = beside[0] if size > 1 else 0.0
    for i in range(size - 1):
        under, next_diagonal = beside[i], diagonal[i + 1] - shift
        next_beside = beside[i + 1] if i + 2 < size else 0.0
        if abs(first[i]) >= abs(under):
            first[i] = first[i] if abs(first[i]) > small else small
            ratio[i] = under / first[i]
            first[i + 1] = next_diagonal - ratio[i] * second[i]
            second[i + 1] = next_beside
        else:
            swapped[i] = True
            ratio[i] = first[i] / under
            first[i], second[i], above = under, next_diagonal, second[i]
            first[i + 1] = above - ratio[i] * next_diagonal
            third[i] = next_beside
            second[i + 1] = -ratio[i] * next_beside
    if abs(first[size - 1]) < small:
        first[size - 1] = small


@numba.njit(cache=True, nogil=True)
def _solve(first, second, third, ratio, swapped, vector):  # type: ignore[no-untyped-def]
    size = len(vector)
    for i in range(size - 1):
        if swapped[i]:
            vector[i], vector[i + 1] = vector[i + 1], vector[i]
        vector[i + 1] -= ratio[i] * vector[i]
    for i in range(size - 1, -1, -1):
        total = vector[i]
        if i + 1 < size:
            total -= second[i] * vector[i + 1]
        if i + 2 < size:
            total -= third[i] * vector[i + 2]
        vector[i] = total / first[i]
