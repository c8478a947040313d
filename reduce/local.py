"""What a recipe makes of a source, in a small window of its image, without reducing the cube again.

Everything that asks "what would a source look like here?" (throughput, limits, fits by negative injection) asks it
here. The Gram matrix of each zone that the source touches is updated for its light, G' = G + f (X Aᵀ + A Xᵀ) + f² A Aᵀ,
the model finds its weights anew, and only the window is rebuilt and turned. That is exact: no weight is held fixed, so
the source's effect on the starlight model is in it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lyot.cube import Cube, Floats, Images
from lyot.reduce.collapse import collapse
from lyot.reduce.combine import combine
from lyot.reduce.inject import Light, Point, inject, light_of
from lyot.reduce.library import comparisons, filling, without_gaps, without_holes
from lyot.reduce.parallel import each, single_blas_thread
from lyot.reduce.patch import Window, derotate_patch, window_around
from lyot.reduce.products import apply_weights, remainder, scalar_products
from lyot.reduce.psf_image import fwhm_of, normalised_psf
from lyot.reduce.starlight import (
    LinearModel,
    PixelModel,
    check_mask,
    check_rotation,
    clean,
    starlight_model,
    subtract,
    zones,
)
from lyot.reduce.step import Recipe
from lyot.reduce.zone import Indices, Zone


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

    def window(self, y: float, x: float, half: int) -> View:
        """The window of the image that reaches `half` pixels from (y, x), with what it depends on."""
        window = window_around(y, x, half, self.shape, self.cube.angles)
        owner = self.owner[window.pixels]
        parts = tuple((int(number), np.flatnonzero(owner == number)) for number in np.unique(owner[owner >= 0]))
        return View(**vars(window), local=self, frames=self.frames[:, window.pixels], parts=parts)

    def having(self, *points: Point) -> LocalReduction:
        """The same of the cube with sources put into it."""
        return _made_ready(
            inject(self.cube, *points, wave=self.channel), self.channel, self.recipe, self.library, self.psf, self.fwhm
        )

    @cached_property
    def whole_image(self) -> Images:
        """The recipe's image of the cube at its wavelength, (y, x), counts."""
        model = starlight_model(self.recipe)
        if not (self.grams and isinstance(model, LinearModel)):
            return subtract(self.cube, self.recipe, self.library).image[self.channel]
        left = np.empty_like(self.frames)
        left[:, self.owner < 0] = np.nan

        def one(number: int) -> None:
            gram, zone = self.grams[number], self.zones[number]
            apply_weights(model.weights(gram, gram, zone), self.frames, self.frames, zone.pixels, left)

        if len(self.zones) == 1:
            one(0)
        else:
            each(one, range(len(self.zones)))
        if self.unknown is not None:
            left[self.unknown] = np.nan
        image = np.empty(self.shape, np.float32)
        around = None if self.filling is None else self.filling.reshape(self.shape)
        combine(left.reshape(-1, *self.shape), self.cube.angles, self.recipe.collapse, image, around)
        return image

    @cached_property
    def filling(self) -> Images | None:
        """What unknown pixels count as in what is seen beside them, (ny · nx); 0 without."""
        if not starlight_model(self.recipe).keeps_starlight:
            return None
        return filling(self.cube.frames[self.channel]).ravel()

    @cached_property
    def owner(self) -> NDArray[np.int64]:
        """The number of the zone that cleans each pixel, −1 where none does."""
        owner = np.full(self.frames.shape[1], -1)
        for number, zone in enumerate(self.zones):
            owner[zone.pixels] = number
        return owner

    @cached_property
    def weighs(self) -> list[NDArray[np.bool_]]:
        """Which pixels have a say in the weights of each zone."""
        says = []
        for zone in self.zones:
            say = np.zeros(self.frames.shape[1], dtype=np.bool_)
            say[zone.optimisation] = True
            says.append(say)
        return says


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
            left = self._cleaned(self.parts[0][0], seen, source, flux)
        else:
            left = np.full_like(seen, np.nan)
            for number, mine in self.parts:
                left[:, mine] = self._cleaned(number, seen[:, mine], source, flux)
        if local.unknown is not None:
            left[local.unknown[:, self.pixels]] = np.nan
        return left

    def _cleaned(self, number: int, seen: Images, source: Source | None, flux: float) -> Images:
        """Frames at pixels of one zone without their starlight."""
        model, zone = starlight_model(self.local.recipe), self.local.zones[number]
        if isinstance(model, PixelModel):
            return seen - model.starlight(seen, seen, zone)
        assert isinstance(model, LinearModel)  # there is no third kind
        gram = self.local.grams[number]
        if source is not None:
            once, twice = source.changes[number]
            gram = gram + flux * once + flux**2 * twice
        return remainder(model.weights(gram, gram, zone), seen)

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


def prepare(cube: Cube, recipe: Recipe, wave: int = 0, library: Images | None = None) -> LocalReduction:
    """One wavelength of a cube, ready to be asked what `recipe` makes of a source in it.

    Raises
    ------
    BadInput
        If the recipe's model is no starlight model, or its mask covers the image.
    Unprocessable
        If the cube has no PSF, or the field turns too little.
    """
    check_mask(cube, recipe)
    check_rotation(cube, recipe)
    seen, channel = (cube.channel(wave), 0) if recipe.strategy == "adi" else (cube, wave)
    return _made_ready(seen, channel, recipe, library, normalised_psf(seen, channel), fwhm_of(seen, channel))


def _made_ready(
    cube: Cube, channel: int, recipe: Recipe, library: Images | None, psf: Floats, fwhm: float
) -> LocalReduction:
    known = np.isfinite(cube.frames[channel])
    frames = np.ascontiguousarray(without_gaps(cube.frames[channel]).reshape(len(known), -1))
    parts = zones(recipe, cube, channel) if is_local(recipe) else []
    linear = starlight_model(recipe).linear
    return LocalReduction(
        cube=cube,
        channel=channel,
        recipe=recipe,
        library=library,
        psf=psf,
        fwhm=fwhm,
        frames=frames,
        unknown=None if known.all() else ~known.reshape(frames.shape),
        zones=parts,
        grams=[scalar_products(frames, frames, zone.optimisation) for zone in parts] if linear else [],
    )
