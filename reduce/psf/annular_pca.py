"""Principal components ring by ring, from frames in which a planet there has moved away."""

from pydantic import Field

from lyot.cube import Floats
from lyot.reduce.starlight import LinearModel
from lyot.reduce.weights import principal_weights_each
from lyot.reduce.zone import Zone, Zoning


class AnnularPCA(LinearModel):
    """Model the starlight of each ring with principal components of the frames that do not hold the planet there.

    References
    ----------
    Absil et al. 2013, A&A 559, L12 ("smart" PCA).
    """

    ncomp: int = Field(5, ge=1, description="components kept")
    width: float = Field(2.0, gt=0, description="width of a ring in FWHM")
    sectors: int = Field(1, ge=1, description="equal parts of each ring")
    motion: float = Field(0.5, ge=0, description="FWHM that a planet must have moved in a frame of the library")

    @property
    def zoning(self) -> Zoning:
        """Rings, in sectors."""
        return Zoning(width=self.width, sectors=self.sectors)

    def weights(self, gram: Floats, cross: Floats, zone: Zone) -> Floats:
        """Weights of the projection of each frame on the components of those far enough from it."""
        return principal_weights_each(gram, cross, zone.motion() >= self.motion * zone.fwhm, self.ncomp)
