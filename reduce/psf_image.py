"""The image of the star off the coronagraph: its width, its normalisation, and how it is put on a frame."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from lyot.cube import Cube, Floats
from lyot.errors import BadInput, Unprocessable
from lyot.reduce.apertures import aperture_sum
from lyot.reduce.shears import STEPS, sinc_weights

FWHM_OF_SIGMA = math.sqrt(8.0 * math.log(2.0))
NORMALISED = 1.6  # flux in 1 FWHM, at most, of a PSF that passes for normalised by somebody else's FWHM; or one over it
ANY_WIDTH = 10.0  # the same of one that is said to be: by all of its light, by its peak, by whatever width


def gaussian_fit(image: NDArray[np.floating]) -> tuple[float, float, float]:
    """Place and width of the peak of an image, by a least-squares fit of an elliptical Gaussian to all of it.

    Parameters
    ----------
    image : (y, x)

    Returns
    -------
    y, x : float, px
    fwhm : float, px
        Mean of the widths along the two axes of the ellipse.

    Raises
    ------
    Unprocessable
        If the fit does not settle on a peak inside the image.
    """
    from scipy.optimize import least_squares  # slow to import, and a cube that states its FWHM wants no fit

    values = np.asarray(image, dtype=np.float64)
    peak = np.unravel_index(np.argmax(values), values.shape)
    y, x = np.indices(values.shape)
    bright = float((values > 0.5 * values[peak]).sum())
    sigma = max(0.5, math.sqrt(bright / math.pi) * 2.0 / FWHM_OF_SIGMA)

    def misfit(parameters: Floats) -> Floats:
        height, y0, x0, wide, narrow, angle = parameters
        along = (x - x0) * math.cos(angle) + (y - y0) * math.sin(angle)
        across = (y - y0) * math.cos(angle) - (x - x0) * math.sin(angle)
        model = height * np.exp(-0.5 * ((along / wide) ** 2 + (across / narrow) ** 2))
        return np.asarray((model - values) / values[peak]).ravel()

    guess = [values[peak], *peak, 1.05 * sigma, 0.95 * sigma, 0.1]
    fit = least_squares(misfit, guess, x_scale=[values[peak], 1, 1, 1, 1, 1])
    _, y0, x0, wide, narrow, _ = fit.x
    inside = 0 <= y0 <= values.shape[0] - 1 and 0 <= x0 <= values.shape[1] - 1
    fwhm = FWHM_OF_SIGMA * (abs(wide) + abs(narrow)) / 2.0
    if not (fit.success and inside and 0.5 < fwhm < max(values.shape)):
        raise Unprocessable("no Gaussian fits the PSF", hint="is it cut around its peak, its background taken off?")
    return float(y0), float(x0), float(fwhm)


def fwhm_of(cube: Cube, wave: int = 0) -> float:
    """Full width at half maximum (px) of the PSF of a cube: as stated, else as measured.

    Raises
    ------
    Unprocessable
        If the cube has neither an FWHM nor a PSF.
    """
    if cube.fwhm is not None:
        return float(cube.fwhm[wave])
    if cube.psf is None:
        raise Unprocessable("the cube has neither a PSF nor an FWHM", hint="give one of them: --psf")
    return gaussian_fit(cube.psf[wave])[2]


def normalised_psf(cube: Cube, wave: int = 0) -> Floats:
    """The PSF of a cube, centred on its middle pixel, of unit flux in an aperture of diameter 1 FWHM.

    Returns
    -------
    (y, x), 1/px

    Raises
    ------
    Unprocessable
        If the cube has no PSF, or one without flux at its middle.
    """
    if cube.psf is None:
        raise Unprocessable("the cube has no PSF, so no source can be simulated", hint="give one: --psf")
    return normalise_psf(cube.psf[wave], fwhm_of(cube, wave))


def star_flux_of(cube: Cube, wave: int = 0) -> float | None:
    """The star's flux (counts) in an aperture of diameter 1 FWHM, as that is measured here; None if it is unknown.

    A normalised PSF has unit flux in its owner's aperture, whose FWHM need not be ours to the last digit. Then the star
    is the stated flux times that PSF, and the flux in our aperture follows from it. A PSF in counts says nothing.
    """
    if cube.star_flux is None:
        return None
    stated = float(cube.star_flux[wave])
    return stated * (own_normalisation(cube, wave) or 1.0)


def own_normalisation(cube: Cube, wave: int = 0) -> float | None:
    """Flux of the PSF, as given, in an aperture of diameter 1 FWHM, if it is normalised; None if it is not.

    Whether it is, the cube says; a cube that does not say has a normalised PSF if that flux is about one.

    Raises
    ------
    BadInput
        If the cube says that the PSF is normalised, and its flux is nothing like one.
    """
    if cube.psf is None or cube.psf_normalised is False:
        return None
    psf = cube.psf[wave].astype(np.float64)
    y, x, _ = gaussian_fit(psf)
    width = fwhm_of(cube, wave)
    flux = aperture_sum(psf, y, x, width / 2.0)
    if 1.0 / NORMALISED < flux < NORMALISED:
        return flux
    if cube.psf_normalised and not 1.0 / ANY_WIDTH < flux < ANY_WIDTH:
        raise BadInput(
            f"the PSF is said to be normalised, but its flux in an aperture of {width:.2f} px, 1 FWHM, is {flux:.4g}",
            hint="is it in counts? then say so: --psf-counts",
        )
    return flux if cube.psf_normalised else None


def normalise_psf(psf: NDArray[np.floating], fwhm: float) -> Floats:
    """A PSF centred on its middle pixel, of unit flux in an aperture of diameter 1 FWHM there.

    Parameters
    ----------
    psf : (y, x), odd sides
    fwhm : float, px
    """
    values = np.asarray(psf, dtype=np.float64)
    y, x, _ = gaussian_fit(values)
    middle = values.shape[0] // 2, values.shape[1] // 2
    if math.hypot(y - middle[0], x - middle[1]) > fwhm:
        raise BadInput(
            f"the PSF peaks at ({y:.1f}, {x:.1f}), its middle is {middle}", hint="cut it around its brightest pixel"
        )
    centred = stamps(values, [middle[0] - y], [middle[1] - x])[0]
    flux = aperture_sum(centred, *middle, fwhm / 2.0)
    if not flux > 0:
        raise Unprocessable("the PSF has no flux in its middle aperture")
    normalised: Floats = centred / flux
    return normalised


def stamps(psf: NDArray[np.floating], dy: ArrayLike, dx: ArrayLike) -> Floats:
    """Copies of a PSF moved by fractions of a pixel, by the windowed sinc that also derotates frames.

    Parameters
    ----------
    psf : (y, x)
        0 is assumed outside.
    dy, dx : (n,), px
        Moves up and right, within a pixel.

    Returns
    -------
    (n, y, x)
    """
    moves = np.atleast_1d(np.asarray(dy, dtype=np.float64)), np.atleast_1d(np.asarray(dx, dtype=np.float64))
    image = np.ascontiguousarray(psf, dtype=np.float64)
    moved = np.empty((len(moves[0]), *image.shape))
    _move(image, *moves, sinc_weights().astype(np.float64), moved)
    return moved


@njit(nogil=True, cache=True)
def _move(psf, dy, dx, table, moved):  # type: ignore[no-untyped-def]
    ny, nx = psf.shape
    taps = table.shape[1]
    before = taps // 2 - 1
    wide = np.empty((ny, nx))
    for n in range(len(dy)):
        whole = int(np.floor(-dx[n]))
        weights = table[int((-dx[n] - whole) * STEPS + 0.5)]
        wide[:] = 0.0
        for k in range(taps):
            offset = whole - before + k
            for y in range(ny):
                for x in range(max(0, -offset), min(nx, nx - offset)):
                    wide[y, x] += weights[k] * psf[y, x + offset]
        whole = int(np.floor(-dy[n]))
        weights = table[int((-dy[n] - whole) * STEPS + 0.5)]
        moved[n] = 0.0
        for k in range(taps):
            offset = whole - before + k
            for y in range(max(0, -offset), min(ny, ny - offset)):
                for x in range(nx):
                    moved[n, y, x] += weights[k] * wide[y + offset, x]
