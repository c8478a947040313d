"""Images for many numbers of components, and the choice among them."""

import numpy as np
import pytest
from sky import Planet, observe

from lyot.errors import BadInput, Unprocessable
from lyot.reduce.inject import Point
from lyot.reduce.modes import components_curve, images_by_components, with_components
from lyot.reduce.psf.annular_pca import AnnularPCA
from lyot.reduce.psf.cadi import ClassicalADI
from lyot.reduce.psf.pca import PCA
from lyot.reduce.step import Recipe


@pytest.fixture(scope="module")
def seen():
    return observe(Planet(20.0, 120.0, 1e-3), nframes=16)


@pytest.mark.parametrize("model", [PCA(), AnnularPCA()], ids=str)
@pytest.mark.parametrize("collapse", ["median", "mean"])
def test_each_image_is_what_the_recipe_makes_alone(model, collapse, seen):
    recipe = Recipe(name="trial", model=model, collapse=collapse, mask_radius=4.0)
    counts = (1, 3, 7)
    for ncomp, image in zip(counts, images_by_components(seen, recipe, counts), strict=True):
        assert np.array_equal(image, with_components(recipe, ncomp)(seen).image, equal_nan=True)


def test_the_same_with_other_wavelengths_and_gaps():
    cube = observe(nframes=5, wavelengths=(1.2, 1.5, 1.8), rotation=30.0)
    cube.frames[:, 2, 10, 10] = np.nan
    recipe = Recipe(name="trial", model=PCA(), strategy="sdi")
    for ncomp, image in zip((1, 2), images_by_components(cube, recipe, (1, 2)), strict=True):
        assert np.array_equal(image, with_components(recipe, ncomp)(cube).image, equal_nan=True)


def test_one_wavelength_alone_is_that_of_all():
    cube = observe(nframes=5, wavelengths=(1.2, 1.5, 1.8), rotation=30.0)
    recipe = Recipe(name="trial", model=PCA())
    (every,) = images_by_components(cube, recipe, (2,))
    (one,) = images_by_components(cube, recipe, (2,), waves=(1,))
    assert np.array_equal(one[0], every[1], equal_nan=True)


def test_the_curve_peaks_between_too_few_and_too_many(seen):
    flux = 5e-4 * seen.star_flux[0]
    planets = [Point(radius, angle, flux) for radius, angle in ((12.0, 0.0), (18.0, 210.0), (26.0, 300.0))]
    curve = components_curve(seen, Recipe(name="trial", model=PCA()), (1, 4, 15), planets)
    # One component leaves speckles and fifteen of sixteen take the planet away.
    assert max(curve, key=curve.get) == 4


def test_what_cannot_be_done_is_named(seen):
    with pytest.raises(BadInput, match="ClassicalADI, the model of recipe trial, has no components"):
        next(images_by_components(seen, Recipe(name="trial", model=ClassicalADI()), (1,)))
    with pytest.raises(BadInput, match="0 components"):
        next(images_by_components(seen, Recipe(name="trial", model=PCA()), (0,)))
    with pytest.raises(Unprocessable, match="17 components asked of 16 frames"):
        list(images_by_components(seen, Recipe(name="trial", model=PCA()), (17,)))
    with pytest.raises(BadInput, match="0 planets"):
        components_curve(seen, Recipe(name="trial", model=PCA()), (1, 2), [])
