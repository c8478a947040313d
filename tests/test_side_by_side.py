"""The order of pixels is nobody's business but the engine's: what comes back is where it was."""

import numpy as np
import pytest
from sky import observe

from lyot.reduce.library import comparisons
from lyot.reduce.psf.annular_pca import AnnularPCA
from lyot.reduce.psf.loci import LOCI
from lyot.reduce.side_by_side import side_by_side
from lyot.reduce.starlight import zones
from lyot.reduce.step import Recipe


@pytest.fixture(scope="module")
def seen():
    return observe(nframes=6, rotation=40.0)


def prepared(seen, model):
    recipe = Recipe(name="trial", model=model, mask_radius=5.0)
    comparison = next(comparisons(seen, recipe, 0))
    residuals = np.full_like(comparison.science, np.nan)
    return comparison, zones(recipe, seen), residuals


def test_pixels_of_a_ring_follow_one_another_and_go_back(seen):
    comparison, rings, residuals = prepared(seen, AnnularPCA())
    with side_by_side(comparison, rings, residuals) as (ordered, ours):
        assert ordered.library is ordered.science
        for ring, here in zip(rings, ours, strict=True):
            assert (np.diff(here.pixels) == 1).all()
            assert np.array_equal(ordered.science[:, here.pixels], comparison.science[:, ring.pixels])
            ordered.science[:, here.pixels] *= 2
    inside = np.concatenate([ring.pixels for ring in rings])
    assert np.array_equal(residuals[:, inside], 2 * comparison.science[:, inside])
    assert np.isnan(np.delete(residuals, inside, axis=1)).all()


def test_zones_weighed_by_other_pixels_stay_as_they_are(seen):
    comparison, parts, residuals = prepared(seen, LOCI())
    with side_by_side(comparison, parts, residuals) as (same, ours):
        assert same is comparison
        assert ours is parts
    assert np.isnan(residuals).all()
