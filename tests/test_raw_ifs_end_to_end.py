"""Raw simulated nights of the IFS to planets in 39 channels, by `lyot ingest` and `lyot reduce` alone."""

import numpy as np
import pytest
from raw_checks import by_commands, cube_of, detections, level1, rows_near, true_vector, truth_of, wrong

from lyot.reduce.simulate.raw_night import simulate_night
from lyot.reduce.simulate.raw_scene import Companion
from lyot.reduce.simulate.raw_sky import Star

pytestmark = pytest.mark.slow

ALONE = Star(name="SIM 2", dec=-38.2)  # no background star beside it
PLANETS = (
    Companion(name="b", separation=420.0, position_angle=211.0, contrast=3e-4, colour=1.5),
    Companion(name="c", separation=455.0, position_angle=74.0, contrast=2e-4),
)
SIZE = 141  # px: 0.52 arcsec to all sides


def true_star(truth: dict) -> np.ndarray:
    """Where the star is from the middle of the square images, px (x, y).

    The lenslet at the lattice's origin puts the middle laser where the truth says; its images have their middle at that
    of the detector, and are upright on the lattice, with pixels as wide as a hexagon's side.
    """
    told, up = truth["lenslets"], truth["lenslets"]["up_1.12371"]
    x, y = told["middle_x"] + told["lean"] * up - 1023.5, told["middle_y"] + up - 1023.5
    turn = np.radians(-told["turn"])
    origin = np.array([x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)]) / told["side"]
    star = next(np.array(one["stars"][0]) for one in truth["files"] if one["kind"] == "OBJECT")
    return origin + star


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_planets_come_back_in_every_channel(tmp_path, seed):
    simulate_night(tmp_path / "raw", "ifs", seed=seed, nscience=6, ndit=1, spacing=8.0, star=ALONE, planets=PLANETS)
    truth = truth_of(tmp_path / "raw")
    store = by_commands(tmp_path / "raw", tmp_path / "store", "--recipe", "cadi", "--set", f"level1.size={SIZE}")
    cube = cube_of(store)
    assert cube.frames.shape == (39, 6, SIZE, SIZE)
    np.testing.assert_allclose(cube.wavelengths, np.linspace(0.95, 1.346, 39), atol=0.002)
    np.testing.assert_allclose(cube.angles, true_vector(truth, "north"), atol=0.002)
    np.testing.assert_allclose(cube.times, true_vector(truth, "times"), atol=0.5 / 86400)  # the file's closing time
    quality = {one.product.label: one.product.about["quality"] for one in store.find(kind="calibration")}
    assert quality["wavelength"]["wavelength_rms"] < 1.0
    rows = detections(store)
    waves = np.array(truth["wavelengths"])
    for source in truth["sources"]:
        near = rows_near(rows, source)
        assert len(near) >= 38, source["name"]
        assert wrong(source, near, waves, 3.0) == []


def test_the_star_is_found_between_its_spots(tmp_path):
    simulate_night(tmp_path, "ifs", seed=4, nscience=1, ndit=1, star=ALONE, planets=PLANETS)
    night = level1(tmp_path, size=SIZE)
    found = night.star.mean(axis=0)[::-1] - 145
    assert np.hypot(*(found - true_star(truth_of(tmp_path)))) < 0.05
    assert np.ptp(night.star, axis=0).max() < 0.05  # in no channel elsewhere


def test_the_long_prism_has_its_wavelengths(tmp_path):
    simulate_night(tmp_path, "ifs", seed=5, band="YJH", nscience=1, ndit=1, star=ALONE, planets=PLANETS)
    night = level1(tmp_path, size=SIZE)
    cube, truth = night.finished(), truth_of(tmp_path)
    np.testing.assert_allclose(cube.wavelengths, np.linspace(0.951, 1.677, 39), atol=0.002)
    np.testing.assert_allclose(cube.angles, true_vector(truth, "north"), atol=0.002)
    assert cube.star_flux is not None
