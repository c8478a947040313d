"""Masters of the IFS: where each lenslet puts each wavelength, and how bright each lenslet is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from pydantic import Field
from scipy.sparse import csr_matrix

from lyot.cube import Floats, Images
from lyot.instruments.sphere_frames import IFS_CHANNELS, IFS_LAMPS, IFS_LASER_ROWS, IFS_LASERS, IFS_RANGE
from lyot.reduce.calibrate.master import Master
from lyot.reduce.calibrate.mending import Mending
from lyot.reduce.calibrate.raw import clean_mean
from lyot.reduce.classify import RawFile
from lyot.reduce.ifs.crosstalk import without_crosstalk
from lyot.reduce.ifs.extract import extraction
from lyot.reduce.ifs.lattice import find_lattice
from lyot.reduce.ifs.traces import Traces, follow, straighten
from lyot.reduce.step import Step


class MakeLampImage(Step):
    """Mean image of a lamp through the lenslets, dark subtracted, bad pixels mended."""

    helped: ClassVar[bool] = True  # by the masters made before

    def __call__(self, need: str, files: Sequence[RawFile], made: Mapping[str, Master]) -> Master:
        """The master of these files.

        Raises
        ------
        Unprocessable
            If a file cannot be read.
        """
        image = lamp_image(files, made)
        return Master(need, {"VALUE": image}, {"level": float(np.median(image))})


class MakeWavelengths(Step):
    """Traces of all lenslets and wavelengths along them, from the lasers; across, from the white lamp."""

    version: ClassVar[int] = 2  # spectra are those of profiles
    helped: ClassVar[bool] = True  # by the masters made before

    def __call__(self, need: str, files: Sequence[RawFile], made: Mapping[str, Master]) -> Master:
        """The master of these files.

        Raises
        ------
        Unprocessable
            If the lasers do not show a lattice of lenslets.
        """
        mode = files[0].filter
        lines = np.array(IFS_LASERS[mode])
        laser = lamp_image(files, made)
        traces = follow(laser, find_lattice(laser, np.array(IFS_LASER_ROWS[mode])), lines)
        if "spectra" in made:
            traces = straighten(traces, made["spectra"].planes["VALUE"])
        matrix = spectra_matrix(traces, mode, laser.shape[0], made)
        spectrum = (matrix @ laser.ravel()).reshape(len(traces.ideal), -1).mean(axis=0)
        dispersion = float(np.ptp(traces.places[..., 0], axis=1).mean() / np.ptp(lines))  # px/µm
        planes = {"IDEAL": traces.ideal, "LINES": traces.lines, "PLACES": traces.places, "LASER": spectrum}
        quality = {
            "wavelength_rms": traces.rms / dispersion * 1e3,
            "lenslets": float(len(traces.ideal)),
            "dispersion": 1e3 / dispersion,
            "turn": traces.turn,
        }
        return Master(need, planes, quality)


class MakeLensletFlat(Step):
    """How bright each lenslet is, from a white lamp, all channels together."""

    version: ClassVar[int] = 2  # spectra are those of profiles
    helped: ClassVar[bool] = True  # by the masters made before

    lowest: float = Field(0.5, description="fainter lenslets are bad")
    highest: float = Field(2.0, description="brighter lenslets are bad")

    def __call__(self, need: str, files: Sequence[RawFile], made: Mapping[str, Master]) -> Master:
        """The master of these files.

        Raises
        ------
        Unprocessable
            If a file cannot be read.
        """
        if "wavelength" not in made:
            return Master(need, {}, {})
        traces = traces_of(made["wavelength"])
        image = without_crosstalk(lamp_image(files, made))
        spectra = spectra_matrix(traces, files[0].filter, image.shape[0], made) @ image.ravel()
        light = spectra.reshape(len(traces.ideal), -1).mean(axis=1)
        flat = light / np.median(light)
        bad = ~((flat > self.lowest) & (flat < self.highest))
        quality = {"rms": float(flat[~bad].std()), "bad_fraction": float(bad.mean())}
        return Master(need, {"LENSLETS": np.where(bad, 1.0, flat), "DARK": bad.astype(np.uint8)}, quality)


def lamp_image(files: Sequence[RawFile], made: Mapping[str, Master]) -> Images:
    """Mean of lamp frames, less the dark of their exposure (or, without one, their own unlit level), mended."""
    image, _ = clean_mean([one.path for one in files])
    dark = made.get("lamp dark")
    image -= dark.planes["VALUE"] if dark is not None else np.float32(np.percentile(image, 5))
    bad = bad_pixels(made, image.shape)
    Mending.along_columns(bad).mend(image)
    return image


def bad_pixels(made: Mapping[str, Master], shape: tuple[int, ...]) -> np.ndarray:
    """Pixels that any master calls bad, (y, x)."""
    found = np.zeros(shape, bool)
    for master in made.values():
        if "BAD" in master.planes:
            found |= master.planes["BAD"]
    return found


def channels(mode: str) -> Floats:
    """Wavelengths that are extracted, (39,), µm."""
    return np.linspace(*IFS_RANGE[mode], IFS_CHANNELS)


def traces_of(master: Master) -> Traces:
    """The traces of a wavelength master."""
    planes = master.planes
    return Traces(planes["IDEAL"], planes["LINES"], planes["PLACES"], 0.0, master.quality["turn"])


def spectra_matrix(traces: Traces, mode: str, side: int, made: Mapping[str, Master]) -> csr_matrix:
    """Extraction matrix with the flats that there are, and without the pixels that any master calls bad."""
    flats = {IFS_LAMPS[need.removeprefix("flat ")]: master.planes["VALUE"]
             for need, master in made.items() if need.startswith("flat ")}
    return extraction(traces, channels(mode), side, flats, bad_pixels(made, (side, side)))
