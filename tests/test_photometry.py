"""Contrasts, magnitudes and colours."""

import math

import numpy as np
import pytest

from lyot.catalog.photometry import (
    PAIRS,
    Magnitude,
    absolute,
    apparent,
    colours,
    contrast_of,
    delta_magnitude,
    distance_modulus,
    preferred,
)
from lyot.errors import BadInput


def test_a_hundredth_is_five_magnitudes():
    assert delta_magnitude(0.01).value == pytest.approx(5.0, abs=1e-12)
    assert contrast_of(5.0)[0] == pytest.approx(0.01, abs=1e-14)


def test_errors_agree_with_many_draws():
    """Propagation to first order against 200,000 draws; 1 % is their own noise."""
    draws = np.random.default_rng(1).normal(1e-4, 5e-6, 200_000)
    assert delta_magnitude(1e-4, 5e-6).error == pytest.approx(np.std(-2.5 * np.log10(draws)), rel=0.01)
    parallaxes = np.random.default_rng(2).normal(20.0, 0.4, 200_000)
    assert distance_modulus(20.0, 0.4).error == pytest.approx(np.std(10 - 5 * np.log10(parallaxes)), rel=0.01)


def test_there_and_back():
    contrast, error = contrast_of(8.01, 0.16)
    back = delta_magnitude(contrast, error)
    assert (back.value, back.error) == pytest.approx((8.01, 0.16), abs=1e-12)


def test_ten_parsec_is_where_both_magnitudes_agree():
    assert distance_modulus(100.0).value == pytest.approx(0.0, abs=1e-12)
    assert absolute(Magnitude(7.0, 0.1), 10.0).value == pytest.approx(2.0, abs=1e-12)


def test_beta_pic_b_in_l():
    """Absil et al. 2013: ΔL' = 8.01 ± 0.16; the star has L' = 3.454 ± 0.003, the parallax is 50.93 mas."""
    seen = apparent(Magnitude(3.454, 0.003), Magnitude(8.01, 0.16))
    assert (seen.value, seen.error) == pytest.approx((11.46, 0.16), abs=0.005)
    assert absolute(seen, 50.9307, 0.1482).value == pytest.approx(10.0, abs=0.05)


def test_colours_of_the_pairs_that_are_there():
    bands = {"SPHERE/H2": Magnitude(18.08, 0.14), "SPHERE/H3": Magnitude(17.78, 0.10), "SPHERE/K1": Magnitude(17.15)}
    found = colours(bands, PAIRS)
    assert list(found) == ["H2-H3"]
    assert (found["H2-H3"].value, found["H2-H3"].error) == pytest.approx((0.30, math.hypot(0.14, 0.10)))


def test_several_values_of_one_filter():
    agree = preferred([{"value": 17.0, "error_minus": 0.1, "error_plus": 0.1}, {"value": 17.2, "error_plus": 0.2}])
    assert (agree.value, agree.error) == pytest.approx((17.04, 0.2 / math.sqrt(5)))
    differ = preferred([{"value": 17.0, "error_plus": 0.1}, {"value": 18.0, "error_plus": 0.1}])
    assert differ.value == pytest.approx(17.5)
    assert differ.error == pytest.approx(0.5)  # half their distance, not 0.07
    assert preferred([{"value": 18.0, "limit": ">"}]) is None
    assert math.isnan(preferred([{"value": 18.0}]).error)


@pytest.mark.parametrize("contrast", [0.0, -1e-5, math.nan, math.inf])
def test_no_magnitude_without_flux(contrast):
    with pytest.raises(BadInput, match="has no magnitude"):
        delta_magnitude(contrast)


@pytest.mark.parametrize(("parallax", "error"), [(0.0, 0.1), (-3.0, 0.1), (1.0, 0.5), (math.nan, 0.1)])
def test_no_distance_without_a_sound_parallax(parallax, error):
    with pytest.raises(BadInput, match="no distance"):
        distance_modulus(parallax, error)
