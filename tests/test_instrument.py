"""Instruments are found however people write them, and their constants by date."""

import math

import pytest

from lyot.errors import BadInput, NotFound
from lyot.instrument import Calibration, Coronagraph, Filter, Instrument, Site, instrument, instruments

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
    with pytest.raises(BadInput, match="greater than 0"):
        Filter(name="X", wavelength=1.0, width=0.0)


class TestCoronagraphs:
    def test_those_of_sphere_take_two_thirds_at_the_edge_of_the_mask(self):
        mask = instrument("sphere-irdis").coronagraph("N_ALC_YJH_S")
        assert mask is instrument("sphere-ifs").coronagraph("alc2")
        assert mask.transmission(92.5) == pytest.approx(0.32)
        assert 0.60 < mask.transmission(1.2 * 92.5) < 0.68
        assert mask.transmission(1000.0) == 1.0
        assert math.isnan(mask.transmission(50.0))

    def test_it_is_linear_between_what_was_measured(self):
        mask = Coronagraph(names=("mask",), separations=(10.0, 20.0), transmissions=(0.2, 0.6), reference="here")
        assert mask.transmission(10.0) == pytest.approx(0.2)
        assert mask.transmission(17.5) == pytest.approx(0.5)
        assert mask.transmission(20.0) == mask.transmission(30.0) == pytest.approx(0.6)

    def test_one_without_a_curve_takes_nothing_that_is_known(self):
        agpm = instrument("naco").coronagraph("AGPM")
        assert not agpm.known
        assert agpm.transmission(0.0) == 1.0
        assert instrument("naco").coronagraph("4QPM") is None
        assert instrument("naco").coronagraph(None) is None

    @pytest.mark.parametrize(
        "curve", [((10.0, 5.0), (0.1, 0.2)), ((10.0,), (0.1, 0.2)), ((10.0,), (1.2,)), ((10.0,), (0.0,))]
    )
    def test_a_curve_that_is_none_is_refused(self, curve):
        with pytest.raises(BadInput, match="mask"):
            Coronagraph(names=("mask",), separations=curve[0], transmissions=curve[1])
