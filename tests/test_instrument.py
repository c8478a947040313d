"""Instruments are found however people write them, and their constants by date."""

import pytest

from lyot.errors import BadInput, NotFound
from lyot.instrument import Calibration, Filter, Instrument, Site, instrument, instruments

SITE = Site(name="A hill", latitude=0.0, longitude=0.0, elevation=100.0)


def camera(*calibrations: Calibration) -> Instrument:
    return Instrument(name="camera", telescope="T", site=SITE, diameter=8.0, filters=(), calibrations=calibrations)


@pytest.mark.parametrize("name", ["naco", "NACO", "Sphere IRDIS", "SPHERE-IRDIS", "sphere_ifs"])
def test_an_instrument_is_found_however_it_is_written(name):
    assert instrument(name).name.replace("-", "") == name.lower().translate({32: None, 45: None, 95: None})


@pytest.mark.parametrize("name", ["nirc9", "", "nac"])
def test_an_unknown_instrument_is_refused_and_the_known_ones_named(name):
    with pytest.raises(BadInput, match=r"known: .*naco.*sphere-irdis"):
        instrument(name)


@pytest.mark.parametrize("name", ["L'", "l'", "Lp", "L′", "LP"])
def test_a_filter_is_found_however_it_is_written(name):
    assert instrument("naco").filter(name).name == "L'"


def test_an_unknown_filter_is_refused_and_the_known_ones_named():
    with pytest.raises(NotFound, match=r"sphere-irdis has no filter 'Z'; it has .*H2"):
        instrument("sphere-irdis").filter("Z")


def test_a_constant_holds_from_its_first_day_until_the_next():
    old, new = (
        Calibration(name="true_north", value=value, error=0.1, unit="deg", since=since, reference="r")
        for value, since in ((-1.0, "2014-01-01"), (-2.0, "2016-07-12"))
    )
    made = camera(new, old)
    assert made.constant("true_north", "2016-07-11").value == -1.0
    assert made.constant("true_north", "2016-07-12").value == -2.0
    assert made.constant("true_north", "2030-01-01").value == -2.0
    with pytest.raises(NotFound, match="no true_north for 2013"):
        made.constant("true_north", "2013-12-31")
    with pytest.raises(NotFound, match="no pixel_scale"):
        made.constant("pixel_scale", "2016-07-12")


@pytest.mark.parametrize("name", instruments())
def test_every_instrument_has_what_adopting_a_cube_needs(name):
    known = instrument(name)
    for constant, unit in (("pixel_scale", "mas/px"), ("true_north", "deg")):
        found = known.constant(constant, "2016-01-01")
        assert found.unit == unit
        assert found.error > 0
        assert found.reference
    assert 0.5 < known.constant("pixel_scale", "2016-01-01").value < 100
    names = [one.name for one in known.filters]
    assert len(set(names)) == len(names) > 0
    for one in known.filters:
        assert 0.4 < one.wavelength < 30  # µm
        assert one.width < one.wavelength


def test_published_wavelengths():
    # ESO's user manual of SPHERE, in nm
    irdis = instrument("sphere-irdis")
    for name, wavelength, width in (("H2", 1593, 52), ("H3", 1667, 54), ("K1", 2110, 102), ("BB_H", 1625, 290)):
        assert irdis.filter(name).wavelength * 1e3 == pytest.approx(wavelength)
        assert irdis.filter(name).width * 1e3 == pytest.approx(width)


def test_two_filters_are_not_written_alike():
    for known in instruments().values():
        for one in known.filters:
            assert known.filter(one.name) == one


def test_a_filter_without_width_is_refused():
    with pytest.raises(ValueError, match="greater than 0"):
        Filter(name="X", wavelength=1.0, width=0.0)
