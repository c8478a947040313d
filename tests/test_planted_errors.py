"""An error planted in one calibration puts its own figure out of its bound, and none does without it."""

import pytest
import raw_checks

from lyot.reduce.simulate.raw_night import simulate_night

pytestmark = pytest.mark.slow


def reduced(folder, *faults):
    simulate_night(folder, "irdis", seed=1, nscience=1, ndit=2, faults=faults)
    return raw_checks.figures(raw_checks.level1(folder), folder)


def test_a_night_without_errors_is_within_all_bounds(tmp_path):
    found = reduced(tmp_path)
    assert {name: value for name, value in found.items() if value > raw_checks.BOUNDS[name]} == {}


@pytest.mark.parametrize(
    ("faults", "figure"),
    [
        (("wrong_dark", "missing_sky"), "halves"),  # skies of the same exposure would be taken first
        (("wrong_nd",), "flux"),
        (("swapped_dither",), "centre"),
        (("wrong_angle",), "angles"),
    ],
)
def test_each_error_shows_in_its_own_figure(tmp_path, faults, figure):
    found = reduced(tmp_path, *faults)
    assert {name for name, value in found.items() if value > raw_checks.BOUNDS[name]} == {figure}
