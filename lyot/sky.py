"""How stars move on the sky, as seen from the Earth.

Directions are barycentric ICRS vectors: a star moves straight and evenly through space from its place at `ref_epoch`
(perspective acceleration included), and the Earth's place in the Solar System gives the parallax (astropy's built-in
ephemeris, nothing is fetched). There is no aberration, which is the same for both stars of a close pair to 0.1 mas
per arcsecond and is taken out by the calibration of images on the sky, no deflection of light and no precession:
North is ICRS north. Times are MJD, UTC: the minute between it and dynamical time moves the Earth by 1e-5 AU, so that
neither leap seconds nor the Earth's rotation are needed. Offsets are (East, North) = separation × (sin, cos) of the
position angle, in mas, around the star's place at that time, so that they stay true near the poles.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import numpy as np
from astropy.coordinates import get_body_barycentric
from astropy.time import Time
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline

from lyot.errors import BadInput

Floats = NDArray[np.float64]

MAS = np.pi / 180 / 3_600_000  # rad
DAYS_PER_YEAR = 365.25
DAY_ERROR = 0.5  # d, of a time of which only the day is known
J2000_MJD = 51544.5
KNOWN = (15_100.0, 88_000.0)  # MJD for which astropy's built-in ephemeris has the Earth
BLOCK = 1000  # d of the Earth's way that are kept together
MJD_ZERO = datetime(1858, 11, 17, tzinfo=UTC)
KM_S = 4.740470463533349  # km/s of 1 AU per Julian year


@dataclass(frozen=True)
class Star:
    """Place and motion of a star, or of many: every value is then an array of the same shape (star).

    Parameters
    ----------
    ra, dec : deg, ICRS, at `ref_epoch`
    ref_epoch : Julian year
    pmra, pmdec : mas/yr; pmra times cos(dec)
    parallax : mas
    radial_velocity : km/s, away positive

    Raises
    ------
    BadInput
        If a value is not a number, the declination beyond a pole or the parallax negative.
    """

    ra: float | Floats
    dec: float | Floats
    ref_epoch: float | Floats
    pmra: float | Floats
    pmdec: float | Floats
    parallax: float | Floats
    radial_velocity: float | Floats = 0.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not (math.isfinite(value) if isinstance(value, float) else np.isfinite(value).all()):
                raise BadInput(f"{name} of the star is {value}, a number is needed")
        if np.max(np.abs(self.dec)) > 90:
            raise BadInput(f"the declination of the star is {self.dec} deg, -90 to 90 is needed")
        if np.min(self.parallax) < 0:
            raise BadInput(f"the parallax of the star is {self.parallax} mas, it cannot be negative")


@dataclass(frozen=True)
class Drift:
    """How the sky behind a star drifts past it: everything that is linear in a background star's own parameters.

    The offset of a background star at time t is `drift[t] + turn[t] @ (place + years[t] motion + factors[t] parallax)`
    with its barycentric offset `place` (mas) from the star's at `epoch`, own motion (mas/yr) and parallax (mas).
    Drifts past many stars have an axis (star) before the others.

    Parameters
    ----------
    years : (time,), Julian years since `epoch`
    drift : (time, 2), mas
        Offset of an infinitely far, resting point that is where the star is (barycentric) at `epoch`.
    turn : (time, 2, 2)
        How North turns at the star's place from `epoch` to the time; matters near the poles.
    factors : (time, 2)
        Shift of a background star per mas of its parallax.
    """

    years: Floats
    drift: Floats
    turn: Floats
    factors: Floats


def mjd_of(date: str) -> float:
    """MJD (UTC) of an ISO 8601 instant; a day without a time counts as its noon, half a day wrong at most.

    Raises
    ------
    BadInput
        If it is no date.
    """
    try:
        moment = datetime.fromisoformat(date.strip())
    except ValueError:
        raise BadInput(f"{date!r} is no date", hint="ISO 8601 is needed, as 2026-03-01") from None
    if len(date.strip()) <= len("2026-03-01"):
        moment = moment.replace(hour=12)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return (moment - MJD_ZERO) / timedelta(days=1)


def mjd_error_of(date: str) -> float | None:
    """1σ error (d) of `mjd_of`: half a day where only the day is known; none is stated of an instant."""
    return DAY_ERROR if len(date.strip()) <= len("2026-03-01") else None


def day_of(mjd: float) -> str:
    """The day (ISO, UTC) in which an MJD falls.

    Raises
    ------
    BadInput
        If it is none of the years 1 to 9999.
    """
    try:
        return (MJD_ZERO + timedelta(days=float(mjd))).date().isoformat()
    except (OverflowError, ValueError):
        raise BadInput(f"{mjd:g} is no Modified Julian Date") from None


def julian_year(mjd: ArrayLike) -> Floats:
    """Julian year of an MJD."""
    return np.asarray(2000.0 + (np.asarray(mjd, float) - J2000_MJD) / DAYS_PER_YEAR)


def earth_position(times: ArrayLike) -> Floats:
    """The Earth from the barycentre of the Solar System, (..., 3), AU, ICRS axes, at `times` (..., MJD, UTC).

    Between places four days apart a cubic spline is 3e-7 AU off, the Moon's pull included, which is 0.3 µas for a
    parallax of 1 arcsecond; it makes a million times a matter of a second.
    """
    mjd = np.atleast_1d(np.asarray(times, float))
    if not np.isfinite(mjd).all():
        raise BadInput("a time is not a number, an MJD is needed")
    if mjd.size and not KNOWN[0] <= mjd.min() <= mjd.max() <= KNOWN[1]:
        raise BadInput(f"MJD {mjd.min():g} to {mjd.max():g}: the Earth's place is known from 1900 to 2100")
    block = np.floor(mjd / BLOCK).astype(int)
    places = np.empty((*mjd.shape, 3))
    for number in np.unique(block):
        inside = block == number
        places[inside] = _earth_path(int(number))(mjd[inside])
    return places


@lru_cache(maxsize=128)
def _earth_path(block: int) -> CubicSpline:
    """The Earth's way during one block of days."""
    nodes = np.arange(block * BLOCK - 8, (block + 1) * BLOCK + 9, 4)
    nodes = nodes[(nodes > KNOWN[0] - 20) & (nodes < KNOWN[1] + 20)]
    place = get_body_barycentric("earth", Time(nodes, format="mjd", scale="tdb"), ephemeris="builtin")
    return CubicSpline(nodes, place.xyz.to_value("AU").T)


def drift_past(star: Star, times: ArrayLike, epoch: ArrayLike, earth: Floats | None = None) -> Drift:
    """How the sky drifts past `star` at `times` (MJD, UTC) since `epoch`.

    Parameters
    ----------
    star : Star
        One, or many.
    times : (time,) or (star, time), MJD
    epoch : MJD, or (star,)
    earth : (time, 3) or (star, time, 3), AU, optional
        `earth_position(times)`, where it is known already.
    """
    mjd, since = np.atleast_1d(np.asarray(times, float)), np.asarray(epoch, float)
    earth = earth_position(mjd) if earth is None else earth
    seen = _barycentric(star, julian_year(mjd)) - earth * (np.asarray(star.parallax)[..., None, None] * MAS)
    seen /= np.linalg.norm(seen, axis=-1, keepdims=True)
    start = _barycentric(star, julian_year(since)[..., None])[..., 0, :]
    start /= np.linalg.norm(start, axis=-1, keepdims=True)
    here, there = _axes(start), _axes(seen)
    depth = np.einsum("...ta,...a->...t", seen, start)
    drift = np.einsum("...tka,...a->...tk", there, start) / depth[..., None] / MAS
    turn = np.einsum("...tka,...ma->...tkm", there, here) / depth[..., None, None]
    factors = -np.einsum("...ta,...ka->...tk", earth, here)
    return Drift((mjd - since[..., None]) / DAYS_PER_YEAR, drift, turn, factors)


def background_track(
    star: Star,
    times: ArrayLike,
    offset: tuple[float, float],
    at: float,
    motion: tuple[float, float] = (0.0, 0.0),
    parallax: float = 0.0,
) -> Floats:
    """Where a background star, seen at `offset` from `star` at time `at`, stands at `times`.

    Parameters
    ----------
    star : Star
    times : (time,), MJD, UTC
    offset : (East, North), mas
    at : MJD, UTC
    motion : (East, North), mas/yr
        Its own proper motion.
    parallax : mas
        Its own parallax.

    Returns
    -------
    (time, 2), mas: offsets (East, North) from the star
    """
    mjd = np.append(np.atleast_1d(np.asarray(times, float)), at)
    sky = drift_past(star, mjd, at)
    own = np.outer(sky.years, motion) + sky.factors * parallax
    place = np.linalg.solve(sky.turn[-1], np.asarray(offset, float) - sky.drift[-1]) - own[-1]
    track: Floats = sky.drift + np.einsum("tkm,tm->tk", sky.turn, place + own)
    return track[:-1]


def _barycentric(star: Star, years: Floats) -> Floats:
    """Direction of a star from the barycentre, (..., time, 3), in units of its distance at its reference epoch."""
    ra, dec = np.radians(star.ra), np.radians(star.dec)
    outwards = np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1)
    east = np.stack([-np.sin(ra), np.cos(ra), np.zeros_like(ra)], axis=-1)
    north = np.stack([-np.sin(dec) * np.cos(ra), -np.sin(dec) * np.sin(ra), np.cos(dec)], axis=-1)
    receding = np.asarray(star.radial_velocity) / KM_S * star.parallax  # mas/yr, as the proper motions
    pmra, pmdec = np.asarray(star.pmra)[..., None], np.asarray(star.pmdec)[..., None]
    velocity = (east * pmra + north * pmdec + outwards * receding[..., None]) * MAS
    elapsed = years - np.asarray(star.ref_epoch)[..., None]
    place: Floats = outwards[..., None, :] + elapsed[..., None] * velocity[..., None, :]
    return place


def _axes(directions: Floats) -> Floats:
    """Unit vectors to the East and North at unit vectors, (..., 2, 3)."""
    x, y, z = np.moveaxis(directions, -1, 0)
    across = np.hypot(x, y)
    if (across < 1e-9).any():
        raise BadInput("a star at the pole has no East")
    east = np.stack([-y / across, x / across, np.zeros_like(x)], axis=-1)
    north = np.stack([-z * x / across, -z * y / across, across], axis=-1)
    return np.stack([east, north], axis=-2)
