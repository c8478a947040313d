"""Simulated point sources in the frames, and what a recipe makes of them: all of the image, or just the part around.

Everything that asks "what would a source look like here?" (throughput, limits, fits by negative injection) asks it
here. `inject` puts sources into a whole cube, which any recipe then reduces. `LocalReduction` gives the same answer
for a small window and one source without reducing the cube again: the Gram matrix of each zone that the source touches
is updated for its light, G' = G + f (X Aᵀ + A Xᵀ) + f² A Aᵀ, the model finds its weights anew, and only the window is
rebuilt and turned. That is exact: no weight is held fixed, so the source's effect on the starlight model is in it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from lyot.cube import Cube, Floats, Images, star_position
from lyot.reduce.collapse import collapse
from lyot.reduce.library import without_gaps
from lyot.reduce.parallel import single_blas_thread
from lyot.reduce.patch import Window, derotate_patch, window_around
from lyot.reduce.psf_image import normalised_psf, stamps
from lyot.reduce.starlight import LinearModel, PixelModel, scalar_products, starlight_model, subtract, zones
from lyot.reduce.step import Recipe
from lyot.reduce.zone import Indices, Zone


@dataclass(frozen=True)
class Point:
    """A point source: `separation` px from the star, `position_angle` deg East of North, `flux` counts in 1 FWHM."""

    separation: float
    position_angle: float
    flux: float

    def place(self, shape: tuple[int, ...]) -> tuple[float, float]:
        """Where it stands (y, x) in an image with North up."""
        y, x = positions(self.separation, self.position_angle, np.zeros(1), shape)
        return float(y[0]), float(x[0])


def point_at(y: float, x: float, flux: float, shape: tuple[int, ...]) -> Point:
    """The point source at (y, x) of an image with North up."""
    cy, cx = star_position(shape)
    angle = float(np.degrees(np.arctan2(cx - x, y - cy))) % 360.0
    return Point(float(np.hypot(y - cy, x - cx)), angle, flux)


def positions(
    separation: float, position_angle: float, angles: Floats, shape: tuple[int, ...]
) -> tuple[Floats, Floats]:
    """Where a source stands in each frame.

    Parameters
    ----------
    separation : float, px
    position_angle : float, deg
    angles : (time,), deg
        Position angles of the frames' +y axis.
    shape : (…, ny, nx)

    Returns
    -------
    y, x : (time,), px
    """
    cy, cx = star_position(shape)
    turn = np.radians(position_angle - np.asarray(angles))
    return cy + separation * np.cos(turn), cx - separation * np.sin(turn)


def inject(cube: Cube, *points: Point, wave: int | None = None) -> Cube:
    """The cube with point sources added to its frames.

    Parameters
    ----------
    cube : Cube
        With a PSF.
    points : Point
        A negative flux takes a source away.
    wave : int, optional
        The only wavelength to change; all of them, to the same flux in counts, when not given.

    Raises
    ------
    Unprocessable
        If the cube has no PSF.
    """
    frames = cube.frames.copy()
    for channel in range(len(frames)) if wave is None else (wave,):
        psf = normalised_psf(cube, channel)
        for point in points:
            _add(frames[channel], psf, point, cube.angles)
    return replace(cube, frames=frames)


def _add(frames: Images, psf: Floats, point: Point, angles: Floats) -> None:
    y, x = positions(point.separation, point.position_angle, angles, frames.shape)
    light = point.flux * _at(psf, y, x)
    for frame, stamp, row, column in zip(frames, light, np.rint(y), np.rint(x), strict=True):
        seen, part = _overlap(frame.shape, stamp.shape, int(row), int(column))
        frame[seen] += stamp[part]


def _at(psf: Floats, y: Floats, x: Floats) -> Floats:
    """Stamps of the PSF around the pixels nearest to (y, x)."""
    return stamps(psf, y - np.rint(y), x - np.rint(x))


def _overlap(
    frame: tuple[int, int], stamp: tuple[int, int], row: int, column: int
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Part of a frame that a stamp around a pixel covers, and the same part of the stamp."""
    covered, part = [], []
    for size, side, middle in zip(frame, stamp, (row, column), strict=True):
        first = middle - side // 2
        start, stop = min(max(first, 0), size), max(min(first + side, size), 0)
        covered.append(slice(start, max(start, stop)))
        part.append(slice(start - first, max(start, stop) - first))
    return (covered[0], covered[1]), (part[0], part[1])


@dataclass(frozen=True, eq=False)
class Light:
    """What a source of unit flux adds to frames: `values` (nframe, npixel) at the flat indices `pixels`."""

    pixels: Indices
    values: Images


@dataclass(frozen=True, eq=False)
class LocalReduction:
    """One wavelength of a cube made ready to be asked what a recipe makes of a source in it.

    Made by `prepare`. Models and strategies that cannot be followed locally are followed by reducing the whole cube.

    Parameters
    ----------
    cube : Cube
        Of the one wavelength.
    recipe : Recipe
    psf : (y, x), 1/px
        Of unit flux in an aperture of diameter 1 FWHM.
    frames : (nframe, ny · nx), counts
        Unknown pixels hold their mean over time, as in the engine.
    unknown : (nframe, ny · nx), or None when all is known
    zones : list of Zone
    grams : a matrix (nframe, nframe) for each zone, empty for pixel models
    """

    cube: Cube
    recipe: Recipe
    psf: Floats
    frames: Images
    unknown: NDArray[np.bool_] | None
    zones: list[Zone]
    grams: list[Floats] = field(default_factory=list)

    @property
    def shape(self) -> tuple[int, int]:
        """(ny, nx) of the frames."""
        return self.cube.frames.shape[-2], self.cube.frames.shape[-1]

    @property
    def local(self) -> bool:
        """Whether a window can be had without reducing the whole cube."""
        model = self.recipe.model
        return self.recipe.strategy == "adi" and (linear(model) or bool(getattr(model, "local", False)))

    def window(self, y: float, x: float, half: int) -> Window:
        """The window of the image that reaches `half` pixels from (y, x), with what it depends on."""
        return window_around(y, x, half, self.shape, self.cube.angles)

    def image(self, window: Window, point: Point | None = None) -> Images:
        """The window of the recipe's image of the cube with `point` in it.

        Returns
        -------
        (height, width), counts
        """
        if not self.local:
            cube = self.cube if point is None else inject(self.cube, point)
            whole: Images = subtract(cube, self.recipe).image[0]
            return whole[slice(*window.rows), slice(*window.columns)]
        with single_blas_thread():
            residuals = self._residuals(window, point)
        return collapse(derotate_patch(residuals, window), self.recipe.collapse)

    def _residuals(self, window: Window, point: Point | None) -> Images:
        """Residual frames at the pixels of a window."""
        model = self.recipe.model
        light = None if point is None else self._light(point)
        left = np.full((len(self.frames), len(window.pixels)), np.nan, dtype=np.float32)
        seen = self.frames[:, window.pixels]
        if light is not None and point is not None:
            add_at(seen, window.place.ravel(), light, np.float32(point.flux))
        owner = self._owners()[window.pixels]
        for number in np.unique(owner[owner >= 0]):
            zone, mine = self.zones[number], np.flatnonzero(owner == number)
            part = seen if len(mine) == seen.shape[1] else seen[:, mine]
            if linear(model):
                weights = self._weights(number, light, 0.0 if point is None else point.flux)
                clean = (np.eye(len(weights)) - weights).astype(np.float32) @ part
            else:
                assert isinstance(model, PixelModel)
                clean = part - model.starlight(part, part, zone)
            left[:, mine] = clean
        if self.unknown is not None:
            left[self.unknown[:, window.pixels]] = np.nan
        return left

    def _owners(self) -> NDArray[np.int64]:
        """The number of the zone that cleans each pixel, −1 where none does."""
        owner = np.full(self.frames.shape[1], -1)
        for number, zone in enumerate(self.zones):
            owner[zone.pixels] = number
        return owner

    def _weights(self, number: int, light: Light | None, flux: float) -> Floats:
        """Weights of one zone, found anew with the source's light in the frames."""
        model, gram, zone = self.recipe.model, self.grams[number], self.zones[number]
        assert isinstance(model, LinearModel)
        if light is not None and flux != 0.0:
            inside = np.isin(light.pixels, zone.optimisation, assume_unique=True)
            added = light.values if inside.all() else light.values[:, inside]
            cross = (self.frames[:, light.pixels[inside]] @ added.T).astype(np.float64)
            square = (added @ added.T).astype(np.float64)
            gram = gram + flux * (cross + cross.T) + flux**2 * square
        return model.weights(gram, gram, zone)

    def _light(self, point: Point) -> Light:
        """What a unit source at the place of `point` adds to the frames, gaps filled as theirs were."""
        ny, nx = self.shape
        y, x = positions(point.separation, point.position_angle, self.cube.angles, self.shape)
        images = _at(self.psf, y, x)
        touched = np.zeros(self.shape, dtype=np.bool_)
        places = [
            _overlap(self.shape, stamp.shape, round(row), round(column))
            for stamp, row, column in zip(images, y, x, strict=True)
        ]
        for seen, _ in places:
            touched[seen] = True
        pixels = np.flatnonzero(touched)
        where = np.empty((ny, nx), dtype=np.int64)
        where[touched] = np.arange(len(pixels))
        values = np.zeros((len(images), len(pixels)), dtype=np.float32)
        for t, (seen, part) in enumerate(places):
            values[t, where[seen].ravel()] = images[t][part].ravel()
        if self.unknown is not None:
            gaps = self.unknown[:, pixels]
            values = without_gaps(np.where(gaps, np.float32(np.nan), values))
        return Light(pixels, values)


def add_at(values: Images, place: NDArray[np.int64], light: Light, flux: np.float32) -> None:
    """Add a source's light to frames known at some pixels: `place` says where each pixel of an image stands there."""
    where = place[light.pixels]
    shared = where >= 0
    values[:, where[shared]] += flux * light.values[:, shared]


def linear(model: object) -> bool:
    """Whether a model is asked for weights."""
    return isinstance(model, LinearModel) and model.linear


def prepare(cube: Cube, recipe: Recipe, wave: int = 0) -> LocalReduction:
    """One wavelength of a cube, ready to be asked what `recipe` makes of a source in it.

    Raises
    ------
    BadInput
        If the recipe's model is no starlight model.
    Unprocessable
        If the cube has no PSF.
    """
    model = starlight_model(recipe)
    one = cube.channel(wave)
    known = np.isfinite(one.frames[0])
    frames = without_gaps(one.frames[0]).reshape(len(one.angles), -1)
    parts = zones(recipe, one)
    return LocalReduction(
        cube=one,
        recipe=recipe,
        psf=normalised_psf(one),
        frames=np.ascontiguousarray(frames),
        unknown=None if known.all() else ~known.reshape(frames.shape),
        zones=parts,
        grams=[scalar_products(frames, frames, zone.optimisation) for zone in parts] if linear(model) else [],
    )
