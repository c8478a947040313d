"""Candidate point sources in an image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter

from lyot.cube import star_position
from lyot.reduce.measure import false_alarm_probability

CLOSEST = 1.0  # FWHM between two candidates: nearer peaks are one source


@dataclass(frozen=True)
class Peak:
    """A peak of an S/N map: where (px, y and x of the image), how high, how improbable in noise."""

    y: float
    x: float
    snr: float
    false_alarm_probability: float


def peaks(snr: NDArray[np.floating], fwhm: float, threshold: float = 5.0) -> list[Peak]:
    """Peaks of an S/N map at or above a threshold, best first, one for each source.

    Of peaks nearer to each other than 1 FWHM the best is kept. Next to a bright source the apertures that it fills
    raise the noise of its whole ring, so that what else is on the ring may be missed: mask it and look again.

    Parameters
    ----------
    snr : (y, x)
        NaN where it is unknown; a pixel beside NaN is no peak, for its other side may be higher.
    fwhm : float, px
    threshold : float
    """
    known = np.isfinite(snr)
    filled = np.where(known, snr, -np.inf)
    highest = (filled == maximum_filter(filled, size=3, mode="constant", cval=-np.inf)) & (filled >= threshold)
    surrounded = maximum_filter(~known, size=3, mode="constant", cval=True)
    places = np.argwhere(highest & ~surrounded)
    places = places[np.argsort(-filled[tuple(places.T)], kind="stable")]
    cy, cx = star_position(snr.shape)
    kept: list[Peak] = []
    for y, x in places:
        if all(np.hypot(y - other.y, x - other.x) >= CLOSEST * fwhm for other in kept):
            value = float(snr[y, x])
            chance = false_alarm_probability(value, fwhm, float(np.hypot(y - cy, x - cx)))
            dy, dx = _top(filled[y - 1 : y + 2, x - 1 : x + 2])
            kept.append(Peak(float(y) + dy, float(x) + dx, value, chance))
    return kept


def _top(values: NDArray[np.floating]) -> tuple[float, float]:
    """Where between the pixels a parabola through three of them peaks, on each axis; (3, 3) with the top inside."""
    offsets = []
    for before, here, after in (values[:, 1], values[1, :]):
        bend = before - 2.0 * here + after
        offsets.append(float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5)) if bend < 0 else 0.0)
    return offsets[0], offsets[1]


def masked(image: NDArray[np.floating], places: list[tuple[float, float]], radius: float) -> NDArray[np.floating]:
    """The image with NaN within `radius` (px) of each place (y, x)."""
    y, x = np.ogrid[: image.shape[0], : image.shape[1]]
    hidden = np.zeros(image.shape, dtype=np.bool_)
    for row, column in places:
        hidden |= (y - row) ** 2 + (x - column) ** 2 < radius**2
    return np.where(hidden, np.nan, image)
