"""Principal components as a starlight model."""

from pydantic import Field

from lyot.cube import Floats
from lyot.reduce.starlight import LinearModel
from lyot.reduce.weights import principal_weights
from lyot.reduce.zone import Zone


class PCA(LinearModel):
    """Model the starlight with the library's leading principal components, over the whole frame.

    References
    ----------
    Soummer, Pueyo & Larkin 2012, ApJL 755, L28; Amara & Quanz 2012, MNRAS 427, 948.
    """

    ncomp: int = Field(5, ge=1, description="components kept")

    def weights(self, gram: Floats, cross: Floats, zone: Zone) -> Floats:
        """Weights whose product with the library frames is their projection on the components."""
        return principal_weights(gram, cross, self.ncomp)
