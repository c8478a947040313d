"""How wide a point source is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label, map_coordinates

from lyot.cube import Cube, Floats

STEP = 0.05  # px between the samples on which the area above half maximum is counted


def beams(cube: Cube) -> Floats | None:
    """Full width at half maximum at each wavelength: the cube's own, else measured on its PSF, else None.

    Returns
    -------
    (wave,), px, or None if the cube has neither
    """
    if cube.fwhm is not None:
        return cube.fwhm
    return None if cube.psf is None else np.array([full_width(psf) for psf in cube.psf])


def full_width(psf: NDArray[np.floating]) -> float:
    """Diameter of the disc that has the area in which a PSF exceeds half its maximum.

    Parameters
    ----------
    psf : (y, x)
        Background subtracted.

    Returns
    -------
    float, px
    """
    y, x = np.unravel_index(np.argmax(psf), psf.shape)
    reach = min(y, x, psf.shape[0] - 1 - y, psf.shape[1] - 1 - x)
    offset = np.arange(-reach, reach + STEP / 2, STEP)
    fine = map_coordinates(psf.astype(float), np.meshgrid(y + offset, x + offset, indexing="ij"), order=3)
    parts, _ = label(fine > fine.max() / 2)
    core = parts == parts[np.unravel_index(np.argmax(fine), fine.shape)]
    return float(2 * STEP * np.sqrt(core.sum() / np.pi))
