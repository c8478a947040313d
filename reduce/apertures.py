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
    return float(aperture_sums(image, np.array([y]), np.array([x]), radius)[0])


def aperture_sums(image: NDArray[np.floating], y: Floats, x: Floats, radius: float) -> Floats:
    """The same about many centres: `y`, `x` and the sums are (n,)."""
    sums = np.empty(len(y))
    _fill_sums(np.asarray(image), np.asarray(y, dtype=np.float64), np.asarray(x, dtype=np.float64), radius, sums)
    return sums


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
def _fill_sums(image, ys, xs, radius, sums):  # type: ignore[no-untyped-def]
    for n in range(len(ys)):
        sums[n] = sum_in_circle(image, ys[n], xs[n], radius)


@njit(nogil=True, cache=True)
def sum_in_circle(image, y, x, radius):  # type: ignore[no-untyped-def]
    """As `aperture_sum`, for compiled loops."""
    ny, nx = image.shape
    square = radius * radius
    total = 0.0
    for j in range(math.floor(y - radius + 0.5), math.floor(y + radius + 0.5) + 1):
        for i in range(math.floor(x - radius + 0.5), math.floor(x + radius + 0.5) + 1):
            dy, dx = abs(j - y), abs(i - x)
            weight = 1.0
            if (dy + 0.5) ** 2 + (dx + 0.5) ** 2 > square:
                weight = circle_overlap(j - y - 0.5, j - y + 0.5, i - x - 0.5, i - x + 0.5, radius)
            if weight > 0.0:
                total += weight * image[j, i] if 0 <= j < ny and 0 <= i < nx else math.nan
    return total


@njit(nogil=True, cache=True)
def circle_overlap(y0, y1, x0, x1, radius):  # type: ignore[no-untyped-def]
    """Area shared by the rectangle [y0, y1] × [x0, x1] and a circle about the origin.

    Integrates over x the height that is inside both; between the points where the circle crosses an edge the height
    is a constant, or a half-chord whose integral is known.
    """
    left, right = max(x0, -radius), min(x1, radius)
    if right <= left:
        return 0.0
    low = math.sqrt(radius * radius - y0 * y0) if abs(y0) < radius else math.inf
    high = math.sqrt(radius * radius - y1 * y1) if abs(y1) < radius else math.inf
    near, far = min(low, high), max(low, high)
    area, a = 0.0, left
    for crossing in (-far, -near, near, far, right):
        b = min(max(crossing, a), right)
        if b > a:
            middle = 0.5 * (a + b)
            chord = math.sqrt(max(0.0, radius * radius - middle * middle))
            if min(y1, chord) > max(y0, -chord):
                under_arc = _half_disc(b, radius) - _half_disc(a, radius)
                upper = under_arc if chord <= y1 else y1 * (b - a)
                lower = -under_arc if -chord >= y0 else y0 * (b - a)
                area += upper - lower
            a = b
    return area


@njit(nogil=True, cache=True)
def _half_disc(x, radius):  # type: ignore[no-untyped-def]
    """∫₀ˣ √(R² − u²) du."""
    return 0.5 * (x * math.sqrt(max(0.0, radius * radius - x * x)) + radius * radius * math.asin(x / radius))
