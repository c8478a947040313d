"""How many components: images for many numbers of them at once, and the number that serves a planet best.

The scalar products of the frames do not depend on the number of components, so they are formed once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from lyot.cube import Cube, Floats, Images
from lyot.errors import BadInput
from lyot.reduce.combine import combine
from lyot.reduce.inject import Point, inject
from lyot.reduce.library import Comparison, comparisons
from lyot.reduce.measure import snr_map
from lyot.reduce.products import apply_weights
from lyot.reduce.psf_image import fwhm_of
from lyot.reduce.side_by_side import side_by_side
from lyot.reduce.starlight import (
    LinearModel,
    check_mask,
    check_rotation,
    starlight_model,
    zones,
)
from lyot.reduce.step import Recipe
from lyot.reduce.zone import Zone


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
    residuals = np.empty_like(cube.frames[0])
    left = residuals.reshape(len(residuals), -1)
    prepared: list[list[tuple[Comparison, list[Zone], list[tuple[Floats, Floats]]]]] = []
    for wave in chosen_waves:
        prepared.append([])
        for comparison in comparisons(cube, recipe, wave, library):
            parts = [comparison.looking_at(zone) for zone in zones(recipe, cube, wave)]
            with side_by_side(comparison, parts, left) as (ordered, ours):
                prepared[-1].append((comparison, parts, [ordered.products(zone) for zone in ours]))
    for chosen in recipes:
        model = starlight_model(chosen)
        assert isinstance(model, LinearModel)
        image = np.empty((len(prepared), *cube.frames.shape[2:]), np.float32)
        for place, compared in enumerate(prepared):
            residuals[:] = np.nan
            for comparison, parts, products in compared:
                with side_by_side(comparison, parts, left) as (ordered, ours):
                    for zone, (gram, cross) in zip(ours, products, strict=True):
                        weights, rows = model.weights(gram, cross, zone), left[comparison.rows]
                        apply_weights(weights, ordered.science, ordered.library, zone.pixels, rows)
                comparison.hide_unseen(left)
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
