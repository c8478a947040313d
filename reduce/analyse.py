"""The complete analysis of a cube by one recipe: images, S/N maps, limits, sources; and each part by itself."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from astropy import units
from astropy.table import Table
from numpy.typing import NDArray

from lyot.cube import Cube, Floats, Images, star_position
from lyot.errors import BadInput, Unprocessable
from lyot.reduce import starlight
from lyot.reduce.characterise import AstrometryErrors, Fit, characterise, east_north, sky_covariance
from lyot.reduce.detect import Peak, masked, peaks
from lyot.reduce.inject import Point, point_at
from lyot.reduce.limits import limits
from lyot.reduce.measure import false_alarm_probability, snr_map
from lyot.reduce.psf_image import fwhm_of, own_normalisation, star_flux_of
from lyot.reduce.recipes import RECIPES
from lyot.reduce.reduction import Limit, Reduction, Source
from lyot.reduce.step import Collapse, Recipe, Step, Strategy

THRESHOLD = 5.0  # S/N from which a peak is measured
MOST = 20  # sources measured in one image; a recipe that leaves more has left starlight
HIDDEN = 1.5  # FWHM around a source that count as no noise
NO_ERRORS = AstrometryErrors()


def subtract(
    cube: Cube, model: Recipe | Step | str, strategy: Strategy = "adi", collapse: Collapse = "median"
) -> Reduction:
    """Subtract the starlight from every frame, turn North up, and combine over time.

    Parameters
    ----------
    cube : Cube
    model : a starlight model, or a recipe or its name (which then says strategy and collapse)
    strategy : where the model looks: "adi", "sdi", "asdi" or "rdi"
    collapse : "median" or "mean"

    Returns
    -------
    Reduction
        With `image` (wave, y, x), `residuals` (wave, time, y, x), `record`.
    """
    return starlight.subtract(cube, as_recipe(model, strategy, collapse))


def as_recipe(recipe: Recipe | Step | str, strategy: Strategy = "adi", collapse: Collapse = "median") -> Recipe:
    """A recipe, the recipe of that name, or that of a bare model.

    Raises
    ------
    BadInput
        If there is no recipe of that name.
    """
    if isinstance(recipe, Recipe):
        return recipe
    if isinstance(recipe, str):
        if recipe not in RECIPES:
            raise BadInput(f"there is no recipe {recipe!r}; there are {', '.join(RECIPES)}")
        return RECIPES[recipe]
    return Recipe(name=type(recipe).__name__.lower(), model=recipe, strategy=strategy, collapse=collapse)


def find_companions(image: NDArray[np.floating], fwhm: float, threshold: float = THRESHOLD) -> Table:
    """Candidate point sources of an image with North up, best first.

    Parameters
    ----------
    image : (y, x), counts
    fwhm : float, px
    threshold : float
        Least S/N (Mawet et al. 2014).

    Returns
    -------
    Table with `y`, `x`, `separation` (px), `position_angle` (deg), `snr`, `false_alarm_probability`
    """
    found = peaks(snr_map(image, fwhm), fwhm, threshold)
    points = [point_at(peak.y, peak.x, 0.0, image.shape) for peak in found]
    return Table(
        {
            "y": units.Quantity([peak.y for peak in found], units.pix),
            "x": units.Quantity([peak.x for peak in found], units.pix),
            "separation": units.Quantity([point.separation for point in points], units.pix),
            "position_angle": units.Quantity([point.position_angle for point in points], units.deg),
            "snr": np.array([peak.snr for peak in found], dtype=float),
            "false_alarm_probability": np.array([peak.false_alarm_probability for peak in found], dtype=float),
        }
    )


def contrast_curve(cube: Cube, recipe: Recipe | Step | str, sigma: float = 5.0) -> Table:
    """Contrast that a source must reach to stand out, against separation.

    Sources found above 5σ are hidden first, so that they do not count as noise.

    Parameters
    ----------
    cube : Cube
        With a PSF and a star flux.
    recipe : a recipe, its name, or a bare model
    sigma : float

    Returns
    -------
    Table with `wavelength` (µm), `separation` (px and mas), `throughput`, `contrast_mawet`, `contrast_annulus`

    Raises
    ------
    Unprocessable
        If the cube has no PSF or no star flux, without which no contrast exists.
    """
    if cube.star_flux is None:
        raise Unprocessable("no star flux is known, so no contrast can be stated", hint="give the cube a star_flux")
    plan = as_recipe(recipe)
    image = starlight.subtract(cube, plan).image
    curves: list[Limit] = []
    for wave in range(len(image)):
        curves += _limits(cube, plan, image[wave], wave, sigma, _points(image[wave], fwhm_of(cube, wave)))
    mawet = [curve for curve in curves if curve.noise == "mawet"]
    annulus = [curve for curve in curves if curve.noise == "annulus"]
    if not mawet:
        raise Unprocessable("the field is too small, or too much of it is masked, to measure noise in")
    separation = np.concatenate([curve.separation for curve in mawet])
    wavelength = np.concatenate([np.full(len(curve.separation), cube.wavelengths[curve.wave]) for curve in mawet])
    return Table(
        {
            "wavelength": wavelength * units.um,
            "separation_px": separation / cube.pixel_scale * units.pix,
            "separation": separation * units.mas,
            "throughput": np.concatenate([curve.throughput for curve in mawet]),
            "contrast_mawet": np.concatenate([curve.contrast for curve in mawet]),
            "contrast_annulus": np.concatenate([curve.contrast for curve in annulus]),
        }
    )


@dataclass(frozen=True, eq=False)
class Companion:
    """A companion as `fit_companion` finds it; errors 1σ.

    `separation_px` px, `separation` mas, `position_angle` deg East of North, `flux` counts in an aperture of diameter
    1 FWHM, `contrast` companion / star (None without a star flux), `covariance` of (East mas, North mas, flux counts).
    """

    separation_px: float
    separation_px_error: float
    separation: float
    separation_error: float
    position_angle: float
    position_angle_error: float
    flux: float
    flux_error: float
    contrast: float | None
    contrast_error: float | None
    covariance: Floats


def fit_companion(
    cube: Cube,
    recipe: Recipe | Step | str,
    guess: Mapping[str, float],
    errors: AstrometryErrors = NO_ERRORS,
    *,
    wave: int = 0,
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
    star = star_flux_of(cube, wave)
    flux = float(guess.get("flux", guess.get("contrast", 0.0) * (star or 0.0)))
    point = Point(float(guess["separation"]), float(guess["position_angle"]), flux)
    plan, fwhm = as_recipe(recipe), fwhm_of(cube, wave)
    image = starlight.subtract(cube.channel(wave), plan).image[0]
    return _companion(cube, characterise(cube, plan, image, point, fwhm, wave=wave), errors, star)


def _companion(cube: Cube, fit: Fit, errors: AstrometryErrors, star: float | None) -> Companion:
    scale, point = cube.pixel_scale, fit.point
    sky = sky_covariance(fit, scale, errors)
    covariance = np.zeros((3, 3))
    covariance[:2, :2] = east_north(sky, point.position_angle)
    sine, cosine = math.sin(math.radians(point.position_angle)), math.cos(math.radians(point.position_angle))
    covariance[:2, 2] = np.array([[sine, cosine], [cosine, -sine]]) @ fit.covariance[:2, 2] * scale
    covariance[2, :2] = covariance[:2, 2]
    covariance[2, 2] = fit.covariance[2, 2]
    flux_error = math.sqrt(fit.covariance[2, 2])
    separation = point.separation * scale
    return Companion(
        separation_px=point.separation,
        separation_px_error=math.sqrt(sky[0, 0]) / scale,
        separation=separation,
        separation_error=math.sqrt(sky[0, 0]),
        position_angle=point.position_angle,
        position_angle_error=math.degrees(math.sqrt(sky[1, 1]) / separation),
        flux=point.flux,
        flux_error=flux_error,
        contrast=None if star is None else point.flux / star,
        contrast_error=None if star is None else flux_error / star,
        covariance=covariance,
    )


def analyse(cube: Cube, recipe: Recipe | Step | str, *, errors: AstrometryErrors = NO_ERRORS) -> Reduction:
    """Everything one recipe has to say about a cube.

    Parameters
    ----------
    cube : Cube
    recipe : a recipe, its name, or a bare model
    errors : AstrometryErrors
        What the instrument adds to the errors of positions.

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
    plan = as_recipe(recipe)
    reduction = starlight.subtract(cube, plan)
    notes = list(reduction.notes)
    if cube.psf is None and cube.fwhm is None:
        return replace(reduction, notes=(*notes, "No PSF and no FWHM: nothing was measured."))
    if cube.psf is None:
        notes.append("No PSF: no throughput, no limits, sources are not fitted.")
    if cube.star_flux is None:
        notes.append("No star flux: no contrast is stated.")
    elif own := own_normalisation(cube):
        notes.append(
            f"The PSF came normalised: its flux in an aperture of {fwhm_of(cube):.2f} px, 1 FWHM, is {own:.3f}, "
            "by which the star flux is multiplied."
        )
    snr = np.stack([snr_map(image, fwhm_of(cube, wave)) for wave, image in enumerate(reduction.image)])
    sources: list[Source] = []
    curves: list[Limit] = []
    corrected = np.full_like(reduction.image, np.nan)
    for wave, image in enumerate(reduction.image):
        fwhm = fwhm_of(cube, wave)
        found = peaks(snr[wave], fwhm, THRESHOLD)
        if len(found) > MOST:
            notes.append(f"{len(found)} peaks above {THRESHOLD:g}σ at wavelength {wave}: the best {MOST} are kept.")
            found = found[:MOST]
        for peak in found:
            sources.append(_source(cube, plan, image, peak, errors, wave, len(sources) + 1, notes))
        if cube.psf is not None:
            known = [point_at(peak.y, peak.x, 0.0, image.shape) for peak in found]
            curves += _limits(cube, plan, image, wave, THRESHOLD, known)
    for curve in curves:
        if curve.noise == "mawet":
            corrected[curve.wave] = _corrected(reduction.image[curve.wave], curve, cube.pixel_scale)
    return replace(
        reduction,
        corrected=corrected if curves else None,
        stacked=_stacked(reduction.image),
        snr=snr,
        limits=tuple(curves),
        sources=tuple(sources),
        notes=tuple(notes),
    )


def _points(image: Images, fwhm: float) -> list[Point]:
    """Where an image has sources above 5σ."""
    return [point_at(peak.y, peak.x, 0.0, image.shape) for peak in peaks(snr_map(image, fwhm), fwhm, THRESHOLD)]


def _limits(
    cube: Cube, recipe: Recipe, image: Images, wave: int, sigma: float, known: Sequence[Point]
) -> tuple[Limit, ...]:
    """Limits with known sources hidden."""
    places = [point.place(image.shape) for point in known]
    hidden = masked(image, places, HIDDEN * fwhm_of(cube, wave))
    return limits(cube, recipe, hidden, wave=wave, sigma=sigma, avoid=known)


def _stacked(image: Images) -> Images:
    """Mean over wavelength, what was not seen left out."""
    seen = np.isfinite(image)
    total = np.where(seen, image, 0).sum(axis=0, dtype=np.float64)
    return np.where(seen.any(axis=0), total / np.maximum(seen.sum(axis=0), 1), np.nan).astype(np.float32)


def _corrected(image: Images, curve: Limit, pixel_scale: float) -> Images:
    """The image over the throughput at each separation, which is held at its ends outside the curve."""
    cy, cx = star_position(image.shape)
    y, x = np.ogrid[: image.shape[0], : image.shape[1]]
    kept = np.interp(np.hypot(y - cy, x - cx) * pixel_scale, curve.separation, curve.throughput)
    return np.asarray(image / kept, dtype=np.float32)


def _source(
    cube: Cube,
    recipe: Recipe,
    image: Images,
    peak: Peak,
    errors: AstrometryErrors,
    wave: int,
    number: int,
    notes: list[str],
) -> Source:
    """A peak as measured; one whose fit fails keeps its place, with the error of a peak, and a note says so."""
    fwhm = fwhm_of(cube, wave)
    guess = point_at(peak.y, peak.x, 0.0, image.shape)
    star = star_flux_of(cube, wave)
    fitted = False
    fit = Fit(guess, np.diag([(fwhm / (2.355 * peak.snr)) ** 2 + 1 / 12] * 2 + [math.nan]))
    if cube.psf is not None:
        try:
            fit, fitted = characterise(cube, recipe, image, guess, fwhm, wave=wave), True
        except Unprocessable as failure:
            notes.append(f"Source {number} is where its peak is: {failure.message}.")
    sky = sky_covariance(fit, cube.pixel_scale, errors)
    offsets = east_north(sky, fit.point.position_angle)
    separation = fit.point.separation * cube.pixel_scale
    angle = math.radians(fit.point.position_angle)
    return Source(
        number=number,
        wave=wave,
        separation=separation,
        separation_error=math.sqrt(sky[0, 0]),
        position_angle=fit.point.position_angle,
        position_angle_error=math.degrees(math.sqrt(sky[1, 1]) / separation),
        dra=separation * math.sin(angle),
        dra_error=math.sqrt(offsets[0, 0]),
        ddec=separation * math.cos(angle),
        ddec_error=math.sqrt(offsets[1, 1]),
        dra_ddec_correlation=float(offsets[0, 1] / math.sqrt(offsets[0, 0] * offsets[1, 1])),
        snr=peak.snr,
        false_alarm_probability=false_alarm_probability(peak.snr, fwhm, guess.separation),
        contrast=fit.point.flux / star if fitted and star else None,
        contrast_error=math.sqrt(fit.covariance[2, 2]) / star if fitted and star else None,
    )
