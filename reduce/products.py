"""Products of frames with frames and of weights with frames, in blocks of pixels spread over the cores."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import pairwise

import numpy as np

from lyot.cube import Floats, Images
from lyot.reduce.parallel import single_blas_thread, spread
from lyot.reduce.zone import Indices

BLOCK = 200_000  # pixels of all frames that are multiplied at a time: they stay in the cache
WORTH_FACTORING = 8192  # pixels of a zone; that of fewer costs as much as the products it may save
PROBES = 16, 64  # random vectors with which the rank of a matrix of weights is tried
EXACT = 1e-10
TOGETHER = 16  # frames that are multiplied together where each wants some of the pixels only


def scalar_products(left: Images, right: Images, pixels: Indices) -> Floats:
    """Scalar products of two sets of frames over some pixels.

    Multiplied in single precision block by block and added up in double. What all frames have in common is taken out
    of each block first and its products are put back in double, since in bright static starlight the rounding of
    those would hide the speckles.

    Parameters
    ----------
    left : (n, ny · nx)
    right : (m, ny · nx)
    pixels : (npixel,)
        Flat indices.

    Returns
    -------
    (n, m), the Gram matrix when `left` is `right`
    """
    parts = list(blocks(pixels, len(left)))

    def part_of_sum(start: int, stop: int) -> Floats:
        total = np.zeros((len(left), len(right)))
        for block in parts[start:stop]:
            there = right[:, block]
            mean = there.mean(axis=0)
            there = there - mean
            here = there if left is right else left[:, block] - mean
            total += here @ there.T
            total += (here @ mean)[:, None].astype(float) + (there @ mean) + np.square(mean, dtype=float).sum()
        return total

    with single_blas_thread():  # each thread its own blocks: the library's own threads would wait for one another
        total, *others = spread(part_of_sum, len(parts), per_thread=1)  # each part holds a whole matrix
    for other in others:  # in their order, so that the sum is the same to the last bit whichever was ready first
        total += other
    return total


def apply_weights(weights: Floats, science: Images, library: Images, pixels: Indices, residuals: Images) -> None:
    """Put science − weights · library into `residuals` at some pixels.

    Parameters
    ----------
    weights : (nframe, nref)
    science, residuals : (nframe, ny · nx)
    library : (nref, ny · nx)
    pixels : (npixel,)
    """
    parts = list(blocks(pixels, len(library)))
    factors = [factor.astype(np.float32) for factor in factored(weights)] if len(pixels) > WORTH_FACTORING else []
    whole = (np.eye(len(weights)) - weights if library is science else -weights).astype(np.float32)

    def subtract_in(start: int, stop: int) -> None:
        for block in parts[start:stop]:
            if factors:
                left = factors[0] @ (factors[1] @ library[:, block])
                residuals[:, block] = np.subtract(science[:, block], left, out=left)
            elif isinstance(block, slice) and library is science:
                np.matmul(whole, library[:, block], out=residuals[:, block])
            else:
                left = whole @ library[:, block]
                residuals[:, block] = left if library is science else left + science[:, block]

    with single_blas_thread():
        spread(subtract_in, len(parts))


def remainder(weights: Floats, frames: Images, starts: Indices, stops: Indices) -> Images:
    """frames − weights · frames, each frame at the pixels from one of `starts` to one of `stops` only.

    Neighbours are multiplied together, for as far as any of them wants: of a place's way through the frames they want
    much the same stretch.

    Parameters
    ----------
    weights : (nframe, nframe)
    frames : (nframe, npixel)
    starts, stops : (nframe,)

    Returns
    -------
    (nframe, npixel), float32; anything elsewhere
    """
    rest = np.empty_like(frames)
    whole = (np.eye(len(weights)) - weights).astype(np.float32)
    for first in range(0, len(frames), TOGETHER):
        these = slice(first, first + TOGETHER)
        wanted = slice(int(starts[these].min()), int(stops[these].max()))
        np.matmul(whole[these], frames[:, wanted], out=rest[these, wanted])
    return rest


def factored(weights: Floats) -> tuple[Floats, Floats] | tuple[()]:
    """Two thin matrices whose product is `weights`, if its rank is low; nothing otherwise.

    A few components of many frames then cost two thin products instead of a square one. The range of the matrix is
    found from its products with a few random vectors and the answer is checked, which takes time as the square of the
    frames where a decomposition takes it as their cube.

    Parameters
    ----------
    weights : (nframe, nref)

    Returns
    -------
    (nframe, rank) and (rank, nref), whose product is exact to 1e-10 of the largest weight

    References
    ----------
    Halko, Martinsson & Tropp 2011, SIAM Review 53, 217, algorithm 4.1.
    """
    spanned = _spanned(weights)
    if not spanned:
        return ()
    basis, inner = spanned
    left, size, right = np.linalg.svd(inner, full_matrices=False)
    rank = int((size > EXACT * size[0]).sum())
    return () if 3 * rank > min(weights.shape) else (basis @ left[:, :rank], size[:rank, None] * right[:rank])


def _spanned(weights: Floats) -> tuple[Floats, Floats] | tuple[()]:
    """The same of a few numbers more than the rank: a basis that spans what the matrix gives, and its coordinates."""
    largest = float(np.abs(weights).max())
    if not 0.0 < largest < np.inf:  # nothing to factor, or NaN for a frame that has no library
        return ()
    for tried in PROBES:
        if 3 * tried > 2 * min(weights.shape):
            return ()
        basis, _ = np.linalg.qr(weights @ _probes(weights.shape[1], tried))
        inner = basis.T @ weights
        if np.abs(weights - basis @ inner).max() <= EXACT * largest:
            return basis, inner
    return ()


@cache
def _probes(size: int, count: int) -> Floats:
    """Random vectors, always the same."""
    return np.random.default_rng(0).standard_normal((size, count))


def blocks(pixels: Indices, nframe: int) -> Iterator[slice | Indices]:
    """Pixels of `nframe` frames in equal blocks: as slices where they follow one another, which saves a copy."""
    together = len(pixels) > 0 and pixels[-1] - pixels[0] == len(pixels) - 1
    size = min(2048, max(256, BLOCK // nframe))
    count = max(1, round(len(pixels) / size)) if len(pixels) else 0
    for start, stop in pairwise(len(pixels) * number // max(1, count) for number in range(count + 1)):
        block = pixels[start:stop]
        yield slice(int(block[0]), int(block[-1]) + 1) if together else block
