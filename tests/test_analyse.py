"""The analysis as a whole says what it could not do, and refuses what is no recipe."""

from dataclasses import replace

import numpy as np
import pytest
from sky import FWHM, Planet, observe, point_source

from lyot.errors import NotFound, Unprocessable
from lyot.reduce.analyse import analyse, as_recipe, contrast_curve, fit_companion, subtract
from lyot.reduce.psf.pca import PCA
from lyot.reduce.psf_image import fwhm_of, own_normalisation, star_flux_of
from lyot.reduce.recipes import recipe

PLANET = Planet(separation=18.0, position_angle=130.0, contrast=3e-3)


@pytest.fixture(scope="module")
def cube():
    return observe(PLANET, nframes=16, size=61, noise=30.0)


def test_a_recipe_may_be_given_by_name_by_model_or_itself(cube):
    by_name, by_model = as_recipe("pca"), as_recipe(PCA(ncomp=recipe("pca").model.ncomp))
    assert as_recipe(by_name) is by_name
    np.testing.assert_array_equal(subtract(cube, by_name).image, subtract(cube, by_model).image)
    with pytest.raises(NotFound):
        as_recipe("magic")


def test_without_psf_sources_are_where_their_peaks_are(cube):
    found = analyse(replace(cube, psf=None, star_flux=None), PCA(ncomp=4))
    assert found.limits == ()
    assert found.corrected is None
    (source,) = found.sources
    assert source.position_angle == pytest.approx(130.0, abs=4.0)
    assert source.contrast is None
    assert any(note.startswith("No PSF") for note in found.notes)


def test_without_psf_and_width_there_is_an_image_and_no_more(cube):
    found = analyse(replace(cube, psf=None, star_flux=None, fwhm=None), PCA(ncomp=4))
    assert np.isfinite(found.image).any()
    assert found.snr is None
    assert found.sources == ()
    assert any(note.startswith("Neither PSF nor FWHM") for note in found.notes)


def test_no_contrast_without_a_star_flux(cube):
    bare = replace(cube, star_flux=None)
    with pytest.raises(Unprocessable, match="no star flux"):
        contrast_curve(bare, "pca")
    found = fit_companion(bare, PCA(ncomp=4), {"separation": 18.0, "position_angle": 130.0})
    assert found.contrast is None
    assert found.flux > 0


def test_a_corrected_image_is_the_image_over_throughput(cube):
    found = analyse(cube, PCA(ncomp=4))
    curve = next(limit for limit in found.limits if limit.noise == "mawet")
    cy, cx = cube.star
    row = round(float(curve.separation[3]) / cube.pixel_scale)
    kept = np.interp(row * cube.pixel_scale, curve.separation, curve.throughput)
    assert found.corrected[0, cy + row, cx] == pytest.approx(found.image[0, cy + row, cx] / kept, rel=1e-4)


def test_a_psf_normalised_by_another_width_still_is_the_stars(cube):
    # Its owner made it of unit flux in 3.4 px; the star flux given is that in 3.4 px, too.
    narrow = point_source((21, 21), 10, 10)
    y, x = np.indices(narrow.shape) - 10
    inside = narrow[np.hypot(y, x) < 1.7].sum()
    theirs = replace(cube, psf=narrow / inside, star_flux=[1e6 * inside])
    ours = replace(cube, psf=1e6 * narrow, star_flux=cube.star_flux)
    assert own_normalisation(ours) is None
    assert own_normalisation(theirs) == pytest.approx(star_flux_of(theirs) / (1e6 * inside))
    # The star has 1e6 counts in its brightest pixel either way.
    assert star_flux_of(theirs) == pytest.approx(star_flux_of(ours), rel=0.01)


def test_the_width_of_a_psf_is_measured_when_it_is_not_stated(cube):
    assert fwhm_of(replace(cube, fwhm=None)) == pytest.approx(FWHM, rel=0.08)  # a Gaussian fits the core below its wings
