"""A window of a recipe's image, and what sources of any flux would look like through it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from lyot.cube import Floats, Images
from lyot.reduce.collapse import collapse
from lyot.reduce.inject import Light, Point, inject, light_of
from lyot.reduce.library import comparisons, without_holes
from lyot.reduce.parallel import single_blas_thread
from lyot.reduce.patch import Window, derotate_patch
from lyot.reduce.products import remainder
from lyot.reduce.starlight import LinearModel, PixelModel, clean, starlight_model, zones
from lyot.reduce.step import Recipe
from lyot.reduce.zone import Indices

if TYPE_CHECKING:
    from lyot.reduce.local import LocalReduction


@dataclass(frozen=True, eq=False)
class Source:
    """A source at a place, seen through a view, ready to be given any flux.

    Parameters
    ----------
    point : Point
        Its flux does not matter.
    light : Light
        What it adds to the frames.
    changes : for each zone of the view of a linear model, two matrices (nframe, nframe)
        What it adds to the Gram matrix: flux times the first and flux² times the second.
    """

    point: Point
    light: Light
    changes: dict[int, tuple[Floats, Floats]]


@dataclass(frozen=True, eq=False)
class View(Window):
    """A window of the image of a local reduction, with what it depends on. Made by `LocalReduction.window`.

    Parameters
    ----------
    local : LocalReduction
    frames : (nframe, npixel), counts
        At the window's pixels.
    parts : (zone's number, places among the pixels)
        Which pixels each zone cleans.
    """

    local: LocalReduction
    frames: Images
    parts: tuple[tuple[int, Indices], ...]

    def image(self, point: Point | None = None) -> Images:
        """The window of the recipe's image of the cube with `point` in it.

        Returns
        -------
        (height, width), counts
        """
        if point is None or point.flux == 0.0:
            return self.image_with(None, 0.0)
        return self.image_with(self.source(point), point.flux)

    def source(self, point: Point) -> Source:
        """A source made ready to be given any flux and looked at through this window."""
        local = self.local
        light = light_of(point, local.psf, local.cube, local.channel, local.unknown)
        changes = {}
        with single_blas_thread():
            for number, _ in self.parts if local.grams else ():
                inside = local.weighs[number][light.pixels]
                weighed = light if inside.all() else replace(light, values=light.values * inside)
                cross = weighed.products_with(local.frames[:, light.pixels])
                changes[number] = cross + cross.T, weighed.products_with(weighed.values)
        return Source(point, light, changes)

    def left_unaware(self, source: Source) -> float:
        """Part of a source's light that weights found without it leave; 1 for models without weights.

        What the recipe itself leaves is some 20 % more or less; this is had at once.
        """
        lit, left = 0.0, 0.0
        for number, (_, square) in source.changes.items():
            removed = (self.local.weights[number] * square).sum(axis=1)
            served = np.isfinite(removed)
            lit += float(np.diag(square)[served].sum())
            left += float((np.diag(square) - removed)[served].sum())
        return left / lit if lit > 0 else 1.0

    def image_with(self, source: Source | None, flux: float) -> Images:
        """The window of the recipe's image of the cube with a source of this flux in it."""
        with single_blas_thread():
            follow = self._residuals if is_local(self.local.recipe) else self._residuals_of_all
            residuals = follow(source, flux)
        around = self._filling(source, flux)
        return collapse(derotate_patch(residuals, self, around), self.local.recipe.collapse)

    def _filling(self, source: Source | None, flux: float) -> Images | None:
        """What unknown pixels of the window count as in what is seen beside them, the source's light included."""
        around = self.local.filling
        if around is not None and source is not None:
            light = np.zeros_like(around)
            light[source.light.pixels] = np.float32(flux) * source.light.values.mean(axis=0)
            if self.local.unknown is not None:
                light[self.local.unknown.all(axis=0)] = np.nan
            around = around + without_holes(light.reshape(self.local.shape)).ravel()
        return None if around is None else around[self.pixels]

    def _residuals(self, source: Source | None, flux: float) -> Images:
        """Residual frames at the pixels of the window; NaN where unknown or in no zone."""
        local = self.local
        seen = self.frames
        if source is not None:
            seen = seen.copy()
            source.light.add_to(seen, self.place.ravel(), flux)
        if len(self.parts) == 1 and len(self.parts[0][1]) == seen.shape[1]:
            left = self._cleaned(self.parts[0][0], seen, (self.starts, self.stops), source, flux)
        else:
            left = np.full_like(seen, np.nan)
            for number, mine in self.parts:
                wanted = np.searchsorted(mine, self.starts), np.searchsorted(mine, self.stops)
                left[:, mine] = self._cleaned(number, seen[:, mine], wanted, source, flux)
        if local.unknown is not None:
            left[local.unknown[:, self.pixels]] = np.nan
        return left

    def _cleaned(
        self, number: int, seen: Images, wanted: tuple[Indices, Indices], source: Source | None, flux: float
    ) -> Images:
        """Frames at pixels of one zone without their starlight, each from the first to the last pixel it wants."""
        model, zone = starlight_model(self.local.recipe), self.local.zones[number]
        if not (isinstance(model, LinearModel) and model.linear):
            assert isinstance(model, PixelModel)  # there is no third kind
            return seen - model.starlight(seen, seen, zone)
        if source is None:
            return remainder(self.local.weights[number], seen, *wanted)
        once, twice = source.changes[number]
        gram = self.local.grams[number] + flux * once + flux**2 * twice
        return remainder(model.weights(gram, gram, zone), seen, *wanted)

    def _residuals_of_all(self, source: Source | None, flux: float) -> Images:
        """Residual frames at the pixels of the window, by cleaning all of every frame."""
        local = self.local
        model = starlight_model(local.recipe)
        cube = local.cube
        if source is not None:
            cube = inject(cube, replace(source.point, flux=flux), wave=local.channel)
        frames = cube.frames[local.channel].reshape(len(cube.angles), -1)
        left = np.full_like(frames, np.nan)
        parts = zones(local.recipe, cube, local.channel)
        for comparison in comparisons(cube, local.recipe, local.channel, local.library):
            for part in parts:
                clean(model, comparison, comparison.looking_at(part), left)
        left[np.isnan(frames)] = np.nan
        return left[:, self.pixels]


def is_local(recipe: Recipe) -> bool:
    """Whether a window of the recipe's image can be had without reducing the whole cube."""
    model = starlight_model(recipe)
    return recipe.strategy == "adi" and (model.linear or model.local)
