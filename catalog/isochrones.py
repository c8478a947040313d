"""Masses of companions from isochrones that the user brings.

An isochrone table says how bright an object of a given mass and age is. None comes with Lyot: they are their authors'
and are read as they are published, in the format of the Lyon group (AMES-Cond: Baraffe et al. 2003, A&A 402, 701;
Allard et al. 2001, ApJ 556, 357). A mass is as good as the model and the age; the errors here are those of age,
parallax and magnitude only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lyot.catalog.photometry import Magnitude, absolute
from lyot.errors import BadInput, Unprocessable

Floats = NDArray[np.float64]

JUPITERS = 1047.57  # Jupiter masses in a solar mass (IAU 2015 B3 nominal values)
DRAWS = 4000  # their own noise is 1.6 % of the error
SEED = 20_170_101
INSIDE = 0.95  # of the draws must lie within the table

_AGE = re.compile(r"^\s*t\s*\(Gyr\)\s*=\s*([\d.]+)\s*$")


@dataclass(frozen=True)
class Isochrones:
    """Magnitudes of objects of given masses, at a few ages.

    Parameters
    ----------
    name : str
        File it was read from.
    ages : (age,), Myr, growing
    masses : one (mass,) for each age, Jupiter masses, growing
    magnitudes : by filter, one (mass,) for each age, absolute
    """

    name: str
    ages: Floats
    masses: tuple[Floats, ...]
    magnitudes: Mapping[str, tuple[Floats, ...]]


@dataclass(frozen=True)
class Mass:
    """A mass, Jupiter masses: the median with the 16th and 84th percentile around it."""

    value: float
    error_minus: float
    error_plus: float


def read_isochrones(path: str | Path) -> Isochrones:
    """Isochrones in the format of the Lyon group: a block for each age, a header, and a row for each mass.

    Raises
    ------
    BadInput
        If the file is not of that format; the message names the line.
    """
    path = Path(path)
    ages: list[float] = []
    blocks: list[list[list[float]]] = []
    header: list[str] = []
    for number, line in enumerate(path.read_text(encoding="ascii", errors="replace").splitlines(), 1):
        if found := _AGE.match(line):
            ages.append(float(found[1]) * 1000)
            blocks.append([])
        elif "M/Ms" in line:
            columns = line.replace("M/Ms", " M/Ms ").split()
            if header and columns != header:
                raise BadInput(f"{path.name}: line {number} names other columns than the first header")
            header = columns
        elif line.strip(" -") and blocks:
            blocks[-1].append(_numbers(line, len(header), f"{path.name}: line {number}"))
    if not ages or not header or not all(blocks):
        raise BadInput(f"{path.name} holds no isochrones", hint="needed: `t (Gyr) = …`, a header with M/Ms, rows")
    if ages != sorted(set(ages)):
        raise BadInput(f"{path.name}: its ages do not grow")
    tables = [np.array(sorted(block)) for block in blocks]
    bands = header[header.index("Li") + 1 :] if "Li" in header else header[1:]
    return Isochrones(
        path.name,
        np.array(ages),
        tuple(table[:, 0] * JUPITERS for table in tables),
        {band: tuple(table[:, header.index(band)] for table in tables) for band in bands},
    )


def masses_of(isochrones: Isochrones, band: str, ages: Floats, magnitudes: Floats) -> Floats:
    """Masses (Jupiter masses) of objects of these ages (Myr) and absolute magnitudes; NaN outside the table.

    Log mass is interpolated in magnitude along the isochrones on both sides of the age, and between these in log
    age. Where brightness does not grow with mass, the lowest mass as bright counts.

    Raises
    ------
    BadInput
        If the table has no such filter.
    """
    if band not in isochrones.magnitudes:
        raise BadInput(f"{isochrones.name} has no filter {band!r}; it has {', '.join(isochrones.magnitudes)}")
    along = np.array(
        [
            _along(mass, brightness, magnitudes)
            for mass, brightness in zip(isochrones.masses, isochrones.magnitudes[band], strict=True)
        ]
    )  # (age, object), log mass
    nodes, wanted = np.log(isochrones.ages), np.log(np.maximum(ages, 1e-12))
    upper = np.clip(np.searchsorted(nodes, wanted), 1, len(nodes) - 1)
    share = (wanted - nodes[upper - 1]) / (nodes[upper] - nodes[upper - 1])
    share = np.where((share > -1e-9) & (share < 1 + 1e-9), np.clip(share, 0, 1), np.nan)
    objects = np.arange(len(ages))
    young, old = along[upper - 1, objects], along[upper, objects]
    mixed = np.where(share == 0, young, np.where(share == 1, old, young * (1 - share) + old * share))
    found: Floats = np.exp(mixed)
    return found


def mass_of(
    isochrones: Isochrones,
    band: str,
    magnitude: Magnitude,
    parallax: tuple[float, float],
    age: tuple[float, float, float],
) -> Mass:
    """Mass of a companion by its magnitude and age, with the errors of both and of the parallax, by Monte Carlo.

    Parameters
    ----------
    isochrones : Isochrones
    band : str
        Filter of the table in which the magnitude is.
    magnitude : Magnitude
        Apparent.
    parallax : (value, error), mas
    age : (value, error downwards, error upwards), Myr

    Raises
    ------
    Unprocessable
        If less than 95 % of the draws lie within the table.
    """
    rng = np.random.default_rng(SEED)
    here = absolute(magnitude, *parallax)
    side = rng.normal(size=DRAWS)
    ages = age[0] + side * np.where(side < 0, age[1], age[2])
    known = 0.0 if np.isnan(here.error) else here.error
    drawn = masses_of(isochrones, band, ages, here.value + known * rng.normal(size=DRAWS))
    inside = np.isfinite(drawn)
    if inside.mean() < INSIDE:
        raise Unprocessable(
            f"{inside.mean():.0%} of the draws of magnitude and age lie in {isochrones.name}, {INSIDE:.0%} are needed",
            hint="the object is older, fainter or brighter than the table goes",
        )
    low, median, high = np.percentile(drawn[inside], [15.87, 50, 84.13])
    return Mass(float(median), float(median - low), float(high - median))


def _along(masses: Floats, brightness: Floats, magnitudes: Floats) -> Floats:
    """Log mass at magnitudes along one isochrone."""
    brightest = np.minimum.accumulate(brightness)
    first = np.concatenate([[True], brightest[1:] < brightest[:-1]])
    return np.asarray(np.interp(-magnitudes, -brightest[first], np.log(masses[first]), left=np.nan, right=np.nan))


def _numbers(line: str, columns: int, place: str) -> list[float]:
    try:
        values = [float(word) for word in line.split()]
    except ValueError:
        raise BadInput(f"{place} holds something that is not a number") from None
    if len(values) != columns:
        raise BadInput(f"{place} holds {len(values)} numbers, the header {columns} names")
    return values
