"""The complete analysis of a cube by one recipe: images, S/N maps, limits, sources; and each part by itself."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from astropy import units
from astropy.table import Table
from numpy.typing import NDArray

from lyot.cube import Cube, Images
from lyot.errors import BadInput, Unprocessable
from lyot.instrument import Coronagraph
from lyot.reduce import starlight
from lyot.reduce.census import HIDDEN, MOST, take_census
from lyot.reduce.characterise import AstrometryErrors, Fit, characterise, fit_only
from lyot.reduce.collapse import collapse as collapse_over
from lyot.reduce.companion import Companion, at_peak, companion_of, source_of
from lyot.reduce.detect import Peak, masked, matched_peaks, peaks, same_source
from lyot.reduce.inject import Point, point_at
from lyot.reduce.limits import corrected, limits
from lyot.reduce.local import prepare
from lyot.reduce.matched import matched_map
from lyot.reduce.measure import snr_map
from lyot.reduce.psf_image import fwhm_of, own_normalisation, star_flux_of
from lyot.reduce.recipes import as_recipe
from lyot.reduce.reduction import Limit, Reduction
from lyot.reduce.settle import settle
from lyot.reduce.step import Recipe, Step

THRESHOLD = 5.0  # S/N from which a peak is measured
NO_ERRORS = AstrometryErrors()


def find_companions(
    image: NDArray[np.floating], fwhm: float, threshold: float = THRESHOLD, *, psf: NDArray[np.floating] | None = None
) -> Table:
    """Candidate point sources of an image with North up, best first.

    Parameters
    ----------
    image : (y, x), counts
    fwhm : float, px
    threshold : float
        Least S/N (Mawet et al. 2014).
    psf : (y, x), optional
        With it, what only a matched filter shows is found, too: its S/N may be less, its chance in noise is 1e-5 at
        most.

    Returns
    -------
    Table with `y`, `x`, `separation` (px), `position_angle` (deg), `snr`, `false_alarm_probability`
    """
    snr = snr_map(image, fwhm)
    found = peaks(image, snr, fwhm, threshold)
    if psf is not None:
        hidden = [(peak.y, peak.x) for peak in found]
        others = masked(matched_map(image, psf, fwhm), hidden, HIDDEN * fwhm)
        found += matched_peaks(image, snr, others, fwhm, threshold)
    points = [point_at(peak.y, peak.x, 0.0, image.shape) for peak in found]
    return Table(
        {
            "y": np.array([peak.y for peak in found], dtype=float) * units.pix,
            "x": np.array([peak.x for peak in found], dtype=float) * units.pix,
            "separation": np.array([point.separation for point in points], dtype=float) * units.pix,
            "position_angle": np.array([point.position_angle for point in points], dtype=float) * units.deg,
            "snr": np.array([peak.snr for peak in found], dtype=float),
            "false_alarm_probability": np.array([peak.false_alarm_probability for peak in found], dtype=float),
        }
    )


def contrast_curve(
    cube: Cube, recipe: Recipe | Step | str, sigma: float = 5.0, *, library: Images | None = None
) -> Table:
    """Contrast that a source must reach to stand out, against separation.

    Sources found above 5σ are taken out of the frames first, so that neither they nor what they leave in the
    starlight model counts as noise.

    Parameters
    ----------
    cube : Cube
        With a PSF and a star flux.
    recipe : a recipe, its name, or a bare model
    sigma : float
    library : (nref, y, x), counts
        Frames of other stars, for strategy "rdi".

    Returns
    -------
    Table with `wavelength` (µm), `separation` (px), `angular_separation` (mas), `contrast` (that of Mawet et al.),
    `throughput`, and the limit by either definition of the noise, `contrast_mawet` and `contrast_annulus`

    Raises
    ------
    Unprocessable
        If the cube has no PSF or no star flux, without which no contrast exists, or the field is too small.
    """
    if cube.star_flux is None:
        raise Unprocessable("no star flux is known, so no contrast can be stated", hint="give the cube a star_flux")
    settled = settle(cube, as_recipe(recipe), library)
    cube, plan = settled.cube, settled.recipe
    image = starlight.subtract(cube, plan, library).image
    rows: list[list[np.ndarray]] = []
    for wave in range(len(image)):
        census = take_census(prepare(cube, plan, wave, library), image[wave], fit_only, THRESHOLD)
        curves = {limit.noise: limit for limit in limits(census.local, census.image, sigma, census.points)}
        if curves:
            mawet, annulus = curves["mawet"], curves["annulus"]
            wavelength = np.full(len(mawet.separation), cube.wavelengths[wave])
            rows.append([wavelength, mawet.separation, mawet.throughput, mawet.contrast, annulus.contrast])
    if not rows:
        raise Unprocessable("the field is too small, or too much of it is masked, to measure noise in")
    wavelength, separation, throughput, mawet_contrast, annulus_contrast = (
        np.concatenate(column) for column in zip(*rows, strict=True)
    )
    return Table(
        {
            "wavelength": wavelength * units.um,
            "separation": separation / cube.pixel_scale * units.pix,
            "angular_separation": separation * units.mas,
            "contrast": mawet_contrast,
            "throughput": throughput,
            "contrast_mawet": mawet_contrast,
            "contrast_annulus": annulus_contrast,
        }
    )


def fit_companion(
    cube: Cube,
    recipe: Recipe | Step | str,
    guess: Mapping[str, float],
    errors: AstrometryErrors = NO_ERRORS,
    *,
    wave: int = 0,
    library: Images | None = None,
) -> Companion:
    """Place and brightness of a companion by negative injection, errors by injections at other azimuths.

    Parameters
    ----------
    cube : Cube
        With a PSF.
    recipe : a recipe, its name, or a bare model
    guess : named values
        `separation` (px) and `position_angle` (deg), within half a FWHM of the companion; `contrast` or `flux`
        (counts) if known.
    errors : AstrometryErrors
        What the instrument adds.
    wave : int
    library : (nref, y, x), counts
        Frames of other stars, for strategy "rdi".

    Raises
    ------
    BadInput
        If the guess lacks separation or position angle.
    Unprocessable
        If the cube has no PSF, or the fit fails.
    """
    missing = {"separation", "position_angle"} - set(guess)
    if missing:
        raise BadInput(f"the guess of a companion lacks {' and '.join(sorted(missing))}")
    settled = settle(cube, as_recipe(recipe), library)
    local = prepare(settled.cube, settled.recipe, wave, library)
    star = _star_at(cube, wave, float(guess["separation"]))
    flux = float(guess.get("flux", guess.get("contrast", 0.0) * (star or 0.0)))
    point = Point(float(guess["separation"]), float(guess["position_angle"]), flux)
    fit = characterise(local, local.whole_image, point)
    star = _star_at(cube, wave, fit.point.separation)
    return companion_of(fit, cube.pixel_scale, star, errors, _star_error(cube, wave))


def analyse(
    cube: Cube,
    recipe: Recipe | Step | str,
    *,
    errors: AstrometryErrors = NO_ERRORS,
    library: Images | None = None,
) -> Reduction:
    """Everything one recipe has to say about a cube.

    Parameters
    ----------
    cube : Cube
    recipe : a recipe, its name, or a bare model
    errors : AstrometryErrors
        What the instrument adds to the errors of positions.
    library : (nref, y, x), counts
        Frames of other stars, for strategy "rdi".

    Returns
    -------
    Reduction
        With images, S/N maps, 5σ limits by both definitions of the noise, and every peak above 5σ measured. What could
        not be had (no PSF, no star flux, a fit that failed) is said in `notes`.

    Raises
    ------
    BadInput, Unprocessable
        As `lyot.reduce.starlight.subtract`.
    """
    settled = settle(cube, as_recipe(recipe), library)
    cube, plan = settled.cube, settled.recipe
    reduction = settled.told(starlight.subtract(cube, plan, library))
    image, notes = reduction.image, [*reduction.notes, *_understood(cube)]
    made = replace(reduction, stacked=collapse_over(image, "mean"), notes=tuple(notes))
    if cube.psf is None and cube.fwhm is None:
        return made
    widths = np.array([fwhm_of(cube, wave) for wave in range(len(image))])
    cube = replace(cube, fwhm=widths)  # measured once
    snr = np.stack([snr_map(plane, fwhm) for plane, fwhm in zip(image, widths, strict=True)])
    found = [_sources(cube, plan, wave, image[wave], library) for wave in range(len(image))]
    numbers = same_source([[peak for peak, _ in sources] for sources, _, _ in found], widths)
    sources = [
        source_of(companion_of(fit, cube.pixel_scale, star, errors, _star_error(cube, wave)), peak, number, wave)
        for wave, (measured, _, _) in enumerate(found)
        for (peak, fit), number in zip(measured, numbers[wave], strict=True)
        for star in (_star_at(cube, wave, fit.point.separation),)
    ]
    curves = [limit for _, below, _ in found for limit in below]
    notes += [note for _, _, more in found for note in more]
    return replace(
        made,
        corrected=corrected(image, curves, cube.pixel_scale) if curves else None,
        snr=snr,
        limits=tuple(curves),
        sources=tuple(sorted(sources, key=lambda source: (source.number, source.wave))),
        notes=tuple(notes),
    )


def _star_at(cube: Cube, wave: int, separation: float) -> float | None:
    """What the star's flux would be at `separation` (px), behind the coronagraph; None if nobody knows."""
    star, passes = star_flux_of(cube, wave), cube.transmission(separation)
    return None if star is None or math.isnan(passes) else star * passes


def _star_error(cube: Cube, wave: int) -> float:
    """Relative error of the star's flux; 0 if nobody knows."""
    if cube.star_flux is None or cube.star_flux_error is None:
        return 0.0
    return float(cube.star_flux_error[wave] / cube.star_flux[wave])


def _understood(cube: Cube) -> list[str]:
    """What the reader should know of the PSF, the star's flux and the coronagraph."""
    if cube.psf is None:
        return [
            "Neither PSF nor FWHM is known: nothing was measured."
            if cube.fwhm is None
            else "No PSF: no throughput, no limits, sources are not fitted."
        ]
    if cube.star_flux is None:
        return ["No star flux: no contrast is stated."]
    return [*_of_the_psf(cube), *_of_the_coronagraph(cube.coronagraph)]


def _of_the_psf(cube: Cube) -> list[str]:
    own = own_normalisation(cube)
    if own is None:
        return []
    width = f"its flux in an aperture of {fwhm_of(cube):.2f} px, 1 FWHM, is {own:.3f}, by which"
    if cube.psf_normalised:
        return [f"The PSF is normalised: {width} the star flux is multiplied."]
    return [
        f"JUDGED, NOT SAID: the PSF is taken for normalised, for {width} the star flux is multiplied and every "
        "contrast divided. If it is in counts, say so (--psf-counts); if it is normalised, too (--psf-normalised)."
    ]


def _of_the_coronagraph(mask: Coronagraph | None) -> list[str]:
    if mask is None or (mask.known and min(mask.transmissions) == 1.0):
        return []
    if not mask.known:
        return [f"How much light the coronagraph {mask.name} takes near the star is not known: contrasts leave it out."]
    curve = ", ".join(
        f"{part:.2f} at {apart:.0f} mas" for apart, part in zip(mask.separations, mask.transmissions, strict=True)
    )
    return [
        f"Contrasts make up for what the coronagraph {mask.name} takes: it lets {curve} pass ({mask.reference}). "
        f"Nearer than {mask.separations[0]:.0f} mas no contrast is stated."
    ]


def _sources(
    cube: Cube, recipe: Recipe, wave: int, image: Images, library: Images | None
) -> tuple[list[tuple[Peak, Fit]], list[Limit], tuple[str, ...]]:
    """Sources at one wavelength, limits below them, and notes; a source whose fit failed is given as its peak."""
    fwhm = fwhm_of(cube, wave)
    if cube.psf is None:
        found = peaks(image, snr_map(image, fwhm), fwhm, THRESHOLD)
        return [(peak, at_peak(peak, image.shape, fwhm)) for peak in found[:MOST]], [], ()
    census = take_census(prepare(cube, recipe, wave, library), image, characterise, THRESHOLD)
    below = limits(census.local, census.image, THRESHOLD, census.points)
    return (
        [
            (peak, at_peak(peak, image.shape, fwhm) if fit is None else fit)
            for peak, fit in zip(census.peaks, census.fits, strict=True)
        ],
        [replace(limit, wave=wave) for limit in below],
        census.notes,
    )
