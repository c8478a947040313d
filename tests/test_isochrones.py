"""Masses from isochrones."""

import numpy as np
import pytest

from lyot.catalog.isochrones import JUPITERS, Isochrones, mass_of, masses_of, read_isochrones
from lyot.catalog.photometry import Magnitude
from lyot.errors import BadInput, Unprocessable

MASSES = np.array([2.0, 5.0, 10.0, 20.0])
#: A made-up power law, M = 20 − 5 log₁₀ mass + 2 log₁₀ age: not a model of anything, but its inverse is known.
AGES = np.array([10.0, 20.0, 50.0, 100.0])
POWER_LAW = Isochrones(
    "power law", AGES, (MASSES,) * 4,
    {"H": tuple(20 - 5 * np.log10(MASSES) + 2 * np.log10(age) for age in AGES)},
)  # fmt: skip


def test_a_power_law_is_inverted_exactly():
    ages, masses = np.array([10.0, 17.0, 30.0, 100.0]), np.array([2.0, 3.3, 12.0, 20.0])
    magnitudes = 20 - 5 * np.log10(masses) + 2 * np.log10(ages)
    assert masses_of(POWER_LAW, "H", ages, magnitudes) == pytest.approx(masses, rel=1e-9)


def test_nothing_is_said_outside_the_table():
    found = masses_of(POWER_LAW, "H", np.array([5.0, 200.0, 20.0, 20.0, -1.0]), np.array([17.0, 17.0, 5.0, 30.0, 17.0]))
    assert np.isnan(found).all()


def test_the_errors_of_a_power_law():
    """σ(log₁₀ mass) = √(σ_M² + (2 σ_age / age / ln 10)²) / 5; 4,000 draws know it to 2 %."""
    parallax, age = (100.0, 0.01), (30.0, 3.0, 3.0)
    mass = mass_of(POWER_LAW, "H", Magnitude(20 - 5 + 2 * np.log10(30.0), 0.1), parallax, age)
    assert mass.value == pytest.approx(10.0, rel=0.01)
    expected = np.log(10) * 10.0 * np.hypot(0.1, 2 * 0.1 / np.log(10)) / 5
    assert (mass.error_minus + mass.error_plus) / 2 == pytest.approx(expected, rel=0.06)


def test_what_the_table_does_not_reach():
    with pytest.raises(Unprocessable, match="of the draws"):
        mass_of(POWER_LAW, "H", Magnitude(30.0, 0.1), (100.0, 0.01), (30.0, 3.0, 3.0))
    with pytest.raises(BadInput, match="has no filter 'K'; it has H"):
        masses_of(POWER_LAW, "K", AGES, AGES)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nothing", "no isochrones"),
        (" t (Gyr) = 0.001\n M/MsTeff(K) Li H\n 0.01 1000 1 x\n", "line 3 holds something that is not a number"),
        (" t (Gyr) = 0.001\n M/MsTeff(K) Li H\n 0.01 1000 1\n", "line 3 holds 3 numbers, the header 4"),
        (" t (Gyr) = 0.001\n M/MsTeff(K) Li H\n 0.01 9 1 5\n t (Gyr) = 0.001\n 0.01 9 1 5\n", "ages do not grow"),
    ],
)
def test_what_is_no_table(tmp_path, text, message):
    path = tmp_path / "model.txt"
    path.write_text(text)
    with pytest.raises(BadInput, match=message):
        read_isochrones(path)


@pytest.fixture(scope="module")
def ames_cond(shared_data):
    return read_isochrones(shared_data / "models" / "model.AMES-Cond-2000.M-0.0.SPHERE.Vega.txt")


@pytest.mark.data
def test_the_table_of_ames_cond_is_read_as_it_is(ames_cond):
    assert (ames_cond.ages[0], ames_cond.ages[-1], len(ames_cond.ages)) == (1.0, 12_000.0, 40)
    assert ames_cond.masses[0][0] == pytest.approx(0.0005 * JUPITERS)
    assert ames_cond.magnitudes["D_K1"][0][0] == 15.539
    for age in (3, 12, 25):
        inside = masses_of(ames_cond, "D_K1", np.full(5, ames_cond.ages[age]), ames_cond.magnitudes["D_K1"][age][:5])
        assert inside == pytest.approx(ames_cond.masses[age][:5], rel=1e-6)


@pytest.mark.data
def test_hr_8799_b_is_a_planet(ames_cond):
    """K1 = 17.15 at 42 ± 15 Myr; Marois et al. 2008 find 5 to 11 Jupiter masses from their cooling tracks."""
    mass = mass_of(ames_cond, "D_K1", Magnitude(17.15, 0.06), (24.462, 0.0455), (42.0, 16.0, 14.0))
    assert 4 < mass.value < 11
    assert 0.3 < mass.error_minus < 3
