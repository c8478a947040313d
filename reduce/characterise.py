"""Place and flux of a point source, by taking it out of the frames, and how wrong they may be."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lyot.cube import Floats, star_position
from lyot.errors import Unprocessable
from lyot.reduce.inject import Point, point_at
from lyot.reduce.local import LocalReduction
from lyot.reduce.parallel import each

REACH = 1.25  # FWHM around a source on which the fit looks
ROUNDS = 40  # of Gauss–Newton; ten suffice for a source that is one
SETTLED = 2e-3  # px, and part of the flux: far below any error
GAIN = 1e-3  # of what is left: what noise in the few places it comes from makes uncertain a hundred times over
TRIALS = (8, 16)  # fewest and most azimuths at which errors are measured
VALLEYS = ((0.0, 0.0), (0.5, 0.0), (-0.5, 0.0), (0.0, 0.5), (0.0, -0.5))  # px from the peak, where fits begin
AWAY = 2.0  # FWHM from a source to the nearest trial


@dataclass(frozen=True)
class AstrometryErrors:
    """1σ errors of what turns pixels into angles on the sky.

    `pixel_scale` mas/px, `north` deg (true north and pupil offset together), `centre` px (of the star, each axis),
    `distortion` of a separation, relative.
    """

    pixel_scale: float = 0.0
    north: float = 0.0
    centre: float = 0.0
    distortion: float = 2e-4  # Maire et al. 2016, Proc. SPIE 9908, 990834


@dataclass(frozen=True, eq=False)
class Fit:
    """A source as fitted, and the covariance of (radial px, tangential px, flux counts); NaN until measured.

    Radial grows away from the star, tangential with position angle.
    """

    point: Point
    covariance: Floats
    trials: int = 0


def fit_source(
    local: LocalReduction, guess: Point, background: float = 0.0, starts: Sequence[tuple[float, float]] = ((0.0, 0.0),)
) -> Point:
    """Place and flux of the source whose negative, put into the frames, leaves least behind.

    Least squares over the pixels within 1.25 FWHM of the guess, by Gauss–Newton with damping: the whole reduction is
    repeated there for each trial, so that self-subtraction is in the model.

    Parameters
    ----------
    local : LocalReduction
    guess : Point
        Within about half a FWHM; of flux 0, the flux is guessed too.
    background : float, counts
        Level of the image around the source.
    starts : (y, x) px from the guess where fits begin
        Of several, the one counts that leaves least: a strong source changes the components, so that what is left has
        more than one valley, and the one at the peak is not always the deepest.

    Raises
    ------
    Unprocessable
        If the fit runs away from the guess, settles on no positive flux, or does not settle.

    References
    ----------
    Lagrange et al. 2010, Science 329, 57; Marois, Macintosh & Véran 2010, Proc. SPIE 7736, 77361J.
    """
    fwhm = local.fwhm
    y, x = guess.place(local.shape)
    window = local.window(y, x, math.ceil(REACH * fwhm))
    used = np.hypot(window.y - y, window.x - x) <= REACH * fwhm
    if min(used.shape) < 2 * math.ceil(REACH * fwhm) + 1:
        raise Unprocessable("the source is too near the edge of the field to be fitted")

    def left(parameters: Floats) -> Floats:
        point = point_at(parameters[0], parameters[1], -parameters[2], local.shape)
        return np.asarray((window.image(point).astype(np.float64) - background)[used])

    if not np.isfinite(left(np.array([y, x, 0.0]))).all():
        raise Unprocessable("the source stands beside pixels that nobody saw")
    flux = guess.flux or _flux_guess(left, np.array([y, x, 0.0]), float(local.psf.max()))
    ends = each(lambda off: _settled(left, np.array([y + off[0], x + off[1], flux])), list(starts))
    reached = [end for end in ends if end is not None]
    if not reached:
        raise Unprocessable(f"the fit has not settled after {ROUNDS} rounds")
    found = min(reached, key=lambda end: float((left(end) ** 2).sum()))
    if math.hypot(found[0] - y, found[1] - x) > 0.75 * fwhm:
        raise Unprocessable("the fit ran away from the peak")
    if not found[2] > 0:
        raise Unprocessable(f"the fit gives a flux of {found[2]:.3g} counts, no source")
    return point_at(float(found[0]), float(found[1]), float(found[2]), local.shape)


def _flux_guess(left: Callable[[Floats], Floats], start: Floats, peak: float) -> float:
    """Flux at which the response to a source fits the image best, the place being right; three rounds."""
    here = left(start)
    flux = max(float(here.max()), float(here.std())) / peak
    for _ in range(3):
        response = (here - left(start + np.array([0.0, 0.0, flux]))) / flux
        power = float(response @ response)
        better = float(response @ here) / power if power > 0 else 0.0
        if not better > 0:
            raise Unprocessable("nothing at the peak looks like a point source")
        flux = min(better, 10.0 * flux)
    return flux


def _settled(left: Callable[[Floats], Floats], start: Floats) -> Floats | None:
    """Minimise |left|² over (y, x, flux) by Gauss–Newton, no step longer than those that served; None if it goes on.

    Derivatives are found by differences at the start, and corrected by what each step shows (Broyden 1965, Math. Comp.
    19, 577). A median of frames makes |left|² rough by less than its noise: a step that gains less is the last.
    """
    here, scale, longest = start, np.array([1.0, 1.0, abs(start[2])]), 1.0
    residual = left(here)
    parts = np.diag([0.05, 0.05, 0.02])
    beside = each(left, [here + part * scale for part in parts])
    slope = np.stack([(one - residual) / part.sum() for one, part in zip(beside, parts, strict=True)], axis=1)
    for _ in range(ROUNDS):
        step = -np.linalg.lstsq(slope, residual, rcond=None)[0]
        step *= min(1.0, longest / max(1e-12, float(np.abs(step).max())))
        trial = left(here + step * scale)
        slope = slope + np.outer(trial - residual - slope @ step, step) / (step @ step)
        left_over, gain = float(trial @ trial), float(residual @ residual - trial @ trial)
        if gain >= 0:
            here, residual, longest = here + step * scale, trial, min(1.0, 2.0 * longest)
        else:
            longest = float(np.abs(step).max()) / 4.0
        if longest < SETTLED or np.abs(step).max() < SETTLED or 0 <= gain < GAIN * left_over:
            return here
    return None


def characterise(local: LocalReduction, image: NDArray[np.floating], guess: Point) -> Fit:
    """Fit a source, then measure the errors by fitting simulated ones at other azimuths of the same separation.

    The trials are put into the cube from which the source has been taken, at least 2 FWHM from it along the circle.

    Parameters
    ----------
    local : LocalReduction
    image : (y, x), counts
        What the recipe makes of the cube at this wavelength: it tells the background.
    guess : Point

    Raises
    ------
    Unprocessable
        If the fit fails, or fewer than eight trials come back.
    """
    background = ring_level(image, guess, local.fwhm)
    found = fit_source(local, guess, background, VALLEYS)
    offsets = each(lambda angle: _offset(local, found, angle, background), trial_angles(found, local.fwhm).tolist())
    known = np.array([offset for offset in offsets if offset is not None])
    if len(known) < TRIALS[0]:
        raise Unprocessable(f"{len(known)} of {len(offsets)} simulated sources could be fitted, {TRIALS[0]} are needed")
    return Fit(found, known.T @ known / len(known), len(known))


def fit_only(local: LocalReduction, image: NDArray[np.floating], guess: Point) -> Fit:
    """Fit a source without its errors, where it is only to be taken out; raises as `fit_source`."""
    return Fit(fit_source(local, guess, ring_level(image, guess, local.fwhm)), np.full((3, 3), np.nan))


def ring_level(image: NDArray[np.floating], point: Point, fwhm: float) -> float:
    """Median of the image on the ring through a source, 1 FWHM wide, without the part within 2 FWHM of it."""
    cy, cx = star_position(image.shape)
    y, x = np.ogrid[: image.shape[0], : image.shape[1]]
    row, column = point.place(image.shape)
    ring = np.abs(np.hypot(y - cy, x - cx) - point.separation) <= fwhm / 2
    pixels = image[ring & (np.hypot(y - row, x - column) > AWAY * fwhm) & np.isfinite(image)]
    return float(np.median(pixels)) if pixels.size else 0.0


def trial_angles(point: Point, fwhm: float) -> Floats:
    """Position angles (deg) at which trials of a source are made: evenly over the rest of its circle."""
    away = math.degrees(2.0 * math.asin(min(1.0, AWAY * fwhm / (2.0 * point.separation))))
    free = 360.0 - 2.0 * away
    count = int(np.clip(free / math.degrees(fwhm / point.separation), *TRIALS))
    return np.asarray((point.position_angle + away + free * np.arange(count) / (count - 1)) % 360.0)


def _offset(
    local: LocalReduction, found: Point, angle: float, background: float
) -> tuple[float, float, float] | None:
    """By how much (radial px, tangential px, counts) the fit of a simulated source misses; None where it fails."""
    put = Point(found.separation, angle, found.flux)
    try:
        got = fit_source(local.having(found.negative(), put), put, background)
    except Unprocessable:
        return None
    turn = math.radians((got.position_angle - put.position_angle + 180.0) % 360.0 - 180.0)
    return got.separation - put.separation, put.separation * turn, got.flux - put.flux


def sky_covariance(fit: Fit, pixel_scale: float, errors: AstrometryErrors) -> Floats:
    """Covariance of (radial, tangential), mas², with what the instrument adds.

    σ²(radial) = σ²(fit) + σ²(centre) + (ρ σ(scale) / scale)² + (distortion ρ)²,
    σ²(tangential) = σ²(fit) + σ²(centre) + (ρ σ(north))², ρ the separation.
    """
    separation = fit.point.separation * pixel_scale
    total: Floats = fit.covariance[:2, :2] * pixel_scale**2 + np.eye(2) * (errors.centre * pixel_scale) ** 2
    total[0, 0] += separation**2 * ((errors.pixel_scale / pixel_scale) ** 2 + errors.distortion**2)
    total[1, 1] += (separation * math.radians(errors.north)) ** 2
    return total


def east_north(covariance: Floats, position_angle: float) -> Floats:
    """A covariance of (radial, tangential) as one of (East, North); `position_angle` in deg."""
    sine, cosine = math.sin(math.radians(position_angle)), math.cos(math.radians(position_angle))
    turn = np.array([[sine, cosine], [cosine, -sine]])
    return np.asarray(turn @ covariance @ turn.T)
