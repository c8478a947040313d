"""Which science frames are fit to be used, and what the adaptive optics said during each."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
from pydantic import Field

from lyot.cube import Floats
from lyot.errors import Unprocessable
from lyot.reduce.cards import Cards, read_header
from lyot.reduce.classify import RawFile
from lyot.reduce.night import Night
from lyot.reduce.step import Step
from lyot.reduce.telemetry import at_frames, at_zenith, good_frames, read_telemetry

OPEN_LOOPS = "open loops"


class FlagFrames(Step):
    """Attach the adaptive optics' telemetry to each frame, and say of unfit frames why they are.

    Flagged frames stay in the Level 1 file; reductions leave them out. When no frame would be left, none is flagged.
    """

    version: ClassVar[int] = 2  # seeing and coherence time by the airmass of each frame

    by_telemetry: bool = Field(False, description="flag frames of outlying Strehl ratio or coherence time, too")

    def __call__(self, night: Night) -> Night:
        """The same night, with conditions and flags.

        Raises
        ------
        Unprocessable
            If the times of the frames are unknown.
        """
        if night.times is None:
            raise Unprocessable(f"{night.dataset.name}: the times of its frames are unknown")
        found, notes = self._conditions(night, night.times)
        flags = ["" if file.loops else OPEN_LOOPS for file in night.dataset.science for _ in range(file.frames)]
        if self.by_telemetry and found:
            _, reasons = good_frames(found["strehl"], found["coherence_time"])
            flags = [" and ".join(filter(None, both)) for both in zip(flags, reasons, strict=True)]
        if all(flags):
            notes.append("every frame is flagged: all are kept, for there is nothing better")
            flags = [""] * len(flags)
        done = replace(night, conditions=found, flags=tuple(flags)).noting(*notes)
        return done.carding(FLAGGED=(sum(map(bool, flags)), "frames that reductions leave out"))

    def _conditions(self, night: Night, times: Floats) -> tuple[dict[str, Floats], list[str]]:
        """Conditions of each frame, and a sentence when there are none."""
        if not night.telemetry:
            return {}, []
        try:
            said = read_telemetry([one.path for one in night.telemetry])
        except (Unprocessable, OSError) as error:
            return {}, [f"no telemetry: {error}"]
        series = {"seeing": said.seeing, "coherence_time": said.coherence_time, "strehl": said.strehl, "r0": said.r0,
                  "wind": said.wind}
        exposure = night.dataset.science[0].exposure or 0.0
        found = {name: at_frames(said.times, values, times, exposure) for name, values in series.items()}
        found["seeing"], found["coherence_time"] = at_zenith(
            found["seeing"], found["coherence_time"], np.concatenate([_airmass(one) for one in night.dataset.science])
        )
        return found, []


def _airmass(file: RawFile) -> Floats:
    """Airmass of each frame of a file, between those at its begin and its end; NaN where its header does not say."""
    cards = Cards(read_header(file.path), file.path)
    first, last = cards.number("TEL AIRM START"), cards.number("TEL AIRM END", "TEL AIRM START")
    ends = (np.nan, np.nan) if first is None or last is None else (first, last)
    return np.asarray(np.interp((np.arange(file.frames) + 0.5) / file.frames, (0.0, 1.0), ends))


def medians(night: Night) -> dict[str, float | None]:
    """Medians over the frames that are used; None where nothing was measured."""
    used = np.array([not flag for flag in night.flags], bool)
    found: dict[str, float | None] = {}
    for name in ("seeing", "coherence_time", "strehl"):
        if name in night.conditions:
            values = night.conditions[name][used]
            found[name] = float(np.nanmedian(values)) if np.isfinite(values).any() else None
    return found
