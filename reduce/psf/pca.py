"""Principal components as a starlight model."""

from pydantic import Field
from scipy.linalg import eigh

from lyot.cube import Floats
from lyot.errors import Unprocessable
from lyot.reduce.starlight import LinearModel
from lyot.reduce.zone import Zone

NOISE_FLOOR = 1e-12  # of the largest eigenvalue; below it modes are rounding


class PCA(LinearModel):
    """Model the starlight with the library's leading principal components."""

    ncomp: int = Field(5, ge=1, description="components kept")

    def weights(self, gram: Floats, cross: Floats, zone: Zone) -> Floats:
        """Weights whose product with the library frames is their projection.

        Parameters
        ----------
        gram : (nref, nref), (counts/s)²
            Scalar products of the library frames.
        cross : (nframe, nref), (counts/s)²
            Scalar products of science and library frames; in ADI, `gram` itself.
        zone : Zone
            Unused.

        Returns
        -------
        (nframe, nref), dimensionless

        Raises
        ------
        Unprocessable
            If the library has fewer than `ncomp` frames.

        References
        ----------
        Soummer, Pueyo & Larkin 2012, ApJL 755, L28.
        """
        nref = len(gram)
        if nref < self.ncomp:
            raise Unprocessable(
                f"{self.ncomp} components asked of {nref} frames",
                hint="lower ncomp, or widen the reference library",
            )
        values, modes = eigh(gram, subset_by_index=[nref - self.ncomp, nref - 1])
        solid = values > NOISE_FLOOR * values[-1]
        values, modes = values[solid], modes[:, solid]
        return cross @ (modes / values) @ modes.T
