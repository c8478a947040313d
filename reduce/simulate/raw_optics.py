"""Light through an imperfect pupil: images of a star on and off an apodised Lyot coronagraph, at any pixel scale.

Images come from a matrix Fourier transform (Soummer et al. 2007, Optics Express 15, 15935), evaluated at the very
places where pixels stand: displacements by fractions of a pixel, anamorphism and the growth of speckles with
wavelength are exact. Places are in mas from the optical axis; wavelengths in µm; intensities are fractions of the
star's flux per mas².
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from lyot.cube import Floats, Images

DIAMETER = 8.0  # m, the pupil stop of the instrument
OBSTRUCTION = 0.14  # of the diameter
SAMPLES = 128  # across the pupil: speckles out to 64 λ/D
CORRECTED = 20.0  # cycles per pupil that 40 actuators across it can correct
WAFFLE_CYCLES = 13.717  # cycles per pupil of the four satellite spots, 0.97 √(10² + 10²)
MASK_RADIUS = 92.0  # mas, where the focal-plane mask lets half of the light pass
MASK_FLOOR = 0.004  # what it lets pass at its middle
MAS_PER_RADIAN = np.degrees(1.0) * 3.6e6
HALO_EXPONENT = 11.0 / 3.0  # turbulence beyond the corrected radius
Complexes = NDArray[np.complex64]


def resolution(wavelength: float) -> float:
    """λ/D in mas, for a wavelength in µm."""
    return wavelength * 1e-6 / DIAMETER * MAS_PER_RADIAN


def spot_radius(wavelength: float) -> float:
    """Distance (mas) of the satellite spots from the star."""
    return WAFFLE_CYCLES * resolution(wavelength)


def mask_transmission(radius: Floats) -> Floats:
    """Share of the light of a source that passes the focal-plane mask, at a distance (mas) from its middle."""
    return np.asarray(1.0 - (1.0 - MASK_FLOOR) * np.exp(-np.log(2.0) * (np.asarray(radius) / MASK_RADIUS) ** 4))


def _aperture() -> Images:
    grid = (np.arange(SAMPLES) + 0.5) / SAMPLES - 0.5
    fine = (grid[:, None] + (np.arange(4) - 1.5) / (4 * SAMPLES)).ravel()  # soft edges: 16 points a sample
    radius = np.hypot(fine[:, None], fine[None, :])
    inside = ((radius <= 0.5) & (radius >= 0.5 * OBSTRUCTION)).astype(np.float32)
    return inside.reshape(SAMPLES, 4, SAMPLES, 4).mean(axis=(1, 3), dtype=np.float32)


APERTURE = _aperture()
POSITIONS = ((np.arange(SAMPLES) + 0.5) / SAMPLES - 0.5).astype(np.float64)  # in pupil diameters
AREA = float((APERTURE.astype(float) ** 2).sum())


@dataclass(frozen=True, eq=False)
class Wavefront:
    """What the adaptive optics leaves: an optical path difference, and the light it throws into a halo.

    Parameters
    ----------
    path : (SAMPLES, SAMPLES), µm
    halo : float
        Share of the light at 1.6 µm that the turbulence spreads beyond the core.
    """

    path: Images
    halo: float

    def core(self, wavelength: float) -> float:
        """Share of the light that stays in the diffraction pattern: exp(−σ²), σ the phase that the turbulence leaves.

        The path is the same at all wavelengths, so σ goes as 1/λ.
        """
        return float((1.0 - self.halo) ** ((1.6 / wavelength) ** 2))


@lru_cache(maxsize=8)
def _amplitude(wavefront: Wavefront, wavelength: float) -> Complexes:
    """Complex amplitude in the pupil; many sources of one frame share it."""
    turn = np.float32(2.0 * np.pi / wavelength) * wavefront.path
    return np.asarray(APERTURE * np.exp(np.complex64(1j) * turn), dtype=np.complex64)


def screen(rng: np.random.Generator, rms: float) -> Images:
    """A random optical path difference (µm) with an rms of `rms`, power f⁻², up to the corrected frequency.

    Without tilt: what moves the star is a matter of pointing, and its place is stated apart.
    """
    size = 2 * SAMPLES  # twice the pupil: its edges must not match
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(size, 1 / size), np.fft.fftfreq(size, 1 / size))) / 2
    amplitude = np.where((frequency > 0.6) & (frequency <= 1.1 * CORRECTED), 1.0 / np.maximum(frequency, 0.6), 0.0)
    noise = np.fft.fft2(rng.standard_normal((size, size)))
    path = np.fft.ifft2(noise * amplitude).real[:SAMPLES, :SAMPLES]
    lit = APERTURE > 0.5
    plane = np.stack([np.ones((SAMPLES, SAMPLES)), *np.meshgrid(POSITIONS, POSITIONS)], axis=-1)
    path = path - plane @ np.linalg.lstsq(plane[lit], path[lit], rcond=None)[0]
    return np.asarray(path * (rms / path[lit].std()), dtype=np.float32)


def with_error(wavefront: Wavefront, path: Images) -> Wavefront:
    """The same wavefront with one more optical path difference (µm)."""
    return replace(wavefront, path=np.asarray(wavefront.path + path, dtype=np.float32))


def _transform(pupil: Complexes, x: Floats, y: Floats) -> Complexes:
    """Amplitude at places x (nx,), y (ny,) in λ/D; shape (ny, nx)."""
    left = np.exp(-2j * np.pi * np.outer(y, POSITIONS)).astype(np.complex64)
    right = np.exp(-2j * np.pi * np.outer(POSITIONS, x)).astype(np.complex64)
    return (left @ pupil) @ right


def _intensity(amplitude: Complexes, wavelength: float) -> Images:
    """Amplitudes to shares of the star's flux per mas² (Parseval's theorem)."""
    norm = 1.0 / (AREA * SAMPLES**2 * resolution(wavelength) ** 2)
    return np.asarray((amplitude.real**2 + amplitude.imag**2) * norm, dtype=np.float32)


def off_axis(wavefront: Wavefront, wavelength: float, x: Floats, y: Floats) -> Images:
    """Core of a source away from the mask, on places x (nx,), y (ny,) in mas from it; share of its flux per mas²."""
    beam = resolution(wavelength)
    amplitude = _transform(_amplitude(wavefront, wavelength), np.asarray(x) / beam, np.asarray(y) / beam)
    return _intensity(amplitude, wavelength) * np.float32(wavefront.core(wavelength))


def on_axis(wavefront: Wavefront, wavelength: float, x: Floats, y: Floats) -> Images:
    """Speckles that a perfect coronagraph leaves, on places x (nx,), y (ny,) in mas from the star."""
    beam = resolution(wavelength)
    pupil = _amplitude(wavefront, wavelength)
    blocked = (pupil * APERTURE).sum() / (APERTURE**2).sum()  # the part of the light that is a perfect plane wave
    amplitude = _transform(pupil - blocked * APERTURE, np.asarray(x) / beam, np.asarray(y) / beam)
    seen = _intensity(amplitude, wavelength) * np.float32(wavefront.core(wavelength))
    radius = np.hypot(np.asarray(y)[:, None], np.asarray(x)[None, :])
    return np.asarray(seen * mask_transmission(radius), dtype=np.float32)


def halo(wavefront: Wavefront, wavelength: float, radius: NDArray[np.floating]) -> Images:
    """Smooth light of the residual turbulence at some distance (mas): low inside the corrected radius, f^-11/3 out."""
    edge = CORRECTED * resolution(wavelength)
    grid = np.linspace(0.0, 40.0, 8001)
    total = np.trapezoid(_shape(grid) * 2 * np.pi * grid, grid) * edge**2
    share = 1.0 - wavefront.core(wavelength)
    table = _shape(grid) * (share / total)
    return np.interp(np.asarray(radius) / edge, grid, table).astype(np.float32)


def _shape(r: Floats) -> Floats:
    return np.asarray((1.0 + r**4) ** (-HALO_EXPONENT / 4.0) * (1.0 - 0.6 * np.exp(-(r**4))))
