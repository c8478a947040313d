"""A small coronagraphic sequence of known truth: a star behind a perfect coronagraph, and two planets.

The instrument is like SPHERE/IRDIS in H2. Speckles come from phase errors in the pupil: those of the optics, which
stay or drift slowly, and those that adaptive optics leaves, which change from one instant to the next.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lyot.reduce.simulate import optics

Floats = NDArray[np.float64]

DIAMETER = 8.0  # m, of the telescope's stop
WAVELENGTH = 1.593  # µm
PIXEL_SCALE = 12.255  # mas/px
SIDE = 101  # px, of a frame; the star at its middle pixel
PSF_SIDE = 31  # px
BEAM = WAVELENGTH * 1e-6 / DIAMETER * np.degrees(1.0) * 3.6e6  # λ/D, mas

LATITUDE = -24.6268  # deg
DECLINATION = -51.0  # deg
HOURS = 1.0  # before and after transit
PUPIL_ANGLE = 134.24  # deg, of the pupil against the detector

STATIC = 50.0  # nm rms, errors of the optics
DRIFT = 12.0  # nm rms, their slow change
MEMORY = 0.97  # correlation of the drift from one frame to the next
RESIDUAL = 80.0  # nm rms, what adaptive optics leaves
INSTANTS = 6  # independent states of the residual turbulence in a frame
STAR_FLUX = 4e6  # counts a frame in an aperture of 1 FWHM, off the coronagraph
READ_NOISE = 4.0  # counts
SKY = 20.0  # counts a pixel


@dataclass(frozen=True)
class Planet:
    """Where a planet was put: mas from the star, deg East of North; its flux over that of the star."""

    separation: float
    position_angle: float
    contrast: float


PLANETS = (Planet(300.0, 62.0, 1e-4), Planet(490.0, 231.0, 3e-5))


@dataclass(frozen=True, eq=False)
class Sequence:
    """A simulated sequence and its truth.

    Parameters
    ----------
    frames : (time, y, x), counts
        Whole numbers; the star at the middle pixel.
    angles : (time,), deg
        Position angle (East of North) of the +y axis of each frame.
    hour_angles : (time,), hours
    psf : (y, x), counts
        The star off the coronagraph, the mean over the sequence.
    star_flux : float, counts
        In an aperture of diameter `fwhm` on `psf`.
    fwhm : float, px
    planets : the truth
    """

    frames: NDArray[np.float32]
    angles: Floats
    hour_angles: Floats
    psf: NDArray[np.float32]
    star_flux: float
    fwhm: float
    planets: tuple[Planet, ...]
    wavelength: float = WAVELENGTH
    pixel_scale: float = PIXEL_SCALE


def simulate_sequence(seed: int, *, frames: int = 40, planets: tuple[Planet, ...] = PLANETS) -> Sequence:
    """Observe a star and its planets through a transit of the meridian, the pupil held still.

    Parameters
    ----------
    seed : int
        The same seed gives the same sequence.
    frames : int
    planets : their positions are held to what the Fourier transform of the pupil gives: nothing is interpolated
    """
    rng = np.random.default_rng(seed)
    hours = np.linspace(-HOURS, HOURS, frames)
    angles = np.unwrap(zenith_angle(hours) + PUPIL_ANGLE, period=360.0)
    offsets = _pixels(SIDE)
    mean_psf, seen = np.zeros((SIDE, SIDE)), np.zeros((frames, SIDE, SIDE))
    all_waves = [optics.waves_of(phases) for phases in _phases(rng, frames)]
    for waves, angle, frame in zip(all_waves, angles, seen, strict=True):
        mean_psf += optics.image(waves, offsets) / frames
        frame += optics.image(optics.through_coronagraph(waves), offsets)
        for planet in planets:
            y, x = detector_offset(planet, angle)
            frame += planet.contrast * optics.image(optics.tilted(waves, y / BEAM, x / BEAM), offsets)
    fwhm, aperture = _width_and_flux(np.concatenate(all_waves))
    gain = STAR_FLUX / aperture
    counts = rng.poisson(gain * seen + SKY) - SKY + READ_NOISE * rng.standard_normal(seen.shape)
    cut = slice(SIDE // 2 - PSF_SIDE // 2, SIDE // 2 + PSF_SIDE // 2 + 1)
    return Sequence(
        frames=np.round(counts).astype(np.float32),  # a detector counts; and equal seeds give equal bytes
        angles=angles,
        hour_angles=hours,
        psf=np.asarray(gain * mean_psf[cut, cut], dtype=np.float32),
        star_flux=STAR_FLUX,
        fwhm=fwhm,
        planets=planets,
    )


def zenith_angle(hours: Floats) -> Floats:
    """Position angle (deg, East of North) of the zenith as seen from the star, by vectors on the sphere.

    Parameters
    ----------
    hours : hour angle, positive in the West
    """
    turn, tilt, height = np.radians(15.0 * hours), np.radians(DECLINATION), np.radians(LATITUDE)
    star = np.stack(
        [np.cos(tilt) * np.cos(turn), -np.cos(tilt) * np.sin(turn), np.full_like(turn, np.sin(tilt))], axis=-1
    )
    zenith = np.array([np.cos(height), 0.0, np.sin(height)])
    pole = np.array([0.0, 0.0, 1.0])
    east = np.cross(pole, star)
    north = np.cross(star, east)
    return np.asarray(np.degrees(np.arctan2(east @ zenith, north @ zenith)))


def detector_offset(planet: Planet, angle: float) -> tuple[float, float]:
    """Where a planet stands on the detector, (y, x) in mas from the star.

    The offset on the sky is projected on the detector's axes: +y points to position angle `angle`, and +x, seen from
    inside the sphere, a quarter turn from it towards the West.
    """
    theta, phi = np.radians(planet.position_angle), np.radians(angle)
    sky = planet.separation * np.array([np.sin(theta), np.cos(theta)])  # (East, North)
    up, right = np.array([np.sin(phi), np.cos(phi)]), np.array([-np.cos(phi), np.sin(phi)])
    return float(sky @ up), float(sky @ right)


def _pixels(side: int, step: float = 1.0) -> Floats:
    """Offsets of `side` samples, `step` px apart, from the axis, in λ/D."""
    return np.asarray((np.arange(side) - side // 2) * step * PIXEL_SCALE / BEAM)


def _phases(rng: np.random.Generator, frames: int) -> Floats:
    """Phases in the pupil, (frame, instant, y, x), rad."""
    static = STATIC * optics.quasi_static(rng, 1)
    drift = np.empty((frames, *static.shape[1:]))
    kicks = optics.quasi_static(rng, frames)
    drift[0] = kicks[0]
    for t in range(1, frames):
        drift[t] = MEMORY * drift[t - 1] + np.sqrt(1.0 - MEMORY**2) * kicks[t]
    turbulence = optics.residual_turbulence(rng, frames * INSTANTS).reshape(frames, INSTANTS, *static.shape[1:])
    path = (static + DRIFT * drift)[:, None] + RESIDUAL * turbulence
    return np.asarray(2.0 * np.pi * path * 1e-3 / WAVELENGTH)


def _width_and_flux(waves: NDArray[np.complex128], finer: int = 16) -> tuple[float, float]:
    """Full width at half maximum (px) of the star's image, and its flux in an aperture of that diameter.

    The image is sampled so finely that its pixels may be counted; the width is that of the circle whose area is as
    large as that above half maximum.
    """
    side = 6 * finer + 1
    fine = optics.image(waves, _pixels(side, 1.0 / finer))
    fwhm = 2.0 * np.sqrt((fine >= fine.max() / 2).sum() / np.pi) / finer
    y, x = np.indices(fine.shape) - side // 2
    inside = np.hypot(y, x) <= fwhm * finer / 2
    return float(fwhm), float(fine[inside].sum() / finer**2)
