"""The matched filter: how much of an image looks like the PSF, place by place."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lyot.cube import Floats, Images
from lyot.errors import BadInput
from lyot.reduce.apertures import aperture_weights
from lyot.reduce.psf_image import stamps
from lyot.reduce.significance import SUBSTEPS, significance

REACH = 1.0  # FWHM from the middle of the template to its edge: beyond, a PSF holds more noise than light


def matched_map(image: NDArray[np.floating], psf: NDArray[np.floating], fwhm: float) -> Images:
    """Significance of a point source at every pixel by a matched filter, normalised on each circle about the star.

    The image is weighted by the PSF around each place, which, where noise is the same in neighbouring pixels and
    independent, tells a source best. As in the S/N map the sum is compared with those at the other places, 1 FWHM
    apart, on the circle through it, so that the same Student's distribution says how improbable it is in noise.

    Parameters
    ----------
    image : (y, x), counts
    psf : (y, x), odd sides
        Centred on its middle pixel, any normalisation.
    fwhm : float, px

    Returns
    -------
    (y, x), dimensionless
        NaN where `lyot.reduce.significance.significance` says nothing; sources must be 1 FWHM away from NaN.

    Raises
    ------
    BadInput
        If `image` is not an image, or `psf` has no middle.

    References
    ----------
    Turin 1960, IRE Trans. Inf. Theory 6, 311; Mawet et al. 2014, ApJ 792, 97, eq. 9.
    """
    values = np.ascontiguousarray(image, dtype=np.float32)
    if values.ndim != 2 or np.ndim(psf) != 2 or 0 in (psf.shape[0] % 2, psf.shape[1] % 2):
        raise BadInput(f"image {values.shape} and PSF {np.shape(psf)}: (y, x) are needed, the PSF of odd sides")
    return significance(values, _templates(psf, REACH * fwhm), REACH * fwhm, fwhm)


def _templates(psf: NDArray[np.floating], reach: float) -> Floats:
    """The PSF at each place within a pixel, cut where it ends or `reach` px away, whichever is nearer."""
    offsets = np.arange(SUBSTEPS) / SUBSTEPS - 0.5
    dy, dx = (part.ravel() for part in np.meshgrid(offsets, offsets, indexing="ij"))
    discs = np.stack([aperture_weights(*place, reach) for place in zip(dy, dx, strict=True)])
    moved = stamps(psf, dy, dx)
    held = np.zeros_like(discs)
    half = [min(have // 2, discs.shape[-1] // 2) for have in moved.shape[1:]]
    (a, b), middle = (side // 2 for side in moved.shape[1:]), discs.shape[-1] // 2
    inner = slice(middle - half[0], middle + half[0] + 1), slice(middle - half[1], middle + half[1] + 1)
    held[:, *inner] = moved[:, a - half[0] : a + half[0] + 1, b - half[1] : b + half[1] + 1]
    return (held * discs).reshape(SUBSTEPS, SUBSTEPS, *discs.shape[1:])
