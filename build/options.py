"""What people must say of a cube that they bring in."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator, model_validator

from lyot.catalog.release import release_day, today, utc_day
from lyot.declaration import Declaration
from lyot.errors import BadInput
from lyot.product import check_name


class AdoptOptions(Declaration):
    """What the files of an adopted cube do not say themselves."""

    angles: Path = Field(description="FITS file of one angle per frame, deg East of North")
    instrument: str
    target: str
    date: str = Field(description="of the observation, UTC: a day, or the instant of mid-observation")
    psf: Path | None = Field(None, description="FITS file of the star off the coronagraph")
    psf_normalised: bool | None = Field(None, description="to unit flux where star_flux was measured; else in counts")
    filter: str | None = None
    wavelengths: tuple[float, ...] = Field((), description="µm, one per channel; the filter's when not given")
    pixel_scale: float | None = Field(None, description="mas/px; the instrument's when not given")
    north: float = Field(0.0, description="deg, added to every angle")
    centre: tuple[float, float] | None = Field(None, description="(y, x) of the star, px from 0; the middle if none")
    centre_error: float | None = Field(None, description="px, 1σ of the star's place, each axis")
    star_flux: tuple[float, ...] = Field((), description="counts in an aperture of 1 FWHM, one value or one a channel")
    exposure_time: float | None = Field(None, description="s, of the whole sequence")
    coronagraph: str | None = None
    survey: str | None = None
    survey_description: str | None = Field(None, description="what the survey is about, as its page says")
    programme: str | None = None
    release_date: str | None = Field(None, description="day from which it is public; private for ever without")
    workspace: str = "main"
    simulated: bool = False

    @field_validator("wavelengths", "star_flux", mode="before")
    @classmethod
    def _several(cls, value: Any) -> Any:
        return (value,) if isinstance(value, int | float) else () if value is None else tuple(value)

    @field_validator("date")
    @classmethod
    def _is_date(cls, date: str) -> str:
        utc_day(date)
        return date

    @field_validator("release_date")
    @classmethod
    def _is_release(cls, date: str | None) -> str | None:
        return None if date is None else release_day(date)

    @field_validator("workspace")
    @classmethod
    def _is_name(cls, workspace: str) -> str:
        return check_name(workspace)

    @field_validator("north")
    @classmethod
    def _is_angle(cls, north: float) -> float:
        if not abs(north) <= 360.0:
            raise BadInput(f"the angle to north is {north:g}°, −360° to 360° are needed")
        return north

    @field_validator("star_flux")
    @classmethod
    def _is_positive(cls, fluxes: tuple[float, ...]) -> tuple[float, ...]:
        for flux in fluxes:
            if not (math.isfinite(flux) and flux > 0):
                raise BadInput(f"the star flux is {flux:g}, a positive number of counts is needed")
        return fluxes

    @field_validator("wavelengths")
    @classmethod
    def _is_micrometre(cls, wavelengths: tuple[float, ...]) -> tuple[float, ...]:
        for wavelength in wavelengths:
            if not 0.1 <= wavelength <= 100.0:
                raise BadInput(f"the wavelength is {wavelength:g} µm, 0.1 to 100 µm are needed", hint="is it in nm?")
        return wavelengths

    @field_validator("pixel_scale")
    @classmethod
    def _is_milliarcsecond(cls, scale: float | None) -> float | None:
        if scale is not None and not 0.5 <= scale <= 1000.0:
            raise BadInput(
                f"the pixel scale is {scale:g} mas, 0.5 to 1000 mas are needed", hint="is it in arcseconds?"
            )
        return scale

    @field_validator("centre_error")
    @classmethod
    def _is_error(cls, error: float | None) -> float | None:
        if error is not None and not (math.isfinite(error) and error >= 0):
            raise BadInput(f"the error of the centre is {error:g} px, a number that is not negative is needed")
        return error

    @field_validator("exposure_time")
    @classmethod
    def _is_duration(cls, duration: float | None) -> float | None:
        if duration is not None and not (math.isfinite(duration) and duration > 0):
            raise BadInput(f"the exposure time is {duration:g} s, a positive number is needed")
        return duration

    @model_validator(mode="after")
    def _is_past(self) -> AdoptOptions:
        if utc_day(self.date) > today() and not self.simulated:
            raise BadInput(f"the observation is of {self.date}, which is still to come", hint="is the year mistyped?")
        return self
