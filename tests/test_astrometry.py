"""Polar and rectangular offsets."""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord

from lyot.catalog.astrometry import complete, offset_errors, offsets, polar, polar_errors
from lyot.errors import BadInput


@pytest.mark.parametrize(("angle", "expected"), [(0, (0, 5)), (90, (5, 0)), (180, (0, -5)), (270, (-5, 0))])
def test_north_is_up_and_east_is_ninety(angle, expected):
    assert offsets(5.0, angle) == pytest.approx(expected, abs=1e-12)


def test_as_astropy_says():
    star = SkyCoord(80 * u.deg, -51 * u.deg)
    seen = star.directional_offset_by(211.2 * u.deg, 452 * u.mas)
    east, north = star.spherical_offsets_to(seen)
    assert offsets(452.0, 211.2) == pytest.approx((east.to_value(u.mas), north.to_value(u.mas)), abs=1e-3)


def test_there_and_back():
    for place in ((100.0, 10.0), (3.0, 359.9), (2000.0, 180.0)):
        assert polar(*offsets(*place)) == pytest.approx(place, rel=1e-12)
        errors = offset_errors(*place, 2.0, 0.3)
        assert polar_errors(*offsets(*place), *errors) == pytest.approx((2.0, 0.3), rel=1e-9)


def test_errors_agree_with_many_draws():
    """First order against 200,000 draws, whose own noise is 0.3 %."""
    rng = np.random.default_rng(0)
    drawn = np.array(offsets(1.0, 0.0)) * 0 + np.stack(
        [
            (r := rng.normal(400, 3, 200_000)) * np.sin(a := np.radians(rng.normal(130, 1.2, 200_000))),
            r * np.cos(a),
        ],
        axis=1,
    )
    east, north, correlation = offset_errors(400.0, 130.0, 3.0, 1.2)
    covariance = np.cov(drawn.T)
    assert (east, north) == pytest.approx(np.sqrt(np.diag(covariance)), rel=0.01)
    assert correlation == pytest.approx(np.corrcoef(drawn.T)[0, 1], abs=0.01)


def test_the_form_that_was_given_stays():
    row = {"separation": 452.0, "position_angle": 211.2, "separation_error": 10.0, "position_angle_error": 1.3}
    done = complete(row)
    assert {name: done[name] for name in row} == row
    assert (done["dra"], done["ddec"]) == pytest.approx(offsets(452.0, 211.2))
    both = row | {"dra": -230.0, "ddec": -390.0}  # as they were rounded
    assert {name: complete(both)[name] for name in both} == both
    assert complete(both)["dra_error"] == done["dra_error"]  # the form without errors takes those of the other
    assert complete({"snr": 5.0}) == {"snr": 5.0}


@pytest.mark.parametrize("wrong", [(234.1, -386.6), (-234.1, 386.6), (-386.6, -234.1), (-0.2341, -0.3866)])
def test_two_places_in_one_row_are_refused(wrong):
    """beta Pic b in 2013, with East to the West, upside down, exchanged, in arcseconds."""
    row = {"separation": 452.0, "position_angle": 211.2, "separation_error": 10.0, "position_angle_error": 1.3}
    with pytest.raises(BadInput, match="separation and position_angle say"):
        complete(row | {"dra": wrong[0], "ddec": wrong[1]})
    assert complete(row | {"dra": -234.1, "ddec": -386.6})["dra"] == -234.1


def test_no_errors_no_errors():
    assert "separation_error" not in complete({"dra": 3.0, "ddec": 4.0})
    assert complete({"dra": 3.0, "ddec": 4.0})["separation"] == 5.0


def test_half_a_position():
    with pytest.raises(BadInput, match="position_angle is missing"):
        complete({"separation": 1.0})
    with pytest.raises(BadInput, match="the star itself"):
        complete({"dra": 0.0, "ddec": 0.0})
