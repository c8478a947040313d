"""Simulated point sources in the frames of a cube."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lyot.cube import Cube, Floats, Images, star_position
from lyot.reduce.library import without_gaps
from lyot.reduce.products import TOGETHER
from lyot.reduce.psf_image import normalised_psf, stamps, star_flux_of
from lyot.reduce.zone import Indices


@dataclass(frozen=True)
class Point:
    """A point source: `separation` px from the star, `position_angle` deg East of North, `flux` counts in 1 FWHM."""

    separation: float
    position_angle: float
    flux: float

    def place(self, shape: tuple[int, ...]) -> tuple[float, float]:
        """Where it stands (y, x) in an image with North up."""
        y, x = positions(self, np.zeros(1), shape)
        return float(y[0]), float(x[0])

    def negative(self) -> Point:
        """What takes it away."""
        return replace(self, flux=-self.flux)


def point_at(y: float, x: float, flux: float, shape: tuple[int, ...]) -> Point:
    """The point source at (y, x) of an image with North up."""
    cy, cx = star_position(shape)
    angle = float(np.degrees(np.arctan2(cx - x, y - cy))) % 360.0
    return Point(float(np.hypot(y - cy, x - cx)), angle, flux)


def positions(point: Point, angles: Floats, shape: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Where a source stands in each frame.

    Parameters
    ----------
    point : Point
    angles : (time,), deg
        Position angles of the frames' +y axis.
    shape : (…, ny, nx)

    Returns
    -------
    y, x : (time,), px
    """
    cy, cx = star_position(shape)
    turn = np.radians(point.position_angle - np.asarray(angles))
    return cy + point.separation * np.cos(turn), cx - point.separation * np.sin(turn)


def inject(cube: Cube, *points: Point, wave: int = 0) -> Cube:
    """The cube with point sources added to its frames.

    Parameters
    ----------
    cube : Cube
        With a PSF.
    points : Point
        A negative flux takes a source away.
    wave : int
        The wavelength whose flux is meant. At the others sources have the same contrast to the star, or the same
        counts where the star's flux is not known.

    Raises
    ------
    Unprocessable
        If the cube has no PSF.
    """
    frames = cube.frames.copy()
    for channel, colour in enumerate(colours(cube, wave)):
        psf = normalised_psf(cube, channel)
        for point in points:
            y, x = positions(point, cube.angles, frames.shape)
            light = colour * point.flux * _images(psf, y, x, cube.brightness_of(channel))
            for frame, stamp, (seen, part) in zip(
                frames[channel], light, _places(frames.shape, psf.shape, y, x), strict=True
            ):
                frame[seen] += stamp[part]
    return replace(cube, frames=frames)


def colours(cube: Cube, wave: int) -> Floats:
    """The star's flux at each wavelength over that at wavelength `wave`; ones where it is not known."""
    if cube.star_flux is None:
        return np.ones(len(cube.wavelengths))
    fluxes = np.array([star_flux_of(cube, channel) for channel in range(len(cube.wavelengths))], dtype=np.float64)
    return np.asarray(fluxes / fluxes[wave])


def _images(psf: Floats, y: Floats, x: Floats, brightness: Floats) -> Floats:
    """Stamps of the PSF around the pixels nearest to (y, x), each as bright as its frame."""
    return stamps(psf, y - np.rint(y), x - np.rint(x)) * brightness[:, None, None]


Part = tuple[slice, slice]


def _places(
    frame: tuple[int, ...], stamp: tuple[int, ...], y: Floats, x: Floats
) -> list[tuple[Part, Part]]:
    """Part of a frame that each stamp around the pixel nearest to (y, x) covers, and the same part of the stamp."""
    places = []
    for middle in zip(np.rint(y).astype(int).tolist(), np.rint(x).astype(int).tolist(), strict=True):
        covered, part = [], []
        for size, side, at in zip(frame[-2:], stamp, middle, strict=True):
            first = at - side // 2
            start = min(max(first, 0), size)
            stop = max(start, min(first + side, size))
            covered.append(slice(start, stop))
            part.append(slice(start - first, stop - first))
        places.append(((covered[0], covered[1]), (part[0], part[1])))
    return places


@dataclass(frozen=True, eq=False)
class Light:
    """What a source of unit flux adds to frames: `values` (nframe, npixel) at flat indices `pixels`, 0 elsewhere.

    Pixels follow one another along the source's path: in frame t only those from `starts[t]` to `stops[t]` are lit.
    """

    pixels: Indices
    values: Images
    starts: Indices
    stops: Indices

    def add_to(self, values: Images, place: NDArray[np.int32], flux: float) -> None:
        """Add the source to frames known at some pixels; `place`, flat, says where each pixel stands there, or −1."""
        _add(values, place[self.pixels], np.float32(flux), self.values, self.starts, self.stops)

    def products_with(self, frames: Images) -> Floats:
        """Scalar products of frames at its pixels, (n, npixel), with what it adds to each frame, (n, nframe)."""
        products = np.empty((len(frames), len(self.values)))
        for first in range(0, len(self.values), TOGETHER):
            these = slice(first, first + TOGETHER)
            lit = slice(int(self.starts[these].min()), int(self.stops[these].max()))
            products[:, these] = frames[:, lit] @ self.values[these, lit].T
        return products


def light_of(point: Point, psf: Floats, cube: Cube, wave: int, unknown: NDArray[np.bool_] | None) -> Light:
    """What a source of unit flux at the place of `point` adds to the frames of a cube at one wavelength.

    Parameters
    ----------
    psf : (y, x), 1/px
    unknown : (nframe, ny · nx), optional
        Pixels that are filled with the mean of the other frames; so is the source's light in them.
    """
    shape = cube.frames.shape[-2:]
    y, x = positions(point, cube.angles, shape)
    corners = np.stack([np.rint(y) - psf.shape[0] // 2, np.rint(x) - psf.shape[1] // 2], axis=1).astype(np.int64)
    place = np.full(shape, -1, dtype=np.int32)
    pixels, starts, stops = _number(place, corners, *psf.shape)
    values = np.zeros((len(y), len(pixels)), dtype=np.float32)
    _fill(values, place, corners, _images(psf, y, x, cube.brightness_of(wave)))
    if unknown is not None:
        values = without_gaps(np.where(unknown[:, pixels], np.float32(np.nan), values))
        starts, stops = np.zeros_like(starts), np.full_like(stops, len(pixels))
    return Light(pixels, values, starts, stops)


@njit(nogil=True, cache=True)
def _number(place, corners, height, width):  # type: ignore[no-untyped-def]
    """Number the pixels that stamps cover, stamp by stamp; flat indices, and where those of each begin and end."""
    ny, nx = place.shape
    count = len(corners)
    covered = np.empty(min(count * height * width, ny * nx), dtype=np.int64)
    starts, stops = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64)
    known = 0
    for t in range(count):
        first = known
        for y in range(max(corners[t, 0], 0), min(corners[t, 0] + height, ny)):
            for x in range(max(corners[t, 1], 0), min(corners[t, 1] + width, nx)):
                if place[y, x] < 0:
                    covered[known] = y * nx + x
                    place[y, x] = known
                    known += 1
                first = min(first, place[y, x])
        starts[t], stops[t] = first, known
    return covered[:known], starts, stops


@njit(nogil=True, cache=True)
def _fill(values, place, corners, stamps):  # type: ignore[no-untyped-def]
    """Put stamps where their pixels are numbered."""
    ny, nx = place.shape
    for t in range(len(stamps)):
        bottom, left = corners[t]
        for y in range(max(bottom, 0), min(bottom + stamps.shape[1], ny)):
            for x in range(max(left, 0), min(left + stamps.shape[2], nx)):
                values[t, place[y, x]] = stamps[t, y - bottom, x - left]


@njit(nogil=True, cache=True)
def _add(values, place, flux, light, starts, stops):  # type: ignore[no-untyped-def]
    """values[:, place] += flux · light, where a place is not negative and light is."""
    for t in range(len(values)):
        for k in range(starts[t], stops[t]):
            if place[k] >= 0:
                values[t, place[k]] += flux * light[t, k]
