"""The image of the star off the coronagraph: its width, its normalisation, and how it is put on a frame."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from lyot.cube import Cube, Floats
from lyot.errors import BadInput, Unprocessable
from lyot.reduce.apertures import aperture_sum
from lyot.reduce.shears import STEPS, SUMS_MAY_BE_REORDERED, sinc_weights

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
    up, right = (np.atleast_1d(np.asarray(move, dtype=np.float64)) for move in (dy, dx))
    table = sinc_weights().astype(np.float64)
    moved = np.empty((len(up), *np.shape(psf)))
    _move(np.pad(np.asarray(psf, dtype=np.float64), table.shape[1]), up, right, table, moved)
    return moved


@njit(nogil=True, cache=True)
def _move(padded, dy, dx, table, moved):  # type: ignore[no-untyped-def]
    """Move an image with zeros around it, its rows strung together: a step along y is as many numbers as a row has."""
    taps = table.shape[1]
    ny, nx = moved.shape[1:]
    width = nx + 2 * taps
    start, count = taps * width, ny * width
    image, once, twice = padded.ravel(), np.zeros(padded.size), np.empty(count)
    for n in range(len(dy)):
        whole = int(np.floor(-dx[n]))
        first = start + whole - taps // 2 + 1
        _filter(once[start : start + count], image, first, 1, table[int((-dx[n] - whole) * STEPS + 0.5)])
        whole = int(np.floor(-dy[n]))
        first = start + (whole - taps // 2 + 1) * width
        _filter(twice, once, first, width, table[int((-dy[n] - whole) * STEPS + 0.5)])
        for y in range(ny):
            moved[n, y] = twice[y * width + taps : y * width + taps + nx]


@njit(nogil=True, cache=True, fastmath=SUMS_MAY_BE_REORDERED)
def _filter(out, row, first, stride, weights):  # type: ignore[no-untyped-def]
    """out[x] = Σ_k weights[k] row[first + k stride + x], four weights at a time to spare the memory."""
    out[:] = 0.0
    for k in range(0, len(weights), 4):
        w0, w1, w2, w3 = weights[k], weights[k + 1], weights[k + 2], weights[k + 3]
        start = first + k * stride
        a, b, c, d = row[start:], row[start + stride :], row[start + 2 * stride :], row[start + 3 * stride :]
        for x in range(len(out)):
            out[x] += w0 * a[x] + w1 * b[x] + w2 * c[x] + w3 * d[x]
