"""Passages of stars over nights, against astropy's AltAz (its own matrices and frames) and against geometry."""

from __future__ import annotations

import math

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import AltAz, EarthLocation, SkyCoord, get_body
from astropy.time import Time

from lyot.catalog.nights import nights
from lyot.catalog.visibility import parallactic_angle, passages
from lyot.instrument import Site
from lyot.instruments.sites import MAUNA_KEA, PARANAL

MINUTE = 1 / 60  # h: what is asked of rise, transit and set
DATES = [("2025-12-31", "2026-01-02"), ("2026-04-10", "2026-04-12"), ("2026-06-20", "2026-06-22"),
         ("2026-09-28", "2026-09-30")]  # fmt: skip
TROMSO = Site(name="Tromsø", latitude=69.65, longitude=18.96, elevation=0.0)
ANTARCTICA = Site(name="Dome C", latitude=-75.1, longitude=123.35, elevation=3233.0)


def stars(count: int = 20) -> list[dict[str, float]]:
    """Stars all over the sky, two of them fast."""
    random = np.random.default_rng(55)
    dec = np.degrees(np.arcsin(random.uniform(-1, 1, count)))
    rows = [
        {"ra": float(a), "dec": float(d), "ref_epoch": 2016.0, "pmra": float(p), "pmdec": float(q)}
        for a, d, p, q in zip(random.uniform(0, 360, count), dec, *random.normal(0, 80, (2, count)), strict=True)
    ]
    rows[0] |= {"pmra": -3775.0, "pmdec": 770.0}  # as Proxima
    rows[1] |= {"dec": -24.6268 + 0.4}  # passes near the zenith of Paranal
    return rows


def frame(site: Site, mjd: np.ndarray) -> AltAz:
    place = EarthLocation.from_geodetic(site.longitude * u.deg, site.latitude * u.deg, site.elevation * u.m)
    return AltAz(obstime=Time(mjd, format="mjd", scale="utc"), location=place)


def of_star(row: dict[str, float], mjd: float) -> SkyCoord:
    """Its ICRS place on the day, moved along its proper motion by astropy."""
    here = SkyCoord(ra=row["ra"] * u.deg, dec=row["dec"] * u.deg, pm_ra_cosdec=row["pmra"] * u.mas / u.yr,
                    pm_dec=row["pmdec"] * u.mas / u.yr, distance=10 * u.pc,
                    obstime=Time(row["ref_epoch"], format="jyear"))  # fmt: skip
    moved = here.apply_space_motion(Time(mjd, format="mjd"))
    return SkyCoord(ra=moved.ra, dec=moved.dec)


def turned(star: SkyCoord, altaz: AltAz) -> np.ndarray:
    """Position angle of the zenith against ICRS north over time, from a point 1″ north of the star, deg."""
    north = SkyCoord(ra=star.ra, dec=star.dec + 1 * u.arcsec).transform_to(altaz)
    return np.degrees(np.unwrap(-star.transform_to(altaz).position_angle(north).rad))  # of one sequence


@pytest.mark.slow
@pytest.mark.parametrize("site", [PARANAL, MAUNA_KEA], ids=lambda site: site.name)
def test_twenty_stars_over_twelve_nights_are_where_astropy_has_them(site):
    rows, limit, window = stars(), 2.0, 1.0
    checked = 0
    for first, last in DATES:
        dark = nights(site, first, last)
        passage = passages(rows, dark, limit, window)
        for s, row in enumerate(rows):
            star = of_star(row, dark.midnight[0])
            check_crossings(star, dark, passage, s, math.degrees(math.asin(1 / limit)))
            check_window(star, dark, passage, s)
            checked += len(dark.dates)
    assert checked == 240


def check_crossings(star, dark, passage, s, limit):
    """Rise and set are where astropy's altitude passes the limit; transit is where it passes the meridian."""
    names = ("rise", "set", "transit")
    hours = np.stack([getattr(passage, name)[s] for name in names])
    around = dark.mjd(np.nan_to_num(hours) + np.array([-MINUTE, MINUTE])[:, None, None])  # (side, name, night)
    seen = star.transform_to(frame(dark.site, around.ravel()))
    height, east = (values.reshape(around.shape) for values in (seen.alt.deg - limit, np.sin(seen.az.rad)))
    for k, sense in ((0, 1), (1, -1)):
        there = np.isfinite(hours[k])
        assert (sense * height[0, k] < 0)[there].all(), names[k]
        assert (sense * height[1, k] > 0)[there].all(), names[k]
    assert (east[0, 2] > 0).all()
    assert (east[1, 2] < 0).all()


def check_window(star, dark, passage, s):
    """Airmass and rotation in the window."""
    there = np.flatnonzero(np.isfinite(passage.window_begin[s]))
    if not there.size:
        return
    hours = np.linspace(passage.window_begin[s], passage.window_end[s], 61)
    altaz = frame(dark.site, dark.mjd(hours)[:, there].T.ravel())
    airmass = star.transform_to(altaz).secz.value.reshape(there.size, -1)
    assert passage.airmass_least[s, there] == pytest.approx(airmass.min(axis=1), abs=0.01)
    assert passage.airmass_most[s, there] == pytest.approx(airmass.max(axis=1), abs=0.01)
    angles = np.unwrap(turned(star, altaz).reshape(there.size, -1), period=360)
    assert passage.rotation[s, there] == pytest.approx(np.ptp(angles, axis=1), abs=0.1)


@pytest.mark.parametrize("site", [PARANAL, MAUNA_KEA, TROMSO], ids=lambda site: site.name)
@pytest.mark.parametrize(("twilight", "height"), [("astronomical", -18.0), ("nautical", -12.0)])
def test_the_sun_stands_at_the_height_of_twilight(site, twilight, height):
    dark = nights(site, "2026-02-27", "2026-03-02", twilight)
    for hours in (dark.dusk, dark.dawn):
        altaz = frame(site, dark.mjd(hours))
        sun = get_body("sun", altaz.obstime, altaz.location, ephemeris="builtin").transform_to(altaz)
        assert sun.alt.deg == pytest.approx(height, abs=0.02)  # 6 s of time
    assert (dark.dusk < 0).all()
    assert (dark.dawn > 0).all()


def test_the_moon_is_where_astropy_has_it():
    rows, dark = stars(6), nights(PARANAL, "2026-03-01", "2026-03-07")
    passage = passages(rows, dark, 3.0, 1.0)
    for s, row in enumerate(rows):
        for n in np.flatnonzero(np.isfinite(passage.window_begin[s])):
            times = dark.mjd(np.linspace(passage.window_begin[s], passage.window_end[s], 3))[:, n]
            altaz = frame(PARANAL, times)
            moon = get_body("moon", altaz.obstime, altaz.location, ephemeris="builtin").transform_to(altaz)
            apart = moon.separation(of_star(row, times[0]).transform_to(altaz)).deg
            expected = np.where(moon.alt.deg > 0, apart, 180.0).min()
            assert passage.moon_distance[s, n] == pytest.approx(expected, abs=0.25)  # a spherical Earth


def test_the_moon_is_full_and_new_when_the_almanac_says():
    dark = nights(PARANAL, "2026-03-02", "2026-03-18")  # full on 2026-03-03 11:38, new on 2026-03-19 01:23
    assert dark.moon_lit[0] > 0.99
    assert dark.moon_lit[-1] < 0.01
    assert (np.diff(dark.moon_lit[1:-1]) < 0).all()


def test_a_star_that_never_rises_and_one_that_never_sets():
    dark = nights(PARANAL, "2026-03-01", "2026-03-03")
    passage = passages([{"ra": 10.0, "dec": 89.0}], dark, 2.9, 1.0)
    assert passage.never_up[0].all()
    assert np.isnan(passage.window_begin[0]).all()
    assert np.isnan(passage.begin[0]).all()
    south = passages([{"ra": 10.0, "dec": -89.9}], nights(ANTARCTICA, "2026-06-20", "2026-06-21"), 2.0, 1.0)
    assert south.always_up.all()
    assert np.isnan(south.rise).all()
    assert np.isfinite(south.window_begin).all()


def test_a_star_through_the_zenith_turns_the_field_by_half_a_turn():
    dark = nights(PARANAL, "2026-04-10", "2026-04-10")
    sidereal = math.degrees(dark.sidereal[0])
    passage = passages([{"ra": sidereal - 0.37, "dec": PARANAL.latitude + 0.145}], dark, 2.0, 1.0)
    assert passage.zenith_distance[0, 0] < 0.02
    times = dark.mjd(np.linspace(passage.window_begin[0, 0], passage.window_end[0, 0], 3601)[:, None])[:, 0]
    star = SkyCoord(ra=(sidereal - 0.37) * u.deg, dec=(PARANAL.latitude + 0.145) * u.deg)
    assert passage.rotation[0, 0] == pytest.approx(np.ptp(turned(star, frame(PARANAL, times))), abs=0.1)
    assert 178 < passage.rotation[0, 0] <= 180
    angle = parallactic_angle(-0.43, -0.43, np.array([-1e-6, 1e-6]))
    assert abs(np.degrees(np.diff(angle))[0]) == pytest.approx(180, abs=1e-3)


def test_the_field_turns_without_jumps_on_both_sides_of_the_zenith():
    hours = np.linspace(-3 * math.pi, 3 * math.pi, 20001)
    for latitude in (-0.43, 0.35, 1.2, -1.3):
        for declination in (-1.4, -1.0, -0.6, -0.2, 0.2, 0.6, 1.0, 1.4):
            angle = parallactic_angle(latitude, declination, hours)
            assert np.abs(np.diff(angle)).max() < 0.02, (latitude, declination)


def test_summer_at_high_latitude_has_no_night_and_winter_no_day():
    summer = nights(TROMSO, "2026-06-20", "2026-06-22")
    assert np.isnan(summer.dusk).all()
    assert (summer.dark_hours == 0).all()
    assert np.isnan(passages([{"ra": 0.0, "dec": 80.0}], summer, 2.0, 1.0).window_begin).all()
    winter = nights(ANTARCTICA, "2026-06-20", "2026-06-22", "nautical")
    assert winter.dark_hours.max() > 15
    polar = nights(Site(name="South Pole", latitude=-90, longitude=0, elevation=2835), "2026-06-20", "2026-06-21")
    assert (polar.dark_hours == 24).all()
    assert np.isfinite(passages([{"ra": 0.0, "dec": -60.0}], polar, 2.0, 1.0).window_begin).all()


def test_nights_run_over_the_end_of_a_year():
    dark = nights(PARANAL, "2025-12-30", "2026-01-02")
    assert dark.dates == ("2025-12-30", "2025-12-31", "2026-01-01", "2026-01-02")
    assert np.diff(dark.midnight) == pytest.approx(1.0)
    assert Time(dark.mjd(dark.dusk)[1], format="mjd").iso.startswith("2026-01-01 01")  # evening of the 31st in Chile


def test_years_without_known_leap_seconds_are_planned_in_silence():
    assert np.isfinite(nights(MAUNA_KEA, "2045-03-01", "2045-03-02").dusk).all()


def test_windows_lie_in_the_night_and_above_the_limit():
    rows, dark = stars(40), nights(PARANAL, "2026-04-01", "2026-04-20")
    passage = passages(rows, dark, 1.8, 1.5)
    begin, end = passage.window_begin, passage.window_end
    there = np.isfinite(begin)
    assert there.any()
    slack = 1e-9  # h, of rounding
    assert (begin >= np.maximum(dark.dusk, passage.begin) - slack)[there].all()
    assert (end <= np.minimum(dark.dawn, passage.end) + slack)[there].all()
    assert (passage.airmass_most[there] <= 1.8 + 1e-6).all()
    assert (end - begin)[there] == pytest.approx(1.5)


@pytest.mark.peers
@pytest.mark.filterwarnings("ignore")  # astroplan looks for newer tables of the Earth's rotation
def test_astroplan_agrees_on_rise_transit_and_set():
    astroplan = pytest.importorskip("astroplan")
    place = EarthLocation.from_geodetic(PARANAL.longitude * u.deg, PARANAL.latitude * u.deg, PARANAL.elevation * u.m)
    observer = astroplan.Observer(location=place)
    rows, dark = stars(6), nights(PARANAL, "2026-04-10", "2026-04-11")
    passage = passages(rows, dark, 2.0, 1.0)
    for s, row in enumerate(rows):
        star = of_star(row, dark.midnight[0])
        ours = {name: dark.mjd(getattr(passage, name)[s]) for name in ("rise", "transit", "set")}
        for n in range(len(dark.dates)):
            for name, answer in (("rise", observer.target_rise_time), ("set", observer.target_set_time),
                                 ("transit", observer.target_meridian_transit_time)):  # fmt: skip
                if not np.isfinite(ours[name][n]):
                    continue
                level = {} if name == "transit" else {"horizon": 30 * u.deg}
                before = Time(ours[name][n] - 0.1, format="mjd")
                theirs = answer(before, star, which="next", n_grid_points=720, **level)
                assert theirs.mjd == pytest.approx(ours[name][n], abs=MINUTE / 24), name
