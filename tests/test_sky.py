"""Tracks on the sky, against astropy's own space motion and positions of the Earth."""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import CartesianRepresentation, Distance, SkyCoord, get_body_barycentric
from astropy.time import Time

from lyot.errors import BadInput
from lyot.sky import Star, background_track, day_of, drift_past, earth_position, julian_year, mjd_of

TEN_YEARS = 57000 + np.linspace(0, 3652.5, 25)
OFFSETS = [(800.0, -600.0), (-3000.0, 4000.0)]


def _seen(star, times, parallax_at_infinity=1e-7):
    """Directions from the Earth by astropy: space motion, then the Earth's place, as unit vectors."""
    parallax = max(star.parallax, parallax_at_infinity)
    start = SkyCoord(
        star.ra * u.deg, star.dec * u.deg, distance=Distance(parallax=parallax * u.mas),
        pm_ra_cosdec=star.pmra * u.mas / u.yr, pm_dec=star.pmdec * u.mas / u.yr,
        radial_velocity=star.radial_velocity * u.km / u.s, obstime=Time(star.ref_epoch, format="jyear", scale="tdb"),
    )  # fmt: skip
    when = Time(times, format="mjd", scale="utc")
    moved = start.apply_space_motion(new_obstime=when.tdb)
    seen = moved.cartesian.xyz.to_value(u.AU) - get_body_barycentric("earth", when).xyz.to_value(u.AU)
    return SkyCoord(CartesianRepresentation(seen / np.linalg.norm(seen, axis=0)), frame="icrs")


def _offsets(target, other):
    """Offsets (East, North) in mas by astropy's separation and position angle."""
    separation, angle = target.separation(other).to_value(u.mas), target.position_angle(other).radian
    return np.stack([separation * np.sin(angle), separation * np.cos(angle)], axis=1)


@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize("velocity", [0.0, 30.0])
@pytest.mark.parametrize("dec", [-89.0, -60.0, 0.0, 45.0, 89.0])
def test_a_background_star_drifts_as_astropy_says(dec, velocity, offset):
    star = Star(123.0, dec, 2016.0, 350.0, -357.0, 50.0, velocity)  # 500 mas/yr
    at = TEN_YEARS[3]
    track = background_track(star, TEN_YEARS, offset, at)

    there = _seen(star, np.array([at]))[0]
    angle, separation = np.arctan2(*offset) * u.rad, np.hypot(*offset) * u.mas
    fixed = there.directional_offset_by(angle, separation)
    expected = _offsets(_seen(star, TEN_YEARS), SkyCoord(fixed.ra, fixed.dec))

    assert np.abs(track - expected).max() < 0.1  # mas: a hundredth of the best pixel
    assert np.ptp(track, axis=0).min() > 1000  # and it did move


def test_own_motion_and_parallax_of_the_background_star():
    star = Star(86.82, -51.07, 2016.0, 4.9, 83.9, 50.9)
    behind = Star(86.82 + 1e-4, -51.07 - 2e-4, 2016.0, 5.0, -9.0, 2.0)
    expected = _offsets(_seen(star, TEN_YEARS), _seen(behind, TEN_YEARS))
    track = background_track(
        star, TEN_YEARS, tuple(expected[0]), TEN_YEARS[0], motion=(5.0, -9.0), parallax=2.0
    )
    assert np.abs(track - expected).max() < 0.1


def test_the_track_passes_where_it_was_seen():
    star = Star(10.0, 80.0, 2016.0, 300.0, 100.0, 40.0)
    track = background_track(star, [56000.0, 57123.0], (512.0, -301.0), 57123.0, motion=(3.0, 4.0), parallax=1.0)
    assert track[1] == pytest.approx((512.0, -301.0), abs=1e-6)


def test_a_star_at_rest_and_far_away_has_a_resting_sky():
    star = Star(10.0, 20.0, 2016.0, 0.0, 0.0, 0.0)
    track = background_track(star, TEN_YEARS, (100.0, 200.0), TEN_YEARS[0])
    assert np.abs(track - (100.0, 200.0)).max() < 1e-6


def test_the_drift_goes_against_the_proper_motion():
    star = Star(10.0, 20.0, 2016.0, 100.0, -50.0, 0.0)
    drift = drift_past(star, [57000.0, 57000.0 + 365.25], epoch=57000.0).drift
    assert drift[1] == pytest.approx((-100.0, 50.0), abs=0.01)


def test_the_parallax_ellipse():
    """At the ecliptic pole the parallactic motion is the Earth's orbit: a circle of radius π to 2 %."""
    star = Star(270.0, 66.5607, 2016.0, 0.0, 0.0, 100.0)
    year = 57000 + np.linspace(0, 365.25, 40)
    drift = drift_past(star, year, epoch=57000.0).drift
    radius = np.hypot(*drift.T)
    assert radius == pytest.approx(np.full(40, 100.0), rel=0.03)  # eccentricity 1.7 %, the Sun's own motion 0.9 %


def test_many_times_at_once_or_one_by_one():
    star = Star(10.0, 80.0, 2016.0, 300.0, 100.0, 40.0)
    earth = earth_position(TEN_YEARS)
    at_once = drift_past(star, TEN_YEARS, 57000.0, earth).drift
    one_by_one = np.concatenate([drift_past(star, [t], 57000.0).drift for t in TEN_YEARS])
    assert at_once == pytest.approx(one_by_one, abs=1e-9)


def test_many_stars_at_once_or_one_by_one():
    stars = [Star(10.0, 80.0, 2016.0, 300.0, 100.0, 40.0, 5.0), Star(200.0, -30.0, 2000.0, -30.0, 10.0, 7.0, -20.0)]
    together = Star(*(np.array(values) for values in zip(*(vars(s).values() for s in stars), strict=True)))
    times, epochs = np.array([TEN_YEARS, TEN_YEARS + 100.0]), np.array([57000.0, 58000.0])
    at_once = drift_past(together, times, epochs)
    for n, star in enumerate(stars):
        alone = drift_past(star, times[n], epochs[n])
        for name, values in vars(alone).items():
            assert getattr(at_once, name)[n] == pytest.approx(values, abs=1e-9)


@pytest.mark.parametrize("date", ["2013-01-31T04:05:06.789", "1999-06-30T23:59:59", "2026-02-28T12:00:00"])
def test_dates_and_mjd(date):
    assert mjd_of(date) == pytest.approx(Time(date, scale="utc").mjd, abs=1e-8)  # a millisecond
    assert day_of(mjd_of(date)) == date[:10]


def test_a_day_counts_as_its_noon():
    assert mjd_of("2013-01-31") == Time("2013-01-31T12:00:00").mjd
    assert mjd_of("2013-01-31T12:00:00+02:00") == Time("2013-01-31T10:00:00").mjd


def test_no_date_and_no_mjd():
    with pytest.raises(BadInput, match="'soon' is no date"):
        mjd_of("soon")
    for mjd in (1e9, np.nan, -np.inf):
        with pytest.raises(BadInput, match="no Modified Julian Date"):
            day_of(mjd)


def test_the_earth_is_where_astropy_has_it():
    times = np.concatenate([np.linspace(44000, 66000, 500), [51999.99, 52000.0, 52000.01, 15100.0, 88000.0]])
    exact = get_body_barycentric("earth", Time(times, format="mjd", scale="tdb"), ephemeris="builtin")
    assert np.abs(earth_position(times) - exact.xyz.to_value(u.AU).T).max() < 3e-7  # AU
    assert earth_position(times.reshape(5, 101)).shape == (5, 101, 3)


def test_julian_year():
    assert julian_year(51544.5) == 2000.0
    assert julian_year(57388.5) == pytest.approx(Time(57388.5, format="mjd").jyear, abs=1e-9)


@pytest.mark.parametrize(
    ("changed", "message"),
    [({"parallax": -1.0}, "parallax"), ({"dec": 91.0}, "declination"), ({"pmra": np.nan}, "pmra")],
)
def test_a_star_that_cannot_be(changed, message):
    values = {"ra": 1.0, "dec": 2.0, "ref_epoch": 2016.0, "pmra": 0.0, "pmdec": 0.0, "parallax": 1.0}
    with pytest.raises(BadInput, match=message):
        Star(**(values | changed))


def test_times_must_be_numbers_of_our_time():
    with pytest.raises(BadInput, match="time"):
        earth_position([np.nan])
    with pytest.raises(BadInput, match="known from 1900 to 2100"):
        earth_position([57000.0, 0.0])
