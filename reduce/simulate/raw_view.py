"""What the camera looks at during each frame: how the field is turned, where sources stand, the wavefront."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from astropy.time import Time

from lyot.cube import Floats
from lyot.reduce.simulate.raw_optics import Wavefront, mask_transmission, screen, with_error
from lyot.reduce.simulate.raw_plan import Exposure
from lyot.reduce.simulate.raw_scene import (
    IFS_ROTATION,
    PUPIL_OFFSET,
    TRUE_NORTH,
    BackgroundStar,
    Companion,
    Night,
    SourceTruth,
)
from lyot.reduce.simulate.raw_sky import offset, point
from lyot.reduce.simulate.sparta import Turbulence

STATIC, SLOW, FAST = 0.035, 0.010, 0.003  # µm rms of aberrations: fixed, drifting, new in every frame
MEMORY = 1800.0 / 86400.0  # days over which the drifting ones forget
NODES = np.polynomial.legendre.leggauss(3)[0]  # instants of an integration, in halves of it
OPEN_LOOP = 0.25  # µm rms without correction


@dataclass(frozen=True)
class Source:
    """A point source during one frame.

    `places` are its distances (mas, x and y of the image) from the star at some instants of the integration;
    `passed` is what the coronagraph lets through.
    """

    what: Companion | BackgroundStar
    places: tuple[tuple[float, float], ...]
    passed: float

    def contrast(self, wavelength: float) -> float:
        """Source over star at a wavelength (µm)."""
        return contrast(self.what, wavelength)


@dataclass(frozen=True, eq=False)
class Frame:
    """One integration: `time` (MJD UTC) is its middle, `north` the position angle (deg, ICRS) of +y at that time."""

    time: float
    zenith_icrs: float
    zenith_date: float
    north: float
    strehl: float
    wavefront: Wavefront
    sources: tuple[Source, ...]


def contrast(what: Companion | BackgroundStar, wavelength: float) -> float:
    """Source over star at a wavelength (µm)."""
    return what.contrast * (wavelength / 1.6) ** what.colour


def seen_sources(night: Night, epoch: float, wavelengths: tuple[float, ...]) -> tuple[SourceTruth, ...]:
    """Planets and background star where they stand at `epoch` (MJD UTC)."""
    planets, background = night.sources()
    listed = [(planet, "planet", planet.separation, planet.position_angle) for planet in planets]
    found = [
        SourceTruth.model_validate(
            {
                "name": what.name,
                "kind": kind,
                "separation": separation,
                "position_angle": angle,
                "contrast": tuple(contrast(what, w) for w in wavelengths),
            }
        )
        for what, kind, separation, angle in listed
    ]
    if background is not None:
        separation, angle = offset(night.star, background.ra, background.dec, Time(epoch, format="mjd", scale="utc"))
        found.append(
            SourceTruth(
                name=background.name,
                kind="background",
                separation=separation,
                position_angle=angle,
                contrast=tuple(contrast(background, w) for w in wavelengths),
            )
        )
    return tuple(found)


class Watch:
    """The optics through the night: a fixed wavefront error, and a drifting one that remembers its last value."""

    def __init__(self, night: Night, weather: Turbulence, sources: tuple[SourceTruth, ...], seed: int) -> None:
        self.night, self.weather = night, weather
        planets, background = night.sources()
        kinds = (*planets, *((background,) if background is not None else ()))
        self.sources = tuple(zip(kinds, sources, strict=True))
        self._rng = np.random.default_rng([seed, 12])
        self._static = screen(self._rng, STATIC)
        self._slow = screen(self._rng, SLOW)
        self._last = -np.inf

    def frames(self, exposure: Exposure) -> Iterator[Frame]:
        """What is seen in each frame of an exposure of the sky."""
        for i in range(exposure.ndit):
            begin, end = exposure.window(self.night.arm, i)
            instants = 0.5 * (begin + end) + 0.5 * (end - begin) * NODES
            zenith, zenith_date = self._zenith(instants)
            north = self._north(zenith, zenith_date, exposure)
            strehl = self.weather.mean("strehl", begin, end)
            middle = len(instants) // 2
            yield Frame(
                time=float(instants[middle]),
                zenith_icrs=float(zenith[middle]),
                zenith_date=float(zenith_date[middle]),
                north=float(north[middle]) % 360.0,
                strehl=strehl,
                wavefront=self._wavefront(begin, strehl, exposure.closed),
                sources=tuple(_at(what, truth, north) for what, truth in self.sources),
            )

    def _north(self, zenith: Floats, zenith_date: Floats, exposure: Exposure) -> Floats:
        """Position angle (deg, ICRS) of +y at some instants.

        The derotator holds the pupil, to which the zenith is fixed, or the field, by the North of date. (Speckles stay
        where they are in both.)
        """
        fixed = TRUE_NORTH + (IFS_ROTATION if self.night.arm == "ifs" else 0.0)
        if self.night.tracking == "FIELD":
            return self.night.posang + fixed + (zenith - zenith_date)
        turned = -zenith if "wrong_angle" in self.night.faults else zenith
        return turned + PUPIL_OFFSET + fixed + exposure.clock_error

    def _zenith(self, instants: Floats) -> tuple[Floats, Floats]:
        times = Time(instants, format="mjd", scale="utc")
        pointing = point(self.night.star.at(times[0]), times)
        return np.unwrap(pointing.zenith_icrs, period=360.0), np.unwrap(pointing.zenith_date, period=360.0)

    def _wavefront(self, time: float, strehl: float, closed: bool) -> Wavefront:
        kept = np.exp(-abs(time - self._last) / MEMORY)
        self._slow = np.float32(kept) * self._slow + screen(self._rng, SLOW) * np.float32(np.sqrt(1.0 - kept**2))
        self._last = time
        wavefront = with_error(Wavefront(self._static + self._slow, 1.0 - strehl), screen(self._rng, FAST))
        if closed:
            return wavefront
        return with_error(Wavefront(wavefront.path, 0.7), screen(self._rng, OPEN_LOOP))


def _at(what: Companion | BackgroundStar, truth: SourceTruth, north: Floats) -> Source:
    """Where a source stands in the image: its position angle less that of +y, counter-clockwise from +y."""
    angle = np.radians(truth.position_angle - north)
    radius = truth.separation
    places = tuple((float(-radius * np.sin(a)), float(radius * np.cos(a))) for a in angle)
    return Source(what, places, float(mask_transmission(np.asarray(radius))))
