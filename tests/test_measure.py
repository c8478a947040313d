"""Apertures, noise and S/N maps, against areas, Student's distribution, direct sums and VIP."""

import math

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.stats import norm, t

from lyot.errors import BadInput
from lyot.reduce.apertures import aperture_sum, aperture_weights
from lyot.reduce.measure import annulus_noise, false_alarm_probability, mawet_noise, ring_fluxes, snr_map
from lyot.reduce.rings import apertures_on_ring, others_in_field

FWHM = 4.8


def noise(side=81, seed=3):
    """Speckle-like noise: white, smoothed to about the width of a PSF."""
    white = np.random.default_rng(seed).standard_normal((side, side))
    return gaussian_filter(white, 1.7).astype(np.float32)


@pytest.mark.parametrize("radius", [0.3, 0.5, 1.0, 2.4, 5.7])
@pytest.mark.parametrize("centre", [(0.0, 0.0), (0.3, -0.5), (0.5, 0.5), (-0.21, 0.07)])
def test_the_weights_of_an_aperture_add_up_to_its_area(radius, centre):
    assert aperture_weights(*centre, radius).sum() == pytest.approx(math.pi * radius**2, rel=1e-12)


def test_an_aperture_sums_a_plane_exactly():
    y, x = np.mgrid[:31, :31]
    plane = 2.0 + 0.5 * y - 0.25 * x
    at = 14.3, 16.8  # a plane's mean over a disc is its value at the middle, over whole pixels or not
    inside = np.pi * 3.2**2 * (2.0 + 0.5 * at[0] - 0.25 * at[1])
    # Pixels on the rim count with their value at the pixel's middle, not that of the part inside.
    assert aperture_sum(plane, *at, 3.2) == pytest.approx(inside, rel=2e-3)


def test_an_aperture_over_the_edge_or_on_nan_is_unknown():
    image = np.ones((21, 21))
    image[10, 10] = np.nan
    assert math.isnan(aperture_sum(image, 1.0, 10.0, 2.0))
    assert math.isnan(aperture_sum(image, 10.0, 12.2, 2.0))
    assert aperture_sum(image, 10.0, 13.0, 2.0) == pytest.approx(math.pi * 4.0)


def test_apertures_on_a_ring_do_not_overlap_and_leave_no_room_for_another():
    for radius in np.linspace(FWHM, 60, 40):
        count = apertures_on_ring(FWHM, radius)
        chord = 2 * radius * math.sin(math.pi / count)
        assert chord >= FWHM * (1 - 1e-12)
        assert 2 * radius * math.sin(math.pi / (count + 1)) < FWHM


@pytest.mark.parametrize("place", [(40, 52), (23, 35), (66, 61), (40, 30)])
def test_the_map_is_eq_9_of_mawet_et_al(place):
    image = noise()
    y, x = place
    radius, angle = math.hypot(y - 40, x - 40), math.degrees(math.atan2(40 - x, y - 40))
    # Counted here: apertures follow one another clockwise, so the mirrored image is read counter-clockwise.
    mirrored = image[:, ::-1]
    fluxes = ring_fluxes(mirrored, FWHM, radius, -angle)
    others = fluxes[1:]
    expected = (fluxes[0] - others.mean()) / (others.std(ddof=1) * math.sqrt(1 + 1 / len(others)))

    # Aperture sums are read from a table of six places per pixel: 1e-3 of a σ.
    assert snr_map(image, FWHM)[place] == pytest.approx(expected, abs=2e-3)


def test_a_uniform_background_and_a_factor_do_not_matter():
    image = noise()
    reference = snr_map(image, FWHM)
    # float32: 1e-7 of a background of 100 against a noise in apertures of 2.
    np.testing.assert_allclose(snr_map(7 * image + 100, FWHM), reference, atol=2e-3)


def test_the_map_is_unknown_near_the_star_and_on_nan_only():
    image = noise()
    image[10:14, 50] = np.nan
    snr = snr_map(image, FWHM)
    y, x = np.mgrid[:81, :81]
    radius = np.hypot(y - 40, x - 40)
    nearest = np.hypot(np.maximum(np.abs(y - 11.5) - 1.5, 0), x - 50)
    assert np.isnan(snr[radius < FWHM]).all()
    assert np.isnan(snr[nearest < FWHM / 2]).all()
    clear = (radius >= FWHM) & (radius < 40 - FWHM / 2 - 1) & (nearest > FWHM / 2 + 1.5)
    assert np.isfinite(snr[clear]).all()


def test_nan_elsewhere_on_the_ring_only_leaves_apertures_out():
    image = noise()
    whole = snr_map(image, FWHM)
    image[40, 60] = np.nan
    pierced = snr_map(image, FWHM)
    assert np.isfinite(pierced[40, 20])
    assert pierced[40, 20] == pytest.approx(whole[40, 20], abs=1.0)


def test_noise_passes_the_threshold_as_often_as_student_says():
    maps = np.stack([snr_map(noise(seed=seed), FWHM) for seed in range(40)])
    radius = 2 * FWHM
    y, x = np.mgrid[:81, :81]
    ring = np.abs(np.hypot(y - 40, x - 40) - radius) < 0.5
    share = (maps[:, ring] > 2.0).mean()
    # 40 images with some 12 independent places each: 480 · 0.037 = 18 events, ± 25 %; three times that.
    assert share == pytest.approx(false_alarm_probability(2.0, apertures_on_ring(FWHM, radius) - 1), rel=0.75)


@pytest.mark.parametrize(("y", "x"), [(40, 52), (58, 40), (66, 61)], ids=["near", "mask", "corner"])
def test_beside_an_edge_or_a_mask_what_is_there_is_counted(y, x):
    image = noise()
    image[20:, :28] = np.nan
    whole = apertures_on_ring(FWHM, math.hypot(y - 40, x - 40)) - 1
    # As in the map's own test: apertures follow one another clockwise, so the mirrored image is read.
    fluxes = ring_fluxes(image[:, ::-1], FWHM, math.hypot(y - 40, x - 40), -math.degrees(math.atan2(40 - x, y - 40)))
    others = others_in_field(image, y, x, FWHM, FWHM / 2)
    assert others == np.isfinite(fluxes[1:]).sum() < whole
    assert np.isfinite(snr_map(image, FWHM)[y, x]) == (2 * others >= whole)
    assert false_alarm_probability(5.0, others) == pytest.approx(t.sf(5.0, others - 1))


def test_the_limit_is_the_flux_that_students_distribution_demands():
    image = noise(121)
    radius = 30.0
    count = apertures_on_ring(FWHM, radius)
    single = t.isf(norm.sf(5.0), count - 1) * ring_fluxes(image, FWHM, radius).std(ddof=1) * math.sqrt(1 + 1 / count)
    # One starting angle against the mean over eight: 39 apertures tell a standard deviation to 11 %.
    assert mawet_noise(image, FWHM, [radius])[0] == pytest.approx(single, rel=0.35)
    assert mawet_noise(image, FWHM, [FWHM / 2, 3.0])[0:2] == pytest.approx([np.nan, np.nan], nan_ok=True)


def test_annulus_noise_is_the_standard_deviation_of_white_noise():
    image = np.random.default_rng(5).normal(0, 3, (201, 201))
    radii = np.array([20.0, 50.0, 90.0])
    pixels = 2 * np.pi * radii * FWHM
    measured = annulus_noise(image, FWHM, radii)
    assert (np.abs(measured / 3 - 1) < 4 / np.sqrt(2 * pixels)).all()
    assert np.isnan(annulus_noise(image, FWHM, [400.0])).all()


def test_what_is_no_image_is_refused():
    with pytest.raises(BadInput, match="2 dimensions"):
        snr_map(np.zeros((2, 9, 9)), FWHM)
    with pytest.raises(BadInput, match="FWHM is"):
        snr_map(np.zeros((9, 9)), float("nan"))


@pytest.mark.peers
@pytest.mark.filterwarnings("ignore")
def test_the_map_agrees_with_vip():
    vip = pytest.importorskip("vip_hci.metrics")
    image = noise(55)  # of odd side: in even frames VIP has the star between pixels
    theirs = vip.snrmap(image, FWHM, verbose=False, nproc=1)
    ours = snr_map(image, FWHM)
    both = (theirs != 0) & np.isfinite(ours)
    assert both.sum() > 0.99 * (theirs != 0).sum()
    assert np.abs(ours - theirs)[both].max() < 2e-3
