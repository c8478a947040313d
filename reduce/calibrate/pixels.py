"""Bad pixels found: hot ones of a dark, and those hit in one frame alone."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from lyot.cube import Images

Mask = NDArray[np.bool_]

SURROUNDINGS = 5  # px, side of what a hot pixel is compared with
SHARPNESS = 4.0  # a star's peak is at most 2.5 times the mean of its eight neighbours (λ/D = 2.1 px)


def hot_pixels(dark: Images, limits: tuple[float, float], sigma: float) -> Mask:
    """Pixels of a dark that are outside `limits` (counts), or stick out of their surroundings by `sigma`.

    The surroundings are the mean over 5 × 5 px of what is within the limits; the scatter is that of the whole frame.
    """
    lowest = min(limits[0], float(np.median(dark)) - 100.0)
    outside: Mask = ~((dark > lowest) & (dark < limits[1]))
    around = uniform_filter(median3(dark), SURROUNDINGS)  # a first guess, which single hot pixels do not reach
    bad = outside
    for _ in range(2):
        left = dark - around
        middle = np.median(left[~bad])
        scatter = 1.4826 * np.median(np.abs(left[~bad] - middle))
        bad = outside | (np.abs(left - middle) > sigma * max(float(scatter), 1e-6))
        good = uniform_filter((~bad).astype(np.float32), SURROUNDINGS)
        around = uniform_filter(np.where(bad, np.float32(0), dark), SURROUNDINGS) / np.maximum(good, 0.02)
    return bad


def mend_hits(image: Images, sigma: float, box: int = 7) -> int:
    """Replace in place the pixels hit in this frame alone; how many they are.

    A hit exceeds the mean of the box around it by `sigma` times the scatter there, and is sharper than any star: more
    than four times the mean of its eight neighbours, above the box. It becomes that mean.

    Parameters
    ----------
    image : (y, x), counts
    sigma : float
    box : odd side of the surroundings, px
    """
    return int(_mend_hits(image, sigma, box // 2))


@numba.njit(nogil=True, cache=True, fastmath={"reassoc", "contract", "nsz"})
def _mend_hits(image, sigma, half):  # type: ignore[no-untyped-def]
    """Sums over the box slide down the image: columns first, then across; in double precision, lest they drift."""
    ny, nx = image.shape
    side, inner = 2 * half + 1, nx - 2 * half
    count = float(side * side - 1)
    columns, powers = np.zeros(nx), np.zeros(nx)
    boxes, squares, excess = np.empty(inner), np.empty(inner), np.empty(inner)
    mended = 0
    for v in range(side - 1):
        _add(image[v], columns, powers, 1.0)
    for y in range(half, ny - half):
        _add(image[y + half], columns, powers, 1.0)
        _across(columns, side, boxes)
        _across(powers, side, squares)
        row = image[y, half : half + inner]
        for i in range(inner):
            value = float(row[i])
            mean = (boxes[i] - value) / count
            above = value - mean
            excess[i] = above * abs(above) - sigma * sigma * ((squares[i] - value * value) / count - mean * mean)
        for i in range(inner):
            if excess[i] > 0:
                mean = (boxes[i] - row[i]) / count
                mended += _mend_hit(image, y, i + half, mean, columns, powers)
        _add(image[y - half], columns, powers, -1.0)
    return mended


@numba.njit(nogil=True, cache=True, fastmath={"reassoc", "contract", "nsz"})
def _add(row, columns, powers, sign):  # type: ignore[no-untyped-def]
    for x in range(len(row)):
        value = float(row[x])
        columns[x] += sign * value
        powers[x] += sign * value * value


@numba.njit(nogil=True, cache=True, fastmath={"reassoc", "contract", "nsz"})
def _across(columns, side, boxes):  # type: ignore[no-untyped-def]
    boxes[:] = 0.0
    for u in range(side):
        part = columns[u : u + len(boxes)]
        for i in range(len(boxes)):
            boxes[i] += part[i]


@numba.njit(nogil=True, cache=True)
def _mend_hit(image, y, x, mean, columns, powers):  # type: ignore[no-untyped-def]
    """Mend a pixel that stands out, if it is a peak sharper than a star's; whether it was (0 or 1)."""
    value = float(image[y, x])
    ring = -value
    for v in range(y - 1, y + 2):
        for u in range(x - 1, x + 2):
            if image[v, u] > value:
                return 0
            ring += image[v, u]
    ring /= 8.0
    if value - mean <= SHARPNESS * (ring - mean):
        return 0
    image[y, x] = ring
    columns[x] += ring - value
    powers[x] += ring * ring - value * value
    return 1


def median3(image: Images) -> Images:
    """Median of each pixel and its eight neighbours, (y, x); the outermost pixels as they are."""
    out = np.array(image, np.float32)
    _median3(np.ascontiguousarray(image, np.float32), out)
    return out


@numba.njit(nogil=True, cache=True)
def _median3(image, out):  # type: ignore[no-untyped-def]
    values = np.empty(9, np.float32)
    for y in range(1, image.shape[0] - 1):
        for x in range(1, image.shape[1] - 1):
            count = 0
            for v in range(y - 1, y + 2):
                for u in range(x - 1, x + 2):
                    value, k = image[v, u], count
                    while k > 0 and values[k - 1] > value:
                        values[k] = values[k - 1]
                        k -= 1
                    values[k] = value
                    count += 1
            out[y, x] = values[4]
