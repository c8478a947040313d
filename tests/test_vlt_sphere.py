"""Angles, densities and spots against vlt-sphere, where it is installed."""

import numpy as np
import pytest
from astropy import units
from test_angles import FIXTURE
from test_centre import waffle

from lyot.angles import parallactic_angle, sidereal_time
from lyot.instruments.sites import PARANAL
from lyot.instruments.sphere_frames import transmission, transmission_at
from lyot.reduce.centre import find_spots

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def toolbox():
    return pytest.importorskip("sphere.utils.toolbox", reason="vlt-sphere is not installed", exc_type=ImportError)


@pytest.fixture(scope="module")
def densities():
    return pytest.importorskip("sphere.utils.transmission", reason="vlt-sphere is not installed", exc_type=ImportError)


def test_parallactic_angles(toolbox):
    times = 58916.2 + np.linspace(0, 0.3, 50)
    hours = np.degrees(sidereal_time(times, PARANAL)) / 15 - FIXTURE.right_ascension / 15
    hour_angle = ((hours + 12) % 24 - 12) * units.hourangle
    theirs = toolbox.parallatic_angle(
        hour_angle, FIXTURE.declination * units.deg, PARANAL.latitude * units.deg
    ).to_value(units.deg)
    ours = parallactic_angle(FIXTURE, times, PARANAL)
    away = (ours - theirs + 180) % 360 - 180
    assert np.abs(away).max() < 1e-4


@pytest.mark.parametrize("density", ["ND_1.0", "ND_2.0", "ND_3.5"])
def test_neutral_densities(densities, density):
    wave = np.arange(955.0, 1680.0, 5.0)
    _, theirs = densities.transmission_nd(density, wave=wave)
    np.testing.assert_allclose(transmission_at(density, wave * 1e-3), theirs, rtol=0.03)  # our points are 10 nm apart


@pytest.mark.parametrize("density", ["ND_1.0", "ND_2.0", "ND_3.5"])
@pytest.mark.parametrize("band", ["BB_Y", "BB_J", "BB_H", "BB_Ks"])
def test_integrals_of_neutral_densities(densities, band, density):
    theirs = densities.irdis_nd(band, density)
    assert transmission(density, band) == pytest.approx(theirs[0], rel=1e-3)  # ours have four digits


def test_star_between_its_spots(toolbox):
    image = waffle(star=(251.3, 248.8))
    found = find_spots(image, (250.0, 250.0), 46.0, 45.0)
    spots, _, theirs = toolbox.star_centers_from_waffle_img_cube(
        image[None].astype(float), np.array([1593.0]), "x", np.array([[250, 250]]), 12.255, 0.0, high_pass=True
    )[:3]
    assert spots.shape[-1] == 2
    assert np.hypot(*(np.ravel(theirs) - found.star[::-1])) < 0.1  # px, with noise
