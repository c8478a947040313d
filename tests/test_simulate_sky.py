"""Where the simulated telescope points and how the sky turns: real headers, the textbook, astronomy."""

import numpy as np
import pytest
from astropy.time import Time
from raw_reading import degrees, hour_angle_formula, number, real_headers

from lyot.errors import BadInput
from lyot.reduce.simulate.raw_sky import Star, of_date_direction, offset, point, transit


@pytest.mark.data
def test_angles_are_those_of_real_headers(shared_data):
    checked = 0
    for name, cards in real_headers(shared_data, "SPHER.2020-03-08T07*.txt"):
        ra = 15 * degrees(number(cards["HIERARCH ESO INS4 DROT2 RA"]))
        dec = degrees(number(cards["HIERARCH ESO INS4 DROT2 DEC"]))
        when = [cards[key].split("'")[1] for key in ("DATE-OBS", "HIERARCH ESO DET FRAM UTC")]
        told = [number(cards[f"HIERARCH ESO TEL PARANG {end}"]) for end in ("START", "END")]
        # the telescope's clock and ours may differ by two seconds: 0.015 deg here
        assert of_date_direction(ra, dec, Time(when)) == pytest.approx(told, abs=0.02), name
        checked += 1
    assert checked == 6


@pytest.mark.data
def test_pointing_is_that_of_real_headers(shared_data):
    for name, cards in real_headers(shared_data, "SPHER.2020-03-08T07*.txt"):
        alpha, delta = (number(cards[f"HIERARCH ESO TEL TARG {c}"]) for c in ("ALPHA", "DELTA"))
        pma, pmd = (1000 * number(cards[f"HIERARCH ESO TEL TARG {c}"]) for c in ("PMA", "PMD"))
        at_2016 = {"ra": 15 * degrees(alpha) + 16 * pma / 3.6e6, "dec": degrees(delta) + 16 * pmd / 3.6e6}
        star = Star(name="real", pmra=pma, pmdec=pmd, parallax=1.0, **at_2016)
        time = Time([cards["DATE-OBS"].split("'")[1]])
        here = point(star.at(time[0]), time)
        assert here.altitude[0] == pytest.approx(number(cards["HIERARCH ESO TEL ALT"]), abs=0.02), name
        assert here.azimuth[0] - 180 == pytest.approx(number(cards["HIERARCH ESO TEL AZ"]), abs=0.02), name
        drot = 15 * degrees(number(cards["HIERARCH ESO INS4 DROT2 RA"]))
        assert here.ra_date[0] == pytest.approx(drot, abs=1.0 / 3600), name  # 0.4″ are known to remain


@pytest.mark.parametrize("dec", [-70.0, -38.1, -20.0, 5.0])
def test_the_zenith_stands_where_the_textbook_has_it(dec):
    star = Star(dec=dec, pmra=0, pmdec=0)
    times = Time(Time("2019-05-12T02:00:00").mjd + np.linspace(0, 0.2, 9), format="mjd")
    here = point(star.at(times[0]), times)
    expected = hour_angle_formula(here.ra_date, here.dec_date, here.lst)
    # the formula knows no diurnal aberration (0.3″) and no polar motion
    assert (here.zenith_date - expected + 180) % 360 - 180 == pytest.approx(np.zeros(9), abs=0.005)


def test_north_of_date_is_not_icrs_north():
    star = Star(pmra=0, pmdec=0)
    times = Time(["2019-05-12T04:00:00", "2019-05-12T06:00:00"])
    here = point(star.at(times[0]), times)
    turned = 0.00557 * (2019.36 - 2000) * np.sin(np.radians(star.ra)) / np.cos(np.radians(star.dec))
    # precession to first order; nutation in longitude adds up to 17″ sin ε sin α / cos δ = 0.002 deg, aberration less
    assert here.zenith_icrs - here.zenith_date == pytest.approx(np.full(2, -turned), abs=0.005)


def test_a_background_star_trails_behind_the_target():
    star = Star(parallax=0.2)
    first, later = (offset(star, 234.2, -38.1001, Time(f"{year}-05-12")) for year in (2018, 2021))

    def north_east(separation, angle):
        return separation * np.cos(np.radians(angle)), separation * np.sin(np.radians(angle))

    moved = np.subtract(north_east(*later), north_east(*first))
    assert moved == pytest.approx((3 * 31.0, 3 * 24.0), abs=0.3)  # leap years 0.1 mas, parallax 0.2 mas
    near = Star(parallax=100.0, pmra=0, pmdec=0)
    spring, autumn = (north_east(*offset(near, 234.2, -38.1001, Time(t))) for t in ("2018-02-20", "2018-08-23"))
    assert np.hypot(*np.subtract(spring, autumn)) == pytest.approx(200.0, rel=0.05)  # twice the parallax, along RA


def test_a_star_that_is_up_by_day_is_refused():
    with pytest.raises(BadInput, match="does not cross"):
        transit(Star(ra=60.0), "2019-05-11")
