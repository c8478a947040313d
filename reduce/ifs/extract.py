"""Spectra of all lenslets, as one sparse matrix on the pixels of the detector."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.special import ndtr

from lyot.cube import Floats, Images
from lyot.reduce.ifs.traces import SPOT_SIGMA, Traces

REACH = 2  # px on either side of a spectrum's middle; half-way to the next, 4.93 px away
ENOUGH = 0.3  # of a profile's power on good pixels; without its middle pixel it has 0.36


def extraction(
    traces: Traces,
    wavelengths: Floats,
    side: int,
    flats: Mapping[float | None, Images],
    bad: NDArray[np.bool_] | None = None,
) -> csr_matrix:
    """Matrix that makes spectra of a frame: rows are (lenslet, wave), columns the pixels of the detector.

    In each row of the detector a spectrum's light is that of the profile which fits its good pixels best (Horne 1986,
    PASP 98, 609, all pixels of the same noise); it is interpolated along the spectrum between the two nearest rows.
    Each pixel is divided by its sensitivity to the colour that falls on it.

    Parameters
    ----------
    traces : Traces
    wavelengths : (wave,), µm
    side : px of the detector
    flats : wavelength of a lamp (µm; None is white) → (y, x) flat
    bad : (y, x), pixels that say nothing. Where most of a profile is on such pixels they are used, as mended.
    """
    places = traces.at(wavelengths).reshape(-1, 2)
    low = np.floor(places[:, 0]).astype(int)
    rows = low[:, None] + np.array([0, 1])
    along = 1.0 - np.abs(places[:, :1] - rows)
    columns = np.round(places[:, 1]).astype(int)[:, None] + np.arange(-REACH, REACH + 1)
    away = columns - places[:, 1:]
    profile = ndtr((away + 0.5) / SPOT_SIGMA) - ndtr((away - 0.5) / SPOT_SIGMA)
    inside = ((rows >= 0) & (rows < side))[:, :, None] & ((columns >= 0) & (columns < side))[:, None, :]
    at = np.clip(rows, 0, side - 1)[:, :, None] * side + np.clip(columns, 0, side - 1)[:, None, :]
    power = np.where(inside, profile[:, None, :] ** 2, 0.0)
    if bad is not None:
        known = np.where(bad.ravel()[at], 0.0, power)
        enough = known.sum(axis=2) > ENOUGH * power.sum(axis=2)
        power = np.where(enough[:, :, None], known, power)
    scale = along / np.maximum(power.sum(axis=2), 1e-9)
    weight = power / profile[:, None, :] * scale[:, :, None]
    used = weight > 1e-6
    starts = np.concatenate([[0], np.cumsum(used.sum(axis=(1, 2)))])
    colour = np.repeat(np.tile(np.asarray(wavelengths, float), len(traces.places)), np.diff(starts))
    weights = (weight[used] / _sensitivity(flats, at[used], colour)).astype(np.float32)
    return csr_matrix((weights, at[used], starts), shape=(len(places), side * side))


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
