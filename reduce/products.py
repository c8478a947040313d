"""Products of frames with frames and of weights with frames, in blocks of pixels spread over the cores."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.linalg import qr

from lyot.cube import Floats, Images
from lyot.reduce.parallel import single_blas_thread, spread
from lyot.reduce.zone import Indices

BLOCK = 2048  # pixels multiplied at a time: a block of a hundred frames stays in the cache


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
    parts = list(blocks(pixels))

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
        return np.sum(spread(part_of_sum, len(parts)), axis=0)


def apply_weights(weights: Floats, science: Images, library: Images, pixels: Indices, residuals: Images) -> None:
    """Put science − weights · library into `residuals` at some pixels.

    Parameters
    ----------
    weights : (nframe, nref)
    science, residuals : (nframe, ny · nx)
    library : (nref, ny · nx)
    pixels : (npixel,)
    """
    parts = list(blocks(pixels))
    factors = [factor.astype(np.float32) for factor in factored(weights)] if len(pixels) > 8 * len(library) else []
    whole = (np.eye(len(weights)) - weights if library is science else -weights).astype(np.float32)

    def subtract_in(start: int, stop: int) -> None:
        for block in parts[start:stop]:
            if factors:
                residuals[:, block] = science[:, block] - factors[0] @ (factors[1] @ library[:, block])
            elif isinstance(block, slice) and library is science:
                np.matmul(whole, library[:, block], out=residuals[:, block])
            else:
                left = whole @ library[:, block]
                residuals[:, block] = left if library is science else left + science[:, block]

    with single_blas_thread():
        spread(subtract_in, len(parts))


def factored(weights: Floats) -> tuple[Floats, Floats] | tuple[()]:
    """Two thin matrices whose product is `weights`, if its rank is low; nothing otherwise.

    A few components of many frames then cost two thin products instead of a square one. The factors come from a
    pivoted QR decomposition, exact to 1e-10.
    """
    if not np.isfinite(weights).all():
        return ()
    left, right, order = qr(weights, mode="economic", pivoting=True, check_finite=False)
    size = np.abs(np.diag(right))
    rank = int((size > 1e-10 * size.max()).sum())
    if 3 * rank > min(weights.shape):
        return ()
    unordered = np.empty((rank, weights.shape[1]))
    unordered[:, order] = right[:rank]
    return left[:, :rank], unordered


def blocks(pixels: Indices) -> Iterator[slice | Indices]:
    """Pixels a block at a time: as slices where they follow one another, which saves a copy."""
    together = len(pixels) > 0 and pixels[-1] - pixels[0] == len(pixels) - 1
    for start in range(0, len(pixels), BLOCK):
        block = pixels[start : start + BLOCK]
        yield slice(int(block[0]), int(block[-1]) + 1) if together else block
