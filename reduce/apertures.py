"""Sums over circular apertures, with the exact area that each pixel shares with the circle."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lyot.cube import Floats


def aperture_weights(dy: float, dx: float, radius: float) -> Floats:
    """Area that a circle shares with each unit pixel around it.

    Parameters
    ----------
    dy, dx : float, px
        Centre of the circle relative to the middle pixel.
    radius : float, px

    Returns
    -------
    (side, side), px², odd side wide enough for any centre within the middle pixel
    """
    half = math.ceil(radius + 0.5)
    weights = np.empty((2 * half + 1, 2 * half + 1))
    _fill_weights(weights, float(dy), float(dx), float(radius))
    return weights


def aperture_sum(image: NDArray[np.floating], y: float, x: float, radius: float) -> float:
    """Sum of `image` in a circle, pixels weighted by their area inside; NaN where the circle leaves the image.

    Parameters
    ----------
    image : (y, x)
    y, x : float, px
        Centre of the circle.
    radius : float, px
    """
    iy, ix = round(y), round(x)
    weights = aperture_weights(y - iy, x - ix, radius)
    half = len(weights) // 2
    if min(iy, ix) < half or iy + half >= image.shape[0] or ix + half >= image.shape[1]:
        image, iy, ix = np.pad(image, half + 1, constant_values=np.nan), iy + half + 1, ix + half + 1
        if min(iy, ix) < half or iy + half >= image.shape[0] or ix + half >= image.shape[1]:
            return math.nan
    stamp = image[iy - half : iy + half + 1, ix - half : ix + half + 1]
    inside = weights > 0
    return float((stamp[inside] * weights[inside]).sum(dtype=np.float64))


@lru_cache(maxsize=32)
def weight_table(radius: float, steps: int) -> Floats:
    """Weights for centres on a sub-pixel grid, (steps, steps, side, side): centre `(j / steps − ½)` in y, then x."""
    offsets = np.arange(steps) / steps - 0.5
    return np.array([[aperture_weights(dy, dx, radius) for dx in offsets] for dy in offsets])


@njit(nogil=True, cache=True)
def _fill_weights(weights, dy, dx, radius):  # type: ignore[no-untyped-def]
    half = weights.shape[0] // 2
    for j in range(-half, half + 1):
        for i in range(-half, half + 1):
            weights[j + half, i + half] = circle_overlap(j - dy - 0.5, j - dy + 0.5, i - dx - 0.5, i - dx + 0.5, radius)


@njit(nogil=True, cache=True)
def circle_overlap(y0, y1, x0, x1, radius):  # type: ignore[no-untyped-def]
    """Area shared by the rectangle [y0, y1] × [x0, x1] and a circle about the origin.

    Integrates over x the height that is inside both; between the points where the circle crosses an edge the height
    is a constant, or a half-chord whose integral is known.
    """
    left, right = max(x0, -radius), min(x1, radius)
    if right <= left:
        return 0.0
    breaks = np.empty(6)
    breaks[0] = left
    count = 1
    for edge in (y0, y1):
        if abs(edge) < radius:
            crossing = math.sqrt(radius * radius - edge * edge)
            for x in (-crossing, crossing):
                if left < x < right:
                    breaks[count] = x
                    count += 1
    breaks[count] = right
    ordered = np.sort(breaks[: count + 1])
    area = 0.0
    for k in range(count):
        a, b = ordered[k], ordered[k + 1]
        middle = 0.5 * (a + b)
        chord = math.sqrt(max(0.0, radius * radius - middle * middle))
        if b <= a or min(y1, chord) <= max(y0, -chord):
            continue
        under_arc = _half_disc(b, radius) - _half_disc(a, radius)
        upper = under_arc if chord <= y1 else y1 * (b - a)
        lower = -under_arc if -chord >= y0 else y0 * (b - a)
        area += upper - lower
    return area


@njit(nogil=True, cache=True)
def _half_disc(x, radius):  # type: ignore[no-untyped-def]
    """∫₀ˣ √(R² − u²) du."""
    return 0.5 * (x * math.sqrt(max(0.0, radius * radius - x * x)) + radius * radius * math.asin(x / radius))
