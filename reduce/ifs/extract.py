"""Spectra of all lenslets as one sparse matrix on the pixels, and square pixels as another on the lenslets."""

from __future__ import annotations

from collections.abc import Mapping

import numba
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix
from scipy.spatial import cKDTree

from lyot.cube import Floats, Images
from lyot.instruments.sphere_frames import LENSLETS
from lyot.reduce.ifs.traces import Traces

WIDTH = LENSLETS.spectrum_width  # px across the dispersion that belong to a spectrum
FINE = 16  # samples along each side of a square pixel, to measure how much of it each hexagon covers


def extraction(traces: Traces, wavelengths: Floats, side: int, flats: Mapping[float | None, Images]) -> csr_matrix:
    """Matrix that makes spectra of a frame: rows are (lenslet, wave), columns the pixels of the detector.

    Counts are summed over the width of a spectrum and interpolated along it between the two nearest rows; each pixel
    is divided by its sensitivity to the colour that falls on it.

    Parameters
    ----------
    traces : Traces
    wavelengths : (wave,), µm
    side : px of the detector
    flats : wavelength of a lamp (µm; None is white) → (y, x) flat
    """
    places = traces.at(wavelengths)
    rows, columns, weights, waves = [], [], [], []
    count = len(wavelengths)
    y, x = places[..., 0], places[..., 1]
    low = np.floor(y).astype(int)
    spectra = np.arange(y.size).reshape(y.shape)
    for step in (0, 1):
        along = 1.0 - np.abs(y - (low + step))
        for shift in range(-3, 4):
            column = np.round(x).astype(int) + shift
            share = np.clip(WIDTH / 2 + 0.5 - np.abs(column - x), 0.0, 1.0)
            row = low + step
            inside = (share * along > 1e-6) & (row >= 0) & (row < side) & (column >= 0) & (column < side)
            rows.append(spectra[inside])
            columns.append((row * side + column)[inside])
            weights.append((share * along)[inside])
            waves.append(np.broadcast_to(np.arange(count), y.shape)[inside])
    at, weight = np.concatenate(columns), np.concatenate(weights)
    weight = weight / _sensitivity(flats, at, np.asarray(wavelengths)[np.concatenate(waves)])
    matrix = coo_matrix(
        (weight.astype(np.float32), (np.concatenate(rows), at)), shape=(y.size, side * side)
    )
    return matrix.tocsr()


def _sensitivity(flats: Mapping[float | None, Images], at: NDArray[np.int64], colour: Floats) -> Floats:
    """Sensitivity of each pixel to its colour, between the flats of the nearest lamps; white where none is coloured."""
    lamps = sorted(lamp for lamp in flats if lamp is not None)
    if not lamps:
        return flats[None].ravel()[at].astype(float) if None in flats else np.ones(len(at))
    planes = np.stack([flats[lamp].ravel() for lamp in lamps])
    index = np.interp(colour, lamps, np.arange(len(lamps)))
    low = np.minimum(index.astype(int), len(lamps) - 1)
    high = np.minimum(low + 1, len(lamps) - 1)
    found: Floats = planes[low, at] * (1 - (index - low)) + planes[high, at] * (index - low)
    return found


def squares(
    ideal: Floats, size: int, good: NDArray[np.bool_]
) -> tuple[csr_matrix, NDArray[np.bool_]]:
    """Matrix that makes square pixels of lenslets: each takes from every hexagon the part of it that it covers.

    A pixel is as wide as a hexagon's side. Its size on the sky (7.46 mas) is what was measured on such images.

    Parameters
    ----------
    ideal : (lenslet, 2), detector px (y, x) on the undistorted lattice
    size : int, px
    good : (lenslet,), those that may be used

    Returns
    -------
    matrix : (size², lenslet)
    seen : (size, size), pixels of which most is covered
    """
    number, lookup, low, step = _lookup(ideal)
    shares, lenslets, covered = _overlaps(size, LENSLETS.side, number, lookup, low, step, good)
    pixels = np.repeat(np.arange(size * size), shares.shape[1])
    used = lenslets.ravel() >= 0
    area = LENSLETS.side**2 / (LENSLETS.pitch**2 * 3**0.5 / 2)
    whole = np.maximum(covered, 1e-6)[:, None]  # what is not covered is taken to be like the rest of the pixel
    matrix = coo_matrix(
        ((shares / whole * area).ravel()[used].astype(np.float32), (pixels[used], lenslets.ravel()[used])),
        shape=(size * size, len(ideal)),
    )
    return matrix.tocsr(), (covered > 0.5).reshape(size, size)


def _lookup(ideal: Floats) -> tuple[NDArray[np.int64], Floats, NDArray[np.int64], Floats]:
    """Number of each lenslet by its whole coordinates on the lattice, and how coordinates follow from places."""
    tree = cKDTree(ideal)
    centre = int(np.argmin(np.hypot(*ideal.T)))
    _, around = tree.query(ideal[centre], k=7)
    steps = ideal[around[1:]] - ideal[centre]
    first = steps[0]
    turned = np.array([[0.5, 3**0.5 / 2], [-(3**0.5) / 2, 0.5]])  # (y, x) by 60°
    second = turned @ first
    inverse = np.linalg.inv(np.stack([first, second]))
    whole = np.round((ideal - ideal[centre]) @ inverse).astype(np.int64)
    low = whole.min(axis=0) - 1
    number = np.full(tuple(whole.max(axis=0) - low + 2), -1, np.int64)
    number[tuple((whole - low).T)] = np.arange(len(ideal))
    return number, inverse, low, ideal[centre]


@numba.njit(nogil=True, cache=True)
def _overlaps(size, step, number, inverse, low, origin, good):  # type: ignore[no-untyped-def]
    """Share of each square pixel that each of its (at most six) hexagons covers."""
    shares = np.zeros((size * size, 6))
    lenslets = np.full((size * size, 6), -1, np.int64)
    covered = np.zeros(size * size)
    each = 1.0 / (FINE * FINE)
    for j in range(size):
        for i in range(size):
            pixel = j * size + i
            for m in range(FINE):
                for n in range(FINE):
                    y = (j - size // 2 + (m + 0.5) / FINE - 0.5) * step - origin[0]
                    x = (i - size // 2 + (n + 0.5) / FINE - 0.5) * step - origin[1]
                    a, b = _nearest(y * inverse[0, 0] + x * inverse[1, 0], y * inverse[0, 1] + x * inverse[1, 1])
                    a, b = a - low[0], b - low[1]
                    if a < 0 or b < 0 or a >= number.shape[0] or b >= number.shape[1]:
                        continue
                    lenslet = number[a, b]
                    if lenslet < 0 or not good[lenslet]:
                        continue
                    for k in range(6):
                        if lenslets[pixel, k] == lenslet or lenslets[pixel, k] < 0:
                            lenslets[pixel, k] = lenslet
                            shares[pixel, k] += each
                            covered[pixel] += each
                            break
    return shares, lenslets, covered


@numba.njit(nogil=True, cache=True)
def _nearest(a, b):  # type: ignore[no-untyped-def]
    """Whole lattice coordinates of the hexagon that holds a point, by cube rounding."""
    c = -a - b
    ra, rb, rc = round(a), round(b), round(c)
    da, db, dc = abs(ra - a), abs(rb - b), abs(rc - c)
    if da > db and da > dc:
        ra = -rb - rc
    elif db > dc:
        rb = -ra - rc
    return int(ra), int(rb)
