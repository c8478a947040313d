"""The matched filter: what Student says of noise, what a template must ignore, and sources that apertures miss."""

import numpy as np
import pytest
from scipy.stats import t
from sky import FWHM, point_source

from lyot.cube import Cube
from lyot.errors import BadInput
from lyot.reduce.analyse import analyse, find_companions
from lyot.reduce.detect import matched_peaks
from lyot.reduce.inject import Point, inject
from lyot.reduce.matched import matched_map
from lyot.reduce.measure import snr_map
from lyot.reduce.psf.noadi import NoADI
from lyot.reduce.rings import apertures_on_ring
from lyot.reduce.step import Recipe

SIDE = 81
PSF = point_source((21, 21), 10, 10)


def noise(seed):
    return np.random.default_rng(seed).standard_normal((SIDE, SIDE)).astype(np.float32)


def source(y, x, peak):
    return (peak * point_source((SIDE, SIDE), y, x)).astype(np.float32)


@pytest.mark.parametrize("radius", [10, 25])
def test_in_noise_the_map_is_students(radius):
    y, x = np.indices((SIDE, SIDE)) - SIDE // 2
    ring = np.abs(np.hypot(y, x) - radius) < 2
    freedom = apertures_on_ring(FWHM, radius) - 2
    values = np.concatenate([matched_map(noise(seed), PSF, FWHM)[ring] for seed in range(8)])
    # Some 60 independent places a ring and image: 500 in all, of which the share beyond 5 % is known to 1 %.
    assert (values > t.isf(0.05, freedom)).mean() == pytest.approx(0.05, abs=0.02)
    assert values.std() == pytest.approx(t.std(freedom), rel=0.1)


def test_neither_the_psfs_scale_nor_a_bright_background_matters():
    image = noise(1) + source(60, 40, 8.0)
    plain = matched_map(image, PSF, FWHM)
    np.testing.assert_allclose(matched_map(image, 1e5 * PSF, FWHM), plain, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(matched_map(image + 1e3, PSF, FWHM), plain, atol=2e-2)  # 1e3 in float32
    np.testing.assert_allclose(matched_map(1e4 * image, PSF, FWHM), plain, rtol=1e-3, atol=1e-3)


def test_a_small_psf_will_do_and_a_wide_one_is_cut():
    image = noise(2) + source(60, 40, 8.0)
    wide = point_source((61, 61), 30, 30)
    np.testing.assert_allclose(matched_map(image, wide, FWHM), matched_map(image, PSF, FWHM), atol=0.02)
    assert matched_map(image, PSF[7:14, 7:14], FWHM)[60, 40] == pytest.approx(
        matched_map(image, PSF, FWHM)[60, 40], rel=0.15
    )


def test_the_peak_is_where_the_source_is():
    # A bright one fills the places beside it, and both maps then peak on its flanks; a faint one does not.
    found = matched_map(source(57, 28, 4.0) + noise(3), PSF, FWHM)
    y, x = np.unravel_index(np.nanargmax(found), found.shape)
    assert np.hypot(y - 57, x - 28) < 0.5 * FWHM


def test_it_says_nothing_beside_what_nobody_saw():
    image = noise(4)
    image[60, 40] = np.nan
    found = matched_map(image, PSF, FWHM)
    y, x = np.indices(image.shape)
    near = np.hypot(y - 60, x - 40) < FWHM - 0.5
    assert np.isnan(found[near]).all()
    assert np.isnan(found[SIDE // 2, SIDE // 2])
    assert np.isfinite(found[20, 40])


def test_faint_sources_stand_out_more_than_in_apertures():
    gains = []
    for seed in range(12):
        image = noise(seed) + source(40 + 25, 40, 2.0)
        gains.append((matched_map(image, PSF, FWHM)[65, 40], snr_map(image, FWHM)[65, 40]))
    matched, apertures = np.mean(gains, axis=0)
    # White noise: √Σp² against Σp over the root of the aperture's area is a gain of 17 %; neighbours share some light.
    assert 1.03 < matched / apertures < 1.2


def test_what_apertures_miss_is_found_and_nothing_else():
    places = [(65, 40), (40, 18)]
    image = noise(31) + sum(source(*place, 1.9) for place in places)
    snr, matched = snr_map(image, FWHM), matched_map(image, PSF, FWHM)
    faint = [peak for peak in matched_peaks(image, snr, matched, FWHM) if peak.snr < 5.0]
    both = find_companions(image, FWHM, psf=PSF)
    assert len(both) == len(find_companions(image, FWHM)) + len(faint)
    for row in both:
        assert min(np.hypot(row["y"] - y, row["x"] - x) for y, x in places) < 0.5 * FWHM
        assert row["false_alarm_probability"] < 1e-4


def test_a_source_of_both_maps_is_one():
    image = noise(6) + source(60, 44, 6.0)
    assert len(find_companions(image, FWHM, psf=PSF)) == 1


def test_noise_alone_gives_nothing():
    for seed in range(5):
        assert len(find_companions(noise(100 + seed), FWHM, psf=PSF)) == 0


def test_an_analysis_says_which_map_showed_a_source():
    frames = np.random.default_rng(4).standard_normal((1, 4, SIDE, SIDE))
    empty = Cube(frames, [0, 10, 20, 30], [1.6], 12.0, psf=PSF, fwhm=[FWHM], star_flux=[1e5])
    recipe = Recipe(name="trial", model=NoADI(), collapse="mean")
    faint, bright = (analyse(inject(empty, Point(25.0, 70.0, flux)), recipe) for flux in (8.5, 14.0))
    (source_,), (other,) = faint.sources, bright.sources
    assert source_.snr < 5.0 < other.snr
    assert source_.false_alarm_probability < 1e-5
    assert source_.position_angle == pytest.approx(70.0, abs=3.0)
    assert abs(source_.contrast - 8.5e-5) < 3 * source_.contrast_error
    assert any("was found by the matched filter" in note for note in faint.notes)
    assert not any("matched filter" in note for note in bright.notes)


@pytest.mark.parametrize(("image", "psf"), [(np.ones((2, 9, 9)), PSF), (np.ones((41, 41)), np.ones((10, 11)))])
def test_what_is_no_image_or_has_no_middle_is_refused(image, psf):
    with pytest.raises(BadInput, match="are needed"):
        matched_map(image, psf, FWHM)
