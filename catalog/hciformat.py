"""What an HCI-FITS file holds: its columns, their units, how other writers spell both, and the values in ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lyot.errors import BadInput

Floats = NDArray[np.float64]
Images = NDArray[np.float32]
Card = str | int | float | bool


class Field(NamedTuple):
    """A column: as the format spells it, as we do, its unit on disk and its FITS form."""

    spelling: str
    name: str
    unit: str = ""
    form: str = "D"


def _with_error(spelling: str, name: str, unit: str = "") -> tuple[Field, Field]:
    return Field(spelling, name, unit), Field(f"err_{spelling}", f"{name}_error", unit)


IMAGE_NUMBER = "Image_Number"
MIDPOINT_DATE = "UT_Midpoint_Date_of_Observation"
MIDPOINT_TIME = "UT_Midpoint_Time_of_Observation"

#: Columns of DATA_INFORMATION, between them the number of the image and the two words of its midpoint.
INFORMATION = (
    Field("Orientation", "orientation", "deg"),
    Field("Combined_rotation_angle", "rotation", "deg"),
    Field("Number_of_Exposures", "exposures", form="K"),
    Field("Exposure_Time", "exposure_time", "s"),
    Field("Observation_Start", "start", "d"),
    Field("Observation_End", "end", "d"),
    Field(MIDPOINT_DATE, "midpoint", form="10A"),
    Field(MIDPOINT_TIME, "midpoint", form="12A"),
    Field("Wavelength", "wavelength", "nm"),
    Field("Bandwidth", "bandwidth", "nm"),
    Field("Polarization", "polarization", form="20A"),
)
CANDIDATE = "Candidate"
SOURCES = (
    Field("SNR", "snr"),
    *_with_error("dRA", "dra", "arcsec"),
    *_with_error("dDEC", "ddec", "arcsec"),
    *_with_error("Sep", "separation", "arcsec"),
    *_with_error("PA", "position_angle", "deg"),
    *_with_error("Flux_cs", "flux", "ct/s"),
    *_with_error("Flux_mag", "apparent_mag", "mag"),
    *_with_error("Flux_Jy", "flux_density", "Jy"),
    *_with_error("Flux_erg", "flux_per_wavelength", "erg s-1 cm-2 Angstrom-1"),
    *_with_error("Contrast", "contrast"),
)
LIMITS = (
    Field("Radius", "separation", "arcsec"),
    Field("Detection_Limit", "contrast"),
    Field("Throughput", "throughput"),
)
OTHER_SPELLINGS = {
    "UT_Midpoint_Date_of_Observaton": MIDPOINT_DATE,
    "UT_Midpoint_Time_of_Observaton": MIDPOINT_TIME,
}

#: For each unit that files write, our unit and how many of ours it is. What is not here is refused, never guessed:
#: a general parser takes the `as` (arcseconds) of the format's own example for attoseconds.
UNITS: dict[str, tuple[str, float]] = {
    **dict.fromkeys(("", "unitless"), ("", 1.0)),
    "mas": ("mas", 1.0),
    **dict.fromkeys(("as", "arcsec", "arcsecond", "arcseconds"), ("mas", 1e3)),
    **dict.fromkeys(("deg", "deg.", "degree", "degrees", "deg. e of n"), ("deg", 1.0)),
    **dict.fromkeys(("s", "sec", "second", "seconds"), ("s", 1.0)),
    **dict.fromkeys(("d", "mjd", "mod. julian date"), ("d", 1.0)),
    **dict.fromkeys(("um", "micron", "microns"), ("um", 1.0)),
    **dict.fromkeys(("nm", "nanometer", "nanometers"), ("um", 1e-3)),
    **dict.fromkeys(("angstrom", "angstroms"), ("um", 1e-4)),
    **dict.fromkeys(("c/s", "ct/s", "counts/s"), ("ct/s", 1.0)),
    "mag": ("mag", 1.0),
    "jy": ("Jy", 1.0),
    **dict.fromkeys(("erg/cm2/s/a", "erg s-1 cm-2 angstrom-1"), ("erg s-1 cm-2 Angstrom-1", 1.0)),
}


def to_ours(column: Field, written: str) -> float:
    """How many of our units is one of those that a file writes for this column.

    Raises
    ------
    BadInput
        If the unit is not known, or is one of something else.
    """
    wanted, _ = UNITS[column.unit.lower()]
    unit, factor = UNITS.get(written.strip().lower(), ("?", 1.0))
    if unit != wanted:
        raise BadInput(
            f"column {column.spelling} has the unit {written!r}, one of {wanted or 'no dimension'} is needed",
            hint=f"known: {', '.join(repr(u) for u, (ours, _) in UNITS.items() if ours == wanted)}",
        )
    return factor


def to_disk(column: Field) -> float:
    """How many of the units on disk is one of ours, for this column."""
    return 1.0 / UNITS[column.unit.lower()][1]


@dataclass(frozen=True, eq=False)
class Limits:
    """Detection limits of every image by one definition of the noise.

    Parameters
    ----------
    noise : str
        `mawet`, `annulus`, or what another writer called it.
    sigma : float
        Significance asked for.
    separation, contrast : (n, m), mas and companion / star
        NaN fills shorter curves.
    throughput : (n, m), optional
    """

    noise: str
    sigma: float
    separation: Floats
    contrast: Floats
    throughput: Floats | None = None


@dataclass(frozen=True, eq=False)
class HciFits:
    """One reduction in our units: mas, µm, deg, s, MJD (UTC).

    Parameters
    ----------
    images : (n, y, x)
        North up, East left, the star at (y // 2, x // 2).
    information : by name, (n,)
        `orientation`, `rotation`, `exposures`, `exposure_time`, `start`, `end`, `midpoint`, `wavelength`,
        `bandwidth`, `polarization`; what is left out is unknown.
    labels : (n,)
        What each image is, in words.
    sources : by name
        `number` (candidate,); `snr`, `separation`, `contrast`… and `…_error`, (candidate, n), NaN where not measured.
    limits
        The first is the one that other readers see.
    snr, sensitivity : (n, y, x), optional
        Signal to noise; contrast of the faintest source that would have been detected.
    cards, image_cards : by keyword of at most 8 characters
        Further cards of the primary header (`TELESCOP`, `TARGNAME`…) and of `REDUCED_DATA` (`REDALGO`, `REDSTRAT`…).
    corrected, stacked : (n, y, x) and (y, x), optional
        Images divided by throughput; combination over images.
    record : JSON object, optional

    Raises
    ------
    BadInput
        If shapes do not fit together.
    """

    images: Images
    information: Mapping[str, NDArray[Any]]
    labels: tuple[str, ...] = ()
    sources: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    limits: tuple[Limits, ...] = ()
    snr: Images | None = None
    sensitivity: Images | None = None
    cards: Mapping[str, Card] = field(default_factory=dict)
    image_cards: Mapping[str, Card] = field(default_factory=dict)
    corrected: Images | None = None
    stacked: Images | None = None
    record: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.images.ndim != 3:
            raise BadInput(f"images have shape {self.images.shape}, (n, y, x) is needed")
        for name in ("snr", "sensitivity", "corrected"):
            alike = getattr(self, name)
            if alike is not None and alike.shape != self.images.shape:
                raise BadInput(f"{name} has shape {alike.shape}, the images have {self.images.shape}")
        for what, columns, given in (("image", INFORMATION, self.information), ("source", SOURCES, self.sources)):
            unknown = set(given) - {column.name for column in columns} - {"number"}
            if unknown:
                raise BadInput(f"HCI-FITS has no column for {', '.join(sorted(unknown))} of each {what}")
        for name, values in self.information.items():
            if np.shape(values) != (len(self.images),):
                raise BadInput(f"{name} has shape {np.shape(values)}, one value per image is needed")
        for name, values in self.sources.items():
            wanted = (self.candidates,) if name == "number" else (self.candidates, len(self.images))
            if np.shape(values) != wanted:
                raise BadInput(f"{name} of the sources has shape {np.shape(values)}, {wanted} is needed")

    @property
    def candidates(self) -> int:
        """How many sources there are."""
        return len(self.sources["number"]) if "number" in self.sources else 0
