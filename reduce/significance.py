"""How a weighted sum at each pixel of an image stands out among those at other places of its circle about the star.

With apertures for weights this is the S/N map; with the PSF, the map of the matched filter.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from lyot.cube import Images, star_position
from lyot.reduce.derotate import SUMS_MAY_BE_REORDERED
from lyot.reduce.parallel import spread

SUBSTEPS = 6  # places per pixel and axis for which weights are tabulated; cubic interpolation between them
CLEARANCE = 1.5  # px from weights on any place of a pixel to NaN, when that pixel is said to be clear
FEWEST = 4  # places to compare with below which a standard deviation says nothing


def significance(image: Images, table: NDArray[np.floating], reach: float, fwhm: float) -> Images:
    """The sum at each pixel less the mean of those a FWHM apart on its circle, over their standard deviation.

    Corrected for small samples: the deviation is multiplied by √(1 + 1/n), so that in noise the map follows Student's
    distribution of n − 1 degrees of freedom.

    Parameters
    ----------
    image : (y, x)
    table : (SUBSTEPS, SUBSTEPS, side, side)
        Weights for each place within a pixel, `j / SUBSTEPS − ½` from its middle, along y, then x.
    reach : float, px
        How far from its place weights are not 0.
    fwhm : float, px

    Returns
    -------
    (y, x), dimensionless
        NaN closer than 1 FWHM to the star, where the weights touch NaN or the edge, and where fewer than half of the
        other places, or fewer than four, are in the field.

    References
    ----------
    Mawet et al. 2014, ApJ 792, 97, eq. 9.
    """
    weights = table.astype(np.float32)
    margin = weights.shape[-1] // 2 + 2  # the cubic reads one place further
    padded = np.pad(image, margin, constant_values=np.nan)
    known = np.isfinite(padded)
    clear = distance_transform_edt(known) > reach + CLEARANCE
    ny, nx = padded.shape
    level = np.median(image[np.isfinite(image)]) if known.any() else 0.0
    light = np.where(known, padded - np.float32(level), np.float32(0))
    sums = np.zeros((ny * SUBSTEPS, nx * SUBSTEPS), dtype=np.float32)
    spread(lambda start, stop: _fill_fluxes(sums, light, weights, start, stop), ny)
    cy, cx = star_position(image.shape)
    star = cy + margin, cx + margin
    found = np.full(image.shape, np.nan, dtype=np.float32)
    spread(lambda start, stop: _fill_snr(found[start:stop], start, sums, known, clear, star, fwhm, reach), len(found))
    return found


@njit(nogil=True, fastmath=SUMS_MAY_BE_REORDERED, cache=True)
def _fill_fluxes(fluxes, image, table, start, stop):  # type: ignore[no-untyped-def]
    """Aperture sums on a grid of `steps` places per pixel and axis; place (0, 0) is the pixel's corner (−½, −½)."""
    ny, nx = image.shape
    steps, side = table.shape[0], table.shape[2]
    half, width = side // 2, nx - side + 1
    row = np.empty(width, dtype=np.float32)
    for y in range(max(start, half), min(stop, ny - half)):
        for a in range(steps):
            for b in range(steps):
                row[:] = 0.0
                for j in range(side):
                    for i in range(side):
                        weight = table[a, b, j, i]
                        if weight != 0.0:
                            source = image[y + j - half, i : i + width]
                            for x in range(width):
                                row[x] += weight * source[x]
                for x in range(width):
                    fluxes[y * steps + a, (x + half) * steps + b] = row[x]


@njit(nogil=True, fastmath=SUMS_MAY_BE_REORDERED, cache=True)
def _flux_on_grid(fluxes, y, x):  # type: ignore[no-untyped-def]
    """Aperture flux at a place of the sub-pixel grid, by Lagrange's cubic through four places on each axis."""
    iy, ix = int(y), int(x)
    v, u = np.float32(y - iy), np.float32(x - ix)
    outer, inner = (u - 1) * (u - 2), (u + 1) * u
    a0, a1, a2, a3 = -u * outer / 6, (u + 1) * outer / 2, -inner * (u - 2) / 2, inner * (u - 1) / 6
    outer, inner = (v - 1) * (v - 2), (v + 1) * v
    b0, b1, b2, b3 = -v * outer / 6, (v + 1) * outer / 2, -inner * (v - 2) / 2, inner * (v - 1) / 6
    p, q, r, s = fluxes[iy - 1], fluxes[iy], fluxes[iy + 1], fluxes[iy + 2]
    return (
        b0 * (a0 * p[ix - 1] + a1 * p[ix] + a2 * p[ix + 1] + a3 * p[ix + 2])
        + b1 * (a0 * q[ix - 1] + a1 * q[ix] + a2 * q[ix + 1] + a3 * q[ix + 2])
        + b2 * (a0 * r[ix - 1] + a1 * r[ix] + a2 * r[ix + 1] + a3 * r[ix + 2])
        + b3 * (a0 * s[ix - 1] + a1 * s[ix] + a2 * s[ix + 1] + a3 * s[ix + 2])
    )


@njit(nogil=True, cache=True)
def _in_field(known, y, x, radius):  # type: ignore[no-untyped-def]
    """Whether a circle touches known pixels only."""
    for j in range(int(y - radius + 0.5), int(y + radius + 0.5) + 1):
        for i in range(int(x - radius + 0.5), int(x + radius + 0.5) + 1):
            if not known[j, i]:
                dy, dx = max(abs(j - y) - 0.5, 0.0), max(abs(i - x) - 0.5, 0.0)
                if dy * dy + dx * dx < radius * radius:
                    return False
    return True


@njit(nogil=True, fastmath=SUMS_MAY_BE_REORDERED, cache=True)
def _sums_on_ring(fluxes, y, x, here):  # type: ignore[no-untyped-def]
    """Sum, and sum of squares, of aperture fluxes at places of the grid, less that of the source.

    Taking the source's flux off keeps the sum of squares small beside a bright background.
    """
    total, squares = 0.0, 0.0
    for k in range(len(y)):
        other = _flux_on_grid(fluxes, y[k], x[k]) - here
        total += other
        squares += other * other
    return total, squares


@njit(nogil=True, fastmath=SUMS_MAY_BE_REORDERED, cache=True)
def _fill_snr(found, first, fluxes, known, clear, star, fwhm, reach):  # type: ignore[no-untyped-def]
    """S/N in the rows of a map from `first` on. The map is the middle of `known`, in which `star` is the star."""
    margin = (known.shape[1] - found.shape[1]) // 2
    steps = fluxes.shape[0] // known.shape[0]
    lowest, top, right = reach + 1, known.shape[0] - reach - 2, known.shape[1] - reach - 2
    most = int(math.pi / math.asin(min(1.0, fwhm / (2.0 * (known.shape[0] + known.shape[1]))))) + 1
    ys, xs = np.empty(most), np.empty(most)
    for row in range(found.shape[0]):
        for column in range(found.shape[1]):
            dy, dx = float(first + row + margin - star[0]), float(column + margin - star[1])
            radius = math.sqrt(dy * dy + dx * dx)
            y, x = star[0] + dy, star[1] + dx
            if radius < fwhm or not _in_field(known, y, x, reach):
                continue
            here = _flux_on_grid(fluxes, (y + 0.5) * steps, (x + 0.5) * steps)
            step = 2.0 * math.asin(fwhm / (2.0 * radius))
            count = int(2.0 * math.pi / step)
            cosine, sine = math.cos(step), math.sin(step)
            others = 0
            for _ in range(count - 1):
                dx, dy = cosine * dx + sine * dy, cosine * dy - sine * dx
                y, x = star[0] + dy, star[1] + dx
                if y < lowest or x < lowest or y > top or x > right:
                    continue
                if not clear[int(y + 0.5), int(x + 0.5)] and not _in_field(known, y, x, reach):
                    continue
                ys[others], xs[others] = (y + 0.5) * steps, (x + 0.5) * steps
                others += 1
            if others < FEWEST or 2 * others < count - 1:
                continue
            total, squares = _sums_on_ring(fluxes, ys[:others], xs[:others], here)
            mean = total / others
            variance = (squares - others * mean * mean) / (others - 1)
            if variance > 0.0:
                found[row, column] = -mean / math.sqrt(variance * (1.0 + 1.0 / others))
