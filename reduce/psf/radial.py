"""A radial profile as a starlight model."""

from typing import ClassVar

import numpy as np

from lyot.cube import Images
from lyot.reduce.starlight import PixelModel
from lyot.reduce.zone import Zone


class RadialProfile(PixelModel):
    """Model the starlight of each frame with its own median at each distance from the star.

    It needs no other frame, so it takes no planet's light for starlight; speckles stay.
    """

    removes_starlight: ClassVar[bool] = False
    needs_rotation: ClassVar[bool] = False
    local: ClassVar[bool] = False

    def starlight(self, science: Images, library: Images, zone: Zone) -> Images:
        """Median over rings one pixel wide, read between them by straight lines."""
        ring = np.rint(zone.radii).astype(int)
        order = np.argsort(ring, kind="stable")
        radii, first = np.unique(ring[order], return_index=True)
        parts = np.split(science[:, order], first[1:], axis=1)
        medians = np.stack([np.median(part, axis=1) for part in parts], axis=1)
        return np.stack([np.interp(zone.radii, radii, profile) for profile in medians]).astype(np.float32)
