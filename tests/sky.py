"""A synthetic sky whose truth we chose: a coronagraphic star with slowly changing speckles, and planets.

Images are computed from the pupil by Fourier sums at the very places where light falls, so that planets between
pixels are exact and nothing is interpolated. Nothing of `lyot.reduce` is used here: errors cannot be shared.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from lyot.cube import Cube

RESOLUTION = 4.0  # λ/D at the first wavelength, px
FWHM = 1.02 * RESOLUTION  # of this pupil, whose middle is obscured
STAR_PEAK = 1e6  # counts in the brightest pixel of the star off the coronagraph
PUPIL_SAMPLES = 48  # images repeat every 48 λ/D: frames must be smaller
STATIC_PHASE, SLOW_PHASE = 0.5, 0.2  # rad rms


@dataclass(frozen=True)
class Planet:
    """Where a planet is (px from the star, deg East of North) and how bright (planet / star)."""

    separation: float
    position_angle: float
    contrast: float

    def place(self, angle: float, shape: tuple[int, ...]) -> tuple[float, float]:
        """Its (y, x) in a frame whose +y axis has position angle `angle`."""
        direction = np.radians(self.position_angle - angle)
        star = shape[-2] // 2, shape[-1] // 2
        return star[0] + self.separation * np.cos(direction), star[1] - self.separation * np.sin(direction)


@dataclass(frozen=True, eq=False)
class Observation(Cube):
    """A cube that remembers its frames are synthetic."""

    def hold_still(self) -> Observation:
        """The same star with every frame equal to the first, as if nothing had ever changed but the sky's angle."""
        return replace(self, frames=np.repeat(self.frames[:, :1], self.frames.shape[1], axis=1))


@dataclass(frozen=True)
class Found:
    """Where the brightest source is: px from the star, deg East of North, counts."""

    separation: float
    position_angle: float
    peak: float


@cache
def pupil(samples: int = PUPIL_SAMPLES) -> np.ndarray:
    """A round aperture with the middle 14 % of its diameter obscured, smooth at its edges."""
    y, x = (np.indices((samples * 8, samples * 8)) - (samples * 8 - 1) / 2) / (samples * 4)
    radius = np.hypot(x, y)
    inside = ((radius < 1) & (radius > 0.14)).astype(float)
    return inside.reshape(samples, 8, samples, 8).mean(axis=(1, 3))


def field(aperture: np.ndarray, y: np.ndarray, x: np.ndarray, resolution: float) -> np.ndarray:
    """Complex amplitude at pixels (y, x) from the optical axis; 1 on the axis for the flat pupil."""
    samples = len(aperture)
    u = (np.arange(samples) - (samples - 1) / 2) / samples
    rows, columns = (np.exp(-2j * np.pi * np.outer(at / resolution, u)) for at in (y, x))
    return rows @ aperture @ columns.T / pupil(samples).sum()


def point_source(shape: tuple[int, int], y: float, x: float, resolution: float = RESOLUTION) -> np.ndarray:
    """Image of a point source of unit peak at any place, between pixels too."""
    return np.abs(field(pupil(), np.arange(shape[0]) - y, np.arange(shape[1]) - x, resolution)) ** 2


def observe(
    *planets: Planet,
    nframes: int = 24,
    size: int | tuple[int, int] = 81,
    rotation: float = 70.0,
    wavelengths: tuple[float, ...] = (1.6,),
    noise: float = 1.0,
    seed: int = 1,
) -> Observation:
    """A coronagraphic sequence in pupil tracking; `noise` in counts rms per pixel."""
    rng = np.random.default_rng(seed)
    shape = (size, size) if isinstance(size, int) else size
    angles = np.linspace(-0.4 * rotation, 0.6 * rotation, nframes)
    static, *slow = (_screen(rng) for _ in range(4))
    drift = np.cumsum(rng.normal(size=(nframes, len(slow))), axis=0) / np.sqrt(nframes)
    phases = [STATIC_PHASE * static + SLOW_PHASE * np.tensordot(step, slow, 1) for step in drift]
    frames = np.empty((len(wavelengths), nframes, *shape))
    for wave, stretch in enumerate(np.divide(wavelengths, wavelengths[0])):
        for t, angle in enumerate(angles):
            frames[wave, t] = _starlight(phases[t] / stretch, shape, RESOLUTION * stretch)
            for planet in planets:
                y, x = planet.place(angle, shape)
                frames[wave, t] += planet.contrast * point_source(shape, y, x, RESOLUTION * stretch)
    psf = np.stack([point_source((21, 21), 10, 10, RESOLUTION * w / wavelengths[0]) for w in wavelengths])
    fwhm = FWHM * np.divide(wavelengths, wavelengths[0])
    return Observation(
        frames=STAR_PEAK * frames + noise * rng.normal(size=frames.shape),
        angles=angles,
        wavelengths=wavelengths,
        pixel_scale=12.25,
        psf=STAR_PEAK * psf,
        star_flux=[STAR_PEAK * _aperture(image, width / 2) for image, width in zip(psf, fwhm, strict=True)],
        times=58000.0 + np.arange(nframes) / 1440.0,
        fwhm=fwhm,
    )


def brightest(reduction, wave: int = 0) -> Found:
    """The brightest source at least 3 FWHM from the star, its place from a parabola through the pixels at its peak."""
    image = np.array(reduction.image[wave], dtype=float)
    cy, cx = image.shape[0] // 2, image.shape[1] // 2
    y, x = np.indices(image.shape)
    image[(np.hypot(y - cy, x - cx) < 3 * FWHM) | ~np.isfinite(image)] = -np.inf
    j, i = np.unravel_index(np.argmax(image), image.shape)
    v, u = (part.ravel() for part in np.mgrid[-1:2, -1:2])
    terms = np.stack([np.ones(9), u, v, u * u, u * v, v * v], axis=1)
    c = np.linalg.lstsq(terms, image[j - 1 : j + 2, i - 1 : i + 2].ravel(), rcond=None)[0]
    du, dv = np.linalg.solve([[2 * c[3], c[4]], [c[4], 2 * c[5]]], [-c[1], -c[2]])
    north, east = j + dv - cy, cx - i - du
    return Found(float(np.hypot(north, east)), float(np.degrees(np.arctan2(east, north)) % 360), float(image[j, i]))


def _starlight(phase: np.ndarray, shape: tuple[int, int], resolution: float) -> np.ndarray:
    aperture = pupil()
    wavefront = aperture * np.exp(1j * phase)
    leak = wavefront - aperture * (wavefront.sum() / aperture.sum())  # a perfect coronagraph takes the plane part
    y, x = (np.arange(side) - side // 2 for side in shape)
    return np.abs(field(leak, y, x, resolution)) ** 2


def _screen(rng: np.random.Generator) -> np.ndarray:
    """A random phase of unit rms over the pupil, less of it at higher spatial frequencies."""
    fy, fx = np.meshgrid(*2 * [np.fft.fftfreq(PUPIL_SAMPLES)], indexing="ij")
    frequency = np.hypot(fy, fx)
    amplitude = np.where(frequency > 0, 1 / np.maximum(frequency, 1e-9), 0.0)
    screen = np.fft.ifft2(amplitude * np.fft.fft2(rng.normal(size=frequency.shape))).real
    inside = pupil() > 0.5
    return (screen - screen[inside].mean()) / screen[inside].std()


def _aperture(image: np.ndarray, radius: float) -> float:
    """Sum inside a circle about the middle pixel, pixels on its rim counted by their part inside."""
    side, fine = image.shape[0], 40
    at = (np.arange(side * fine) + 0.5) / fine - 0.5 - side // 2
    inside = np.hypot(at[:, None], at[None, :]) < radius
    return float((image * inside.reshape(side, fine, side, fine).mean(axis=(1, 3))).sum())
