"""Times and angles: against real headers, published values, and astropy's own horizontal frame."""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import ICRS, TETE, AltAz, EarthLocation, SkyCoord
from astropy.io import fits
from astropy.time import Time

from lyot.angles import (
    Pointing,
    degrees,
    derotator_drift,
    hours,
    icrs_north,
    mid_times,
    parallactic_angle,
)
from lyot.errors import BadInput
from lyot.instruments.sites import PARANAL

# One IFS exposure of 2020-03-08, 8 × 64 s, and its parallactic angles by an independent code (vlt-sphere 1.8).
FIXTURE = Pointing(hours(124523.298602), degrees(-84656.87053))
PUBLISHED = [139.6200, 139.1370, 138.6625, 138.1964, 137.7386, 137.2888, 136.8470, 136.4131]
LOGGED = {
    "07:05:15.511": 147.802, "07:12:03.719": 144.115, "07:20:53.733": 139.869,
    "07:29:43.729": 136.185, "07:38:33.715": 132.996, "07:48:21.618": 129.957,
}  # fmt: skip


def mjd(text: str) -> float:
    return float(Time(text, scale="utc").mjd)


def test_each_exposure_has_the_published_angle():
    times = mid_times(mjd("2020-03-08T07:20:53.7328"), mjd("2020-03-08T07:29:40.9798"), 8, 64.0, 0.2)
    angles = parallactic_angle(FIXTURE, times, PARANAL)
    np.testing.assert_allclose(angles, PUBLISHED, atol=0.002)  # the values have four decimals


@pytest.mark.parametrize("clock", LOGGED)
def test_the_angle_at_the_start_is_the_logged_one(clock):
    found = parallactic_angle(FIXTURE, [mjd(f"2020-03-08T{clock}")], PARANAL)
    assert found[0] == pytest.approx(LOGGED[clock], abs=0.015)  # the telescope logs up to 4 s late


@pytest.mark.data
def test_real_headers_have_the_logged_angles_at_start_and_end(shared_data):
    seen = 0
    for path in sorted((shared_data / "sphere_headers").glob("SPHER*.hdr.txt")):
        header = fits.Header.fromstring(path.read_text(), sep="\n")
        if "ESO TEL PARANG START" not in header:
            continue
        seen += 1
        pointing = Pointing(hours(header["ESO INS4 DROT2 RA"]), degrees(header["ESO INS4 DROT2 DEC"]))
        ends = [mjd(header["DATE-OBS"]), mjd(header["ESO DET FRAM UTC"])]
        logged = [header["ESO TEL PARANG START"], header["ESO TEL PARANG END"]]
        np.testing.assert_allclose(parallactic_angle(pointing, ends, PARANAL), logged, atol=0.015)
    assert seen == 6


@pytest.mark.parametrize(("alpha", "delta"), [(10.0, -60.0), (120.0, 20.0), (250.0, -30.0), (86.8, -51.06)])
def test_it_is_the_direction_of_the_zenith_in_astropys_frame(alpha, delta):
    time = Time("2015-09-25T05:00:00", scale="utc")
    place = EarthLocation.from_geodetic(PARANAL.longitude, PARANAL.latitude, PARANAL.elevation)
    sidereal = time.sidereal_time("apparent", place.lon).deg
    alpha = (sidereal + alpha % 90 - 45) % 360  # within three hours of the meridian
    frame = TETE(obstime=time, location=place)
    star = SkyCoord(alpha * u.deg, delta * u.deg, frame=frame)
    pole = SkyCoord(alpha * u.deg, (delta + 0.01) * u.deg, frame=frame)
    horizontal = AltAz(obstime=time, location=place)
    from_zenith = star.transform_to(horizontal).position_angle(pole.transform_to(horizontal)).deg
    found = parallactic_angle(Pointing(alpha, delta), [time.mjd], PARANAL)[0]
    # Azimuth grows to the right, so that angles from the zenith count clockwise: from zenith to pole, as from pole
    # to zenith counter-clockwise.
    assert (found - from_zenith + 180) % 360 - 180 == pytest.approx(0, abs=2e-3)  # polar motion, diurnal aberration


def test_the_angle_does_not_jump_when_a_northern_star_culminates():
    pointing = Pointing(150.0, 10.0)
    start = mjd("2016-02-20T00:00:00")
    day = parallactic_angle(pointing, start + np.linspace(0, 1, 2000), PARANAL)
    assert day.min() > 0
    assert day.max() < 360


def test_icrs_north_grows_with_time_as_precession_says():
    beta_pic = SkyCoord(86.8212 * u.deg, -51.0665 * u.deg, frame=ICRS())
    for year, expected in ((2015.0, 0.127), (2025.0, 0.217)):
        time = Time(year, format="jyear")
        place = beta_pic.transform_to(TETE(obstime=time))
        term = icrs_north(Pointing(place.ra.deg, place.dec.deg), time.utc.mjd)
        assert term == pytest.approx(expected, abs=0.01)  # nutation and aberration: up to 0.007° · tan δ
        linear = 0.00557 * (year - 2000) * np.sin(np.radians(86.8)) / np.cos(np.radians(51.07))
        assert term == pytest.approx(linear, abs=0.015)


def test_an_aborted_cube_keeps_the_step_of_its_exposures():
    start, step = 58916.3, 65.9 / 86400
    whole = mid_times(start, start + 8 * step, 8, 64.0, 0.2)
    closed_late = mid_times(start, start + 8 * step, 5, 64.0, 0.2, planned=8)
    closed_early = mid_times(start, start + 5 * step, 5, 64.0, 0.2, planned=8)
    np.testing.assert_allclose(closed_late, whole[:5], rtol=0, atol=1e-9)
    np.testing.assert_allclose(closed_early, whole[:5], rtol=0, atol=1e-9)


def test_exposures_that_cannot_fit_are_refused():
    with pytest.raises(BadInput, match="do not fit"):
        mid_times(58916.3, 58916.3 + 100 / 86400, 8, 64.0, 0.2)


def test_packed_angles_keep_their_sign_below_one_degree():
    assert degrees(-84656.87053) == pytest.approx(-(8 + 46 / 60 + 56.87053 / 3600))
    assert degrees(-4656.87) == pytest.approx(-(46 / 60 + 56.87 / 3600))
    assert np.signbit(degrees(-0.0))
    assert hours(124523.298602) == pytest.approx(15 * (12 + 45 / 60 + 23.298602 / 3600))
    with pytest.raises(BadInput, match="sexagesimal"):
        degrees(126100.0)


def test_the_derotator_drifts_only_before_it_was_mended():
    early, late = mjd("2016-07-11T23:00:00"), mjd("2016-07-12T00:00:00")
    assert derotator_drift(60.0, 29.95, early) == pytest.approx(0.1)
    assert derotator_drift(60.0, 119.95, early) == pytest.approx(0.1)  # the derotator may stand half a turn on
    assert derotator_drift(60.0, 29.5, late) == 0.0
