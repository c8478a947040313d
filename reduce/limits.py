"""How much of a source a recipe keeps, and how faint a source it would still show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
from lyot.reduce.view import Source, View

SPACING = 3.0  # FWHM from a known source to one injected beside it: nearer, it would share its dark lobes
INNER = 1.5  # FWHM: nearer, fewer than nine apertures tell the noise


@dataclass(frozen=True)
class Azimuths:
    """At how many azimuths a throughput is measured: twice as many, from `fewest`, until its mean is known.

    Speckles and noise make the throughput of one azimuth differ from that of the next, the more the nearer to the star
    and the fainter the source. Its mean counts as known to a part `known` of itself; no more than `most` are tried.
    """

    fewest: int = 3
    most: int = 24
    known: float = 0.01


WELL = Azimuths()
LEAST = 0.05  # of a source's flux that a limit's throughput is taken for before it is measured
OF_LIMITS = Azimuths(most=12, known=0.03)  # apertures tell the noise of a ring to 5 % at best


def separations(shape: tuple[int, ...], fwhm: float, mask_radius: float = 0.0) -> Floats:
    """Distances from the star (px) at which limits are stated: each FWHM from 1.5 FWHM, or the mask, to the edge."""
    farthest = min(shape[-2:]) // 2 - fwhm
    return np.arange(max(INNER * fwhm, mask_radius + fwhm / 2), farthest, fwhm)


def throughput(
    local: LocalReduction,
    radii: Floats,
    fluxes: Floats,
    avoid: Sequence[Point] = (),
    at: Azimuths = WELL,
) -> Floats:
    """Part of a source's flux, in an aperture of diameter 1 FWHM, that the recipe leaves at each separation.

    The mean over azimuths evenly round the circle, turned away from sources to be avoided.

    Parameters
    ----------
    local : LocalReduction
    radii : (n,), px
    fluxes : (n,), counts
        Of the sources injected: like those that the recipe is to find, for a model may treat bright ones differently.
    avoid : sequence of Point
        Sources that are in the cube.
    at : Azimuths

    Returns
    -------
    (n,), dimensionless; NaN where an aperture is outside the field

    References
    ----------
    Mawet et al. 2014, ApJ 792, 97, sect. 4; Galicher et al. 2018, A&A 615, A92, sect. 3.
    """
    _ = local.whole_image  # made once, before many ask for it

    def one(place: tuple[float, float]) -> float:
        radius, flux = place
        angles = azimuths(radius, avoid, at.fewest)
        return _mean_part(local, radius, flux, [Probe.at(local, radius, angle) for angle in angles], avoid, at)

    return np.array(each(one, zip(radii.tolist(), fluxes.tolist(), strict=True)), dtype=float)


def _mean_part(
    local: LocalReduction, radius: float, flux: float, probes: Sequence[Probe], avoid: Sequence[Point], at: Azimuths
) -> float:
    """Throughput at one separation: that of the probes, and of others between them until it is known."""
    parts, angles = [probe.part(flux) for probe in probes], np.array([probe.angle for probe in probes])
    while len(parts) > 1 and 2 * len(angles) <= at.most and not _known(parts, at.known):
        between = angles + 180.0 / len(angles)
        clear = [_clearance(radius, np.array([angle]), avoid) > SPACING * local.fwhm for angle in between]
        parts += [Probe.at(local, radius, angle).part(flux) for angle in between[clear]]
        angles = np.concatenate([angles, between])
    return float(np.mean(parts))


def _known(parts: list[float], to: float) -> bool:
    """Whether the mean of some numbers has a relative error of at most `to`, or is NaN."""
    error, mean = np.std(parts, ddof=1) / np.sqrt(len(parts)), np.mean(parts)
    return not error > to * mean


def azimuths(radius: float, avoid: Sequence[Point] = (), count: int = 3) -> Floats:
    """Position angles (deg) evenly round a circle, turned so that the nearest source to be avoided is farthest."""
    turns = np.arange(0.0, 360.0 / count, 5.0)
    every = np.arange(count) * 360.0 / count
    return np.asarray(every + turns[int(np.argmax([_clearance(radius, turn + every, avoid) for turn in turns]))])


def _clearance(radius: float, angles: Floats, avoid: Sequence[Point]) -> float:
    """From the nearest of some sources to the nearest of some places (deg) on a circle, px."""
    here = radius * np.exp(1j * np.radians(angles))
    there = [source.separation * np.exp(1j * np.radians(source.position_angle)) for source in avoid]
    return min((float(np.abs(here - place).min()) for place in there), default=np.inf)


@dataclass(frozen=True, eq=False)
class Probe:
    """A place at which sources of any flux are put, to see what is left of them in an aperture of diameter 1 FWHM.

    `view` is None where the aperture is not all in the field.
    """

    angle: float
    view: View | None
    source: Source | None
    before: Images
    weights: Floats

    @classmethod
    def at(cls, local: LocalReduction, radius: float, angle: float) -> Probe:
        """The probe at a separation (px) and position angle (deg)."""
        point = Point(radius, float(angle), 0.0)
        y, x = point.place(local.shape)
        weights = aperture_weights(y - round(y), x - round(x), local.fwhm / 2.0)
        view = local.window(y, x, len(weights) // 2)
        before = view.of(local.whole_image)
        if before.shape != weights.shape:
            return cls(float(angle), None, None, before, weights)
        return cls(float(angle), view, view.source(point), before, weights)

    def part_unaware(self) -> float:
        """The same if the starlight model did not notice the source; NaN outside the field."""
        return float("nan") if self.view is None or self.source is None else self.view.left_unaware(self.source)

    def part(self, flux: float) -> float:
        """Flux that a source adds to the aperture in the recipe's image, over its own."""
        if self.view is None:
            return float("nan")
        inside = self.weights > 0
        change = self.view.image_with(self.source, flux).astype(np.float64) - self.before
        return float((change[inside] * self.weights[inside]).sum() / flux)


def limits(
    local: LocalReduction,
    image: NDArray[np.floating],
    sigma: float = 5.0,
    avoid: Sequence[Point] = (),
    at: Azimuths = OF_LIMITS,
) -> tuple[Limit, ...]:
    """Contrast that a source must reach to stand out by `sigma`, against separation, by both definitions of the noise.

    `mawet`: τ s √(1 + 1/n) of the aperture fluxes, over throughput and star flux (Mawet et al. 2014). `annulus`: sigma
    times the standard deviation of the pixels of an annulus, over throughput, the peak of the PSF and star flux
    (Galicher et al. 2018). The throughput is that of the recipe, for sources about as bright as the limit itself; what
    the coronagraph takes is made up for besides. Separations at which no source fainter than the star would be seen, or
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
    at : Azimuths

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
    passes = np.array([cube.transmission(radius) for radius in radii])
    _ = local.whole_image  # made once, before many ask for it

    def one(place: tuple[float, float, float]) -> float:
        radius, noise, most = place
        probes = [Probe.at(local, radius, angle) for angle in azimuths(radius, avoid, at.fewest)]
        likely = max(LEAST, float(np.mean([probe.part_unaware() for probe in probes])))
        return _mean_part(local, radius, noise / likely, probes, avoid, at) if likely * most > noise else float("nan")

    part = np.array(each(one, zip(radii.tolist(), mawet.tolist(), (passes * star).tolist(), strict=True)), dtype=float)
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
