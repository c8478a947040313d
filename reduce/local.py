"""What a recipe makes of a source, in a small window of its image, without reducing the cube again.

Everything that asks "what would a source look like here?" (throughput, limits, fits by negative injection) asks it
here. The Gram matrix of each zone that the source touches is updated for its light, G' = G + f (X Aᵀ + A Xᵀ) + f² A Aᵀ,
the model finds its weights anew, and only the window is rebuilt and turned. That is exact: no weight is held fixed, so
the source's effect on the starlight model is in it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lyot.cube import Cube, Floats, Images
from lyot.reduce.collapse import collapse
from lyot.reduce.inject import Light, Point, inject, light_of
from lyot.reduce.library import comparisons, without_gaps
from lyot.reduce.parallel import single_blas_thread
from lyot.reduce.patch import Window, derotate_patch, window_around
from lyot.reduce.psf_image import fwhm_of, normalised_psf
from lyot.reduce.starlight import LinearModel, PixelModel, clean, scalar_products, starlight_model, subtract, zones
from lyot.reduce.step import Recipe
from lyot.reduce.zone import Zone


@dataclass(frozen=True, eq=False)
class LocalReduction:
    """One wavelength of a cube made ready to be asked what a recipe makes of a source in it. Made by `prepare`.

    ADI by linear models and by pixel models that look at one pixel at a time is followed in the window; what other
    models and strategies make of a source is found by cleaning all of every frame.

    Parameters
    ----------
    cube : Cube
        In ADI, of the one wavelength.
    channel : int
        The wavelength, among those of `cube`.
    recipe : Recipe
    library : frames of other stars, for strategy "rdi"
    psf : (y, x), 1/px
        Of unit flux in an aperture of diameter 1 FWHM.
    fwhm : float, px
    frames : (nframe, ny · nx), counts
        Unknown pixels hold their mean over time, as in the engine.
    unknown : (nframe, ny · nx), or None when all is known
    zones : list of Zone
    grams : a matrix (nframe, nframe) for each zone of a linear model
    """

    cube: Cube
    channel: int
    recipe: Recipe
    library: Images | None
    psf: Floats
    fwhm: float
    frames: Images
    unknown: NDArray[np.bool_] | None
    zones: list[Zone] = field(default_factory=list)
    grams: list[Floats] = field(default_factory=list)

    @property
    def shape(self) -> tuple[int, int]:
        """(ny, nx) of the frames."""
        return self.cube.frames.shape[-2], self.cube.frames.shape[-1]

    def window(self, y: float, x: float, half: int) -> Window:
        """The window of the image that reaches `half` pixels from (y, x), with what it depends on."""
        return window_around(y, x, half, self.shape, self.cube.angles)

    def having(self, *points: Point) -> LocalReduction:
        """The same of the cube with sources put into it."""
        return prepare(inject(self.cube, *points, wave=self.channel), self.recipe, self.channel, self.library)

    def image(self, window: Window, point: Point | None = None) -> Images:
        """The window of the recipe's image of the cube with `point` in it.

        Returns
        -------
        (height, width), counts
        """
        with single_blas_thread():
            follow = self._residuals if is_local(self.recipe) else self._residuals_of_all
            residuals = follow(window, point)
        return collapse(derotate_patch(residuals, window), self.recipe.collapse)

    def whole_image(self) -> Images:
        """The recipe's image of the cube at its wavelength, (y, x), counts."""
        return subtract(self.cube, self.recipe, self.library).image[self.channel]

    def _residuals_of_all(self, window: Window, point: Point | None) -> Images:
        """Residual frames at the pixels of a window, by cleaning all of every frame."""
        model = starlight_model(self.recipe)
        cube = self.cube if point is None else inject(self.cube, point, wave=self.channel)
        frames = cube.frames[self.channel].reshape(len(cube.angles), -1)
        left = np.full_like(frames, np.nan)
        parts = zones(self.recipe, cube, self.channel)
        for comparison in comparisons(cube, self.recipe, self.channel, self.library):
            for part in parts:
                clean(model, comparison, comparison.looking_at(part), left)
        left[np.isnan(frames)] = np.nan
        return left[:, window.pixels]

    def _residuals(self, window: Window, point: Point | None) -> Images:
        """Residual frames at the pixels of a window; NaN where unknown or in no zone."""
        model = starlight_model(self.recipe)
        left = np.full((len(self.frames), len(window.pixels)), np.nan, dtype=np.float32)
        seen = self.frames[:, window.pixels]
        light = None
        if point is not None and point.flux != 0.0:
            light = light_of(point, self.psf, self.cube.angles, self.shape, self.unknown)
            light.add_to(seen, window.place.ravel(), point.flux)
        owner = self._owner[window.pixels]
        for number in np.unique(owner[owner >= 0]):
            mine = np.flatnonzero(owner == number)
            part = seen if len(mine) == seen.shape[1] else seen[:, mine]
            if isinstance(model, LinearModel) and model.linear:
                weights = self._weights(model, number, light, 0.0 if point is None else point.flux)
                left[:, mine] = (np.eye(len(weights)) - weights).astype(np.float32) @ part
            elif isinstance(model, PixelModel):
                left[:, mine] = part - model.starlight(part, part, self.zones[number])
        if self.unknown is not None:
            left[self.unknown[:, window.pixels]] = np.nan
        return left

    @cached_property
    def _owner(self) -> NDArray[np.int64]:
        """The number of the zone that cleans each pixel, −1 where none does."""
        owner = np.full(self.frames.shape[1], -1)
        for number, zone in enumerate(self.zones):
            owner[zone.pixels] = number
        return owner

    def _weights(self, model: LinearModel, number: int, light: Light | None, flux: float) -> Floats:
        """Weights of one zone, found anew with the source's light in the frames."""
        gram, zone = self.grams[number], self.zones[number]
        if light is not None:
            inside = self._weighs(number)[light.pixels]
            pixels, added = light.pixels[inside], light.values if inside.all() else light.values[:, inside]
            cross = (self.frames[:, pixels] @ added.T).astype(np.float64)
            square = (added @ added.T).astype(np.float64)
            gram = gram + flux * (cross + cross.T) + flux**2 * square
        return model.weights(gram, gram, zone)

    def _weighs(self, number: int) -> NDArray[np.bool_]:
        """Which pixels have a say in the weights of a zone."""
        say = np.zeros(self.frames.shape[1], dtype=np.bool_)
        say[self.zones[number].optimisation] = True
        return say


def is_local(recipe: Recipe) -> bool:
    """Whether a window of the recipe's image can be had without reducing the whole cube."""
    model = starlight_model(recipe)
    return recipe.strategy == "adi" and (model.linear or model.local)


def prepare(cube: Cube, recipe: Recipe, wave: int = 0, library: Images | None = None) -> LocalReduction:
    """One wavelength of a cube, ready to be asked what `recipe` makes of a source in it.

    Raises
    ------
    BadInput
        If the recipe's model is no starlight model.
    Unprocessable
        If the cube has no PSF.
    """
    model = starlight_model(recipe)
    seen, channel = (cube.channel(wave), 0) if recipe.strategy == "adi" else (cube, wave)
    known = np.isfinite(seen.frames[channel])
    frames = np.ascontiguousarray(without_gaps(seen.frames[channel]).reshape(len(known), -1))
    parts = zones(recipe, seen, channel) if is_local(recipe) else []
    return LocalReduction(
        cube=seen,
        channel=channel,
        recipe=recipe,
        library=library,
        psf=normalised_psf(seen, channel),
        fwhm=fwhm_of(seen, channel),
        frames=frames,
        unknown=None if known.all() else ~known.reshape(frames.shape),
        zones=parts,
        grams=[scalar_products(frames, frames, zone.optimisation) for zone in parts] if model.linear else [],
    )
