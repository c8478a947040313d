"""All the sources of an image, one after another: the best is measured and taken out of the frames, then looked again.

A bright source hides others: its apertures raise the noise of its ring, its rings and the dark lobes beside it pass
for structure, and what it leaves in the starlight model is everywhere. Taking each out of the frames before the next is
sought removes all of that at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lyot.cube import Images
from lyot.errors import Unprocessable
from lyot.reduce.characterise import Fit
from lyot.reduce.detect import CLOSEST, Peak, masked, matched_peaks, peaks
from lyot.reduce.inject import Point, point_at
from lyot.reduce.local import LocalReduction
from lyot.reduce.matched import matched_map
from lyot.reduce.measure import snr_map

MOST = 20  # sources measured in one image; a recipe that leaves more has left starlight
HIDDEN = 1.5  # FWHM around a source that says nothing of noise or of other sources

Measure = Callable[[LocalReduction, Images, Point], Fit]


@dataclass(frozen=True, eq=False)
class Census:
    """What an image holds.

    Parameters
    ----------
    peaks : best first
    fits : of each; None where the fit failed
    local : LocalReduction
        Of the cube without the fitted sources.
    image : (y, x), counts
        What the recipe makes of that; NaN where sources were.
    notes : sentences for the reader
    """

    peaks: tuple[Peak, ...]
    fits: tuple[Fit | None, ...]
    local: LocalReduction
    image: Images
    notes: tuple[str, ...]

    @property
    def points(self) -> list[Point]:
        """Where the sources are."""
        return [
            point_at(peak.y, peak.x, 0.0, self.image.shape) if fit is None else fit.point
            for peak, fit in zip(self.peaks, self.fits, strict=True)
        ]


def take_census(local: LocalReduction, image: Images, measure: Measure, threshold: float) -> Census:
    """Find, measure and take out the sources of an image until none is above the threshold.

    Those of the S/N map first; what only the matched filter shows after them, if it can be fitted.

    Parameters
    ----------
    local : LocalReduction
    image : (y, x), counts
        What its recipe makes of its cube.
    measure : (local, image, guess) → Fit
        May raise `Unprocessable`: the source is then left where its peak is, and hidden.
    threshold : float
        Least S/N.
    """
    found: list[Peak] = []
    fits: list[Fit | None] = []
    places: list[tuple[float, float]] = []
    notes: list[str] = []
    while True:
        seen = masked(snr_map(image, local.fwhm), places, HIDDEN * local.fwhm)
        above = peaks(image, seen, local.fwhm, threshold)
        fainter = [] if above else _fainter(local, image, seen, places, threshold)
        if not (above or fainter) or len(places) == MOST:
            break
        peak = (above or fainter)[0]
        fit = _fitted(local, image, peak, measure, notes if above else [])
        if fit is None and not above:
            places.append((peak.y, peak.x))  # to the template alone it looked like a point
            continue
        place = (peak.y, peak.x) if fit is None else fit.point.place(image.shape)
        places.append(place)
        if fit is not None and _known(place, places[:-1], local.fwhm):
            continue  # what is left of a source that was taken out already
        if not above:
            notes.append(_found_by_matching(peak, local))
        found.append(peak)
        fits.append(fit)
        if fit is not None:
            local = local.having(fit.point.negative())
            image = local.whole_image
    if above or fainter:
        notes.append(f"More than {MOST} peaks above {threshold:g}σ in one image: the best are measured.")
    return Census(tuple(found), tuple(fits), local, masked(image, places, HIDDEN * local.fwhm), tuple(notes))


def _fainter(
    local: LocalReduction, image: Images, snr: Images, places: list[tuple[float, float]], threshold: float
) -> list[Peak]:
    """Sources that only the matched filter shows, once none is left in the S/N map."""
    matched = masked(matched_map(image, local.psf, local.fwhm), places, HIDDEN * local.fwhm)
    return matched_peaks(image, snr, matched, local.fwhm, threshold)


def _found_by_matching(peak: Peak, local: LocalReduction) -> str:
    place = point_at(peak.y, peak.x, 0.0, local.shape)
    where = f"{place.separation * local.cube.pixel_scale:.0f} mas, {place.position_angle:.0f}°"
    chance = f"{peak.false_alarm_probability:.1g}"
    return (
        f"The source at {where} was found by the matched filter, at a chance of {chance} in noise; "
        f"its S/N is {peak.snr:.1f}."
    )


def _fitted(local: LocalReduction, image: Images, peak: Peak, measure: Measure, notes: list[str]) -> Fit | None:
    guess = point_at(peak.y, peak.x, 0.0, image.shape)
    try:
        return measure(local, image, guess)
    except Unprocessable as failure:
        separation = guess.separation * local.cube.pixel_scale
        notes.append(
            f"The source at {separation:.0f} mas, {guess.position_angle:.0f}° is given where its peak is: "
            f"{failure.message}."
        )
        return None


def _known(place: tuple[float, float], places: list[tuple[float, float]], fwhm: float) -> bool:
    return any(np.hypot(place[0] - y, place[1] - x) < CLOSEST * fwhm for y, x in places)
