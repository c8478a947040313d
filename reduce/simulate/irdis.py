"""Raw frames of IRDIS: two images of the same field side by side, each through its filter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from lyot.cube import Floats, Images
from lyot.reduce.simulate.raw_detector import Detector, detector
from lyot.reduce.simulate.raw_optics import Wavefront, halo, off_axis, on_axis, spot_radius
from lyot.reduce.simulate.raw_plan import LAMP, Exposure
from lyot.reduce.simulate.raw_scene import BANDS, IRDIS_SCALE, IRDIS_SQUEEZE, Night, Passband, neutral_density
from lyot.reduce.simulate.raw_view import Frame, Source

SIDE = 1024
LIT = ((15, 1024, 36, 933), (5, 1018, 38, 934))  # rows and columns of each half that see light
STARS = ((485.0, 520.0), (486.0, 508.0))  # px (x, y) in each half, about where the star stands
FLUX_SHIFT = (-38.3, 22.6)  # px by which the star is moved off the mask
STAMP, SMALL = 160, 26  # px on either side of the star, of a point source
SPOT = 6e-4  # flux of a satellite spot over that of the star
SPOT_ANGLES = np.radians([45.0, 135.0, 225.0, 315.0])  # waffle "x"
PIXEL = (IRDIS_SCALE * IRDIS_SQUEEZE[0], IRDIS_SCALE * IRDIS_SQUEEZE[1])  # mas of sky along x and y
JITTER = 0.02  # px
GAIN, READ_NOISE = 1.75, 4.4


@dataclass(frozen=True, eq=False)
class Irdis:
    """The camera on one night: its detector and where its two halves put the star.

    Parameters
    ----------
    night : Night
    detector : Detector of (1024, 2048) px
    centres : star without dither in each half, px (x, y) of the half
    """

    night: Night
    detector: Detector
    centres: tuple[tuple[float, float], tuple[float, float]]
    pixel_scale: float = IRDIS_SCALE
    squeeze: tuple[float, float] = IRDIS_SQUEEZE
    rotation: float = 0.0
    lenslets: dict[str, float] = field(default_factory=dict)

    @cached_property
    def channels(self) -> tuple[Passband, Passband]:
        """Passband of each half."""
        return BANDS[self.night.band][:2]

    @property
    def wavelengths(self) -> tuple[float, ...]:
        """Channels (µm): two in dual-band imaging, one in classical imaging."""
        left, right = self.channels
        return (left[0], right[0]) if left != right else (left[0],)

    def colours(self, half: int) -> Iterator[tuple[float, float]]:
        """Wavelengths (µm) at which a half is computed and their weights, which sum to 1."""
        wavelength, width, _ = self.channels[half]
        nodes, weights = np.polynomial.legendre.leggauss(3 if width < 0.12 else 5)
        for node, weight in zip(nodes, weights, strict=True):
            yield wavelength + 0.5 * width * float(node), 0.5 * float(weight)

    def transmission(self, nd: str) -> tuple[float, ...]:
        """What a neutral density passes in each channel."""
        return tuple(
            sum(weight * self._passes(nd, half, colour) for colour, weight in self.colours(half))
            for half in range(len(self.wavelengths))
        )

    def _passes(self, nd: str, half: int, colour: float) -> float:
        """What a neutral density passes at one of the colours of a half."""
        wavelength, _, curve = self.channels[half]
        return float(neutral_density(nd, colour + curve - wavelength))

    def stars(self, exposure: Exposure) -> tuple[tuple[float, float], ...]:
        """Where the star is in each half, px (x, y) of the half."""
        dither = exposure.light_dither or exposure.dither
        moved = FLUX_SHIFT if exposure.kind == "OBJECT,FLUX" else (0.0, 0.0)
        return tuple((x + dither[0] + moved[0], y + dither[1] + moved[1]) for x, y in self.centres)

    def expose(self, exposure: Exposure, frames: tuple[Frame, ...], rng: np.random.Generator) -> Images:
        """Raw frames (ADU) of one file; calibrations have no `frames` of the sky."""
        dit = exposure.light_dit or exposure.dit
        steady = self._steady(exposure)
        made = []
        for frame in frames or (None,) * exposure.ndit:
            light = steady if frame is None else steady + self._sky(exposure, frame, rng)
            made.append(self.detector.read(self._response * light * np.float32(dit), dit, rng))
        return np.stack(made[: exposure.ndit - exposure.lost])

    @cached_property
    def _response(self) -> Images:
        halves = [self.detector.response(self.channels[i][0])[:, i * SIDE : (i + 1) * SIDE] for i in (0, 1)]
        return np.concatenate(halves, axis=1)

    def _steady(self, exposure: Exposure) -> Images:
        """Light (ADU/s) that does not change: lamps, thermal background of the instrument, the sky."""
        light = np.zeros((SIDE, 2 * SIDE), dtype=np.float32)
        for half in (0, 1):
            wavelength = self.channels[half][0]
            level = 0.6 * np.exp((wavelength - 1.6) / 0.16) if exposure.kind != "DARK" else 0.0  # warm optics
            if exposure.kind == "FLAT,LAMP":
                level += LAMP
            if exposure.on_sky:
                level += 0.8 * self._passes(exposure.light_nd or exposure.nd, half, wavelength)
            light[:, half * SIDE : (half + 1) * SIDE] = level
        return light

    def _sky(self, exposure: Exposure, frame: Frame, rng: np.random.Generator) -> Images:
        """Light (ADU/s) of the star and of what is around it."""
        light = np.zeros((SIDE, 2 * SIDE), dtype=np.float32)
        if exposure.kind == "SKY":
            return light
        nd = exposure.light_nd or exposure.nd
        jitter = rng.normal(0.0, JITTER, 2)
        for half, (x, y) in enumerate(self.stars(exposure)):
            image = light[:, half * SIDE : (half + 1) * SIDE]
            star = (x + jitter[0], y + jitter[1])
            for colour, weight in self.colours(half):
                share = weight * self._passes(nd, half, colour) * self.night.rate * PIXEL[0] * PIXEL[1]
                _draw_star(image, exposure, frame.wavefront, colour, star, share)
                if exposure.kind != "OBJECT,FLUX":
                    _draw_sources(image, frame.wavefront, colour, star, share, frame.sources)
            wavelength = self.channels[half][0]
            passed = self._passes(nd, half, wavelength) * self.night.rate * PIXEL[0] * PIXEL[1]
            image += _halo(frame.wavefront, wavelength, star) * np.float32(passed)
        return light


def irdis(night: Night, seed: int) -> Irdis:
    """The camera of a night."""
    rng = np.random.default_rng([seed, 11])
    lit = np.zeros((SIDE, 2 * SIDE), dtype=bool)
    for half, (bottom, top, left, right) in enumerate(LIT):
        lit[bottom:top, half * SIDE + left : half * SIDE + right] = True
    common = rng.uniform(-2.5, 2.5, 2)  # the mask is not put at the same place every night
    between = rng.uniform(-0.5, 0.5, 2)
    (x0, y0), (x1, y1) = STARS
    left_star = (x0 + common[0], y0 + common[1])
    right_star = (x1 + common[0] + between[0], y1 + common[1] + between[1])
    wavelength = BANDS[night.band][0][0]
    made = detector(rng, lit, offset=18.0, gain=GAIN, read_noise=READ_NOISE, reference=wavelength)
    return Irdis(night, made, (left_star, right_star))


def _window(centre: tuple[float, float], half: int) -> tuple[slice, slice, Floats, Floats]:
    """The pixels around a place (x, y) and their distances (mas) from it along x and y."""
    column, row = round(centre[0]), round(centre[1])
    columns = slice(max(column - half, 0), min(column + half, SIDE))
    rows = slice(max(row - half, 0), min(row + half, SIDE))
    x: Floats = np.asarray((np.arange(columns.start, columns.stop) - centre[0]) * PIXEL[0])
    y: Floats = np.asarray((np.arange(rows.start, rows.stop) - centre[1]) * PIXEL[1])
    return rows, columns, x, y


def _draw_star(
    image: Images, exposure: Exposure, wavefront: Wavefront, colour: float, star: tuple[float, float], share: float
) -> None:
    """Add the star off the mask, or its speckles and, in a centre frame, its four spots."""
    rows, columns, x, y = _window(star, STAMP)
    draw = off_axis if exposure.kind == "OBJECT,FLUX" else on_axis
    image[rows, columns] += np.float32(share) * draw(wavefront, colour, x, y)
    if exposure.kind != "OBJECT,CENTER":
        return
    radius = spot_radius(colour)
    for angle in SPOT_ANGLES:
        _draw_point(image, wavefront, colour, star, (radius * np.cos(angle), radius * np.sin(angle)), SPOT * share)


def _draw_sources(
    image: Images,
    wavefront: Wavefront,
    colour: float,
    star: tuple[float, float],
    share: float,
    sources: tuple[Source, ...],
) -> None:
    for source in sources:
        for place in source.places:
            flux = share * source.contrast(colour) * source.passed / len(source.places)
            _draw_point(image, wavefront, colour, star, place, flux)


def _draw_point(
    image: Images,
    wavefront: Wavefront,
    colour: float,
    star: tuple[float, float],
    place: tuple[float, float],
    flux: float,
) -> None:
    """Add a point source at `place` (mas along x and y) from the star."""
    centre = (star[0] + place[0] / PIXEL[0], star[1] + place[1] / PIXEL[1])
    rows, columns, x, y = _window(centre, SMALL)
    if len(x) and len(y):
        image[rows, columns] += np.float32(flux) * off_axis(wavefront, colour, x, y)


def _halo(wavefront: Wavefront, wavelength: float, star: tuple[float, float]) -> Images:
    x = (np.arange(SIDE) - star[0]) * PIXEL[0]
    y = (np.arange(SIDE) - star[1]) * PIXEL[1]
    radius = np.sqrt((y**2).astype(np.float32)[:, None] + (x**2).astype(np.float32)[None, :])
    return halo(wavefront, wavelength, radius)
