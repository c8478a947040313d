"""What a simulated night is asked to hold, and the truth that is written beside it.

The constants here are the simulator's own: the code under examination has another copy, and a wrong one shows.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from pydantic import Field, field_validator

from lyot.cube import Floats
from lyot.declaration import Declaration
from lyot.errors import BadInput
from lyot.reduce.simulate.raw_sky import Star

Arm = Literal["irdis", "ifs"]
IRDIS_SCALE = 12.255  # mas/px, Delorme et al. 2017
IFS_SCALE = 7.46  # mas per side of a lenslet's hexagon, Delorme et al. 2017
PUPIL_OFFSET = 135.99  # deg, from the zenith to the +y axis of IRDIS in pupil tracking
TRUE_NORTH = -1.75  # deg, Delorme et al. 2017
IFS_ROTATION = -100.48  # deg, of the IFS to IRDIS
IRDIS_SQUEEZE = (1.0, 1.0062)  # sky over image along x and y, to 1: Maire et al. 2016
IFS_SQUEEZE = (1.0059, 1.0011)

FAULTS = {
    "wrong_dark": "the darks of the science exposure time were taken with three times that time",
    "wrong_nd": "the flux frames were taken through a denser filter than their header says",
    "swapped_dither": "the headers of the centre frames give the dither with x and y exchanged",
    "wrong_angle": "the field turns the other way round than the headers say",
    "missing_dark": "no dark or background at all",
    "missing_flat": "no flat at all",
    "missing_center": "no centre frame",
    "missing_sky": "no sky frame",
    "missing_flux": "no flux frame",
    "saturated_flux": "the flux frames are saturated",
    "open_loop": "the adaptive optics lost the star during the first science exposure",
    "truncated_cube": "the last science file holds fewer frames than NDIT says",
    "broken_card": "a card of the last science file cannot be read",
    "duplicate_file": "the first science file is there twice, under two names",
    "unsorted_names": "the names of files do not follow their times",
    "foreign_file": "a file of another instrument lies among the rest",
}

Passband = tuple[float, float, float]
#: Optics of IRDIS: passbands of the left and right half, names of the common and the dual filter. A passband is its
#: wavelength, its width and the middle of its measured curve (µm): curves were measured warm, and neutral densities
#: are those of the curves.
BANDS: dict[str, tuple[Passband, Passband, str, str]] = {
    "DB_Y23": ((1.022, 0.049, 1.0255), (1.076, 0.050, 1.0776), "B_Y", "D_Y23"),
    "DB_J23": ((1.190, 0.042, 1.1888), (1.273, 0.046, 1.2711), "B_J", "D_J23"),
    "DB_H23": ((1.593, 0.052, 1.5867), (1.667, 0.054, 1.6660), "B_H", "D_H23"),
    "DB_H34": ((1.667, 0.054, 1.6646), (1.733, 0.057, 1.7332), "B_H", "D_H34"),
    "DB_K12": ((2.110, 0.102, 2.1033), (2.251, 0.109, 2.2542), "B_Ks", "D_K12"),
    "BB_Y": ((1.043, 0.140, 1.0419), (1.043, 0.140, 1.0419), "B_Y", "CLEAR"),
    "BB_J": ((1.245, 0.240, 1.2453), (1.245, 0.240, 1.2453), "B_J", "CLEAR"),
    "BB_H": ((1.625, 0.290, 1.6256), (1.625, 0.290, 1.6256), "B_H", "CLEAR"),
    "BB_Ks": ((2.182, 0.300, 2.1820), (2.182, 0.300, 2.1820), "B_Ks", "CLEAR"),
}
#: The range of wavelengths (µm) of the prisms of the IFS.
PRISMS = {"YJ": (0.950, 1.346), "YJH": (0.951, 1.677)}

#: Wavelengths (µm) of the transmission of the neutral densities in the common path (A. Vigan, 2015).
ND_GRID = np.concatenate([np.linspace(0.90, 1.70, 81), np.linspace(1.725, 2.35, 26)])
ND_CURVES = {
    "ND_1.0": "0.1294 0.1291 0.1283 0.1239 0.1347 0.1461 0.1433 0.1355 0.1269 0.1188 0.1119 0.1055 0.09967 0.0946 "
    "0.09007 0.08599 0.08241 0.07929 0.07644 0.07389 0.0717 0.06977 0.06802 0.06653 0.0653 0.06412 "
    "0.06325 0.06243 0.06179 0.06127 0.06091 0.0606 0.06042 0.06035 0.06037 0.06042 0.06064 0.06092 "
    "0.06125 0.06163 0.06217 0.06273 0.06335 0.064 0.06493 0.06587 0.0668 0.0678 0.06903 0.07023 0.07141 "
    "0.07252 0.0737 0.07512 0.07681 0.07855 0.08052 0.08271 0.08489 0.08712 0.0897 0.09206 0.09479 "
    "0.09742 0.1002 0.1031 0.1062 0.1092 0.1123 0.1154 0.1186 0.1218 0.125 0.1283 0.1316 0.1347 0.1378 "
    "0.1407 0.1437 0.1464 0.149 0.1551 0.1599 0.1637 0.166 0.1678 0.1683 0.1679 0.1669 0.1647 0.1629 "
    "0.1604 0.1578 0.1556 0.1529 0.1509 0.1491 0.1476 0.1456 0.1426 0.14 0.1386 0.1391 0.1405 0.1432 "
    "0.1465 0.1516",
    "ND_2.0": "0.0195 0.01963 0.01993 0.0217 0.0174 0.02008 0.01872 0.01659 0.0145 0.01269 0.01119 0.009933 "
    "0.00885 0.007943 0.007174 0.006522 0.005975 0.005505 0.005104 0.004758 0.004469 0.004218 0.004005 "
    "0.00382 0.003673 0.003538 0.00343 0.003342 0.003267 0.003209 0.003169 0.003132 0.003112 0.003104 "
    "0.003107 0.00311 0.003131 0.003159 0.003194 0.003238 0.003296 0.003356 0.003428 0.00351 0.003606 "
    "0.00371 0.003823 0.003949 0.004101 0.004261 0.004409 0.004563 0.004738 0.004945 0.005179 0.005432 "
    "0.005722 0.006038 0.006373 0.006731 0.007133 0.007536 0.008 0.008476 0.008982 0.009531 0.01011 "
    "0.01072 0.01136 0.01203 0.01273 0.01346 0.0142 0.01497 0.01577 0.01656 0.01734 0.01813 0.01892 "
    "0.01969 0.02044 0.02218 0.02367 0.02485 0.02566 0.0262 0.02646 0.02643 0.02613 0.02562 0.02505 "
    "0.0244 0.02377 0.02325 0.02276 0.02237 0.02215 0.02198 0.02188 0.02143 0.02108 0.02114 0.0217 "
    "0.02262 0.02399 0.02588 0.03038",
    "ND_3.5": "0.001479 0.001505 0.001566 0.00192 0.001053 0.00129 0.001113 0.0009028 0.000716 0.0005708 0.00046 "
    "0.0003751 0.0003086 0.000257 0.0002163 0.0001838 0.0001588 0.0001381 0.0001217 0.0001085 9.736e-05 "
    "8.852e-05 8.136e-05 7.523e-05 7.031e-05 6.6e-05 6.258e-05 5.993e-05 5.773e-05 5.603e-05 5.495e-05 "
    "5.381e-05 5.317e-05 5.286e-05 5.292e-05 5.295e-05 5.34e-05 5.425e-05 5.52e-05 5.652e-05 5.805e-05 "
    "5.971e-05 6.186e-05 6.441e-05 6.758e-05 7.108e-05 7.523e-05 7.969e-05 8.541e-05 9.173e-05 9.63e-05 "
    "0.0001019 0.0001087 0.0001171 0.0001266 0.0001375 0.0001501 0.0001643 0.00018 0.0001982 0.000218 "
    "0.0002402 0.0002655 0.0002937 0.0003246 0.0003589 0.000397 0.0004393 0.000485 0.0005351 0.0005892 "
    "0.0006478 0.0007104 0.0007776 0.0008476 0.0009211 0.0009972 0.001076 0.001157 0.001238 0.001319 "
    "0.001515 0.00169 0.001834 0.001937 0.001917 0.001948 0.00194 0.001902 0.001843 0.001772 0.001693 "
    "0.00162 0.001547 0.001483 0.001435 0.001393 0.001369 0.001359 0.001341 0.001345 0.001363 0.001413 "
    "0.001491 0.001588 0.001621 0.001478",
}


def neutral_density(name: str, wavelength: Floats | float) -> Floats:
    """Share of the light that a neutral density passes at a wavelength (µm); 1 for OPEN."""
    if name == "OPEN":
        return np.ones_like(np.asarray(wavelength, dtype=float))
    curve = np.array([float(value) for value in ND_CURVES[name].split()])
    return np.asarray(np.exp(np.interp(wavelength, ND_GRID, np.log(curve))))


class Companion(Declaration):
    """A planet at a stated place from the star, in ICRS."""

    name: str
    separation: float = Field(gt=0, description="mas")
    position_angle: float = Field(ge=0, lt=360, description="deg, East of ICRS North")
    contrast: float = Field(gt=0, description="planet over star at 1.6 µm")
    colour: float = Field(0.0, description="exponent of the contrast with wavelength")


class BackgroundStar(Declaration):
    """A distant star that does not move: where it stands from the target is a matter of the date."""

    name: str = "background"
    ra: float = Field(description="deg, ICRS")
    dec: float = Field(description="deg, ICRS")
    contrast: float = Field(gt=0, description="background star over target at 1.6 µm")
    colour: float = Field(0.0, description="exponent of the contrast with wavelength")


IRDIS_PLANETS = (
    Companion(name="b", separation=420.0, position_angle=211.0, contrast=3e-4, colour=1.5),
    Companion(name="c", separation=780.0, position_angle=74.0, contrast=1e-4),
    Companion(name="d", separation=1160.0, position_angle=318.0, contrast=2e-5, colour=-1.0),
)
IFS_PLANETS = (
    Companion(name="b", separation=420.0, position_angle=211.0, contrast=3e-4, colour=1.5),
    Companion(name="c", separation=610.0, position_angle=74.0, contrast=1e-4),
)
#: 2.1″ and 0.6″ North-West of the default star in 2019.
IRDIS_BACKGROUND = BackgroundStar(ra=234.19952, dec=-38.09958, contrast=8e-4)
IFS_BACKGROUND = BackgroundStar(ra=234.19988, dec=-38.09987, contrast=4e-4)


class Night(Declaration):
    """One target on one night with one arm of SPHERE, and the calibrations of the next morning."""

    arm: Arm = "irdis"
    star: Star = Star()
    planets: tuple[Companion, ...] | None = Field(None, description="a set that fits the arm's field if not given")
    background: BackgroundStar | None = Field(None, description="by default one near the default star")
    empty: bool = Field(False, description="no planet and no background star")
    date: str = Field("2019-05-11", pattern=r"^\d{4}-\d\d-\d\d$", description="UTC date of the evening")
    band: str = Field("DB_H23", description="IRDIS filter; the IFS has YJ or YJH")
    tracking: Literal["PUPIL", "FIELD"] = Field("PUPIL", description="what the derotator holds still")
    posang: float = Field(0.0, ge=0, lt=360, description="deg, in field tracking: position angle asked of +y")
    nscience: int = Field(4, ge=1, le=40, description="science files")
    ndit: int = Field(4, ge=1, description="frames of a science file")
    dit: float = Field(16.0, gt=0, description="s, of science and centre frames")
    flux_dit: float = Field(0.837464, gt=0, description="s, of the flux frames")
    spacing: float = Field(10.0, ge=0, description="min from one science file to the next, at least")
    rate: float = Field(1.5e7, gt=0, description="ADU/s of the star, summed over the image, in each half or channel")
    calibrations: bool = Field(True, description="whether the calibrations of the next morning are made")
    faults: tuple[str, ...] = Field((), description="errors planted on purpose; see FAULTS")

    @field_validator("faults")
    @classmethod
    def _known(cls, faults: tuple[str, ...]) -> tuple[str, ...]:
        unknown = sorted(set(faults) - set(FAULTS))
        if unknown:
            raise ValueError(f"no such fault: {', '.join(unknown)}; there are {', '.join(FAULTS)}")
        return faults

    def sources(self) -> tuple[tuple[Companion, ...], BackgroundStar | None]:
        """Planets and background star, with the defaults of the arm filled in."""
        if self.empty:
            return (), None
        ifs = self.arm == "ifs"
        planets = self.planets if self.planets is not None else (IFS_PLANETS if ifs else IRDIS_PLANETS)
        usual = (IFS_BACKGROUND if ifs else IRDIS_BACKGROUND) if self.star == Star() else None
        return planets, self.background or usual


def night(arm: Arm, **options: Any) -> Night:
    """A night of that arm with some fields chosen.

    Raises
    ------
    BadInput
        If the band is not one of the arm's.
    """
    if arm == "ifs":
        options = {"band": "YJ", "dit": 32.0, "flux_dit": 1.650726, "rate": 6e6, **options}
    chosen = Night(arm=arm, **options)
    known = tuple(PRISMS if arm == "ifs" else BANDS)
    if chosen.band not in known:
        raise BadInput(f"{arm.upper()} has no band {chosen.band!r}, it has {', '.join(known)}")
    return chosen


class FileTruth(Declaration):
    """One raw file: what it is and where its star and its North really are."""

    name: str
    kind: str = Field(description="DPR TYPE")
    category: str
    dit: float = Field(description="s, of the light")
    nframes: int
    times: tuple[float, ...] = Field(description="MJD UTC, middle of each integration")
    parallactic_icrs: tuple[float, ...] = Field((), description="deg, zenith from ICRS North")
    parallactic_date: tuple[float, ...] = Field((), description="deg, zenith from the North of date")
    north: tuple[float, ...] = Field((), description="deg, position angle (ICRS) of the image's +y axis")
    stars: tuple[tuple[float, float], ...] = Field((), description="px (x, y), zero-based: each half, or the IFS cube")
    transmission: tuple[float, ...] = Field((), description="of the neutral density, in each channel")
    strehl: tuple[float, ...] = Field((), description="of each frame, at 1.6 µm")


class SourceTruth(Declaration):
    """A planet or background star as seen on the night."""

    name: str
    kind: Literal["planet", "background"]
    separation: float = Field(description="mas")
    position_angle: float = Field(description="deg, East of ICRS North")
    contrast: tuple[float, ...] = Field(description="in each channel")


class Truth(Declaration):
    """Everything that went into the raw files of a night, in ICRS."""

    simulated: bool = True
    seed: int
    night: Night
    epoch: float = Field(description="MJD UTC of the middle of the sequence, for which sources are given")
    wavelengths: tuple[float, ...] = Field(description="µm, of the channels")
    pixel_scale: float = Field(description="mas/px")
    squeeze: tuple[float, float] = Field(description="factors of x and y that undo the anamorphism")
    pupil_offset: float = PUPIL_OFFSET
    true_north: float = TRUE_NORTH
    rotation: float = Field(0.0, description="deg, of the arm to IRDIS")
    star_flux: tuple[float, ...] = Field(description="ADU/s off the mask, without neutral density, in each channel")
    bad_fraction: float = Field(description="of the pixels of the detector")
    gain: float = Field(description="e⁻/ADU")
    read_noise: float = Field(description="e⁻")
    lenslets: dict[str, float] = Field({}, description="IFS: where lenslets and their spectra fall")
    sources: tuple[SourceTruth, ...]
    files: tuple[FileTruth, ...]
