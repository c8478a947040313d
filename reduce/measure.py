"""Noise and signal to noise in a starlight-subtracted image, with few independent places to measure them."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import distance_transform_edt
from scipy.special import ndtr, stdtr, stdtrit

from lyot.cube import Floats, Images, star_position
from lyot.errors import BadInput
from lyot.reduce.apertures import aperture_sum, weight_table
from lyot.reduce.derotate import SUMS_MAY_BE_REORDERED
from lyot.reduce.parallel import spread

SUBSTEPS = 6  # apertures per pixel and axis in the table that S/N maps read; cubic interpolation between them
CLEARANCE = 1.5  # px from an aperture on any place of a pixel to NaN, when that pixel is said to be clear
FEWEST = 4  # reference apertures below which a standard deviation says nothing


def snr_map(image: NDArray[np.floating], fwhm: float) -> Images:
    """Signal to noise of a point source at every pixel, corrected for small samples.

    At each pixel the flux in an aperture of diameter 1 FWHM is compared with that in the other apertures that fit
    side by side on the circle through it about the star. Apertures that touch NaN are left out.

    Parameters
    ----------
    image : (y, x), counts
    fwhm : float, px

    Returns
    -------
    (y, x), dimensionless
        NaN closer than 1 FWHM to the star, where the aperture touches NaN or the edge, and where fewer than half of
        the other apertures, or fewer than four, are in the field.

    Raises
    ------
    BadInput
        If `image` is not an image or `fwhm` is no width.

    References
    ----------
    Mawet et al. 2014, ApJ 792, 97, eq. 9.
    """
    values, radius = _checked(image, fwhm)
    table = weight_table(radius, SUBSTEPS).astype(np.float32)
    margin = table.shape[-1] // 2 + 2  # the cubic reads one place further
    padded = np.pad(values, margin, constant_values=np.nan)
    known = np.isfinite(padded)
    clear = distance_transform_edt(known) > radius + CLEARANCE
    ny, nx = padded.shape
    level = np.median(values[np.isfinite(values)]) if known.any() else 0.0
    light = np.where(known, padded - np.float32(level), np.float32(0))
    fluxes = np.zeros((ny * SUBSTEPS, nx * SUBSTEPS), dtype=np.float32)
    spread(lambda start, stop: _fill_fluxes(fluxes, light, table, start, stop), ny)
    cy, cx = star_position(values.shape)
    star = cy + margin, cx + margin
    found = np.full(values.shape, np.nan, dtype=np.float32)
    spread(lambda start, stop: _fill_snr(found[start:stop], start, fluxes, known, clear, star, fwhm), len(found))
    return found


def ring_fluxes(image: NDArray[np.floating], fwhm: float, radius: float, position_angle: float = 0.0) -> Floats:
    """Fluxes in the apertures of diameter 1 FWHM that fit side by side on a circle about the star.

    Parameters
    ----------
    image : (y, x), counts, North up
    fwhm, radius : float, px
    position_angle : float, deg
        Where on the circle the first aperture stands, East of North.

    Returns
    -------
    (n,), counts; n = ⌊π / asin(FWHM / 2r)⌋; NaN for an aperture that touches NaN or the edge
    """
    values, aperture = _checked(image, fwhm)
    cy, cx = star_position(values.shape)
    angles = np.deg2rad(position_angle) + ring_step(fwhm, radius) * np.arange(apertures_on_ring(fwhm, radius))
    return np.array(
        [aperture_sum(values, cy + radius * np.cos(a), cx - radius * np.sin(a), aperture) for a in angles]
    )


def ring_step(fwhm: float, radius: float) -> float:
    """Angle (rad) between neighbours among apertures of diameter 1 FWHM side by side on a circle (px)."""
    return 2.0 * math.asin(fwhm / (2.0 * radius))


def apertures_on_ring(fwhm: float, radius: float) -> int:
    """How many apertures of diameter 1 FWHM fit side by side on a circle of `radius` (px) about the star."""
    return math.floor(2.0 * math.pi / ring_step(fwhm, radius))


def mawet_noise(image: NDArray[np.floating], fwhm: float, radii: ArrayLike, sigma: float = 5.0) -> Floats:
    """Flux in a 1-FWHM aperture that is as improbable as `sigma` is for a Gaussian, at each radius.

    τ · s · √(1 + 1/n): s the standard deviation of the n aperture fluxes of the ring, τ the point of Student's
    distribution of n − 1 degrees of freedom that noise passes as rarely as a Gaussian passes `sigma`. The rings are
    turned in eight steps through one aperture and their variances averaged, so that no starting angle is preferred.
    A uniform background cancels: it is in the source's aperture as in the others.

    Parameters
    ----------
    image : (y, x), counts
    fwhm : float, px
    radii : (n,), px
    sigma : float

    Returns
    -------
    (n,), counts; NaN where fewer than five apertures, or fewer than half of them, are in the field

    References
    ----------
    Mawet et al. 2014, ApJ 792, 97, eq. 10.
    """
    return np.array([_mawet_noise_at(image, fwhm, radius, sigma) for radius in np.atleast_1d(radii)])


def _mawet_noise_at(image: NDArray[np.floating], fwhm: float, radius: float, sigma: float) -> float:
    if radius < fwhm / 2 or apertures_on_ring(fwhm, radius) <= FEWEST:
        return math.nan
    step = np.rad2deg(ring_step(fwhm, radius))
    variances, counts = [], []
    for turn in np.arange(8) / 8:
        fluxes = ring_fluxes(image, fwhm, radius, turn * step)
        inside = np.isfinite(fluxes)
        if inside.sum() > max(FEWEST, len(fluxes) / 2):
            variances.append(fluxes[inside].var(ddof=1))
            counts.append(inside.sum())
    if not counts:
        return math.nan
    n = int(np.median(counts))
    as_rare = -stdtrit(n - 1, ndtr(-sigma))
    return float(as_rare * math.sqrt(np.mean(variances) * (1 + 1 / n)))


def annulus_noise(image: NDArray[np.floating], fwhm: float, radii: ArrayLike) -> Floats:
    """Standard deviation of the pixels in an annulus 1 FWHM wide, at each radius.

    Parameters
    ----------
    image : (y, x), counts
    fwhm : float, px
    radii : (n,), px

    Returns
    -------
    (n,), counts per pixel; NaN where the annulus has no two pixels in the field

    References
    ----------
    Galicher et al. 2018, A&A 615, A92, sect. 3.
    """
    values, half = _checked(image, fwhm)
    cy, cx = star_position(values.shape)
    y, x = np.ogrid[: values.shape[0], : values.shape[1]]
    distance = np.hypot(y - cy, x - cx)
    noise = []
    for radius in np.atleast_1d(radii):
        pixels = values[(np.abs(distance - radius) <= half) & np.isfinite(values)]
        noise.append(pixels.std(ddof=1, dtype=np.float64) if pixels.size > 1 else math.nan)
    return np.array(noise)


def false_alarm_probability(snr: float, fwhm: float, radius: float) -> float:
    """Chance that noise alone gives this S/N or more in one aperture at `radius` (px): Student, n − 2 degrees.

    References
    ----------
    Mawet et al. 2014, ApJ 792, 97, sect. 3.4.
    """
    freedom = apertures_on_ring(fwhm, radius) - 2
    return float(stdtr(freedom, -snr))


def _checked(image: NDArray[np.floating], fwhm: float) -> tuple[Images, float]:
    """The image as float32 and the radius of an aperture."""
    values = np.ascontiguousarray(image, dtype=np.float32)
    if values.ndim != 2:
        raise BadInput(f"an image has 2 dimensions (y, x), found {values.ndim} {values.shape}")
    if not (np.isfinite(fwhm) and fwhm > 0):
        raise BadInput(f"FWHM is {fwhm}, it must be a positive number of pixels")
    return values, fwhm / 2.0


@njit(nogil=True, fastmath=SUMS_MAY_BE_REORDERED, cache=True)
def _fill_fluxes(fluxes, image, table, start, stop):  # type: ignore[no-untyped-def]
    """Aperture sums on a grid of `steps` places per pixel and axis; place (0, 0) is the pixel's corner (−½, −½)."""
    ny, nx = image.shape
    steps, side = table.shape[0], table.shape[2]
    half, width = side // 2, nx - side + 1
    row = np.empty(width, dtype=np.float32)
    for y in range(max(start, half), min(stop, ny - half)):
        for a in range(steps):
            for b in range(steps):
                row[:] = 0.0
                for j in range(side):
                    for i in range(side):
                        weight = table[a, b, j, i]
                        if weight != 0.0:
                            source = image[y + j - half, i : i + width]
                            for x in range(width):
                                row[x] += weight * source[x]
                for x in range(width):
                    fluxes[y * steps + a, (x + half) * steps + b] = row[x]


@njit(nogil=True, fastmath=SUMS_MAY_BE_REORDERED, cache=True)
def _flux_on_grid(fluxes, y, x):  # type: ignore[no-untyped-def]
    """Aperture flux at a place of the sub-pixel grid, by Lagrange's cubic through four places on each axis."""
    iy, ix = int(y), int(x)
    v, u = np.float32(y - iy), np.float32(x - ix)
    outer, inner = (u - 1) * (u - 2), (u + 1) * u
    a0, a1, a2, a3 = -u * outer / 6, (u + 1) * outer / 2, -inner * (u - 2) / 2, inner * (u - 1) / 6
    outer, inner = (v - 1) * (v - 2), (v + 1) * v
    b0, b1, b2, b3 = -v * outer / 6, (v + 1) * outer / 2, -inner * (v - 2) / 2, inner * (v - 1) / 6
    p, q, r, s = fluxes[iy - 1], fluxes[iy], fluxes[iy + 1], fluxes[iy + 2]
    return (
        b0 * (a0 * p[ix - 1] + a1 * p[ix] + a2 * p[ix + 1] + a3 * p[ix + 2])
        + b1 * (a0 * q[ix - 1] + a1 * q[ix] + a2 * q[ix + 1] + a3 * q[ix + 2])
        + b2 * (a0 * r[ix - 1] + a1 * r[ix] + a2 * r[ix + 1] + a3 * r[ix + 2])
        + b3 * (a0 * s[ix - 1] + a1 * s[ix] + a2 * s[ix + 1] + a3 * s[ix + 2])
    )


@njit(nogil=True, cache=True)
def _in_field(known, y, x, radius):  # type: ignore[no-untyped-def]
    """Whether a circle touches known pixels only."""
    for j in range(int(y - radius + 0.5), int(y + radius + 0.5) + 1):
        for i in range(int(x - radius + 0.5), int(x + radius + 0.5) + 1):
            if not known[j, i]:
                dy, dx = max(abs(j - y) - 0.5, 0.0), max(abs(i - x) - 0.5, 0.0)
                if dy * dy + dx * dx < radius * radius:
                    return False
    return True


@njit(nogil=True, fastmath=SUMS_MAY_BE_REORDERED, cache=True)
def _sums_on_ring(fluxes, y, x, here):  # type: ignore[no-untyped-def]
    """Sum, and sum of squares, of aperture fluxes at places of the grid, less that of the source.

    Taking the source's flux off keeps the sum of squares small beside a bright background.
    """
    total, squares = 0.0, 0.0
    for k in range(len(y)):
        other = _flux_on_grid(fluxes, y[k], x[k]) - here
        total += other
        squares += other * other
    return total, squares


@njit(nogil=True, fastmath=SUMS_MAY_BE_REORDERED, cache=True)
def _fill_snr(found, first, fluxes, known, clear, star, fwhm):  # type: ignore[no-untyped-def]
    """S/N in the rows of a map from `first` on. The map is the middle of `known`, in which `star` is the star."""
    margin = (known.shape[1] - found.shape[1]) // 2
    steps = fluxes.shape[0] // known.shape[0]
    lowest, top, right = fwhm / 2 + 1, known.shape[0] - fwhm / 2 - 2, known.shape[1] - fwhm / 2 - 2
    most = int(math.pi / math.asin(min(1.0, fwhm / (2.0 * (known.shape[0] + known.shape[1]))))) + 1
    ys, xs = np.empty(most), np.empty(most)
    for row in range(found.shape[0]):
        for column in range(found.shape[1]):
            dy, dx = float(first + row + margin - star[0]), float(column + margin - star[1])
            radius = math.sqrt(dy * dy + dx * dx)
            y, x = star[0] + dy, star[1] + dx
            if radius < fwhm or not _in_field(known, y, x, fwhm / 2):
                continue
            here = _flux_on_grid(fluxes, (y + 0.5) * steps, (x + 0.5) * steps)
            step = 2.0 * math.asin(fwhm / (2.0 * radius))
            count = int(2.0 * math.pi / step)
            cosine, sine = math.cos(step), math.sin(step)
            others = 0
            for _ in range(count - 1):
                dx, dy = cosine * dx + sine * dy, cosine * dy - sine * dx
                y, x = star[0] + dy, star[1] + dx
                if y < lowest or x < lowest or y > top or x > right:
                    continue
                if not clear[int(y + 0.5), int(x + 0.5)] and not _in_field(known, y, x, fwhm / 2):
                    continue
                ys[others], xs[others] = (y + 0.5) * steps, (x + 0.5) * steps
                others += 1
            if others < FEWEST or 2 * others < count - 1:
                continue
            total, squares = _sums_on_ring(fluxes, ys[:others], xs[:others], here)
            mean = total / others
            variance = (squares - others * mean * mean) / (others - 1)
            if variance > 0.0:
                found[row, column] = -mean / math.sqrt(variance * (1.0 + 1.0 / others))
