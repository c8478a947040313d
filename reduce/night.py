"""What is known of one data set on its way from raw frames to Level 1: each step adds to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lyot.cube import Cube, Floats, Images
from lyot.errors import Unprocessable
from lyot.instrument import Instrument
from lyot.reduce.calibrate.master import Master
from lyot.reduce.calibrate.raw import Stack, Window
from lyot.reduce.classify import RawFile
from lyot.reduce.group import DataSet


@dataclass(frozen=True, eq=False)
class Night:
    """Frames, masters and what was measured of one data set.

    Parameters
    ----------
    dataset : DataSet
    instrument : Instrument
    masters : need → Master
    science, centre, flux : Stack
        Frames, treated as they are read.
    bands : names of the fields' filters
    wavelengths : (wave,), µm
    star : (field, 2), px (y, x), of the undithered star in each field; None when it is unknown
    star_error : px
    spot_radii : (wave,), px, distance of the satellite spots from the star, when it is measured channel by channel
    psf : (wave, y, x), counts of a science frame
    star_flux, star_flux_error, fwhm : (wave,), counts of a science frame, px
    brightness : (wave, time), of the core of any source in the science frames, over its mean
    times, angles : (time,)
    telemetry : files of the adaptive optics of that night
    conditions : name → (time,), what the adaptive optics said during each frame
    flags : (time,), why a frame is unfit, empty when it is not
    cube : Cube, when all is done
    cards : header cards of ours, with comments
    notes : sentences about what the reader should know
    """

    dataset: DataSet
    instrument: Instrument
    masters: Mapping[str, Master]
    science: Stack
    centre: Stack
    flux: Stack
    bands: tuple[str, ...]
    wavelengths: Floats
    star: Floats | None = None
    star_error: float | None = None
    spot_radii: Floats | None = None
    psf: Images | None = None
    star_flux: Floats | None = None
    star_flux_error: Floats | None = None
    fwhm: Floats | None = None
    brightness: Floats | None = None
    times: Floats | None = None
    angles: Floats | None = None
    telemetry: tuple[RawFile, ...] = ()
    conditions: Mapping[str, Floats] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    cube: Cube | None = None
    cards: Mapping[str, tuple[Any, str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def noting(self, *sentences: str) -> Night:
        """The same, with these sentences added."""
        return replace(self, notes=(*self.notes, *sentences))

    def carding(self, **cards: tuple[Any, str]) -> Night:
        """The same, with these header cards added; underscores of names become blanks."""
        own = {f"LYOT {name.replace('_', ' ')}": card for name, card in cards.items()}
        return replace(self, cards={**self.cards, **own})

    def treated(self, treatment: Any, *, flux: bool = True) -> Night:
        """The same, every frame with one more treatment; those of the flux only if `flux`."""
        return replace(
            self,
            science=self.science.then(treatment),
            centre=self.centre.then(treatment),
            flux=self.flux.then(treatment) if flux else self.flux,
        )

    def master(self, need: str) -> Master | None:
        """The master that serves a need, if there is one."""
        return self.masters.get(need)

    def background_of(self, file: RawFile) -> Master | None:
        """The background that serves a file."""
        return self.master(f"background {file.exposure or 0.0:g} s {file.density}")

    def bad(self, windows: tuple[Window, ...]) -> NDArray[np.bool_]:
        """Pixels that any master calls bad, cut into fields, (field, y, x)."""
        shape = tuple((w[0].stop - w[0].start, w[1].stop - w[1].start) for w in windows)
        found = np.zeros((len(windows), *shape[0]), bool)
        for master in self.masters.values():
            if "BAD" in master.planes:
                found |= np.stack([master.planes["BAD"][window] for window in windows])
        return found

    def finished(self) -> Cube:
        """The cube.

        Raises
        ------
        Unprocessable
            If no step made one.
        """
        if self.cube is None:
            raise Unprocessable(f"{self.dataset.name}: no step of the workflow made a cube", hint="end it with one")
        return self.cube
