"""Where the telescope points and how the sky is turned, from astropy's horizontal frame alone.

The angle of the zenith is a finite difference: two points a little North and South of the star are carried to the
horizontal frame, and the line between them is measured there. No formula of the parallactic angle is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from astropy import units as u
from astropy.coordinates import TETE, AltAz, EarthLocation, SkyCoord, get_body_barycentric
from astropy.time import Time
from astropy.utils import iers
from pydantic import Field

from lyot.cube import Floats
from lyot.declaration import Declaration
from lyot.errors import BadInput

LATITUDE, LONGITUDE, ELEVATION = -24.6268, -70.4045, 2648.0  # deg, deg, m: TEL GEOLAT, GEOLON, GEOELEV
PARANAL = EarthLocation.from_geodetic(LONGITUDE * u.deg, LATITUDE * u.deg, ELEVATION * u.m)
CATALOGUE_EPOCH = Time(2016.0, format="jyear", scale="tcb")
STEP = 5.0  # arcsec, half the length of the line whose direction is measured
NIGHT = (23.0, 35.0)  # hours UTC counted from midnight of the evening's date: dusk to dawn at Paranal


class Star(Declaration):
    """A target: catalogue position (ICRS, epoch 2016.0), motion and brightness."""

    name: str = "SIM 1"
    ra: float = Field(234.2, ge=0, lt=360, description="deg, ICRS")
    dec: float = Field(-38.1, gt=-90, lt=90, description="deg, ICRS")
    pmra: float = Field(-24.0, description="mas/yr, with cos δ")
    pmdec: float = Field(-31.0, description="mas/yr")
    parallax: float = Field(14.0, gt=0, description="mas")

    def at(self, time: Time) -> SkyCoord:
        """The star's barycentric direction at a time."""
        return self._catalogue().apply_space_motion(new_obstime=time)

    def _catalogue(self) -> SkyCoord:
        return SkyCoord(
            self.ra * u.deg,
            self.dec * u.deg,
            pm_ra_cosdec=self.pmra * u.mas / u.yr,
            pm_dec=self.pmdec * u.mas / u.yr,
            distance=1000.0 / self.parallax * u.pc,
            radial_velocity=0 * u.km / u.s,
            obstime=CATALOGUE_EPOCH,
        )


@dataclass(frozen=True)
class Pointing:
    """The star in the sky at some times: horizontal, of-date and turned coordinates, all in degrees.

    `zenith_icrs` and `zenith_date` are the position angles of the zenith (the parallactic angle), from ICRS North
    and from the true North of date. Every field has one value per time; `lst` is in hours.
    """

    altitude: Floats
    azimuth: Floats
    ra_date: Floats
    dec_date: Floats
    zenith_icrs: Floats
    zenith_date: Floats
    lst: Floats


@contextmanager
def offline() -> Iterator[None]:
    """Use the Earth-orientation tables that come with astropy; never the network."""
    with iers.conf.set_temp("auto_download", False), iers.conf.set_temp("auto_max_age", None):
        yield


def point(direction: SkyCoord, times: Time) -> Pointing:
    """Where a direction (ICRS) stands over Paranal at `times`, and how North is turned there.

    Parameters
    ----------
    direction : SkyCoord, scalar
    times : Time, shape (n,)
    """
    with offline():
        times = Time(np.atleast_1d(times.utc.isot), scale="utc", location=PARANAL)
        frame = AltAz(obstime=times, location=PARANAL)
        star = SkyCoord(
            np.full(len(times), direction.icrs.ra.deg) * u.deg, np.full(len(times), direction.icrs.dec.deg) * u.deg
        )
        of_date = star.transform_to(TETE(obstime=times, location=PARANAL))
        seen = star.transform_to(frame)
        return Pointing(
            altitude=np.asarray(seen.alt.deg),
            azimuth=np.asarray(seen.az.deg),
            ra_date=np.asarray(of_date.ra.deg),
            dec_date=np.asarray(of_date.dec.deg),
            zenith_icrs=_zenith(star, frame),
            zenith_date=_zenith(of_date, frame),
            lst=np.asarray(times.sidereal_time("apparent").hour),
        )


def of_date_direction(ra: float, dec: float, times: Time) -> Floats:
    """Position angle (deg) of the zenith from the true North of date, for a pointing given in the equinox of date."""
    with offline():
        times = Time(np.atleast_1d(times.utc.isot), scale="utc", location=PARANAL)
        equator = TETE(obstime=times, location=PARANAL)
        star = SkyCoord(np.full(len(times), ra) * u.deg, np.full(len(times), dec) * u.deg, frame=equator)
        return _zenith(star, AltAz(obstime=times, location=PARANAL))


def _zenith(star: SkyCoord, frame: AltAz) -> Floats:
    """Angle (deg) from the star's own North to the zenith, counted through East."""
    north = star.directional_offset_by(0 * u.deg, STEP * u.arcsec).transform_to(frame)
    south = star.directional_offset_by(180 * u.deg, STEP * u.arcsec).transform_to(frame)
    up = (north.alt - south.alt).to_value(u.rad)
    middle = 0.5 * (north.alt + south.alt)
    turn = (north.az - south.az).wrap_at(180 * u.deg).to_value(u.rad)
    right = turn * np.cos(middle.to_value(u.rad))  # azimuth grows to the right of an observer who looks up
    # North stands `right` of the zenith; the zenith stands as far East (left) of North: the angle is the same.
    return np.asarray(np.degrees(np.arctan2(right, up)))


def transit(star: Star, date: str) -> Time:
    """When the star crosses the meridian in the night that begins on `date` (ISO).

    Raises
    ------
    BadInput
        If that happens by day.
    """
    with offline():
        midnight = Time(date, scale="utc", location=PARANAL)
        begin = midnight + NIGHT[0] * u.hour
        late = (star.at(begin).ra.hour - begin.sidereal_time("apparent").hour) % 24.0
        crossing = begin + late / 1.00273790935 * u.hour
        if (crossing - midnight).to_value(u.hour) > NIGHT[1]:
            raise BadInput(
                f"{star.name} does not cross the meridian in the night of {date}",
                hint="choose a date half a year away, or another star",
            )
        return Time(crossing.utc.isot, scale="utc")


def offset(star: Star, ra: float, dec: float, time: Time) -> tuple[float, float]:
    """Separation (mas) and position angle (deg, ICRS) of a fixed, distant source as seen next to the star.

    The star moves by its proper motion and its parallax; the source at (ra, dec), deg ICRS, does neither.
    """
    with offline():
        place = star.at(time).cartesian.xyz.to_value(u.pc)
        earth = get_body_barycentric("earth", time).xyz.to_value(u.pc)
        seen = SkyCoord(*((place - earth) * u.pc), representation_type="cartesian", frame="icrs")
        seen = SkyCoord(seen.spherical.lon, seen.spherical.lat, frame="icrs")
        source = SkyCoord(ra * u.deg, dec * u.deg, frame="icrs")
        return float(seen.separation(source).mas), float(seen.position_angle(source).deg)
