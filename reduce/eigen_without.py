"""The largest eigenvalues of a symmetric matrix without a few of its rows and columns, from those of the whole.

In a ring every frame has a library of its own, but what it may not use are mostly the few frames next to it. With the
whole decomposed once, G = V Λ Vᵀ, and A the rows of V of what is left out, a vector V c has no part in what is left
out if A c = 0, and the rest of the matrix is solved by solving a small one (Golub 1973, SIAM Review 15, 318):

    z = (Λ − ρ)⁻¹ (c − Aᵀ y)    with    R y = A (Λ − ρ)⁻¹ c,    R(ρ) = A (Λ − ρ)⁻¹ Aᵀ

Leading eigenvectors of the whole, freed of what is left out and turned among themselves (Rayleigh & Ritz), are made
sharp by Rayleigh quotient iteration, ρ = cᵀ Λ c, which triples the right digits in a step (Parlett 1998, The Symmetric
Eigenvalue Problem, 4.6). That they are the largest is then counted: above any σ the rest has as many eigenvalues as
the whole, less the positive ones of R(σ) (Haynsworth 1968, Linear Algebra and its Applications 1, 73).
"""

from __future__ import annotations

import numba
import numpy as np

from lyot.reduce.shears import SUMS_MAY_BE_REORDERED

SPARE = 3  # eigenvectors of the whole with which to begin, beyond those wanted
TURNED = 1e-2  # angle (rad) between two of them that is left to the iteration
SWEEPS = 6
ROUNDS = 5  # of the iteration; most eigenvectors take two
LEAST_APART, MOST_APART = 1e-3, 0.3  # of the last eigenvalue wanted: how far off the next one must be
SHARP = 1e-8  # of that distance: what may remain of G x − μ x. All are then right to √count · SHARP
GROWTH = 1e6  # of the numbers in a triangle, beyond which the signs of its pivots are not believed
ROUNDING = 1e-16


@numba.njit(cache=True, nogil=True, error_model="numpy")
def modes_without(values, gone, count):  # type: ignore[no-untyped-def]
    """The largest eigenvalues of what is left of a symmetric matrix, and their eigenvectors.

    Parameters
    ----------
    values : (n,), largest first
        Eigenvalues of the whole matrix.
    gone : (m, n)
        What its eigenvectors are in the rows and columns that are left out.
    count : int
        At most n − m.

    Returns
    -------
    certain : bool
        Whether these are they, what they span right to 1e-7. It is false where the last one wanted is next to nothing
        beside the largest, or too close to the one that follows: `leading_modes` of the rest then knows.
    found : (count,)
    modes : (count, n), orthonormal rows, in coordinates of the eigenvectors of the whole
    """
    size, lost = len(values), len(gone)
    inverse, work, pair = np.empty(size), np.empty(size), np.empty((2, size))
    triangle, pivots, answer = np.empty((lost, lost)), np.empty(lost), np.empty(lost)
    found, modes, apart = _begin(values, gone, count, min(count + SPARE, size - lost))
    limit = SHARP * apart * found[count - 1]  # which is hardly larger than the eigenvalue itself
    for number in range(count):
        mode, left = modes[number], np.inf
        for turn in range(ROUNDS):
            _triangle(values, gone, found[number], inverse, pair, triangle, pivots)
            _multiply(inverse, mode, work)
            multiply_rows(gone, work, answer)
            _solve(triangle, pivots, answer)
            subtract_rows(mode, answer, gone)
            _multiply(inverse, mode, mode)
            kept = _make_orthonormal(modes, number)
            _multiply(values, mode, work)
            found[number] = _product(work, mode)
            if turn > 0 and kept > 0.5:  # one step never does; a vector of which little was kept is not orthogonal yet
                _add(work, -found[number], mode)
                multiply_rows(gone, work, answer)
                subtract_rows(work, answer, gone)
                left = np.sqrt(_product(work, work))
                multiply_rows(gone, mode, answer)  # an eigenvector of what is left out leaves nothing either
                if left <= limit and _product(answer, answer) <= SHARP * SHARP:
                    break
                left = np.inf
        if not left <= limit:
            return False, found, modes
    if SHARP * apart * found.min() < ROUNDING * values[0]:
        return False, found, modes
    below = (1.0 - apart) * found.min()
    positive = _triangle(values, gone, below, inverse, pair, triangle, pivots)
    return positive >= 0 and (values > below).sum() - positive == count, found, modes


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _begin(values, gone, count, more):  # type: ignore[no-untyped-def]
    """The best of what `more` eigenvectors of the whole span once they are freed of what is left out.

    Also how far off the next eigenvalue may be expected, half of where it seems to be.
    """
    size = len(values)
    start, within, turn, work = np.zeros((more, size)), np.empty((more, more)), np.eye(more), np.empty(size)
    for i in range(more):
        start[i, i] = 1.0
        subtract_rows(start[i], gone[:, i].copy(), gone)
        _make_orthonormal(start, i)
        _multiply(values, start[i], work)
        for j in range(i + 1):
            within[i, j] = within[j, i] = _product(work, start[j])
    _turn_to_diagonal(within, turn)
    quotients = np.diag(within)
    order = np.argsort(-quotients)
    gap = 1.0 - quotients[order[count]] / quotients[order[count - 1]] if more > count else 0.0
    order = order[:count]
    modes = np.zeros((count, size))
    for number in range(count):
        subtract_rows(modes[number], -turn[order[number]], start)
    return quotients[order], modes, min(max(LEAST_APART, 0.5 * gap), MOST_APART)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _turn_to_diagonal(matrix, turn):  # type: ignore[no-untyped-def]
    """Jacobi's rotations, of pairs that are not nearly right (Golub & Van Loan, Matrix Computations 4, 8.5)."""
    for _ in range(SWEEPS):
        for i in range(len(matrix) - 1):
            for j in range(i + 1, len(matrix)):
                apart, mixed = matrix[j, j] - matrix[i, i], matrix[i, j]
                if abs(mixed) <= TURNED * abs(apart):
                    continue
                ratio = 0.5 * apart / mixed
                tangent = np.copysign(1.0, ratio) / (abs(ratio) + np.sqrt(1.0 + ratio * ratio))
                cosine = 1.0 / np.sqrt(1.0 + tangent * tangent)
                sine = tangent * cosine
                _rotate(matrix[i], matrix[j], cosine, sine)
                _rotate(matrix[:, i], matrix[:, j], cosine, sine)
                _rotate(turn[i], turn[j], cosine, sine)


@numba.njit(cache=True, nogil=True)
def _rotate(first, second, cosine, sine):  # type: ignore[no-untyped-def]
    for i in range(len(first)):
        one, other = first[i], second[i]
        first[i], second[i] = cosine * one - sine * other, sine * one + cosine * other


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _triangle(values, gone, shift, inverse, pair, triangle, pivots):  # type: ignore[no-untyped-def]
    """A unit triangle L and pivots D with R(shift) = L D Lᵀ; how many pivots are positive, −1 if that is uncertain.

    Also puts 1 / (values − shift) in `inverse`. A pivot may come out as zero where the shift is an eigenvalue; any
    small number then serves, since only the direction of the answer matters.
    """
    largest, nothing = 0.0, -ROUNDING * max(abs(shift), ROUNDING)  # an eigenvalue at the shift counts as one below
    for i in range(len(values)):
        apart = values[i] - shift
        inverse[i] = 1.0 / (apart if apart != 0.0 else nothing)
    _weighted_products(gone, inverse, pair, triangle)
    for a in range(len(gone)):
        largest = max(largest, abs(triangle[a, a]))
    growth, positive = largest, 0
    for a in range(len(gone)):
        row = triangle[a]
        for b in range(a):
            row[b] -= _product(row[:b], triangle[b, :b])
        pivot = row[a]
        for b in range(a):
            step = row[b] / pivots[b]
            pivot -= row[b] * step
            growth = max(growth, abs(row[b] * step))
            row[b] = step
        pivots[a] = pivot if pivot != 0.0 else ROUNDING * largest
        positive += pivot > 0.0
    return positive if growth <= GROWTH * largest and np.isfinite(pivots).all() else -1


@numba.njit(cache=True, nogil=True, fastmath=SUMS_MAY_BE_REORDERED)
def _weighted_products(rows, factors, pair, products):  # type: ignore[no-untyped-def]
    """products[a, b] = Σ_i rows[a, i] factors[i] rows[b, i] for b ≤ a, two rows by two to spare the memory."""
    one, other = pair[0], pair[1]
    whole = len(rows) // 2 * 2
    for a in range(0, whole, 2):
        for i in range(len(factors)):
            one[i], other[i] = rows[a, i] * factors[i], rows[a + 1, i] * factors[i]
        for b in range(0, a + 2, 2):
            p = q = r = s = 0.0
            for i in range(len(factors)):
                p += one[i] * rows[b, i]
                q += one[i] * rows[b + 1, i]
                r += other[i] * rows[b, i]
                s += other[i] * rows[b + 1, i]
            products[a, b], products[a, b + 1], products[a + 1, b], products[a + 1, b + 1] = p, q, r, s
    if whole < len(rows):
        _multiply(rows[whole], factors, one)
        multiply_rows(rows, one, products[whole])


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _solve(triangle, pivots, vector):  # type: ignore[no-untyped-def]
    """Solve L D Lᵀ · answer = vector, the answer in place of the vector."""
    for a in range(len(vector)):
        vector[a] -= _product(triangle[a, :a], vector[:a])
    vector /= pivots
    for a in range(len(vector) - 1, -1, -1):
        _add(vector[:a], -vector[a], triangle[a, :a])


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _make_orthonormal(vectors, number):  # type: ignore[no-untyped-def]
    """Make one vector orthogonal to those before it, and of unit length; which share of its power was kept."""
    vector = vectors[number]
    power = _product(vector, vector)
    for before in range(number):
        _add(vector, -_product(vector, vectors[before]), vectors[before])
    kept = _product(vector, vector)
    vector *= 1.0 / np.sqrt(kept)
    return kept / power


@numba.njit(cache=True, nogil=True, fastmath=SUMS_MAY_BE_REORDERED)
def multiply_rows(rows, vector, sums):  # type: ignore[no-untyped-def]
    """sums[a] = Σ_i rows[a, i] vector[i], four rows at a time to spare the memory."""
    whole = len(rows) // 4 * 4
    for a in range(0, whole, 4):
        p = q = r = s = 0.0
        for i in range(len(vector)):
            p += rows[a, i] * vector[i]
            q += rows[a + 1, i] * vector[i]
            r += rows[a + 2, i] * vector[i]
            s += rows[a + 3, i] * vector[i]
        sums[a], sums[a + 1], sums[a + 2], sums[a + 3] = p, q, r, s
    for a in range(whole, len(rows)):
        sums[a] = _product(rows[a], vector)


@numba.njit(cache=True, nogil=True, fastmath=SUMS_MAY_BE_REORDERED)
def subtract_rows(vector, factors, rows):  # type: ignore[no-untyped-def]
    """vector[i] −= Σ_a factors[a] rows[a, i], four rows at a time."""
    whole = len(rows) // 4 * 4
    for a in range(0, whole, 4):
        p, q, r, s = factors[a], factors[a + 1], factors[a + 2], factors[a + 3]
        for i in range(len(vector)):
            vector[i] -= p * rows[a, i] + q * rows[a + 1, i] + r * rows[a + 2, i] + s * rows[a + 3, i]
    for a in range(whole, len(rows)):
        _add(vector, -factors[a], rows[a])


@numba.njit(cache=True, nogil=True, fastmath=SUMS_MAY_BE_REORDERED)
def _product(one, other):  # type: ignore[no-untyped-def]
    total = 0.0
    for i in range(len(one)):
        total += one[i] * other[i]
    return total


@numba.njit(cache=True, nogil=True)
def _multiply(one, other, product):  # type: ignore[no-untyped-def]
    for i in range(len(one)):
        product[i] = one[i] * other[i]


@numba.njit(cache=True, nogil=True, fastmath=SUMS_MAY_BE_REORDERED)
def _add(vector, factor, other):  # type: ignore[no-untyped-def]
    for i in range(len(vector)):
        vector[i] += factor * other[i]
