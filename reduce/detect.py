"""Candidate point sources in an image."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter

from lyot.reduce.apertures import aperture_sum
from lyot.reduce.matched import REACH
from lyot.reduce.measure import false_alarm_probability
from lyot.reduce.rings import others_in_field

CHANCE = 1e-5  # of noise to pass for a source at one place; an image of 100 × 100 px of 4 px FWHM has some 600
CLOSEST = 1.0  # FWHM between two candidates: nearer peaks are one source


@dataclass(frozen=True)
class Peak:
    """A peak of an S/N map or of a matched filter: where (px, y and x of the image), its S/N, its chance in noise."""

    y: float
    x: float
    snr: float
    false_alarm_probability: float


def peaks(
    image: NDArray[np.floating],
    snr: NDArray[np.floating],
    fwhm: float,
    threshold: float = 5.0,
    reach: float | None = None,
) -> list[Peak]:
    """Peaks of an S/N map at or above a threshold, best first, one for each source.

    A source is where the flux in an aperture is greatest, which the noise, different on each ring, cannot move: the
    apertures that a bright source fills raise the noise of its own ring, so that its S/N peaks on its flanks. Of those
    that climb to within 1 FWHM of each other, the best is kept.

    Parameters
    ----------
    image : (y, x), counts
    snr : (y, x)
        NaN where it is unknown; a pixel beside NaN is no peak, for its other side may be higher.
    fwhm : float, px
    threshold : float
    reach : float, px, optional
        How far around a place the map sees; half a FWHM, an aperture, if not said.
    """
    known = np.isfinite(snr)
    filled = np.where(known, snr, -np.inf)
    highest = (filled == maximum_filter(filled, size=3, mode="constant", cval=-np.inf)) & (filled >= threshold)
    surrounded = maximum_filter(~known, size=3, mode="constant", cval=True)
    places = np.argwhere(highest & ~surrounded)
    places = places[np.argsort(-filled[tuple(places.T)], kind="stable")]
    kept: list[Peak] = []
    for y, x in places:
        top = _brightest(image, int(y), int(x), fwhm)
        if all(np.hypot(top[0] - other.y, top[1] - other.x) >= CLOSEST * fwhm for other in kept):
            value = float(snr[y, x])
            others = others_in_field(image, int(y), int(x), fwhm, reach or fwhm / 2.0)
            kept.append(Peak(*top, value, false_alarm_probability(value, others)))
    return kept


def matched_peaks(
    image: NDArray[np.floating], snr: NDArray[np.floating], matched: NDArray[np.floating], fwhm: float,
    threshold: float = 5.0,
) -> list[Peak]:
    """Peaks of the map of a matched filter at or above a threshold and improbable in noise, best first.

    At most one place in 100,000 of noise is taken for a source, by Student's distribution: near the star, where few
    places tell the noise, that asks for more than 5.

    Parameters
    ----------
    image : (y, x), counts
    snr, matched : (y, x)
        The S/N map, which says the S/N of these peaks, too; and that of the matched filter.
    fwhm : float, px
    threshold : float
    """
    return [
        replace(peak, snr=float(snr[round(peak.y), round(peak.x)]))
        for peak in peaks(image, matched, fwhm, threshold, REACH * fwhm)
        if peak.false_alarm_probability <= CHANCE and np.isfinite(snr[round(peak.y), round(peak.x)])
    ]


def _brightest(image: NDArray[np.floating], y: int, x: int, fwhm: float) -> tuple[float, float]:
    """Where, uphill from (y, x) and within 1 FWHM of it, between pixels, the flux in an aperture is greatest."""
    j, i = y, x
    while True:
        fluxes = np.array([[aperture_sum(image, j + b, i + a, fwhm / 2.0) for a in (-1, 0, 1)] for b in (-1, 0, 1)])
        if not np.isfinite(fluxes).all():
            return float(j), float(i)
        b, a = np.unravel_index(np.argmax(fluxes), fluxes.shape)
        if (b, a) == (1, 1) or np.hypot(j + b - 1 - y, i + a - 1 - x) > CLOSEST * fwhm:
            dy, dx = _top(fluxes)
            return j + dy, i + dx
        j, i = int(j + b - 1), int(i + a - 1)


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


def same_source(found: list[list[Peak]], fwhm: NDArray[np.floating]) -> list[list[int]]:
    """Numbers from 0 for the peaks of each wavelength, the same for those within 1 FWHM of each other.

    Numbers follow the best S/N that a source has at any wavelength.
    """
    everything = sorted(((peak, wave) for wave, peaks_ in enumerate(found) for peak in peaks_), key=lambda p: -p[0].snr)
    places: list[Peak] = []
    for peak, wave in everything:
        if all(np.hypot(peak.y - other.y, peak.x - other.x) >= CLOSEST * fwhm[wave] for other in places):
            places.append(peak)
    return [[_nearest(peak, places) for peak in at_wave] for at_wave in found]


def _nearest(peak: Peak, places: list[Peak]) -> int:
    return int(np.argmin([np.hypot(peak.y - other.y, peak.x - other.x) for other in places]))
