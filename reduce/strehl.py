"""How much brighter the peak of the star was during the science frames than during those of its flux."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lyot.cube import Floats
from lyot.errors import Unprocessable
from lyot.reduce.cards import Cards, read_header
from lyot.reduce.classify import RawFile
from lyot.reduce.night import Night
from lyot.reduce.orientation import frame_times
from lyot.reduce.telemetry import at_frames, read_telemetry

WAVELENGTH = 1.6  # µm of the Strehl ratio that SPARTA tells
KNOWN = 0.5  # of the science frames must have one


def factors(night: Night, files: Sequence[RawFile]) -> dict[str, Floats]:
    """By path of each flux file, (frame, wave): peak of the star in the science frames over that in a flux frame.

    The adaptive optics' telemetry gives the Strehl ratio S at 1.6 µm; at another wavelength it is S^((1.6 µm / λ)²),
    by the approximation of Maréchal. NaN for a frame without telemetry; empty when too few science frames have any.

    Parameters
    ----------
    night : Night
        With the conditions of its science frames.
    files : flux files

    References
    ----------
    Born & Wolf 1999, Principles of Optics, 9.1.3.
    """
    power = (WAVELENGTH / night.wavelengths) ** 2
    science = _science(night)
    if np.isfinite(science).mean() < KNOWN:
        return {}
    usual = np.nanmean(science[:, None] ** power, axis=0)
    return {file.path: usual / _during(night, file)[:, None] ** power for file in files}


def _science(night: Night) -> Floats:
    """Strehl ratio of each science frame that is not flagged; NaN alone when nothing is known."""
    if "strehl" not in night.conditions:
        return np.array([np.nan])
    values = night.conditions["strehl"]
    used = values[[not flag for flag in night.flags]] if night.flags else values
    return used if len(used) else np.array([np.nan])


def _during(night: Night, file: RawFile) -> Floats:
    """Strehl ratio during each frame of a file, NaN where it is not known."""
    try:
        said = read_telemetry([one.path for one in night.telemetry])
        times = frame_times(Cards(read_header(file.path), file.path), file.frames)
    except (Unprocessable, OSError):
        return np.full(file.frames, np.nan)
    return at_frames(said.times, said.strehl, times, file.exposure or 0.0)
