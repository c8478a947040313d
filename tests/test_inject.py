"""Injection: sources stand where exact ones would, and the local answer is that of reducing the whole cube."""

from dataclasses import replace

import numpy as np
import pytest
from sky import FWHM, Planet, observe, point_source

from lyot.cube import Cube
from lyot.errors import Unprocessable
from lyot.reduce.apertures import aperture_sum
from lyot.reduce.derotate import derotate
from lyot.reduce.inject import Point, inject, point_at, positions
from lyot.reduce.local import prepare
from lyot.reduce.patch import derotate_patch, window_around
from lyot.reduce.psf import EXAMPLES
from lyot.reduce.psf.cadi import ClassicalADI
from lyot.reduce.psf.pca import PCA
from lyot.reduce.starlight import subtract
from lyot.reduce.step import Recipe


@pytest.fixture(scope="module")
def cube():
    return observe(nframes=20, size=61, rotation=80.0, noise=30.0)


def test_an_injected_source_is_where_a_planet_would_be():
    empty = observe(nframes=6, noise=0.0)
    planet = Planet(separation=21.3, position_angle=143.0, contrast=1e-2)
    truth = observe(planet, nframes=6, noise=0.0).frames - empty.frames
    put = inject(empty, Point(21.3, 143.0, 1e-2 * float(empty.star_flux[0]))).frames - empty.frames
    # The given PSF is 21 px wide: its rings beyond are missing, and the sinc errs by 1e-4 of the peak.
    peak = truth.max()
    assert np.abs(put - truth).max() < 5e-3 * peak
    near = truth > 0.05 * peak
    np.testing.assert_allclose(put[near], truth[near], atol=1e-3 * peak)


def test_the_flux_of_a_source_is_that_in_one_fwhm(cube):
    point = Point(15.0, 40.0, 1e5)
    added = inject(cube, point).frames[0] - cube.frames[0]
    y, x = positions(point, cube.angles, cube.frames.shape)
    fluxes = [aperture_sum(frame, *place, FWHM / 2) for frame, *place in zip(added, y, x, strict=True)]
    np.testing.assert_allclose(fluxes, 1e5, rtol=3e-2)  # apertures between pixels catch up to 2.4 % more


def test_places_and_points_are_inverse():
    point = point_at(12.5, 40.25, 3.0, (61, 61))
    assert point.place((61, 61)) == pytest.approx((12.5, 40.25))
    east_of_north = point_at(30.0, 20.0, 1.0, (61, 61))  # left of the star is East
    assert east_of_north.position_angle == pytest.approx(90.0)


@pytest.mark.parametrize("shape", [(41, 41), (40, 41), (41, 40), (40, 40)])
def test_a_patch_is_cut_from_the_derotated_frames(shape):
    rng = np.random.default_rng(4)
    frames = rng.normal(size=(12, *shape)).astype(np.float32)
    frames[:, 20:22, 12] = np.nan
    frames[3, 8:16, 8:16] = np.nan
    angles = rng.uniform(-400, 400, len(frames))
    whole = derotate(frames, angles)
    for y, x in ((20, 20), (9.3, 27.2), (1, 2), (39, 33), (20, 1)):
        window = window_around(y, x, 5, shape, angles)
        seen = np.ascontiguousarray(frames.reshape(len(frames), -1)[:, window.pixels])
        patch = derotate_patch(seen, window)
        np.testing.assert_allclose(patch, whole[:, slice(*window.rows), slice(*window.columns)], atol=3e-6)


def with_gaps(cube):
    """Bad pixels for good, bad pixels for a while, and a plain PSF and star flux."""
    frames = cube.frames.copy()
    frames[:, :, 40, 26:29] = np.nan
    frames[:, 3:6, 22:24, 36] = np.nan
    return replace(cube, frames=frames)


@pytest.mark.parametrize("collapse", ["median", "mean"])
@pytest.mark.parametrize("gaps", [False, True], ids=["whole", "gaps"])
@pytest.mark.parametrize("model", EXAMPLES, ids=str)
def test_local_injection_is_reducing_the_whole_cube(cube, model, gaps, collapse):
    seen = with_gaps(cube) if gaps else cube
    recipe = Recipe(name="trial", model=model, collapse=collapse, mask_radius=3.0)
    image = subtract(seen, recipe).image[0]
    point = Point(13.4, 77.0, 0.0)
    y, x = point.place(image.shape)
    # 5 σ of the pixels around, in the peak of what is injected.
    local = prepare(seen, recipe)
    point = replace(point, flux=5 * float(np.nanstd(image[10:51, 10:51])) / float(local.psf.max()))
    window = local.window(y, x, 6)
    part = slice(*window.rows), slice(*window.columns)
    whole = subtract(inject(seen, point), recipe).image[0]

    np.testing.assert_allclose(window.image(), image[part], atol=1e-4 * point.flux)
    np.testing.assert_allclose(window.image(point), whole[part], atol=1e-4 * point.flux)


def test_a_negative_source_takes_a_planet_away(cube):
    point = Point(16.0, 200.0, 4e4)
    recipe = Recipe(name="trial", model=PCA(ncomp=4))
    local = prepare(inject(cube, point), recipe)
    window = local.window(*point.place(local.shape), 5)
    left = window.image(replace(point, flux=-4e4))
    without = prepare(cube, recipe).window(*point.place(local.shape), 5).image()
    np.testing.assert_allclose(left, without, atol=1e-4 * 4e4)


def test_other_strategies_are_followed_by_reducing_all():
    cube = observe(nframes=6, size=41, wavelengths=(1.3, 1.7))
    recipe = Recipe(name="trial", model=ClassicalADI(collapse="mean"), strategy="sdi")
    local = prepare(cube, recipe, wave=1)
    point = Point(10.0, 30.0, 5e4)
    window = local.window(*point.place(local.shape), 3)
    whole = subtract(inject(cube, point, wave=1), recipe).image[1]
    part = slice(*window.rows), slice(*window.columns)
    np.testing.assert_allclose(window.image(point), whole[part], atol=1e-4 * 5e4)


def test_without_a_psf_nothing_can_be_injected(cube):
    bare = Cube(cube.frames, angles=cube.angles, wavelengths=[1.6], pixel_scale=12.0, fwhm=[4.0])
    with pytest.raises(Unprocessable, match="no PSF"):
        inject(bare, Point(10.0, 0.0, 1.0))


def test_a_source_outside_the_frame_changes_nothing(cube):
    np.testing.assert_array_equal(inject(cube, Point(500.0, 20.0, 1e6)).frames, cube.frames)


def test_the_psf_is_recentred_before_it_is_used():
    from lyot.reduce.psf_image import gaussian_fit, normalise_psf

    off = point_source((21, 21), 10.31, 9.58)
    y, x, _ = gaussian_fit(normalise_psf(off, FWHM))
    assert (y, x) == pytest.approx((10.0, 10.0), abs=5e-3)


def test_a_library_of_other_stars_is_carried_along():
    cube, library = observe(nframes=6, size=41), observe(nframes=30, size=41, seed=9).frames[0]
    recipe = Recipe(name="trial", model=PCA(ncomp=4), strategy="rdi")
    point = Point(10.0, 30.0, 5e4)
    local = prepare(cube, recipe, library=library)
    window = local.window(*point.place(local.shape), 3)
    whole = subtract(inject(cube, point), recipe, library).image[0]
    np.testing.assert_allclose(
        window.image(point), whole[slice(*window.rows), slice(*window.columns)], atol=1e-4 * 5e4
    )
