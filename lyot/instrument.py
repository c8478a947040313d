"""What an instrument is: where it stands, what it sees, and the constants that calibrate it."""

from __future__ import annotations

import bisect
import importlib
import math
import pkgutil
from functools import cache

from pydantic import Field, model_validator

from lyot.declaration import Declaration, digest
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


class Coronagraph(Declaration):
    """A mask that hides the star, and how much light of its surroundings it lets through.

    `names` are those by which headers and people call it, the first its own.
    """

    names: tuple[str, ...] = Field(min_length=1)
    separations: tuple[float, ...] = Field((), description="mas, growing; nothing is known nearer than the first")
    transmissions: tuple[float, ...] = Field((), description="of a point source at each separation")
    reference: str = ""

    @model_validator(mode="after")
    def _is_curve(self) -> Coronagraph:
        apart = list(self.separations)
        if len(apart) != len(self.transmissions) or apart != sorted(set(apart)):
            raise ValueError(f"{self.name} needs one transmission for each of its growing separations")
        if not all(0 < part <= 1 for part in self.transmissions):
            raise ValueError(f"transmissions of {self.name} are parts of one")
        return self

    @property
    def name(self) -> str:
        """Its own name."""
        return self.names[0]

    @property
    def known(self) -> bool:
        """Whether its transmission is known."""
        return bool(self.separations)

    def transmission(self, separation: float) -> float:
        """Part of the light of a point source at `separation` (mas) that passes; NaN nearer than anybody measured.

        Linear between the values, the last beyond them; 1 where no transmission is known.
        """
        if not self.known:
            return 1.0
        if separation < self.separations[0]:
            return math.nan
        after = bisect.bisect_right(self.separations, separation)
        if after == len(self.separations):
            return self.transmissions[-1]
        (x0, x1), (y0, y1) = self.separations[after - 1 : after + 1], self.transmissions[after - 1 : after + 1]
        return y0 + (y1 - y0) * (separation - x0) / (x1 - x0)


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
    coronagraphs: tuple[Coronagraph, ...] = ()
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

    def coronagraph(self, name: str | None) -> Coronagraph | None:
        """The coronagraph of that name, however it is written; None if the instrument knows none such."""
        for one in self.coronagraphs:
            if name is not None and _plain(name) in map(_plain, one.names):
                return one
        return None

    @property
    def transmissions(self) -> str:
        """A digest of what is known of the transmission of its coronagraphs; nothing if nothing is."""
        known = [one.model_dump(mode="json") for one in self.coronagraphs if one.known]
        return digest(known) if known else ""

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

    def north_error(self, date: str, *, pupil_held: bool) -> float:
        """Error of where North is in the frames, deg: true north, the camera's turn, and that of a pupil held still.

        The last two count where the instrument has them as constants of their own (Delorme et al. 2017).
        """
        needed = ("true_north", "instrument_offset", *(("pupil_offset",) if pupil_held else ()))
        known = {one.name for one in self.calibrations}
        return math.hypot(*(self.constant(name, date).error for name in needed if name in known))


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
