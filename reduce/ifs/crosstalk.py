"""Light that each pixel of the IFS spreads over its wide surroundings, and how it is taken off."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.fft import irfft2, next_fast_len, rfft2

from lyot.cube import Images
from lyot.reduce.parallel import threads

HALF = 20  # px: the kernel is 41 px wide
WIDTH = 0.727986 / 1.8  # px (Mesa et al. 2015, A&A 576, A121, as in vlt-sphere)


def kernel() -> Images:
    """What a pixel of 1 count adds to its surroundings, (41, 41): 1 / (1 + (r / b)³), nothing in the middle 3 × 3."""
    y, x = np.indices((2 * HALF + 1, 2 * HALF + 1)) - HALF
    spread = 1.0 / (1.0 + (np.hypot(y, x) / WIDTH) ** 3)
    spread[HALF - 1 : HALF + 2, HALF - 1 : HALF + 2] = 0.0
    return spread.astype(np.float32)


def without_crosstalk(image: Images) -> Images:
    """The image, (y, x) counts, as it was before its pixels spread: what spread was the image, not what came of it.

    To subtract the convolved image instead takes off too much (2 % of a spectrum, more where it is faint).
    """
    shape = tuple(next_fast_len(n + HALF, real=True) for n in image.shape)
    whole = irfft2(rfft2(image, shape, workers=threads()) * _undone(shape), shape, workers=threads())
    return np.asarray(whole[: image.shape[0], : image.shape[1]], np.float32)


@cache
def _undone(shape: tuple[int, ...]) -> np.ndarray:
    """Transform that undoes the spreading, the kernel's middle at the origin."""
    padded = np.zeros(shape, np.float32)
    padded[: 2 * HALF + 1, : 2 * HALF + 1] = kernel()
    return np.asarray(1.0 / (1.0 + rfft2(np.roll(padded, (-HALF, -HALF), axis=(0, 1)))), np.complex64)
