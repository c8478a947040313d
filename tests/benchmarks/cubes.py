"""Cubes of the size and the speckles of real instruments."""

from __future__ import annotations

import numpy as np
from sky import field, pupil

from lyot.cube import Cube
from lyot.reduce.apertures import aperture_sum

SAMPLES = 96  # across the pupil: images repeat every 96 λ/D


def sequence(
    nframes: int, size: int, resolution: float = 4.0, rotation: float = 50.0, contrast: float = 3e-5, seed: int = 1
) -> Cube:
    """A coronagraphic sequence whose speckles drift slowly, with photon and detector noise and one planet.

    `resolution` is λ/D in px, `rotation` in degrees, `contrast` that of the planet, 0.3 of the way to the edge at 30°.
    """
    rng = np.random.default_rng(seed)
    aperture = pupil(SAMPLES)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(SAMPLES), np.fft.fftfreq(SAMPLES), indexing="ij"))
    colour = 1 / np.where(frequency > 0, frequency, np.inf)
    screens = np.fft.ifft2(colour * np.fft.fft2(rng.normal(size=(9, SAMPLES, SAMPLES)))).real
    screens /= screens.std(axis=(1, 2), keepdims=True)
    drift = np.cumsum(rng.normal(size=(nframes, 8)), axis=0) / np.sqrt(nframes)
    angles = np.linspace(0.2, 1.2, nframes) * rotation  # not through 0, where VIP loses count
    star, pixels = size // 2, np.arange(size)
    frames = np.empty((nframes, size, size), np.float32)
    for t in range(nframes):
        phase = 0.12 * screens[0] + 0.06 * np.tensordot(drift[t], screens[1:], 1)
        wavefront = aperture * np.exp(1j * phase)
        wavefront -= aperture * (wavefront.sum() / aperture.sum())
        turn = np.radians(30.0 - angles[t])
        y, x = star + 0.3 * star * np.cos(turn), star - 0.3 * star * np.sin(turn)
        planet = contrast * np.abs(field(aperture, pixels - y, pixels - x, resolution)) ** 2
        light = 2e7 * (np.abs(field(wavefront, pixels - star, pixels - star, resolution)) ** 2 + planet)
        frames[t] = rng.poisson(light) + 3.0 * rng.normal(size=light.shape)
    middle = np.arange(21) - 10
    psf = 2e7 * np.abs(field(aperture, middle, middle, resolution)) ** 2
    fwhm = 1.02 * resolution
    star_flux = aperture_sum(psf, 10.0, 10.0, fwhm / 2.0)
    return Cube(frames, angles, [1.6], 12.25, psf=psf, star_flux=star_flux, fwhm=fwhm)
