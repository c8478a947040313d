"""LOCI with a template: frames chosen by how much of a planet they would take away."""

import numpy as np
from pydantic import Field

from lyot.cube import Floats
from lyot.reduce.starlight import LinearModel
from lyot.reduce.weights import least_squares_weights_each
from lyot.reduce.zone import Zone, Zoning


class TLOCI(LinearModel):
    """As LOCI, but weights are found beside the zone they serve, on frames that hold little of its planet's light.

    References
    ----------
    Marois et al. 2014, Proc. SPIE 9148, 91480U; Galicher et al. 2018, A&A 615, A92.
    """

    loss: float = Field(
        0.3, gt=0, lt=1, description="largest part of a planet's light that a library frame may hold at its place"
    )
    width: float = Field(1.5, gt=0, description="width of a ring in FWHM")
    area: float = Field(300.0, gt=0, description="PSF cores in the area on which weights are found")
    ridge: float = Field(1e-3, ge=0, description="damping of the weights")

    @property
    def zoning(self) -> Zoning:
        """Sectors of rings; a zone's own pixels have no say in its weights."""
        return Zoning(width=self.width, optimised=self.area, guarded=True)

    def weights(self, gram: Floats, cross: Floats, zone: Zone) -> Floats:
        """Weights of least squares for each frame on those that hold little of a planet's light."""
        return least_squares_weights_each(gram, cross, light_left(zone, zone.motion()) <= self.loss, self.ridge)


def light_left(zone: Zone, distance: Floats) -> Floats:
    """Part of a planet's light in its aperture (1 FWHM across) that is still there when it has moved.

    Parameters
    ----------
    zone : Zone
        Its PSF, averaged over directions; a Gaussian of its FWHM when it has none.
    distance : any shape, px

    Returns
    -------
    the same shape, 0 to 1
    """
    turns = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    rings = zone.fwhm / 2 * np.sqrt((np.arange(6) + 0.5) / 6)  # each stands for a sixth of the aperture's area
    dy, dx = (np.outer(rings, part).ravel() for part in (np.sin(turns), np.cos(turns)))
    steps = np.arange(0.0, 3.0, 0.05) * zone.fwhm
    if zone.psf is None:
        values = np.exp(-4 * np.log(2) * ((steps[:, None] + dx) ** 2 + dy**2) / zone.fwhm**2)
    else:
        values = _mean_profile(zone, np.hypot(steps[:, None] + dx, dy))
    light = values.mean(axis=1)
    farther_keeps_less: Floats = np.minimum.accumulate(light / light[0])  # diffraction rings do not count twice
    left: Floats = np.interp(distance, steps, farther_keeps_less, right=0.0)
    return left


def _mean_profile(zone: Zone, radius: Floats) -> Floats:
    """The PSF at distances from its middle, averaged over directions."""
    from scipy.ndimage import map_coordinates  # slow to import, and no other model wants it

    assert zone.psf is not None
    middle = (np.array(zone.psf.shape) - 1) / 2
    turns = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    at = np.arange(0.0, middle.min(), 0.25)
    places = [middle[0] + np.outer(at, np.sin(turns)), middle[1] + np.outer(at, np.cos(turns))]
    profile = map_coordinates(zone.psf.astype(float), places, order=3).mean(axis=1)
    values: Floats = np.interp(radius, at, profile, right=0.0)
    return values
