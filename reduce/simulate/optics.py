"""Light from the pupil to the detector: phase screens, a perfect coronagraph, images by a matrix Fourier transform.

The image plane is sampled at any pixel scale and any place (Soummer et al. 2007, Opt. Express 15, 15935): a source is
put anywhere by a tilt of the wave in the pupil, exactly, and nothing is interpolated. The coronagraph takes the mean
amplitude out of the pupil, which is all that a plane wave has (Cavarroc et al. 2006, A&A 447, 397).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Complex = NDArray[np.complex128]

SAMPLES = 64  # across the pupil: images repeat only every 64 λ/D
OBSCURATION = 0.14  # of the secondary mirror, in diameters: the VLT's
CONTROL_RADIUS = 20.0  # cycles per pupil that 40 × 40 actuators correct

_ACROSS = (np.arange(SAMPLES) + 0.5) / SAMPLES - 0.5  # in diameters
_Y, _X = np.meshgrid(_ACROSS, _ACROSS, indexing="ij")
PUPIL = ((np.hypot(_Y, _X) <= 0.5) & (np.hypot(_Y, _X) >= OBSCURATION / 2)).astype(float)


def quasi_static(rng: np.random.Generator, count: int) -> Floats:
    """Screens of the errors of the optics: power falls as the square of spatial frequency.

    Returns
    -------
    (count, SAMPLES, SAMPLES), of unit rms over the pupil, without piston and tilt
    """
    return _screens(rng, count, lambda frequency: 1.0 / frequency)


def residual_turbulence(rng: np.random.Generator, count: int) -> Floats:
    """Screens of what adaptive optics leaves: little where it corrects, Kolmogorov's spectrum beyond.

    Returns
    -------
    (count, SAMPLES, SAMPLES), of unit rms over the pupil, without piston and tilt
    """

    def amplitude(frequency: Floats) -> Floats:
        beyond = 3.0 * (frequency / CONTROL_RADIUS) ** (-11.0 / 6.0)
        return np.asarray(np.where(frequency < CONTROL_RADIUS, (frequency / CONTROL_RADIUS) ** -0.5, beyond))

    return _screens(rng, count, amplitude)


def _screens(rng: np.random.Generator, count: int, amplitude: Callable[[Floats], Floats]) -> Floats:
    side = 2 * SAMPLES  # twice the pupil, so that its two edges know nothing of each other
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side), indexing="ij")) * SAMPLES
    frequency[0, 0] = np.inf
    noise = np.fft.fft2(rng.standard_normal((count, side, side)))
    screens = np.fft.ifft2(noise * amplitude(frequency)).real[:, :SAMPLES, :SAMPLES]
    return _without_tilt(screens)


def _without_tilt(screens: Floats) -> Floats:
    """Screens without piston and tilt, which would move the star, scaled to unit rms together."""
    inside = PUPIL > 0
    modes = np.stack([np.ones_like(_X), _Y, _X])[:, inside]
    weights, *_ = np.linalg.lstsq(modes.T, screens[:, inside].T, rcond=None)
    flat = np.zeros_like(screens)
    flat[:, inside] = screens[:, inside] - (modes.T @ weights).T
    return np.asarray(flat / np.sqrt(np.mean(flat[:, inside] ** 2)))


def image(waves: Complex, offsets: Floats) -> Floats:
    """Mean intensity in the focal plane.

    Parameters
    ----------
    waves : (screen, SAMPLES, SAMPLES)
        Amplitudes in the pupil.
    offsets : (side,), λ/D
        Of the samples from the optical axis, the same along y and x.

    Returns
    -------
    (side, side), per (λ/D)²; a plane wave of unit amplitude has unit sum over the whole plane
    """
    kernel = np.exp(-2j * np.pi * np.outer(offsets, _ACROSS))
    fields = np.tensordot(np.tensordot(waves, kernel, (1, 1)), kernel, (1, 1))  # y, then x: two large products
    power = PUPIL.sum() * SAMPLES**2
    return np.asarray((np.abs(fields) ** 2).mean(axis=0) / power)


def through_coronagraph(waves: Complex) -> Complex:
    """Waves of a star on the axis, without what a plane wave has."""
    mean = waves.sum(axis=(1, 2), keepdims=True) / PUPIL.sum()
    return np.asarray(waves - mean * PUPIL)


def tilted(waves: Complex, y: float, x: float) -> Complex:
    """Waves of a source that stands (y, x) λ/D off the axis."""
    return np.asarray(waves * np.exp(2j * np.pi * (y * _Y + x * _X)))


def waves_of(phases: Floats) -> Complex:
    """Amplitudes in the pupil of light with these phases (rad)."""
    return np.asarray(PUPIL * np.exp(1j * phases))
