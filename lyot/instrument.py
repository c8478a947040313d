"""What an instrument is: where it stands, what it sees, and the constants that calibrate it."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from pydantic import Field

from lyot.declaration import Declaration
from lyot.errors import NotFound


class Site(Declaration):
    """Where a telescope stands."""

    name: str
    latitude: float = Field(description="deg, geodetic, North positive")
    longitude: float = Field(description="deg, East positive")
    elevation: float = Field(description="m")


class Filter(Declaration):
    """A pass-band."""

    name: str
    wavelength: float = Field(gt=0, description="µm, central")
    width: float = Field(gt=0, description="µm")
    band: str = Field("", description="name of the photometric band a star's magnitude is given in, as `H` or `L'`")


class Calibration(Declaration):
    """A constant with its error, from a date on, and who measured it."""

    name: str
    value: float
    error: float = Field(ge=0)
    unit: str
    since: str = Field("1900-01-01", description="first day of validity, UTC")
    reference: str


class Instrument(Declaration):
    """A camera as it is used for high-contrast imaging.

    Constants are looked up by name and date: `pixel_scale` (mas/px), `true_north` (deg).
    """

    name: str
    telescope: str
    site: Site
    diameter: float = Field(gt=0, description="m, of the telescope")
    filters: tuple[Filter, ...]
    calibrations: tuple[Calibration, ...]
    doc: str = ""

    def filter(self, name: str) -> Filter:
        """The filter of that name, however it is written.

        Raises
        ------
        NotFound
            If the instrument has none; the message lists what it has.
        """
        for one in self.filters:
            if _plain(one.name) == _plain(name):
                return one
        known = ", ".join(one.name for one in self.filters)
        raise NotFound(f"{self.name} has no filter {name!r}; it has {known}")

    def constant(self, name: str, date: str) -> Calibration:
        """The calibration constant in force on `date` (ISO, UTC).

        Raises
        ------
        NotFound
            If none was measured for that date.
        """
        valid = [c for c in self.calibrations if c.name == name and c.since <= date]
        if not valid:
            raise NotFound(f"{self.name} has no {name} for {date}")
        return max(valid, key=lambda c: c.since)


@cache
def instruments() -> dict[str, Instrument]:
    """Every instrument, by name: what the modules of `lyot/instruments/` declare."""
    package = importlib.import_module("lyot.instruments")
    found: dict[str, Instrument] = {}
    for module in sorted(info.name for info in pkgutil.iter_modules(package.__path__)):
        for value in vars(importlib.import_module(f"lyot.instruments.{module}")).values():
            if isinstance(value, Instrument):
                found[value.name] = value
    return found


def instrument(name: str) -> Instrument:
    """The instrument of that name, however it is written.

    Raises
    ------
    NotFound
        If there is none; the message lists what there is.
    """
    for known in instruments().values():
        if _plain(known.name) == _plain(name):
            return known
    raise NotFound(f"unknown instrument {name!r}; known: {', '.join(instruments())}")


def _plain(name: str) -> str:
    """A name without case, spaces and punctuation (`L'` → `lp`)."""
    return "".join(c for c in name.lower().replace("'", "p").replace("′", "p") if c.isalnum())
