"""A cube is checked once, and says what it needs."""

import numpy as np
import pytest

from lyot.cube import Cube, star_position
from lyot.errors import BadInput

NWAVE, NTIME, NY, NX = 2, 5, 21, 20


def cube(**changes) -> Cube:
    given = {
        "frames": np.arange(NWAVE * NTIME * NY * NX, dtype=float).reshape(NWAVE, NTIME, NY, NX),
        "angles": np.arange(NTIME) * 10.0, "wavelengths": [1.593, 1.667], "pixel_scale": 12.255,
        "psf": np.ones((NWAVE, 7, 7)), "star_flux": 1e5, "times": 56323.0 + np.arange(NTIME), "fwhm": [3.4, 3.6],
        **changes,
    }  # fmt: skip
    return Cube(**given)


def test_the_star_stands_in_the_middle():
    assert cube().star == (10, 10)
    assert star_position((5, 100, 101)) == (50, 50)


def test_frames_become_native_single_precision():
    big_endian = np.ones((NTIME, NY, NX), dtype=">i2")
    made = cube(frames=big_endian, wavelengths=[1.6], psf=None, fwhm=None)
    assert made.frames.shape == (1, NTIME, NY, NX)
    assert made.frames.dtype == np.dtype("float32")
    assert made.frames.dtype.isnative
    assert made.frames.flags.c_contiguous


def test_one_value_stands_for_every_wavelength():
    made = cube(star_flux=3.0, fwhm=4.0, psf=np.ones((7, 7)))
    assert made.star_flux.tolist() == [3.0, 3.0]
    assert made.fwhm.tolist() == [4.0, 4.0]
    assert made.psf.shape == (NWAVE, 7, 7)


@pytest.mark.parametrize(
    ("angles", "rotation"), [([0, 10, 20, 30, 40], 40), ([350, 355, 0, 5, 10], 20), ([170, 175, -180, -175, -170], 20)]
)
def test_rotation_passes_over_a_full_turn(angles, rotation):
    assert cube(angles=angles).rotation == pytest.approx(rotation)


def test_frames_may_be_chosen_by_mask_or_by_number():
    mask = np.array([True, False, True, True, False])
    by_mask, by_number = cube().select(mask), cube().select([0, 2, 3])
    np.testing.assert_array_equal(by_mask.frames, cube().frames[:, [0, 2, 3]])
    np.testing.assert_array_equal(by_mask.angles, [0, 20, 30])
    np.testing.assert_array_equal(by_mask.times, by_number.times)


def test_a_channel_is_a_cube_of_one_wavelength():
    made = cube(star_flux=[1.0, 2.0]).channel(1)
    np.testing.assert_array_equal(made.frames[0], cube().frames[1])
    assert (made.wavelengths.tolist(), made.star_flux.tolist(), made.fwhm.tolist()) == ([1.667], [2.0], [3.6])


def spoiled(value: float, *places) -> np.ndarray:
    frames = np.ones((NWAVE, NTIME, NY, NX))
    for place in places:
        frames[place] = value
    return frames


BAD = {
    "frames-1d": ({"frames": np.ones(5)}, "1 dimensions"),
    "frames-empty": ({"frames": np.ones((2, 0, 3, 3))}, "empty"),
    "frames-words": ({"frames": np.full((2, 5, 3, 3), "a")}, "real numbers"),
    "frames-complex": ({"frames": np.ones((2, 5, 21, 20), complex)}, "real numbers"),
    "frame-dead": ({"frames": spoiled(np.nan, (0, 3))}, r"1 of 5 frames .*first: 3"),
    "frames-infinite": ({"frames": spoiled(np.inf, (0, 1, 2, 2))}, "infinite"),
    "angles-few": ({"angles": np.zeros(4)}, "5 frames but 4 angles"),
    "angles-2d": ({"angles": np.zeros((5, 2))}, "one dimension"),
    "angles-nan": ({"angles": [0, np.nan, 1, 2, np.nan]}, "2 of 5 angles are not numbers"),
    "wavelengths": ({"wavelengths": [1.6]}, "2 channels but 1 wavelengths"),
    "wavelength-negative": ({"wavelengths": [1.6, -1.6]}, "wavelengths must be positive, found -1.6"),
    "scale": ({"pixel_scale": 0.0}, "pixel scale is 0"),
    "scale-nan": ({"pixel_scale": np.nan}, "pixel scale is nan"),
    "times": ({"times": [1.0]}, "5 frames but 1 times"),
    "star-flux": ({"star_flux": 0.0}, "star flux must be positive"),
    "fwhm": ({"fwhm": [3.4, np.nan]}, "1 of 2 FWHM are not numbers"),
    "psf-channels": ({"psf": np.ones((3, 7, 7))}, r"\(2, y, x\) is needed"),
    "psf-large": ({"psf": np.ones((23, 23))}, "23 × 23 px is larger than the frames of 21 × 20"),
    "psf-even": ({"psf": np.ones((8, 7))}, "no middle pixel"),
    "psf-nan": ({"psf": np.full((7, 7), np.nan)}, "not numbers"),
    "psf-dark": ({"psf": np.zeros((7, 7))}, "no positive flux"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_does_not_fit_is_refused_in_one_sentence(case):
    changes, sentence = BAD[case]
    with pytest.raises(BadInput, match=sentence):
        cube(**changes)


def test_a_bad_pixel_is_no_bad_frame():
    assert np.isnan(cube(frames=spoiled(np.nan, (0, 1, 2, 2))).frames).sum() == 1
