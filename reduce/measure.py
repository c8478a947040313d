"""Noise and signal to noise in a starlight-subtracted image, with few independent places to measure them."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, stdtr, stdtrit

from lyot.cube import Floats, Images, star_position
from lyot.errors import BadInput
from lyot.reduce.apertures import aperture_sums, sum_in_circle, weight_table
from lyot.reduce.parallel import each, spread
from lyot.reduce.rings import apertures_on_ring, ring_step
from lyot.reduce.significance import FEWEST, SUBSTEPS, significance

EXACT = 6.0  # FWHM from the star within which no aperture is interpolated: few are compared, and speckles are steep


def snr_map(image: NDArray[np.floating], fwhm: float) -> Images:
    """Signal to noise of a point source at every pixel, corrected for small samples.

    At each pixel the flux in an aperture of diameter 1 FWHM is compared with that in the other apertures that fit
    side by side on the circle through it about the star. Apertures that touch NaN are left out.

    Parameters
    ----------
    image : (y, x), counts
    fwhm : float, px

    Returns
    -------
    (y, x), dimensionless
        NaN closer than 1 FWHM to the star, where the aperture touches NaN or the edge, and where fewer than half of
        the other apertures, or fewer than four, are in the field.

    Raises
    ------
    BadInput
        If `image` is not an image or `fwhm` is no width.

    References
    ----------
    Mawet et al. 2014, ApJ 792, 97, eq. 9.
    """
    values, radius = _checked(image, fwhm)
    found = significance(values, weight_table(radius, SUBSTEPS), radius, fwhm)
    cy, cx = star_position(values.shape)
    y, x = np.indices(values.shape)
    inner = np.flatnonzero((np.hypot(y - cy, x - cx) < EXACT * fwhm) & np.isfinite(found))
    spread(lambda start, stop: _fill_exactly(found, values, inner[start:stop], cy, cx, fwhm), len(inner))
    return found


@njit(nogil=True, cache=True)
def _fill_exactly(found, image, pixels, cy, cx, fwhm):  # type: ignore[no-untyped-def]
    """S/N at some pixels (flat indices) that have one, every aperture summed where it stands."""
    for pixel in pixels:
        y, x = pixel // image.shape[1], pixel % image.shape[1]
        radius = math.hypot(y - cy, x - cx)
        step, start = 2.0 * math.asin(fwhm / (2.0 * radius)), math.atan2(y - cy, x - cx)
        fluxes = np.empty(math.floor(2.0 * math.pi / step) - 1)
        others = 0
        for k in range(1, len(fluxes) + 1):
            angle = start - k * step
            flux = sum_in_circle(image, cy + radius * math.sin(angle), cx + radius * math.cos(angle), fwhm / 2.0)
            if not math.isnan(flux):
                fluxes[others] = flux
                others += 1
        seen = fluxes[:others]
        deviation = math.sqrt(((seen - seen.mean()) ** 2).sum() / (others - 1) * (1.0 + 1.0 / others))
        if deviation > 0.0:
            here = sum_in_circle(image, float(y), float(x), fwhm / 2.0)
            found[y, x] = (here - seen.mean()) / deviation


def ring_fluxes(image: NDArray[np.floating], fwhm: float, radius: float, position_angle: ArrayLike = 0.0) -> Floats:
    """Fluxes in the apertures of diameter 1 FWHM that fit side by side on a circle about the star.

    Parameters
    ----------
    image : (y, x), counts, North up
    fwhm, radius : float, px
    position_angle : float or (m,), deg
        Where on the circle the first aperture stands, East of North.

    Returns
    -------
    (n,) or (m, n), counts; n = ⌊π / asin(FWHM / 2r)⌋; NaN for an aperture that touches NaN or the edge
    """
    values, aperture = _checked(image, fwhm)
    cy, cx = star_position(values.shape)
    along = ring_step(fwhm, radius) * np.arange(apertures_on_ring(fwhm, radius))
    angles = np.add.outer(np.deg2rad(position_angle), along)
    y, x = cy + radius * np.cos(angles), cx - radius * np.sin(angles)
    return aperture_sums(values, y.ravel(), x.ravel(), aperture).reshape(angles.shape)


def mawet_noise(image: NDArray[np.floating], fwhm: float, radii: ArrayLike, sigma: float = 5.0) -> Floats:
    """Flux in a 1-FWHM aperture that is as improbable as `sigma` is for a Gaussian, at each radius.

    τ · s · √(1 + 1/n): s the standard deviation of the n aperture fluxes of the ring, τ the point of Student's
    distribution of n − 1 degrees of freedom that noise passes as rarely as a Gaussian passes `sigma`. The rings are
    turned in eight steps through one aperture and their variances averaged, so that no starting angle is preferred.
    A uniform background cancels: it is in the source's aperture as in the others.

    Parameters
    ----------
    image : (y, x), counts
    fwhm : float, px
    radii : (n,), px
    sigma : float

    Returns
    -------
    (n,), counts; NaN where fewer than five apertures, or fewer than half of them, are in the field

    References
    ----------
    Mawet et al. 2014, ApJ 792, 97, eq. 10.
    """
    values, _ = _checked(image, fwhm)
    return np.array(each(lambda radius: _mawet_noise_at(values, fwhm, radius, sigma), np.atleast_1d(radii).tolist()))


def _mawet_noise_at(image: NDArray[np.floating], fwhm: float, radius: float, sigma: float) -> float:
    if radius < fwhm / 2 or apertures_on_ring(fwhm, radius) <= FEWEST:
        return math.nan
    step = np.rad2deg(ring_step(fwhm, radius))
    variances, counts = [], []
    for fluxes in ring_fluxes(image, fwhm, radius, step * np.arange(8) / 8):
        inside = np.isfinite(fluxes)
        if inside.sum() > max(FEWEST, len(fluxes) / 2):
            variances.append(fluxes[inside].var(ddof=1))
            counts.append(inside.sum())
    if not counts:
        return math.nan
    n = int(np.median(counts))
    as_rare = -stdtrit(n - 1, ndtr(-sigma))
    return float(as_rare * math.sqrt(np.mean(variances) * (1 + 1 / n)))


def annulus_noise(image: NDArray[np.floating], fwhm: float, radii: ArrayLike) -> Floats:
    """Standard deviation of the pixels in an annulus 1 FWHM wide, at each radius.

    Parameters
    ----------
    image : (y, x), counts
    fwhm : float, px
    radii : (n,), px

    Returns
    -------
    (n,), counts per pixel; NaN where the annulus has no two pixels in the field

    References
    ----------
    Galicher et al. 2018, A&A 615, A92, sect. 3.
    """
    values, half = _checked(image, fwhm)
    cy, cx = star_position(values.shape)
    y, x = np.ogrid[: values.shape[0], : values.shape[1]]
    distance = np.hypot(y - cy, x - cx)
    noise = []
    for radius in np.atleast_1d(radii):
        pixels = values[(np.abs(distance - radius) <= half) & np.isfinite(values)]
        noise.append(pixels.std(ddof=1, dtype=np.float64) if pixels.size > 1 else math.nan)
    return np.array(noise)


def false_alarm_probability(snr: float, others: int) -> float:
    """Chance that noise alone gives this S/N or more at one place: Student's distribution of n − 1 degrees of freedom.

    Parameters
    ----------
    snr : float
    others : int
        n, the places to compare with that are in the field: beside an edge or a mask they are fewer than fit on the
        whole circle, and what passes for 5σ there is less rare.

    References
    ----------
    Mawet et al. 2014, ApJ 792, 97, sect. 3.4.
    """
    return float(stdtr(others - 1, -snr))


def _checked(image: NDArray[np.floating], fwhm: float) -> tuple[Images, float]:
    """The image as float32 and the radius of an aperture."""
    values = np.ascontiguousarray(image, dtype=np.float32)
    if values.ndim != 2:
        raise BadInput(f"an image has 2 dimensions (y, x), found {values.ndim} {values.shape}")
    if not (np.isfinite(fwhm) and fwhm > 0):
        raise BadInput(f"FWHM is {fwhm}, it must be a positive number of pixels")
    return values, fwhm / 2.0
