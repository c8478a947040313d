"""The analysis as a whole says what it could not do, and refuses what is no recipe."""

from dataclasses import replace

import numpy as np
import pytest
from sky import FWHM, Planet, observe, point_source

from lyot.errors import BadInput, NotFound, Unprocessable
from lyot.instrument import Coronagraph
from lyot.reduce.analyse import analyse, contrast_curve, fit_companion
from lyot.reduce.psf.pca import PCA
from lyot.reduce.psf_image import fwhm_of, own_normalisation, star_flux_of
from lyot.reduce.recipes import as_recipe, recipe
from lyot.reduce.subtract import subtract

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
    assert fwhm_of(replace(cube, fwhm=None)) == pytest.approx(FWHM, rel=0.08)  # a Gaussian fits the core


MASK = Coronagraph(names=("mask",), separations=(120.0, 240.0), transmissions=(0.2, 0.6), reference="here")


def test_contrasts_make_up_for_what_the_coronagraph_takes(cube):
    plain, behind = (analyse(one, PCA(ncomp=4)) for one in (cube, replace(cube, coronagraph=MASK)))
    (seen,), (hidden,) = plain.sources, behind.sources
    passes = 0.2 + 0.4 * (seen.separation - 120.0) / 120.0
    assert hidden.contrast == pytest.approx(seen.contrast / passes, rel=1e-6)
    assert hidden.contrast_error == pytest.approx(seen.contrast_error / passes, rel=1e-6)
    assert hidden.snr == seen.snr
    for one, other in zip(plain.limits, behind.limits, strict=True):
        assert other.separation.min() >= 120.0  # nearer, nobody knows
        shared = np.isin(one.separation, other.separation)
        expected = one.contrast[shared] / np.interp(other.separation, [120.0, 240.0], [0.2, 0.6])
        np.testing.assert_allclose(other.contrast, expected, rtol=1e-6)
        np.testing.assert_array_equal(other.throughput, one.throughput[shared])  # the recipe's own
    assert any("lets 0.20 at 120 mas, 0.60 at 240 mas pass (here)" in note for note in behind.notes)


def test_a_source_where_nobody_knows_the_coronagraph_has_no_contrast(cube):
    wide = Coronagraph(names=("wide",), separations=(500.0,), transmissions=(0.9,), reference="here")
    found = fit_companion(replace(cube, coronagraph=wide), PCA(ncomp=4), {"separation": 18.0, "position_angle": 130.0})
    assert found.contrast is None
    assert found.flux > 0


def test_a_coronagraph_of_unknown_transmission_is_said(cube):
    found = analyse(replace(cube, coronagraph=Coronagraph(names=("AGPM",))), PCA(ncomp=4))
    assert any("the coronagraph AGPM takes near the star is not known" in note for note in found.notes)
    assert found.sources[0].contrast is not None


class TestPsfNormalisation:
    @pytest.fixture
    def unit(self, cube):
        """The PSF of unit flux in 1.2 FWHM, and the star flux measured there."""
        psf = cube.psf / 1e6
        y, x = np.indices(psf.shape[1:]) - 10
        inside = float(psf[0][np.hypot(y, x) < 0.6 * FWHM].sum())
        return replace(cube, psf=psf / inside, star_flux=[1e6 * inside])

    def test_what_is_said_counts(self, cube, unit):
        own = own_normalisation(unit)
        assert own_normalisation(replace(unit, psf_normalised=True)) == own
        assert own_normalisation(replace(unit, psf_normalised=False)) is None
        assert star_flux_of(replace(unit, psf_normalised=True)) == pytest.approx(star_flux_of(cube), rel=0.01)
        assert star_flux_of(replace(unit, psf_normalised=False)) == unit.star_flux[0]

    def test_by_its_peak_it_is_normalised_too_if_one_says_so(self, cube):
        by_peak = replace(cube, psf=cube.psf / 1e6, star_flux=[1e6])
        assert own_normalisation(by_peak) is None  # of itself nobody would think so
        said = replace(by_peak, psf_normalised=True)
        assert star_flux_of(said) == pytest.approx(star_flux_of(cube), rel=1e-3)

    def test_what_cannot_be_is_refused(self, cube):
        with pytest.raises(BadInput, match="said to be normalised, but its flux"):
            star_flux_of(replace(cube, psf_normalised=True))

    def test_a_judgement_is_loud(self, unit):
        judged, said = analyse(unit, "no-adi"), analyse(replace(unit, psf_normalised=True), "no-adi")
        assert any(note.startswith("JUDGED, NOT SAID") for note in judged.notes)
        assert any(note.startswith("The PSF is normalised") for note in said.notes)
        in_counts = analyse(replace(unit, psf_normalised=False), "no-adi")
        assert not any("normalised" in note for note in in_counts.notes)
