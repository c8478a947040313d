"""Recentring: exact where it can be, against exact point sources where it cannot; the centre of symmetry."""

import numpy as np
import pytest
from sky import observe, point_source

from lyot.errors import BadInput, Unprocessable
from lyot.reduce.register import centre_of_symmetry, recentre, shifted


def test_a_star_on_a_pixel_is_cut_out_and_nothing_interpolated():
    frames = np.random.default_rng(1).normal(size=(4, 101, 101)).astype(np.float32)
    moved = recentre(frames, (51, 51))
    assert moved.shape == (4, 99, 99)
    np.testing.assert_array_equal(moved, frames[:, 2:, 2:])
    np.testing.assert_array_equal(moved[:, 49, 49], frames[:, 51, 51])


@pytest.mark.parametrize("side", [60, 61])
def test_a_star_in_the_middle_is_left_alone(side):
    frames = np.ones((2, 3, side, side), np.float32)
    assert recentre(frames, (side // 2, side // 2)).shape == frames.shape


@pytest.mark.parametrize("star", [(30.37, 29.81), (29.5, 31.5), (31.02, 27.9)])
def test_a_star_between_pixels_comes_to_the_middle(star):
    frames = np.stack([point_source((61, 61), *star)] * 2)
    moved = recentre(frames, star)
    side = moved.shape[-1]
    truth = point_source((side, side), side // 2, side // 2)
    inside = np.isfinite(moved[0])
    assert inside.mean() > 0.9
    # The windowed sinc at λ/D = 4 px: 1e-4 of the peak, and 2e-4 at edges that cut rings.
    np.testing.assert_allclose(moved[0][inside], truth[inside], atol=5e-4)


def test_each_frame_may_have_its_own_star():
    stars = np.array([[30.2, 29.6], [31.4, 30.1], [29.9, 30.8]])
    frames = np.stack([point_source((61, 61), *star) for star in stars])
    moved = recentre(frames[None], stars)
    assert moved.shape[:2] == (1, 3)
    spread = np.nanmax(np.ptp(moved[0], axis=0))
    assert spread < 1e-3


def test_whole_pixels_move_exactly_and_leave_nan_behind():
    frames = np.arange(2 * 9 * 11, dtype=np.float32).reshape(2, 9, 11)
    moved = shifted(frames, 2.0, -3.0)
    np.testing.assert_array_equal(moved[:, 2:, :-3], frames[:, :-2, 3:])
    assert np.isnan(moved[:, :2]).all()
    assert np.isnan(moved[:, :, -3:]).all()


def test_a_move_and_its_opposite_cancel():
    image = point_source((61, 61), 30, 30)[None]
    there_and_back = shifted(shifted(image, 0.3, -0.45), -0.3, 0.45)
    np.testing.assert_allclose(there_and_back[:, 10:-10, 10:-10], image[:, 10:-10, 10:-10], atol=3e-4)


def test_symmetry_tells_the_star():
    cube = observe(nframes=4, size=81)
    symmetric = cube.frames[0].mean(axis=0)
    symmetric = symmetric + symmetric[::-1, ::-1]
    moved = shifted(symmetric[None], 0.62, -1.27)[0]
    y, x = centre_of_symmetry(moved, (40.0, 40.0), 5.0, 25.0)
    assert y == pytest.approx(40.62, abs=0.01)
    assert x == pytest.approx(38.73, abs=0.01)


def test_no_centre_is_made_up():
    image = np.random.default_rng(2).normal(size=(81, 81))
    with pytest.raises(Unprocessable, match="leaves the image"):
        centre_of_symmetry(image, (10.0, 40.0), 5.0, 25.0)


@pytest.mark.parametrize(
    ("centre", "message"),
    [((-1, 20), "outside"), ((20, 61), "outside"), ((2, 30), "from the edge"), ((1, 2, 3), "shape"),
     ((np.nan, 3), "outside")],
)
def test_impossible_centres_are_refused(centre, message):
    with pytest.raises(BadInput, match=message):
        recentre(np.zeros((2, 61, 61)), centre)
