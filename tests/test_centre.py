"""The star between its satellite spots, on images of known truth."""

import numpy as np
import pytest

from lyot.errors import Unprocessable
from lyot.reduce.centre import combine, find_spots, spot_radius

FWHM = 4.0


def waffle(star=(251.3, 248.8), radius=46.0, angle=45.0, height=300.0, noise=3.0, seed=1, squeeze=1.0):
    """Four spots on a halo, with speckles behind a mask."""
    rng = np.random.default_rng(seed)
    y, x = np.indices((500, 500), dtype=float)
    r = np.hypot(y - star[0], x - star[1])
    image = 2000.0 / (1 + (r / 8.0) ** 2) * (r > 7) + rng.normal(0, noise, r.shape)
    for direction in np.radians(angle + 90 * np.arange(4)):
        sy, sx = star[0] + radius * np.sin(direction) / squeeze, star[1] + radius * np.cos(direction)
        image += height * np.exp(-4 * np.log(2) * ((y - sy) ** 2 + (x - sx) ** 2) / FWHM**2)
    return image.astype(np.float32)


def test_published_radii():
    # Delorme et al. 2017 and the instrument's manual: 336, 563 and 746 mas.
    assert spot_radius(1.593, 12.255) == pytest.approx(46.0, abs=0.1)
    assert spot_radius(0.95, 7.46) == pytest.approx(45.0, abs=0.1)
    assert spot_radius(2.110, 1.0) == pytest.approx(746, abs=1)


@pytest.mark.parametrize("angle", [0.0, 45.0, 57.0])
def test_the_star_is_found_to_a_few_hundredths_of_a_pixel(angle):
    found = find_spots(waffle(angle=angle), (245.0, 255.0), 46.0, angle)
    assert found.star == pytest.approx((251.3, 248.8), abs=0.03)  # S/N 100 a spot on a steep halo
    assert found.error < 0.1
    assert found.method == "spots"
    assert found.radius == pytest.approx(46.0, abs=0.1)


def test_a_squeezed_square_crosses_at_the_star_too():
    assert find_spots(waffle(squeeze=1.0062), (250, 250), 46.0, 45.0).star == pytest.approx((251.3, 248.8), abs=0.03)


def test_spots_are_found_without_knowing_their_direction():
    found = find_spots(waffle(angle=33.0), (250.0, 250.0), 46.0, None)
    assert found.angle % 90 == pytest.approx(33.0, abs=0.5)


def test_past_the_gate_symmetry_is_tried_and_the_better_kept():
    image = waffle()
    y, x = np.indices(image.shape)
    sy, sx = 251.3 + 46 / 2**0.5, 248.8 + 46 / 2**0.5
    image += 400 * np.exp(-4 * np.log(2) * ((y - sy + 4) ** 2 + (x - sx - 4) ** 2) / FWHM**2)  # a star on a spot
    plain = find_spots(image, (250.0, 250.0), 46.0, 45.0, gate=np.inf)
    better = find_spots(image, (250.0, 250.0), 46.0, 45.0, gate=0.7)
    assert plain.error > 0.7  # it knows that it is disturbed
    assert better.error <= plain.error
    assert np.hypot(*np.subtract(better.star, (251.3, 248.8))) < 1.0


def test_a_planet_beside_a_spot_hardly_moves_the_star():
    """6 px from the spot, two thirds as bright: a fit that squares what it leaves moves the star by 0.075 px."""
    image = waffle()
    y, x = np.indices(image.shape)
    away, side = 46 / 2**0.5, 6 / 2**0.5
    planet = (251.3 + away - side, 248.8 + away + side)
    image += 200 * np.exp(-4 * np.log(2) * ((y - planet[0]) ** 2 + (x - planet[1]) ** 2) / FWHM**2)
    found = find_spots(image, (250.0, 250.0), 46.0, 45.0).star
    assert np.hypot(*np.subtract(found, (251.3, 248.8))) < 0.05


def test_without_spots_there_is_no_star():
    with pytest.raises(Unprocessable, match="no four satellite spots"):
        find_spots(waffle(height=0.0), (250.0, 250.0), 46.0, 45.0)


def test_dithers_are_taken_out_with_their_sign():
    still = find_spots(waffle(), (250, 250), 46.0, 45.0)
    moved = find_spots(waffle(star=(251.3 - 2, 248.8 + 1), seed=2), (250, 250), 46.0, 45.0)
    star, error = combine([still, moved], [(0.0, 0.0), (1.0, -2.0)])
    assert star == pytest.approx((251.3, 248.8), abs=0.03)
    assert error < 0.1
    _, error = combine([still, moved], [(0.0, 0.0), (-1.0, 2.0)])
    assert error > 0.5
