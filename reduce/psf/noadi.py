"""No starlight model: frames are only turned and combined."""

from typing import ClassVar

import numpy as np

from lyot.cube import Floats
from lyot.reduce.starlight import LinearModel
from lyot.reduce.zone import Zone


class NoADI(LinearModel):
    """Leave the starlight where it is: for bright and wide companions, and to compare with."""

    removes_starlight: ClassVar[bool] = False
    needs_rotation: ClassVar[bool] = False
    keeps_starlight: ClassVar[bool] = True

    def weights(self, gram: Floats, cross: Floats, zone: Zone) -> Floats:
        """No weight on any library frame."""
        return np.zeros_like(cross)
