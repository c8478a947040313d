"""What an observing run allows: site, nights, and what makes a star worth a window of them."""

from __future__ import annotations

import re
from datetime import date
from typing import Literal

from pydantic import Field, field_validator, model_validator

from lyot.catalog.tables.target import BANDS
from lyot.declaration import Declaration
from lyot.errors import BadInput
from lyot.instrument import Site

MOST_NIGHTS = 400  # somewhat more than a year
_SEMESTER = re.compile(r"(\d{4})([AB])")
_PERIOD = re.compile(r"[Pp](\d{2,3})")


class Constraints(Declaration):
    """Where, when, and what a night must give before a star is worth pointing at."""

    site: Site
    first: str = Field(description="evening of the first night, ISO date at the site")
    last: str = Field(description="evening of the last night, ISO date at the site")
    twilight: Literal["astronomical", "nautical"] = Field("astronomical", description="Sun 18 or 12 deg down")
    airmass: float = Field(2.0, gt=1, le=10, description="greatest, secant of the true zenith distance")
    window: float = Field(60.0, gt=0, le=720, description="length of a sequence, min")
    rotation: float = Field(0.0, ge=0, le=360, description="least field rotation in the window, deg")
    moon_distance: float = Field(0.0, ge=0, le=180, description="least distance from the Moon while it is up, deg")
    moon_illumination: float = Field(1.0, ge=0, le=1, description="greatest lit part of a Moon that is up")
    band: str = Field("R", description="band in which the adaptive optics sees the star")
    faintest: float | None = Field(None, description="mag in the band; fainter stars do not close the loop")
    brightest: float | None = Field(None, description="mag in the band; brighter stars saturate")
    deep_enough: float | None = Field(None, description="5σ limit at 0.5″, mag; stars seen as deep are left out")

    @field_validator("first", "last")
    @classmethod
    def _is_day(cls, day: str) -> str:
        try:
            return date.fromisoformat(day).isoformat()
        except ValueError:
            raise BadInput(f"{day!r} is no date", hint="ISO 8601 is needed, as 2026-03-01") from None

    @field_validator("band")
    @classmethod
    def _is_band(cls, band: str) -> str:
        for known in BANDS.values():
            if band.strip().lower() == known.lower():
                return known
        raise BadInput(f"the catalogue has no magnitudes in {band!r}; it has {', '.join(BANDS.values())}")

    @model_validator(mode="after")
    def _in_order(self) -> Constraints:
        count = (date.fromisoformat(self.last) - date.fromisoformat(self.first)).days + 1
        if count < 1:
            raise BadInput(f"the last night, {self.last}, is before the first, {self.first}")
        if count > MOST_NIGHTS:
            raise BadInput(
                f"{count} nights from {self.first} to {self.last}, at most {MOST_NIGHTS} are planned at once"
            )
        if self.faintest is not None and self.brightest is not None and self.brightest > self.faintest:
            raise BadInput(f"no star is fainter than {self.brightest:g} and brighter than {self.faintest:g} mag")
        return self

    @property
    def magnitude(self) -> str:
        """The column of the magnitude in the band."""
        return "mag_" + next(short for short, band in BANDS.items() if band == self.band)


def nights_of(words: str) -> tuple[str, str]:
    """First and last evening of what people call a range of nights.

    One night (`2026-03-01`), a range (`2026-03-01/2026-03-09`), a semester (`2026A`: February to July, `2026B`:
    August to January) or a period of ESO (`P117`: April to September, even ones October to March).

    Raises
    ------
    BadInput
        If it is none of these.
    """
    text = words.strip()
    if found := _SEMESTER.fullmatch(text.upper()):
        year = int(found[1])
        return (f"{year}-02-01", f"{year}-07-31") if found[2] == "A" else (f"{year}-08-01", f"{year + 1}-01-31")
    if found := _PERIOD.fullmatch(text):
        year, winter = divmod(int(found[1]) - 95, 2)  # P95 began on 2015-04-01
        year += 2015
        return (f"{year}-10-01", f"{year + 1}-03-31") if winter else (f"{year}-04-01", f"{year}-09-30")
    first, _, last = text.partition("/")
    for day in (first, last or first):
        try:
            date.fromisoformat(day.strip())
        except ValueError:
            raise BadInput(
                f"{words!r} is no range of nights",
                hint="as 2026-03-01, 2026-03-01/2026-03-09, 2026A or P117",
            ) from None
    return first.strip(), (last or first).strip()
