"""The calibration lasers in extracted spectra: the channels they peak in, and how wide channels make them."""

from __future__ import annotations

import numpy as np

from lyot.cube import Floats

#: Channels in which each laser peaks.
LASER_WINDOWS = {
    "YJ": ((0, 10), (10, 26), (26, 38)),
    "YJH": ((0, 7), (5, 16), (14, 25), (25, 38)),
}


def laser_peaks(spectrum: Floats, mode: str) -> tuple[Floats, Floats]:
    """Channel at which each laser peaks, and σ of the peak in channels, by a Gaussian through three values, (line,)."""
    places, widths = [], []
    for first, last in LASER_WINDOWS[mode]:
        part = np.maximum(spectrum[first : last + 1], 1e-9)
        at = int(np.clip(np.argmax(part), 1, len(part) - 2))
        below, top, above = np.log(part[at - 1 : at + 2])
        bend = min(below - 2 * top + above, -1e-3)
        places.append(first + at + 0.5 * (below - above) / bend)
        widths.append((-bend) ** -0.5)
    return np.array(places), np.array(widths)


def channel_widths(spectrum: Floats, mode: str, lines: Floats, wavelengths: Floats) -> Floats:
    """σ of the stretch of the spectrum that each channel collects, (wave,) µm: that of lasers, and a line through them.

    Parameters
    ----------
    spectrum : (wave,), of the lasers, mean of all lenslets
    mode : of the prism
    lines : (line,), µm
    wavelengths : (wave,), µm, evenly spaced
    """
    step = float(np.ptp(wavelengths)) / (len(wavelengths) - 1)
    _, widths = laser_peaks(spectrum, mode)
    return np.asarray(np.polyval(np.polyfit(lines, widths * step, 1), wavelengths), float)
