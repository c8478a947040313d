"""Wavelengths of the IFS channels from the satellite spots, tied to the lasers."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
from pydantic import Field
from scipy.optimize import minimize_scalar

from lyot.reduce.ifs.lasers import laser_peaks
from lyot.reduce.night import Night
from lyot.reduce.step import Step


class RecalibrateWavelengths(Step):
    """Wavelengths from the spots, whose distance grows with them, tied to the lasers in the same channels.

    Speckles move the spots of a centre frame by some 0.03 px, 0.07 % of their distance: corrections of less than 1 nm
    tell of speckles, not of wavelengths, and are not made.
    """

    version: ClassVar[int] = 2  # corrections too small to be told from speckles are not made

    smallest: float = Field(1.0, ge=0, description="nm; smaller corrections are within the errors of the spots")
    largest: float = Field(3.0, gt=0, description="nm; when the lasers disagree by more, the first solution is kept")

    def __call__(self, night: Night) -> Night:
        """The same night, its wavelengths corrected, or a note why not."""
        master = night.master("wavelength")
        if master is None or night.spot_radii is None:
            return night.noting("wavelengths are those of the lasers alone: no satellite spots")
        scale = night.spot_radii / night.spot_radii[0]
        lines = master.planes["LINES"]
        at, _ = laser_peaks(master.planes["LASER"], night.dataset.filter)
        factor = np.interp(at, np.arange(len(scale)), scale)

        def worst(start: float) -> float:
            return float(np.abs(start * factor - lines).max())

        first = night.wavelengths[0]
        found = minimize_scalar(worst, bounds=(0.95 * first, 1.05 * first), method="bounded",
                                options={"xatol": 1e-7})
        shift = float(np.abs(found.x * scale - night.wavelengths).max()) * 1e3
        cards = {"WAVE_LASERS": (found.fun * 1e3, "[nm] most that the lasers are off"),
                 "WAVE_SHIFT": (shift, "[nm] most that recalibration by the spots would move a channel")}
        if found.fun * 1e3 > self.largest:
            return night.carding(**cards).noting(
                f"the satellite spots disagree with the lasers by {found.fun * 1e3:.1f} nm: not used for wavelengths"
            )
        if shift < self.smallest:
            return night.carding(**cards)
        return replace(night, wavelengths=found.x * scale).carding(**cards)
