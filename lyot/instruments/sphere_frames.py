"""What raw SPHERE frames look like: detectors, neutral densities, satellite spots, lenslets, lamps.

Pixels are counted from 0, their centres at integers, as in numpy. Sources: the header cards of real frames, the DRH
manual (ESO, VLT-TRE-SPH-14690-660), the transmission curves and constants of vlt-sphere 1.8 (MIT; Vigan 2020, ASCL
2009.002), Maire et al. 2016 (Proc. SPIE 9908, 990834), Delorme et al. 2017 (SF2A, 347).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from lyot.declaration import Declaration
from lyot.errors import NotFound


class Field2D(Declaration):
    """Part of a detector that one image falls on, and where its star usually stands, px of the whole detector."""

    rows: tuple[int, int]
    columns: tuple[int, int]
    star: tuple[float, float] = Field(description="(y, x), without dither")


class LensletModel(Declaration):
    """Hexagonal lenslets of the IFS, as the DRH manual gives them (p. 159)."""

    per_side: int = 145
    lens_size: float = Field(161.5, description="µm on the detector, side of a hexagon")
    pixel_size: float = Field(18.0, description="µm")
    rotation: float = Field(-11.0, description="deg, of a row of touching lenslets from +x")
    spectrum_width: float = Field(4.93, description="px between neighbouring spectra")

    @property
    def pitch(self) -> float:
        """Distance of neighbouring lenslets, px."""
        return self.lens_size * 3**0.5 / self.pixel_size

    @property
    def side(self) -> float:
        """Side of a hexagon, px; the side of the square pixels that are made of them too."""
        return self.lens_size / self.pixel_size


LEFT = Field2D(rows=(15, 1013), columns=(50, 933), star=(520.0, 485.0))
RIGHT = Field2D(rows=(15, 1013), columns=(1078, 1958), star=(508.0, 1510.0))

LENSLETS = LensletModel()
IFS_SIDE = 2048

#: Gain (electrons per ADU), and counts near the end of the 16-bit converters, ADU.
GAIN = {"irdis": 1.75, "ifs": 1.80}
SATURATION = 60_000.0

#: µm per pixel of the stage that dithers IRDIS.
DITHER_STAGE = 18.0

#: Transmission of the neutral densities, averaged over each filter (curves of vlt-sphere; the star's spectrum ignored).
NEUTRAL_DENSITY: dict[str, dict[str, float]] = {
    "BB_Y": {"ND_1.0": 0.0938, "ND_2.0": 0.008153, "ND_3.5": 0.0002985},
    "BB_J": {"ND_1.0": 0.06273, "ND_2.0": 0.003374, "ND_3.5": 6.126e-05},
    "BB_H": {"ND_1.0": 0.1259, "ND_2.0": 0.01503, "ND_3.5": 0.000851},
    "BB_Ks": {"ND_1.0": 0.1449, "ND_2.0": 0.02243, "ND_3.5": 0.001432},
    "Y2": {"ND_1.0": 0.09816, "ND_2.0": 0.008636, "ND_3.5": 0.0003017},
    "Y3": {"ND_1.0": 0.07777, "ND_2.0": 0.005323, "ND_3.5": 0.0001328},
    "J2": {"ND_1.0": 0.0617, "ND_2.0": 0.003279, "ND_3.5": 5.949e-05},
    "J3": {"ND_1.0": 0.0611, "ND_2.0": 0.003204, "ND_3.5": 5.703e-05},
    "H2": {"ND_1.0": 0.1143, "ND_2.0": 0.01183, "ND_3.5": 0.0005232},
    "H3": {"ND_1.0": 0.1394, "ND_2.0": 0.01781, "ND_3.5": 0.001047},
    "H4": {"ND_1.0": 0.1564, "ND_2.0": 0.02262, "ND_3.5": 0.001568},
    "K1": {"ND_1.0": 0.1489, "ND_2.0": 0.02217, "ND_3.5": 0.001399},
    "K2": {"ND_1.0": 0.1403, "ND_2.0": 0.02221, "ND_3.5": 0.001448},
}
#: Most by which ND_1.0, ND_2.0 and ND_3.5 differ from that for stars of 3,000 to 20,000 K (black bodies), relative.
DENSITY_COLOUR: dict[str, tuple[float, float, float]] = {
    "BB_Y": (0.021, 0.043, 0.072), "BB_J": (0.001, 0.002, 0.006), "BB_H": (0.029, 0.056, 0.087),
    "BB_Ks": (0.003, 0.003, 0.003), "Y2": (0.003, 0.005, 0.007), "Y3": (0.001, 0.002, 0.004),
    "J2": (0.002, 0.009, 0.033), "J3": (0.002, 0.010, 0.036), "H2": (0.002, 0.003, 0.006),
    "H3": (0.002, 0.003, 0.005), "H4": (0.001, 0.002, 0.003), "K1": (0.0, 0.0, 0.0), "K2": (0.001, 0.003, 0.004),
}  # fmt: skip
#: Relative error of a transmission beside that. The curves are published without one: this is our guess.
DENSITY_ERROR = 0.01

#: Dual-band filters: the pair that the left and right images see.
DUAL_BANDS: dict[str, tuple[str, str]] = {
    "DB_Y23": ("Y2", "Y3"),
    "DB_J23": ("J2", "J3"),
    "DB_H23": ("H2", "H3"),
    "DB_H32": ("H3", "H2"),
    "DB_H34": ("H3", "H4"),
    "DB_K12": ("K1", "K2"),
}

#: Satellite spots: 14.14 cycles of the deformable mirror across a pupil of 8 m, with 0.97 fitted (vlt-sphere).
SPOT_CYCLES = 10 * 2**0.5 * 0.97
PUPIL_DIAMETER = 8.0  # m
#: Direction of a spot from +x, counter-clockwise, deg, by the orientation of the waffle.
SPOT_ANGLE = {"irdis": {"+": 0.0, "x": 45.0}, "ifs": {"+": 102.0, "x": 147.0}}

#: Wavelengths at the ends of the spectra, µm, and of the calibration lasers, µm.
IFS_RANGE = {"YJ": (0.950, 1.346), "YJH": (0.951, 1.677)}
IFS_LASERS = {"YJ": (0.98772, 1.12371, 1.30937), "YJH": (0.98772, 1.12371, 1.30937, 1.54507)}
#: Rows between each laser's line and the middle one, px (solutions of charis-dep, BSD-2; Brandt et al. 2017,
#: JATIS 3, 048002): prisms disperse unevenly.
IFS_LASER_ROWS = {"YJ": (-13.43, 0.0, 15.32), "YJH": (-17.65, -9.36, 0.0, 10.82)}
IFS_CHANNELS = 39
#: Lamps of the IFS flats by `INS2 COMB IFS`, without its suffix: wavelength, µm; None is white.
IFS_LAMPS: dict[str, float | None] = {
    "CAL_BB_2": None, "CAL_NB1_1": 1.020, "CAL_NB2_1": 1.230, "CAL_NB3_1": 1.300, "CAL_NB4_2": 1.550,
}  # fmt: skip
#: Exposure time of the darks that every lamp calibration of the IFS wants, s.
IFS_CALIBRATION_DIT = 1.650726

#: Transmission of the neutral densities at 0.95, 0.96 … 1.70 µm (curves of vlt-sphere); between them ln T is linear.
IFS_NEUTRAL_DENSITY: dict[str, tuple[float, ...]] = {
    "ND_1.0": (
        0.146, 0.143, 0.136, 0.127, 0.119, 0.112, 0.105, 0.0997, 0.0946, 0.0901, 0.086, 0.0824, 0.0793, 0.0764,
        0.0739, 0.0717, 0.0698, 0.068, 0.0665, 0.0653, 0.0641, 0.0632, 0.0624, 0.0618, 0.0613, 0.0609, 0.0606,
        0.0604, 0.0603, 0.0604, 0.0604, 0.0606, 0.0609, 0.0613, 0.0616, 0.0622, 0.0627, 0.0634, 0.064, 0.0649,
        0.0659, 0.0668, 0.0678, 0.069, 0.0702, 0.0714, 0.0725, 0.0737, 0.0751, 0.0768, 0.0785, 0.0805, 0.0827,
        0.0849, 0.0871, 0.0897, 0.0921, 0.0948, 0.0974, 0.1, 0.103, 0.106, 0.109, 0.112, 0.115, 0.119, 0.122,
        0.125, 0.128, 0.132, 0.135, 0.138, 0.141, 0.144, 0.146, 0.149,
    ),
    "ND_2.0": (
        0.0201, 0.0187, 0.0166, 0.0145, 0.0127, 0.0112, 0.00993, 0.00885, 0.00794, 0.00717, 0.00652, 0.00598,
        0.0055, 0.0051, 0.00476, 0.00447, 0.00422, 0.00401, 0.00382, 0.00367, 0.00354, 0.00343, 0.00334,
        0.00327, 0.00321, 0.00317, 0.00313, 0.00311, 0.0031, 0.00311, 0.00311, 0.00313, 0.00316, 0.00319,
        0.00324, 0.0033, 0.00336, 0.00343, 0.00351, 0.00361, 0.00371, 0.00382, 0.00395, 0.0041, 0.00426,
        0.00441, 0.00456, 0.00474, 0.00494, 0.00518, 0.00543, 0.00572, 0.00604, 0.00637, 0.00673, 0.00713,
        0.00754, 0.008, 0.00848, 0.00898, 0.00953, 0.0101, 0.0107, 0.0114, 0.012, 0.0127, 0.0135, 0.0142,
        0.015, 0.0158, 0.0166, 0.0173, 0.0181, 0.0189, 0.0197, 0.0204,
    ),
    "ND_3.5": (
        0.00129, 0.00111, 0.000903, 0.000716, 0.000571, 0.00046, 0.000375, 0.000309, 0.000257, 0.000216,
        0.000184, 0.000159, 0.000138, 0.000122, 0.000108, 9.74e-05, 8.85e-05, 8.14e-05, 7.52e-05, 7.03e-05,
        6.6e-05, 6.26e-05, 5.99e-05, 5.77e-05, 5.6e-05, 5.5e-05, 5.38e-05, 5.32e-05, 5.29e-05, 5.29e-05,
        5.29e-05, 5.34e-05, 5.42e-05, 5.52e-05, 5.65e-05, 5.81e-05, 5.97e-05, 6.19e-05, 6.44e-05, 6.76e-05,
        7.11e-05, 7.52e-05, 7.97e-05, 8.54e-05, 9.17e-05, 9.63e-05, 0.000102, 0.000109, 0.000117, 0.000127,
        0.000137, 0.00015, 0.000164, 0.00018, 0.000198, 0.000218, 0.00024, 0.000266, 0.000294, 0.000325,
        0.000359, 0.000397, 0.000439, 0.000485, 0.000535, 0.000589, 0.000648, 0.00071, 0.000778, 0.000848,
        0.000921, 0.000997, 0.00108, 0.00116, 0.00124, 0.00132,
    ),
}  # fmt: skip
IFS_NEUTRAL_DENSITY_RANGE = (0.95, 1.70)


def transmission(density: str, filter_name: str) -> float:
    """Part of the light that a neutral density lets through in a filter.

    Raises
    ------
    NotFound
        If the density or the filter is unknown: no value would be true within a factor of 25.
    """
    if density in ("OPEN", "", "CLEAR"):
        return 1.0
    try:
        return NEUTRAL_DENSITY[filter_name][density]
    except KeyError:
        raise NotFound(
            f"the transmission of {density} in {filter_name} is not known",
            hint=f"known: {', '.join(NEUTRAL_DENSITY['BB_H'])} in {', '.join(NEUTRAL_DENSITY)}",
        ) from None


def transmission_error(density: str, filter_name: str = "") -> float:
    """Relative 1σ error of the transmission of a neutral density, at one wavelength or averaged over a filter."""
    if density in ("OPEN", "", "CLEAR"):
        return 0.0
    colour = DENSITY_COLOUR.get(filter_name)
    unknown = 0.0 if colour is None else colour[("ND_1.0", "ND_2.0", "ND_3.5").index(density)] / 2  # most is 2σ
    return math.hypot(DENSITY_ERROR, unknown)


def transmission_at(density: str, wavelengths: ArrayLike) -> NDArray[np.float64]:
    """Part of the light that a neutral density lets through at each wavelength (µm) of the IFS.

    Raises
    ------
    NotFound
        If the density is unknown.
    """
    at = np.atleast_1d(np.asarray(wavelengths, dtype=np.float64))
    if density in ("OPEN", "", "CLEAR"):
        return np.ones_like(at)
    if density not in IFS_NEUTRAL_DENSITY:
        raise NotFound(f"the transmission of {density} is not known; known: {', '.join(IFS_NEUTRAL_DENSITY)}")
    curve = np.log(IFS_NEUTRAL_DENSITY[density])
    nodes = np.linspace(*IFS_NEUTRAL_DENSITY_RANGE, len(curve))
    return np.asarray(np.exp(np.interp(at, nodes, curve)), dtype=np.float64)
