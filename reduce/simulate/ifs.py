"""Raw frames of the IFS: the field cut by hexagonal lenslets, the light of each spread into a spectrum."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.fft import irfft2, next_fast_len, rfft2
from scipy.special import erf

from lyot.cube import Floats, Images
from lyot.reduce.simulate.raw_detector import Detector, detector
from lyot.reduce.simulate.raw_lenslets import (
    COLUMNS,
    LEAN,
    MIDDLE,
    PITCH,
    PIXELS,
    ROW,
    ROWS,
    SIDE,
    TURN,
    Lattice,
    draw,
    lattice,
)
from lyot.reduce.simulate.raw_optics import Wavefront, halo, off_axis, on_axis, spot_radius
from lyot.reduce.simulate.raw_plan import Exposure
from lyot.reduce.simulate.raw_scene import IFS_ROTATION, IFS_SCALE, IFS_SQUEEZE, PRISMS, Night, neutral_density
from lyot.reduce.simulate.raw_view import Frame

CHANNELS = 39
NODES = 28  # wavelengths at which images are computed; between them light is interpolated
SCATTER = 0.727986 / 1.8  # px: how fast the light that spreads between spectra falls (D. Mesa)
SCATTER_HALF = 20  # px
LASERS = {"YJ": (0.98772, 1.12371, 1.30937), "YJH": (0.98772, 1.12371, 1.30937, 1.54507)}  # µm
LASER_LIGHT = 2.4e4  # ADU/s in a line of one lenslet
LAMP_LIGHT = {"SPECPOS": 3.2e5, "IFU": 3.8e5}  # ADU/s/µm in one lenslet: about 6000 ADU at the peak
FLAT_COLOURS = {"CAL_BB_2": 1.15, "CAL_NB1_1": 1.020, "CAL_NB2_1": 1.230, "CAL_NB3_1": 1.300, "CAL_NB4_2": 1.550}
FLAT_LIGHT = 4000.0  # ADU/s
SKY_LIGHT = 0.05  # ADU/s
FLUX_PLACE = (190.0, -240.0)  # mas in the image by which the star is moved off the mask
SPOT = 6e-4
SPOT_ANGLES = np.radians(np.array([45.0, 135.0, 225.0, 315.0]) - IFS_ROTATION)  # those of IRDIS, turned
SCALE = (IFS_SCALE / SIDE * IFS_SQUEEZE[0], IFS_SCALE / SIDE * IFS_SQUEEZE[1])  # mas of sky per px of the detector
#: Points of a hexagon whose mean stands for its whole (px of the detector): its own second moments.
INSIDE = tuple(
    (0.646 * SIDE * float(np.cos(a)), 0.646 * SIDE * float(np.sin(a))) for a in np.radians([90.0, 210.0, 330.0])
)
HEXAGON = 1.5 * np.sqrt(3.0) * SIDE**2 * SCALE[0] * SCALE[1]  # mas²
NEAR = 11  # lenslets on either side of a point source that see it
GAIN, READ_NOISE = 1.8, 7.0
JITTER = 0.25  # mas
Optics = Callable[[Wavefront, float, Floats, Floats], Images]


@dataclass(frozen=True, eq=False)
class Ifs:
    """The spectrograph on one night.

    Parameters
    ----------
    night : Night
    detector : Detector of (2048, 2048) px
    lattice : Lattice
    throughput : (lenslet,), dimensionless
    centre : star, mas in the frame of the lenslets from the lattice's origin
    """

    night: Night
    detector: Detector
    lattice: Lattice
    throughput: Images
    centre: tuple[float, float]
    turn: float
    shift: tuple[float, float]
    pixel_scale: float = IFS_SCALE
    squeeze: tuple[float, float] = IFS_SQUEEZE
    rotation: float = IFS_ROTATION

    @property
    def wavelengths(self) -> tuple[float, ...]:
        """Middles (µm) of 39 equal channels over the band."""
        begin, end = self.lattice.band
        return tuple(float(begin + (i + 0.5) * (end - begin) / CHANNELS) for i in range(CHANNELS))

    @property
    def lenslets(self) -> dict[str, float]:
        """Where spectra fall: the model in numbers."""
        lines = LASERS[self.night.band]
        told = {f"up_{line:.5f}": float(self.lattice.along(np.array([line]))[0]) for line in lines}
        return told | {
            "side": SIDE,
            "turn": TURN + self.turn,
            "middle_x": MIDDLE[0] + self.shift[0],
            "middle_y": MIDDLE[1] + self.shift[1],
            "lean": LEAN,
            "count": float(len(self.lattice.x)),
        }

    def transmission(self, nd: str) -> tuple[float, ...]:
        """What a neutral density passes in each channel."""
        return tuple(float(neutral_density(nd, wavelength)) for wavelength in self.wavelengths)

    def stars(self, exposure: Exposure) -> tuple[tuple[float, float], ...]:
        """Where the star is: px of the cube from the lattice's origin. The dither of IRDIS does not reach the IFS."""
        x, y = self._star(exposure)
        return ((x / IFS_SCALE / IFS_SQUEEZE[0], y / IFS_SCALE / IFS_SQUEEZE[1]),)

    def _star(self, exposure: Exposure) -> tuple[float, float]:
        moved = FLUX_PLACE if exposure.kind == "OBJECT,FLUX" else (0.0, 0.0)
        return self.centre[0] + moved[0], self.centre[1] + moved[1]

    def expose(self, exposure: Exposure, frames: tuple[Frame, ...], rng: np.random.Generator) -> Images:
        """Raw frames (ADU) of one file; calibrations have no `frames` of the sky."""
        dit = exposure.light_dit or exposure.dit
        steady = self._lamp(exposure)
        made = []
        for frame in frames or (None,) * exposure.ndit:
            light = steady if frame is None else steady + self._spectra(self._sky(exposure, frame, rng), self._fine)
            made.append(self.detector.read(light * np.float32(dit), dit, rng))
        return np.stack(made[: exposure.ndit - exposure.lost])

    @property
    def _fine(self) -> Floats:
        return self.lattice.fine

    def _lamp(self, exposure: Exposure) -> Images:
        """Light (ADU/s) on the detector, with its flat, from lamps and from the sky as such."""
        lamp = exposure.lamp
        if lamp in FLAT_COLOURS:
            return self.detector.response(FLAT_COLOURS[lamp]) * np.float32(FLAT_LIGHT)
        if lamp == "WAVE":
            lines = np.array(LASERS[self.night.band])
            return self._spectra(np.full((len(self.lattice.x), len(lines)), LASER_LIGHT), lines)
        if lamp in LAMP_LIGHT:
            step = self._fine[1] - self._fine[0]
            spectrum = LAMP_LIGHT[lamp] * step * _white(self._fine) * self._passed(self._fine)
            return self._spectra(np.broadcast_to(spectrum, (len(self.lattice.x), len(spectrum))), self._fine)
        level = 0.0 if exposure.kind == "DARK" else SKY_LIGHT
        return self.detector.flat * np.float32(level * (2.0 if exposure.on_sky else 1.0))

    def _passed(self, wavelengths: Floats) -> Floats:
        """The pass-band of the prism's filter."""
        begin, end = self.lattice.band
        soft = 0.004  # µm
        return 0.25 * (1 + erf((wavelengths - begin) / soft)) * (1 + erf((end - wavelengths) / soft))

    def _spectra(self, flux: Floats, wavelengths: Floats) -> Images:
        """Light (ADU/s) on the detector for that of the lenslets (lenslet, wavelength), with scatter and flat."""
        behind = np.asarray(flux * self.throughput[:, None], dtype=np.float32)
        light, coloured = draw(self.lattice, behind, wavelengths, self.detector.reference)
        spread = rfft2(light, self._fast) * self._scatter
        light += irfft2(spread, self._fast)[:PIXELS, :PIXELS]
        return np.asarray(self.detector.flat * (light + self.detector.colour * coloured), dtype=np.float32)

    @property
    def _fast(self) -> tuple[int, int]:
        size = next_fast_len(PIXELS + 2 * SCATTER_HALF, real=True)
        return size, size

    @cached_property
    def _scatter(self) -> Floats:
        """Transform of the wings of the light around each pixel, beyond its neighbours."""
        grid = np.arange(-SCATTER_HALF, SCATTER_HALF + 1)
        radius = np.hypot(*np.meshgrid(grid, grid))
        kernel = np.where(np.maximum(*np.abs(np.meshgrid(grid, grid))) > 1, 1 / (1 + (radius / SCATTER) ** 3), 0.0)
        padded = np.zeros(self._fast, dtype=np.float32)
        padded[: len(grid), : len(grid)] = kernel
        return np.asarray(rfft2(np.roll(padded, (-SCATTER_HALF, -SCATTER_HALF), axis=(0, 1))))

    def _sky(self, exposure: Exposure, frame: Frame, rng: np.random.Generator) -> Floats:
        """Light (ADU/s per fine wavelength) of every lenslet: the star and what is around it."""
        x, y = self._star(exposure)
        star = (x + rng.normal(0.0, JITTER), y + rng.normal(0.0, JITTER))
        if exposure.kind == "SKY":
            return np.zeros((len(self.lattice.x), len(self._fine)))
        coarse = np.linspace(self._fine[0], self._fine[-1], NODES)
        images = np.stack([self._image(exposure, frame, colour, star) for colour in coarse], axis=1)
        position = np.interp(self._fine, coarse, np.arange(NODES))
        below = np.minimum(position.astype(int), NODES - 2)
        part = (position - below).astype(np.float32)
        spectra = images[:, below] * (1 - part) + images[:, below + 1] * part
        channel = (self.lattice.band[1] - self.lattice.band[0]) / CHANNELS
        step = (self._fine[1] - self._fine[0]) / channel
        nd = neutral_density(exposure.light_nd or exposure.nd, self._fine)
        return np.asarray(spectra * (self.night.rate * step * nd * self._passed(self._fine)))

    def _image(self, exposure: Exposure, frame: Frame, colour: float, star: tuple[float, float]) -> Images:
        """Share of the star's flux in every lenslet at one wavelength."""
        field = np.zeros((2 * ROWS + 1, 2 * COLUMNS + 1), dtype=np.float32)
        whole = (slice(0, 2 * ROWS + 1), slice(0, 2 * COLUMNS + 1))
        off_mask = exposure.kind == "OBJECT,FLUX"
        _sample(field, whole, off_axis if off_mask else on_axis, frame.wavefront, colour, star)
        if exposure.kind == "OBJECT,CENTER":
            radius = spot_radius(colour)
            for angle in SPOT_ANGLES:
                place = (star[0] + radius * np.cos(angle), star[1] + radius * np.sin(angle))
                _add_point(field, frame.wavefront, colour, (place,), SPOT)
        for source in () if off_mask else frame.sources:
            spots = tuple((star[0] + dx, star[1] + dy) for dx, dy in source.places)
            _add_point(field, frame.wavefront, colour, spots, source.contrast(colour) * source.passed)
        seen = field[self.lattice.row + ROWS, self.lattice.column + COLUMNS]
        away = np.hypot(self.lattice.x * SCALE[0] - star[0], self.lattice.y * SCALE[1] - star[1])
        return np.asarray((seen + halo(frame.wavefront, colour, away)) * np.float32(HEXAGON), dtype=np.float32)


def ifs(night: Night, seed: int) -> Ifs:
    """The spectrograph of a night."""
    rng = np.random.default_rng([seed, 11])
    shift, turn = rng.uniform(-0.8, 0.8, 2), float(rng.uniform(-0.04, 0.04))
    made = lattice(night.band, PRISMS[night.band], shift, turn)
    lit = np.zeros((PIXELS, PIXELS), dtype=bool)
    lit[4:-4, 4:-4] = True  # reference pixels
    throughput = 1.0 + 0.012 * rng.standard_normal(len(made.x))
    throughput[rng.random(len(made.x)) < 0.001] = 0.15  # dirty lenslets
    centre = rng.uniform(-20.0, 20.0, 2)
    camera = detector(rng, lit, offset=100.0, gain=GAIN, read_noise=READ_NOISE, reference=1.15)
    return Ifs(
        night,
        camera,
        made,
        throughput.astype(np.float32),
        (float(centre[0]), float(centre[1])),
        turn,
        (float(shift[0]), float(shift[1])),
    )


def _white(wavelengths: Floats) -> Floats:
    """Spectrum of the white lamp, 1 at its best."""
    return np.exp(-0.5 * ((wavelengths - 1.45) / 0.45) ** 2)


Window = tuple[slice, slice]


def _sample(
    field: Images, window: Window, image: Optics, wavefront: Wavefront, colour: float, centre: tuple[float, float]
) -> None:
    """Add the mean of an image over the hexagons of a window of rows and columns of lenslets."""
    for shift in INSIDE:
        for rows, x, y in _places(window, shift, centre):
            field[rows, window[1]] += image(wavefront, colour, x, y) / np.float32(len(INSIDE))


def _add_point(
    field: Images,
    wavefront: Wavefront,
    colour: float,
    track: tuple[tuple[float, float], ...],
    flux: float,
) -> None:
    """Add a source that moves along `track` (mas), as long at each of its places."""
    share = np.float32(flux / (len(INSIDE) * len(track)))
    for place in track:
        row, column = round(place[1] / SCALE[1] / ROW), round(place[0] / SCALE[0] / PITCH)
        window = (_around(row, ROWS), _around(column, COLUMNS))
        for shift in INSIDE:
            for rows, x, y in _places(window, shift, place):
                if len(x) and len(y):
                    field[rows, window[1]] += share * off_axis(wavefront, colour, x, y)


def _around(middle: int, reach: int) -> slice:
    return slice(max(middle + reach - NEAR, 0), max(min(middle + reach + NEAR + 1, 2 * reach + 1), 0))


def _places(
    window: Window, shift: tuple[float, float], centre: tuple[float, float]
) -> Iterator[tuple[slice, Floats, Floats]]:
    """The even and the odd rows of a window, and their places (mas) from `centre`: each is a rectangular grid."""
    start, stop = window[0].start, window[0].stop
    columns = np.arange(window[1].start, window[1].stop) - COLUMNS
    for first in (start, start + 1):
        row = np.arange(first, stop, 2) - ROWS
        if not len(row):
            continue
        half = 0.5 * (row[0] % 2)
        x = ((columns + half) * PITCH + shift[0]) * SCALE[0] - centre[0]
        y = (row * ROW + shift[1]) * SCALE[1] - centre[1]
        yield slice(first, stop, 2), np.asarray(x), np.asarray(y)
