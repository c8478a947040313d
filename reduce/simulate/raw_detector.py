"""An infrared detector with faults: offset, dark current, flat, bad pixels, noise, cosmic rays, saturation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, zoom

from lyot.cube import Images

Mask = NDArray[np.bool_]
OUTPUT = 64  # columns read by one amplifier
COSMICS = 4e-7  # hits per pixel and second


@dataclass(frozen=True, eq=False)
class Detector:
    """A detector as it is; every map is (y, x).

    Parameters
    ----------
    flat : dimensionless
        Counts for one count of an ideal pixel; 0 where no light comes, near 0 for dead pixels.
    colour : dimensionless per µm
        How the flat changes with wavelength, from `reference` on.
    dark : ADU/s
    offset : ADU
        Left after the subtraction of the reset frame, whatever the integration time.
    bad : bool
        Dead and hot pixels.
    gain : e⁻/ADU
    read_noise : e⁻
    saturation : ADU
    """

    flat: Images
    colour: Images
    reference: float
    dark: Images
    offset: Images
    bad: Mask
    gain: float
    read_noise: float
    saturation: float

    def response(self, wavelength: float) -> Images:
        """The flat at a wavelength (µm)."""
        return np.asarray(self.flat * (1.0 + self.colour * np.float32(wavelength - self.reference)), np.float32)

    def read(self, light: Images, dit: float, rng: np.random.Generator) -> Images:
        """One frame (ADU) of `light` (ADU, the flat already in it) after an integration of `dit` seconds."""
        signal = light + self.dark * np.float32(dit)
        variance = np.maximum(signal, 0) / np.float32(self.gain) + np.float32((self.read_noise / self.gain) ** 2)
        noise = rng.standard_normal(signal.shape, dtype=np.float32)
        frame: Images = np.asarray(signal + np.sqrt(variance) * noise, dtype=np.float32)
        self._strike(frame, dit, rng)
        outputs = rng.normal(0.0, 0.4, frame.shape[1] // OUTPUT).astype(np.float32)
        frame += self.offset + np.repeat(outputs, OUTPUT)
        return np.minimum(frame, np.float32(self.saturation), out=frame)

    def _strike(self, frame: Images, dit: float, rng: np.random.Generator) -> None:
        """Cosmic rays: short straight tracks."""
        ny, nx = frame.shape
        for _ in range(rng.poisson(COSMICS * frame.size * dit)):
            y, x = rng.uniform(0, ny - 1), rng.uniform(0, nx - 1)
            direction, length = rng.uniform(0, 2 * np.pi), rng.integers(1, 7)
            along = np.arange(length)
            row = np.clip(y + along * np.sin(direction), 0, ny - 1).astype(int)
            column = np.clip(x + along * np.cos(direction), 0, nx - 1).astype(int)
            frame[row, column] += np.float32(rng.exponential(1500.0) + 200.0)


def detector(
    rng: np.random.Generator, lit: Mask, *, offset: float, gain: float, read_noise: float, reference: float
) -> Detector:
    """A detector of the shape of `lit` (the pixels that see light), with 1.5 to 2.5 % of bad pixels.

    The flat varies by 2.2 % from pixel to pixel, as the real H flats do, and by 3 % on large scales.
    """
    shape = lit.shape
    flat = 1.0 + 0.022 * rng.standard_normal(shape, dtype=np.float32) + 0.03 * _cloud(rng, shape)
    dead = rng.random(shape, dtype=np.float32) < 0.008
    flat = np.where(lit, np.where(dead, 0.03 * rng.random(shape, dtype=np.float32), flat), 0.0)
    hot = rng.random(shape, dtype=np.float32) < rng.uniform(0.007, 0.017)
    dark = 0.06 + 0.01 * rng.standard_normal(shape, dtype=np.float32)
    dark = np.where(hot, 3.0 * rng.lognormal(2.0, 1.2, shape), np.maximum(dark, 0.0))
    columns = rng.normal(0.0, 1.5, shape[1]) + np.repeat(rng.normal(0.0, 3.0, shape[1] // OUTPUT), OUTPUT)
    return Detector(
        flat=flat.astype(np.float32),
        colour=(0.02 * _cloud(rng, shape)).astype(np.float32),
        reference=reference,
        dark=dark.astype(np.float32),
        offset=(offset + columns + 2.0 * _cloud(rng, shape)).astype(np.float32),
        bad=(dead & lit) | hot,
        gain=gain,
        read_noise=read_noise,
        saturation=60_000.0,
    )


def _cloud(rng: np.random.Generator, shape: tuple[int, ...]) -> Images:
    """Smooth random structure of unit rms, a few hundred pixels wide."""
    coarse = gaussian_filter(rng.standard_normal((shape[0] // 32, shape[1] // 32)), 4, mode="reflect")
    smooth = zoom(coarse, 32, order=1)
    return np.asarray((smooth - smooth.mean()) / smooth.std(), dtype=np.float32)
