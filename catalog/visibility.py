"""Many stars over many nights: rise, transit, set, the best window, the rotation of the field in it, the Moon.

Own spherical algebra on apparent places (proper motion, precession, nutation and annual aberration; not parallax,
diurnal aberration nor polar motion, which are below 1″), one place a night. A star is up while its airmass, the
secant of its true zenith distance (no refraction), is below the limit; at airmass 2 refraction would lift it for 5 s
longer. The best window is the one nearest to the meridian, inside the night and inside the time that it is up.
Parallactic angles refer to the pole of date.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lyot.catalog.nights import MOON_HOURS, SIDEREAL_DAY, TURN, Nights, unit, zenith
from lyot.sky import MAS, Floats, julian_year

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Passage:
    """Stars over nights, (star, night) each; times are hours from local mean midnight, of the best transit.

    Parameters
    ----------
    right_ascension, declination : rad, apparent
    transit : h
    rise, set : h
        When the airmass passes its limit; NaN where the star stays above it, or below.
    always_up, never_up : bool
    begin, end : h
        Of the time in which it is up and it is dark, around the best transit; NaN where there is none.
    window_begin, window_end : h
        Of the best window; NaN where none is long enough.
    rotation : deg
        Range of the parallactic angle in the window: how far the field turns.
    airmass_least, airmass_most : in the window
    zenith_distance : deg, least in the window
    moon_distance : deg
        Least in the window while the Moon is up; 180 while it is not.
    """

    right_ascension: Floats
    declination: Floats
    transit: Floats
    rise: Floats
    set: Floats
    always_up: Bools
    never_up: Bools
    begin: Floats
    end: Floats
    window_begin: Floats
    window_end: Floats
    rotation: Floats
    airmass_least: Floats
    airmass_most: Floats
    zenith_distance: Floats
    moon_distance: Floats


def passages(stars: Sequence[Mapping[str, Any]], dark: Nights, airmass: float, window: float) -> Passage:
    """How each star passes in each night.

    Parameters
    ----------
    stars : rows with `ra`, `dec` (deg, ICRS), `ref_epoch` (Julian year), `pmra`, `pmdec` (mas/yr)
        What is missing of the last three counts as 2000 and 0.
    dark : Nights
    airmass : the limit
    window : h
    """
    ra, dec = apparent(stars, dark)
    latitude = math.radians(dark.site.latitude)
    up, always, never = _time_up(latitude, dec, airmass)
    nearest = _wrap(ra - dark.sidereal) / TURN
    transits = nearest + SIDEREAL_DAY * np.array([0.0, -1.0, 1.0])[:, None, None]
    begin = np.maximum(dark.dusk, transits - up)
    end = np.minimum(dark.dawn, transits + up)
    fits = end - begin >= window  # NaN, where there is no night or it never rises, is no fit
    middle = np.clip(transits, begin + window / 2, np.maximum(end, begin + window) - window / 2)
    turned = np.where(fits, _rotation(latitude, dec, middle - transits, window), -1.0)
    length = np.nan_to_num(end - begin, nan=-np.inf)
    best = np.where(fits.any(axis=0), turned.argmax(axis=0), length.argmax(axis=0))

    def chosen(values: Floats) -> Floats:
        return np.take_along_axis(values, best[None], axis=0)[0]

    transit, some, fit = chosen(transits), chosen(length) > 0, fits.any(axis=0)
    centre = np.where(fit, chosen(middle), np.nan)
    from_transit = (centre - transit)[..., None] + np.array([-window / 2, window / 2])
    heights = _extreme_heights(latitude, dec, from_transit * TURN)
    return Passage(
        right_ascension=ra,
        declination=dec,
        transit=transit,
        rise=np.where(always, np.nan, transit - up),
        set=np.where(always, np.nan, transit + up),
        always_up=always,
        never_up=never,
        begin=np.where(some, chosen(begin), np.nan),
        end=np.where(some, chosen(end), np.nan),
        window_begin=centre - window / 2,
        window_end=centre + window / 2,
        rotation=np.where(fit, chosen(turned), np.nan),
        airmass_least=1 / heights[1],
        airmass_most=1 / heights[0],
        zenith_distance=np.degrees(np.arccos(np.clip(heights[1], -1.0, 1.0))),
        moon_distance=_moon_distance(ra, dec, dark, centre[..., None] + np.linspace(-0.5, 0.5, 3) * window),
    )


def apparent(stars: Sequence[Mapping[str, Any]], dark: Nights) -> tuple[Floats, Floats]:
    """Apparent right ascension and declination, (star, night), rad, equinox of date, at each midnight."""

    def column(name: str, missing: float) -> Floats:
        return np.array([missing if star.get(name) is None else float(star[name]) for star in stars], float)

    ra, dec = np.radians(column("ra", math.nan)), np.radians(column("dec", math.nan))
    outwards = np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1)
    east = np.stack([-np.sin(ra), np.cos(ra), np.zeros_like(ra)], axis=-1)
    north = np.stack([-np.sin(dec) * np.cos(ra), -np.sin(dec) * np.sin(ra), np.cos(dec)], axis=-1)
    motion = (east * column("pmra", 0.0)[:, None] + north * column("pmdec", 0.0)[:, None]) * MAS
    years = julian_year(dark.midnight) - column("ref_epoch", 2000.0)[:, None]
    place = unit(outwards[:, None] + years[..., None] * motion[:, None])
    seen = np.einsum("nij,snj->sni", dark.of_date, unit(place + dark.velocity))
    return np.arctan2(seen[..., 1], seen[..., 0]) % (2 * math.pi), np.arcsin(np.clip(seen[..., 2], -1.0, 1.0))


def parallactic_angle(latitude: float, declination: ArrayLike, hour_angle: ArrayLike) -> Floats:
    """Position angle of the zenith, from the pole of date, without jumps in the hour angle, rad.

    On the pole's side of the zenith the angle passes through π at upper culmination, else through 0; where the lower
    culmination is on the other side of it the angle goes once around a day.

    Parameters
    ----------
    latitude : rad
    declination, hour_angle : rad, of any size
    """
    turns = np.round(np.asarray(hour_angle) / (2 * math.pi))
    angle = np.asarray(hour_angle) - 2 * math.pi * turns
    declination = np.asarray(declination)
    poleward = declination >= latitude
    across = np.cos(declination) * math.sin(latitude) - np.sin(declination) * math.cos(latitude) * np.cos(angle)
    value = np.arctan2(np.sin(angle) * math.cos(latitude), across)
    value = np.where(poleward & (angle < 0), value + 2 * math.pi, value)
    value = np.where(poleward & (angle == 0), math.pi, value)
    southern_below = declination + latitude < 0
    around = np.where(poleward & ~southern_below, -1.0, np.where(~poleward & southern_below, 1.0, 0.0))
    return np.asarray(value + 2 * math.pi * turns * around)


def sine_of_height(latitude: float, declination: ArrayLike, hour_angle: ArrayLike) -> Floats:
    """Sine of the true altitude; all in rad."""
    level = math.cos(latitude) * np.cos(declination) * np.cos(hour_angle)
    return np.asarray(math.sin(latitude) * np.sin(declination) + level)


def _wrap(angle: Floats) -> Floats:
    """An angle within ±π."""
    return (angle + math.pi) % (2 * math.pi) - math.pi


def _time_up(latitude: float, dec: Floats, airmass: float) -> tuple[Floats, Bools, Bools]:
    """Hours from rise to transit (infinite: always up; NaN: never), and which are always or never up."""
    level = np.maximum(math.cos(latitude) * np.cos(dec), 1e-12)
    cosine = (1 / airmass - math.sin(latitude) * np.sin(dec)) / level
    always, never = cosine <= -1, cosine >= 1
    hours = np.arccos(np.clip(cosine, -1.0, 1.0)) / TURN
    return np.where(always, np.inf, np.where(never, np.nan, hours)), always, never


def _rotation(latitude: float, dec: Floats, from_transit: Floats, window: float) -> Floats:
    """Range of the parallactic angle over a window whose middle is `from_transit` (h), deg.

    The angle turns back where the star passes the prime vertical, which is looked at as well as both ends.
    """
    low, high = (from_transit - window / 2) * TURN, (from_transit + window / 2) * TURN
    with np.errstate(divide="ignore", invalid="ignore"):
        vertical = np.tan(dec) / math.tan(latitude) if latitude else np.full_like(dec, np.inf)
    vertical = np.where(np.abs(vertical) <= 1, np.arccos(np.clip(vertical, -1.0, 1.0)), 0.0)
    turning = [side * vertical + 2 * math.pi * day for side in (-1, 1) for day in (-1, 0, 1)]
    moments = np.stack([low, high, *(np.clip(one, low, high) for one in turning)])
    moments[2:] = np.where(vertical > 0, moments[2:], low)
    angles = parallactic_angle(latitude, dec, moments)
    return np.asarray(np.degrees(angles.max(axis=0) - angles.min(axis=0)))


def _extreme_heights(latitude: float, dec: Floats, ends: Floats) -> tuple[Floats, Floats]:
    """Least and greatest sine of the altitude between two hour angles, (star, night, 2)."""
    low, high = ends[..., 0], ends[..., 1]
    moments = np.stack([low, high, *(np.clip(culmination, low, high) for culmination in (-math.pi, 0.0, math.pi))])
    heights = sine_of_height(latitude, dec, moments)
    return np.maximum(heights.min(axis=0), 1e-6), np.maximum(heights.max(axis=0), 1e-6)


def _moon_distance(ra: Floats, dec: Floats, dark: Nights, hours: Floats) -> Floats:
    """Least distance from the Moon at `hours` (star, night, time) while it is up, deg; NaN where there are none."""
    step = MOON_HOURS[1] - MOON_HOURS[0]
    steps = np.nan_to_num((hours - MOON_HOURS[0]) / step)
    before = np.clip(steps.astype(int), 0, len(MOON_HOURS) - 2)
    part = (steps - before)[..., None]
    night = np.arange(len(dark.dates))[:, None]
    moon = unit((1 - part) * dark.moon[night, before] + part * dark.moon[night, before + 1])
    star = np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1)[:, :, None]
    up = (moon * zenith(dark.site, dark.sidereal[:, None] + TURN * np.nan_to_num(hours))).sum(axis=-1) > 0
    apart = np.degrees(2 * np.arcsin(np.clip(np.linalg.norm(moon - star, axis=-1) / 2, 0.0, 1.0)))
    least = np.where(up, apart, 180.0).min(axis=-1)
    return np.where(np.isfinite(hours).all(axis=-1), least, np.nan)
