"""When each frame of a raw SPHERE file was taken, and where North was."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lyot.angles import (
    Pointing,
    degrees,
    derotator_drift,
    hours,
    icrs_north,
    mid_times,
    parallactic_angle,
)
from lyot.cube import Floats
from lyot.errors import Unprocessable
from lyot.instrument import Instrument
from lyot.reduce.cards import Cards

LARGE_DRIFT = 1.0  # deg
#: Between exposures, s, and once a file (measured on raw files; van Holstein et al. 2020, A&A 633, A64).
IRDIS_DEAD_TIME, IRDIS_CLOSING = 0.938, 3.0
IFS_DEAD_TIME = 1.9


@dataclass(frozen=True, eq=False)
class Orientation:
    """Times and angles of the frames of one file.

    Parameters
    ----------
    times : (time,), MJD (UTC), mid-exposure
    angles : (time,), deg, position angle (ICRS) of each frame's +y axis
    parallactic : (time,), deg, referred to the pole of date
    north : float, deg, what was subtracted to refer to ICRS north
    drift : float, deg, what was added for the derotator
    """

    times: Floats
    angles: Floats
    parallactic: Floats
    north: float
    drift: float


def orientation(cards: Cards, frames: int, instrument: Instrument) -> Orientation:
    """Times and angles of the frames of a file.

    Position angle on the sky = position angle on the detector + parallactic angle + pupil offset + instrument offset
    + true north when the pupil was held; derotator's position angle + instrument offset + true north when the field
    was (Maire et al. 2016; Delorme et al. 2017).

    Raises
    ------
    Unprocessable
        If a card that is needed is absent, or the tracking is unknown.
    """
    times = frame_times(cards, frames)
    pointing = Pointing(hours(cards.need("INS4 DROT2 RA")), degrees(cards.need("INS4 DROT2 DEC")))
    parallactic = parallactic_angle(pointing, times, instrument.site)
    north = icrs_north(pointing, float(times.mean()))
    date = cards.text("DATE-OBS")[:10]
    fixed = instrument.constant("instrument_offset", date).value + instrument.constant("true_north", date).value
    tracking = cards.text("INS4 COMB ROT").upper()
    drift = 0.0
    if tracking == "PUPIL":
        altitude, derotator = cards.number("TEL ALT"), cards.number("INS4 DROT2 BEGIN", "INS4 DROT2 START")
        if altitude is not None and derotator is not None:
            drift = derotator_drift(altitude, derotator, float(times[0]))
        angles = parallactic + drift + instrument.constant("pupil_offset", date).value + fixed
    elif tracking == "FIELD":
        angles = np.full(frames, cards.need("INS4 DROT2 POSANG")) + fixed
    else:
        raise Unprocessable(f"{cards.name}: the tracking {tracking or '(none)'} is neither PUPIL nor FIELD")
    return Orientation(times, angles - north, parallactic, north, drift)


def frame_times(cards: Cards, frames: int) -> Floats:
    """Mid-exposure times of the frames of a file, (time,), MJD (UTC).

    Raises
    ------
    Unprocessable
        If the file does not say when it began, or how long it was exposed.
    """
    start, end = cards.moment("DATE-OBS", "MJD-OBS"), cards.moment("DET FRAM UTC")
    if start is None:
        raise Unprocessable(f"{cards.name} does not say when it began", hint="; ".join(cards.broken))
    exposure = cards.need("DET SEQ1 DIT", "DET SEQ1 REALDIT")
    delay = cards.number("DET DITDELAY") or 0.0
    planned = int(cards.number("DET NDIT") or frames)
    if end is None:  # without the closing time the usual dead time is assumed
        dead = IFS_DEAD_TIME if cards.text("SEQ ARM").upper() == "IFS" else IRDIS_DEAD_TIME
        end = start + frames * (exposure + dead) / 86400.0
        planned = frames
    elif cards.text("SEQ ARM").upper() == "IRDIS":
        regular = start + max(planned, frames) * (exposure + IRDIS_DEAD_TIME) / 86400.0
        if 0.0 <= (end - regular) * 86400.0 <= IRDIS_CLOSING:  # the rest is what closing the file took
            end = regular
    return mid_times(start, end, frames, exposure, delay, planned)
