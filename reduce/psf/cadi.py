"""Classical angular differential imaging."""

import numpy as np
from pydantic import Field

from lyot.cube import Floats, Images
from lyot.reduce.collapse import collapse
from lyot.reduce.starlight import LinearModel, PixelModel
from lyot.reduce.step import Collapse
from lyot.reduce.zone import Zone


class ClassicalADI(LinearModel, PixelModel):
    """Model the starlight with the median, or the mean, of the library.

    References
    ----------
    Marois et al. 2006, ApJ 641, 556.
    """

    collapse: Collapse = Field("median", description="how library frames are combined into the starlight")

    @property
    def linear(self) -> bool:
        """The mean is a weighted sum, the median is not."""
        return self.collapse == "mean"

    def weights(self, gram: Floats, cross: Floats, zone: Zone) -> Floats:
        """The same weight on every library frame."""
        return np.full(cross.shape, 1.0 / cross.shape[1])

    def starlight(self, science: Images, library: Images, zone: Zone) -> Images:
        """Median over the library at every pixel; the same for every science frame."""
        return collapse(library, self.collapse)[None]
