"""When frames were taken, and how the sky stood on the detector: mid-times, parallactic angle, turn to ICRS north.

A parallactic angle computed from a hour angle refers to the pole of date. Published angles refer to ICRS north, which
differs by a term that grows with time (0.05–0.2°): `icrs_north` gives it, and Level 1 takes it out.
Everything here works without a network: the Earth's rotation comes from the tables that astropy installs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from astropy import units as u
from astropy.coordinates import ICRS, TETE, Longitude, SkyCoord
from astropy.time import Time
from astropy.utils import iers
from numpy.typing import ArrayLike, NDArray

from lyot.errors import BadInput
from lyot.instrument import Site

iers.conf.auto_download = False  # data centres and clusters have no network; the installed tables are enough

Floats = NDArray[np.float64]

#: SPHERE's derotator followed a wrong altitude until this day (UTC).
DEROTATOR_FIXED = 57581.0  # 2016-07-12


@dataclass(frozen=True)
class Pointing:
    """An apparent place: right ascension and declination in the equator and equinox of date, deg."""

    right_ascension: float
    declination: float


def hours(packed: float) -> float:
    """`HHMMSS.sss` as degrees.

    Raises
    ------
    BadInput
        If minutes or seconds reach 60.
    """
    return 15.0 * degrees(packed)


def degrees(packed: float) -> float:
    """`±DDMMSS.sss` as degrees; the sign holds for the whole, so that −4656.87 is −00° 46′ 56.87″.

    Raises
    ------
    BadInput
        If minutes or seconds reach 60.
    """
    size = abs(float(packed))
    whole, rest = divmod(size, 10000.0)
    minutes, seconds = divmod(rest, 100.0)
    if minutes >= 60 or seconds >= 60:
        raise BadInput(f"{packed} is no sexagesimal number: {minutes:g} minutes, {seconds:g} seconds")
    return math.copysign(whole + minutes / 60 + seconds / 3600, float(packed))


def mid_times(
    start: float, end: float, count: int, exposure: float, delay: float, planned: int | None = None
) -> Floats:
    """Middle of each exposure of a cube.

    Exposures begin at equal steps from `start`; each waits `delay`, then integrates. The step is the time the cube
    took over the number of its exposures: `planned` of them, or `count` when the sequence was aborted and the file
    closed early. Of the two the one is right that leaves the least dead time, but some.

    Parameters
    ----------
    start, end : MJD (UTC)
        Of the cube: first exposure begins, file closes.
    count : exposures that are in the file
    exposure, delay : s
        Of one exposure.
    planned : exposures that were asked for

    Returns
    -------
    (count,), MJD (UTC)

    Raises
    ------
    BadInput
        If the exposures do not fit between start and end.
    """
    if count < 1:
        raise BadInput(f"a cube of {count} exposures has no times")
    steps = [(end - start) * 86400.0 / n for n in {count, planned or count} if n >= count]
    possible = [step for step in steps if step >= exposure - 1e-3]
    if not possible:
        raise BadInput(
            f"{count} exposures of {exposure:g} s do not fit into the {(end - start) * 86400:.1f} s of the cube",
            hint="is the closing time that of this file?",
        )
    middles = start + (np.arange(count) * min(possible) + delay + exposure / 2) / 86400.0
    return np.asarray(middles, dtype=np.float64)


def parallactic_angle(pointing: Pointing, times: ArrayLike, site: Site) -> Floats:
    """Position angle of the zenith, from the north pole of date.

    For stars that culminate north of the zenith the angle passes through ±180°; it is given from 0 to 360° there, so
    that it never jumps.

    Parameters
    ----------
    pointing : apparent place
    times : (n,), MJD (UTC)
    site : where the telescope stands

    Returns
    -------
    (n,), deg
    """
    mjd = np.atleast_1d(np.asarray(times, float))
    hour_angle = sidereal_time(mjd, site) - math.radians(pointing.right_ascension)
    hour_angle = (hour_angle + math.pi) % (2 * math.pi) - math.pi
    latitude, declination = math.radians(site.latitude), math.radians(pointing.declination)
    angle = np.degrees(
        np.arctan2(
            np.sin(hour_angle),
            math.cos(declination) * math.tan(latitude) - math.sin(declination) * np.cos(hour_angle),
        )
    )
    if pointing.declination >= site.latitude:
        angle = np.where(hour_angle < 0, angle + 360.0, angle)
    return np.asarray(angle, dtype=np.float64)


def sidereal_time(times: ArrayLike, site: Site) -> Floats:
    """Apparent local sidereal time, rad; `times` (n,) MJD (UTC)."""
    moments = Time(np.asarray(times, float), format="mjd", scale="utc")
    # Outside the tables the nearest value is kept: the Earth's clock is then off by less than 1 s, 0.004°.
    moments.delta_ut1_utc = _earth_rotation().ut1_utc(moments, return_status=True)[0]
    return np.asarray(moments.sidereal_time("apparent", Longitude(site.longitude, u.deg)).rad, dtype=np.float64)


def icrs_north(pointing: Pointing, time: float) -> float:
    """Angle to subtract from a position angle that refers to the pole of date, to refer it to ICRS north.

    It is the position angle, seen from an apparent place, of what lies a little north of it in ICRS: precession,
    nutation and aberration together; to first order 0.00557° · (year − 2000) · sin α / cos δ.

    Parameters
    ----------
    pointing : apparent place
    time : MJD (UTC)

    Returns
    -------
    deg
    """
    moment = Time(time, format="mjd", scale="utc")
    of_date = TETE(obstime=moment)
    here = SkyCoord(pointing.right_ascension * u.deg, pointing.declination * u.deg, frame=of_date)
    star = here.transform_to(ICRS())
    north = SkyCoord(star.ra, star.dec + 1 * u.arcmin, frame=ICRS()) if star.dec.deg < 89.9 else None
    if north is None:
        raise BadInput(f"declination {star.dec.deg:.2f}°: at the pole north has no direction")
    return float(here.position_angle(north.transform_to(of_date)).wrap_at(180 * u.deg).deg)


def derotator_drift(altitude: float, derotator: float, time: float) -> float:
    """Angle to add to parallactic angles because SPHERE's derotator lagged behind, before 2016-07-12 only.

    Parameters
    ----------
    altitude : deg, at the start
    derotator : deg, its position at the start
    time : MJD (UTC)

    Returns
    -------
    deg; 0 from 2016-07-12 on, when the position is logged late and says nothing
    """
    if time >= DEROTATOR_FIXED:
        return 0.0
    return math.degrees(math.atan(math.tan(math.radians(altitude - 2.0 * derotator))))


@cache
def _earth_rotation() -> iers.IERS_A:
    """UT1 − UTC, measured and predicted, as installed with astropy."""
    return iers.IERS_A.open(iers.IERS_A_FILE)
