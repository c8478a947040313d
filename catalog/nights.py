"""Nights at a site: when it is dark, where the Sun and the Moon stand, how the equator of date lies in ICRS.

A night is named by the date of its evening at the site. Its times are hours from its local mean midnight, which is
24 h after the start (UTC) of that date, less the longitude. Nothing is fetched: the Earth and the Moon are those of
the theories inside ERFA (`epv00`, `moon98`, arcseconds), the Earth's rotation is that of the tables that astropy
installs. Altitudes are without refraction, like those of astropy when no pressure is given.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from datetime import date, timedelta

import erfa
import numpy as np
from astropy.utils.exceptions import AstropyWarning
from numpy.typing import ArrayLike, NDArray

from lyot.angles import sidereal_time
from lyot.errors import BadInput
from lyot.instrument import Site
from lyot.sky import MJD_ZERO

Floats = NDArray[np.float64]

#: Altitude of the Sun's centre at which a night begins and ends, deg.
TWILIGHT = {"nautical": -12.0, "astronomical": -18.0}
#: How fast the sky turns, rad/h of UTC.
TURN = 2 * math.pi * 1.00273781191135448 / 24
SIDEREAL_DAY = 2 * math.pi / TURN  # h
MOON_HOURS = np.linspace(-12.0, 12.0, 25)

_LIGHT = 173.144632674  # AU/d
_DYNAMICAL = 69.184 / 86400  # d from UTC to dynamical time; some seconds more or less move the Moon by arcseconds
_EARTH_RADIUS = 6378.1 / 149597870.7  # AU
_ZERO = 2400000.5


@dataclass(frozen=True)
class Nights:
    """Nights at one site, (night,) each; times are hours from local mean midnight.

    Parameters
    ----------
    site : Site
    dates : ISO dates of the evenings
    midnight : MJD, UTC
    sidereal : rad
        Local apparent sidereal time at midnight.
    dusk, dawn : h
        NaN where the Sun does not set deep enough; -12 and 12 where it does not rise.
    of_date : (night, 3, 3)
        Turns ICRS axes to the true equator and equinox of date.
    velocity : (night, 3)
        Of the Earth, in units of that of light, ICRS axes.
    moon : (night, 25, 3), AU
        The Moon from the site at `MOON_HOURS`, axes of date.
    moon_lit : 0 to 1
        Part of the Moon's disk that is lit, at midnight.
    """

    site: Site
    dates: tuple[str, ...]
    midnight: Floats
    sidereal: Floats
    dusk: Floats
    dawn: Floats
    of_date: Floats
    velocity: Floats
    moon: Floats
    moon_lit: Floats

    def mjd(self, hours: ArrayLike) -> Floats:
        """MJD (UTC) of hours from midnight, (..., night)."""
        return np.asarray(self.midnight + np.asarray(hours, float) / 24)

    @property
    def dark_hours(self) -> Floats:
        """How long each night is, h; 0 where there is none."""
        return np.nan_to_num(self.dawn - self.dusk, nan=0.0)


def nights(site: Site, first: str, last: str, twilight: str = "astronomical") -> Nights:
    """The nights from the evening of `first` to that of `last`.

    Parameters
    ----------
    site : Site
    first, last : ISO dates
    twilight : a key of `TWILIGHT`
    """
    begin, end = date.fromisoformat(first), date.fromisoformat(last)
    dates = tuple((begin + timedelta(days=n)).isoformat() for n in range((end - begin).days + 1))
    if not dates or twilight not in TWILIGHT:
        raise BadInput(f"no nights from {first} to {last} with {twilight} twilight")
    evening = (begin - MJD_ZERO.date()).days
    midnight: Floats = evening + np.arange(1.0, len(dates) + 1) - site.longitude / 360
    with warnings.catch_warnings():  # years whose leap seconds and polar motion nobody knows yet: a second off
        warnings.filterwarnings("ignore", message=".*dubious year", category=erfa.ErfaWarning)
        warnings.filterwarnings("ignore", message="Tried to get polar motions", category=AstropyWarning)
        sidereal = sidereal_time(midnight, site)
    of_date = np.asarray(erfa.pnm06a(_ZERO, midnight + _DYNAMICAL))
    height = math.radians(TWILIGHT[twilight])
    return Nights(
        site=site,
        dates=dates,
        midnight=midnight,
        sidereal=sidereal,
        dusk=_sunk(site, midnight, sidereal, of_date, height, evening=True),
        dawn=_sunk(site, midnight, sidereal, of_date, height, evening=False),
        of_date=of_date,
        velocity=_earth(midnight)[1],
        moon=_moon(site, midnight, sidereal, of_date),
        moon_lit=_lit(midnight),
    )


def _sunk(
    site: Site, midnight: Floats, sidereal: Floats, of_date: Floats, height: float, *, evening: bool
) -> Floats:
    """When the Sun passes `height` (rad) downwards in the evening or upwards in the morning, h from midnight."""
    latitude = math.radians(site.latitude)
    hours = np.full(len(midnight), -6.0 if evening else 6.0)
    for _ in range(5):  # the Sun moves by 4 min a day: each turn is 300 times nearer
        sun = np.einsum("nij,nj->ni", of_date, _sun(midnight + np.nan_to_num(hours) / 24))
        declination = np.arcsin(sun[:, 2])
        below = math.sin(height) - math.sin(latitude) * np.sin(declination)
        cosine = below / np.maximum(math.cos(latitude) * np.cos(declination), 1e-12)
        angle = np.arccos(np.clip(cosine, -1.0, 1.0))  # 0: never above; π: never below
        noon = (sidereal - np.arctan2(sun[:, 1], sun[:, 0])) % (2 * math.pi)  # hour angle at midnight, about π
        hours = ((angle if evening else 2 * math.pi - angle) - noon) / TURN
        hours = np.where(cosine >= 1, -12.0 if evening else 12.0, np.where(cosine <= -1, np.nan, hours))
    return np.asarray(np.clip(hours, -12.0, 12.0))


def _earth(mjd: Floats) -> tuple[Floats, Floats]:
    """The Earth from the Sun (AU) and its velocity in units of light's, ICRS axes, (..., 3)."""
    from_sun, from_barycentre = erfa.epv00(_ZERO, mjd + _DYNAMICAL)
    return np.asarray(from_sun["p"]), np.asarray(from_barycentre["v"]) / _LIGHT


def _sun(mjd: Floats) -> Floats:
    """Apparent direction of the Sun, (..., 3), ICRS axes."""
    place, velocity = _earth(mjd)
    return unit(unit(-place) + velocity)


def _moon(site: Site, midnight: Floats, sidereal: Floats, of_date: Floats) -> Floats:
    """The Moon as seen from the site, on a spherical Earth."""
    mjd = midnight[:, None] + MOON_HOURS / 24
    centre = np.einsum("nij,nhj->nhi", of_date, np.asarray(erfa.moon98(_ZERO, mjd + _DYNAMICAL)["p"]))
    return np.asarray(centre - _EARTH_RADIUS * zenith(site, sidereal[:, None] + TURN * MOON_HOURS))


def _lit(mjd: Floats) -> Floats:
    """Part of the Moon's disk that the Sun lights, from the angle at the Moon between the Sun and the Earth."""
    sun = -_earth(mjd)[0]
    moon = np.asarray(erfa.moon98(_ZERO, mjd + _DYNAMICAL)["p"])
    return np.asarray((1 + (unit(sun - moon) * unit(-moon)).sum(axis=-1)) / 2)


def zenith(site: Site, sidereal: ArrayLike) -> Floats:
    """Direction of the zenith at a sidereal time (rad), (..., 3), axes of date."""
    latitude, angle = math.radians(site.latitude), np.asarray(sidereal, float)
    level = math.cos(latitude)
    up = np.full_like(angle, math.sin(latitude))
    return np.stack([level * np.cos(angle), level * np.sin(angle), up], axis=-1)


def unit(vectors: Floats) -> Floats:
    """Vectors (..., 3) made one long."""
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))
