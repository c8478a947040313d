"""The parts of the frame in which starlight is modelled separately."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from lyot.cube import Floats, Images, star_position
from lyot.declaration import Declaration

Indices = NDArray[np.intp]


class Zoning(Declaration):
    """How a starlight model cuts the frame: rings about the star, sectors of rings, or not at all."""

    width: float = Field(0.0, ge=0, description="width of a ring in FWHM; 0: the whole frame is one zone")
    sectors: int = Field(1, ge=1, description="equal parts of each ring")
    optimised: float = Field(
        0.0,
        ge=0,
        description="area in PSF cores on which a zone's weights are found; it sets the sectors. 0: the zone itself",
    )
    guarded: bool = Field(False, description="whether a zone's own pixels have no say in its weights")


WHOLE_FRAME = Zoning()


@dataclass(frozen=True, eq=False)
class Zone:
    """Pixels whose starlight is modelled together, and what a model may want to know of them.

    Parameters
    ----------
    pixels : (npixel,)
        Flat indices (y · nx + x) of the pixels that the model cleans.
    optimisation : (m,)
        Flat indices of the pixels whose scalar products the model sees; most often `pixels` itself.
    radii : (npixel,), px
        Distance from the star of each of `pixels`.
    inner, outer : float, px
    angles : (nframe,), deg
        Position angles of the science frames' +y axis.
    library_angles : (nref,), deg
        The same of the library; in ADI `angles` itself. NaN for frames of another star.
    library_scales : (nref,)
        Distance from the star of a planet in a library frame over that in a science frame: 1 unless library frames
        were stretched to another wavelength.
    fwhm : float, px
        NaN where the model needs none and the cube has none.
    psf : (y, x), optional
        Image of the star off the coronagraph.
    """

    pixels: Indices
    optimisation: Indices
    radii: Floats
    inner: float
    outer: float
    angles: Floats
    library_angles: Floats
    library_scales: Floats
    fwhm: float
    psf: Images | None = None

    def motion(self) -> Floats:
        """How far a planet at the zone's middle radius stands in each library frame from where it is in science.

        Returns
        -------
        (nframe, nref), px
            Infinite for frames of another star.
        """
        middle = 0.5 * (self.inner + self.outer)
        here = middle * np.exp(1j * np.radians(self.angles))
        there = middle * self.library_scales * np.exp(1j * np.radians(self.library_angles))
        distance = np.abs(here[:, None] - there[None, :])
        return np.where(np.isnan(distance), np.inf, distance)


@dataclass(frozen=True, eq=False)
class Piece:
    """The pixels of a zone, before it is known which frames look at them; as the same fields of `Zone`."""

    pixels: Indices
    optimisation: Indices
    inner: float
    outer: float


def cut(zoning: Zoning, known: NDArray[np.bool_], fwhm: float, mask_radius: float) -> list[Piece]:
    """Cut a frame as `zoning` says into pieces that do not overlap.

    Rings begin at the mask and end at the nearest edge; the last takes what remains, corners included. Where weights
    are found on an area of their own, it begins at the zone, reaches outwards, and is about as deep as it is wide
    (Lafrenière et al. 2007, ApJ 660, 770); the ring is cut into as many sectors as that area wants.

    Parameters
    ----------
    known : (y, x), bool
        Pixels that may be used.
    fwhm, mask_radius : float, px
    """
    radius, azimuth = polar(known.shape)
    usable = known.ravel() & (radius >= mask_radius)
    if zoning.width == 0:
        pixels = np.flatnonzero(usable)
        return [Piece(pixels, pixels, mask_radius, float(radius.max()))] if len(pixels) else []
    edge = min(*star_position(known.shape), *((side - 1) // 2 for side in known.shape))
    rings = _rings(mask_radius, edge, zoning.width * fwhm)
    number = np.clip((radius - mask_radius) / (zoning.width * fwhm), 0, len(rings) - 1)
    number = number.astype(np.min_scalar_type(len(rings)))  # the fewer bits, the sooner sorted
    number[~usable] = len(rings)
    in_order = np.argsort(number, kind="stable")
    edges = np.searchsorted(number[in_order], np.arange(1, len(rings) + 1))
    pieces = []
    for (inner, outer), ring in zip(rings, np.split(in_order, edges), strict=False):  # the last part is unusable
        around, sectors = ring, zoning.sectors
        if zoning.optimised > 0:
            begin, end, sectors = _optimised(zoning.optimised, inner, edge, fwhm)
            around = np.flatnonzero(usable & (radius >= begin) & ((radius < end) | (end >= edge)))
            if zoning.guarded:
                around = np.setdiff1d(around, ring, assume_unique=True)
        for sector in range(sectors):
            pixels = _in_sector(ring, azimuth, sector, sectors)
            weighed = pixels if around is ring else _in_sector(around, azimuth, sector, sectors)
            if len(pixels) and len(weighed):
                pieces.append(Piece(pixels, weighed, inner, outer))
    return pieces


def _in_sector(pixels: Indices, azimuth: Floats, sector: int, sectors: int) -> Indices:
    """Those of some pixels that lie in one of the equal parts of a ring."""
    return pixels[np.floor(azimuth[pixels] * sectors) == sector] if sectors > 1 else pixels


@cache
def polar(shape: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Distance from the star (px) and position angle in the frame (turns, 0 to 1) of every pixel, flat."""
    cy, cx = star_position(shape)
    y, x = np.indices(shape)
    radius = np.hypot(y - cy, x - cx).ravel()
    turns = (np.arctan2(cx - x, y - cy).ravel() / (2 * np.pi)) % 1.0
    turns = np.minimum(turns, np.nextafter(1.0, 0.0))
    radius.flags.writeable = turns.flags.writeable = False  # they are shared by all who ask
    return radius, turns


def _rings(inner: float, edge: float, width: float) -> list[tuple[float, float]]:
    """Whole rings of `width` from `inner` to `edge`, and what is left over with the last."""
    count = max(1, int((edge - inner) / width))
    edges = inner + width * np.arange(count + 1)
    return list(pairwise(edges.tolist()))


def _optimised(cores: float, inner: float, edge: float, fwhm: float) -> tuple[float, float, int]:
    """Inner and outer radius (px) of an optimisation region of `cores` PSF areas, and how many share a ring."""
    area = cores * np.pi * (fwhm / 2) ** 2
    depth = min(np.sqrt(area), edge)
    begin = max(0.0, min(inner, edge - depth))
    end = begin + depth
    return begin, end, max(1, round(np.pi * (end**2 - begin**2) / area))
