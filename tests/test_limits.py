"""Throughput and limits: algebra where it is known, brute force where it is not."""

from dataclasses import replace

import numpy as np
import pytest
from sky import FWHM, STAR_PEAK, Planet, observe, point_source

from lyot.reduce.apertures import aperture_sum
from lyot.reduce.inject import Point, inject
from lyot.reduce.limits import Probe, azimuths, limits, separations, throughput
from lyot.reduce.local import prepare
from lyot.reduce.measure import annulus_noise, mawet_noise
from lyot.reduce.psf.annular_pca import AnnularPCA
from lyot.reduce.psf.cadi import ClassicalADI
from lyot.reduce.psf.noadi import NoADI
from lyot.reduce.psf.pca import PCA
from lyot.reduce.starlight import subtract
from lyot.reduce.step import Recipe

NO_ADI = Recipe(name="no-adi", model=NoADI(), collapse="mean")
PCA_ADI = Recipe(name="pca", model=PCA(ncomp=4))


@pytest.fixture(scope="module")
def cube():
    return observe(nframes=20, size=81, noise=30.0)


def test_without_a_model_all_of_a_source_is_kept(cube):
    local = prepare(cube, NO_ADI)
    radii = np.array([10.0, 20.0, 30.0])
    # Apertures between pixels catch up to 2.4 % more than the centred one by which flux is defined.
    np.testing.assert_allclose(throughput(local, radii, np.full(3, 1e4)), 1.0, atol=0.03)


def test_throughput_is_what_brute_force_finds(cube):
    local = prepare(cube, PCA_ADI)
    point = Point(14.0, 33.0, 2e4)
    change = subtract(inject(cube, point), PCA_ADI).image[0] - subtract(cube, PCA_ADI).image[0]
    brute = aperture_sum(change, *point.place(change.shape), FWHM / 2) / point.flux
    assert 0.05 < brute < 0.95
    assert Probe.at(local, 14.0, 33.0).part(2e4) == pytest.approx(brute, abs=1e-4)


def test_the_mean_of_the_frames_takes_away_what_the_source_leaves_in_it(cube):
    # Mean cADI of a source far out, whose path crosses its own aperture in no other frame: 1 − 1/n is kept.
    recipe = Recipe(name="cadi", model=ClassicalADI(collapse="mean"), collapse="mean")
    wide = observe(nframes=5, size=121, rotation=160.0, noise=30.0)
    part = Probe.at(prepare(wide, recipe), 50.0, 90.0).part(1e5)
    plain = Probe.at(prepare(wide, NO_ADI), 50.0, 90.0).part(1e5)
    assert part / plain == pytest.approx(0.8, abs=0.01)  # rings of the PSF reach the other frames


def test_limits_are_noise_over_throughput_and_star(cube):
    image = subtract(cube, PCA_ADI).image[0]
    found = {limit.noise: limit for limit in limits(prepare(cube, PCA_ADI), image)}

    assert set(found) == {"mawet", "annulus"}
    star = float(cube.star_flux[0])
    for name, noise in (("mawet", mawet_noise), ("annulus", annulus_noise)):
        limit = found[name]
        radii = limit.separation / cube.pixel_scale
        expected = noise(image, FWHM, radii) / (limit.throughput * star)
        if name == "annulus":
            peak = prepare(cube, PCA_ADI).psf.max()
            expected *= 5 / peak
        np.testing.assert_allclose(limit.contrast, expected, rtol=1e-6)
        assert (np.diff(limit.separation) > 0).all()
        assert limit.sigma == 5.0


def test_limits_deepen_outwards_and_with_sigma(cube):
    image = subtract(cube, PCA_ADI).image[0]
    local = prepare(cube, PCA_ADI)
    five = limits(local, image)[0]
    assert five.contrast[-1] < five.contrast[0] / 3
    three = limits(local, image, sigma=3.0)[0]
    shared = np.isin(three.separation, five.separation)
    assert (three.contrast[shared][-5:] < five.contrast[-5:]).all()


def test_a_source_at_its_limit_is_found_about_half_the_time(cube):
    from lyot.reduce.measure import snr_map

    local = prepare(cube, PCA_ADI)
    image = subtract(cube, PCA_ADI).image[0]
    limit = limits(local, image)[0]
    index = len(limit.separation) // 2
    radius = limit.separation[index] / cube.pixel_scale
    flux = float(limit.contrast[index] * cube.star_flux[0])
    seen = []
    for angle in np.arange(0, 360, 45):
        point = Point(float(radius), float(angle), flux)
        snr = snr_map(subtract(inject(cube, point), PCA_ADI).image[0], FWHM)
        y, x = (round(at) for at in point.place(snr.shape))
        seen.append(np.nanmax(snr[y - 1 : y + 2, x - 1 : x + 2]))
    # The limit demands 5σ of a Gaussian, at some 20 apertures τ = 7.6 of Student; noise scatters it by one.
    assert np.median(seen) == pytest.approx(7.6, abs=2.5)


def test_without_a_star_flux_there_is_no_limit(cube):
    bare = replace(cube, star_flux=None)
    assert limits(prepare(bare, PCA_ADI), subtract(bare, PCA_ADI).image[0]) == ()


def test_azimuths_keep_away_from_known_sources():
    known = Point(20.0, 100.0, 1.0)
    angles = azimuths(20.0, [known])
    away = np.abs((angles - 100.0 + 180.0) % 360.0 - 180.0)
    assert away.min() == pytest.approx(60.0, abs=5.0)
    assert len(angles) == 3


def test_separations_stay_inside_mask_and_edge():
    radii = separations((81, 81), FWHM, mask_radius=12.0)
    assert radii[0] >= 12.0 + FWHM / 2
    assert radii[-1] <= 40 - FWHM
    np.testing.assert_allclose(np.diff(radii), FWHM)


def test_a_planet_left_in_is_hidden_from_the_noise():
    from lyot.reduce.analyse import contrast_curve

    bright = observe(Planet(20.0, 120.0, 2e-2), nframes=20, noise=30.0)
    empty = observe(nframes=20, noise=30.0)
    with_planet, without = contrast_curve(bright, PCA_ADI), contrast_curve(empty, PCA_ADI)
    shared = min(len(with_planet), len(without))
    ratio = with_planet["contrast"][:shared] / without["contrast"][:shared]
    assert np.max(ratio) < 3.0
    assert str(with_planet["angular_separation"].unit) == "mas"


UNBIASED = [
    Recipe(name="pca", model=PCA(ncomp=4)),
    Recipe(name="annular", model=AnnularPCA(ncomp=3)),
    Recipe(name="mean-cadi", model=ClassicalADI(collapse="mean"), collapse="mean"),
    Recipe(name="median-cadi", model=ClassicalADI()),
]


@pytest.mark.parametrize("recipe", UNBIASED, ids=lambda recipe: recipe.name)
def test_photometry_over_throughput_is_unbiased(recipe):
    """Planets drawn from the pupil by tests/sky.py and reduced one by one: nothing shared with injection or windows.

    Twelve planets evenly round each of four rings: what starlight is left adds to one it takes from another. Nothing is
    taken off for the level of the ring, into which ADI spreads each planet's negative: a thirtieth of its flux here.
    """
    empty = observe(nframes=12, size=61, noise=30.0)
    radii, contrast = np.array([14.0, 17.0, 20.0, 23.0]), 1.5e-3
    flux = contrast * empty.star_flux[0]
    part = throughput(prepare(empty, recipe), radii, np.full(len(radii), flux))
    ratios = []
    for radius, kept_there in zip(radii, part, strict=True):
        for angle in radius + np.arange(0, 360, 30):
            planet = Planet(radius, angle, contrast)
            frames = empty.frames.copy()
            for frame, turned in zip(frames[0], empty.angles, strict=True):
                frame += STAR_PEAK * contrast * point_source(frame.shape, *planet.place(turned, frame.shape))
            image = subtract(replace(empty, frames=frames), recipe).image[0]
            ratios.append(aperture_sum(image, *planet.place(0.0, image.shape), FWHM / 2) / (kept_there * flux))
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.02)
