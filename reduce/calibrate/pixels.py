"""Bad pixels: found, and mended from their neighbours."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from lyot.cube import Images

Mask = NDArray[np.bool_]

NEIGHBOURS = 12
SURROUNDINGS = 5  # px, side of what a hot pixel is compared with
REACH = 6  # px, how far neighbours are looked for
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


@dataclass(frozen=True, eq=False)
class Mending:
    """Bad pixels of one field, and the good ones that each is mended from.

    Parameters
    ----------
    places : (n,), indices into the flattened field
    sources : (n, neighbours), indices; −1 where there are fewer
    weights : (n, neighbours), of unit sum
    """

    places: NDArray[np.int64]
    sources: NDArray[np.int64]
    weights: Images

    @classmethod
    def of(cls, bad: Mask, *, along: bool = False) -> Mending:
        """How to mend the bad pixels of a field, (y, x): from their twelve nearest good neighbours.

        With `along`, from the good pixels of the same column alone, where a spectrum runs along it.
        """
        places = np.flatnonzero(bad)
        dy, dx = np.indices((2 * REACH + 1, 2 * REACH + 1)) - REACH
        distance = np.hypot(dy, dx).ravel()
        order = np.argsort(distance, kind="stable")[1:]
        offsets = np.stack([dy.ravel()[order], dx.ravel()[order]], axis=1)
        if along:
            offsets = offsets[offsets[:, 1] == 0]
        sources = np.full((len(places), 2 if along else NEIGHBOURS), -1, np.int64)
        weights = np.zeros(sources.shape, np.float32)
        _find_neighbours(bad, places, offsets, sources, weights)
        return cls(places, sources, weights)

    def mend(self, image: Images) -> None:
        """Mend one field in place."""
        _mend(image.reshape(-1), self.places, self.sources, self.weights)


@numba.njit(nogil=True, cache=True)
def _find_neighbours(bad, places, offsets, sources, weights):  # type: ignore[no-untyped-def]
    ny, nx = bad.shape
    for n in range(len(places)):
        y, x = places[n] // nx, places[n] % nx
        found, total = 0, np.float32(0.0)
        for k in range(len(offsets)):
            v, u = y + offsets[k, 0], x + offsets[k, 1]
            if v < 0 or v >= ny or u < 0 or u >= nx or bad[v, u]:
                continue
            sources[n, found] = v * nx + u
            weights[n, found] = np.float32(1.0) / np.float32(offsets[k, 0] ** 2 + offsets[k, 1] ** 2)
            total += weights[n, found]
            found += 1
            if found == sources.shape[1]:
                break
        for k in range(found):
            weights[n, k] /= total


@numba.njit(nogil=True, cache=True)
def _mend(flat, places, sources, weights):  # type: ignore[no-untyped-def]
    for n in range(len(places)):
        value = np.float32(0.0)
        for k in range(sources.shape[1]):
            if sources[n, k] >= 0:
                value += weights[n, k] * flat[sources[n, k]]
        flat[places[n]] = value


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
    return int(_mend_hits(image, np.float32(sigma), box // 2))


@numba.njit(nogil=True, cache=True, fastmath={"reassoc", "contract", "nsz"})
def _mend_hits(image, sigma, half):  # type: ignore[no-untyped-def]
    ny, nx = image.shape
    count = np.float32((2 * half + 1) ** 2 - 1)
    sums, squares = np.zeros(nx, np.float32), np.zeros(nx, np.float32)
    mended = 0
    for y in range(half, ny - half):
        sums[:] = 0.0
        squares[:] = 0.0
        for v in range(y - half, y + half + 1):
            for x in range(nx):
                sums[x] += image[v, x]
                squares[x] += image[v, x] * image[v, x]
        for x in range(half, nx - half):
            value = image[y, x]
            if value < image[y, x - 1] or value < image[y, x + 1] or value < image[y - 1, x]:
                continue  # no peak
            total, square = np.float32(0.0), np.float32(0.0)
            for u in range(x - half, x + half + 1):
                total += sums[u]
                square += squares[u]
            mean = (total - value) / count
            variance = (square - value * value) / count - mean * mean
            above = value - mean
            if above <= 0 or above * above <= sigma * sigma * variance:
                continue
            ring = np.float32(0.0)
            for v in range(y - 1, y + 2):
                for u in range(x - 1, x + 2):
                    ring += image[v, u]
            ring = (ring - value) / np.float32(8.0)
            if above > np.float32(SHARPNESS) * (ring - mean):
                image[y, x] = ring
                mended += 1
    return mended


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
