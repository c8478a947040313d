"""Fits by negative injection: planets that we put in come back within their errors; the budget is the stated sum."""

import math

import numpy as np
import pytest
from sky import Planet, observe

from lyot.errors import BadInput, Unprocessable
from lyot.reduce.analyse import analyse, fit_companion
from lyot.reduce.characterise import AstrometryErrors, Fit, east_north, fit_source, sky_covariance, trial_angles
from lyot.reduce.companion import companion_of
from lyot.reduce.inject import Point, inject, point_at
from lyot.reduce.local import prepare
from lyot.reduce.psf.cadi import ClassicalADI
from lyot.reduce.psf.pca import PCA
from lyot.reduce.starlight import subtract
from lyot.reduce.step import Recipe

PLANET = Planet(separation=18.0, position_angle=130.0, contrast=2e-3)
RECIPES = [
    Recipe(name="pca", model=PCA(ncomp=4)),
    Recipe(name="cadi", model=ClassicalADI(), collapse="mean"),
]


@pytest.fixture(scope="module")
def cube():
    return observe(PLANET, nframes=20, size=81, noise=30.0)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_a_planet_comes_back_within_its_errors(cube, recipe):
    found = fit_companion(cube, recipe, {"separation": 18.4, "position_angle": 131.0})

    # Three of its own σ, and not for want of small errors: a tenth of a pixel, a degree, 10 %.
    assert abs(found.separation_px - 18.0) < 3 * found.separation_px_error < 0.6
    assert abs(found.position_angle - 130.0) < 3 * found.position_angle_error < 3.0
    assert abs(found.contrast - 2e-3) < 3 * found.contrast_error < 1e-3
    assert found.separation == pytest.approx(found.separation_px * cube.pixel_scale)
    assert np.linalg.eigvalsh(found.covariance).min() >= 0


def test_what_was_injected_is_found_exactly_where_no_noise_is():
    # The same PSF in and out, frames that do not change but for the source: nothing is left to err.
    still = observe(nframes=12, size=61, noise=0.0).hold_still()
    truth = Point(14.0, 250.0, 5e3)
    local = prepare(inject(still, truth), RECIPES[0])
    found = fit_source(local, Point(14.4, 251.0, 0.0))
    assert found.separation == pytest.approx(14.0, abs=0.01)
    assert found.position_angle == pytest.approx(250.0, abs=0.05)
    assert found.flux == pytest.approx(5e3, rel=0.01)


def test_nothing_is_fitted_in_a_dark_spot(cube):
    image = subtract(cube, RECIPES[0]).image[0]
    y, x = np.unravel_index(np.nanargmin(image), image.shape)
    with pytest.raises(Unprocessable):
        fit_source(prepare(cube, RECIPES[0]), point_at(float(y), float(x), 0.0, image.shape))


def test_too_near_the_edge_is_said(cube):
    with pytest.raises(Unprocessable, match="edge"):
        fit_source(prepare(cube, RECIPES[0]), Point(38.0, 0.0, 1e3))


def test_the_error_budget_is_the_stated_sum():
    fit = Fit(Point(50.0, 90.0, 100.0), np.diag([0.04, 0.09, 25.0]))
    errors = AstrometryErrors(pixel_scale=0.02, north=0.1, centre=0.3, distortion=2e-4)
    scale = 12.0
    covariance = sky_covariance(fit, scale, errors)
    radial = (0.2 * scale) ** 2 + (0.3 * scale) ** 2 + (600 * 0.02 / scale) ** 2 + (2e-4 * 600) ** 2
    tangential = (0.3 * scale) ** 2 + (0.3 * scale) ** 2 + (600 * math.radians(0.1)) ** 2
    np.testing.assert_allclose(covariance, np.diag([radial, tangential]))

    companion = companion_of(fit, scale, 1e4, errors)
    assert companion.separation_error == pytest.approx(math.sqrt(radial))
    assert companion.position_angle_error == pytest.approx(math.degrees(math.sqrt(tangential) / 600))
    # At position angle 90° radial is East, and North is against the way position angles grow.
    assert companion.covariance[0, 0] == pytest.approx(radial)
    assert companion.covariance[1, 1] == pytest.approx(tangential)
    assert companion.contrast_error == pytest.approx(5.0 / 1e4)


def test_a_covariance_turns_like_vectors_do():
    rng = np.random.default_rng(3)
    radial_tangential = rng.multivariate_normal([0, 0], [[4.0, 1.0], [1.0, 2.0]], 200_000)
    angle = math.radians(35.0)
    east = radial_tangential @ [math.sin(angle), math.cos(angle)]
    north = radial_tangential @ [math.cos(angle), -math.sin(angle)]
    turned = east_north(np.array([[4.0, 1.0], [1.0, 2.0]]), 35.0)
    np.testing.assert_allclose(np.cov(east, north), turned, atol=0.06)  # 200,000 draws: 0.3 %, four times


@pytest.mark.parametrize("separation", [7.0, 18.0, 60.0])
def test_trials_keep_away_from_the_source(separation):
    point = Point(separation, 350.0, 1.0)
    angles = trial_angles(point, 4.0)
    away = np.radians(np.abs((angles - 350.0 + 180.0) % 360.0 - 180.0))
    assert len(angles) >= 8
    assert (2 * separation * np.sin(away / 2)).min() > 2 * 4.0 - 1e-9


def test_a_guess_must_say_where(cube):
    with pytest.raises(BadInput, match="position_angle"):
        fit_companion(cube, PCA(ncomp=4), {"separation": 18.0})


def test_analysis_measures_every_planet_once_and_nothing_else():
    faint = Planet(separation=27.0, position_angle=300.0, contrast=1e-3)
    found = analyse(observe(PLANET, faint, nframes=20, size=81, noise=30.0), RECIPES[0])

    assert [source.number for source in found.sources] == [0, 1]
    nearest_first = sorted(found.sources, key=lambda source: source.separation)
    for source, planet in zip(nearest_first, (PLANET, faint), strict=True):
        assert source.position_angle == pytest.approx(planet.position_angle, abs=2.0)
        assert source.separation == pytest.approx(12.25 * planet.separation, abs=0.25 * 12.25 * 4)
        assert source.contrast == pytest.approx(planet.contrast, rel=0.2)
    assert {limit.noise for limit in found.limits} == {"mawet", "annulus"}
    assert found.corrected.shape == found.image.shape
    assert found.stacked.shape == found.image.shape[1:]


def test_wavelengths_share_a_source_and_have_limits_each():
    found = analyse(observe(PLANET, nframes=16, size=61, wavelengths=(1.59, 1.67), noise=30.0), RECIPES[0])
    assert {(source.number, source.wave) for source in found.sources} == {(0, 0), (0, 1)}
    assert {limit.wave for limit in found.limits} == {0, 1}
    one, two = found.sources
    assert one.separation == pytest.approx(two.separation, abs=5.0)


@pytest.mark.slow
def test_one_sigma_errors_hold_two_thirds_of_200_injections():
    empty = observe(nframes=16, size=81, noise=40.0)
    recipe = RECIPES[0]
    rng = np.random.default_rng(11)
    held = []
    for _ in range(200):
        truth = Point(rng.uniform(13, 30), rng.uniform(0, 360), 1.5e-3 * float(empty.star_flux[0]))
        guess = {"separation": truth.separation + 0.3, "position_angle": truth.position_angle, "flux": truth.flux}
        try:
            found = fit_companion(inject(empty, truth), recipe, guess, AstrometryErrors(distortion=0.0))
        except Unprocessable:
            continue
        turn = (found.position_angle - truth.position_angle + 180.0) % 360.0 - 180.0
        held.append(
            [
                abs(found.separation_px - truth.separation) < found.separation_px_error,
                abs(turn) < found.position_angle_error,
                abs(found.flux - truth.flux) < found.flux_error,
            ]
        )
    assert len(held) > 180
    share = np.mean(held, axis=0)
    assert ((share > 0.60) & (share < 0.76)).all(), share
