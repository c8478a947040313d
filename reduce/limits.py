"""How much of a source a recipe keeps, and how faint a source it would still show."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lyot.cube import Floats, Images, star_position
from lyot.reduce.apertures import aperture_weights
from lyot.reduce.inject import Point
from lyot.reduce.local import LocalReduction
from lyot.reduce.measure import annulus_noise, mawet_noise
from lyot.reduce.parallel import each
from lyot.reduce.psf_image import star_flux_of
from lyot.reduce.reduction import Limit

AZIMUTHS = 3
SPACING = 3.0  # FWHM: sources injected nearer than that to one another or to a known one would share speckles
INNER = 1.5  # FWHM: nearer, fewer than nine apertures tell the noise


def separations(shape: tuple[int, ...], fwhm: float, mask_radius: float = 0.0) -> Floats:
    """Distances from the star (px) at which limits are stated: each FWHM from 1.5 FWHM, or the mask, to the edge."""
    farthest = min(shape[-2:]) // 2 - fwhm
    return np.arange(max(INNER * fwhm, mask_radius + fwhm / 2), farthest, fwhm)


def throughput(local: LocalReduction, radii: Floats, fluxes: Floats, avoid: Sequence[Point] = ()) -> Floats:
    """Part of a source's flux, in an aperture of diameter 1 FWHM, that the recipe leaves at each separation.

    The mean over three azimuths, a third of the circle apart, turned away from sources to be avoided.

    Parameters
    ----------
    local : LocalReduction
    radii : (n,), px
    fluxes : (n,), counts
        Of the sources injected: like those that the recipe is to find, for a model may treat bright ones differently.
    avoid : sequence of Point
        Sources that are in the cube.

    Returns
    -------
    (n,), dimensionless; NaN where an aperture is outside the field

    References
    ----------
    Mawet et al. 2014, ApJ 792, 97, sect. 4; Galicher et al. 2018, A&A 615, A92, sect. 3.
    """
    put = [
        Point(float(radius), float(angle), float(flux))
        for radius, flux in zip(radii, fluxes, strict=True)
        for angle in azimuths(radius, avoid)
    ]
    _ = local.whole_image  # made once, before many ask for it
    return np.array(each(lambda point: kept(local, point), put), dtype=float).reshape(len(radii), -1).mean(axis=1)


def azimuths(radius: float, avoid: Sequence[Point] = (), count: int = AZIMUTHS) -> Floats:
    """Position angles (deg) evenly round a circle, turned so that the nearest source to be avoided is farthest."""
    turns = np.arange(0.0, 360.0 / count, 5.0)
    every = np.arange(count) * 360.0 / count
    if not avoid:
        return every
    clear = [min(_distance(radius, turn + every, source) for source in avoid) for turn in turns]
    return np.asarray(every + turns[int(np.argmax(clear))])


def _distance(radius: float, angles: Floats, source: Point) -> float:
    """From a source to the nearest of some places on a circle, px."""
    here = radius * np.exp(1j * np.radians(angles))
    return float(np.abs(here - source.separation * np.exp(1j * np.radians(source.position_angle))).min())


def kept(local: LocalReduction, point: Point) -> float:
    """Flux that a source adds to its aperture in the recipe's image, over its own."""
    y, x = point.place(local.shape)
    row, column = round(y), round(x)
    weights = aperture_weights(y - row, x - column, local.fwhm / 2.0)
    half = len(weights) // 2
    window = local.window(y, x, half)
    if (window.rows[1] - window.rows[0], window.columns[1] - window.columns[0]) != weights.shape:
        return float("nan")
    inside = weights > 0
    change = window.image(point).astype(np.float64) - window.of(local.whole_image)
    return float((change[inside] * weights[inside]).sum() / point.flux)


def limits(
    local: LocalReduction, image: NDArray[np.floating], sigma: float = 5.0, avoid: Sequence[Point] = ()
) -> tuple[Limit, ...]:
    """Contrast that a source must reach to stand out by `sigma`, against separation, by both definitions of the noise.

    `mawet`: τ s √(1 + 1/n) of the aperture fluxes, over throughput and star flux (Mawet et al. 2014). `annulus`: sigma
    times the standard deviation of the pixels of an annulus, over throughput, the peak of the PSF and star flux
    (Galicher et al. 2018). The throughput is that of the recipe, for sources as bright as the limit itself; what the
    coronagraph takes is made up for besides. Separations at which no source fainter than the star would be seen, or
    nobody knows what the coronagraph takes, are left out.

    Parameters
    ----------
    local : LocalReduction
        The cube, with a star flux, and the recipe.
    image : (y, x), counts
        What the recipe made of the cube at this wavelength; NaN over known sources, lest they pass for noise.
    sigma : float
    avoid : sequence of Point
        Those sources.

    Returns
    -------
    one `Limit` for each definition; none without a star flux, or where the field is too small
    """
    cube, fwhm = local.cube, local.fwhm
    radii = separations(image.shape, fwhm, local.recipe.mask_radius)
    star = star_flux_of(cube, local.channel)
    if star is None or len(radii) == 0:
        return ()
    mawet = mawet_noise(image, fwhm, radii, sigma)
    annulus = sigma * annulus_noise(image, fwhm, radii) / float(local.psf.max())
    known = np.isfinite(mawet) & np.isfinite(annulus) & (mawet > 0)
    radii, mawet, annulus = radii[known], mawet[known], annulus[known]
    part = throughput(local, radii, mawet, avoid)
    passes = np.array([cube.transmission(radius) for radius in radii])
    seen = np.isfinite(part) & (part * passes * star > mawet)
    radii, mawet, annulus, passes = radii[seen], mawet[seen], annulus[seen], passes[seen]
    part = throughput(local, radii, mawet / part[seen], avoid)
    seen = part * passes * star > mawet
    return tuple(
        Limit(
            wave=local.channel,
            noise=name,
            sigma=sigma,
            separation=radii[seen] * cube.pixel_scale,
            contrast=noise[seen] / (part[seen] * passes[seen] * star),
            throughput=part[seen],
        )
        for name, noise in (("mawet", mawet), ("annulus", annulus))
        if seen.any()
    )


def corrected(image: Images, curves: Sequence[Limit], pixel_scale: float) -> Images:
    """The images over the throughput at each separation, which is held at its ends outside its curve."""
    divided = np.full_like(image, np.nan)
    cy, cx = star_position(image.shape)
    y, x = np.ogrid[: image.shape[1], : image.shape[2]]
    distance = np.hypot(y - cy, x - cx) * pixel_scale
    for curve in curves:
        if curve.noise == "mawet":
            divided[curve.wave] = image[curve.wave] / np.interp(distance, curve.separation, curve.throughput)
    return divided
