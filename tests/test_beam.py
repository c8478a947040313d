"""Widths of point sources whose width is known."""

import numpy as np
import pytest
from scipy.special import j1

from lyot.cube import Cube
from lyot.reduce.beam import beams, full_width

# Areas are counted in cells of 0.05 px, so widths of a few px are good to a few parts in a thousand.
COUNTING = 5e-3


def distance(side: int, shift: float = 0.0) -> np.ndarray:
    y, x = np.indices((side, side)) - side // 2
    return np.hypot(y - shift, x + 0.7 * shift)


@pytest.mark.parametrize("shift", [0.0, 0.4])
def test_a_gaussian(shift):
    image = np.exp(-4 * np.log(2) * (distance(31, shift) / 4.2) ** 2)
    assert full_width(image) == pytest.approx(4.2, rel=COUNTING)


@pytest.mark.parametrize("resolution", [2.5, 4.0])
def test_an_airy_pattern(resolution):
    v = np.pi * np.maximum(distance(41), 1e-9) / resolution
    # The half maximum of (2 J1(v) / v)² is at v = 1.61634.
    assert full_width((2 * j1(v) / v) ** 2) == pytest.approx(2 * 1.61634 / np.pi * resolution, rel=COUNTING)


def test_a_cube_says_its_own_width_or_its_psf_does():
    frames, psf = np.ones((2, 31, 31)), np.exp(-4 * np.log(2) * (distance(21) / 5.0) ** 2)
    bare = {"frames": frames, "angles": [0.0, 1.0], "wavelengths": [1.6], "pixel_scale": 12.0}
    assert beams(Cube(**bare)) is None
    assert beams(Cube(**bare, psf=psf)) == pytest.approx([5.0], rel=COUNTING)
    assert beams(Cube(**bare, psf=psf, fwhm=4.0)) == pytest.approx([4.0])
