"""How many components: images for many numbers of them at once, and the number that serves a planet best.

The scalar products of the frames do not depend on the number of components, so they are formed once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from lyot.cube import Cube, Images
from lyot.errors import BadInput
from lyot.reduce.combine import combine
from lyot.reduce.inject import Point, inject
from lyot.reduce.library import comparisons, has_gaps
from lyot.reduce.measure import snr_map
from lyot.reduce.psf_image import fwhm_of
from lyot.reduce.starlight import (
    LinearModel,
    apply_weights,
    check_mask,
    check_rotation,
    products,
    starlight_model,
    zones,
)
from lyot.reduce.step import Recipe


def with_components(recipe: Recipe, ncomp: int) -> Recipe:
    """The same recipe with another number of components.

    Raises
    ------
    BadInput
        If its model has none, or cannot have so many.
    """
    model = starlight_model(recipe)
    if not (isinstance(model, LinearModel) and "ncomp" in type(model).model_fields):
        raise BadInput(f"{model}, the model of recipe {recipe.name}, has no components to count", hint="use pca")
    if ncomp < 1:
        raise BadInput(f"{ncomp} components asked, at least one is needed")
    return recipe.model_copy(update={"model": model.model_copy(update={"ncomp": int(ncomp)})})


def images_by_components(
    cube: Cube, recipe: Recipe, counts: Sequence[int], library: Images | None = None,
    waves: Sequence[int] | None = None,
) -> Iterator[Images]:
    """What the recipe makes of a cube with each number of components, one image after the other.

    Parameters
    ----------
    cube : Cube
    recipe : Recipe
        Of a model with components; how many it has itself does not matter.
    counts : numbers of components
    library : (nref, y, x) or (wave, nref, y, x), counts, optional
        Frames of other stars, for strategy "rdi".
    waves : wavelengths to make images of; all when not given

    Yields
    ------
    (wave, y, x), counts
        As `Reduction.image`, in the order of `counts`.

    Raises
    ------
    BadInput
        If the model has no components, or a number is not positive.
    Unprocessable
        If there are fewer frames than components, or the field turns too little.
    """
    recipes = [with_components(recipe, ncomp) for ncomp in counts]
    check_mask(cube, recipe)
    check_rotation(cube, recipe)
    chosen_waves = range(len(cube.wavelengths)) if waves is None else waves
    prepared = [
        [
            (comparison, seen, products(comparison, seen))
            for comparison in comparisons(cube, recipe, wave, library)
            for seen in map(comparison.looking_at, zones(recipe, cube, wave))
        ]
        for wave in chosen_waves
    ]
    residuals = np.empty_like(cube.frames[0])
    for chosen in recipes:
        model = starlight_model(chosen)
        assert isinstance(model, LinearModel)
        image = np.empty((len(prepared), *cube.frames.shape[2:]), np.float32)
        for place, (wave, parts) in enumerate(zip(chosen_waves, prepared, strict=True)):
            residuals[:] = np.nan
            left = residuals.reshape(len(residuals), -1)
            for comparison, zone, (gram, cross) in parts:
                weights = model.weights(gram, cross, zone)
                apply_weights(weights, comparison.science, comparison.library, zone.pixels, left[comparison.rows])
                if comparison.unseen is not None:
                    left[comparison.rows, comparison.unseen] = np.nan
            if has_gaps(cube.frames[wave]):
                residuals[np.isnan(cube.frames[wave])] = np.nan
            combine(residuals, cube.angles, recipe.collapse, image[place])
        yield image


def components_curve(
    cube: Cube, recipe: Recipe, counts: Sequence[int], planets: Sequence[Point], wave: int = 0,
    library: Images | None = None,
) -> dict[int, float]:
    """Mean S/N at one wavelength of simulated planets, for each number of components.

    Parameters
    ----------
    cube : Cube
        With a PSF.
    recipe : Recipe
        Of a model with components.
    counts : numbers of components to try
    planets : where, and how bright
        About as bright as what is looked for, all in the cube at once: no two of them on one ring, for each would be
        noise to the other.
    wave : int
    library : as in `images_by_components`

    Raises
    ------
    BadInput
        If there is nothing to try, or nothing to try it on.
    """
    if not counts or not planets:
        raise BadInput(f"{len(counts)} numbers of components and {len(planets)} planets to choose by; some are needed")
    fakes = inject(cube, *planets, wave=wave)
    width = fwhm_of(cube, wave)
    images = images_by_components(fakes, recipe, counts, library, (wave,))
    return {count: _mean_snr(image[0], width, planets) for count, image in zip(counts, images, strict=True)}


def _mean_snr(image: Images, fwhm: float, planets: Sequence[Point]) -> float:
    """Mean over planets of the S/N where each stands; nothing where it cannot be measured."""
    snr = np.nan_to_num(snr_map(image, fwhm))
    places = [tuple(np.rint(planet.place(image.shape)).astype(int)) for planet in planets]
    return float(np.mean([snr[place] for place in places]))
