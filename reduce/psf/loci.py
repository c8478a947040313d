"""Locally optimised combination of images."""

from pydantic import Field

from lyot.cube import Floats
from lyot.reduce.starlight import LinearModel
from lyot.reduce.weights import least_squares_weights_each
from lyot.reduce.zone import Zone, Zoning


class LOCI(LinearModel):
    """Model the starlight of each zone with the combination of frames that fits best on a larger area around it.

    References
    ----------
    Lafrenière et al. 2007, ApJ 660, 770.
    """

    motion: float = Field(0.75, ge=0, description="FWHM that a planet must have moved in a frame of the library")
    width: float = Field(1.5, gt=0, description="width of a ring in FWHM")
    area: float = Field(300.0, ge=0, description="PSF cores in the area on which weights are found; 0: the ring")
    ridge: float = Field(1e-3, ge=0, description="damping of the weights")

    @property
    def zoning(self) -> Zoning:
        """Sectors of rings, as many as the optimisation area wants."""
        return Zoning(width=self.width, optimised=self.area)

    def weights(self, gram: Floats, cross: Floats, zone: Zone) -> Floats:
        """Weights of least squares for each frame on those far enough from it."""
        return least_squares_weights_each(gram, cross, zone.motion() >= self.motion * zone.fwhm, self.ridge)
