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
from lyot.reduce.combine import combine
from lyot.reduce.inject import Point, inject
from lyot.reduce.library import filling, without_gaps
from lyot.reduce.parallel import each
from lyot.reduce.patch import window_around
from lyot.reduce.products import apply_weights, scalar_products
from lyot.reduce.psf_image import fwhm_of, normalised_psf
from lyot.reduce.starlight import (
    LinearModel,
    check_mask,
    check_rotation,
    starlight_model,
    subtract,
    zones,
)
from lyot.reduce.step import Recipe
from lyot.reduce.view import View, is_local
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
    def weights(self) -> list[Floats]:
        """The weights of each zone of a linear model, for the cube as it is."""
        model = starlight_model(self.recipe)
        if not (isinstance(model, LinearModel) and model.linear):
            return []
        pairs = zip(self.grams, self.zones, strict=True)
        return each(lambda pair: model.weights(pair[0], *pair), pairs)

    @cached_property
    def whole_image(self) -> Images:
        """The recipe's image of the cube at its wavelength, (y, x), counts."""
        if not self.weights:
            return subtract(self.cube, self.recipe, self.library).image[self.channel]
        left = np.empty_like(self.frames)
        left[:, self.owner < 0] = np.nan

        def one(number: int) -> None:
            apply_weights(self.weights[number], self.frames, self.frames, self.zones[number].pixels, left)

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
