"""How a weighted sum at each pixel of an image stands out among those at other places of its circle about the star.

With apertures for weights this is the S/N map; with the PSF, the map of the matched filter.

Sums are made once on a grid finer than the pixels and carried over to circles a part of a pixel apart. From the four
nearest of these follow the sums along the very circle of any pixel, and along that, one number after another, those at
the places to compare with. All interpolation is Lagrange's cubic.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from lyot.cube import Floats, Images, star_position
from lyot.reduce.parallel import each, spread
from lyot.reduce.rings import in_field
from lyot.reduce.shears import SUMS_MAY_BE_REORDERED
from lyot.reduce.zone import Indices

SUBSTEPS = 8  # places per pixel and axis for which weights are tabulated; even, so that pixels' middles are among them
FINENESS = 6.0  # circles per pixel, and places per pixel along them, at which sums are kept
DEPTH = 8.0  # px of the radius that are worked on together
CLEARANCE = 1.5  # px from weights on any place of a pixel to NaN, when that pixel is said to be clear
FEWEST = 4  # places to compare with below which a standard deviation says nothing
BLIND, DOUBTFUL, CLEAR = 0, 1, 2  # whether weights around a pixel touch NaN: surely, perhaps, surely not


@dataclass(frozen=True, eq=False)
class _Field:
    """An image with a margin of NaN, and what is known of it before any circle is looked at.

    Parameters
    ----------
    margin : int, px
    known : (y, x), bool
    state : (y, x), `BLIND`, `DOUBTFUL` or `CLEAR`
    sums : (y · SUBSTEPS, x · SUBSTEPS)
        Weighted sums; place (0, 0) is the corner (−½, −½) of pixel (0, 0).
    star : (y, x), px
    """

    margin: int
    known: NDArray[np.bool_]
    state: NDArray[np.uint8]
    sums: Images
    star: tuple[int, int]


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
    field = _field(image, table.astype(np.float32), reach)
    found = np.full(image.shape, np.nan, dtype=np.float32)
    y, x = np.indices(image.shape)
    square = (y - field.star[0] + field.margin) ** 2 + (x - field.star[1] + field.margin) ** 2
    asked = np.flatnonzero(np.isfinite(image) & (square >= fwhm**2))
    order = asked[np.argsort(square.ravel()[asked], kind="stable")]
    radii = np.sqrt(square.ravel()[order])
    cuts = np.searchsorted(radii, np.arange(0.0, np.max(radii, initial=0.0) + 2.0 * DEPTH, DEPTH))
    parts = [slice(a, b) for a, b in pairwise(cuts.tolist()) if a < b]
    each(lambda part: _fill_part(found, order[part], radii[part], field, reach, fwhm), parts[::-1])  # longest first
    return found


def _field(image: Images, weights: Images, reach: float) -> _Field:
    margin = weights.shape[-1] // 2 + 2  # the cubic reads one place further
    padded = np.pad(image, margin, constant_values=np.nan)
    known = np.isfinite(padded)
    state = np.full(padded.shape, DOUBTFUL, dtype=np.uint8)
    state[distance_transform_edt(known) > reach + CLEARANCE] = CLEAR
    if reach > 1.0 / FINENESS + 0.75:  # from a place on a circle to the middle of the pixel that its state is read from
        state[~known] = BLIND
    level = np.median(image[np.isfinite(image)]) if known.any() else 0.0
    light = np.where(known, padded - np.float32(level), np.float32(0))
    sums = np.zeros((padded.shape[0] * SUBSTEPS, padded.shape[1] * SUBSTEPS), dtype=np.float32)
    spread(lambda start, stop: _fill_sums(sums, light, weights, start, stop), len(padded))
    cy, cx = star_position(image.shape)
    return _Field(margin, known, state, sums, (cy + margin, cx + margin))


def _fill_part(found: Images, pixels: Indices, radii: Floats, field: _Field, reach: float, fwhm: float) -> None:
    """Fill the map at some pixels (flat indices), sorted by their distance from the star."""
    lowest = int(radii[0] * FINENESS) - 1
    circles = int(radii[-1] * FINENESS) + 3 - lowest
    places = math.ceil(2.0 * math.pi * radii[-1] * FINENESS)
    sums = np.empty((circles, places), dtype=np.float32)
    states = np.empty((circles, places), dtype=np.uint8)
    _fill_circles(sums, states, lowest, field.sums, field.state, *field.star)
    _fill_map(
        found, pixels, radii, sums, states, lowest, field.sums, field.known, field.state, field.margin, *field.star,
        reach, fwhm,
    )  # fmt: skip


@njit(nogil=True, fastmath=SUMS_MAY_BE_REORDERED, cache=True)
def _fill_sums(sums, image, table, start, stop):  # type: ignore[no-untyped-def]
    """Weighted sums on the fine grid, in the rows of some pixels; place (0, 0) is the pixel's corner (−½, −½)."""
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
                    sums[y * steps + a, (x + half) * steps + b] = row[x]


@njit(nogil=True, fastmath=SUMS_MAY_BE_REORDERED, cache=True)
def _cubic(t):  # type: ignore[no-untyped-def]
    """Lagrange's weights of four numbers for a place `t` (0 to 1) of the way from the second to the third."""
    outer, inner = (t - 1) * (t - 2), (t + 1) * t
    sixth, half = np.float32(1 / 6), np.float32(0.5)
    return -t * outer * sixth, (t + 1) * outer * half, -inner * (t - 2) * half, inner * (t - 1) * sixth


@njit(nogil=True, fastmath=SUMS_MAY_BE_REORDERED, cache=True)
def _fill_circles(sums, states, lowest, grid, state, cy, cx):  # type: ignore[no-untyped-def]
    """Sums, and what is known of them, along circles; places follow one another clockwise from the x axis."""
    steps = grid.shape[0] // state.shape[0]
    places = sums.shape[1]
    for j in range(places):
        angle = 2.0 * math.pi * j / places
        sine, cosine = -math.sin(angle), math.cos(angle)
        for circle in range(len(sums)):
            radius = (lowest + circle) / FINENESS
            y, x = cy + radius * sine, cx + radius * cosine
            v, u = (y + 0.5) * steps, (x + 0.5) * steps
            if not (1 <= v < grid.shape[0] - 2 and 1 <= u < grid.shape[1] - 2):
                sums[circle, j], states[circle, j] = 0.0, BLIND
                continue
            states[circle, j] = state[int(y + 0.5), int(x + 0.5)]
            iy, ix = int(v), int(u)
            a0, a1, a2, a3 = _cubic(np.float32(u - ix))
            b0, b1, b2, b3 = _cubic(np.float32(v - iy))
            p, q, r, s = grid[iy - 1], grid[iy], grid[iy + 1], grid[iy + 2]
            sums[circle, j] = (
                b0 * (a0 * p[ix - 1] + a1 * p[ix] + a2 * p[ix + 1] + a3 * p[ix + 2])
                + b1 * (a0 * q[ix - 1] + a1 * q[ix] + a2 * q[ix + 1] + a3 * q[ix + 2])
                + b2 * (a0 * r[ix - 1] + a1 * r[ix] + a2 * r[ix + 1] + a3 * r[ix + 2])
                + b3 * (a0 * s[ix - 1] + a1 * s[ix] + a2 * s[ix + 1] + a3 * s[ix + 2])
            )


@njit(nogil=True, fastmath=SUMS_MAY_BE_REORDERED, cache=True)
def _fill_ring(ring, sums, above):  # type: ignore[no-untyped-def]
    """Sums along the circle `above` the second of four, less their mean, twice round from the place before the first.

    Without their mean the sum of their squares is small beside a bright background. Gives the mean.
    """
    places = sums.shape[1]
    b0, b1, b2, b3 = _cubic(np.float32(above))
    p, q, r, s = sums[0], sums[1], sums[2], sums[3]
    once = ring[1 : places + 1]
    for j in range(places):
        once[j] = b0 * p[j] + b1 * q[j] + b2 * r[j] + b3 * s[j]
    mean = once.mean()
    for j in range(places):
        once[j] -= mean
    ring[0] = ring[places]
    ring[places + 1 : 2 * places + 1] = once
    ring[2 * places + 1 : 2 * places + 3] = once[:2]
    return mean


@njit(nogil=True, fastmath=SUMS_MAY_BE_REORDERED, cache=True)
def _sums_along(ring, start, step, count):  # type: ignore[no-untyped-def]
    """Sum, and sum of squares, of the numbers on a ring at `count` places `step` apart, the first a step from start."""
    total, squares = np.float32(0), np.float32(0)
    for k in range(1, count + 1):
        place = start + k * step
        i = int(place)
        a0, a1, a2, a3 = _cubic(np.float32(place - i))
        value = a0 * ring[i] + a1 * ring[i + 1] + a2 * ring[i + 2] + a3 * ring[i + 3]
        total += value
        squares += value * value
    return total, squares


@njit(nogil=True, fastmath=SUMS_MAY_BE_REORDERED, cache=True)
def _fill_map(found, pixels, radii, sums, states, lowest, grid, known, state, margin, cy, cx, reach, fwhm):  # type: ignore[no-untyped-def]
    """S/N at pixels sorted by radius, from the sums along circles of which the first has number `lowest`."""
    places, steps = sums.shape[1], grid.shape[0] // known.shape[0]
    ring = np.empty(2 * places + 3, dtype=np.float32)
    clear = states.min() == CLEAR
    mean, count, step, nearest = np.float32(0), 0, 0.0, states[0]
    for n in range(len(pixels)):
        radius = radii[n]
        if n == 0 or radius != radii[n - 1]:
            circle = radius * FINENESS - lowest
            first = int(circle) - 1
            mean = _fill_ring(ring, sums[first : first + 4], circle - first - 1)
            nearest = states[int(circle + 0.5)]
            step = 2.0 * math.asin(min(1.0, fwhm / (2.0 * radius)))
            count = int(2.0 * math.pi / step)
        row, column = pixels[n] // found.shape[1], pixels[n] % found.shape[1]
        y, x = row + margin, column + margin
        if state[y, x] != CLEAR and not in_field(known, float(y), float(x), reach):
            continue
        start = (-math.atan2(float(y - cy), float(x - cx)) / (2.0 * math.pi)) % 1.0 * places
        along = step / (2.0 * math.pi) * places
        if clear:
            others = count - 1
            total, squares = _sums_along(ring, start, along, others)
        else:
            others, total, squares = 0, np.float32(0), np.float32(0)
            for k in range(1, count):
                here = start + k * along
                seen = nearest[int(here + 0.5) % places]
                if seen == DOUBTFUL:
                    angle = -2.0 * math.pi * here / places
                    if in_field(known, cy + radius * math.sin(angle), cx + radius * math.cos(angle), reach):
                        seen = CLEAR
                if seen == CLEAR:
                    one, square = _sums_along(ring, here - along, along, 1)
                    others, total, squares = others + 1, total + one, squares + square
        if others < FEWEST or 2 * others < count - 1:
            continue
        average = total / others
        variance = (squares - others * average * average) / (others - 1)
        if variance > 0.0:
            here = grid[y * steps + steps // 2, x * steps + steps // 2] - mean
            found[row, column] = (here - average) / math.sqrt(variance * (1.0 + 1.0 / others))
