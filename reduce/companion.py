"""Fits and peaks in pixels and counts, as separations, angles and contrasts on the sky with all their errors."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lyot.cube import Floats
from lyot.reduce.characterise import AstrometryErrors, Fit, east_north, sky_covariance
from lyot.reduce.detect import Peak
from lyot.reduce.inject import point_at
from lyot.reduce.reduction import Source

SIGMA_OF_FWHM = 1.0 / 2.355
PIXEL = 1.0 / 12.0  # px², variance of a place known to a pixel


@dataclass(frozen=True, eq=False)
class Companion:
    """A companion as fitted; errors 1σ, those of the instrument included.

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


def companion_of(
    fit: Fit, pixel_scale: float, star: float | None, errors: AstrometryErrors, star_error: float = 0.0
) -> Companion:
    """A fit, on the sky.

    Parameters
    ----------
    fit : Fit
    pixel_scale : float, mas/px
    star : float, counts, optional
        What the star's flux in an aperture of diameter 1 FWHM would be at the companion's place.
    errors : AstrometryErrors
    star_error : float
        Relative 1σ error of `star`; it is in the error of the contrast, and the same for all companions of a star.
    """
    point = fit.point
    sky = sky_covariance(fit, pixel_scale, errors)
    covariance = np.zeros((3, 3))
    covariance[:2, :2] = east_north(sky, point.position_angle)
    sine, cosine = math.sin(math.radians(point.position_angle)), math.cos(math.radians(point.position_angle))
    covariance[:2, 2] = np.array([[sine, cosine], [cosine, -sine]]) @ fit.covariance[:2, 2] * pixel_scale
    covariance[2, :2] = covariance[:2, 2]
    covariance[2, 2] = fit.covariance[2, 2]
    flux_error = math.sqrt(fit.covariance[2, 2])
    separation = point.separation * pixel_scale
    return Companion(
        separation_px=point.separation,
        separation_px_error=math.sqrt(sky[0, 0]) / pixel_scale,
        separation=separation,
        separation_error=math.sqrt(sky[0, 0]),
        position_angle=point.position_angle,
        position_angle_error=math.degrees(math.sqrt(sky[1, 1]) / separation),
        flux=point.flux,
        flux_error=flux_error,
        contrast=None if star is None else point.flux / star,
        contrast_error=None if star is None else math.hypot(flux_error, point.flux * star_error) / star,
        covariance=covariance,
    )


def at_peak(peak: Peak, shape: tuple[int, ...], fwhm: float) -> Fit:
    """A peak in place of a fit: its place is known to FWHM / (2.355 S/N) and a pixel's rounding, its flux is not."""
    point = point_at(peak.y, peak.x, 0.0, shape)
    variance = (SIGMA_OF_FWHM * fwhm / peak.snr) ** 2 + PIXEL
    return Fit(point, np.diag([variance, variance, math.nan]))


def source_of(companion: Companion, peak: Peak, number: int, wave: int) -> Source:
    """A row of a reduction's list of sources."""
    angle = math.radians(companion.position_angle)
    east, north = math.sqrt(companion.covariance[0, 0]), math.sqrt(companion.covariance[1, 1])
    known = companion.contrast is not None and math.isfinite(companion.flux_error)
    return Source(
        number=number,
        wave=wave,
        separation=companion.separation,
        separation_error=companion.separation_error,
        position_angle=companion.position_angle,
        position_angle_error=companion.position_angle_error,
        dra=companion.separation * math.sin(angle),
        dra_error=east,
        ddec=companion.separation * math.cos(angle),
        ddec_error=north,
        dra_ddec_correlation=float(companion.covariance[0, 1] / (east * north)),
        snr=peak.snr,
        false_alarm_probability=peak.false_alarm_probability,
        contrast=companion.contrast if known else None,
        contrast_error=companion.contrast_error if known else None,
    )
