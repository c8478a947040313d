"""A detector of IFS spectra made for the tests of the reducer alone: lenslets on a turned hexagonal lattice."""

import numpy as np

SIDE = 2048
LASERS = (0.98772, 1.12371, 1.30937)
PITCH = 161.5 * 3**0.5 / 18.0
PSF = 0.85  # px, σ of a line


def lenslets(turn: float = 79.0, offset: tuple[float, float] = (8.3, 2.2)) -> np.ndarray:
    """Places (y, x) of the lenslets relative to the middle of the detector, px."""
    a, b = (n.ravel() for n in np.mgrid[-160:161, -160:161])
    t = np.radians(turn)
    first = PITCH * np.array([np.sin(t), np.cos(t)])
    second = PITCH * np.array([np.sin(t + np.pi / 3), np.cos(t + np.pi / 3)])
    places = a[:, None] * first + b[:, None] * second + np.array(offset)
    return places[(np.abs(places) < 1050).all(axis=1)]


def where(places: np.ndarray, wavelength: float) -> np.ndarray:
    """Where lenslets put a wavelength (µm): distorted, dispersed along y, the spectra slightly inclined, (n, 2)."""
    y, x = places.T / 1000.0
    out = places + np.stack([1.5 * y * x**2 + 0.8 * x, 1.2 * x * y**2 - 0.5 * y**2], axis=1)
    away = wavelength - 1.148
    return out + 1023.5 + np.array([89.2 * away - 50.0 * away**2, 1.1 * away])


def render(places: np.ndarray, wavelengths: np.ndarray, light: np.ndarray) -> np.ndarray:
    """Counts on the detector of `light`, (lenslet, wave)."""
    image = np.zeros(SIDE * SIDE)
    for n, wavelength in enumerate(wavelengths):
        at = where(places, wavelength)
        base = np.round(at).astype(int)
        for dy in range(-4, 5):
            for dx in range(-4, 5):
                y, x = base[:, 0] + dy, base[:, 1] + dx
                inside = (y >= 0) & (y < SIDE) & (x >= 0) & (x < SIDE)
                weight = np.exp(-0.5 * ((y - at[:, 0]) ** 2 + (x - at[:, 1]) ** 2) / PSF**2) / (2 * np.pi * PSF**2)
                image += np.bincount((y * SIDE + x)[inside], (weight * light[:, n])[inside], SIDE * SIDE)
    return image.reshape(SIDE, SIDE)
