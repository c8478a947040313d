"""Wavelengths of the IFS channels from the satellite spots, tied to the lasers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from pydantic import Field
from scipy.optimize import minimize_scalar

from lyot.cube import Floats
from lyot.reduce.night import Night
from lyot.reduce.step import Step

#: Channels in which each laser peaks.
LASER_WINDOWS = {
    "YJ": ((0, 10), (10, 26), (26, 38)),
    "YJH": ((0, 7), (5, 16), (14, 25), (25, 38)),
}


class RecalibrateWavelengths(Step):
    """Wavelengths from the spots, whose distance grows with them, tied to the lasers in the same channels."""

    largest: float = Field(3.0, gt=0, description="nm; when the lasers disagree by more, the first solution is kept")

    def __call__(self, night: Night) -> Night:
        """The same night, its wavelengths corrected, or a note why not."""
        master = night.master("wavelength")
        if master is None or night.spot_radii is None:
            return night.noting("wavelengths are those of the lasers alone: no satellite spots")
        scale = night.spot_radii / night.spot_radii[0]
        lines = master.planes["LINES"]
        at = laser_channels(master.planes["LASER"], LASER_WINDOWS[night.dataset.filter])
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
        return replace(night, wavelengths=found.x * scale).carding(**cards)


def laser_channels(spectrum: Floats, windows: tuple[tuple[int, int], ...]) -> Floats:
    """Channel at which each laser peaks, by a Gaussian through the three highest values, (line,)."""
    peaks = []
    for first, last in windows:
        part = np.maximum(spectrum[first : last + 1], 1e-9)
        at = int(np.clip(np.argmax(part), 1, len(part) - 2))
        below, top, above = np.log(part[at - 1 : at + 2])
        bend = below - 2 * top + above
        peaks.append(first + at + (0.5 * (below - above) / bend if bend < 0 else 0.0))
    return np.array(peaks)
