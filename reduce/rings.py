"""Places side by side on a circle about the star, and which of them can be seen."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lyot.cube import star_position


def ring_step(fwhm: float, radius: float) -> float:
    """Angle (rad) between neighbours among apertures of diameter 1 FWHM side by side on a circle (px)."""
    return 2.0 * math.asin(fwhm / (2.0 * radius))


def apertures_on_ring(fwhm: float, radius: float) -> int:
    """How many apertures of diameter 1 FWHM fit side by side on a circle of `radius` (px) about the star."""
    return math.floor(2.0 * math.pi / ring_step(fwhm, radius))


def others_in_field(image: NDArray[np.floating], y: int, x: int, fwhm: float, reach: float) -> int:
    """How many places, 1 FWHM apart on the circle through a pixel, there are to compare the pixel with.

    Parameters
    ----------
    image : (y, x)
    y, x : int
        A pixel at least 1 FWHM from the star.
    fwhm : float, px
    reach : float, px
        How far around a place all pixels must be known.
    """
    cy, cx = star_position(image.shape)
    known = np.isfinite(image)
    return int(_count_others(known, float(cy), float(cx), float(y - cy), float(x - cx), fwhm, reach))


@njit(nogil=True, cache=True)
def _count_others(known, cy, cx, dy, dx, fwhm, reach):  # type: ignore[no-untyped-def]
    step = 2.0 * math.asin(fwhm / (2.0 * math.hypot(dy, dx)))
    count = 0
    for k in range(1, int(2.0 * math.pi / step)):
        sine, cosine = math.sin(k * step), math.cos(k * step)
        count += in_field(known, cy + cosine * dy - sine * dx, cx + cosine * dx + sine * dy, reach)
    return count


@njit(nogil=True, cache=True)
def in_field(known, y, x, radius):  # type: ignore[no-untyped-def]
    """Whether a circle touches known pixels of the image only."""
    bottom, top = math.floor(y - radius + 0.5), math.floor(y + radius + 0.5)
    left, right = math.floor(x - radius + 0.5), math.floor(x + radius + 0.5)
    for j in range(bottom, top + 1):
        for i in range(left, right + 1):
            inside = 0 <= j < known.shape[0] and 0 <= i < known.shape[1]
            if not (inside and known[j, i]):
                dy, dx = max(abs(j - y) - 0.5, 0.0), max(abs(i - x) - 0.5, 0.0)
                if dy * dy + dx * dx < radius * radius:
                    return False
    return True
