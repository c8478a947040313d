"""The parts of the frame in which starlight is modelled separately."""

from __future__ import annotations

from dataclasses import dataclass

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
        0.0, ge=0, description="area on which a zone's weights are found, in PSF areas; 0: the zone itself"
    )
    guard: float = Field(0.0, ge=0, description="FWHM around a zone that have no say in its weights")


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
    """Pixels of a zone and of its optimisation region, before it is known which frames look at them."""

    pixels: Indices
    optimisation: Indices
    inner: float
    outer: float


def cut(zoning: Zoning, known: NDArray[np.bool_], fwhm: float, mask_radius: float) -> list[Piece]:
    """Cut a frame as `zoning` says.

    Parameters
    ----------
    known : (y, x), bool
        Pixels that may be used.
    fwhm, mask_radius : float, px
    """
    cy, cx = star_position(known.shape)
    y, x = np.indices(known.shape)
    radius = np.hypot(y - cy, x - cx).ravel()
    usable = known.ravel() & (radius >= mask_radius)
    pixels = np.flatnonzero(usable)
    return [Piece(pixels, pixels, mask_radius, float(radius.max()))]
