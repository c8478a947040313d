"""How bright the core of a star was in each frame, as the adaptive optics tells it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True, eq=False)
class Followed:
    """Brightness of a core, relative.

    Parameters
    ----------
    science : (wave, time), of the science frames, over the mean of those that are not flagged
    flux : path of a flux file → (frame, wave), that mean over what it was in the flux frame; NaN without telemetry
    """

    science: Floats
    flux: dict[str, Floats]


def follow(night: Night, files: Sequence[RawFile]) -> Followed | None:
    """The brightness of a core in science and flux frames; None when too few science frames have telemetry.

    The Strehl ratio S is told at 1.6 µm; at another wavelength it is S^((1.6 µm / λ)²), by the approximation of
    Maréchal. Science frames in a gap of the telemetry are between their neighbours.

    Parameters
    ----------
    night : Night
        With the conditions of its science frames.
    files : flux files

    References
    ----------
    Born & Wolf 1999, Principles of Optics, 9.1.3.
    """
    told = night.conditions.get("strehl", np.array([np.nan]))
    known = np.isfinite(told)
    if known.mean() < KNOWN:
        return None
    power = (WAVELENGTH / night.wavelengths) ** 2
    strehl = np.interp(np.arange(len(told)), np.flatnonzero(known), told[known])
    science = strehl ** power[:, None]
    used = np.array([not flag for flag in night.flags] or [True] * len(told))
    usual = science[:, used].mean(axis=1, keepdims=True)
    flux = {file.path: usual[:, 0] / _during(night, file)[:, None] ** power for file in files}
    return Followed(science / usual, flux)


def _during(night: Night, file: RawFile) -> Floats:
    """Strehl ratio during each frame of a file, NaN where it is not known."""
    try:
        said = read_telemetry([one.path for one in night.telemetry])
        times = frame_times(Cards(read_header(file.path), file.path), file.frames)
    except (Unprocessable, OSError):
        return np.full(file.frames, np.nan)
    return at_frames(said.times, said.strehl, times, file.exposure or 0.0)
